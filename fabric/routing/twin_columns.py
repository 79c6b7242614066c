"""What equal splits over sets of twins read and write, as compiled loops see it; see ``twin_kernel``."""

from __future__ import annotations

from typing import NamedTuple

from topologies.columns import Bools, Floats, Ints, Longs


class Ends(NamedTuple):
    """Destinations by groups; what ends at a group is at the same sets, as often at each."""

    group_start: Longs  # shape (G + 1,), places in ``row``
    row: Longs  # shape (D,), rows of the demand
    start: Longs  # shape (D + 1,), by row
    end: Ints  # switches that a row's distances begin at, by ascending set
    is_switch: Bools  # shape (D,), by row: the destination is its own end


class HostLinks(NamedTuple):
    """Links of terminals, numbered apart from those between switches."""

    out_start: Longs  # shape (V + 1,)
    out_head: Ints
    out_link: Ints  # number of the load
    into_start: Longs  # shape (V + 1,)
    into_tail: Ints
    into_link: Ints


class OwnPlaces(NamedTuple):
    """Where the loads of a node's own links begin; -1 for one that is a set by itself."""

    sent: Longs  # shape (V,)
    received: Longs  # shape (V,)
    direct: Longs  # shape (Q,), where those of the pairs of nodes of a slot begin, sender by sender; -1: none
    rank: Longs  # shape (V,), of a node in its set


class TwinLoads(NamedTuple):
    """Loads per traffic class in the last dimension, Gbps."""

    passing: Floats  # shape (Q, C), of a slot, all its links together
    sent: Floats  # of a member's links to a set, together, that it starts
    received: Floats  # of the links of a set to a member, together, that end there
    direct: Floats  # of the links between two nodes, together, one of which starts what ends at the other
    host: Floats  # of every link of a terminal
