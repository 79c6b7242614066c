"""The cable schedule on the command line: as an answer, and written by a profile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from fabric.cli.answer import Answer, emit, load, located, note, write
from fabric.cli.exit_codes import ANSWER_IS_NO, OK
from fabric.cli.options import Settings
from fabric.faces.views.row_kinds import CABLES

if TYPE_CHECKING:
    from fabric.cables.cable_rows import CableSchedule
    from fabric.pipeline.network import Network
    from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True)
class CableFlags:
    """What the command line says of a cable schedule."""

    profile: str | None = None
    both_ways: bool = False
    label_format: str | None = None
    colour_by: Literal["rail", "tier", "fabric"] | None = None
    fabric: str | None = None


def cables(scenario: str, flags: CableFlags, settings: Settings) -> int:
    """Print or write the cables of a scenario; exit code 1 where a tray does not hold its cables."""
    from fabric.cables.profile import PROFILES

    profile = PROFILES.find(flags.profile or "schedule")
    if flags.both_ways and not profile.both_ways:
        raise click.UsageError(f"--both-ways: profile {flags.profile} lists every cable once")
    suffix = _suffix(settings, flags) if profile.write is not None else ""
    loaded = load(scenario, settings, routed=False)
    schedule, network = _schedule(loaded, flags, settings)
    for text in schedule.notes:
        note(text, settings)
    if profile.write is None:
        _answer(loaded, schedule, network, flags, settings)
    else:
        from fabric.cables.profile import CableExport

        topologies = {name: net for name, net in network.topologies.items() if flags.fabric in (None, name)}
        with located(loaded, settings):
            export = CableExport(loaded.scenario.name, schedule, topologies, flags.both_ways, suffix)
            text = list(profile.write(export))
        write(text, settings)
    return ANSWER_IS_NO if schedule.overfull else OK


def _suffix(settings: Settings, flags: CableFlags) -> str:
    """Suffix of the file to write, which says in which form where a profile has several."""
    from fabric.cables.profile import PROFILES

    if settings.format is not None or any((settings.where, settings.sort, settings.columns, settings.reverse)):
        raise click.UsageError(
            f"profile {flags.profile} has a form of its own: formats and rows are of profile schedule"
        )
    if settings.limit is not None:
        raise click.UsageError(f"profile {flags.profile} lists all cables; rows are of profile schedule")
    known = PROFILES[flags.profile or "schedule"].suffixes
    if settings.output == "-":
        return known[0]
    name = Path(settings.output).name.lower()
    for suffix in known:
        if name.endswith(suffix):
            return suffix
    raise click.UsageError(f"-o {settings.output}: profile {flags.profile} writes {', '.join(known)}")


def _schedule(loaded: LoadedScenario, flags: CableFlags, settings: Settings) -> tuple[CableSchedule, Network]:
    """The schedule, of all fabrics or of one."""
    from fabric.cables.schedule import cable_schedule
    from fabric.pipeline.prepared import build

    with located(loaded, settings):
        network = build(loaded, down=settings.down, up=settings.up, slow=settings.slow)
        if flags.fabric is not None:
            network.inventory.fabric(flags.fabric, where="")
        schedule = cable_schedule(
            loaded, network.topologies, label_format=flags.label_format, colour_by=flags.colour_by
        )
    return (schedule.of_fabric(flags.fabric) if flags.fabric is not None else schedule), network


def _answer(
    loaded: LoadedScenario, schedule: CableSchedule, network: Network, flags: CableFlags, settings: Settings
) -> None:
    """All cables, in the format asked for."""
    from fabric.faces.answers.cable_report import cable_document, cable_entry, cable_record
    from fabric.faces.views.cables import cable_table

    both = flags.both_ways
    answer = Answer(
        lambda: cable_record(loaded, schedule),
        lambda: cable_document(schedule, both_ways=both),
        lambda: cable_table(schedule, both_ways=both),
        CABLES,
        lambda row: cable_entry(schedule, network.topologies, row, both_ways=both),
    )
    emit(answer, settings)


def profile_rows() -> list[dict[str, object]]:
    """All profiles, as ``export list`` shows them."""
    from fabric.cables.profile import PROFILES

    return [
        {
            "format": "cables",
            "profile": name,
            "summary": PROFILES.summary(name),
            "suffixes": " ".join(profile.suffixes),
            "read_by": profile.read_by,
        }
        for name, profile in PROFILES.items()
    ]
