"""Families of ``fabric export``: which formats each writes, which flags it takes, and who writes.

A new family is one more row of ``FAMILIES``; its flags are declared at the command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from fabric.cli.cables import CableFlags, cables
from fabric.cli.export_lists import list_dialects
from fabric.cli.export_tables import FORMATS, TableFlags, export_addresses, export_tables
from fabric.cli.monitoring import EXPORTERS, MonitoringFlags, export_monitoring
from fabric.cli.options import Settings, refuse_flags
from fabric.cli.schedulers import SchedulerFlags, export_schedulers
from fabric.cli.storage_files import FORMS as STORAGE_FORMS
from fabric.cli.storage_files import export_storage
from fabric.faces.views.row_kinds import ADDRESSES, CABLES, DIALECTS, SCHEDULED, STORED, TABLES, WATCHED
from fabric.output.row_kind import RowKind
from topologies.plugin_folder import file_names

MONITORED = EXPORTERS  # profiles that are of monitoring
_ROUTED = ("fabric", "router", "paths", "objective", "time_limit")


@dataclass(frozen=True)
class ExportCall:
    """What was asked: the format, the scenario, and the flags by the names of their parameters."""

    form: str
    scenario: str
    flags: Mapping[str, Any]
    settings: Settings

    def only(self, *names: str) -> dict[str, Any]:
        """Some of the flags."""
        return {name: self.flags[name] for name in names}


@dataclass(frozen=True)
class Family:
    """Formats that are written alike.

    Attributes
    ----------
    what : str
        What it writes, for the refusal of its flags by others: ``export openflow writes no cables``.
    takes : tuple of str
        Names of its flags; those of no family are of all.
    groups : tuple of str
        Groups of common flags that it takes beside those that all formats take.
    because : str
        Why it takes no others; default: that it does not write what they are of.
    """

    what: str
    forms: tuple[str, ...]
    takes: tuple[str, ...]
    rows: RowKind
    write: Callable[[ExportCall], int]
    groups: tuple[str, ...] = ()
    because: str = ""
    needs_scenario: bool = True

    def refuse_others(self, form: str, groups: Sequence[str]) -> None:
        """Refuse flags of other families, each by what it is of."""
        idle = self.because or f"export {form} takes none of these flags"
        refuse_flags(idle, groups=[group for group in groups if group not in self.groups])
        for other in FAMILIES:
            names = [name for name in other.takes if name not in self.takes]
            refuse_flags(self.because or f"export {form} writes no {other.what}", *names)


def _list(call: ExportCall) -> int:
    if call.scenario:
        raise click.UsageError("export list reads no scenario; it names the dialects")
    return list_dialects(call.settings)


def _tables(call: ExportCall) -> int:
    return export_tables(call.form, call.scenario, TableFlags(**call.only(*_OF_TABLES)), call.settings)


def _addresses(call: ExportCall) -> int:
    return export_addresses(call.scenario, call.flags["fabric"], call.settings)


def _cables(call: ExportCall) -> int:
    if call.flags["profile"] in EXPORTERS:
        raise click.UsageError(f"profile {call.flags['profile']} is one of export prometheus, not of cables")
    return cables(call.scenario, CableFlags(**call.only(*_OF_CABLES)), call.settings)


def _monitoring(call: ExportCall) -> int:
    given = call.only("profile", "margin", "names", "draws", "fabric", "router", "paths", "objective")
    flags = MonitoringFlags(**given, window_s=call.flags["window"], time_limit_s=call.flags["time_limit"])
    return export_monitoring(call.form, call.scenario, flags, call.settings)


def _schedulers(call: ExportCall) -> int:
    return export_schedulers(call.form, call.scenario, SchedulerFlags(**call.only(*_OF_SCHEDULERS)), call.settings)


def _storage(call: ExportCall) -> int:
    return export_storage(call.form, call.scenario, call.flags["workload"], call.settings)


_OF_TABLES = (
    "name", *_ROUTED, "family", "tolerance", "max_rules", "max_groups", "max_members", "allow_overflow", "old",
    "no_verify", "timings",
)  # fmt: skip
_OF_CABLES = ("profile", "both_ways", "label_format", "colour_by", "fabric")
_OF_MONITORING = ("profile", "window", "margin", "names", "draws", *_ROUTED)
_OF_SCHEDULERS = ("fabric", "style", "block_by", "labels", "job", "pci", "check")

MOST_FLAGS = ("scenario", "files", "phase", "progress")  # common flags that some family does not take

FAMILIES = (
    Family(
        "lists", ("list",), (), DIALECTS, _list,
        because="export list only names dialects", needs_scenario=False,
    ),
    Family("tables", tuple(FORMATS), _OF_TABLES, TABLES, _tables, groups=MOST_FLAGS),
    Family(
        "addresses", ("addresses",), ("fabric",), ADDRESSES, _addresses, groups=("scenario", "files"),
        because="addresses are of the fabrics, not of tables",
    ),
    Family(
        "cables", ("cables",), _OF_CABLES, CABLES, _cables, groups=("scenario", "files"),
        because="cables are laid, not tables written",
    ),
    Family(
        "rules", ("prometheus", "grafana"), _OF_MONITORING, WATCHED, _monitoring,
        groups=("scenario", "files", "progress"),
    ),
    Family(
        "trees for schedulers", file_names("fabric.share.schedulers.formats"), _OF_SCHEDULERS, SCHEDULED, _schedulers,
        groups=("scenario", "files"),
    ),
    Family("files of storage", STORAGE_FORMS, ("workload",), STORED, _storage, groups=("scenario", "files")),
)  # fmt: skip


def find_family(form: str) -> Family:
    """The family of a format."""
    return next(family for family in FAMILIES if form in family.forms)
