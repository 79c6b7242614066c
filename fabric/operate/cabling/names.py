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
from fabric.operate.cabling.free_ports import FreePort, FreePorts
from fabric.operate.cabling.given_names import GivenNames
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.observed.neighbours import Names, Neighbours
from topologies.errors import nearest_hint

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
    ports: dict[str, int] = field(default_factory=dict)  # lower-case name of the plan -> end
    numbers: dict[str, int] = field(default_factory=dict)  # "1", "2", ... -> end
    given: dict[str, int] = field(default_factory=dict)  # lower-case alias -> end
    displaced: set[str] = field(default_factory=set)  # names of the plan that hold no longer


@dataclass(frozen=True)
class Found:
    """What a device and port that are heard are: of the plan where ``end`` is at least 0."""

    device: int  # row of the plan's devices, UNKNOWN for others
    end: int
    free: FreePort | None = None  # a port of the device that the plan leaves free


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
        self._free = FreePorts(ends)
        self._fill()
        for name, at in self._by_name.items():
            key = canonical(name)
            self._by_canonical[key] = at if key not in self._by_canonical else AMBIGUOUS
        self._enter(aliases, file)

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
                    name = several[fabric, node]
                    self._by_name[name] = at if name not in self._by_name else AMBIGUOUS
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

    # ---- names that are given ---------------------------------------------------------------------------------------

    def _enter(self, aliases: Sequence[Alias], file: Path | None) -> None:
        """Enter what is given; what fits nothing, or contradicts the plan or another row, is refused."""
        given = GivenNames(self._words_of, file)
        for alias in aliases:
            for holder, end in self._meant(alias, given):
                given.give(alias, holder, end, address(alias.alias))
        for holder, names in given.ports.items():
            own = self._holders[holder]
            renamed = {end for name, (end, _) in names.items() if not address(name)}
            own.displaced = given.displaced_ports(holder, own.ports, renamed)
            own.given = {name: end for name, (end, _) in names.items()}
        self._enter_devices(given)
        self._by_address = {
            name: (self._holders[holder].device, end) for name, (holder, end, _) in given.addresses.items()
        }
        self._known.clear()

    def _enter_devices(self, given: GivenNames) -> None:
        """Names of devices, which win over those of the plan in every spelling."""
        renamed = {holder for name, (holder, _) in given.devices.items() if not address(name)}
        planned = {name: self._by_canonical.get(canonical(name), UNKNOWN) for name in given.devices}
        for name, holder in self._by_name.items():
            if holder in renamed:
                planned[name] = holder
        gone = given.displaced_devices(planned, renamed)
        for name in gone:
            self._by_name.pop(name, None)
            self._by_canonical.pop(canonical(name), None)
        for name, (holder, _) in given.devices.items():
            self._by_name[name] = self._by_canonical[canonical(name)] = holder

    def _meant(self, alias: Alias, given: GivenNames) -> list[tuple[int, int]]:
        """Devices, and ends on them or UNKNOWN, that a row is of."""
        at = self.device((alias.device,))
        devices = list(alias.matches(self.ends.devices)) if alias.is_pattern else [at] if at >= 0 else []
        if at == AMBIGUOUS and not devices:
            raise given.wrong(
                alias,
                f"the plan has several devices that go by {alias.device!r}",
                f"name one: {', '.join(self.sharing(alias.device))}",
            )
        if not devices:
            hint = nearest_hint(alias.device, self.ends.devices, "devices")
            raise given.wrong(alias, f"the plan has no device {alias.device!r}", hint)
        if not alias.port:
            return [(device, UNKNOWN) for device in devices]
        hits = [(device, self._holders[device].ports.get(alias.port.lower(), UNKNOWN)) for device in devices]
        hits = [(device, end) for device, end in hits if end >= 0]
        if not hits:
            ports = [self.ends.port[end] for end in self._holders[devices[0]].ports.values()]
            hint = nearest_hint(alias.port, ports, "ports")
            raise given.wrong(alias, f"{alias.device} has no port {alias.port!r} in the plan", hint)
        return hits

    def _words_of(self, holder: int, end: int) -> str:
        """A device, or a port of it, as people know it."""
        return str(self.ends.at(end)) if end >= 0 else self.ends.devices[self._holders[holder].device]

    def sharing(self, name: str) -> list[str]:
        """Devices of the plan with nodes that go by a name."""
        wanted = {canonical(name), canonical(name.split(".", 1)[0]), canonical(name.split(" ", 1)[0])}
        found: dict[str, None] = {}
        for code, fabric in enumerate(self.ends.fabrics):
            mine = self.ends.fabric == code
            names = self.ends.topologies[fabric].nodes.name
            pairs = dict(zip(self.ends.node[mine].tolist(), self.ends.device[mine].tolist(), strict=True))
            for node, device in pairs.items():
                if canonical(names[node]) in wanted or canonical(self.ends.devices[device]) in wanted:
                    found[self.ends.devices[device]] = None
        return list(found)

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
        unsure = UNKNOWN
        for name in names:
            for key in (canonical(name), canonical(name.split(".", 1)[0]), canonical(name.split(" ", 1)[0])):
                found = self._by_canonical.get(key, UNKNOWN)
                if found >= 0:
                    return found
                if found == AMBIGUOUS:
                    unsure = AMBIGUOUS
                    break
        for name in names:
            found, _ = self._by_address.get(address(name), (UNKNOWN, UNKNOWN))
            if found >= 0:
                return found
        return unsure

    def find(self, device: Names, port: Names, *, numbered: bool = False) -> Found:
        """A device and a port by what they go by."""
        holder = self.device(device)
        if holder >= 0:
            own = self._holders[holder]
            end = self._end(own, port, numbered=numbered)
            if end >= 0:
                return Found(own.device, end)
        for name in port:
            at, end = self._by_address.get(address(name), (UNKNOWN, UNKNOWN)) if not name.isdigit() else (-1, -1)
            if end >= 0:
                return Found(at, end)
        if holder < 0:
            return Found(UNKNOWN, UNKNOWN)
        return Found(own.device, UNKNOWN, self._free_port(own, port, numbered=numbered))

    def _end(self, own: _Holder, port: Names, *, numbered: bool) -> int:
        """An end of the plan by what its port goes by; UNKNOWN where none does."""
        if numbered:
            return next((own.numbers[name] for name in port if name in own.numbers), UNKNOWN)
        for name in port:
            key = name.lower()
            end = own.given.get(key, own.ports.get(key, UNKNOWN) if key not in own.displaced else UNKNOWN)
            if end >= 0:
                return end
        return self._by_learned(own.device, port)

    def _free_port(self, own: _Holder, port: Names, *, numbered: bool) -> FreePort | None:
        """A port that the plan leaves free."""
        for name in port:
            if not numbered and name.lower() in own.displaced:
                return FreePort(own.device, f"{name} as told")
            found = self._free.find(own.device, name, numbered=numbered)
            if found is not None:
                return found
        return None

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
            if here.free is not None or there.free is not None:
                continue
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
