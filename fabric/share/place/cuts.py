"""Cuts around the groups of hosts of every fabric: what leaves a group cannot pass its links to the rest.

A cut is a set of nodes; any set gives a valid limit. Around a group of hosts it has their NICs, and every switch all of
whose neighbours below are in the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.pipeline.host_parts import HostsOfFabric
from fabric.pipeline.network import Network
from fabric.share.schedulers.switch_tree import SwitchTree, switch_tree
from topologies.columns import Floats, Ints, column
from topologies.topology import Topology
from traffic.demands import Flows


@dataclass(frozen=True, eq=False)
class LevelCut:
    """The groups of one level as cuts of a fabric."""

    of_node: Ints  # shape (N,), group of every node, -1 outside
    out_gbps: Floats  # shape (G,), over the links that leave each group
    in_gbps: Floats

    def crossing(self, flows: Flows) -> tuple[Floats, Floats]:
        """What leaves and what enters every group, in the unit of the flows, shape (G,) each."""
        groups = len(self.out_gbps)
        src, dst = self.of_node[flows.src], self.of_node[flows.dst]
        apart = src != dst
        leaves = np.bincount(src[apart & (src >= 0)], flows.amount[apart & (src >= 0)], groups)
        enters = np.bincount(dst[apart & (dst >= 0)], flows.amount[apart & (dst >= 0)], groups)
        for block in flows.blocks:
            member = self.of_node[block.members]
            inside = np.bincount(member[member >= 0], minlength=groups)
            both = block.amount * inside * (len(block.members) - inside)
            leaves, enters = leaves + both, enters + both
        return column(leaves, np.float64), column(enters, np.float64)

    def time_s(self, flows: Flows, efficiency: float) -> float:
        """The least time in which so many bytes cross, infinite where nothing leads out."""
        worst = 0.0
        for amount, gbps in zip(self.crossing(flows), (self.out_gbps, self.in_gbps), strict=True):
            used = amount > 0
            if used.any():
                with np.errstate(divide="ignore"):
                    worst = max(worst, float((amount[used] * 8 / (gbps[used] * 1e9 * efficiency)).max()))
        return worst


def fabric_cuts(network: Network) -> dict[str, tuple[LevelCut, ...]]:
    """Cuts of every fabric, level by level, lowest first; levels of one group alone are left out."""
    found = {}
    for fabric, topology in network.topologies.items():
        tree = switch_tree(network.inventory, fabric)
        ends = HostsOfFabric(fabric, network.inventory).nodes
        found[fabric] = tuple(
            _cut(topology, _labels(topology, tree, level, ends.values()), len(tree.levels[level]))
            for level in range(len(tree.levels))
            if len(tree.levels[level]) > 1
        )
    return found


def _labels(topology: Topology, tree: SwitchTree, level: int, ends: Iterable[Sequence[int]]) -> Ints:
    """Group of every node, -1 for switches that groups share."""
    label = np.full(len(topology.nodes), -1, dtype=np.int64)
    for group, nodes in zip(tree.group_at[level].tolist(), ends, strict=True):
        label[list(nodes)] = group
    links, height = topology.links, topology.nodes.level
    up = (height[links.src] < height[links.dst]) & topology.is_switch[links.dst]
    for step in np.unique(height[topology.is_switch]).tolist():
        below = np.flatnonzero(up & (height[links.dst] == step))
        most = np.full(len(label), -2, dtype=np.int64)
        least = np.full(len(label), np.iinfo(np.int64).max, dtype=np.int64)
        np.maximum.at(most, links.dst[below], label[links.src[below]])
        np.minimum.at(least, links.dst[below], label[links.src[below]])
        same = (most == least) & (most >= 0)
        label[same] = most[same]
    return column(label, np.int32)


def _cut(topology: Topology, label: Ints, groups: int) -> LevelCut:
    src, dst = label[topology.links.src], label[topology.links.dst]
    leaves, enters = (src != dst) & (src >= 0), (src != dst) & (dst >= 0)
    capacity = topology.capacity_gbps
    return LevelCut(
        label,
        column(np.bincount(src[leaves], capacity[leaves], groups), np.float64),
        column(np.bincount(dst[enters], capacity[enters], groups), np.float64),
    )
