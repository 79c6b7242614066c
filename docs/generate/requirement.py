"""The tables of ``docs/design.md``: every key of a requirement that scenarios do not have, below a marker."""

from __future__ import annotations

from typing import Any

from fabric.design.requirement_schema import requirement_schema
from fabric.scenario.json_schema import scenario_schema
from generate.scenario import MARKER, heading, row

ORDER = ("Requires", "NicWish", "FabricWish", "Bisection", "Budget", "GrowthStage", "Candidates", "Runs")


def page(hand_written: str) -> str:
    """The whole page.

    Raises
    ------
    ValueError
        When the schema has a definition that is neither listed here nor one of scenarios.
    """
    schema = requirement_schema()
    definitions: dict[str, Any] = schema["$defs"]
    left = set(definitions) - set(scenario_schema()["$defs"]) - set(ORDER)
    if left:
        raise ValueError(f"docs/generate/requirement.py has no place for {', '.join(sorted(left))}")
    parts = [hand_written.split(MARKER)[0], MARKER, "\n## Keys of a requirement\n", *_table(schema)]
    for name in ORDER:
        part = definitions[name]
        described = part.get("description", "").replace("``", "`")
        parts += [f"\n### {heading(name, part)}\n\n{described}\n", *_table(part)]
    return "".join(parts)


def _table(part: dict[str, Any]) -> list[str]:
    rows = [row(key, value, part, {}) for key, value in part["properties"].items()]
    return ["\n| key | value | default | |\n| --- | --- | --- | --- |\n", *rows]
