"""Leaf-spine: every leaf has the same number of cables to every spine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from fabric.design.counted import CableCount, Counted, SwitchCount
from fabric.design.family import Family, Formulation, LinkTerm, SwitchTerm, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue, SwitchModel
from topologies.link_kits import LinkEnd

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel

SUMMARY = "Two tiers: leaves, and spines that every leaf is cabled to."
ORDER = 10


def _variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    rows = [catalogue.switches[name] for name in sorted(catalogue.switches)]
    for leaf in rows:
        for spine in rows:
            if need.max_tiers >= 2 and leaf.speed == spine.speed == need.nic_gbps and 1 in need.nic_ports:
                name = f"leaf-spine {leaf.model} {spine.model}"
                yield Variant("leaf-spine", name, (leaf.model, spine.model), _formulate(need, leaf, spine))


def _formulate(need: FabricNeed, leaf: SwitchModel, spine: SwitchModel) -> Callable[[CpModel], Formulation | None]:
    def formulate(model: CpModel) -> Formulation | None:
        hosts = leaf.ports // need.nics
        if not hosts or "leaf" in need.single_failures:
            return None
        leaves = model.new_int_var(max(-(-need.hosts // hosts), 2), need.hosts, "leaves")
        down = model.new_int_var(1, hosts, "hosts per leaf")
        up = model.new_int_var(1, leaf.ports, "uplinks of a leaf")
        spines = model.new_int_var(1, leaf.ports, "spines")
        parallel = model.new_int_var(1, leaf.ports, "cables to a spine")
        room = model.new_int_var(need.hosts, need.hosts * hosts, "room")
        uplinks = model.new_int_var(1, need.hosts * leaf.ports, "uplinks")
        used = model.new_int_var(1, spine.ports, "ports of a spine")
        model.add_multiplication_equality(room, [leaves, down])
        model.add_multiplication_equality(up, [spines, parallel])
        model.add_multiplication_equality(uplinks, [leaves, up])
        model.add_multiplication_equality(used, [leaves, parallel])
        model.add(down * need.nics + up <= leaf.ports)
        if not math.isinf(need.oversubscription):
            model.add(down * need.nics * 1000 <= up * int(need.oversubscription * 1000))
        if "spine" in need.single_failures:
            model.add(spines >= 2)
        ends = (LinkEnd(leaf.ports_per_cage), LinkEnd(spine.ports_per_cage))
        return Formulation(
            (SwitchTerm("leaf", leaf.model, leaves), SwitchTerm("spine", spine.model, spines)),
            (
                LinkTerm("host-leaf", need.endpoints, need.nic_gbps, LinkEnd(), ends[0], "host"),
                LinkTerm("leaf-spine", uplinks, leaf.speed, *ends, "upper"),
            ),
            (leaves, down, up, spines),
            lambda value: _read(need, leaf, spine, value(leaves), value(down), value(up), value(spines)),
        )

    return formulate


def _read(need: FabricNeed, leaf: SwitchModel, spine: SwitchModel, *counts: Any) -> Counted:
    leaves, down, up, spines = counts
    ends = (LinkEnd(leaf.ports_per_cage), LinkEnd(spine.ports_per_cage))
    return Counted(
        "leaf-spine",
        {
            "kind": "leaf-spine",
            "leaf": {"count": leaves, "model": leaf.model, "down": down * need.nics, "up": up},
            "spine": {"count": spines, "model": spine.model},
        },
        1,
        (
            SwitchCount("leaf", leaf.model, leaves, down * need.nics + up),
            SwitchCount("spine", spine.model, spines, leaves * up // spines),
        ),
        (
            CableCount("host-leaf", need.endpoints, need.nic_gbps, LinkEnd(), ends[0], "host"),
            CableCount("leaf-spine", leaves * up, leaf.speed, *ends, "upper"),
        ),
        {"leaf": down * need.nics / up},
    )


def _most(need: FabricNeed, catalogue: Catalogue) -> int | None:
    radix = [row.ports for row in catalogue.switches.values() if row.speed == need.nic_gbps]
    return max((ports * ports // 2 for ports in radix), default=0)


FAMILY = Family("leaf-spine", _variants, _most)
