"""What a certificate file holds, as frozen columns. ``docs/certificate.md`` explains every one of them.

A **point** is where traffic of endpoints enters or leaves the part of the network that has a choice: a switch, or a set
of multi-homed endpoints that exchange equal amounts, once for what they send and once for what they receive. An
**edge** is a link between two switches, or the links of all members of such a set that play the same part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SCHEMA = "fabric-planner/certificate"
VERSION = 1
EQUAL_SPLITS = "ecmp"  # a routing that is no column: the checker makes it
ROUTINGS = (EQUAL_SPLITS, "splits", "paths", "none", "via", "flows", "loads")
PROOFS = ("prices", "access", "none")
MIN_MAX, MAX_THROUGHPUT, MAX_MIN_FAIR, MIN_COST = "min-max-utilisation", "max-throughput", "max-min-fair", "min-cost"
ADMITTING = (MAX_THROUGHPUT, MAX_MIN_FAIR)  # objectives that may admit a part of a demand


@dataclass(frozen=True, eq=False)
class FabricColumns:
    """One network: nodes and directed links."""

    name: str
    node_name: NDArray[np.str_]  # shape (N,)
    node_forwards: Bools  # shape (N,), whether traffic of others may cross the node
    link_src: Ints  # shape (L,), nodes
    link_dst: Ints
    link_capacity_gbps: Floats  # when up
    link_weight: Floats
    link_up: Bools
    node_level: Ints | None = None  # shape (N,), height of switches; None in files that do not say

    @cached_property
    def capacity_gbps(self) -> Floats:
        """Capacity that is there, shape (L,): 0 on links that are down."""
        return np.where(self.link_up, self.link_capacity_gbps, 0.0)

    def link_name(self, link: int) -> str:
        """``leaf3 -> spine1``, with the row of the link where several run in parallel."""
        src, dst = int(self.link_src[link]), int(self.link_dst[link])
        parallel = int(((self.link_src == src) & (self.link_dst == dst)).sum())
        return f"{self.node_name[src]} -> {self.node_name[dst]}" + (f" (link {link})" if parallel > 1 else "")


@dataclass(frozen=True, eq=False)
class DemandColumns:
    """Who sends how much to whom: rows, and blocks in which every member sends to every other."""

    src: Ints  # shape (R,), nodes
    dst: Ints
    gbps: Floats
    block_start: Ints  # shape (B + 1,)
    block_member: Ints  # nodes
    block_gbps: Floats  # shape (B,), per ordered pair of members

    @property
    def offered_gbps(self) -> float:
        """Sum over all pairs."""
        members = np.diff(self.block_start)
        return float(self.gbps.sum() + (members * (members - 1) * self.block_gbps).sum())


@dataclass(frozen=True, eq=False)
class ServedColumns:
    """Pairs of points of which only a part of the demand is admitted; all others are served whole."""

    src: Ints  # shape (S,), points
    dst: Ints
    part: Floats  # 0..1
    stage: Ints  # of max-min-fair: stage that stopped it, -1: none


@dataclass(frozen=True, eq=False)
class StageColumns:
    """Prices of every stage of a max-min fair filling, in order of level; edges that are not listed have none."""

    start: Ints  # shape (stages + 1,)
    edge: Ints
    price: Floats

    def of(self, stage: int, edges: int) -> Floats:
        """Prices of all edges in a stage, shape (E,)."""
        price, rows = np.zeros(edges), slice(int(self.start[stage]), int(self.start[stage + 1]))
        price[self.edge[rows]] = self.price[rows]
        return price


@dataclass(frozen=True, eq=False)
class SplitColumns:
    """Per destination point: edges, and the part of what their source sends on that each takes."""

    point: Ints  # shape (D,)
    start: Ints  # shape (D + 1,)
    edge: Ints
    part: Floats


@dataclass(frozen=True, eq=False)
class PathColumns:
    """Paths with what they carry."""

    src: Ints  # shape (P,), points
    dst: Ints
    gbps: Floats
    start: Ints  # shape (P + 1,)
    edge: Ints


@dataclass(frozen=True, eq=False)
class FlowColumns:
    """Per destination point: edges, and the Gbps to it that each carries."""

    point: Ints  # shape (D,)
    start: Ints  # shape (D + 1,)
    edge: Ints
    gbps: Floats


@dataclass(frozen=True, eq=False)
class AllowedColumns:
    """The only paths that a pair of points may use (path policy k-shortest)."""

    most: int  # k
    src: Ints  # shape (P,), points
    dst: Ints
    start: Ints  # shape (P + 1,)
    edge: Ints


@dataclass(frozen=True, eq=False)
class ObjectiveColumns:
    """What is claimed of an objective other than least utilisation, and the prices that bound it."""

    figure: str  # what the value is of, in words
    unit: str
    value: float
    bound: float
    most_utilisation: float | None  # of min-cost: what no edge may pass
    levels_gap: float | None  # of max-min-fair: how much more, relative, any entry could get at most
    price: Floats  # shape (E,)
    stages: StageColumns | None


@dataclass(frozen=True)
class Claims:
    """What is claimed of one phase."""

    max_utilisation: float | None  # None: load where there is no capacity
    lower_bound: float | None
    gap: float | None
    offered_gbps: float
    admitted_gbps: float | None = None  # None in files that do not say


@dataclass(frozen=True, eq=False)
class PhaseColumns:
    """One routed phase: demand, routing and proof."""

    fabric: FabricColumns
    phase: str
    router: str
    objective: str
    path_policy: str
    routing: str  # one of ROUTINGS
    proof: str  # one of PROOFS
    claims: Claims
    witness: str
    pairs_left_out: int
    send_point: Ints  # shape (N,), -1: sends nothing into the network
    receive_point: Ints
    link_edge: Ints  # shape (L,), -1: no part of the choice
    demand: DemandColumns
    served: ServedColumns | None = None
    usable_part: Floats | None = None  # shape (E,), of the capacity that this routing can fill; None: all of it
    price: Floats | None = None  # shape (E,)
    splits: SplitColumns | None = None
    paths: PathColumns | None = None
    flows: FlowColumns | None = None
    via: Ints | None = None  # switches, one of which all traffic turns at
    load_gbps: Floats | None = None  # shape (E,), of routings too large to write
    allowed: AllowedColumns | None = None
    proven: ObjectiveColumns | None = None


@dataclass(frozen=True)
class WhatIf:
    """What the command line took down or changed besides; nothing in files that do not say."""

    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    scale: float = 1.0  # of all demand


@dataclass(frozen=True, eq=False)
class CertificateFile:
    """A certificate file, read and well-formed; whether it is true is another question."""

    scenario: str
    sha256: str
    seed: int
    tool_version: str
    overrides: tuple[str, ...]  # of the scenario, as --set takes them
    what_if: WhatIf
    phases: tuple[PhaseColumns, ...]
