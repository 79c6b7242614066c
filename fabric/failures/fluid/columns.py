"""What the compiled loops read and write: the intact state by destination, and one thread's working arrays.

Columns of one kind of thing are one structured array: loops are handed few arrays, which keeps compiling short.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fabric.routing.shortest_splits import Sweep, SweepNet
from topologies.columns import Floats, Ints, Longs

Marks = NDArray[np.uint8]
Records = NDArray[Any]  # structured

# A directed link; ``slot`` of the graph's adjacency by head and graph node ``head`` are -1 outside the graph, endpoints
# that send and receive over it are -1 where there is none; ``access`` of endpoints with several links.
LINK = np.dtype(
    [
        ("up", "u1"), ("core", "u1"), ("access", "u1"), ("reverse", "i4"), ("slot", "i4"), ("head", "i4"),
        ("out_end", "i4"), ("in_end", "i4"), ("capacity", "f8"), ("utilisation", "f8"),
    ],
    align=True,
)  # fmt: skip
ROW = np.dtype([("dest", "i4"), ("node_start", "i8"), ("edge_start", "i8")], align=True)
# A node that traffic to one destination crosses; ``total`` of its next hops' parts, ``passes`` as the rule counts.
NODE = np.dtype(
    [("node", "i4"), ("entry", "i8"), ("total", "f8"), ("passes", "f8"), ("hop_start", "i8"), ("in_start", "i8")],
    align=True,
)
HOP = np.dtype([("link", "i4"), ("head", "i4"), ("tail", "i4"), ("part", "f8"), ("in_hop", "i8")], align=True)
GRAPH_NODE = np.dtype([("row", "i4"), ("groups_start", "i8")], align=True)
ENTRY = np.dtype([("src", "i4"), ("place", "i4"), ("pairs_start", "i8")], align=True)
END = np.dtype(
    [
        ("source", "i4"), ("sink", "i4"), ("out_link", "i4"), ("in_link", "i4"), ("out_links", "i4"),
        ("in_links", "i4"), ("by_src_start", "i8"), ("by_dst_start", "i8"), ("of_start", "i8"),
    ],
    align=True,
)  # fmt: skip
PAIR = np.dtype(
    [
        ("src", "i4"), ("dst", "i4"), ("code", "i4"), ("gbps", "f8"), ("by_src", "i8"), ("by_dst", "i8"),
        ("by_entry", "i8"),
    ],
    align=True,
)  # fmt: skip
BLOCK = np.dtype(
    [("code", "i4"), ("gbps", "f8"), ("start", "i8"), ("senders_start", "i8"), ("receivers_start", "i8")], align=True
)
MEMBER = np.dtype(
    [
        ("end", "i4"), ("block", "i4"), ("sender", "i8"), ("receiver", "i8"), ("of_end", "i8"),
        ("by_sender", "i4"), ("by_receiver", "i4"),
    ],
    align=True,
)  # fmt: skip
SENDER = np.dtype([("node", "i4"), ("size", "i4"), ("start", "i8")], align=True)
RECEIVER = np.dtype([("node", "i4"), ("size", "i4"), ("block", "i4"), ("start", "i8"), ("at_sink", "i8")], align=True)

# One thread's marks. Lists stand in columns of their own: ``down`` and ``touch`` of links, ``listed`` of others.
LINK_WORK = np.dtype(
    [("dead", "u1"), ("touched", "u1"), ("down", "i4"), ("touch", "i4"), ("left", "f8"), ("room", "f8")], align=True
)
END_WORK = np.dtype([("cut", "u1"), ("dead_out", "i4"), ("dead_in", "i4"), ("listed", "i4")], align=True)
ENTRY_WORK = np.dtype([("marked", "u1"), ("listed", "i8"), ("following", "i8")], align=True)
ROW_WORK = np.dtype([("marked", "u1"), ("listed", "i4"), ("entry", "i8"), ("item", "i8")], align=True)
GROUP_WORK = np.dtype([("gone", "i4")])
BLOCK_WORK = np.dtype([("marked", "u1"), ("listed", "i4")], align=True)
PLACE_WORK = np.dtype(
    [("flag", "u1"), ("lost", "u1"), ("total", "f8"), ("passes", "f8"), ("arrives", "f8")], align=True
)


class Lines(NamedTuple):
    """The fabric's directed links, and the nodes of the routing graph at their ends."""

    frozen: bool
    rule: int  # code of ``shortest_splits``
    classes: int
    extra: float  # room that a sprayed Gbps takes beyond itself
    sprayed: bool  # whether the last column counts what never had a choice of next hops
    link: Records  # shape (L,)
    gbps: Floats  # shape (L, K), intact
    tail: Ints  # shape (E,), by slot of the adjacency by head
    slot_link: Ints  # shape (E,)
    links_in: Ints  # shape (V + 1,), links into a graph node


class Rows(NamedTuple):
    """Per destination the nodes that its traffic crosses, nearest first, and their next hops.

    Nodes of row r are ``row[r].node_start`` to ``row[r + 1].node_start``, next hops of node n are ``node[n].hop_start``
    to ``node[n + 1].hop_start``; ``head`` and ``tail`` of hops count nodes from the row's first.
    """

    row: Records  # shape (D + 1,)
    node: Records  # shape (nodes + 1,)
    hop: Records
    amount: Floats  # shape (nodes, K), Gbps that a node sends on
    use_start: Longs  # shape (L + 1,)
    use: Longs  # hops over a link, ascending


class Ends(NamedTuple):
    """Demand of graph nodes, entry by entry, and the pairs of endpoints behind it."""

    start: Longs  # shape (D + 1,)
    entry: Records  # shape (nnz + 1,)
    gbps: Floats  # shape (nnz, C)
    pairs: Longs  # shape (nnz, C)
    node: Records  # shape (V + 1,)
    end: Records  # shape (N + 1,)
    pair: Records  # pairs listed one by one
    block: Records  # everybody to everybody, shape (B + 1,)
    member: Records  # of blocks
    sender: Records  # members of a block that enter at one node
    receiver: Records  # members of a block that leave at one node


class Work(NamedTuple):
    """Working arrays of one thread; all that a case writes is undone after it."""

    link: Records  # shape (L,)
    delta: Floats  # shape (L, K), difference to the intact state; the load itself once it is settled
    tail: Ints  # shape (E,), by slot; dead links come from a node that leads nowhere
    capacity: Floats  # by slot
    dead_in: Ints  # shape (V + 1,)
    end: Records  # shape (N,)
    hurt: Longs  # shape (C,), pairs that have lost their path
    entry_gbps: Floats  # shape (nnz, C), change of what enters
    entry_pairs: Longs  # pairs that are gone
    entry: Records
    row: Records
    sender: Records
    receiver: Records
    block: Records
    place: Records  # by node of the row in hand
    change: Floats  # shape (most nodes of a row, K)
    part: Floats  # by hop of the row in hand
    sizes: Longs  # lengths of the lists: links down, touched, endpoints cut, entries, rows, blocks


class Thread(NamedTuple):
    """All that one thread follows cases with."""

    lines: Lines
    rows: Rows
    ends: Ends
    work: Work
    net: SweepNet  # with the thread's own tails and capacities
    sweep: Sweep
    amount: Floats  # shape (V + 1, K)
    active: Marks
    hops: Longs  # of the case in hand: what leads over links that change
    following: Longs  # the next of the same row, -1
