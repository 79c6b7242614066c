"""``fabric schema``: the scenario's JSON Schema, for editors."""

from __future__ import annotations

import json

import click

from fabric.cli.answer import write
from fabric.cli.options import FabricCommand, Settings

NAMES = ("scenario",)


@click.command("schema", cls=FabricCommand, short_help="Print the JSON Schema of scenario files.")
@click.argument("name", type=click.Choice(NAMES), default="scenario")
def command(name: str, settings: Settings) -> None:
    """Print the JSON Schema called NAME, for editors and other programs."""
    from fabric.scenario.json_schema import scenario_schema

    write(json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n", settings)
