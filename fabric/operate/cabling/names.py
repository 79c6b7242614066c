"""From names that are heard to ends of the plan.

A device is taken by its name in the plan; then by the same without case, domain and marks (``pod0/edge1`` is
``pod0-edge1.dc1`` to LLDP); then by an alias. A port is taken by its name, without case, or by an alias; an address is
an alias that holds on every device. Where ports of InfiniBand go by numbers, the n-th port of a node is its port n.

Interfaces that no plan has, such as ``enp12s0f0``, are learned: where devices of one kind (equal port names) hear and
are heard so that a name stands for one port of the plan on at least three of them and in four of five cases, it is that
port on all of them, which is said. Cables that are wrong are the fifth case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fabric.operate.cabling.aliases import Alias
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.observed.neighbours import Names, Neighbours
from topologies.errors import FormatError, nearest_hint

UNKNOWN, AMBIGUOUS = -1, -2
LEAST_VOTES, LEAST_PART = 3, 0.8
_MARKS = re.compile(r"[^a-z0-9]+")
_MAC = re.compile(r"^[0-9a-f]{2}(?:[:\-.]?[0-9a-f]{2}){5}$|^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$", re.IGNORECASE)


def canonical(name: str) -> str:
    """A name without case and marks.

    >>> canonical("pod0/Edge1"), canonical("pod0-edge1")
    ('pod0-edge1', 'pod0-edge1')
    """
    return _MARKS.sub("-", name.lower()).strip("-")


def address(name: str) -> str:
    """A MAC address in one spelling; empty for other names.

    >>> address("00:1C:73:a0:fc:18"), address("001c.73a0.fc18"), address("leaf0")
    ('001c73a0fc18', '001c73a0fc18', '')
    """
    return re.sub(r"[^0-9a-f]", "", name.lower()) if _MAC.match(name) else ""


@dataclass
class _Holder:
    """What has ports: a device, or one of its nodes where it has several."""

    device: int
    ports: dict[str, int] = field(default_factory=dict)  # lower-case name -> end
    numbers: dict[str, int] = field(default_factory=dict)  # "1", "2", ... -> end


@dataclass(frozen=True)
class Found:
    """What a device and port that are heard are: of the plan where ``end`` is at least 0."""

    device: int  # row of the plan's devices, UNKNOWN for others
    end: int


class PlanNames:
    """Looks up devices and ports of a plan."""

    def __init__(self, ends: PlannedEnds, aliases: Sequence[Alias] = (), file: Path | None = None) -> None:
        self.ends = ends
        self._holders = [_Holder(device) for device in range(len(ends.devices))]
        self._by_name: dict[str, int] = {name: at for at, name in enumerate(ends.devices)}
        self._by_canonical: dict[str, int] = {}
        self._by_address: dict[str, tuple[int, int]] = {}  # address -> device, end (UNKNOWN: the device alone)
        self._known: dict[Names, int] = {}
        self._learned: dict[tuple[int, str], str] = {}  # kind of device, name -> name of the plan
        self._fill()
        for name, at in self._by_name.items():
            key = canonical(name)
            self._by_canonical[key] = at if key not in self._by_canonical else AMBIGUOUS
        for alias in aliases:
            self._alias(alias, file)

    def _fill(self) -> None:
        ends = self.ends
        nodes: dict[tuple[int, int], int] = {}
        columns = zip(
            ends.fabric.tolist(), ends.node.tolist(), ends.device.tolist(), ends.port, ends.ordinal.tolist(),
            ends.of_node.tolist(), strict=True,
        )  # fmt: skip
        several = self._nodes_with_names()
        for end, (fabric, node, device, port, ordinal, rank) in enumerate(columns):
            holder = self._holders[device]
            holder.ports[port.lower()] = end
            holder.numbers[str(ordinal + 1)] = end
            if (fabric, node) in several:
                at = nodes.get((fabric, node))
                if at is None:
                    at = nodes[fabric, node] = len(self._holders)
                    self._holders.append(_Holder(device))
                    self._by_name.setdefault(several[fabric, node], at)
                own = self._holders[at]
                own.ports[port.lower()] = end
                own.numbers[str(rank + 1)] = end

    def _nodes_with_names(self) -> dict[tuple[int, int], str]:
        """Nodes that go by another name than their device, such as NICs of a host."""
        found: dict[tuple[int, int], str] = {}
        for code, fabric in enumerate(self.ends.fabrics):
            mine = self.ends.fabric == code
            device = dict(zip(self.ends.node[mine].tolist(), self.ends.device[mine].tolist(), strict=True))
            names = self.ends.topologies[fabric].nodes.name
            found |= {(code, node): names[node] for node, at in device.items() if names[node] != self.ends.devices[at]}
        return found

    def _alias(self, alias: Alias, file: Path | None) -> None:
        """Enter one; of a device that the plan does not have it is refused."""
        at = self.device((alias.device,))
        devices = list(alias.matches(self.ends.devices)) if alias.is_pattern else [at] if at >= 0 else []
        if not devices:
            hint = nearest_hint(alias.device, self.ends.devices, "devices")
            raise self._wrong(alias, f"the plan has no device {alias.device!r}", hint, file)
        if not alias.port:
            for device in devices:
                self._by_name.setdefault(alias.alias, device)
                self._by_canonical.setdefault(canonical(alias.alias), device)
                if address(alias.alias):
                    self._by_address[address(alias.alias)] = (self._holders[device].device, UNKNOWN)
            return
        hits = [(device, self._holders[device].ports.get(alias.port.lower(), UNKNOWN)) for device in devices]
        hits = [(device, end) for device, end in hits if end >= 0]
        if not hits:
            ports = [self.ends.port[end] for end in self._holders[devices[0]].ports.values()]
            hint = nearest_hint(alias.port, ports, "ports")
            raise self._wrong(alias, f"{alias.device} has no port {alias.port!r} in the plan", hint, file)
        for device, end in hits:
            self._holders[device].ports.setdefault(alias.alias.lower(), end)
            if address(alias.alias):
                self._by_address[address(alias.alias)] = (self._holders[device].device, end)

    @staticmethod
    def _wrong(alias: Alias, message: str, hint: str, file: Path | None) -> FormatError:
        return FormatError(message, file=str(file), line=alias.line, column=1, hint=hint, code="FP6604")

    # ---- looking up ---------------------------------------------------------------------------------------------

    def device(self, names: Names) -> int:
        """Holder that something goes by one of these names; UNKNOWN where none does."""
        known = self._known.get(names)
        if known is None:
            known = self._known[names] = self._device(names)
        return known

    def _device(self, names: Names) -> int:
        for name in names:
            found = self._by_name.get(name, UNKNOWN)
            if found >= 0:
                return found
        for name in names:
            for key in (canonical(name), canonical(name.split(".", 1)[0]), canonical(name.split(" ", 1)[0])):
                found = self._by_canonical.get(key, UNKNOWN)
                if found >= 0:
                    return found
        for name in names:
            found, _ = self._by_address.get(address(name), (UNKNOWN, UNKNOWN))
            if found >= 0:
                return found
        return UNKNOWN

    def find(self, device: Names, port: Names, *, numbered: bool = False) -> Found:
        """A device and a port by what they go by."""
        holder = self.device(device)
        if holder >= 0:
            own = self._holders[holder]
            for name in port:
                end = (own.numbers if numbered else own.ports).get(name.lower(), UNKNOWN)
                if end >= 0:
                    return Found(own.device, end)
            end = self._by_learned(own.device, port)
            if end >= 0:
                return Found(own.device, end)
        for name in port:
            at, end = self._by_address.get(address(name), (UNKNOWN, UNKNOWN)) if not name.isdigit() else (-1, -1)
            if end >= 0:
                return Found(at, end)
        return Found(self._holders[holder].device if holder >= 0 else UNKNOWN, UNKNOWN)

    def _by_learned(self, device: int, port: Names) -> int:
        if not self._learned:
            return UNKNOWN
        for name in port:
            wanted = self._learned.get((self.kinds[device], name))
            if wanted is not None:
                return self._holders[device].ports.get(wanted.lower(), UNKNOWN)
        return UNKNOWN

    # ---- learning -----------------------------------------------------------------------------------------------

    @property
    def kinds(self) -> list[int]:
        """Kind of every device: those of one kind have ports of the same names."""
        if not hasattr(self, "_kinds"):
            codes: dict[tuple[str, ...], int] = {}
            devices = self._holders[: len(self.ends.devices)]
            self._kinds = [codes.setdefault(tuple(sorted(own.ports)), len(codes)) for own in devices]
        return self._kinds

    def learn(self, heard: Neighbours, found: Sequence[tuple[Found, Found]]) -> list[str]:
        """Learn what interfaces are called where the plan's names are not used; what was learned, in words.

        Parameters
        ----------
        found : sequence
            What both sides of every record are, as far as it is known.
        """
        votes: dict[tuple[int, str], Counter[str]] = {}
        for row, (here, there) in enumerate(found):
            if here.end >= 0 and there.end < 0 and there.device >= 0:
                self._vote(votes, here.end, there.device, heard.far_port[row])
            elif there.end >= 0 and here.end < 0 and here.device >= 0:
                self._vote(votes, there.end, here.device, (heard.port[row],))
        for key, counter in votes.items():
            (best, most), *_ = counter.most_common(1)
            if most >= LEAST_VOTES and most >= LEAST_PART * counter.total():
                self._learned[key] = best
        self._without_clashes()
        return self._words(votes)

    def _vote(self, votes: dict[tuple[int, str], Counter[str]], end: int, device: int, names: Names) -> None:
        """What a name stands for if the cable at an end is right."""
        mate = end ^ 1
        if int(self.ends.device[mate]) == device:
            for name in names:
                if not address(name):
                    votes.setdefault((self.kinds[device], name), Counter())[self.ends.port[mate]] += 1

    def _without_clashes(self) -> None:
        """Two names of one kind that stand for one port are no names of ports."""
        taken = Counter((kind, port) for (kind, _), port in self._learned.items())
        self._learned = {key: port for key, port in self._learned.items() if taken[key[0], port] == 1}

    def _words(self, votes: Mapping[tuple[int, str], Counter[str]]) -> list[str]:
        if not self._learned:
            return []
        some = [
            f"{name} = {port} ({votes[kind, name][port]:,} of {votes[kind, name].total():,})"
            for (kind, name), port in list(self._learned.items())[:3]
        ]
        more = ", …" if len(self._learned) > len(some) else ""
        return [
            f"{len(self._learned):,} interfaces that the plan does not name are taken by what most of them hear: "
            f"{', '.join(some)}{more}; --names FILE says it"
        ]
