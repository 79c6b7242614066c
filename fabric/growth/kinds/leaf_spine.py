"""Two tiers: more leaves; more spines once theirs are full; a third tier once a leaf has a cable to each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fabric.growth.rule import BuiltFabric, GrowthRule, Keys, nested, without
from topologies.divisors import divisors
from topologies.hosts import HostGroup

SUMMARY = "more leaves; more spines when theirs are full, which re-wires; then a third tier (clos)"

_SWITCH = ("model", "radix", "speed", "breakout", "ports_per_card")


def larger(present: BuiltFabric, _hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """As many leaves as the hosts need, with as many uplinks; spines that divide these, then a Clos of three tiers."""
    up, spines = present.uplinks(1), present.switches(2)
    keys = nested(without(present.keys, "leaves", "spines"), "leaf", count=None, up=up)
    for count in divisors(up):
        if count >= spines:
            yield nested(keys, "spine", count=count)
    if not present.keys.get("dual_home") and "down_breakout" not in keys["leaf"]:
        yield from _third_tier(present, up)


def with_room(last: BuiltFabric, _hosts: Sequence[HostGroup]) -> Keys:
    """Fewer leaves below all spines."""
    keys = nested(without(last.keys, "leaves", "spines"), "leaf", count=None, up=last.uplinks(1))
    return nested(keys, "spine", count=last.switches(2))


def _third_tier(present: BuiltFabric, up: int) -> Iterator[Keys]:
    """The same leaves and spines in pods, with cores of the spines' model."""
    leaf, spine = ({key: value for key, value in (present.keys.get(role) or {}).items() if key in _SWITCH}
                   for role in ("leaf", "spine"))  # fmt: skip
    slots = present.keys.get("hosts_per_leaf") or leaf_slots(present)
    keys: dict[str, Any] = {"kind": "clos", "tiers": 3, "leaf": leaf, "spine": spine, "core": dict(spine)}
    keys |= {"hosts_per_leaf": slots, "uplinks": {"leaf": up}}
    speeds = {"host": present.keys.get("host_speed"), "leaf": present.keys.get("uplink_speed")}
    if any(speeds.values()):
        keys["speeds"] = {name: value for name, value in speeds.items() if value}
    if present.keys.get("attach_order"):
        keys["attach_order"] = present.keys["attach_order"]
    ports = present.radix(2)
    if ports:  # pods as large as half the ports of a spine take, so that the fewest are touched
        for spines in divisors(up):
            leaves = ports // 2 // (up // spines)
            if leaves >= 1:
                yield {**keys, "spines_per_pod": spines, "leaves_per_pod": leaves}
    yield keys


def leaf_slots(present: BuiltFabric) -> int:
    """Host ports of a leaf: as written, or what its uplinks leave."""
    leaf = present.keys.get("leaf") or {}
    return int(leaf.get("down") or leaf.get("down_ports") or max(present.radix(1) - present.uplinks(1), 1))


RULE = GrowthRule(
    larger,
    with_room,
    "two tiers end where a leaf has one cable to every spine and the spines are full; a third tier needs a Clos, which "
    "takes no dual-homed groups and no breakout of host ports alone",
)
