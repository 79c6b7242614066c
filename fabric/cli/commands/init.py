"""``fabric init``: a scenario to start from."""

from __future__ import annotations

import click

from fabric.cli.answer import write
from fabric.cli.options import FabricCommand, Settings
from topologies.errors import nearest_hint

SUMMARY = "Write a commented starter scenario."
ORDER = 160


@click.command("init", cls=FabricCommand, takes=("output", "force"))
@click.argument("template", required=False)
@click.option("--list", "list_", is_flag=True, help="List the templates.")
def command(template: str | None, list_: bool, settings: Settings) -> None:
    """Write the starter scenario TEMPLATE (default: leaf-spine) to standard output or -o FILE."""
    from fabric.scenario.templates import template_names, template_text

    names = template_names()
    if list_:
        click.echo("\n".join(names))
        return
    chosen = template or "leaf-spine"
    if chosen not in names:
        hint = nearest_hint(chosen, names, "templates")
        raise click.UsageError(f"no template {chosen!r}; {hint}")
    write(template_text(chosen), settings)
