"""The instances that all programs of a comparison are given, by name: ``KIND-SIZE``, such as ``gravity-16``.

Fat trees are of 400G links; traffic is between edge switches (aggregated over their hosts) or between hosts. All but
``uniform`` and ``everywhere`` have 3 % of the cables between switches down, drawn at random with a fixed seed, the same
for all kinds of traffic. Wide-area networks and other flat ones are in ``flat_networks.py``.

======================  =============================================================================================
``uniform-K``           every edge switch sends its k/2 x 400 Gb/s evenly to all others; intact
``everywhere-K``        an equal rate between all pairs of switches, which is what edge betweenness counts; intact
``edge-permutation-K``  every edge switch sends k/2 x 400 Gb/s to one other
``gravity-K``           log-normal masses (σ = 1); the busiest edge switch sends k/2 x 400 Gb/s
``host-permutation-K``  every host sends 400 Gb/s to one other
======================  =============================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from benchmarks.closed_forms import everywhere_hops
from benchmarks.flat_networks import REAL, dense, gravity, inter_as, real, regular, wide_area
from topologies.columns import Bools, Floats, Ints, column
from topologies.topology import Topology, role_nodes
from traffic.demands import Flows, UniformBlock

LINK_GBPS = 400.0
FAILED_SHARE = 0.03
SEED = 3


@dataclass(frozen=True, eq=False)
class Instance:
    """A network and what is sent over it, steady, in Gbps between its endpoints."""

    kind: str
    size: int
    topology: Topology
    flows: Flows

    @property
    def is_symmetric(self) -> bool:
        """Whether the loads under an equal split have a closed form."""
        return self.kind in ("uniform", "everywhere")


@dataclass(frozen=True, eq=False)
class Plain:
    """The same as plain arrays between switches, for programs that know nothing of ours."""

    nodes: int
    link: Ints  # shape (A,), topology link of every arc
    tail: Ints  # shape (A,)
    head: Ints
    gbps: Floats  # capacity
    place: Ints  # shape (N,), node that traffic of a topology node enters and leaves at
    flows: Flows

    @cached_property
    def ends(self) -> Ints:
        """Nodes where traffic starts and ends, shape (n,)."""
        parts = [self.flows.src, self.flows.dst, *(block.members for block in self.flows.blocks)]
        return column(np.unique(self.place[np.concatenate(parts)]), np.int32)

    @cached_property
    def demand_gbps(self) -> Floats:
        """Demand from row to column, shape (n, n); 0 on the diagonal."""
        demand = np.zeros((len(self.ends), len(self.ends)))
        row = np.searchsorted(self.ends, self.place)
        np.add.at(demand, (row[self.flows.src], row[self.flows.dst]), self.flows.amount)
        for block in self.flows.blocks:  # whose members are switches, each once
            demand[np.ix_(row[block.members], row[block.members])] += block.amount
        np.fill_diagonal(demand, 0.0)
        return column(demand, np.float64)

    @cached_property
    def supply_gbps(self) -> Floats:
        """What leaves every node minus what ends there, shape (nodes,)."""
        supply = np.zeros(self.nodes)
        supply[self.ends] = self.demand_gbps.sum(axis=1) - self.demand_gbps.sum(axis=0)
        return supply

    @property
    def pairs(self) -> int:
        """Ordered pairs that exchange something."""
        return int((self.demand_gbps > 0).sum())


def make(name: str) -> Instance:
    """The instance of a name."""
    if name.startswith(REAL):
        topology, flows = real(name)
        return Instance("real", len(topology.nodes), topology, flows)
    kind, size = name.rsplit("-", 1)
    if kind == "wan":
        topology, flows = wide_area(int(size))
    elif kind == "inter-as":
        topology, flows = inter_as(int(size))
    elif kind == "dense":
        topology, flows = dense(int(size))
    elif kind.startswith("regular"):
        topology, flows = regular(kind, int(size))
    else:
        topology, flows = _fat_tree(kind, int(size))
    return Instance(kind, int(size), topology, flows)


# ---- fat trees --------------------------------------------------------------------------------------------------


def fat_tree(radix: int) -> Topology:
    """The network, intact."""
    from topologies.builder import TOPOLOGIES

    return TOPOLOGIES["fat-tree"]({"radix": radix, "speed": f"{LINK_GBPS:g}G"})


def _fat_tree(kind: str, radix: int) -> tuple[Topology, Flows]:
    net = fat_tree(radix)
    edges, hosts = role_nodes(net, "edge"), role_nodes(net, "host")
    each = radix / 2 * LINK_GBPS
    rng = np.random.default_rng(SEED + 1)
    if kind == "uniform":
        return _with_ends(net, edges), _block(edges, each / (len(edges) - 1))
    if kind == "everywhere":
        switches = column(np.flatnonzero(net.is_switch), np.int32)
        return _with_ends(net, switches), _block(switches, everywhere_pair_gbps(radix))
    net = net.with_down(links=_failed(net))
    if kind == "host-permutation":
        return net, Flows.of(hosts, _permuted(hosts, rng), LINK_GBPS)
    if kind == "edge-permutation":
        return _with_ends(net, edges), Flows.of(edges, _permuted(edges, rng), each)
    if kind == "gravity":
        src, dst, gbps = gravity(len(edges), rng)
        busiest = np.bincount(src, gbps).max()
        return _with_ends(net, edges), Flows.of(edges[src], edges[dst], gbps * (each / busiest))
    raise ValueError(f"no instance is called {kind}")


def everywhere_pair_gbps(radix: int) -> float:
    """The rate of every pair of switches that fills the links between edge and aggregation switches."""
    return LINK_GBPS * (radix**3 / 2) / everywhere_hops(radix)["edge-aggregation"]


def _block(members: Ints, gbps: float) -> Flows:
    none = Flows.none()
    return Flows(none.src, none.dst, none.amount, (UniformBlock(members, gbps),))


def _with_ends(net: Topology, ends: Ints) -> Topology:
    """The same network with other nodes as its endpoints."""
    nics = np.zeros(len(net.nodes), dtype=np.int32)
    nics[ends] = 1
    return replace(net, nodes=replace(net.nodes, nics=column(nics, np.int32)))


def _between_switches(net: Topology) -> Bools:
    return np.asarray(net.is_switch[net.links.src] & net.is_switch[net.links.dst])


def _failed(net: Topology) -> Ints:
    cables = np.flatnonzero(net.is_cable & _between_switches(net))
    rng = np.random.default_rng(SEED)
    return column(rng.choice(cables, round(len(cables) * FAILED_SHARE), replace=False), np.int64)


def _permuted(members: Ints, rng: np.random.Generator) -> Ints:
    """One partner for each, never itself: the next in a random cycle."""
    order = rng.permutation(len(members))
    partner = np.empty_like(members)
    partner[order] = members[np.roll(order, -1)]
    return partner


# ---- for programs of others -------------------------------------------------------------------------------------


def plain(instance: Instance) -> Plain:
    """Live links between forwarding nodes, and demand between them; hosts count as their switch."""
    net = instance.topology
    links, forwards = net.links, net.nodes.forwards
    live = np.flatnonzero(net.up & forwards[links.src] & forwards[links.dst])
    number = np.cumsum(forwards) - 1
    at = np.arange(len(net.nodes))
    access = np.flatnonzero(net.up & ~forwards[links.src])
    at[links.src[access]] = links.dst[access]
    return Plain(
        nodes=int(forwards.sum()),
        link=column(live, np.int32),
        tail=column(number[links.src[live]], np.int32),
        head=column(number[links.dst[live]], np.int32),
        gbps=column(links.capacity_gbps[live], np.float64),
        place=column(number[at], np.int32),
        flows=instance.flows,
    )
