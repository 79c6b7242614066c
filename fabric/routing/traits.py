"""What a router says about itself where it registers; tables, answers, comparison and tests read this, not its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from topologies.columns import Ints
from topologies.topology import Topology

# How a switch divides what it sends on towards a destination over its shortest next hops; see ``shortest_splits``.
Rule = Literal["equal", "link-capacity", "downstream-capacity", "next-hop-count", "lowest"]
# What stays together: nothing (a fluid that divides perfectly), flows that switches hash, flows that a controller
# places one by one, or everything towards a destination.
Placement = Literal["fluid", "hashed", "placed", "one-path"]
# What a router's fullest link stands for where ``--router all`` says what the topology, uneven links and hashing cost.
Stage = Literal["optimum", "weights", "equal-split", "hashing"]

PERFECT_SPLIT = "if split perfectly"
_BASIS: dict[Placement, str] = {
    "fluid": PERFECT_SPLIT,
    "hashed": "whole flows, hashed",
    "placed": "whole flows, each on its own path",
    "one-path": "one path per destination",
}


@dataclass(frozen=True)
class RouterTraits:
    """What a router is.

    Attributes
    ----------
    placement : str
        What stays together on one path. A ``fluid`` divides perfectly, which no hash of flows reaches: its figures are
        bounds, and every answer says so.
    rule : str or None
        How every switch divides what it sends on, towards any destination. Loads of fluids and of single paths follow
        it unless the answer has splits or paths of its own; of flows placed one by one it is what tables do for all
        others.
    tables_from_splits : bool
        Tables follow the answer's own splits where it has some, and ``rule`` elsewhere.
    endpoint_ports : callable or None
        Next hop of every switch towards every endpoint, from the topology alone, for tables with a port per endpoint.
    not_programmable, way_out : str
        Why no table that looks at destinations carries this router, as the end of "router NAME ..."; what to do
        instead. Required of a router without ``rule`` and ``endpoint_ports``.
    ties : str or None
        What decides between equally good paths, or seeds the draw: the ``number`` of nodes, their ``name``, or nothing,
        so that another numbering of the same network has the same fullest link.
    compared : int or None
        Position in what ``--router all`` compares; None: only compared when named.
    stage : str or None
        What it stands for where that comparison divides a loss by its causes.
    suggested : int or None
        Position among changes tried on a congested fabric; None: not tried.
    slow : bool
        Routing a phase may take as long as the time limit allows, so it is not done unasked.
    takes_objective : bool
        Follows the scenario's objective and path policy.
    options : tuple of str
        Keys of ``routing`` that change its answer, beside objective and path policy; of other keys that a scenario or a
        command line gives it is said that they change nothing.
    takes_granularity : bool
        Follows ``routing.adaptive``: unless every packet is for itself, a hash decides.
    takes_base : bool
        Gives the loads of the scenario's own router, as something else carries them.
    mean_router : str
        Router of the mean over all draws of the hash, which stands for this one where a single draw says nothing, as in
        planned tables.
    """

    placement: Placement
    rule: Rule | None = None
    tables_from_splits: bool = False
    endpoint_ports: Callable[[Topology], Ints] | None = None
    not_programmable: str = ""
    way_out: str = ""
    ties: Literal["number", "name"] | None = None
    compared: int | None = None
    stage: Stage | None = None
    suggested: int | None = None
    slow: bool = False
    takes_objective: bool = False
    takes_granularity: bool = False
    takes_base: bool = False
    options: tuple[str, ...] = ()
    mean_router: str = ""

    def __post_init__(self) -> None:
        """Refuse traits that contradict each other, or leave out why tables cannot carry a router."""
        if self.programmable == bool(self.not_programmable and self.way_out):
            raise ValueError("a router has a rule or ports of endpoints, or says why no table carries it and a way out")
        if self.placement == "hashed" and not self.mean_router:
            raise ValueError("a router that hashes names the router of its mean")

    @property
    def programmable(self) -> bool:
        """Whether tables that look at destinations, and at single flows where it places them, carry this router."""
        return self.rule is not None or self.endpoint_ports is not None

    @property
    def is_bound(self) -> bool:
        """Whether its figures hold only if traffic divides perfectly."""
        return self.placement == "fluid"

    @property
    def single_flows(self) -> bool:
        """Whether it places whole flows one by one."""
        return self.placement in ("hashed", "placed")

    @property
    def follows_rule(self) -> bool:
        """Whether its loads, where the answer has no splits and no paths, are those of ``rule``."""
        return self.rule is not None and not self.single_flows

    @property
    def rule_alone(self) -> Rule | None:
        """The rule, where it is all that the tables of every switch do; else None."""
        own = self.tables_from_splits or self.placement == "placed" or self.endpoint_ports is not None
        return None if own else self.rule

    @property
    def basis(self) -> str:
        """What the figures rest on."""
        return _BASIS[self.placement]
