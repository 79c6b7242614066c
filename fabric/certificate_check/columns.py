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
ROUTINGS = ("ecmp", "splits", "paths", "none")
PROOFS = ("prices", "access", "none")
MIN_MAX = "min-max-utilisation"


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


@dataclass(frozen=True)
class Claims:
    """What is claimed of one phase."""

    max_utilisation: float | None  # None: load where there is no capacity
    lower_bound: float | None
    gap: float | None
    offered_gbps: float


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


@dataclass(frozen=True, eq=False)
class CertificateFile:
    """A certificate file, read and well-formed; whether it is true is another question."""

    scenario: str
    sha256: str
    seed: int
    tool_version: str
    phases: tuple[PhaseColumns, ...]
