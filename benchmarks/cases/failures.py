"""Single failures of an instance, each routed by an equal split: ``failures WHO INSTANCE [COUNT]``.

Parts are the cables between switches, then the switches; with COUNT so many of them, drawn with a fixed seed. WHO is
``ours`` (equal cases once), ``ours-each`` (every case), ``netgraph-core`` (a shortest-path DAG per source on what is
left, every demand placed on it), ``networkx`` (distances by NetworkX, the split in Python) or ``numpy`` (both as plain
arrays). Timed: import, network, intact state, all cases. The fullest link of every case is compared with a
breadth-first search in plain Python for the first of them, and the sum over all cases is printed, on which all agree.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks import checks
from benchmarks.instances import Instance, Plain, make, plain
from benchmarks.measure import taken
from topologies.columns import Floats, Ints, column
from topologies.topology import Topology

ROOM = 1000.0  # times the capacity, so that netgraph-core cuts nothing


def parts_of(topology: Topology, count: int | None) -> list[tuple[str, str, Ints]]:
    """Kind, name and directed links of every part, or of some."""
    links = topology.links
    inner = topology.is_switch[links.src] & topology.is_switch[links.dst]
    parts = []
    for link in np.flatnonzero(topology.is_cable & inner).tolist():
        both = column(sorted((link, int(links.reverse[link]))), np.int32)
        parts.append(("link", topology.link_name(link), both))
    for node in np.flatnonzero(topology.is_switch).tolist():
        own = column(np.flatnonzero((links.src == node) | (links.dst == node)), np.int32)
        parts.append(("switch", topology.nodes.name[node], own))
    if count is None:
        return parts
    return [parts[at] for at in sorted(np.random.default_rng(1).choice(len(parts), count, replace=False).tolist())]


def ours(instance: Instance, parts: Sequence[tuple[str, str, Ints]], *, each: bool) -> Floats:
    """By the engine of sweeps."""
    from fabric.evaluation.phases import route_phase
    from fabric.failures.cases import Cases, damage_of
    from fabric.failures.choose import engine_of
    from fabric.failures.engine import LinkWorst, SweepPhase
    from fabric.failures.part import Part
    from fabric.failures.symmetry.orbits import equal_parts
    from fabric.routing.router import RoutingOptions
    from fabric.scenario.latency_schema import FabricLatency
    from traffic.demands import Demands, TrafficClass

    topology = replace(instance.topology, name="main")
    demands = Demands("main", (TrafficClass("job", "steady", "rows", steady=True),), (instance.flows,))
    options = RoutingOptions()
    intact = route_phase(topology, demands, "steady", router="ecmp", options=options, efficiency=1.0)
    phase = SweepPhase("main", "steady", topology, demands, "ecmp", options, 1.0, FabricLatency(), intact)
    every = [Part(kind, name, {"main": links}) for kind, name, links in parts]  # type: ignore[arg-type]
    first = np.arange(len(every)) if each else equal_parts([phase], every).first
    rows = np.unique(first)
    cases = Cases.single(tuple(every[row] for row in rows.tolist()))
    worst = LinkWorst.empty(len(topology.links))
    found = engine_of(phase).outcomes(damage_of(cases, "main"), worst)
    return found.max_utilisation[np.searchsorted(rows, first)]


def netgraph_core(given: Plain, dead: Sequence[Ints]) -> Floats:
    """By NetGraph's C++ core."""
    import netgraph_core as core

    arcs = np.arange(len(given.tail))
    columns = {"src": given.tail, "dst": given.head, "capacity": given.gbps * ROOM}
    graph = core.StrictMultiDiGraph.from_arrays(
        given.nodes, **columns, cost=np.ones(len(arcs), np.int64), ext_edge_ids=arcs.astype(np.int64)
    )
    algorithms = core.Algorithms(core.Backend.cpu())
    handle = algorithms.build_graph(graph)
    number = np.asarray(graph.ext_edge_ids_view())
    ends, demand = given.ends.tolist(), given.demand_gbps.tolist()
    peaks = []
    for gone in dead:
        state = core.FlowState(graph)
        mask = ~np.isin(number, gone)
        for src, row in zip(ends, demand, strict=True):
            _, dag = algorithms.spf(handle, src, edge_mask=mask)
            for dst, gbps in zip(ends, row, strict=True):
                if gbps:
                    state.place_on_dag(src, dst, dag, gbps, core.FlowPlacement.EQUAL_BALANCED)
        peaks.append(float((np.asarray(state.edge_flow_view()) / given.gbps[number]).max()))
    return np.array(peaks)


def networkx_plain(given: Plain, dead: Sequence[Ints]) -> Floats:
    """Distances by NetworkX, loads by one sweep per destination in Python."""
    import networkx as nx

    peaks = []
    for gone in dead:
        lost = set(gone.tolist())
        graph = nx.DiGraph()
        graph.add_nodes_from(range(given.nodes))
        arcs = zip(given.tail.tolist(), given.head.tolist(), given.gbps.tolist(), strict=True)
        graph.add_edges_from(
            (head, tail, {"gbps": gbps, "load": 0.0}) for arc, (tail, head, gbps) in enumerate(arcs) if arc not in lost
        )
        for column_of, dst in enumerate(given.ends.tolist()):
            away = nx.single_source_shortest_path_length(graph, dst)
            amount = dict(zip(given.ends.tolist(), given.demand_gbps[:, column_of].tolist(), strict=True))
            for node in sorted(away, key=away.__getitem__, reverse=True):
                rate = amount.get(node, 0.0)
                if node == dst or not rate:
                    continue
                hops = [near for near in graph.predecessors(node) if away.get(near) == away[node] - 1]
                for near in hops:
                    graph[near][node]["load"] += rate / len(hops)
                    amount[near] = amount.get(near, 0.0) + rate / len(hops)
        peaks.append(max(data["load"] / data["gbps"] for _, _, data in graph.edges(data=True)))
    return np.array(peaks)


def numpy_plain(given: Plain, dead: Sequence[Ints]) -> Floats:
    """Distances and loads of all destinations at once, level by level, as arrays of arcs by destinations."""
    peaks = []
    for gone in dead:
        live = np.ones(len(given.tail), dtype=np.bool_)
        live[gone] = False
        tail, head, gbps = given.tail[live], given.head[live], given.gbps[live]
        out = np.zeros((given.nodes, len(tail)))
        out[tail, np.arange(len(tail))] = 1.0
        away = np.full((given.nodes, len(given.ends)), np.inf)
        away[given.ends, np.arange(len(given.ends))] = 0.0
        level, reached = 0, True
        while reached:
            nearer = (out @ (away[head] == level) > 0) & np.isinf(away)
            level, reached = level + 1, bool(nearer.any())
            away[nearer] = level
        amount = np.zeros(away.shape)
        amount[given.ends] = given.demand_gbps
        load = np.zeros(len(tail))
        for far in range(level - 1, 0, -1):
            takes = (away[tail] == far) & (away[head] == far - 1)
            ways = out @ takes
            each = np.where(ways > 0, amount / np.maximum(ways, 1), 0.0)[tail] * takes
            load += each.sum(axis=1)
            np.add.at(amount, head, each)
        peaks.append(float((load / gbps).max()))
    return np.array(peaks)


def main() -> None:
    """Sweep once, check, print."""
    who, name = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else None
    instance = make(name)
    given = plain(instance)
    parts = parts_of(instance.topology, count)
    arc_of = np.full(len(instance.topology.links), -1)
    arc_of[given.link] = np.arange(len(given.link))
    dead = [column(arc_of[links][arc_of[links] >= 0], np.int32) for _, _, links in parts]
    methods: dict[str, Callable[[], Floats]] = {
        "ours": lambda: ours(instance, parts, each=False),
        "ours-each": lambda: ours(instance, parts, each=True),
        "netgraph-core": lambda: netgraph_core(given, dead),
        "networkx": lambda: networkx_plain(given, dead),
        "numpy": lambda: numpy_plain(given, dead),
    }
    began = time.perf_counter()
    peaks = methods[who]()
    result = taken(began)
    _check(instance, parts[0][2], float(peaks[0]))
    each_ms = 1000 * result["seconds"] / len(parts)
    print(json.dumps({**result, "theta": float(peaks.mean()), "cases": len(parts), "each_ms": each_ms}))


def _check(instance: Instance, links: Ints, peak: float) -> None:
    """The first case beside a search in plain Python."""
    after = replace(instance, topology=instance.topology.with_down(links=links))
    given = plain(after)
    wanted = float((checks.equal_split(given) / given.gbps).max())
    checks.require(abs(peak / wanted - 1) <= checks.EXACT, f"the first case has {peak}, and not {wanted}")


if __name__ == "__main__":
    main()
