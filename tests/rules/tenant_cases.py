"""A small fabric with tenants, and a simulator that knows nothing of the proof: packets over every bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fabric.pipeline.prepared import prepare
from fabric.pipeline.tables import plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.rules.addressing import AddressPlan
from fabric.rules.packet import Packet
from fabric.rules.planned import PlannedRules
from fabric.rules.ports import Ports
from fabric.rules.table import Group, Match, Rule
from fabric.scenario.load import load_scenario

Edited = dict[int, tuple[list[Rule], list[Group]]]

SHARED = """\
version: 1
name: shared
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {count: 3, radix: 6, speed: 100G, down: 2, up: 4},
               spine: {count: 2, radix: 6, speed: 100G}}
nodes:
  - {group: a, count: 2, nics: {main: {speed: 100G}}}
  - {group: b, count: 2, nics: {main: {speed: 100G}}}
  - {group: s, count: 1, nics: {main: {speed: 100G}}}
  - {group: free, count: 1, nics: {main: {speed: 100G}}}
tenants:
  - {name: hospital, members: "a[0],b[1]"}
  - {name: bank, members: ["a1", "b0"]}
  - {name: storage, members: s, shared_with: [hospital, bank]}
"""


def tenant_file(folder: Path, text: str = SHARED) -> Path:
    """The scenario as a file."""
    path = folder / "shared.fabric.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def tenant_rules(folder: Path, text: str = SHARED, *, router: str = "ecmp", **tables: object) -> PlannedRules:
    """Tables of the scenario."""
    loaded = load_scenario(str(tenant_file(folder, text)), overrides=[])
    return plan_tables(prepare(loaded, RouteRequest(router=router)), TablesRequest(**tables))[0]  # type: ignore[arg-type]


def entries_of(planned: PlannedRules) -> Edited:
    """Rules and groups by switch, to be edited."""
    made = {node: planned.rules.make(node) for node in planned.rules.nodes}
    return {node: (list(table.rules), list(table.groups)) for node, table in made.items()}


def proof_of(planned: PlannedRules, tables: Edited):
    """What the proof says of tables."""
    from fabric.rules.verify.isolation import prove_isolation

    given = {node: [both] for node, both in tables.items()}
    return prove_isolation(planned.plan, given, planned.rules.tenancy, planned.rules.families)


# ---- the simulator ---------------------------------------------------------------------------------------------------


def takes(match: Match, packet: Packet, in_port: int) -> bool:
    """Whether a rule takes a packet, field by field."""
    if match.in_port and match.in_port != in_port:
        return False
    if not match.family:
        return True
    if match.family != packet.family:
        return False
    width = {4: 32, 6: 128}[match.family]
    near = match.dst >> (width - match.dst_bits) if match.dst_bits else 0
    if match.dst_bits and packet.dst >> (width - match.dst_bits) != near:
        return False
    if match.src_bits and packet.src >> (width - match.src_bits) != match.src >> (width - match.src_bits):
        return False
    asked = ((match.protocol, packet.protocol), (match.src_port, packet.src_port), (match.dst_port, packet.dst_port))
    return all(wanted in (0, has) for wanted, has in asked)


class Simulator:
    """Packets through tables, over every bucket whose port lives; with some cables and switches dead."""

    def __init__(self, plan: AddressPlan, tables: Mapping[int, tuple[Sequence[Rule], Sequence[Group]]]) -> None:
        self.plan, self.tables, self.ports = plan, tables, Ports(plan.topology)

    def receivers(self, packet: Packet, node: int, in_port: int, dead: frozenset[int] = frozenset()) -> set[int]:
        """Endpoints that may get a packet which enters a switch by a port; ``dead`` are directed links."""
        topology = self.plan.topology
        found: set[int] = set()
        seen: set[tuple[int, int]] = set()
        todo = [(node, in_port)]
        while todo:
            here = todo.pop()
            if here in seen or here[0] not in self.tables:
                continue
            seen.add(here)
            for out in self._out(packet, here, dead):
                link = self.ports.link(here[0], out)
                if out == here[1] or link < 0 or link in dead:
                    continue
                to = int(topology.links.dst[link])
                if topology.nodes.forwards[to]:
                    todo.append((to, int(self.ports.of_link[int(topology.links.reverse[link])])))
                else:
                    found.add(to)
        return found

    def _out(self, packet: Packet, here: tuple[int, int], dead: frozenset[int]) -> list[int]:
        rules, groups = self.tables[here[0]]
        taken = [rule for rule in rules if takes(rule.match, packet, here[1])]
        if not taken:
            return []
        rule = max(taken, key=lambda one: one.priority)
        if rule.action.kind == "output":
            return [rule.action.value]
        buckets = next((one.buckets for one in groups if one.id == rule.action.value), ())
        ports = [one.port for one in buckets]
        return ports if rule.action.kind == "group" else []

    def failures(self) -> Iterator[frozenset[int]]:
        """None, then every cable, then every switch."""
        topology = self.plan.topology
        yield frozenset()
        for link in range(len(topology.links)):
            if topology.is_cable[link]:
                yield frozenset((link, int(topology.links.reverse[link])))
        for node in self.plan.switches.tolist():
            ends = (topology.links.src == node) | (topology.links.dst == node)
            yield frozenset(int(link) for link in ends.nonzero()[0])

    def crossings(self, tenancy, packets: Sequence[Packet], dead: frozenset[int] = frozenset()) -> set[tuple[int, int]]:
        """Pairs of tenants that do not meet and of which one gets a packet of the other."""
        topology, meets = self.plan.topology, tenancy.meets
        found = set()
        for node in self.tables:
            for port, link in enumerate(self.ports.links(node).tolist(), 1):
                end = int(topology.links.dst[link])
                if topology.nodes.forwards[end]:
                    continue
                for packet in packets:
                    for other in self.receivers(packet, node, port, dead):
                        pair = int(tenancy.of[end]), int(tenancy.of[other])
                        if not meets[pair]:
                            found.add(pair)
        return found


def packets_of(plan: AddressPlan, tables: Edited) -> list[Packet]:
    """Packets to every address that a rule or an endpoint begins at, and those beside; of single flows; not IP."""
    bounds = {plan.address(4, node) for node in plan.node_at.tolist()}
    for rules, _ in tables.values():
        for rule in rules:
            if rule.match.family == 4:
                end = rule.match.dst + (1 << (32 - rule.match.dst_bits))
                bounds |= {rule.match.dst, end}
    near = {address + step for address in bounds for step in (-1, 0, 1) if 0 <= address + step < 1 << 32}
    flows = [rule.match for rules, _ in tables.values() for rule in rules if rule.match.is_flow and rule.match.src_bits]
    made = [Packet(4, 1, dst) for dst in sorted(near)]
    made += [Packet(4, one.src, one.dst, one.protocol, one.src_port, one.dst_port) for one in dict.fromkeys(flows)]
    return [*made, Packet(0, 0, 0, 0, 0, 0)]
