"""Counts as a scenario, built and counted again on the built topology: nothing is offered that was only counted."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import Any

import yaml

from fabric.review.claims import Claims
from fabric.review.counts import CountsChecked
from fabric.review.finding import Buildable
from fabric.review.names import NAMES
from fabric.review.nearest import Nearest, nearest
from fabric.review.shape import Shape, model_of, port_speed
from topologies.errors import FabricError
from topologies.summary import TopologySummary, summarise
from topologies.units import format_gbps, precise_gbps, to_one

_TRIES = 4
_GPUS = {"gpus", "gpus_per_host", "gpus_per_pod"}
_DEFAULT_GBPS = Fraction(400)
_KNOWN_BY = ({"gpus", "hosts", "nics", "host_cables"}, {"leaves", "host_ports"})
_MOST_BUILT = 400_000  # NICs


def buildable(checked: CountsChecked) -> tuple[Buildable | None, str]:
    """The nearest fabric that can be built, and, where there is none, why."""
    keys = set(checked.claims.keys)
    if not keys & _KNOWN_BY[0] and not keys >= _KNOWN_BY[1]:
        return None, "how many GPUs, hosts or NICs it is for is not claimed, so nothing can be built"
    if checked.shape.separate > 1:
        return None, "planes and separate rails are reviewed, and not built again; fabric design offers them"
    why = "no folded Clos that comes near these counts can be built"
    tiers = [checked.shape.tiers, *(each for each in (2, 3) if each != checked.shape.tiers)]
    for count in tiers if "tiers" not in keys else tiers[:1]:
        last: dict[str, int] | None = None
        for _ in range(_TRIES):
            found = nearest(checked, count, like=last)
            if found is None:
                break
            if found.counts["nics"] > _MOST_BUILT:
                return None, f"{found.counts['nics']:,} NICs are counted here, and not built"
            text = scenario_text(found, checked)
            try:
                summary = built_summary(text)
            except FabricError as error:
                why = error.problems[0].message
                last = {name: found.counts[name] for name in ("leaves", "spines", "cores", "uplinks", "host_ports")}
                continue
            changed = (*_changed(found, checked), *_other_ratios(summary, checked.claims))
            return Buildable(changed, _counted(summary, found, checked.claims), text), ""
    return None, why


def built_summary(text: str) -> TopologySummary:
    """Counts of the only fabric of a scenario, built.

    Raises
    ------
    FabricError
        When it cannot be built.
    """
    import tempfile
    from pathlib import Path

    from fabric.pipeline.prepared import build
    from fabric.scenario.load import load_scenario

    with tempfile.TemporaryDirectory(prefix="fabric-") as folder:
        path = Path(folder) / "counts.fabric.yaml"
        path.write_text(text, encoding="utf-8")
        network = build(load_scenario(path))
    return summarise(network.topologies["main"])


def _changed(found: Nearest, checked: CountsChecked) -> tuple[str, ...]:
    """Claims that the fabric does not keep."""
    texts = []
    for key in checked.claims.keys:
        value = checked.claims.value(key)
        name = "leaf_radix" if key == "radix" else key
        have = found.counts.get(name)
        if value is not None and have is not None and name in NAMES and value != have:
            texts.append(f"{key.replace('_', ' ')} {have:,} instead of {int(value):,}")
    return tuple(texts)


def _other_ratios(summary: TopologySummary, claims: Claims) -> tuple[str, ...]:
    """The oversubscription and bisection of what was built, where they are not those claimed."""
    texts = []
    for key, role in (("oversubscription", "leaf"), ("spine_oversubscription", "spine")):
        written, ratio = claims.numbers.get(key), summary.oversubscription_by_role.get(role)
        if written is not None and ratio is not None and not written.low <= Fraction(ratio) <= written.high:
            texts.append(f"{key.replace('_', ' ')} {to_one(ratio)} instead of {written.text}")
    written = claims.numbers.get("bisection")
    if written is not None and {"speed", "nic_speed", "uplink_speed", "model", "leaf_model"} & set(claims.keys):
        gbps = _bisection_gbps(summary)
        if not written.low <= Fraction(gbps) <= written.high:
            texts.append(f"bisection {format_gbps(gbps)} instead of {written.text}")
    return tuple(texts)


def _bisection_gbps(summary: TopologySummary) -> float:
    """Half of the narrowest tier, one direction."""
    return min(summary.capacity_gbps_by_tier.values()) / 2


def _counted(summary: TopologySummary, found: Nearest, claims: Claims) -> tuple[tuple[str, str], ...]:
    """What was built, for people."""
    rows = [("GPUs", f"{found.counts['gpus']:,}")] if _GPUS & set(claims.keys) else []
    rows.append(("hosts", f"{found.counts['hosts']:,}"))
    rows += [(role, f"{count:,}") for role, count in summary.nodes_by_role.items() if role in ("leaf", "spine", "core")]
    rows += [(f"cables {tier}", f"{count:,}") for tier, count in summary.cables_by_tier.items()]
    for role, ratio in summary.oversubscription_by_role.items():
        if ratio is not None:
            rows.append((f"oversubscription {role}", to_one(ratio)))
    rows.append(("bisection", format_gbps(_bisection_gbps(summary))))
    for role, used in summary.ports_used_max_by_role.items():
        have = summary.ports_available_by_role.get(role)
        rows.append((f"ports used {role}", f"{used:,}" + (f" of {have:,}" if have else "")))
    return tuple(rows)


def scenario_text(found: Nearest, checked: CountsChecked) -> str:
    """A scenario that builds the counts."""
    counts, claims, shape = found.counts, checked.claims, checked.shape
    topology = _topology(found, claims, shape)
    nic = _gbps(shape.host.gbps)
    per_host = counts["nics_per_host"] * counts["nic_ports"]
    is_rail = topology["kind"] == "rail-optimised"
    gpus = counts["gpus_per_host"] if _GPUS & set(claims.keys) else 0
    node: dict[str, Any] = {"group": "gpu" if gpus else "hosts", "count": counts["hosts"], "gpus": gpus, "nics": {
        "main": {"count": per_host, "speed": nic, **({"rail": "per-gpu"} if is_rail else {})}}}  # fmt: skip
    data = {
        "version": 1, "name": claims.name, "nodes": [node], "fabrics": {"main": {"topology": topology}},
        "workloads": [{"id": "uniform", "kind": "all-to-all", "fabric": "main", "size": "1 GB"}],
    }  # fmt: skip
    head = f"# The fabric next to the counts of {claims.name} that can be built, as fabric review found it.\n"
    return head + yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=110)


def _topology(found: Nearest, claims: Claims, shape: Shape) -> dict[str, Any]:
    counts = found.counts
    if found.tiers == 1:
        return {"kind": "single-switch", "switch": _switch(counts, claims, shape, "leaf")}
    leaf, spine = _switch(counts, claims, shape, "leaf"), _switch(counts, claims, shape, "spine")
    up = _gbps(shape.leaf.gbps)
    if found.tiers == 2 and claims.words.get("kind") == "rail-optimised" and _is_unbroken(claims, shape):
        return {
            "kind": "rail-optimised", "nodes_per_unit": counts["host_ports"],
            "units": counts["leaves"] // counts["nics_per_host"], "rails": counts["nics_per_host"],
            "leaf": {**leaf, "up": counts["uplinks"]}, "spine": {**spine, "count": counts["spines"]},
        }  # fmt: skip
    down = {"down": counts["host_ports"]}
    port, host = port_speed(claims, "leaf"), shape.host
    if port.gbps is not None and host.gbps is not None and port.gbps > host.gbps:
        ways = int(port.gbps // host.gbps)
        down = {"down_ports": -(-counts["host_ports"] // ways), "down_breakout": f"{ways}x{_number(host.gbps)}"}  # type: ignore[dict-item]
    if found.tiers == 2:
        return {
            "kind": "leaf-spine", "host_speed": _gbps(shape.host.gbps), "uplink_speed": up,
            "leaf": {**leaf, "count": counts["leaves"], **down, "up": counts["uplinks"]},
            "spine": {**spine, "count": counts["spines"]},
        }  # fmt: skip
    core = _switch(counts, claims, shape, "core")
    return {
        "kind": "clos", "tiers": 3, "pods": counts["pods"], "leaves_per_pod": counts["leaves_per_pod"],
        "spines_per_pod": counts["spines_per_pod"], "cores": counts["cores"], "hosts_per_leaf": counts["host_ports"],
        "uplinks": {"leaf": counts["uplinks"], "spine": counts["spine_uplinks"]},
        "planes": gcd(counts["spines_per_pod"], counts["cores"]),
        "leaf": leaf, "spine": spine, "core": core,
        "speeds": {"host": _gbps(shape.host.gbps), "leaf": up, "spine": _gbps(shape.spine.gbps)},
    }  # fmt: skip


def _is_unbroken(claims: Claims, shape: Shape) -> bool:
    port = port_speed(claims, "leaf").gbps
    return port is None or port == shape.host.gbps


def _switch(counts: dict[str, int], claims: Claims, shape: Shape, role: str) -> dict[str, Any]:
    """Model of a switch, or its ports and their speed."""
    row, _ = model_of(claims, role)
    if row is not None:
        return {"model": row.model}
    port = port_speed(claims, role).gbps
    links = {"leaf": (shape.host, shape.leaf), "spine": (shape.leaf, shape.spine), "core": (shape.spine,)}[role]
    speeds = [each.gbps or _DEFAULT_GBPS for each in links]
    return {"radix": counts[f"{role}_radix"], "speed": _gbps(port or max(speeds))}


def _gbps(gbps: Fraction | None) -> str:
    return precise_gbps(float(gbps or _DEFAULT_GBPS))


def _number(gbps: Fraction) -> str:
    return f"{gbps.numerator}" if gbps.denominator == 1 else f"{float(gbps):g}"
