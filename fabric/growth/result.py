"""What growth comes to: every stage with what is bought, what is touched, in which order, and what is left meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabric.growth.bought import Purchase
from fabric.growth.live import LiveWork
from fabric.growth.rewiring import Rewiring
from fabric.result import RouteResult
from fabric.scenario.load import LoadedScenario
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class FabricGrowth:
    """One fabric from the stage before to a stage."""

    rewiring: Rewiring
    work: LiveWork


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage; the first is what stands, or is bought first.

    Attributes
    ----------
    floor : float
        Least part of the capacity that is to be left during the work before it; 1 for the first stage.
    growth : mapping
        By fabric, from the stage before; empty for the first.
    purchase : Purchase
        What is bought for it.
    routed : RouteResult, optional
        Its jobs on its fabrics; None where the scenario sends nothing.
    """

    number: int
    size: int
    scenario: LoadedScenario
    topologies: Mapping[str, Topology]
    floor: float
    growth: Mapping[str, FabricGrowth]
    purchase: Purchase
    routed: RouteResult | None

    @property
    def nodes(self) -> int:
        """Nodes of all groups."""
        return sum(node.count for node in self.scenario.scenario.nodes)

    def count(self, what: str) -> int:
        """Cables of all fabrics: kept, moved, removed or added."""
        if not self.growth and what == "added":
            return sum(int(topology.is_cable.sum()) for topology in self.topologies.values())
        return sum(len(getattr(one.rewiring, what)) for one in self.growth.values())

    @property
    def touched(self) -> int:
        """Cables in use that are unplugged."""
        return sum(one.rewiring.touched for one in self.growth.values())

    @property
    def least_touched(self) -> int:
        """What no re-wiring to these fabrics is below."""
        return sum(one.rewiring.least_touched for one in self.growth.values())

    @property
    def switch_cables(self) -> int:
        """Cables between switches."""
        return sum(one.rewiring.switch_cables for one in self.growth.values())

    @property
    def touched_part(self) -> float:
        """Touched cables over all between switches."""
        return self.touched / self.switch_cables if self.switch_cables else 0.0

    @property
    def least_capacity(self) -> float:
        """Lowest part of the capacity that is left in any state of the work, on the fabric that loses most."""
        return min((one.work.least_capacity for one in self.growth.values()), default=1.0)

    @property
    def floor_kept(self) -> bool:
        """Whether no state is below the floor."""
        return self.least_capacity >= self.floor - 1e-9

    @property
    def states(self) -> int:
        """States of the fabrics that were built and routed on the way to it."""
        return sum(one.work.states for one in self.growth.values())


@dataclass(frozen=True, eq=False)
class GrowthResult:
    """All stages, and what the other way of growing would cost.

    Attributes
    ----------
    unit : str
        What sizes count: GPUs or nodes.
    reserve : bool
        Whether ports are reserved for the last stage.
    built : bool
        Whether the first stage stands already.
    other : sequence of Purchase
        What the other way would buy at every stage, re-wiring in place of a reserve or a reserve in place of it; empty
        where there is none.
    other_touched : tuple of int
        Cables that the other way would touch.
    """

    loaded: LoadedScenario
    stages: tuple[Stage, ...]
    unit: str
    reserve: bool
    built: bool
    other: tuple[Purchase, ...] = ()
    other_touched: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def floor_kept(self) -> bool:
        """Whether every stage's work keeps its floor."""
        return all(stage.floor_kept for stage in self.stages)

    @property
    def limits_ok(self) -> bool:
        """Whether no limit is missed in any stage."""
        return all(stage.routed is None or stage.routed.limits_ok for stage in self.stages)
