"""What the tables of all switches do, by links and by endpoint: the state that failures are taken on.

Nodes are the switches, then the endpoints that choose between several links; two more stand for every host that has its
packets (``ARRIVED``) and for what is lost. A destination is a switch with all its endpoints of one link, or one
endpoint of several; an endpoint that forwards is a switch. Buckets of a decision stand in the order that groups list
them: by port.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from fabric.routing.router import PairTraffic
from fabric.routing.tables.decisions import ARRIVED, CUT_OFF, MOST_CELLS
from fabric.routing.tables.programme import Programme
from fabric.rules.failover import live_parts
from fabric.rules.ports import Ports
from topologies.columns import Bools, Floats, Ints, Longs, column, concatenate
from topologies.errors import RoutingError
from topologies.topology import Topology


@dataclass(frozen=True, eq=False)
class TableColumns:
    """Decisions by node and destination; decision k has the buckets ``start[k]:start[k + 1]``."""

    topology: Topology
    node_of: Ints  # shape (V,), topology nodes
    is_host: Bools  # shape (V,), an endpoint that chooses a link
    code: Ints  # shape (V + 2, D): decision, ARRIVED, or CUT_OFF
    start: Longs  # shape (K + 1,)
    link: Ints  # of every bucket, topology links
    weight: Ints  # as written in the group
    part: Floats  # of the traffic, as the carrier turns weights into parts, or as a router divides without weights
    owner: Ints  # shape (K,), node whose decision it is
    source_of: Ints  # shape (N,), node where an endpoint's traffic meets the first decision, -1: cut off
    column_of: Ints  # shape (N,), destination of an endpoint, -1: cut off
    out_link: Ints  # shape (N,), link by which an endpoint of one link sends, -1 for the others
    back_link: Ints  # shape (N,), link by which it receives

    @property
    def nodes(self) -> int:
        """V, the nodes that decide."""
        return len(self.node_of)

    @cached_property
    def decision_of(self) -> Longs:
        """Decision of every bucket."""
        return column(np.repeat(np.arange(len(self.start) - 1), np.diff(self.start)), np.int64)

    @cached_property
    def head(self) -> Ints:
        """Node that every bucket leads to, V: a host that has its packets."""
        place = np.full(len(self.topology.nodes), self.nodes, dtype=np.int32)
        switches = self.node_of[~self.is_host]
        place[switches] = np.flatnonzero(~self.is_host)
        return column(place[self.topology.links.dst[self.link]], np.int32)


def table_columns(programme: Programme, pairs: Sequence[PairTraffic], *, parts: Floats | None = None) -> TableColumns:
    """The tables of a programme for the endpoints that a phase sends between.

    Parameters
    ----------
    parts : ndarray, shape (nnz,), optional
        What every edge of the decisions gets, where nothing rounds it; default: as the programme's buckets say.

    Raises
    ------
    RoutingError
        Where nodes x destinations do not fit into memory (FP5030).
    """
    builder = _Builder(programme, parts)
    return builder.columns(*_ends(pairs))


def _ends(pairs: Sequence[PairTraffic]) -> tuple[Ints, Ints]:
    """Endpoints that send, and that receive."""
    blocks = [block.members for pair in pairs for block in pair.flows.blocks]
    senders = concatenate([*(pair.flows.src for pair in pairs), *blocks], np.int32)
    receivers = concatenate([*(pair.flows.dst for pair in pairs), *blocks], np.int32)
    return np.unique(senders), np.unique(receivers)


class _Builder:
    """Takes the decisions of classes of hosts apart, host by host."""

    def __init__(self, programme: Programme, parts: Floats | None) -> None:
        self.programme, self.parts = programme, parts
        self.decisions = programme.decisions
        self.graph = programme.decisions.graph
        self.topology = self.graph.topology
        self.ports = Ports(self.topology)
        links, graph = self.topology.links, self.graph
        self.member: dict[tuple[int, int], int] = {}  # (access edge, host) -> link
        for edge, link in zip(graph.member_edge.tolist(), graph.member_link.tolist(), strict=True):
            outward = bool(graph.is_terminal[graph.src[edge]])
            self.member[edge, int(links.src[link] if outward else links.dst[link])] = link
        self.start: list[int] = [0]
        self.link: list[int] = []
        self.weight: list[int] = []
        self.part: list[float] = []
        self.owner: list[int] = []
        self.known: dict[tuple[int, int, int], int] = {}  # (decision, node, host) -> own decision

    def buckets(self, decision: int) -> list[tuple[int, int, float]]:
        """(edge, weight, part) of a decision, as groups have them."""
        if self.parts is None:
            carrier = self.programme.carrier
            found = self.programme.buckets(decision)
            weights = [weight for _, weight in found]
            each = live_parts("lost", carrier, weights, [True] * len(found))
            return [(edge, weight, part) for (edge, weight), part in zip(found, each, strict=True)]
        cells = slice(*self.decisions.start[decision : decision + 2].tolist())
        edges, parts = self.decisions.edge[cells].tolist(), self.parts[cells].tolist()
        return [(edge, 1, part) for edge, part in zip(edges, parts, strict=True) if part > 0]

    def own(self, decision: int, node: int, host: int) -> int:
        """Our number of a decision of a node, towards or of one host where it has links of its own."""
        key = (decision, node, host)
        if key not in self.known:
            rows = []
            for edge, weight, part in self.buckets(decision):
                link = int(self.graph.link_of[edge])
                link = self.member[edge, host] if link < 0 else link
                rows.append((int(self.ports.of_link[link]), weight, part, link))
            rows.sort()
            self.known[key] = len(self.owner)
            self.owner.append(node)
            self.link += [row[3] for row in rows]
            self.weight += [row[1] for row in rows]
            self.part += [row[2] for row in rows]
            self.start.append(len(self.link))
        return self.known[key]

    def columns(self, senders: Ints, receivers: Ints) -> TableColumns:
        """Put everything together."""
        graph, topology = self.graph, self.topology
        switches = np.flatnonzero(~graph.is_terminal)
        source, sink = graph.source, graph.sink
        hosts = senders[(source[senders] >= 0) & graph.is_terminal[source[senders]]]
        reached = receivers[(sink[receivers] >= 0) & (self.decisions.row_of[receivers] >= 0)]
        several = graph.is_terminal[sink[reached]]
        rows = self.decisions.row_of
        shared = np.unique(rows[reached[~several]])  # destinations of switches
        alone = reached[several]
        nodes, width = len(switches) + len(hosts), len(shared) + len(alone)
        if nodes * width > MOST_CELLS:
            raise RoutingError(
                f"{nodes:,} switches and hosts x {width:,} destinations are {nodes * width:,} table cells; "
                f"{MOST_CELLS:,} are the most",
                hint="--fabric for one of them, or reaction converged",
                code="FP5030",
            )
        column_of = np.full(len(topology.nodes), -1, dtype=np.int32)
        column_of[reached[~several]] = np.searchsorted(shared, rows[reached[~several]])
        column_of[alone] = len(shared) + np.arange(len(alone))
        source_of = np.full(len(topology.nodes), -1, dtype=np.int32)
        direct = topology.endpoint_nodes
        direct = direct[(source[direct] >= 0) & ~graph.is_terminal[source[direct]]]
        source_of[direct] = source[direct]  # graph nodes of switches come first, in order
        source_of[hosts] = len(switches) + np.arange(len(hosts))
        old_column = np.concatenate([shared, rows[alone]]).astype(np.int64)
        host_of_column = np.concatenate([np.full(len(shared), -1), alone])
        code = self._code(switches, hosts, old_column, host_of_column)
        single, up, down = graph.single_homed
        out_link, back_link = (np.full(len(topology.nodes), -1, dtype=np.int32) for _ in range(2))
        out_link[single], back_link[single] = up, down
        return TableColumns(
            topology=topology,
            node_of=concatenate([graph.node_of[switches], hosts], np.int32),
            is_host=column(np.arange(nodes) >= len(switches), np.bool_),
            code=column(code, np.int32),
            start=column(self.start, np.int64),
            link=column(self.link, np.int32),
            weight=column(self.weight, np.int32),
            part=column(self.part, np.float64),
            owner=column(self.owner, np.int32),
            source_of=column(source_of, np.int32),
            column_of=column(column_of, np.int32),
            out_link=column(out_link, np.int32),
            back_link=column(back_link, np.int32),
        )

    def _code(self, switches: Longs, hosts: Ints, old_column: Longs, host_of_column: Longs) -> Ints:
        """Our decisions of all nodes for all destinations, shape (V + 2, D)."""
        graph, decisions = self.graph, self.decisions
        count = len(switches)
        code = np.full((count + len(hosts) + 2, len(old_column)), CUT_OFF, dtype=np.int32)
        code[count + len(hosts)] = ARRIVED
        delivers = self._delivering
        for node in range(count):
            self._fill(code[node], decisions.code[node, old_column], node, -1, host_of_column, delivers)
        for place, host in enumerate(hosts.tolist()):
            row = decisions.code[graph.source[host], old_column]
            self._fill(code[count + place], row, count + place, host, None, delivers)
        return code

    def _fill(self, out: Ints, old: Ints, node: int, host: int, host_of_column: Longs | None, delivers: Bools) -> None:
        """One row: ``host`` whose own row it is, or per column the host that a decision may deliver to."""
        out[old == ARRIVED] = ARRIVED
        for decision in np.unique(old[old >= 0]).tolist():
            where = np.flatnonzero(old == decision)
            if host_of_column is None or not delivers[decision]:
                out[where] = self.own(decision, node, host)
            else:
                for at in where.tolist():
                    out[at] = self.own(decision, node, int(host_of_column[at]))

    @cached_property
    def _delivering(self) -> Bools:
        """Whether a decision has an edge to hosts of several links, shape (K,)."""
        graph, start = self.graph, self.decisions.start
        to_host = np.concatenate([[0], np.cumsum(graph.is_terminal[graph.dst[self.decisions.edge]])])
        return column(np.array([to_host[high] > to_host[low] for low, high in pairwise(start.tolist())]), np.bool_)
