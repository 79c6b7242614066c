"""Phases that offer the network the same: routed once, for both.

A phase is stretched until its busiest endpoint sends at line rate, so that two collectives over the same ranks offer
the same rates however many bytes each moves. Reduce-scatter of gradients in fp32 and all-gather of parameters in bf16
are such: half the bytes in half the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import frexp

import numpy as np

from fabric.evaluation.phases import PreparedPhase
from fabric.result import PhaseRoute, Routed
from fabric.routing.router import PairTraffic, RoutingOptions
from traffic.demands import Flows, TrafficClass


def is_routed_alike(prepared: PreparedPhase, route: PhaseRoute) -> bool:
    """Whether a routed phase of the same fabric, by the same router and options, has this one's loads to the last bit.

    Classes are held against each other in their order, by all but their names. Bytes of one class may be those of the
    other times a power of two, with the rate of a byte divided by it: then products and sums of both are the same.
    """
    routed = route.routed
    if routed is None or route.partial or prepared.graph.topology is not route.topology:
        return False
    return (
        list(prepared.window_s) == list(route.window_s)
        and _are_classes_alike(prepared.classes, route.classes)
        and len(prepared.pairs) == len(routed.pairs)
        and all(_are_pairs_alike(*both) for both in zip(prepared.pairs, routed.pairs, strict=True))
        and all(
            np.array_equal(getattr(prepared.demand, name), getattr(routed.demand, name))
            for name in ("dest", "start", "src", "gbps", "sent_gbps", "received_gbps")
        )
        and prepared.lost.pairs == route.unreachable_pairs == 0
    )


def taken_over(prepared: PreparedPhase, route: PhaseRoute, options: RoutingOptions) -> PhaseRoute:
    """The answer of a phase that is routed alike, as that of this one."""
    assert route.routed is not None
    return replace(
        route,
        phase=prepared.phase,
        classes=prepared.classes,
        window_s=prepared.window_s,
        way_s=prepared.way_s,
        solve_time_s=0.0,
        routed=Routed(
            prepared.graph,
            prepared.demand,
            prepared.pairs,
            route.routed.routing,
            replace(options, seed=route.routed.options.seed),
        ),
    )


def _are_classes_alike(one: Sequence[TrafficClass], other: Sequence[TrafficClass]) -> bool:
    """Whether classes are of the same jobs and kinds, in the same order."""
    return [(entry.job, entry.steady, entry.flows_per_pair) for entry in one] == [
        (entry.job, entry.steady, entry.flows_per_pair) for entry in other
    ]


def _are_pairs_alike(one: PairTraffic, other: PairTraffic) -> bool:
    """Whether the pairs of two classes offer the same rates, however products of them are formed."""
    if not one.gbps_per_unit or not other.gbps_per_unit:
        return one.gbps_per_unit == other.gbps_per_unit and _are_flows_alike(one.flows, other.flows, 1.0)
    factor = other.gbps_per_unit / one.gbps_per_unit
    exact = frexp(factor)[0] == 0.5 and one.gbps_per_unit * factor == other.gbps_per_unit
    return exact and _are_flows_alike(one.flows, other.flows, factor)


def _are_flows_alike(one: Flows, other: Flows, factor: float) -> bool:
    """Whether flows have the same ends, and ``one`` is ``factor`` times as many bytes."""
    return (
        np.array_equal(one.src, other.src)
        and np.array_equal(one.dst, other.dst)
        and np.array_equal(one.amount, other.amount * factor)
        and len(one.blocks) == len(other.blocks)
        and all(
            mine.amount == theirs.amount * factor and np.array_equal(mine.members, theirs.members)
            for mine, theirs in zip(one.blocks, other.blocks, strict=True)
        )
    )
