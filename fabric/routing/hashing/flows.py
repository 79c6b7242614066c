"""The flows of a phase: every class, pair and queue pair, sorted by where they leave the graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.routing.graph import RoutingGraph
from fabric.routing.hashing.headers import Hashes, hashed
from fabric.routing.router import PairTraffic
from topologies.budget import Counts, check_memory
from topologies.columns import Floats, Ints, concatenate
from topologies.errors import RoutingError

MOST_FLOWS = 50_000_000  # 32 bytes each; more are hashed a stretch at a time
FLOW_BYTES = 100  # of a flow while flows are gathered and sorted
MOST_FLOWS_REPLICATED = 5_000_000  # with replicas the paths of all flows are kept at once
MOST_PIECES = 8  # of a flow in flowlets that are walked one by one
MOST_FLOW_DRAWS = 2_000_000_000  # flows x replicas, an hour or so on two cores


@dataclass(frozen=True, eq=False)
class FlowTable:
    """One row per flow; those that leave at graph node ``dest[d]`` are ``start[d]:start[d + 1]``.

    Flows between endpoints of one switch are among them, with ``src`` equal to their destination: they load access
    links only.
    """

    dest: Ints  # shape (D,)
    start: Ints  # shape (D + 1,)
    src: Ints  # shape (F,), graph node where the flow enters
    src_endpoint: Ints  # topology nodes
    dst_endpoint: Ints
    code: Ints  # traffic class
    gbps: Floats  # offered
    name: Hashes  # of class, pair and queue pair

    @property
    def flows(self) -> int:
        """Number of flows."""
        return len(self.src)

    @property
    def dest_of_flow(self) -> Ints:
        """Graph node where every flow leaves, shape (F,)."""
        return np.repeat(self.dest, np.diff(self.start))

    @staticmethod
    def of(graph: RoutingGraph, pairs: Sequence[PairTraffic], replicas: int = 1) -> FlowTable:
        """Write out all flows; FP5002 when they are too many to hash."""
        _check(sum(pair.flows.pairs * pair.flows_per_pair for pair in pairs), replicas)
        parts = [_class_rows(graph, number, pair) for number, pair in enumerate(pairs)]
        src, dst = (
            concatenate([part[0] for part in parts], np.int32),
            concatenate([part[1] for part in parts], np.int32),
        )
        sinks = graph.sink[dst]
        order = np.argsort(sinks, kind="stable")
        dest, first = np.unique(sinks[order], return_index=True)
        return FlowTable(
            dest=dest,
            start=np.append(first, len(sinks)).astype(np.int32),
            src=graph.source[src[order]],
            src_endpoint=src[order],
            dst_endpoint=dst[order],
            code=np.repeat(np.arange(len(parts), dtype=np.int32), [len(part[0]) for part in parts])[order],
            gbps=concatenate([part[2] for part in parts], np.float64)[order],
            name=concatenate([part[3] for part in parts], np.uint64)[order],
        )


def _check(flows: int, replicas: int) -> None:
    if flows > MOST_FLOWS or (replicas > 1 and flows > MOST_FLOWS_REPLICATED):
        most = f"{MOST_FLOWS:,}" if flows > MOST_FLOWS else f"with replicas {MOST_FLOWS_REPLICATED:,}"
        raise RoutingError(
            f"{flows:,} flows to hash; {most} are the most",
            hint="router ecmp gives the average over many flows at once",
            code="FP5002",
        )
    size = flows * FLOW_BYTES
    check_memory(
        Counts([("flows", flows)], size, flows),
        "flows hashed one by one",
        error=RoutingError,
        code="FP5002",
        smaller="router ecmp gives the average over many flows at once",
    )
    check_draws(flows, replicas)


def check_draws(flows: int, replicas: int) -> None:
    """Refuse so many draws of so many flows as would take hours, FP5002."""
    if flows > MOST_FLOW_DRAWS:
        raise RoutingError(
            f"{flows:,} flows to hash; {MOST_FLOW_DRAWS:,} are the most",
            hint="router ecmp gives the average over many flows at once",
            code="FP5002",
        )
    if flows * replicas > MOST_FLOW_DRAWS:
        raise RoutingError(
            f"{replicas:,} replicas of {flows:,} flows to hash; {MOST_FLOW_DRAWS:,} are the most in all",
            where="routing.hash.replicas",
            hint=f"{MOST_FLOW_DRAWS // flows:,} replicas fit",
            code="FP5002",
        )


def _class_rows(graph: RoutingGraph, number: int, pair: PairTraffic) -> tuple[Ints, Ints, Floats, Hashes]:
    """Flows of one class: both endpoints, Gbps and name; a pair's traffic is spread evenly over its queue pairs."""
    src, dst, amount = pair.flows.rows()
    keep = (graph.source[src] >= 0) & (graph.sink[dst] >= 0) & (amount > 0)
    src, dst, amount = src[keep], dst[keep], amount[keep]
    name = hashed(hashed(src.astype(np.uint64)) ^ dst.astype(np.uint64))
    numbers = np.uint64(number) << np.uint64(32) | np.arange(pair.flows_per_pair, dtype=np.uint64)
    names = hashed(name[None, :] ^ hashed(numbers)[:, None]).ravel()
    each = amount * pair.gbps_per_unit / pair.flows_per_pair
    again = pair.flows_per_pair
    return np.tile(src, again), np.tile(dst, again), np.tile(each, again), names
