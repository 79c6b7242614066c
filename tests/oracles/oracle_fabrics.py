"""Small random fabrics with demand, and slow, plain ways to route them that share no code with ours.

Every oracle works link by link on the topology itself, host access included, and pair by pair: no attachment groups, no
classes, no aggregation by destination, no merging of parallel links.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import coo_array

from fabric.evaluation.phases import route_phase
from fabric.routing.graph import build_graph, phase_demand
from fabric.routing.router import ROUTERS, RoutingOptions
from topologies.assemble import assemble
from traffic.demands import Demands, Flows, TrafficClass

STEADY = TrafficClass("job", "steady", "rows", steady=True)


@dataclass(frozen=True)
class Case:
    """A fabric and who sends how many Gbps to whom, by node id."""

    net: object
    rows: tuple[tuple[int, int, float], ...]

    @property
    def flows(self):
        src, dst, gbps = zip(*self.rows, strict=True)
        return Flows.of(src, dst, gbps)

    def __repr__(self):
        """What to type to build it again; printed by hypothesis for the smallest failure."""
        net = self.net
        lines = [f"node {name}: nics {net.nodes.nics[i]}" for i, name in enumerate(net.nodes.name)]
        for link in range(len(net.links)):
            state = "" if net.up[link] else " down"
            lines.append(
                f"{net.link_name(link)}: {net.links.capacity_gbps[link]:g}G w{net.links.weight[link]:g}{state}"
            )
        lines += [f"{net.nodes.name[s]} sends {g:g} to {net.nodes.name[d]}" for s, d, g in self.rows]
        return "\n".join(["Case", *lines])


# ---- random cases ---------------------------------------------------------------------------------------------------

CAPACITIES = (10.0, 40.0, 100.0, 250.0)
AMOUNTS = (5.0, 20.0, 50.0, 110.0)


@st.composite
def cases(draw, *, homes=3, zero=True, asymmetric=True, one_way=True, down=True, twins=True, weights=(1.0, 1.0, 2.0)):
    """Two to five switches, some of them endpoints; up to four hosts on one to ``homes`` of their ports.

    Parallel cables arise by drawing a pair of switches twice, hosts that hang alike (``twins``) by copying the homes of
    the host before. A host's links are cables, equal both ways or not, and one-way links out of it or into it.
    """
    switches = draw(st.integers(2, 5))
    ends = st.tuples(st.integers(0, switches - 1), st.integers(0, switches - 1)).filter(lambda pair: pair[0] != pair[1])
    capacity = st.sampled_from((*CAPACITIES, 0.0) if zero else CAPACITIES)
    weight = st.sampled_from(weights)
    net = assemble("random", "random")
    routers = draw(st.lists(st.booleans(), min_size=switches, max_size=switches))
    ids = net.switches("leaf", [f"s{i}" for i in range(switches)], level=1, nics=np.array(routers, dtype=int))
    tree = [(draw(st.integers(0, node - 1)), node) for node in range(1, switches) if draw(st.integers(0, 4)) > 0]
    for low, high in tree + draw(st.lists(ends, min_size=1, max_size=6)):
        gbps = draw(capacity)
        back = draw(capacity) if asymmetric else gbps
        if one_way and draw(st.integers(0, 5)) == 0:
            net.one_way([ids[low]], [ids[high]], gbps, tier="core", weight=draw(weight))
        else:
            net.cables(
                [ids[low]],
                [ids[high]],
                gbps,
                back_gbps=back,
                tier="core",
                weight=draw(weight),
                back_weight=draw(weight),
            )
    ways = st.sampled_from(("=", "=", "=", *((40.0, 0.0) if asymmetric else ()), *((">", "<") if one_way else ())))
    home = st.tuples(st.integers(0, switches - 1), st.sampled_from(CAPACITIES), ways)
    access = st.lists(home, min_size=1, max_size=homes)
    hung = []
    for host in range(draw(st.integers(0 if sum(routers) > 1 else 2, 4))):
        wanted = hung[-1] if twins and hung and draw(st.booleans()) else draw(access)
        hung.append(wanted)
        node = net.hosts([f"h{host}"], nics=len(wanted))
        for switch, gbps, way in wanted:
            if way in (">", "<"):
                ends = (node, [ids[switch]]) if way == ">" else ([ids[switch]], node)
                net.one_way(*ends, gbps, tier="access")
            else:
                net.cables(node, [ids[switch]], gbps, back_gbps=gbps if way == "=" else way, tier="access")
    built = net.freeze()
    if down and draw(st.booleans()):
        count = len(built.links)
        built = built.with_down(links=draw(st.lists(st.integers(0, count - 1), max_size=2)))
    points = built.endpoint_nodes.tolist()
    pairs = st.tuples(st.sampled_from(points), st.sampled_from(points), st.sampled_from(AMOUNTS))
    rows = draw(st.lists(pairs.filter(lambda row: row[0] != row[1]), min_size=1, max_size=8))
    return Case(built, tuple(rows))


def larger_case(seed):
    """Six to nine switches, five to nine hosts on one to three of them (many hanging alike), up to 30 rows."""
    rng = np.random.default_rng(seed)
    switches = int(rng.integers(6, 10))
    net = assemble("larger", "random")
    ids = net.switches(
        "leaf", [f"s{i}" for i in range(switches)], level=1, nics=(rng.random(switches) < 0.3).astype(int)
    )
    tree = [(int(rng.integers(node)), node) for node in range(1, switches)]
    extra = rng.integers(switches, size=(int(rng.integers(3, 14)), 2)).tolist()
    for low, high in tree + [(low, high) for low, high in extra if low != high]:
        gbps, back = rng.choice(CAPACITIES, 2)
        net.cables([ids[low]], [ids[high]], gbps, back_gbps=back, tier="core", weight=rng.choice([1.0, 1.0, 2.0]))
    hung = []
    for host in range(int(rng.integers(5, 10))):
        homes = [(int(rng.integers(switches)), rng.choice(CAPACITIES)) for _ in range(int(rng.integers(1, 4)))]
        hung.append(hung[-1] if hung and rng.random() < 0.5 else homes)
        node = net.hosts([f"h{host}"], nics=len(hung[-1]))
        for switch, gbps in hung[-1]:
            net.cables(node, [ids[switch]], gbps, tier="access")
    built = net.freeze()
    built = built.with_down(links=rng.integers(len(built.links), size=2))
    points = built.endpoint_nodes
    rows = [(*rng.choice(points, 2, replace=False).tolist(), float(rng.choice(AMOUNTS))) for _ in range(30)]
    kept = reachable(Case(built, tuple(rows[: int(rng.integers(5, 31))])))[0]
    return Case(built, tuple(kept))


# ---- ours -----------------------------------------------------------------------------------------------------------


def ours(case, router, *, flows=None, flows_per_pair=1, **options):
    """Our whole way from demand to loads of the topology's links."""
    steady = replace(STEADY, flows_per_pair=flows_per_pair)
    demands = Demands("main", (steady,), (flows or case.flows,))
    given = RoutingOptions(**options)
    return route_phase(case.net, demands, "steady", router=router, options=given, efficiency=1.0)


def routed(net, flows, router="optimal", **options):
    """Graph, demand and the router's own answer, for tests of what ``route_phase`` hides."""
    graph = build_graph(net, [flows])
    demand = phase_demand(graph, [flows], [1.0])
    return graph, demand, ROUTERS[router]({}, graph=graph, demand=demand, options=RoutingOptions(**options))


# ---- theirs ---------------------------------------------------------------------------------------------------------


def usable_links(net, src, dst):
    """Links that traffic from ``src`` to ``dst`` may cross: up, with capacity, and through nobody else's host."""
    links, forwards = net.links, net.nodes.forwards
    live = net.up & (links.capacity_gbps > 0)
    tail = forwards[links.src] | (links.src == src)
    head = forwards[links.dst] | (links.dst == dst)
    return np.flatnonzero(live & tail & head & (links.dst != src) & (links.src != dst))


def shortest_links(net, src, dst):
    """Links on paths of least weight from ``src`` to ``dst``, by NetworkX; None when there is no path."""
    graph = nx.DiGraph()
    graph.add_nodes_from((src, dst))
    usable = usable_links(net, src, dst).tolist()
    for link in usable:
        tail, head, weight = int(net.links.src[link]), int(net.links.dst[link]), float(net.links.weight[link])
        if not graph.has_edge(tail, head) or graph[tail][head]["weight"] > weight:
            graph.add_edge(tail, head, weight=weight, links=[])
        if graph[tail][head]["weight"] == weight:
            graph[tail][head]["links"].append(link)
    if not nx.has_path(graph, src, dst):
        return None
    steps = {
        step for path in nx.all_shortest_paths(graph, src, dst, weight="weight") for step in nx.utils.pairwise(path)
    }
    return {step: graph.edges[step]["links"] for step in steps}


def reachable(case):
    """Rows with a path, and the rows without."""
    with_path = [row for row in case.rows if shortest_links(case.net, row[0], row[1]) is not None]
    return with_path, [row for row in case.rows if row not in with_path]


def plain_ecmp(case):
    """Offered Gbps per link: every node splits a pair's traffic equally over its next-hop links."""
    loads = np.zeros(len(case.net.links))
    for src, dst, gbps in case.rows:
        steps = shortest_links(case.net, src, dst)
        if steps is None:
            continue
        passing = dict.fromkeys({node for step in steps for node in step}, 0.0) | {src: gbps}
        for node in nx.topological_sort(nx.DiGraph(steps.keys())):
            hops = [(head, link) for (tail, head), links in steps.items() if tail == node for link in links]
            for head, link in hops:
                loads[link] += passing[node] / len(hops)
                passing[head] += passing[node] / len(hops)
    return loads


class PairFlows:
    """The multicommodity flow with one variable per pair and link; columns are flows, then θ."""

    def __init__(self, case, *, shortest=False):
        self.net = case.net
        pairs: dict[tuple[int, int], float] = {}
        for src, dst, gbps in reachable(case)[0]:
            pairs[src, dst] = pairs.get((src, dst), 0.0) + gbps
        usable = []
        for src, dst in pairs:
            steps = shortest_links(case.net, src, dst)
            one = [link for links in steps.values() for link in links] if shortest else usable_links(case.net, src, dst)
            usable.append(np.sort(np.asarray(one, dtype=int)))
        count, nodes = len(pairs), len(self.net.nodes)
        self.link = np.concatenate([*usable, np.empty(0, dtype=int)]).astype(int)
        pair = np.repeat(np.arange(count), [len(one) for one in usable])
        columns = np.arange(len(self.link))
        links = self.net.links
        rows = np.concatenate([pair * nodes + links.src[self.link], pair * nodes + links.dst[self.link]])
        signs = np.repeat([1.0, -1.0], len(self.link))
        shape = (count * nodes, len(self.link) + 1)
        self.balance = coo_array((signs, (rows, np.tile(columns, 2))), shape=shape).tocsr()
        self.supply = np.zeros(count * nodes)
        for index, ((src, dst), gbps) in enumerate(pairs.items()):
            self.supply[index * nodes + src] += gbps
            self.supply[index * nodes + dst] -= gbps
        used = np.unique(self.link)
        shape = (len(self.net.links), len(self.link) + 1)
        data = np.concatenate([np.ones(len(self.link)), -links.capacity_gbps[used]])
        cells = (np.concatenate([self.link, used]), np.concatenate([columns, np.full(len(used), len(self.link))]))
        self.capacity = coo_array((data, cells), shape=shape).tocsr()
        self.empty = not count

    def least_theta(self):
        """Least maximum utilisation."""
        if self.empty:
            return 0.0
        cost = np.zeros(len(self.link) + 1)
        cost[-1] = 1.0
        return float(self._solve(cost, (0, None)).fun)

    def least_length(self, theta):
        """Least Σ weight x Gbps over all links, with no link above ``theta``."""
        cost = np.append(self.net.links.weight[self.link], 0.0)
        return 0.0 if self.empty else float(self._solve(cost, (theta, theta)).fun)

    def _solve(self, cost, theta_bounds):
        bounds = [(0, None)] * len(self.link) + [theta_bounds]
        found = linprog(
            cost,
            A_ub=self.capacity,
            b_ub=np.zeros(self.capacity.shape[0]),
            A_eq=self.balance,
            b_eq=self.supply,
            bounds=bounds,
            method="highs",
            options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
        )
        assert found.status == 0, found.message
        return found


# ---- checks ---------------------------------------------------------------------------------------------------------


def node_imbalance_gbps(net, load_gbps, rows):
    """Leaving minus entering minus injected, shape (N,); zero everywhere for a valid routing."""
    count = len(net.nodes)
    injected = np.zeros(count)
    for src, dst, gbps in rows:
        injected[src] += gbps
        injected[dst] -= gbps
    links = net.links
    return np.bincount(links.src, load_gbps, count) - np.bincount(links.dst, load_gbps, count) - injected


def renamed(case, order):
    """The same fabric with nodes (and so their ids) in another order; ``order[i]`` is the old id of the new node i."""
    net = case.net
    new_id = np.argsort(order)
    names = tuple(net.nodes.name[node] for node in order)
    columns = {
        key: getattr(net.nodes, key)[order]
        for key in ("role", "level", "pod", "unit", "rail", "plane", "radix", "nics", "forwards")
    }
    nodes = replace(net.nodes, name=names, **columns)
    links = replace(
        net.links,
        src=new_id[net.links.src].astype(np.int32),
        dst=new_id[net.links.dst].astype(np.int32),
    )
    rows = tuple((int(new_id[src]), int(new_id[dst]), gbps) for src, dst, gbps in case.rows)
    return Case(replace(net, nodes=nodes, links=links), rows)


def with_capacity(case, capacity_gbps):
    """The same case with other link capacities."""
    return Case(replace(case.net, links=replace(case.net.links, capacity_gbps=capacity_gbps)), case.rows)
