"""``fabric draw``: pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import load, located, open_run, output_path, say_not_modelled
from fabric.cli.cabling import CablingFlags, verified
from fabric.cli.failure_options import asked_failures, check_failures, failures_options, flags_of
from fabric.cli.options import SCENARIO, WATCHED, FabricCommand, OneOf, Settings, listed, refuse_flags
from fabric.cli.timings import check_timings, say_timings, timings_option
from fabric.cli.watch import watching
from fabric.faces.drawing.view import VIEWS, Picture
from fabric.routing.names import router_names

if TYPE_CHECKING:
    from fabric.request import RouteRequest

SUMMARY = "Draw a fabric with its load, its racks and floor plan, or the step in time."
ORDER = 70

OF_VIEW = {
    "at": ("unit", "neighbourhood"),
    "hops": ("neighbourhood",),
    "tier": ("matrix",),
    "direction": ("matrix",),
    "all_links": ("links",),
    "rack": ("elevation",),
    "observed": ("cabling",),
    "names": ("cabling",),
}
OF_TRAFFIC = ("fabric", "router", "failures", "failures_from", "timings", "phase", "down", "up", "slow")
PICTURES = ("svg", "png", "dot")


@click.command(
    "draw",
    cls=FabricCommand,
    epilog=listed("Views", VIEWS),
    takes=("output", "force", *SCENARIO, "phase", *WATCHED),
)
@click.argument("view", type=click.Choice(VIEWS.names()))
@click.argument("scenario")
@click.option("--fabric", metavar="NAME", help="Which fabric; default: the one with the worst load.")
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
@click.option("--at", metavar="UNIT|NODE", help="Which unit or pod, or round which node; default: the hottest.")
@click.option("--hops", type=click.IntRange(min=0, max=8), default=1, show_default=True, help="Of neighbourhood.")
@click.option("--tier", metavar="NAME", help="Of matrix; default: the hottest between switches.")
@click.option("--direction", type=click.Choice(["up", "down"]), default="up", show_default=True, help="Of matrix.")
@click.option("--all-links", is_flag=True, help="Draw more than 500 links.")
@click.option(
    "--rack", metavar="NAME", help="Of elevation: which rack, or a pattern such as r00*; default: one of each."
)
@click.option("--observed", metavar="FORMAT:PATH", help="Of cabling: what is plugged, as verify cabling takes it.")
@click.option(
    "--names", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Of --observed: device,port,alias."
)
@failures_options("Colour every link by its worst failure case")
@timings_option
@click.option(
    "--picture", type=click.Choice(PICTURES), help="Kind of picture; default: by the output's suffix, else svg."
)
def command(
    view: str,
    scenario: str,
    settings: Settings,
    fabric: str | None,
    router: str | None,
    at: str | None,
    hops: int,
    tier: str | None,
    direction: str,
    all_links: bool,
    rack: str | None,
    observed: str | None,
    names: Path | None,
    picture: str | None,
    failures: bool,
    failures_from: str | None,
    timings: str | None,
) -> None:
    """Draw the VIEW of a fabric of SCENARIO (or a saved result) in its worst phase, or the one named by --phase.

    Writes to -o FILE (default: NAME-VIEW.svg in the working folder).
    """
    from fabric.faces.drawing.pictures import draw, drawn_phase, drawn_worst_case

    refuse_flags(f"it is not of view {view}", *(option for option, views in OF_VIEW.items() if view not in views))
    kind = picture or _suffix(settings.output) or "svg"
    plugged = None if observed is None else CablingFlags(observed, names)
    if _draw_unrouted(scenario, Picture(view, rack=rack), plugged, kind, settings):
        return
    _check_failures(view, failures, failures_from)
    check_timings(timings, settings)
    if settings.output != "-":
        output_path(settings)  # refused before the work, not after it
    with watching(settings) as report:
        opened = open_run(scenario, settings, _request(router, fabric, settings), report)
        result = opened.result
        if fabric is not None:
            result = replace(result, routes=tuple(entry for entry in result.routes if entry.fabric == fabric))
        path = _target(opened.loaded.scenario.name, view, kind, settings)
        wanted = Picture(view, at, hops, tier, direction, all_links)
        sweep = asked_failures(opened, failures, failures_from, report)
        if sweep is None:
            drawn = drawn_phase(opened.loaded, result, settings.phase)
        else:
            drawn = drawn_worst_case(opened.loaded, result, sweep, fabric)
        draw(wanted, drawn, path, kind)
    say_timings(timings, opened.result.routes, settings)
    say_not_modelled(opened.loaded, settings)
    if not settings.quiet:
        click.echo(f"wrote {path}", err=True)


def _check_failures(view: str, failures: bool, failures_from: str | None) -> None:
    """Refuse, before the work, flags of failures that the view does not draw."""
    check_failures(failures, failures_from)
    if flags_of(failures, failures_from):
        refuse_flags("a link's worst failure case is over all phases", "phase")
        if not VIEWS[view].of_links:
            refuse_flags(f"view {view} draws times, and failure cases are of links", "failures", "failures_from")


def _request(router: str | None, fabric: str | None, settings: Settings) -> RouteRequest:
    from fabric.request import RouteRequest

    return RouteRequest(
        router=router,
        fabric=fabric,
        phase=settings.phase,
        top=0,
        down=settings.down,
        up=settings.up,
        slow=settings.slow,
    )


def _draw_unrouted(scenario: str, picture: Picture, flags: CablingFlags | None, kind: str, settings: Settings) -> bool:
    """Draw a view that shows no traffic; False for others."""
    view = VIEWS[picture.view]
    said = f"view {picture.view} shows no traffic"
    if view.of_observed is not None:
        refuse_flags(said, *(name for name in OF_TRAFFIC if name not in ("down", "up", "slow")))
        if flags is None:
            raise click.UsageError(f"view {picture.view} needs --observed: what is plugged, such as lldp:FOLDER")
        _draw_observed(scenario, picture.view, flags, kind, settings)
    elif view.of_scenario is not None:
        refuse_flags(said, *OF_TRAFFIC)
        _draw_scenario(scenario, picture, kind, settings)
    return view.of_observed is not None or view.of_scenario is not None


def _draw_scenario(scenario: str, picture: Picture, kind: str, settings: Settings) -> None:
    """A view that shows no traffic: the fabrics are built, and nothing is routed."""
    from fabric.faces.drawing.pictures import draw_scenario
    from fabric.pipeline.prepared import build

    loaded = load(scenario, settings, routed=False)
    path = _target(loaded.scenario.name, picture.view, kind, settings)
    with located(loaded, settings):
        draw_scenario(picture, loaded, build(loaded), path, kind)
    if not settings.quiet:
        click.echo(f"wrote {path}", err=True)


def _draw_observed(scenario: str, view: str, flags: CablingFlags, kind: str, settings: Settings) -> None:
    """A view of what is plugged."""
    from fabric.faces.drawing.graphviz_program import render_dot

    if settings.output != "-":
        output_path(settings)
    text = VIEWS[view].of_observed
    assert text is not None
    run, result = verified(scenario, settings, flags)
    path = _target(run.loaded.scenario.name, view, kind, settings)
    render_dot(text(run.loaded, result), path, kind)
    if not settings.quiet:
        click.echo(f"wrote {path}", err=True)


def _target(name: str, view: str, kind: str, settings: Settings) -> Path:
    """The file to write, checked; by the scenario's name where none is asked for."""
    target = settings if settings.output != "-" else replace(settings, output=f"{name}-{view}.{kind}")
    return output_path(target)


def _suffix(output: str) -> str | None:
    suffix = Path(output).suffix.lstrip(".").lower()
    return suffix if suffix in PICTURES else None
