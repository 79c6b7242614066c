"""What an answer was made from: assumptions, files, what the command line changed, versions."""

from __future__ import annotations

from collections.abc import Sequence

from fabric.output.columns import named
from fabric.output.table import Table
from fabric.result import Assumption
from fabric.scenario.load import LoadedScenario


def assumption_table(assumptions: Sequence[Assumption]) -> Table:
    """What the scenario did not say, and the key that overrides it."""
    columns = (
        named("id", "id", [each.id for each in assumptions], width=4),
        named("text", "assumption", [each.text for each in assumptions], width=50, flexible=True),
        named("override", "override", [each.override for each in assumptions], text=str, width=30),
    )
    return Table.of(columns, len(assumptions), title="Assumptions, and the key that overrides each")


def file_table(loaded: LoadedScenario) -> Table:
    """Files that were read."""
    columns = (
        named("path", "file", [file.path for file in loaded.inputs], width=30),
        named("sha256", "SHA-256", [file.sha256 for file in loaded.inputs], width=64),
    )
    return Table.of(columns, len(loaded.inputs), title="Files, and the hash of what was read")


def pair_table(pairs: Sequence[tuple[str, str]], names: tuple[str, str], title: str) -> Table:
    """Two texts a row."""
    columns = [named(name, name, [pair[at] for pair in pairs], text=str) for at, name in enumerate(names)]
    return Table.of(columns, len(pairs), title=title)
