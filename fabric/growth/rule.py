"""How fabrics of a kind grow: which topologies could be the next stage, and which keep room for the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from topologies.hosts import HostGroup
from topologies.plugin_folder import PluginFolder
from topologies.topology import Topology

Keys = Mapping[str, Any]  # the ``topology:`` of a scenario as plain YAML values


@dataclass(frozen=True, eq=False)
class BuiltFabric:
    """A fabric as it is written and as it is built, with its hosts."""

    keys: Keys
    topology: Topology
    hosts: tuple[HostGroup, ...]

    def switches(self, level: int) -> int:
        """Switches so many tiers above the hosts."""
        return int((self.topology.is_switch & (self.topology.nodes.level == level)).sum())

    @cached_property
    def tiers(self) -> int:
        """Tiers of switches."""
        levels = self.topology.nodes.level[self.topology.is_switch]
        return int(levels.max(initial=0))

    def uplinks(self, level: int) -> int:
        """Cables up from the switch of a level that has the most."""
        links, nodes = self.topology.links, self.topology.nodes
        rising = (self.topology.direction > 0) & (nodes.level[links.src] == level)
        return int(np.bincount(links.src[rising], minlength=1).max())

    def radix(self, level: int) -> int:
        """Ports of the switches of a level, broken out; 0 where nothing says."""
        mine = self.topology.is_switch & (self.topology.nodes.level == level)
        return int(self.topology.nodes.radix[mine].max(initial=0))

    def pods(self, level: int = 1) -> int:
        """Pods that the switches of a level are in; 1 where there are none."""
        mine = self.topology.is_switch & (self.topology.nodes.level == level)
        pod = self.topology.nodes.pod[mine]
        return max(len(np.unique(pod[pod >= 0])), 1)

    def planes(self, level: int) -> int:
        """Planes of the switches of a level; 1 where there are none."""
        mine = self.topology.is_switch & (self.topology.nodes.level == level)
        plane = self.topology.nodes.plane[mine]
        return max(len(np.unique(plane[plane >= 0])), 1)


@dataclass(frozen=True)
class GrowthRule:
    """How a kind of topology grows.

    Attributes
    ----------
    larger : callable
        Topologies that might take more hosts, given the fabric that stands; those that keep most of it first. What
        cannot be built is passed over.
    with_room : callable, optional
        The last stage's fabric with fewer hosts, its upper tiers kept, so that later ones are only plugged in; None
        where the kind cannot be built so.
    why_not : str
        Why it grows no further than ``larger`` says, and what does.
    """

    larger: Callable[[BuiltFabric, Sequence[HostGroup]], Iterator[Keys]]
    with_room: Callable[[BuiltFabric, Sequence[HostGroup]], Keys | None] | None
    why_not: str = ""


RULES = PluginFolder("growth rule", "fabric.growth.kinds", "RULE", GrowthRule)


def without(keys: Keys, *names: str) -> dict[str, Any]:
    """Keys less some."""
    return {name: value for name, value in keys.items() if name not in names}


def nested(keys: Keys, name: str, **values: Any) -> dict[str, Any]:
    """Keys with some inside one of them set; those that are None are left out."""
    inner = {**(keys.get(name) or {}), **values}
    return {**keys, name: {key: value for key, value in inner.items() if value is not None}}
