"""What the compiled loops over failure cases of hashed flows read and write."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fabric.routing.graph import RoutingGraph
from fabric.routing.hashing.headers import Hashes
from topologies.columns import Bools, Floats, Ints, Longs

Rows = Floats  # shape (D, V): a value of every graph node for every destination


class Wires(NamedTuple):
    """Edges of the graph with everything up, by the topology's directed links; slots as in its adjacencies."""

    out_start: Ints
    out_link: Ints
    head: Ints
    out_weight: Floats
    in_start: Ints
    in_link: Ints
    tail: Ints
    in_weight: Floats
    equal: bool  # weights
    link_tail: Ints  # shape (L,), graph nodes; -1 of links that are no edges
    link_head: Ints
    link_weight: Floats
    reverse: Ints  # shape (L,)

    @staticmethod
    def of(graph: RoutingGraph) -> Wires:
        """Of a graph in which every multi-homed endpoint is a terminal of its own."""
        links, out, into, first = graph.topology.links, graph.out, graph.into, graph.first_link
        tail, head = np.full((2, len(links)), -1, dtype=np.int32)
        tail[first], head[first] = graph.src, graph.dst
        return Wires(
            out.start,
            first[out.edge],
            graph.dst[out.edge],
            graph.weight[out.edge],
            into.start,
            first[into.edge],
            graph.src[into.edge],
            graph.weight[into.edge],
            graph.equal_weights,
            tail,
            head,
            links.weight,
            links.reverse,
        )


class HashRule(NamedTuple):
    """How switches choose a next hop."""

    bits: int
    seed: Hashes  # shape (V,)
    resilient: bool
    frozen: bool  # nothing is routed again: dead members of groups are left out, and that is all


class FlowColumns(NamedTuple):
    """All flows of a phase, by destination."""

    dest: Ints  # shape (D,), graph nodes
    row: Ints  # shape (F,), of its destination
    src: Ints
    key: Hashes
    amount: Longs  # in parts of a Gbps that are summed without rounding
    up_link: Ints  # access links of single-homed endpoints, -1 else
    down_link: Ints
    pair: Ints
    carries: Longs  # bit j: counts among the links of column j of the outcomes
    cuts: Longs  # bit j: column j is cut when the flow does not arrive


class Routes(NamedTuple):
    """Where the flows go before any case, and how full that makes links."""

    up: Bools  # shape (L,), links that are there
    known: Bools  # shape (L,), links that routing takes to be there
    whole: Rows  # distance with everything up
    now: Rows  # distance over the links that are known
    hops: Ints  # shape (D, V), next hops that are up
    group_start: Longs  # slots of groups, by destination and node; empty where they are too many to be kept
    group: Ints  # of resilient switches with everything up, else of what is known
    path_start: Longs  # shape (F + 1,)
    path: Ints  # directed links, access among them
    lost: Bools  # shape (F,), does not arrive
    list_start: Longs  # flows by link, ascending
    listed: Ints
    visit_start: Longs  # flows by row and node that they are hashed at; empty where switches hash resiliently
    visits: Ints
    lost_of_pair: Ints  # shape (P,), flows that do not arrive
    lost_of_job: Ints  # shape (J,)
    lost_pairs: int
    load: Longs  # shape (L,)
    carried: Ints  # shape (L, J), flows
    capacity: Floats  # shape (L,), in the amounts of flows; 0 where nothing is up
    utilisation: Floats  # shape (L,)
    intact: Floats  # shape (L,), utilisation to which cases are compared
    over: int  # links over capacity
    order: Ints  # links that carry anything, fullest first
    job_start: Longs  # the same of every column
    job_order: Ints
    unlike: Ints  # links that are not as full as intact


class Harm(NamedTuple):
    """``Damage`` as loops read it."""

    start: Longs
    dead: Ints
    slow_start: Longs
    slow: Ints
    left: Floats


class Answers(NamedTuple):
    """``Outcomes`` of some cases, and the ``LinkWorst`` that takes them in."""

    max_utilisation: Floats
    hottest: Ints
    links_over_capacity: Ints
    unreachable_pairs: Longs
    peak: Floats
    cut: Bools
    worst: Floats
    case: Longs
    floor: Floats  # shape (L,), what is less full is not among the worst


class Scratch(NamedTuple):
    """What one thread works in. Whatever a case changes is put back after it."""

    epoch: Longs  # shape (1,), number of the case
    hops: Ints  # shape (D, V)
    row_seen: Longs  # shape (D,)
    flow_seen: Longs
    link_seen: Longs
    dead_in: Longs  # shape (L,), the case in which a link is dead
    dead: Ints
    touched: Ints
    value: Floats
    affected: Ints
    load: Longs
    carried: Ints
    capacity: Floats
    lost_of_pair: Ints
    lost_of_job: Ints
    slots: Ints  # most ports of a node
    queue: Longs  # shape (V,)
    fresh: Floats  # shape (V,), distances in the case
    fresh_of: Longs  # shape (2,), case and row they are of
    counts: Longs  # lengths of dead, touched, affected, rows; then change of lost pairs
    rows: Ints


DEAD, TOUCHED, AFFECTED, ROWS, LOST_PAIRS = range(5)
