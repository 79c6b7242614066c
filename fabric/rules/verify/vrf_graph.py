"""Routes of VRFs as a graph, from the files of all switches: who may hand which route to whom.

A node is a routing table of a switch, of one VRF or of several that share it. Two are joined where a BGP session comes
up: each names the address and the AS of the other, on interfaces that carry one VLAN over one cable. Whatever is
announced in a table may be known in all that are joined with it, its *domain*. ``import vrf`` lets the routes of one
domain into another. A packet follows routes backwards, so it stays in its domain but for imports, and leaves the fabric
where a static route names the port of a host.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from fabric.rules.addressing import AddressPlan
from fabric.rules.errors import RuleError
from fabric.rules.ports import Ports
from fabric.rules.vrf_tables import DEFAULT, Network, Static, VrfFiles

Table = tuple[int, str]  # a switch, and the VRF whose table it is


class Way(NamedTuple):
    """A session that a packet may follow."""

    port: int
    vlan: int
    to: Table
    far_port: int


class Exit(NamedTuple):
    """A static route out of the port of a host."""

    table: Table
    prefix: Network
    endpoint: int
    port: int
    vlan: int
    into: str  # VRF that the port is in
    agrees: bool  # whether the route names that VRF: else FRR does not take it


class Entry(NamedTuple):
    """An interface that a host sends into."""

    table: Table
    port: int
    vlan: int
    endpoint: int


@dataclass(eq=False)
class VrfGraph:
    """Tables of all switches for one IP version."""

    plan: AddressPlan
    files: Mapping[int, VrfFiles]  # by topology node
    family: int
    ports: Ports = field(init=False)

    def __post_init__(self) -> None:
        self.ports = Ports(self.plan.topology)

    # ---- interfaces -------------------------------------------------------------------------------------------------

    def place(self, node: int, interface: str) -> tuple[int, int] | None:
        """Port and VLAN of an interface, 0 without; None for what is no port of the switch."""
        port, vlan = self.files[node].parent.get(interface, (interface, 0))
        number = port.removeprefix("eth")
        if not number.isdigit() or self.ports.link(node, int(number)) < 0:
            return None
        return int(number), vlan

    @cached_property
    def interfaces(self) -> dict[tuple[int, int, int], str]:
        """Interfaces by switch, port and VLAN: every port untagged, and the sub-interfaces."""
        found = {
            (node, port, 0): f"eth{port}" for node in self.files for port in range(1, len(self.ports.links(node)) + 1)
        }
        for node, files in self.files.items():
            for name in files.parent:
                place = self.place(node, name)
                if place is not None:
                    found[node, *place] = name
        return found

    def far(self, node: int, port: int) -> tuple[int, int]:
        """Node and port at the other end; a cable that is down counts."""
        link = self.ports.link(node, port)
        back = int(self.plan.topology.links.reverse[link])
        return int(self.plan.topology.links.dst[link]), int(self.ports.of_link[back]) if back >= 0 else -1

    @cached_property
    def entries(self) -> list[Entry]:
        """Interfaces of hosts' ports, tagged ones as well."""
        found = []
        for (node, port, vlan), name in self.interfaces.items():
            end = self.far(node, port)[0]
            if not self.plan.topology.nodes.forwards[end] and self.plan.offset[end] >= 0:
                found.append(Entry((node, self.files[node].vrf_of(name)), port, vlan, end))
        return found

    @cached_property
    def exits(self) -> list[Exit]:
        """Static routes to hosts.

        Raises
        ------
        RuleError
            FP8057 for a static route that leads to no host: what its next hop does is not known.
        """
        found = []
        for node, files in self.files.items():
            for vrf, routes in files.statics.items():
                found += [
                    self._exit(node, (node, files.routes_in(vrf)), route)
                    for route in routes
                    if route.prefix.version == self.family
                ]
        return found

    def _exit(self, node: int, table: Table, route: Static) -> Exit:
        names, files = self.plan.topology.nodes.name, self.files[node]
        place = self.place(node, route.interface)
        end = self.far(node, place[0])[0] if place is not None else -1
        if place is None or self.plan.topology.nodes.forwards[end]:
            raise RuleError(
                f"the static route of {names[node]} to {route.prefix} leads out of {route.interface}, to no host: what "
                "comes of its packets is not known",
                line=route.line,
                hint="export again",
                code="FP8057",
            )
        into = files.vrf_of(route.interface)
        return Exit(table, route.prefix, end, *place, into, into == files.routes_in(route.into))

    # ---- routes -----------------------------------------------------------------------------------------------------

    @cached_property
    def ways(self) -> dict[Table, list[Way]]:
        """Sessions that come up, by the table at each end."""
        found: dict[Table, list[Way]] = {}
        for (node, port, vlan), name in self.interfaces.items():
            far, far_port = self.far(node, port)
            other = self.interfaces.get((far, far_port, vlan))
            if far not in self.files or other is None:
                continue
            table, to = (node, self.files[node].vrf_of(name)), (far, self.files[far].vrf_of(other))
            if self._speaks(table, name, to, other) and self._speaks(to, other, table, name):
                found.setdefault(table, []).append(Way(port, vlan, to, far_port))
        return found

    def _speaks(self, table: Table, name: str, to: Table, other: str) -> bool:
        """Whether a table has the other end for a neighbour, by its address and AS."""
        own, theirs = self.files[table[0]].bgp.get(table[1]), self.files[to[0]].bgp.get(to[1])
        if own is None or theirs is None:
            return False
        networks = [one.network for one in self.files[table[0]].addresses.get(name, ())]
        for one in self.files[to[0]].addresses.get(other, ()):
            near = any(one.ip in network for network in networks)
            if near and own.neighbours.get(one.ip) == theirs.asn and (self.family, one.ip) in own.active:
                return True
        return False

    @cached_property
    def domain(self) -> dict[Table, int]:
        """Tables that may know the same routes have one number."""
        number: dict[Table, int] = {}
        count = 0
        for node, files in self.files.items():
            for vrf in (DEFAULT, *files.tables):
                stack = [(node, files.routes_in(vrf))]
                count += stack[0] not in number
                while stack:
                    table = stack.pop()
                    if table not in number:
                        number[table] = count
                        stack += [way.to for way in self.ways.get(table, ())]
        return number

    @cached_property
    def imports(self) -> dict[int, set[tuple[int, Table, Table]]]:
        """By domain that routes come from: the domain that lets them in, with the tables of both at the switch."""
        found: dict[int, set[tuple[int, Table, Table]]] = {}
        for node, files in self.files.items():
            for vrf, process in files.bgp.items():
                for family, other in process.imports:
                    if family == self.family:
                        into, out = (node, files.routes_in(vrf)), (node, files.routes_in(other))
                        found.setdefault(self.domain[out], set()).add((self.domain[into], into, out))
        return found

    @cached_property
    def announced(self) -> dict[Table, list[Network]]:
        """Prefixes that a table announces itself."""
        found: dict[Table, list[Network]] = {}
        for node, files in self.files.items():
            for vrf, process in files.bgp.items():
                own = [one for one in process.networks if one.version == self.family]
                found.setdefault((node, files.routes_in(vrf)), []).extend(own)
        return found

    @cached_property
    def _heard(self) -> dict[int, list[tuple[int, int]]]:
        """By domain: first and last address of what may be known in it, ascending, nested ones left out."""
        own: dict[int, list[Network]] = {}
        for table, networks in self.announced.items():
            own.setdefault(self.domain[table], []).extend(networks)
        known = {number: set(networks) for number, networks in own.items()}
        changed = True
        while changed:
            changed = False
            for out, users in self.imports.items():
                for into, _, _ in users:
                    more = known.get(out, set()) - known.setdefault(into, set())
                    known[into] |= more
                    changed = changed or bool(more)
        return {number: _spans(networks) for number, networks in known.items()}

    def hears(self, domain: int, prefix: Network) -> bool:
        """Whether a route to some address of a prefix may be known in a domain."""
        spans = self._heard.get(domain, [])
        at = bisect_left(spans, (int(prefix.broadcast_address) + 1, 0)) - 1
        return at >= 0 and spans[at][1] >= int(prefix.network_address)

    def falls(self, table: Table) -> bool:
        """Whether packets without a route go on in the main table, as Linux does unless a default route drops them."""
        files = self.files[table[0]]
        whole = any(
            one.prefixlen == 0 and one.version == self.family
            for vrf, dropped in files.drops.items()
            if files.routes_in(vrf) == table[1]
            for one in dropped
        )
        return table[1] != DEFAULT and not whole

    @cached_property
    def falling(self) -> list[Table]:
        """Tables whose packets may go on in the main one."""
        return [table for table in self.domain if self.falls(table)]

    def check_neighbours(self) -> None:
        """Refuse sessions with what is no switch: a host may announce anything.

        Raises
        ------
        RuleError
            FP8057.
        """
        known: set[object] = set()
        for (node, port, _), name in self.interfaces.items():
            if self.far(node, port)[0] in self.files:
                known.update(one.ip for one in self.files[node].addresses.get(name, ()))
        for node, files in self.files.items():
            for process in files.bgp.values():
                strange = next((one for one in process.neighbours if one not in known), None)
                if strange is not None:
                    raise RuleError(
                        f"{self.plan.topology.nodes.name[node]} has BGP neighbour {strange}, which is no switch's "
                        "address: what it announces is not known",
                        hint="export again",
                        code="FP8057",
                    )

    def leads(self, out: Exit) -> set[int]:
        """Domains from which packets to an exit's addresses may come to its table."""
        start = self.domain[out.table]
        if not self.hears(start, out.prefix):
            return set()
        found, stack = {start}, [start]
        while stack:
            for into, _, _ in self.imports.get(stack.pop(), ()):
                if into not in found:
                    found.add(into)
                    stack.append(into)
        return found

    def steps(self, table: Table, domains: set[int]) -> Iterator[tuple[Table, Way | None]]:
        """Tables that packets of some domains go on to; without a way: at the same switch."""
        if self.domain[table] in domains:
            for way in self.ways.get(table, ()):
                yield way.to, way
        for users in self.imports.values():
            for _, into, out in users:
                if into == table:
                    yield out, None
        if self.falls(table):
            yield (table[0], DEFAULT), None


def _spans(networks: set[Network]) -> list[tuple[int, int]]:
    """First and last address of prefixes, ascending, those inside of others left out."""
    found: list[tuple[int, int]] = []
    for one in sorted(networks, key=lambda one: (int(one.network_address), one.prefixlen)):
        span = int(one.network_address), int(one.broadcast_address)
        if not found or found[-1][1] < span[0]:
            found.append(span)
    return found
