"""The path of one packet through the tables: rule, group and bucket at every switch.

Which bucket a real switch takes is decided by its own hash (Open vSwitch's ``dp_hash`` cannot be computed outside of
it). So a trace takes the most likely port at every group, or the bucket of a slot that is given, and says how likely
that is; ``trace_all`` gives every path with its probability. Probabilities are those of a hash that distributes evenly
and anew at every switch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Literal

from fabric.routing.tables.slot_table import slot_parts, slots
from fabric.rules.addressing import AddressPlan
from fabric.rules.errors import RuleError
from fabric.rules.packet import Packet, find_rule
from fabric.rules.ports import Ports
from fabric.rules.table import LOCAL, ROCE_PORT, Bucket, Group, Rule, SwitchTable
from topologies.former_names import renamed

FIRST_SOURCE_PORT = 49152
MOST_PATHS = 10_000

End = Literal["delivered", "dropped", "misdelivered", "dead port", "no such group", "no table", "loop"]
Parts = Callable[[Sequence[int]], Sequence[float]]  # weights -> parts


@dataclass(frozen=True)
class Choice:
    """One bucket of a group, and the part of flows that it takes."""

    bucket: Bucket
    part: float


@dataclass(frozen=True)
class Hop:
    """What one switch does with the packet."""

    switch: str
    in_port: int
    rule: Rule | None  # None: no rule matches, which drops
    group: Group | None
    choices: tuple[Choice, ...]  # all buckets of the group
    bucket: int | None  # place of the chosen one in ``choices``
    out_port: int | None  # None: dropped
    part: float  # of the flows that meet this rule, those that leave by ``out_port``


@dataclass(frozen=True)
class Path:
    """Hops from the first switch on, and how they end."""

    packet: Packet
    hops: tuple[Hop, ...]
    end: End
    at: str  # node where it ends: the endpoint that gets it, or the switch that does not pass it on
    probability: float  # of this sequence of ports

    @property
    def names(self) -> tuple[str, ...]:
        """Switches on the way."""
        return tuple(hop.switch for hop in self.hops)


@dataclass(frozen=True)
class Traces:
    """All paths, the most likely first; ``rest`` is the probability of those left out."""

    paths: tuple[Path, ...]
    rest: float


class Tracer:
    """Follows packets through tables.

    Parameters
    ----------
    tables : mapping
        By name of the switch.
    plan : AddressPlan
        Of the fabric with its failures: links that are down end a path.
    parts : callable
        How switches turn weights into parts; by default as Open vSwitch does.
    """

    def __init__(self, tables: Mapping[str, SwitchTable], plan: AddressPlan, parts: Parts = slot_parts) -> None:
        self.tables = tables
        self.plan = plan
        self.ports = Ports(plan.topology)
        self._parts = cache(lambda weights: tuple(parts(weights)))

    # ---- what is asked -----------------------------------------------------------------------------------------------

    def packet(
        self, src: str, dst: str, *, src_port: int = FIRST_SOURCE_PORT, dst_port: int = ROCE_PORT, family: int = 4
    ) -> Packet:
        """A UDP packet from an endpoint to another, or to an address; ``family`` counts for names only.

        Raises
        ------
        RuleError
            For names that are not an endpoint's and addresses outside of the fabric (FP8051).
        """
        to = self._address(dst, family)
        node = self._endpoint(src)
        return Packet(to[0], self.plan.address(to[0], node), to[1], src_port=src_port, dst_port=dst_port)

    def _endpoint(self, name: str) -> int:
        topology = self.plan.topology
        if topology.has_node(name) and self.plan.offset[topology.node(name)] >= 0:
            return topology.node(name)
        what = "a switch" if topology.has_node(name) else "not on the fabric"
        raise RuleError(f"{name!r} is {what}; packets begin at an endpoint", hint=self._hint(name), code="FP8051")

    def _address(self, text: str, family: int) -> tuple[Literal[4, 6], int]:
        topology = self.plan.topology
        if topology.has_node(text) and self.plan.offset[topology.node(text)] >= 0:
            return (4 if family == 4 else 6), self.plan.address(family, topology.node(text))
        try:
            found = ip_address(text)
        except ValueError:
            raise RuleError(
                f"{text!r} is neither an endpoint nor an address", hint=self._hint(text), code="FP8051"
            ) from None
        if self.plan.offset_of(found.version, int(found)) < 0:
            ranges = f"{self.plan.underlay} and {self.plan.underlay6}"
            raise RuleError(
                f"{text} is not an address of fabric {self.plan.fabric}",
                hint=f"its endpoints are in {ranges}",
                code="FP8051",
            )
        return found.version, int(found)

    def _hint(self, text: str) -> str:
        now = renamed(self.plan.topology, text)
        if now:
            return now
        names = [self.plan.topology.nodes.name[node] for node in self.plan.node_at[:3].tolist()]
        return f"endpoints are {', '.join(names)} and so on"

    def entries(self, src: str) -> tuple[tuple[str, int], ...]:
        """First switches of an endpoint over live links with the ports they get its packets on, by its own ports."""
        node, topology = self._endpoint(src), self.plan.topology
        if topology.nodes.forwards[node]:
            return ((src, LOCAL),)
        found = []
        for link in self.ports.links(node).tolist():
            if topology.up[link]:
                back = int(topology.links.reverse[link])
                found.append((topology.nodes.name[int(topology.links.dst[link])], int(self.ports.of_link[back])))
        return tuple(found)

    # ---- following ---------------------------------------------------------------------------------------------------

    def hop(self, switch: str, in_port: int, packet: Packet, slot: int | None = None) -> Hop:
        """What a switch does with a packet; the choice by ``slot``, or the most likely port.

        The part counts all buckets of the port, so that a port with two buckets is one way.
        """
        table = self.tables[switch]
        rule = find_rule(table.rules, packet, in_port)
        if rule is None or rule.action.kind == "drop":
            return Hop(switch, in_port, rule, None, (), None, None, 1.0)
        if rule.action.kind == "output":
            return Hop(switch, in_port, rule, None, (), None, rule.action.value, 1.0)
        group = next((one for one in table.groups if one.id == rule.action.value), None)
        if group is None or not group.buckets:
            return Hop(switch, in_port, rule, group, (), None, None, 1.0)
        weights = tuple(bucket.weight for bucket in group.buckets)
        choices = tuple(Choice(*one) for one in zip(group.buckets, self._parts(weights), strict=True))
        by_port: dict[int, float] = {}
        for choice in choices:
            by_port[choice.bucket.port] = by_port.get(choice.bucket.port, 0.0) + choice.part
        table_of_slots = slots(weights) if slot is not None else None
        if slot is not None and table_of_slots is not None:
            index = table_of_slots[slot % len(table_of_slots)]
        else:
            index = max(range(len(choices)), key=lambda one: (by_port[choices[one].bucket.port], -one))
        port = choices[index].bucket.port
        return Hop(switch, in_port, rule, group, choices, index, port, by_port[port])

    def _next(self, hop: Hop, packet: Packet) -> tuple[End | None, str, int]:
        """How a hop ends the path, if it does, and otherwise the next switch and its port."""
        topology = self.plan.topology
        if hop.out_port is None:
            lost = hop.rule is not None and hop.rule.action.kind == "group"
            return ("no such group" if lost else "dropped"), hop.switch, 0
        node = topology.node(hop.switch)
        link = self.ports.link(node, hop.out_port) if hop.out_port != LOCAL else -1
        if hop.out_port != LOCAL and (link < 0 or not topology.up[link]):
            return "dead port", hop.switch, 0
        to = node if hop.out_port == LOCAL else int(topology.links.dst[link])
        name = topology.nodes.name[to]
        if hop.out_port == LOCAL or not topology.nodes.forwards[to]:
            own = self.plan.endpoint_at(self.plan.offset_of(packet.family, packet.dst))
            return ("delivered" if own == to else "misdelivered"), name, 0
        if name not in self.tables:
            return "no table", name, 0
        return None, name, int(self.ports.of_link[int(topology.links.reverse[link])])

    def trace(self, packet: Packet, entry: tuple[str, int], *, slot: int | None = None) -> Path:
        """The path of a packet that enters at ``entry``, one of ``entries``.

        Parameters
        ----------
        slot : int, optional
            Hash slot that every group takes, modulo its number of slots; default: the most likely port, of equals the
            first.
        """
        switch, in_port = entry
        hops: list[Hop] = []
        seen: set[str] = set()
        probability = 1.0
        while switch not in seen:
            if switch not in self.tables:
                return Path(packet, tuple(hops), "no table", switch, probability)
            seen.add(switch)
            hop = self.hop(switch, in_port, packet, slot)
            hops.append(hop)
            probability *= hop.part
            end, switch, in_port = self._next(hop, packet)
            if end is not None:
                return Path(packet, tuple(hops), end, switch, probability)
        return Path(packet, tuple(hops), "loop", switch, probability)

    def trace_all(self, packet: Packet, entry: tuple[str, int], *, most: int = MOST_PATHS) -> Traces:
        """Every path with its probability; buckets of one port are one way."""
        found: list[Path] = []
        stack: list[tuple[tuple[str, int], tuple[Hop, ...], float]] = [(entry, (), 1.0)]
        while stack and len(found) < most:
            (switch, in_port), hops, probability = stack.pop()
            if switch in {hop.switch for hop in hops}:
                found.append(Path(packet, hops, "loop", switch, probability))
                continue
            if switch not in self.tables:
                found.append(Path(packet, hops, "no table", switch, probability))
                continue
            for hop in _ways(self.hop(switch, in_port, packet)):
                end, name, port = self._next(hop, packet)
                likely = probability * hop.part
                if end is not None:
                    found.append(Path(packet, (*hops, hop), end, name, likely))
                else:
                    stack.append(((name, port), (*hops, hop), likely))
        found.sort(key=lambda path: (-path.probability, path.names))
        return Traces(tuple(found), sum(probability for _, _, probability in stack))


def _ways(hop: Hop) -> Iterator[Hop]:
    """A hop for every port that its group sends out of."""
    from dataclasses import replace

    if not hop.choices:
        yield hop
        return
    first: dict[int, int] = {}
    total: dict[int, float] = {}
    for index, choice in enumerate(hop.choices):
        first.setdefault(choice.bucket.port, index)
        total[choice.bucket.port] = total.get(choice.bucket.port, 0.0) + choice.part
    for port, index in first.items():
        if total[port] > 0:
            yield replace(hop, bucket=index, out_port=port, part=total[port])
