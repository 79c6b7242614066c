"""How to get the same numbers again: the commands, word by word."""

from __future__ import annotations

import shlex

from fabric.faces.report.content import Block, Commands, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.request import RouteRequest
from fabric.scenario.load import STDIN

_HOW = (
    "Written from what this report was made with. With the files of the hashes above, the same versions and "
    "the same SOURCE_DATE_EPOCH, if any, the commands give this file again, byte by byte."
)


def reproduce_section(source: ReportSource) -> Section:
    """Check the files, route, write the report."""
    lines = [f"echo {shlex.quote(f'{file.sha256}  {file.path}')} | sha256sum --check" for file in source.loaded.inputs]
    if source.loaded.path in ("-", STDIN):
        lines = []
    flags = [] if source.saved else _flags(source)
    name = source.loaded.scenario.name
    against = ["--base", source.base.given] if source.base is not None else []
    blocks: list[Block] = [
        Commands(
            (
                *lines,
                _line("fabric", "report", source.given, *flags, *against, *source.failures_given, "-o", f"{name}.html"),
            )
        )
    ]
    if source.idle:
        kept = _flags(source, routed=False)
        asked = [("build", source.given), ("show", "paths", source.given), ("show", "bisection", source.given)]
        blocks += [
            Words("The same as data:"),
            Commands(tuple(_line("fabric", *words, *kept, "-f", "json") for words in asked)),
        ]
    elif not source.saved:
        blocks += [
            Words("The same result as data, with every number that is here:"),
            Commands((_line("fabric", "route", source.given, *flags, "-f", "json", "-o", f"{name}.json"),)),
        ]
    return Section("reproduce", "Reproduce", _HOW, tuple(blocks))


def _line(*words: str) -> str:
    return shlex.join(words)


def _flags(source: ReportSource, *, routed: bool = True) -> list[str]:
    """Overrides, failures and, of what is routed, what else was asked for and is not the default."""
    request, usual = source.request, RouteRequest()
    flags: list[str] = []
    for entry in source.loaded.overrides:
        flags += ["--set", f"{entry.path}={entry.value}"]
    for flag, values in (("--down", request.down), ("--up", request.up), ("--slow", request.slow)):
        for value in values:
            flags += [flag, value]
    if not routed:
        return flags
    for flag, given, default in (
        ("--fabric", request.fabric, usual.fabric),
        ("--router", request.router, usual.router),
        ("--phase", request.phase, usual.phase),
        ("--top", request.top, usual.top),
    ):
        if given != default:
            flags += [flag, str(given)]
    return flags


SUMMARY = "the commands that give the same numbers again"
ORDER = 80
SECTION = ReportSection(reproduce_section)
