"""``fabric tui``: found by the command line through an entry point, since ``fabric`` never imports ``tui``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from fabric.cli.options import FabricCommand, Settings

SUMMARY = "Look at a scenario in the terminal: congestion, heat map, flows, what-ifs."
ORDER = 190


@click.command("tui", cls=FabricCommand, takes=("scenario", "ascii"))
@click.argument("path", metavar="[SCENARIO|RESULT]", required=False)
@click.option("--theme", type=click.Choice(["dark", "light"]), default="dark", show_default=True, help="Colours.")
@click.option("--record", metavar="FILE", help="Write every key and click to a file.")
@click.option("--replay", metavar="FILE", help="Play a recorded session.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), default=1.0, help="Of --replay; 10 is ten times.")
@click.option("--exit", "leave", is_flag=True, help="Leave when --replay is over.")
def command(
    path: str | None,
    settings: Settings,
    theme: str,
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
        leave=leave,
    )
    return run(start)
