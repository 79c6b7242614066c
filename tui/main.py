"""``fabric tui``: found by the command line through an entry point, since ``fabric`` never imports ``tui``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabric.cli.options import Duration, FabricCommand, Settings

if TYPE_CHECKING:
    from tui.measuring import Measured

SUMMARY = "Look at a scenario in the terminal: congestion, heat map, flows, what-ifs."
ORDER = 190


@click.command("tui", cls=FabricCommand, takes=("scenario", "ascii"))
@click.argument("path", metavar="[SCENARIO|RESULT]", required=False)
@click.option("--theme", type=click.Choice(["dark", "light"]), default="dark", show_default=True, help="Colours.")
@click.option(
    "--measured", metavar="prometheus:URL|csv:FILE|perfquery:BEFORE,AFTER",
    help="Counters of screen 8, as verify load takes them; default: measured: of the scenario.",
)  # fmt: skip
@click.option("--window", type=Duration(), metavar="TIME", help="Of --measured: over which rates are means; 15 min.")
@click.option("--observed", metavar="FORMAT:PATH", help="Neighbours of screen 8, as verify cabling takes them.")
@click.option(
    "--names", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Of --observed: CSV of device,port,alias.",
)  # fmt: skip
@click.option("--record", metavar="FILE", help="Write every key and click to a file.")
@click.option("--replay", metavar="FILE", help="Play a recorded session.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Of --replay; 10 is ten times.")
@click.option("--exit", "leave", is_flag=True, help="Leave when --replay is over.")
def command(
    path: str | None,
    settings: Settings,
    theme: str,
    measured: str | None,
    window: float | None,
    observed: str | None,
    names: Path | None,
    record: str | None,
    replay: str | None,
    speed: float,
    leave: bool,
) -> int:
    """Look at SCENARIO in the terminal: congestion, heat map, flows, what-ifs. Without one, choose or design it there.

    Keys are on the last line; ? lists all. y tells the command line that prints what is looked at.
    """
    from fabric.request import RouteRequest
    from tui.app import run
    from tui.options import Start
    from tui.recording import read_recording

    served = "TEXTUAL_DRIVER" in os.environ  # textual serve shows it in a browser
    if not served and not (sys.stdout.isatty() and sys.stdin.isatty()):
        raise click.UsageError("tui needs a terminal; fabric route prints the same figures anywhere")
    recording = read_recording(Path(replay)) if replay is not None else None
    start = Start(
        path=path or (recording.scenario if recording is not None else None),
        overrides=tuple(settings.overrides),
        request=RouteRequest(down=settings.down, up=settings.up, slow=settings.slow),
        ascii=settings.ascii,
        theme=theme,
        record=record,
        replay=recording,
        speed=speed,
        measured=_measured(measured, window, observed, names),
        leave=leave,
    )
    return run(start)


def _measured(measured: str | None, window_s: float | None, observed: str | None, names: Path | None) -> Measured:
    """What screen 8 shows; refused before anything is opened."""
    from fabric.operate.load_check.sources import source_of_text
    from fabric.operate.observed.read import observed_source
    from tui.measuring import Measured

    if measured is None and window_s is not None:
        raise click.UsageError("--window is of --measured; in the scenario it is window: under measured:")
    if observed is None and names is not None:
        raise click.UsageError("--names is of --observed")
    flag = "--measured"
    try:
        source = None if measured is None else source_of_text(measured, window_s=window_s)
        flag = "--observed"
        if observed is not None:
            observed_source(observed)
    except ValueError as error:
        raise click.UsageError(f"{flag} {error}") from None
    return Measured(source, observed or "", names)
