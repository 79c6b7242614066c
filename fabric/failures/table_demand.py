"""What a phase sends between nodes and destinations of tables, and how many pairs of endpoints that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.failures.table_columns import TableColumns
from fabric.routing.graph import DemandRows
from fabric.routing.router import PairTraffic
from topologies.columns import Bools, Floats, Ints, Longs, column, concatenate


@dataclass(frozen=True, eq=False)
class TableDemand:
    """Demand by destination: entries ``rows.start[r]:rows.start[r + 1]`` go to destination ``rows.dest[r]``."""

    rows: DemandRows
    gbps: Floats  # shape (entries, C), by traffic class
    sent: Floats  # shape (N, C), by endpoint
    received: Floats
    left_out: Longs  # shape (C,), pairs of which one end has no link left that is up

    @property
    def dest_of_entry(self) -> Ints:
        """Destination of every entry."""
        return column(np.repeat(self.rows.dest, np.diff(self.rows.start)), np.int32)


def table_demand(columns: TableColumns, pairs: Sequence[PairTraffic], sends: Bools, receives: Bools) -> TableDemand:
    """Gather what endpoints send that still can.

    Parameters
    ----------
    sends, receives : ndarray, shape (N,)
        Whether an endpoint has a link left to send, or to receive.
    """
    count, classes, nodes = len(columns.topology.nodes), len(pairs), len(columns.code)
    sent, received = np.zeros((count, classes)), np.zeros((count, classes))
    left_out = np.zeros(classes, dtype=np.int64)
    keys: list[Longs] = []
    values: list[Floats] = []
    codes: list[Ints] = []
    for code, pair in enumerate(pairs):
        flows, unit = pair.flows, pair.gbps_per_unit
        good = sends[flows.src] & receives[flows.dst]
        src, dst, gbps = flows.src[good], flows.dst[good], flows.amount[good] * unit
        left_out[code] += int((~good).sum())
        sent[:, code] += np.bincount(src, gbps, count)
        received[:, code] += np.bincount(dst, gbps, count)
        keys.append(columns.column_of[dst].astype(np.int64) * nodes + columns.source_of[src])
        values.append(gbps)
        codes.append(np.full(len(gbps), code))
        for block in flows.blocks:
            each = block.amount * unit
            from_, to = block.members[sends[block.members]], block.members[receives[block.members]]
            both = np.intersect1d(from_, to, assume_unique=True)
            left_out[code] += block.pairs - (len(from_) * len(to) - len(both))
            sent[from_, code] += each * (len(to) - np.isin(from_, both))
            received[to, code] += each * (len(from_) - np.isin(to, both))
            key, value = _block(columns, from_, to, both, each, nodes)
            keys.append(key)
            values.append(value)
            codes.append(np.full(len(key), code))
    key, value, code_of = concatenate(keys, np.int64), concatenate(values, np.float64), concatenate(codes, np.int64)
    keep = value > 0
    unique, inverse = np.unique(key[keep], return_inverse=True)
    cell = inverse * classes + code_of[keep]
    total = np.bincount(cell, value[keep], len(unique) * classes).reshape(len(unique), classes)
    to, src_node = np.divmod(unique, nodes)
    dest, first = np.unique(to, return_index=True)
    rows = DemandRows(
        column(dest, np.int32), column(np.append(first, len(unique)), np.int64), column(src_node, np.int32)
    )
    return TableDemand(
        rows,
        column(total, np.float64),
        column(sent, np.float64),
        column(received, np.float64),
        column(left_out, np.int64),
    )


def _block(
    columns: TableColumns, senders: Ints, receivers: Ints, both: Ints, each: float, nodes: int
) -> tuple[Longs, Floats]:
    """Entries (key, Gbps) between all senders and receivers of an all-to-all, nobody to itself."""
    sources, sending = np.unique(columns.source_of[senders], return_counts=True)
    dests, receiving = np.unique(columns.column_of[receivers], return_counts=True)
    amount = np.outer(receiving, sending).astype(np.float64)
    own = np.column_stack([columns.column_of[both], columns.source_of[both]])
    cells, minus = np.unique(own, axis=0, return_counts=True)
    amount[np.searchsorted(dests, cells[:, 0]), np.searchsorted(sources, cells[:, 1])] -= minus
    key = dests.astype(np.int64)[:, None] * nodes + sources[None, :]
    return key.ravel(), (amount * each).ravel()


def pairs_hit(
    columns: TableColumns, pairs: Sequence[PairTraffic], sends: Bools, receives: Bools, arrives: Floats, row_of: Ints
) -> tuple[Longs, Floats]:
    """Pairs of which something is lost on the way, and what still arrives where something is lost.

    Parameters
    ----------
    arrives : ndarray, shape (V + 2, Q)
        Part of what a node sends that arrives, for the destinations to which something is lost.
    row_of : ndarray, shape (D,)
        Place of every destination among those, -1 for the others.

    Returns
    -------
    hit : ndarray, shape (C,)
    received : ndarray, shape (N, C)
        Gbps that do not arrive, by endpoint that would receive them.
    """
    count, classes = len(columns.topology.nodes), len(pairs)
    hit, missing = np.zeros(classes, dtype=np.int64), np.zeros((count, classes))
    place = np.where(columns.column_of >= 0, row_of[columns.column_of], -1)  # of every endpoint's destination
    lost = 1.0 - arrives
    bad = lost > _ROUNDING
    for code, pair in enumerate(pairs):
        flows, unit = pair.flows, pair.gbps_per_unit
        mine = np.flatnonzero(sends[flows.src] & receives[flows.dst] & (place[flows.dst] >= 0))
        src, dst = columns.source_of[flows.src[mine]], place[flows.dst[mine]]
        hit[code] += int(bad[src, dst].sum())
        np.add.at(missing[:, code], flows.dst[mine], flows.amount[mine] * unit * lost[src, dst])
        for block in flows.blocks:
            senders = block.members[sends[block.members]]
            nodes, sending = np.unique(columns.source_of[senders], return_counts=True)
            some = block.members[receives[block.members] & (place[block.members] >= 0)]
            to = place[some]
            itself = sends[some]
            own = columns.source_of[some]
            hit[code] += int((sending @ bad[nodes])[to].sum()) - int((bad[own, to] & itself).sum())
            missing[some, code] += block.amount * unit * ((sending @ lost[nodes])[to] - lost[own, to] * itself)
    return hit, missing


_ROUNDING = 1e-12
