"""Links as they were measured, beside the plan: a row for every link that was measured or is in the plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fabric.operate.load_check.result import Explanation, LoadCheckResult, SumDrift
from fabric.output.columns import counts, named, rates, ratios, relatives
from fabric.output.table import Mark, Table

_STATES = ("in band", "above", "below", "above line rate", "unknown", "port down")


def load_table(result: LoadCheckResult) -> Table:
    """All links of the fabrics, those furthest off first."""
    parts = [_columns(fabric) for fabric in result.fabrics]
    values = {name: [value for part in parts for value in part[name]] for name in parts[0]} if parts else {}
    table = Table.of(
        (
            named("fabric", "fabric", values["fabric"], priority=1),
            named("link", "link", values["link"], flexible=True, width=24),
            named("tier", "tier", values["tier"], priority=2),
            rates("predicted_gbps", "predicted", values["predicted_gbps"]),
            rates("measured_gbps", "measured", values["measured_gbps"]),
            relatives("drift", "drift", values["drift"]),
            rates("low_gbps", "low", values["low_gbps"], priority=1),
            rates("high_gbps", "high", values["high_gbps"], priority=1),
            named("state", "state", values["state"]),
        ),
        len(values["link"]),
        title="measured beside predicted",
        marks=[_mark(state) for state in values["state"]],
    )
    off = np.array([_distance(values, row) for row in range(len(values["link"]))])
    from dataclasses import replace

    return replace(table, order=np.argsort(-off, kind="stable"))


def _columns(fabric: object) -> dict[str, list[object]]:
    from fabric.operate.load_check.result import FabricDrift

    assert isinstance(fabric, FabricDrift)
    net, plan, measured = fabric.plan.topology, fabric.plan, fabric.rates
    outside, impossible = fabric.outside, fabric.impossible
    rows = range(len(net.links))
    drift = [
        float(measured.gbps[row] / plan.mean_gbps[row] - 1)
        if measured.known[row] and plan.mean_gbps[row] > 0 else None
        for row in rows
    ]  # fmt: skip
    state = [
        "port down" if measured.down[row] and net.up[row]
        else "unknown" if not measured.known[row]
        else "above line rate" if impossible[row]
        else "in band" if not outside[row]
        else "above" if measured.gbps[row] > plan.mean_gbps[row] else "below"
        for row in rows
    ]  # fmt: skip
    return {
        "fabric": [plan.fabric for _ in rows],
        "link": [net.link_name(row) for row in rows],
        "tier": [net.tiers[net.links.tier[row]] for row in rows],
        "predicted_gbps": [float(plan.mean_gbps[row]) for row in rows],
        "measured_gbps": [float(measured.gbps[row]) if measured.known[row] else None for row in rows],
        "drift": list(drift),
        "low_gbps": [float(plan.low_gbps[row]) for row in rows],
        "high_gbps": [float(plan.high_gbps[row]) for row in rows],
        "state": list(state),
    }


def _distance(values: dict[str, list[object]], row: int) -> float:
    """By how much a link is off, Gbps; those in their band after all others, unknown ones last."""
    measured, predicted, state = (values[key][row] for key in ("measured_gbps", "predicted_gbps", "state"))
    if state == "port down":
        return 1e12
    if not isinstance(measured, float) or not isinstance(predicted, float):
        return -1e12
    off = abs(measured - predicted)
    return off + 1e9 if state != "in band" else off


def _mark(state: object) -> Mark:
    return (
        "bad" if state in ("above", "below", "above line rate", "port down") else "warn" if state == "unknown" else ""
    )


def sums_table(sums: Sequence[SumDrift]) -> Table:
    """Tiers by direction, and jobs."""
    return Table.of(
        (
            named("fabric", "fabric", [one.fabric for one in sums], priority=1),
            named("of", "of", [one.kind for one in sums], width=5),
            named("name", "name", [one.name for one in sums], flexible=True, width=18),
            counts("links", "links", [one.links for one in sums], width=6, priority=1),
            counts("measured_links", "seen", [one.measured_links for one in sums], width=6),
            rates("predicted_gbps", "predicted", [one.predicted_gbps for one in sums]),
            rates("measured_gbps", "measured", [one.measured_gbps if one.measured_links else None for one in sums]),
            relatives("drift", "drift", [one.drift if one.measured_links else None for one in sums]),
        ),
        len(sums),
        title="tiers and jobs",
    )


def explanation_table(rows: Sequence[tuple[str, Explanation]]) -> Table:
    """What explains the difference, best first."""
    return Table.of(
        (
            named("fabric", "fabric", [fabric for fabric, _ in rows], priority=1),
            named("cause", "cause", [one.cause for _, one in rows]),
            named("words", "what", [one.words for _, one in rows], flexible=True, width=24),
            ratios("fit", "explains", [one.fit for _, one in rows]),
            named("change", "the plan with it", [one.change for _, one in rows], flexible=True, priority=1),
        ),
        len(rows),
        title="what explains it",
    )
