"""``prometheus``: interface counters of hosts as CSV; who talks to whom is estimated from what each sends and gets."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np

from topologies.columns import column
from topologies.registry import Injected
from topologies.text_input import Findings, number
from topologies.topology import Topology
from traffic.addresses import AddressBook
from traffic.csv_table import csv_rows
from traffic.workload import DEMAND_FORMATS, DemandRows

_HEADER = ("time", "node", "tx_bytes", "rx_bytes")
_MOST_NODES = 4_000
_ROUNDS = 50


@DEMAND_FORMATS.register("prometheus", example={"path": "counters.csv"})
def read_prometheus(
    path: Path, topology: Injected[Topology], unit: str | None = None, addresses: Path | None = None
) -> DemandRows:
    """Mean rates of every host between its first and last sample, spread over pairs by gravity.

    Pair (i, j) gets what i sends times the share of j in what all receive, fitted until rows and columns add up. A
    counter that falls has started again from 0.

    Parameters
    ----------
    path : Path
        CSV with the columns ``time`` (s), ``node``, ``tx_bytes`` and ``rx_bytes``, the counters
        ``node_network_transmit_bytes_total`` and ``node_network_receive_bytes_total`` summed over a host's NICs.
    topology : Topology
        Whose endpoints the nodes are.
    unit : str, optional
        Not used: counters are bytes.
    addresses : Path, optional
        Table ``address,node``, for instances that are addresses.

    Raises
    ------
    FormatError
        With file and line (FP6220, FP6221, FP6223).

    References
    ----------
    Zhang et al., "Fast accurate computation of large-scale IP traffic matrices from link loads", SIGMETRICS 2003.
    """
    findings = Findings(path)
    book = AddressBook(topology, addresses)
    samples: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
    for line, row in csv_rows(findings, path, _HEADER):
        values = [number(row[key]) for key in ("time", "tx_bytes", "rx_bytes")]
        if any(value is None or value < 0 for value in values):
            findings.add("time and counters are numbers, 0 or more", code="FP6223", line=line)
            continue
        node = book.node(row["node"].rsplit(":", 1)[0] if row["node"].count(":") == 1 else row["node"])
        if node is not None:
            samples[node].append((values[0] or 0.0, values[1] or 0.0, values[2] or 0.0))
    if len(samples) > _MOST_NODES:
        findings.add(f"{len(samples):,} nodes; {_MOST_NODES:,} are the most", code="FP6221", line=1)
    findings.finish()
    nodes = np.array(sorted(samples), dtype=np.int32)
    rates = np.array([_rates(samples[int(node)]) for node in nodes]).reshape(-1, 2)
    pairs = fitted(rates[:, 0], rates[:, 1])
    src, dst = np.nonzero(pairs)
    note = "pairs are estimated from what each node sends and receives (gravity)"
    return DemandRows(
        column(nodes[src], np.int32),
        column(nodes[dst], np.int32),
        column(pairs[src, dst], np.float64),
        (note, *book.warnings()),
    )


def _rates(samples: list[tuple[float, float, float]]) -> tuple[float, float]:
    """Gbps sent and received between the first and last sample."""
    ordered = np.array(sorted(samples))
    span = ordered[-1, 0] - ordered[0, 0]
    if span <= 0:
        return 0.0, 0.0
    step = np.diff(ordered[:, 1:], axis=0)
    grown = np.where(step < 0, ordered[1:, 1:], step).sum(axis=0)
    return float(grown[0] * 8e-9 / span), float(grown[1] * 8e-9 / span)


def fitted(sent: np.ndarray, received: np.ndarray) -> np.ndarray:
    """Matrix without diagonal whose rows add up to what is sent, and columns, scaled likewise, to what is received.

    >>> fitted(np.array([3.0, 1.0, 0.0]), np.array([0.0, 2.0, 2.0])).sum(axis=1).round(6).tolist()
    [3.0, 1.0, 0.0]
    """
    total = received.sum()
    if total <= 0 or sent.sum() <= 0:
        return np.zeros((len(sent), len(sent)))
    wanted = received * (sent.sum() / total)
    matrix = np.outer(sent, wanted)
    np.fill_diagonal(matrix, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_ROUNDS):
            matrix *= np.nan_to_num(wanted / matrix.sum(axis=0), posinf=0)[None, :]
            matrix *= np.nan_to_num(sent / matrix.sum(axis=1), posinf=0)[:, None]
    return matrix
