"""``fabric draw``: pictures."""

from __future__ import annotations

from pathlib import Path

import click

from fabric.cli.answer import load, located, output_path
from fabric.cli.options import FabricCommand, Settings
from fabric.cli.watch import watching
from fabric.routing.names import ROUTERS

VIEWS = ("tier", "links")
PICTURES = ("svg", "png", "dot")


@click.command("draw", cls=FabricCommand, short_help="Draw a fabric with its load: tier or links view.")
@click.argument("view", type=click.Choice(VIEWS))
@click.argument("scenario")
@click.option("--fabric", metavar="NAME", help="Which fabric; default: the one with the worst load.")
@click.option("--router", type=click.Choice(ROUTERS), help="Instead of the scenario's router.")
@click.option(
    "--picture", type=click.Choice(PICTURES), help="Kind of picture; default: by the output's suffix, else svg."
)
def command(
    view: str,
    scenario: str,
    settings: Settings,
    fabric: str | None,
    router: str | None,
    picture: str | None,
) -> None:
    """Draw the VIEW of a fabric of SCENARIO in its worst phase, or the one named by --phase.

    tier: a box per tier and unit, an edge per bundle, at any size. links: every link between switches, up to 500
    (--force draws more). Writes to -o FILE (default: NAME-VIEW.svg in the working folder).
    """
    from dataclasses import replace

    from fabric.export.pictures import draw
    from fabric.pipeline import RouteRequest, route

    loaded = load(scenario, settings)
    kind = picture or _suffix(settings.output) or "svg"
    target = settings
    if settings.output == "-":
        target = replace(settings, output=f"{loaded.scenario.name}-{view}.{kind}")
    path = output_path(target)
    request = RouteRequest(
        router=router, fabric=fabric, phase=settings.phase, top=0, down=settings.down, up=settings.up
    )
    with located(loaded, settings), watching(settings) as report:
        result = route(loaded, request, progress=report)
        draw(view, loaded.scenario.name, result, path, kind, phase=settings.phase, force=settings.force)
    if not settings.quiet:
        click.echo(f"wrote {path}", err=True)


def _suffix(output: str) -> str | None:
    suffix = Path(output).suffix.lstrip(".").lower()
    return suffix if suffix in PICTURES else None
