"""Models of the catalogue: ports, speed, power, price, and whether the figures are estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.output.columns import Special, capacities, counts, from_records, named
from fabric.output.table import Column, Table


def model_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    """Models, one a row."""
    watts = [[row[key] for key in ("typical_w", "max_w") if row.get(key) is not None] for row in rows]
    special: dict[str, Special] = {
        "speed_gbps": (capacities, "speed", {}),
        "usd": (counts, "US$", {}),
        "estimate": (named, "figures", {"texts": ["estimate" if row["estimate"] else "" for row in rows]}),
    }
    both: list[Column] = [
        counts("size", "ports, links, GPUs", [row.get("ports") or row.get("links") or row.get("gpus") for row in rows]),
        named(
            "watts",
            "W, typical / max",
            watts,
            numeric=True,
            texts=[" / ".join(f"{value:,.0f}" for value in each) or "-" for each in watts],
        ),
    ]
    return Table.of([*from_records(rows, names, special), *both], len(rows))


def detail_table(record: Mapping[str, Any]) -> Table:
    """All that is known of one model, key by key."""
    columns = (
        named("key", "key", list(record)),
        named("value", "value", list(record.values()), text=_as_written),
    )
    return Table.of(columns, len(record))


def _as_written(value: Any) -> str:
    return "-" if value is None else str(value)
