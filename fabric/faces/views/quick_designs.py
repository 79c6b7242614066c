"""Designs by counts, as they are shown while a requirement is typed; and the fields that it is typed into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.design.quick import QuickAnswer, QuickDesign
from fabric.output.columns import counts, named, ratios
from fabric.output.table import Mark, Table
from topologies.units import to_one


@dataclass(frozen=True)
class WishField:
    """One wish of a requirement: its name, what stands there first, and what may."""

    name: str
    default: str
    words: str


WISHES = (
    WishField("GPUs", "512", "how many GPUs; all others have a default"),
    WishField("GPUs per node", "8", "GPUs of a host"),
    WishField("NIC", "8x400", "NICs of a host and their speed; 400G: one for every GPU"),
    WishField("oversubscription", "1:1", "most bandwidth down over up; any: whatever"),
    WishField("families", "", "leaf-spine, rail-optimised, clos, …; empty: all that hold for any traffic"),
    WishField("survive", "", "any-single-spine, any-single-leaf, any-single-leaf-uplink; empty: nothing"),
    WishField("objective", "cost", "cost, power, carbon, cables, ports; several: one after another"),
)


def requirement_keys(values: Mapping[str, str]) -> dict[str, Any]:
    """Keys of a requirement from the texts of the fields; what is empty is left to its default."""

    def texts(name: str) -> list[str]:
        return [part.strip() for part in values.get(name, "").split(",") if part.strip()]

    def whole(name: str) -> Any:
        text = values.get(name, "").strip().replace(",", "").replace("_", "")
        return int(text) if text.isdecimal() else text or None

    require = {
        "gpus": whole("GPUs"),
        "gpus_per_node": whole("GPUs per node"),
        "nic": values.get("NIC", "").strip() or None,
        "oversubscription": values.get("oversubscription", "").strip() or None,
        "survive": texts("survive") or None,
    }
    keys: dict[str, Any] = {
        "name": f"design-{require['gpus']}",
        "require": {key: value for key, value in require.items() if value is not None},
        "candidates": {"kinds": texts("families")} if texts("families") else None,
        "objective": texts("objective") or None,
    }
    return {key: value for key, value in keys.items() if value is not None}


def quick_table(designs: Sequence[QuickDesign]) -> Table:
    """One row a family, best first."""
    best = designs[0].value if designs else 0.0
    columns = (
        named("name", "design", [one.name for one in designs], width=34, flexible=True),
        counts("switches", "switches", [one.switches for one in designs], width=8),
        counts("cables", "links", [one.cables for one in designs], width=8),
        counts("cost_usd", "cost US$", [one.cost_usd for one in designs], width=12, unit="US$"),
        counts("power_w", "W without NICs", [one.power_w for one in designs], width=10, unit="W", priority=1),
        named("oversubscription", "oversubscribed", [_ratio(one) for one in designs], width=14, priority=2),
        ratios("above_best", "above best", [one.value / best - 1 if best else 0.0 for one in designs], width=10),
    )
    marks: list[Mark] = ["good" if place == 0 else "" for place in range(len(designs))]
    return Table.of(columns, len(designs), title="designs by counts", marks=marks)


def _ratio(design: QuickDesign) -> str:
    ratios = list(design.counted.oversubscription.values())
    return to_one(max(ratios)) if ratios else ""


def answer_lines(answer: QuickAnswer) -> list[str]:
    """What the best comes to, how near it is to the best there is, and the defaults that were taken."""
    if not answer.designs:
        lines = ["nothing meets this; wishes that conflict:"]
        return lines + [f"  {one.key}: {one.wish}; nearest: {one.nearest}" for one in answer.conflict]
    best = answer.designs[0]
    proof = "the least by counts, proved" if best.value <= answer.bound * (1 + 1e-9) else f"bound {answer.bound:,.0f}"
    return [
        f"best: {best.name}, {answer.objective} {best.value:,.0f} ({proof}); counted, not yet built and routed",
        f"defaults: {'; '.join(answer.defaults)}",
    ]
