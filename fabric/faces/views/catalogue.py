"""Models of the catalogue: ports, speed, power, price, and whether the figures are estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fabric.output.columns import Special, amount_text, capacities, counts, from_records, named
from fabric.output.table import Column, Table

_OF_LINKS = ("domain_gpus", "scale_up_gbps")  # of the scale-up links, a GPU and direction


def model_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    """Models, one a row."""
    watts = [[row[key] for key in ("typical_w", "max_w") if row.get(key) is not None] for row in rows]
    special: dict[str, Special] = {
        "speed_gbps": (capacities, "speed", {}),
        "usd": (counts, "US$", {}),
        "usd_per_m": (counts, "US$ a metre", {"text": amount_text}),
        "reach_m": (counts, "reach, m", {}),
        "length_m": (counts, "longest, m", {}),
        "depth_m": (counts, "depth, m", {"text": amount_text}),
        "stock_m": (named, "lengths sold, m", {"text": _lengths}),
        "lead_days": (counts, "days to delivery", {}),
        "carbon_kg": (counts, "kg CO2, making", {}),
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
    both.append(counts("longest_m", "longest, m", [row.get("length_m") or row.get("reach_m") for row in rows]))
    joined = [row.get("scale_up") for row in rows]
    both += [
        counts("domain_gpus", "GPUs of a domain", [links["domain"] if links else None for links in joined]),
        capacities("scale_up_gbps", "scale-up", [links["speed_gbps"] if links else None for links in joined]),
    ]
    return Table.of([*from_records(rows, [name for name in names if name not in _OF_LINKS], special), *both], len(rows))


def _lengths(lengths: Sequence[float] | None) -> str:
    return ", ".join(f"{length:g}" for length in lengths) if lengths else "-"


def detail_table(record: Mapping[str, Any]) -> Table:
    """All that is known of one model, key by key; what its GPU and links are under their own keys."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat |= {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, Mapping) else {key: value}
    columns = (
        named("key", "key", list(flat)),
        named("value", "value", list(flat.values()), text=_as_written),
    )
    return Table.of(columns, len(flat))


def _as_written(value: Any) -> str:
    return "-" if value is None else str(value)
