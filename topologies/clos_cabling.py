"""Nodes and cables of a planned Clos: leaves, and every tier above them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from topologies.assemble import Assembler
from topologies.clos_counts import ClosPlan
from topologies.columns import Ints
from topologies.node_names import node_names


def add_leaves(
    net: Assembler, sizes: ClosPlan, radix: int, *, prefix: str = "", rail: int = -1
) -> tuple[Ints, list[str]]:
    """The leaves of a Clos and their names; pods are those of three tiers, zones of four."""
    names, places = _in_pods(sizes, "leaf", sizes.leaves_per_pod, prefix)
    return net.switches("leaf", names, level=1, radix=radix, rail=rail, **places), names


def add_upper_tiers(
    net: Assembler,
    sizes: ClosPlan,
    leaf: Ints,
    radix: int | Mapping[str, int],
    gbps: float | Mapping[str, float],
    *,
    prefix: str = "",
    rail: int = -1,
) -> None:
    """Spines, and above them super-spines and cores where there are more tiers.

    Parameters
    ----------
    radix, gbps : number, or number by role
        Ports of the switches; speed of the links up from the switches of a role, Gbps.
    """
    below = leaf
    for tier in range(2, sizes.tiers + 1):
        role, lower = sizes.roles[tier - 1], sizes.roles[tier - 2]
        names, places = _upper_names(sizes, tier, prefix)
        ports = radix if isinstance(radix, int) else radix[role]
        ids = net.switches(role, names, level=tier, radix=ports, rail=rail, **places)
        level, blocks = sizes.levels[tier - 2], sizes.blocks(tier)
        each = level.width // level.planes  # switches that one below reaches
        low = below.reshape(blocks, sizes.members[tier - 2], level.planes, -1, 1)
        high = ids.reshape(blocks, 1, level.planes, 1, each)
        shape = np.broadcast_shapes(low.shape, high.shape)
        net.cables(
            np.broadcast_to(low, shape).ravel(),
            np.broadcast_to(high, shape).ravel(),
            gbps[lower] if isinstance(gbps, Mapping) else gbps,
            parallel=level.parallel,
            tier=f"{lower}-{role}",
        )
        below = ids


def _upper_names(sizes: ClosPlan, tier: int, prefix: str) -> tuple[list[str], dict[str, Any]]:
    """Names of the switches of a tier above the leaves, and the containers they are in."""
    level = sizes.levels[tier - 2]
    if tier == 2:
        return _in_pods(sizes, "spine", level.width, prefix)
    zone, place = np.divmod(np.arange(sizes.blocks(tier) * level.width), level.width)
    plane, position = np.divmod(place, level.width // level.planes)
    places: dict[str, Any] = {"plane": plane} if tier == sizes.tiers else {"unit": zone, "plane": plane}
    return node_names(sizes.roles[tier - 1], position, prefix=prefix, **places), places


def _in_pods(sizes: ClosPlan, role: str, per_pod: int, prefix: str) -> tuple[list[str], dict[str, Any]]:
    """Names of leaves or spines, and their pods and zones; two tiers have no pods."""
    if sizes.tiers == 2:
        return node_names(role, np.arange(per_pod), prefix=prefix), {}
    pod, position = np.divmod(np.arange(sizes.blocks(2) * per_pod), per_pod)
    places: dict[str, Any] = {"pod": pod}
    if sizes.tiers == 4:
        places["unit"] = pod // sizes.members[1]
    return node_names(role, position, prefix=prefix, pod=pod), places
