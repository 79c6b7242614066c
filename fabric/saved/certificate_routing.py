"""How a routing is written into a certificate: by what the checker can walk again, else as loads alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fabric.certificate_check.columns import EQUAL_SPLITS
from fabric.result import Routed
from fabric.routing.router import FlowPaths, Splits, traits_of

Columns = dict[str, NDArray[Any]]
_SAME = 1e-9  # relative; two ways to the same loads


def routing_columns(router: str, routed: Routed) -> tuple[str, Columns]:
    """Kind of a routing in the manifest, and its columns.

    Equal splits are recomputed by the checker, where they are what was routed. What is neither splits, paths nor
    switches to turn at is taken apart by destination; where that has too many rows, loads are all there is.
    """
    routing, demand = routed.routing, routed.demand
    if routing.splits is not None:
        return "splits", _splits(routing.splits, routed)
    if routing.paths is not None:
        return "paths", _paths(routing.paths)
    if routing.via is not None:
        return "via", {"via_point": routing.via}
    if _is_equal(router, routed):
        return EQUAL_SPLITS, {}
    flows = None if routing.flows is None else routing.flows()
    if flows is None:
        return "loads", {"load_gbps": routing.edge_gbps.sum(axis=1)}
    return "flows", {
        "flows_point": demand.dest,
        "flows_start": flows.start,
        "flows_edge": flows.edge,
        "flows_gbps": flows.gbps,
    }


def _splits(splits: Splits, routed: Routed) -> Columns:
    return {
        "splits_point": routed.demand.dest,
        "splits_start": splits.start,
        "splits_edge": splits.edge,
        "splits_part": splits.fraction,
    }


def _paths(paths: FlowPaths) -> Columns:
    return {
        "paths_src": paths.src,
        "paths_dst": paths.dst,
        "paths_gbps": paths.gbps,
        "paths_start": paths.start,
        "paths_edge": paths.edge,
    }


def _is_equal(router: str, routed: Routed) -> bool:
    """Whether loads are those of equal splits over shortest paths, by the router's rule or as it happens."""
    traits = traits_of(router)
    if traits.rule == "equal" and traits.follows_rule and not traits.takes_objective:
        return True
    from fabric.routing.equal_split import ecmp_loads

    equal, _ = ecmp_loads(routed.graph, routed.demand)
    ours, theirs = routed.routing.edge_gbps.sum(axis=1), equal.sum(axis=1)
    return bool(np.allclose(ours, theirs, rtol=_SAME, atol=_SAME * theirs.max(initial=0.0)))
