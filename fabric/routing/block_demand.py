"""Demand of dense blocks between graph nodes: by pairs of the switches that members are on, never by pairs of members.

Blocks are worked out together: a job with expert parallelism has tens of thousands of small ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from topologies.budget import Counts, check_memory
from topologies.columns import Floats, Ints, Longs, column
from topologies.errors import RoutingError
from traffic.demands import UniformBlock

Values = TypeVar("Values", Ints, Floats)
DEMAND_BYTES = 130  # of a pair of graph nodes while demand is gathered: its key and amount, sorted and joined


class OnlyBlock(NamedTuple):
    """Demand of one block; see ``PhaseDemand``."""

    dest: Ints
    start: Ints
    src: Ints
    gbps: Floats  # shape (nnz,)


def block_entries(
    blocks: Sequence[UniformBlock], source: Ints, sink: Ints, nodes: int, gbps_per_unit: float
) -> tuple[Longs, Floats]:
    """Entries of blocks between the terminals of their members, block by block.

    Parameters
    ----------
    source, sink : ndarray, shape (N,)
        Graph node where an endpoint's traffic enters and leaves.
    nodes : int
        Graph nodes.

    Returns
    -------
    key : ndarray, shape (cells,)
        sink x nodes + source. Pairs of one node with itself are among them.
    gbps : ndarray, shape (cells,)
    """
    members = np.concatenate([block.members for block in blocks])
    block = np.repeat(np.arange(len(blocks)), [len(one.members) for one in blocks])
    each = np.array([one.amount * gbps_per_unit for one in blocks])
    enters = _runs(block * nodes + source[members])
    leaves = _runs(block * nodes + sink[members])
    entry_block, leave_block = enters[0] // nodes, leaves[0] // nodes
    entry_start = np.searchsorted(entry_block, np.arange(len(blocks) + 1))
    width = np.diff(entry_start)[leave_block]  # cells of every leaving node
    _check(len(members), int(width.sum()))
    start = np.cumsum(width) - width
    row = np.repeat(np.arange(len(width)), width)
    at = np.arange(len(row)) - start[row] + entry_start[leave_block[row]]
    count = (leaves[1][row] * enters[1][at]).astype(np.float64)
    apart = source[members] != sink[members]
    if apart.any():  # nobody sends to itself; where both are one node, the whole cell is no demand
        leave = np.searchsorted(leaves[0], (block * nodes + sink[members])[apart])
        entry = np.searchsorted(enters[0], (block * nodes + source[members])[apart])
        np.subtract.at(count, start[leave] + entry - entry_start[block[apart]], 1.0)
    key = (leaves[0] % nodes)[row] * nodes + (enters[0] % nodes)[at]
    return key, count * each[leave_block[row]]


def only_block(block: UniformBlock, source: Ints, sink: Ints, gbps_per_unit: float) -> OnlyBlock | None:
    """Demand of a single block whose members send and receive at the same nodes; None where they do not.

    Rows and columns of its table are the same nodes, so that it is written as it is: all but the diagonal.
    """
    if (source[block.members] != sink[block.members]).any():
        return None
    nodes, members = _runs(source[block.members].astype(np.int64))
    count, each = len(nodes), block.amount * gbps_per_unit
    if each <= 0 or count < 2:
        return None
    _check(len(block.members), count * count)
    gbps = np.outer(members, members).astype(np.float64)
    gbps *= each
    node = column(nodes, np.int32)
    return OnlyBlock(
        node,
        column(np.arange(count + 1) * (count - 1), np.int32),
        column(_off_diagonal(np.tile(node, count), count), np.int32),
        column(_off_diagonal(gbps.ravel(), count), np.float64),
    )


def _off_diagonal(table: Values, count: int) -> Values:
    """What is beside the diagonal of a square table, row by row."""
    return np.ascontiguousarray(table[1:].reshape(count - 1, count + 1)[:, :-1]).reshape(-1)


def _runs(keys: Longs) -> tuple[Longs, Longs]:
    """Different keys in ascending order, and how often each comes."""
    if (keys[1:] < keys[:-1]).any():
        keys = np.sort(keys)
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    return keys[first], np.diff(np.append(first, len(keys)))


def _check(members: int, cells: int) -> None:
    check_memory(
        Counts([("endpoints", members), ("pairs of the switches they are on", cells)], cells * DEMAND_BYTES, cells),
        "an all-to-all",
        error=RoutingError,
        code="FP5004",
        smaller="fewer members",
    )
