"""How long routers took. Measured, so that it differs between two equal runs and stands in no answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.answer import output_path
from fabric.cli.options import RareOption, Settings
from topologies.errors import OutputError
from topologies.whole_file import whole_file

if TYPE_CHECKING:
    from fabric.evaluation.router_comparison import RouterFigure
    from fabric.result import PhaseRoute

timings_option: Callable[[Any], Any] = click.option(
    "--timings",
    cls=RareOption,
    metavar="FILE|-",
    help="Write how long every solve took, as JSON; '-' is standard error. See also -v.",
)


def check_timings(timings: str | None, settings: Settings) -> None:
    """Refuse, before the work, a place that cannot be written."""
    if timings not in (None, "-"):
        output_path(replace(settings, output=str(timings)), "--timings")


def say_timings(timings: str | None, routes: Iterable[PhaseRoute | RouterFigure], settings: Settings) -> None:
    """Write what was measured where ``--timings`` says, and with ``-v`` a line each on standard error.

    Routes of saved results have no times: nothing was solved.
    """
    solved = [(one.fabric, one.phase, one.router, one.solve_time_s) for one in routes if one.solve_time_s is not None]
    if settings.verbose:
        from topologies.units import format_seconds  # with pydantic, which a tab of the shell need not wait for

        for fabric, phase, router, seconds in solved:
            click.echo(f"time: {fabric} {phase} {router} {format_seconds(seconds)}", err=True)
    if timings is None:
        return
    from fabric.scenario.provenance import tool_envelope

    keys = ("fabric", "phase", "router", "solve_time_s")
    items = [dict(zip(keys, (*row[:3], round(row[3], 6)), strict=True)) for row in solved]
    text = json.dumps({**tool_envelope("Timings"), "items": items}, indent=2, ensure_ascii=False) + "\n"
    if timings == "-":
        click.echo(text, err=True, nl=False)
        return
    try:
        with whole_file(Path(timings)) as place:
            place.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(f"cannot write {timings}: {error.strerror or error}") from None
