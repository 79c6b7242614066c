"""All that is generated, made in memory."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from fabric.scenario.json_schema import scenario_schema
from generate import columns, commands, keys, measured, plugins, reading, readme, requirement, scenario

ROOT = Path(__file__).resolve().parents[2]


def schema(_: str) -> str:
    """The file that editors use, as ``fabric schema`` prints it."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


# What it is made of is the page as it is: some are generated in part.
PAGES: dict[str, Callable[[str], str]] = {
    "README.md": readme.page,
    "docs/scenario.md": scenario.page,
    "docs/design.md": requirement.page,
    "docs/output.md": columns.page,
    "docs/commands.md": commands.page,
    "docs/plugins.md": plugins.page,
    "docs/reading.md": reading.page,
    "docs/measured.md": measured.page,
    "docs/tui.md": keys.page,
    "examples/fabric-scenario-v1.schema.json": schema,
}


def generated(name: str) -> str:
    """One file as it should be."""
    path = ROOT / name
    return PAGES[name](path.read_text(encoding="utf-8") if path.exists() else "")


def pages() -> dict[Path, str]:
    """Every file as it should be."""
    return {ROOT / name: generated(name) for name in PAGES}
