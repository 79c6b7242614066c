"""Reading demand files row by row: what the formats share."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.former_names import present_name, renamed_notes
from topologies.named_parts import hint_for
from topologies.reading.text_input import Findings, number, shown
from topologies.topology import Topology
from traffic.workload import DemandRows

GBPS_OF = {"kbps": 1e-6, "Mbps": 1e-3, "Gbps": 1.0}


class RowReader:
    """Checks and collects demands; every problem is noted with its line."""

    def __init__(self, findings: Findings, topology: Topology, gbps_of_unit: float) -> None:
        self._findings = findings
        self._topology = topology
        self._unit = gbps_of_unit
        self._rows: list[tuple[int, int, float]] = []
        self._own = 0
        self._renamed: dict[str, str] = {}

    def numbered(self, line: int, place: int, word: str) -> int | None:
        """Node of a number, from 0 in the order of the topology; None after a problem."""
        last = len(self._topology.nodes) - 1
        if not (word.isascii() and word.isdigit()) or int(word) > last:
            self._findings.add(
                f"{shown(word)} is not a node; nodes are numbered 0 to {last}",
                code="FP6222",
                line=line,
                column=place,
                length=len(word),
                hint="nodes are counted in the order of the topology",
            )
            return None
        return self._endpoint(line, place, int(word))

    def named(self, line: int, name: str) -> int | None:
        """Node of a name; None after a problem."""
        present = name if self._topology.has_node(name) else present_name(self._topology, name)
        if present is None:
            hint = hint_for([self._topology], name) or f"names are like {self._topology.nodes.name[0]}"
            self._findings.add(f"{self._topology.name} has no node {shown(name)}", code="FP6222", line=line, hint=hint)
            return None
        if present != name:
            self._renamed[name] = present
        return self._endpoint(line, None, self._topology.node(present))

    def _endpoint(self, line: int, place: int | None, node: int) -> int | None:
        if self._topology.nodes.nics[node] > 0:
            return node
        name = self._topology.nodes.name[node]
        self._findings.add(
            f"{name} is a switch; traffic starts and ends at hosts",
            code="FP6222",
            line=line,
            column=place,
            hint="name the hosts behind it",
        )
        return None

    def add(self, line: int, src: int | None, dst: int | None, place: int | None, amount: str) -> None:
        """Take one demand; a node's traffic to itself crosses no link and is left out."""
        value = number(amount)
        if value is None or value < 0:
            message = f"demand is {shown(amount)}; it is a number, 0 or more"
            self._findings.add(message, code="FP6223", line=line, column=place, length=len(amount))
            return
        if src is None or dst is None:
            return
        if src == dst:
            self._own += 1
            return
        self._rows.append((src, dst, value * self._unit))

    def finish(self) -> DemandRows:
        """The rows read.

        Raises
        ------
        FormatError
            With all problems noted.
        """
        self._findings.finish()
        self._findings.note(*renamed_notes(self._renamed, self._findings.file))
        src, dst, rate = zip(*self._rows, strict=True) if self._rows else ((), (), ())
        own = f"{self._own} demands from a node to itself cross no link and are left out"
        again = len(self._rows) - len(set(zip(src, dst, strict=True)))
        if again:
            self._findings.note(f"{again:,} rows are of pairs that have one already; rates of equal pairs add up")
        return DemandRows(
            column(src, np.int32), column(dst, np.int32), column(rate, np.float64), (own,) if self._own else (),
            notes=self._findings.notes,
        )  # fmt: skip

    @property
    def one_way_pairs(self) -> int:
        """Pairs with a demand, where no pair has one in both directions; 0 where one has."""
        pairs = {(src, dst) for src, dst, _ in self._rows}
        return 0 if any((dst, src) in pairs for src, dst in pairs) else len(pairs)

    def both_directions(self) -> None:
        """Let every demand count from its destination to its source too."""
        self._rows += [(dst, src, rate) for src, dst, rate in self._rows]
