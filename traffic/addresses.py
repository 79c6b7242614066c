"""Which node of a fabric an address in measured traffic belongs to, and how much of the traffic that leaves out."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import ip_address, ip_network
from pathlib import Path

import numpy as np

from topologies.columns import column
from topologies.errors import FormatError
from topologies.former_names import present_name, renamed_notes
from topologies.named_parts import hint_for
from topologies.reading.csv_input import CsvInput
from topologies.reading.text_input import Findings, shown
from topologies.topology import Topology
from topologies.units import format_bytes, percent
from traffic.workload import DemandRows

MOST_UNKNOWN = 0.5  # share of the bytes that may belong to no endpoint unless a scenario says otherwise
_NAMED = 3


class AddressBook:
    """Addresses of nodes; a node's own name is one of its addresses.

    An address is looked up as it is written, then without its port, then in the longest prefix that holds it.
    """

    def __init__(self, topology: Topology, path: Path | None, most_unknown: float = MOST_UNKNOWN) -> None:
        self._topology = topology
        self._path = path
        self._most_unknown = most_unknown
        self._node: dict[str, str] = {}
        self._bare: dict[str, set[str]] = defaultdict(set)  # nodes of an address, whatever the port
        self._prefixes: dict[tuple[int, int], dict[int, str]] = {}  # by version and length
        self._known: dict[str, int | None] = {}
        self._renamed: dict[str, str] = {}
        self.unknown: dict[str, float] = {}  # bytes of addresses that belong to no endpoint
        self.total_bytes, self.lost_bytes, self.own_bytes = 0.0, 0.0, 0.0
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        """Take rows ``address,node``; every problem is noted with its line (FP6224)."""
        findings = Findings(path)
        table = CsvInput(findings, path, header_code="FP6224", row_code="FP6224")
        if table.header != ["address", "node"]:
            table.refuse("expected the header address,node", "rows are like 10.0.0.7,n001")
        line_of: dict[str, int] = {}
        for line, (address, written) in table.rows():
            node = self._present(written)
            problem, hint = self._problem(address, node), ""
            spelt = "" if problem else _plain(address)
            if node and not self._topology.has_node(node):
                hint = hint_for([self._topology], node) or f"names are like {self._topology.nodes.name[0]}"
            if not problem and self._node.get(spelt, node) != node:
                problem = f"{address} is {node} here and {self._node[spelt]} in line {line_of[spelt]}"
                hint = "an address belongs to one node; a table of leases has the one at the time of measuring"
            if problem:
                findings.add(problem, code="FP6224", line=line, hint=hint)
                continue
            line_of.setdefault(spelt, line)
            self._node[spelt] = node
            self._bare[_without_port(spelt)].add(node)
            if "/" in spelt:
                network = ip_network(spelt)
                self._prefixes.setdefault((network.version, network.prefixlen), {})[int(network.network_address)] = node
        findings.finish()

    def _present(self, node: str) -> str:
        """The present name of a node that the table calls by its former one."""
        name = None if self._topology.has_node(node) else present_name(self._topology, node)
        if name is not None:
            self._renamed[node] = name
        return name or node

    def _problem(self, address: str, node: str) -> str:
        if not address or not node:
            return "a row is address,node"
        if not self._topology.has_node(node):
            return f"{self._topology.name} has no node {shown(node)}"
        if "/" in address:
            try:
                ip_network(address)
            except ValueError as error:
                return f"{shown(address)} is not a prefix: {error}"
        return ""

    def node(self, address: str) -> int | None:
        """Node of an address that is an endpoint; None where there is none."""
        if address not in self._known:
            self._known[address] = self._look_up(address)
        return self._known[address]

    def _look_up(self, address: str) -> int | None:
        spelt = _plain(address)
        name = self._node.get(spelt)
        if name is None:
            bare = _without_port(spelt)
            nodes = self._bare.get(bare, set())
            name = next(iter(nodes)) if len(nodes) == 1 else None if nodes else self._of_prefix(bare) or address
        if name is not None and not self._topology.has_node(name):
            name = _without_port(name)
        if name is None or not self._topology.has_node(name):
            return None
        node = self._topology.node(name)
        return node if self._topology.nodes.nics[node] > 0 else None

    def _of_prefix(self, address: str) -> str | None:
        if not self._prefixes:
            return None
        try:
            ip = ip_address(address)
        except ValueError:
            return None
        for version, length in sorted(self._prefixes, reverse=True):
            if version == ip.version:
                first = int(ip) >> (ip.max_prefixlen - length) << (ip.max_prefixlen - length)
                node = self._prefixes[version, length].get(first)
                if node is not None:
                    return node
        return None

    def pair(self, src: str, dst: str, size: float) -> tuple[int, int] | None:
        """Nodes of two addresses between which ``size`` bytes went; None, and counted, for what crosses no link.

        That is traffic with an end that is no endpoint, and traffic of a node to itself.
        """
        self.total_bytes += size
        ends = [self.node(src), self.node(dst)]
        for address, end in zip((src, dst), ends, strict=True):
            if end is None:
                self.unknown[address] = self.unknown.get(address, 0.0) + size
        one, other = ends
        if one is None or other is None:
            self.lost_bytes += size
            return None
        if one == other:
            self.own_bytes += size
            return None
        return one, other

    def lost(self, address: str, size: float) -> None:
        """Count the bytes of an address that belongs to no endpoint."""
        self.total_bytes += size
        self.lost_bytes += size
        self.unknown[address] = self.unknown.get(address, 0.0) + size

    @property
    def lost_share(self) -> float:
        """Part of all bytes that has an end that is no endpoint."""
        return self.lost_bytes / self.total_bytes if self.total_bytes else 0.0

    def warnings(self) -> tuple[str, ...]:
        """What was left out, the largest first.

        Raises
        ------
        FormatError
            When that is a larger part of the bytes than the scenario accepts (FP6229).
        """
        said = renamed_notes(self._renamed, str(self._path))
        if self.own_bytes:
            said.append(f"{format_bytes(self.own_bytes)} from a node to itself cross no link and are left out")
        if not self.unknown:
            return tuple(said)
        most = sorted(self.unknown, key=lambda address: -self.unknown[address])[:_NAMED]
        names = ", ".join(most) + (", ..." if len(self.unknown) > _NAMED else "")
        count = f"{len(self.unknown):,} address" + ("es belong" if len(self.unknown) > 1 else " belongs")
        text = f"{count} to no endpoint: {names}; {percent(self.lost_share)} of the bytes are left out with them"
        if self.lost_share > self._most_unknown:
            table = str(self._path) if self._path else "no table of addresses is given"
            enough = percent(min(1.0, self.lost_share + 0.00499), 0).replace(" ", "")
            raise FormatError(
                f"{text}; up to {percent(self._most_unknown)} is accepted",
                file=table if self._path else None,
                hint=("complete the table" if self._path else "give a table address,node by addresses")
                + f", or max_unknown: {enough} takes the rest",
                code="FP6229",
            )
        return (text, *said)


def _plain(address: str) -> str:
    """The usual spelling of an IP address or prefix; other words as they are."""
    text = address.strip()
    try:
        return str(ip_network(text)) if "/" in text else str(ip_address(text.partition("%")[0]))
    except ValueError:
        return text


def _without_port(address: str) -> str:
    """An address or name before its port.

    >>> _without_port("10.0.0.1:9100"), _without_port("[fd00::1]:9100"), _without_port("fd00::1")
    ('10.0.0.1', 'fd00::1', 'fd00::1')
    """
    if address.startswith("["):
        return _plain(address[1:].partition("]")[0])
    head, mark, port = address.rpartition(":")
    return _plain(head) if mark and port.isdigit() and ":" not in head else address


def rows_of(volume: dict[tuple[int, int], float], seconds: float, book: AddressBook) -> DemandRows:
    """Rates from bytes by pair over a time, seconds, above 0."""
    pairs = np.array(sorted(volume), dtype=np.int32).reshape(-1, 2)
    rate = [volume[src, dst] * 8e-9 / seconds for src, dst in pairs.tolist()]
    return DemandRows(
        column(pairs[:, 0], np.int32), column(pairs[:, 1], np.int32), column(rate, np.float64), book.warnings()
    )
