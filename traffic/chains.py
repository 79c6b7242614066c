"""Chains: from one rank to the next and on, as broadcast and reduce go in pieces."""

from __future__ import annotations

import numpy as np

from traffic.collective import CollectiveTraffic, GroupLayout, together
from traffic.formula import Formula
from traffic.rings import inside_hosts


def rail_chain(layout: GroupLayout, sent: Formula, *, upwards: bool = False) -> CollectiveTraffic:
    """A chain as NCCL lays it: every rail takes its part of the buffer to the next host, the GPUs of a host the rest.

    With g ranks on every host 1/g of the buffer goes along each rail, and every rank passes the other parts on to its
    neighbour in the host, so that a host sends the buffer once, over all of its NICs.

    Parameters
    ----------
    upwards : bool
        Whether the last sends first, as to reduce.
    """
    table = layout.rails
    hosts, rails = table.shape
    tail, head = table[:-1], table[1:]
    if upwards:
        tail, head = head, tail
    along = CollectiveTraffic.of(tail, head, sent.value / rails, sent)
    if hosts == 1:  # one host: the chain of its ranks
        order = np.sort(table.ravel())
        tail, head = order[:-1], order[1:]
        return CollectiveTraffic.of(*((head, tail) if upwards else (tail, head)), sent.value, sent)
    return together([along, inside_hosts(table, sent.value * (rails - 1) / rails, sent)], sent)
