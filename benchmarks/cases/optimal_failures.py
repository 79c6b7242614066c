"""Single failures of cables of a flat network, all traffic placed anew: ``optimal_failures WHO INSTANCE GAP [COUNT]``.

With COUNT so many of the cables, drawn with a fixed seed. WHO is ``ours`` (each case from the intact network's answer),
``ours-cold`` (each from nothing), ``highs-simplex`` or ``highs-ipm`` (the plain edge programme of every case, from
nothing). Timed: import, the intact network for ``ours``, all cases. Compared is the mean of the fullest link over
all cases; ours are also held against their proofs.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks import checks
from benchmarks.cases.edge_lp import by_scipy, formulate
from benchmarks.instances import Instance, make, plain
from benchmarks.measure import taken
from topologies.columns import Floats, Ints, column

LIMIT_S = 60.0  # of one case


def cables_of(instance: Instance, count: int | None) -> list[Ints]:
    """Both directions of every cable, or of some, that all nodes can do without."""
    links = instance.topology.links
    cables = [
        column(sorted((link, int(links.reverse[link]))), np.int32)
        for link in np.flatnonzero(instance.topology.is_cable).tolist()
    ]
    cables = [cable for cable in cables if not _cuts(instance, cable)]
    if count is None:
        return cables
    return [cables[at] for at in sorted(np.random.default_rng(1).choice(len(cables), count, replace=False).tolist())]


def _cuts(instance: Instance, cable: Ints) -> bool:
    from topologies.parts import parts_of

    links = instance.topology.links
    left = np.setdiff1d(np.arange(len(links)), cable)
    return bool(np.ptp(parts_of(len(instance.topology.nodes), links.src[left], links.dst[left])))


def ours(instance: Instance, cables: Sequence[Ints], gap: float, *, cold: bool) -> tuple[Floats, Floats]:
    """Fullest link and bound of every case."""
    from fabric.evaluation.phases import route_phase
    from fabric.failures.cases import Cases, damage_of
    from fabric.failures.choose import engine_of
    from fabric.failures.engine import LinkWorst, SweepPhase
    from fabric.failures.part import Part
    from fabric.failures.plain import damaged_topology
    from fabric.routing.router import RoutingOptions
    from fabric.scenario.latency_schema import FabricLatency
    from traffic.demands import Demands, TrafficClass

    topology = replace(instance.topology, name="main")
    demands = Demands("main", (TrafficClass("job", "steady", "rows", steady=True),), (instance.flows,))
    options = RoutingOptions(gap=gap, time_limit_s=LIMIT_S)
    every = tuple(Part("cable", str(row), {"main": cable}) for row, cable in enumerate(cables))
    damage = damage_of(Cases.single(every), "main")
    if cold:
        routes = [
            route_phase(
                damaged_topology(topology, damage, case), demands, "steady", router="optimal", options=options,
                efficiency=1.0,
            )
            for case in range(len(cables))
        ]  # fmt: skip
        return (
            np.array([route.max_utilisation for route in routes]),
            np.array([route.best_possible.lower_bound for route in routes]),
        )
    intact = route_phase(topology, demands, "steady", router="optimal", options=options, efficiency=1.0)
    phase = SweepPhase("main", "steady", topology, demands, "optimal", options, 1.0, FabricLatency(), intact)
    found = engine_of(phase).outcomes(damage, LinkWorst.empty(len(topology.links)))
    return found.max_utilisation, found.bound


def theirs(instance: Instance, cables: Sequence[Ints], method: str) -> Floats:
    """Fullest link of every case by the plain programme."""
    peaks = []
    for cable in cables:
        given = plain(replace(instance, topology=instance.topology.with_down(links=cable)))
        programme = formulate(given)
        values = by_scipy(programme, method, LIMIT_S)
        checks.require(values is not None, f"no answer within {LIMIT_S:g} s")
        assert values is not None
        peaks.append(float(values[-1]))
    return np.array(peaks)


def main() -> None:
    """Solve all cases once, check, print."""
    who, name, gap = sys.argv[1], sys.argv[2], float(sys.argv[3])
    instance = make(name)
    cables = cables_of(instance, int(sys.argv[4]) if len(sys.argv) > 4 else None)
    began = time.perf_counter()
    bound = None
    if who.startswith("ours"):
        peaks, proven = ours(instance, cables, gap, cold=who == "ours-cold")
        worst = float((peaks / proven - 1).max())
        checks.require(worst <= gap * (1 + 1e-3), f"a case is proven to {worst:.1e} only, and not to {gap:g}")
        bound = float(proven.mean())
    else:
        peaks = theirs(instance, cables, who)
    result = taken(began)
    each_ms = 1000 * result["seconds"] / len(cables)
    print(
        json.dumps({**result, "theta": float(peaks.mean()), "bound": bound, "cases": len(cables), "each_ms": each_ms})
    )


if __name__ == "__main__":
    main()
