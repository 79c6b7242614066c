"""Which node of a fabric an address in measured traffic belongs to."""

from __future__ import annotations

import csv
import io
from ipaddress import ip_address
from pathlib import Path

import numpy as np

from topologies.columns import column
from topologies.named_parts import hint_for
from topologies.text_input import Findings, read_text, shown
from topologies.topology import Topology
from traffic.workload import DemandRows


class AddressBook:
    """Addresses of nodes; a node's own name is one of its addresses."""

    def __init__(self, topology: Topology, path: Path | None) -> None:
        self._topology = topology
        self._node: dict[str, str] = {}
        self.unknown: dict[str, int] = {}  # bytes or rows of addresses that belong to no node
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        """Take rows ``address,node``; every problem is noted with its line (FP6224)."""
        findings = Findings(path)
        lines = csv.reader(io.StringIO(read_text(path), newline=""), skipinitialspace=True)
        if [cell.strip() for cell in next(lines, [])] != ["address", "node"]:
            message, hint = "expected the header address,node", "rows are like 10.0.0.7,n001"
            findings.add(message, code="FP6224", line=1, column=1, hint=hint)
        for cells in lines:
            line = lines.line_num
            if not any(cells):
                continue
            address, _, node = (cells[0].strip(), None, cells[1].strip()) if len(cells) == 2 else ("", None, "")
            if not node or not self._topology.has_node(node):
                close = hint_for([self._topology], node) if node else ""
                hint = close or f"names are like {self._topology.nodes.name[0]}"
                findings.add(
                    f"{self._topology.name} has no node {shown(node)}" if node else "a row is address,node",
                    code="FP6224", line=line, hint=hint,
                )  # fmt: skip
                continue
            self._node[_plain(address)] = node
        findings.finish()

    def node(self, address: str, weight: int = 1) -> int | None:
        """Node of an address that is an endpoint; None, and counted, where there is none."""
        name = self._node.get(_plain(address), address)
        if self._topology.has_node(name):
            node = self._topology.node(name)
            if self._topology.nodes.nics[node] > 0:
                return node
        self.unknown[address] = self.unknown.get(address, 0) + weight
        return None

    def warnings(self) -> tuple[str, ...]:
        """What was left out, the largest first."""
        if not self.unknown:
            return ()
        most = sorted(self.unknown, key=lambda address: -self.unknown[address])[:3]
        return (
            f"{len(self.unknown):,} addresses belong to no endpoint and their traffic is left out: {', '.join(most)}"
            + (", ..." if len(self.unknown) > 3 else ""),
        )


def _plain(address: str) -> str:
    """The usual spelling of an IP address; other words as they are."""
    try:
        return str(ip_address(address))
    except ValueError:
        return address


def rows_of(volume: dict[tuple[int, int], float], seconds: float, book: AddressBook) -> DemandRows:
    """Rates from bytes by pair over a time; a time of nothing counts as one second."""
    pairs = np.array(sorted(volume), dtype=np.int32).reshape(-1, 2)
    span = seconds if np.isfinite(seconds) and seconds > 0 else 1.0
    rate = [volume[src, dst] * 8e-9 / span for src, dst in pairs.tolist()]
    return DemandRows(
        column(pairs[:, 0], np.int32), column(pairs[:, 1], np.int32), column(rate, np.float64), book.warnings()
    )
