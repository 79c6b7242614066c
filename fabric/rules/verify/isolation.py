"""The proof that no packet comes from one tenant to another, from the tables as they are read back.

What is known are the rules and groups of every switch, which cable is at which port, and whose endpoint is at which
access port. Any packet may be sent into any access port: every destination, protocol and port, and every source, forged
ones too. A state is a switch and the port that a packet came in by, as far as its rules tell ports apart. From every
state, every point of the headers (``header_points``) leads along *every* bucket of its group, whatever its weight.
Which tenants a point reaches from a state is the least solution of "those delivered to here, and those reached from
where it leads"; tables hold their isolation when no access port reaches a tenant that its own may not meet.

Failures need no run of their own. A switch knows of its own links only; when some are dead it takes another bucket of
the same group, or loses the packet (``fabric.rules.failover``). It never sends out of a port that the rule does not
name. So whatever fails, one part or many, packets take ways that have been followed here; cables that are down are
followed as if they were up. What a routing protocol would do is not covered, and such dialects are refused.

Where two rules of one priority disagree on a packet OpenFlow leaves open what happens: that is found, not followed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fabric.rules.addressing import AddressPlan
from fabric.rules.packet import Packet, find_rule
from fabric.rules.ports import Ports
from fabric.rules.table import LOCAL, Action, Group, Match, Rule
from fabric.rules.tenancy import Tenancy
from fabric.rules.tenants.deny import access_ports, check_hosts
from fabric.rules.verify.findings import Crossing, Finding, Hop, Isolation
from fabric.rules.verify.header_points import HeaderPoints
from topologies.columns import Bools, Ints, Longs

MOST_CROSSINGS = 100
_WORD = 63  # tenants whose masks fit a column of 64 bits

Entries = tuple[Sequence[Rule], Sequence[Group]]  # of one switch
Tables = Mapping[int, Sequence[Entries]]  # by topology node: what the switch does, or what it may do while it changes


def prove_isolation(plan: AddressPlan, tables: Tables, tenancy: Tenancy, families: Sequence[int]) -> Isolation:
    """Follow every packet from every access port.

    Parameters
    ----------
    tables : mapping
        By topology node: rules and groups; several while a change is under way, of which a switch has any one at a
        time for a packet.
    families : sequence of int
        IP versions that the tables are for: members have to reach each other by these. All packets are followed.

    Raises
    ------
    RuleError
        FP8060 for hosts that forward; FP8064 where the tables distinguish too many sets of packets.
    """
    check_hosts(plan)
    net = _Net(plan, tables, tenancy)
    crossings: dict[tuple[int, int], Crossing] = {}
    findings: list[Finding] = []
    points = classes = 0
    for family in (4, 6, 0):
        space = _Space(net, HeaderPoints(family, net.matches), own=family in families)
        found, count = space.crossings(crossings)
        findings += space.findings
        crossings |= found
        points += len(space.points)
        classes += count
    findings = [_finding(crossing) for crossing in crossings.values()] + findings
    topology = plan.topology
    return Isolation(
        tenants=tuple(tenancy.names),
        shared=tuple(tenancy.shared),
        access_ports=len(net.entries),
        points=points,
        classes=classes,
        failures=int(topology.is_cable.sum()) + len(plan.switches),
        crossings=tuple(crossings.values()),
        findings=tuple(dict.fromkeys(findings)),
    )


def _finding(crossing: Crossing) -> Finding:
    words = (
        f"{crossing.src} of tenant {crossing.src_tenant} reaches {crossing.dst} of tenant {crossing.dst_tenant}: "
        f"{crossing.text}"
    )
    last = crossing.hops[-1]
    return Finding(
        "crossing",
        last.switch,
        crossing.packet.dst_text,
        words,
        tuple(hop_text(hop) for hop in crossing.hops if isinstance(hop, Hop)),
    )


def hop_text(hop: Hop) -> str:
    """A hop in words, with the rule that decides."""
    from fabric.rules.probes import match_text

    what = f"group {hop.rule.action.value}, " if hop.rule.action.kind == "group" else ""
    rule = f"priority {hop.rule.priority} {match_text(hop.rule.match)}"
    return f"{hop.switch} in by port {hop.in_port}: {rule}: {what}out of port {hop.out_port} to {hop.to}"


@dataclass(eq=False)
class _Net:
    """Switches, what they may do, and the ports of tenants."""

    plan: AddressPlan
    tables: Tables
    tenancy: Tenancy
    ports: Ports = field(init=False)
    entries: list[tuple[int, int, int]] = field(init=False)  # switch, port, endpoint
    port_class: dict[int, dict[int, int]] = field(init=False)  # by switch: class of the ports that rules ask for

    def __post_init__(self) -> None:
        self.ports = Ports(self.plan.topology)
        self.port_class = {node: _port_classes(parts) for node, parts in self.tables.items()}
        self.entries = [
            (node, port, int(self.plan.topology.links.dst[self.ports.link(node, port)]))
            for node in self.tables
            for port, _ in access_ports(self.plan, self.ports, self.tenancy.of, node)
        ]

    @property
    def matches(self) -> Iterator[Match]:
        """Matches of all rules."""
        return (rule.match for parts in self.tables.values() for rules, _ in parts for rule in rules)

    def far(self, node: int, port: int) -> tuple[int, int]:
        """Node and port at the other end, -1 where there is none; a cable that is down counts."""
        link = self.ports.link(node, port) if port != LOCAL else -1
        if link < 0:
            return -1, -1
        back = int(self.plan.topology.links.reverse[link])
        return int(self.plan.topology.links.dst[link]), int(self.ports.of_link[back]) if back >= 0 else -1

    def ways(self, groups: Mapping[int, Group], action: Action) -> tuple[int, ...]:
        """Ports that an action may send out of."""
        if action.kind == "output":
            return (action.value,)
        if action.kind == "drop" or action.value not in groups:
            return ()
        return tuple(dict.fromkeys(bucket.port for bucket in groups[action.value].buckets))


def _port_classes(parts: Sequence[Entries]) -> dict[int, int]:
    """Class of every port that a rule asks for, from 1; ports with the same rules are of one class."""
    asked: dict[int, set[tuple[int, int, object, Action]]] = {}
    for part, (rules, _) in enumerate(parts):
        for rule in rules:
            if rule.match.in_port:
                entry = (part, rule.priority, rule.match.anywhere, rule.action)
                asked.setdefault(rule.match.in_port, set()).add(entry)
    known: dict[frozenset[tuple[int, int, object, Action]], int] = {}
    return {port: known.setdefault(frozenset(entries), len(known) + 1) for port, entries in sorted(asked.items())}


class _Space:
    """All packets of one family: what every state does with them."""

    def __init__(self, net: _Net, points: HeaderPoints, *, own: bool) -> None:
        self.net, self.points = net, points
        self.findings: list[Finding] = []
        self.state: dict[tuple[int, int], int] = {}
        for node, classes in net.port_class.items():
            for each in range(max(classes.values(), default=0) + 1):
                self.state[node, each] = len(self.state)
        self._own = _Own(net, points) if own else None
        # Of every state: (states led to, tenants delivered to) by what it does with a point.
        self.does: list[list[tuple[tuple[int, ...], frozenset[int]]]] = []
        codes: list[Ints] = []
        for node in net.tables:
            self._add(node, codes)
        self.label, self.first = _classes(codes, len(points))
        self.code = [column[self.first] for column in codes]

    def _add(self, node: int, codes: list[Ints]) -> None:
        """What a switch does, for every class of its ports."""
        classes = self.net.port_class[node]
        painted = [_Painting(self.points, rules) for rules, _ in self.net.tables[node]]
        groups = [{group.id: group for group in part} for _, part in self.net.tables[node]]
        for each in range(max(classes.values(), default=0) + 1):
            port = next((port for port, one in classes.items() if one == each), 0)
            held = [one.at(port) for one in painted]
            self._check_clash(node, held)
            if self._own is not None and each:
                used = [one for one, its in classes.items() if its == each]
                self.findings += self._own.lost(node, used, painted, held)
            whole: dict[tuple[int, ...], int] = {}
            columns = np.stack([one.act for one in held])
            kinds, code = np.unique(columns, axis=1, return_inverse=True)
            meaning = np.empty(kinds.shape[1], dtype=np.int32)
            does: list[tuple[tuple[int, ...], frozenset[int]]] = []
            for at, acts in enumerate(kinds.T.tolist()):
                ways = [
                    self.net.ways(groups[part], painted[part].actions[act]) for part, act in enumerate(acts) if act >= 0
                ]
                ports = tuple(sorted({way for part in ways for way in part}))
                if ports not in whole:
                    whole[ports] = len(does)
                    does.append(self._led(node, ports))
                meaning[at] = whole[ports]
            self.does.append(does)
            same: dict[tuple[tuple[int, ...], frozenset[int]], int] = {}
            alike = np.array([same.setdefault(one, at) for at, one in enumerate(does)], dtype=np.int32)
            codes.append(alike[meaning[np.ravel(code)]])

    def _led(self, node: int, ports: Sequence[int]) -> tuple[tuple[int, ...], frozenset[int]]:
        """States and tenants behind some ports."""
        states, tenants = set(), set()
        for port in ports:
            far, far_port = self.net.far(node, port)
            if far in self.net.port_class:
                states.add(self.state[far, self.net.port_class[far].get(far_port, 0)])
            elif far >= 0 and self.net.tenancy.of[far] >= 0:
                tenants.add(int(self.net.tenancy.of[far]))
        return tuple(sorted(states)), frozenset(tenants)

    def _check_clash(self, node: int, held: Sequence[_Held]) -> None:
        for one in held:
            if one.clash.any():
                point = int(np.flatnonzero(one.clash)[0])
                packet = self.points.packet(point)
                words = "two rules of one priority disagree: what passes between tenants is not decided"
                name = self.net.plan.topology.nodes.name[node]
                self.findings.append(Finding("ambiguous", name, packet.dst_text, words))
                return

    def crossings(self, known: Mapping[tuple[int, int], Crossing]) -> tuple[dict[tuple[int, int], Crossing], int]:
        """A packet for every pair of tenants that it comes from and to, and the number of classes of points."""
        found: dict[tuple[int, int], Crossing] = {}
        tenancy, meets = self.net.tenancy, self.net.tenancy.meets
        for base in range(0, len(tenancy.names), _WORD):
            some = range(base, min(base + _WORD, len(tenancy.names)))
            reached = self._reached(base)
            for node, port, end in self.net.entries:
                tenant = int(tenancy.of[end])
                state = self.state[node, self.net.port_class[node].get(port, 0)]
                apart = [other for other in some if not meets[tenant, other]]
                mask = np.uint64(sum(1 << (other - base) for other in apart))
                for at in np.flatnonzero(reached[state] & mask).tolist():
                    wrong = [other for other in apart if int(reached[state, at]) >> (other - base) & 1]
                    for other in wrong:
                        if (tenant, other) in found or (tenant, other) in known or len(found) >= MOST_CROSSINGS:
                            continue
                        crossing = self._walk((node, port, end), at, other)
                        if crossing is not None:
                            found[tenant, other] = crossing
        return found, len(self.first)

    def _reached(self, base: int) -> np.ndarray:
        """Tenants from ``base`` on that a point reaches from a state, bits of a number, shape (states, classes)."""
        reached = np.zeros((len(self.state), len(self.first)), dtype=np.uint64)
        steps: list[tuple[int, Longs, np.uint64, np.ndarray]] = []
        for state, (does, code) in enumerate(zip(self.does, self.code, strict=True)):
            for at in np.unique(code).tolist():
                states, tenants = does[at]
                mask = sum(1 << (one - base) for one in tenants if base <= one < base + _WORD)
                if mask or states:
                    columns = np.flatnonzero(code == at)
                    steps.append((state, columns, np.uint64(mask), np.array(states, dtype=np.int64)))
        changed = True
        while changed:
            changed = False
            for state, columns, mask, states in steps:
                new = np.full(len(columns), mask, dtype=np.uint64)
                for other in states.tolist():
                    new |= reached[other, columns]
                if (new != reached[state, columns]).any():
                    reached[state, columns] = new
                    changed = True
        return reached

    def _walk(self, entry: tuple[int, int, int], at: int, tenant: int) -> Crossing | None:
        """The way of a packet of class ``at`` from an access port to a tenant, by the rules themselves.

        None where it would have to go back out of the port that it came in by, which no switch does.
        """
        plan, of = self.net.plan, self.net.tenancy.of
        node, port, end = entry
        for point in np.flatnonzero(self.label == at)[:200].tolist():
            for packet, forged in self._packets(point, end, tenant):
                hops = self._follow(packet, node, port, tenant)
                if hops:
                    names = plan.topology.nodes.name
                    target = hops[-1].to
                    to = self.net.tenancy.names[int(of[plan.topology.node(target)])]
                    return Crossing(packet, names[end], self.net.tenancy.names[int(of[end])], target, to, forged, hops)
        return None

    def _packets(self, point: int, end: int, tenant: int) -> Iterator[tuple[Packet, bool]]:
        """Packets of a point: to an address of the tenant where it has one, from the sender's own address if that will
        do."""
        plan, family = self.net.plan, self.points.family
        dst = None
        if family:
            theirs = [node for node in plan.node_at.tolist() if int(self.net.tenancy.of[node]) == tenant]
            dst = next(
                (to for to in (plan.address(family, one) for one in theirs) if point in self.points.at(to)), None
            )
        packet = self.points.packet(point, dst)
        if not family:
            yield packet, False
            return
        own = packet._replace(src=plan.address(family, end))
        yield own, False
        if own != packet:
            yield packet, True

    def _follow(self, packet: Packet, node: int, port: int, tenant: int) -> tuple[Hop, ...]:
        """Fewest hops to a tenant, found breadth first over exact ports; none where there is no way."""
        before: dict[tuple[int, int], tuple[tuple[int, int], Hop] | None] = {(node, port): None}
        queue = deque([(node, port)])
        names = self.net.plan.topology.nodes.name
        while queue:
            here = queue.popleft()
            for rules, groups in self.net.tables[here[0]]:
                rule = find_rule(rules, packet, here[1])
                if rule is None:
                    continue
                for out in self.net.ways({group.id: group for group in groups}, rule.action):
                    far, far_port = self.net.far(here[0], out)
                    if far < 0 or out == here[1]:
                        continue
                    hop = Hop(names[here[0]], here[1], rule, out, names[far])
                    if int(self.net.tenancy.of[far]) == tenant:
                        return (*_back(before, here), hop)
                    if far in self.net.tables and (far, far_port) not in before:
                        before[far, far_port] = (here, hop)
                        queue.append((far, far_port))
        return ()


def _back(before: Mapping[tuple[int, int], tuple[tuple[int, int], Hop] | None], here: tuple[int, int]) -> list[Hop]:
    """Hops that lead to a state, in order."""
    hops: list[Hop] = []
    step = before[here]
    while step is not None:
        hops.append(step[1])
        step = before[step[0]]
    return hops[::-1]


class _Held(NamedTuple):
    """The action that every point meets, -1 for none, and where two rules of one priority disagree."""

    act: Ints
    priority: Ints
    clash: Bools


class _Painting:
    """What a table does with every point, for any port and for one that rules ask for."""

    def __init__(self, points: HeaderPoints, rules: Sequence[Rule]) -> None:
        self.points = points
        self.actions: list[Action] = []
        self._index: dict[Action, int] = {}
        self._by_port: dict[int, list[Rule]] = {}
        for rule in rules:
            self._by_port.setdefault(rule.match.in_port, []).append(rule)
        size = len(points)
        self._base = _Held(
            np.full(size, -1, dtype=np.int32), np.full(size, -1, dtype=np.int32), np.zeros(size, dtype=np.bool_)
        )
        self._paint(self._base, self._by_port.get(0, ()))

    def at(self, port: int) -> _Held:
        """For packets that come in by a port; 0: by one that no rule asks for."""
        if not port or port not in self._by_port:
            return self._base
        held = _Held(self._base.act.copy(), self._base.priority.copy(), self._base.clash.copy())
        self._paint(held, self._by_port[port])
        return held

    def _paint(self, held: _Held, rules: Sequence[Rule]) -> None:
        for rule in rules:
            taken = self.points.taken(rule.match)
            if taken is None:
                continue
            act = self._index.setdefault(rule.action, len(self._index))
            if act == len(self.actions):
                self.actions.append(rule.action)
            before, priority = held.act[taken], held.priority[taken]
            above = priority < rule.priority
            clash = (held.clash[taken] & ~above) | ((priority == rule.priority) & (before != act))
            held.act[taken] = np.where(above, act, before)
            held.priority[taken] = np.where(above, rule.priority, priority)
            held.clash[taken] = clash


class _Own:
    """Whether rules at a tenant's port leave its packets to those it may meet alone."""

    def __init__(self, net: _Net, points: HeaderPoints) -> None:
        self.net = net
        ends = net.plan.node_at.tolist()
        spans = [points.at(net.plan.address(points.family, node)) for node in ends]
        self.point = np.array([point for span in spans for point in span], dtype=np.int64)
        self.end = np.repeat(np.array(ends, dtype=np.int64), [len(span) for span in spans])

    def lost(
        self, node: int, ports: Sequence[int], painted: Sequence[_Painting], held: Sequence[_Held]
    ) -> list[Finding]:
        """Endpoints that a tenant may meet and that its ports at a switch treat otherwise than other ports do."""
        plan, tenancy = self.net.plan, self.net.tenancy
        names = plan.topology.nodes.name
        found = []
        for own in sorted(ports):
            end = self.net.far(node, own)[0]
            if end < 0 or tenancy.of[end] < 0:
                continue
            may = tenancy.meets[int(tenancy.of[end])][tenancy.of[self.end]] & (self.end != end)
            for one, there in zip(painted, held, strict=True):
                base = one.at(0)
                other = may & (there.act[self.point] != base.act[self.point])
                if other.any():
                    to = int(self.end[np.flatnonzero(other)[0]])
                    address = plan.ipv4(to)
                    words = (
                        f"{names[end]} at port {own} does not reach {names[to]} as others do, and tenant "
                        f"{tenancy.names[int(tenancy.of[end])]} may meet {tenancy.names[int(tenancy.of[to])]}"
                    )
                    found.append(Finding("cut-off", names[node], str(address), words))
                    break
        return found


def _classes(codes: Sequence[Ints], size: int) -> tuple[Longs, Longs]:
    """Points that every state treats alike: the class of every point, and a point of every class."""
    label = np.zeros(size, dtype=np.int64)
    first = np.zeros(1, dtype=np.int64)
    for code in codes:
        width = int(code.max(initial=0)) + 1
        if width > 1:
            _, first, label = np.unique(label * width + code, return_index=True, return_inverse=True)
            label = np.ravel(label)
    return label, first
