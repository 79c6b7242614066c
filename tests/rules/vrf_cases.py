"""VRFs of routers simulated from their files: BGP converges, packets follow the longest prefix. Knows no proof.

Files are taken apart by expressions of its own. Every table of a switch runs a path-vector protocol with its sessions
over cables that live; what is learnt with the fewest ASes is used, over all its next hops.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path

from fabric.rules.addressing import AddressPlan
from fabric.rules.manifest import read_manifest
from fabric.rules.ports import Ports

Place = tuple[int, str]  # switch and VRF


@dataclass
class Router:
    """What the files of one switch say."""

    vlans: dict[str, tuple[int, int]] = field(default_factory=dict)
    vrf: dict[str, str] = field(default_factory=dict)
    table: dict[str, int] = field(default_factory=dict)
    address: dict[str, list] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    static: dict[str, list] = field(default_factory=dict)  # VRF -> (prefix, interface or None)
    bgp: dict[str, dict] = field(default_factory=dict)


def routers_of(folder: Path, plan: AddressPlan) -> dict[int, Router]:
    """All switches of an export."""
    found = {}
    for entry in read_manifest(folder).switches:
        one = found[plan.topology.node(entry.name)] = Router()
        links = (folder / "links" / f"{entry.file}.ip").read_text()
        for port, name, vlan in re.findall(r"add link eth(\d+) name (\S+) type vlan id (\d+)", links):
            one.vlans[name] = int(port), int(vlan)
        one.vrf = dict(re.findall(r"link set (\S+) master (\S+)", links))
        one.table = {name: int(number) for name, number in re.findall(r"add (\S+) type vrf table (\d+)", links)}
        _configuration(one, (folder / "switches" / f"{entry.file}.conf").read_text())
    return found


def _configuration(one: Router, text: str) -> None:
    at, vrf, process = "", "", ""
    for words in (line.split() for line in text.splitlines() if line.strip(" !")):
        if words[0] == "interface":
            at, vrf = words[1], ""
            one.said[at] = words[3] if len(words) > 2 else ""
        elif words[:2] == ["ip", "address"]:
            one.address.setdefault(at, []).append(ip_interface(words[2]))
        elif words[0] in ("vrf", "exit-vrf"):
            vrf = words[1] if len(words) > 1 else ""
        elif words[:2] == ["ip", "route"]:
            one.static.setdefault(vrf, []).append((ip_network(words[2]), None if words[3] == "blackhole" else words[3]))
        elif words[:2] == ["router", "bgp"]:
            process = words[4] if len(words) > 3 else ""
            one.bgp[process] = {"asn": int(words[2]), "peers": {}, "own": [], "imports": []}
        elif words[0] == "neighbor" and words[2] == "remote-as":
            one.bgp[process]["peers"][ip_address(words[1])] = int(words[3])
        elif words[0] == "network":
            one.bgp[process]["own"].append(ip_network(words[1]))
        elif words[:2] == ["import", "vrf"]:
            one.bgp[process]["imports"].append(words[2])


class VrfSimulator:
    """IPv4 packets through the VRFs of all switches."""

    def __init__(self, folder: Path, plan: AddressPlan) -> None:
        self.plan, self.ports = plan, Ports(plan.topology)
        self.routers = routers_of(folder, plan)

    def _vrf(self, node: int, interface: str) -> str:
        """The VRF whose routing table an interface looks in; of two with one table the first."""
        router = self.routers[node]
        name = router.vrf.get(interface, "")
        return next((one for one, table in router.table.items() if table == router.table.get(name)), "")

    def _same(self, node: int, vrf: str) -> list[str]:
        """VRFs that look in the table of one."""
        table = self.routers[node].table
        return [vrf, *(name for name, number in table.items() if name != vrf and number == table.get(vrf))]

    def _name(self, node: int, port: int, vlan: int) -> str | None:
        if not vlan:
            return f"eth{port}"
        return next((name for name, place in self.routers[node].vlans.items() if place == (port, vlan)), None)

    def _sessions(self, dead: frozenset[int]) -> Iterator[tuple[Place, Place, int, int]]:
        """From where, to where, and the port and VLAN at the first."""
        links = self.plan.topology.links
        for link in range(len(links)):
            a, b = int(links.src[link]), int(links.dst[link])
            if link in dead or a not in self.routers or b not in self.routers:
                continue
            port, far = int(self.ports.of_link[link]), int(self.ports.of_link[int(links.reverse[link])])
            for vlan in {0, *(vlan for at, vlan in self.routers[a].vlans.values() if at == port)}:
                one, other = self._name(a, port, vlan), self._name(b, far, vlan)
                if other is None:
                    continue
                here, there = (a, self._vrf(a, one)), (b, self._vrf(b, other))
                if self._up(here, one, there, other):
                    yield here, there, port, vlan

    def _up(self, here: Place, one: str, there: Place, other: str) -> bool:
        mine, theirs = (self.routers[node].bgp.get(vrf) for node, vrf in (here, there))
        if mine is None or theirs is None:
            return False
        a = [each.ip for each in self.routers[here[0]].address.get(one, ())]
        b = [each.ip for each in self.routers[there[0]].address.get(other, ())]
        return any(mine["peers"].get(ip) == theirs["asn"] for ip in b) and any(
            theirs["peers"].get(ip) == mine["asn"] for ip in a
        )

    def converge(self, dead: frozenset[int] = frozenset()) -> dict[Place, dict]:
        """Routes of every table: prefix -> (ASes on the way, next hops); a next hop is a port and VLAN, or a table."""
        sessions = list(self._sessions(dead))
        own: dict[Place, dict] = {}
        for node, router in self.routers.items():
            for vrf, process in router.bgp.items():
                own[node, vrf] = dict.fromkeys(process["own"], (0, ()))
        known = {place: dict(routes) for place, routes in own.items()}
        for _ in range(2 * len(self.routers)):
            new = {place: dict(routes) for place, routes in own.items()}
            for here, there, port, vlan in sessions:
                for prefix, (length, _) in known.get(there, {}).items():
                    best = new[here].get(prefix)
                    if best is None or length + 1 < best[0]:
                        new[here][prefix] = (length + 1, ((port, vlan),))
                    elif length + 1 == best[0]:
                        new[here][prefix] = (best[0], (*best[1], (port, vlan)))
            for node, router in self.routers.items():
                for vrf, process in router.bgp.items():
                    for other in process["imports"]:
                        for prefix, (length, _) in known.get((node, other), {}).items():
                            if prefix not in new[node, vrf] or length < new[node, vrf][prefix][0]:
                                new[node, vrf][prefix] = (length, ((node, other),))
            if new == known:
                return known
            known = new
        return known

    def receivers(self, node: int, port: int, vlan: int, dst: int, dead: frozenset[int], routes: dict) -> set[int]:
        """Endpoints that may get a packet to ``dst`` which a host sends into an interface."""
        interface = self._name(node, port, vlan)
        todo: list[Place] = [(node, self._vrf(node, interface))] if interface is not None else []
        seen: set[Place] = set()
        found: set[int] = set()
        while todo:
            here = todo.pop()
            if here in seen:
                continue
            seen.add(here)
            for way in self._ways(here, ip_address(dst), routes):
                if len(way) == 2 and isinstance(way[1], str):
                    todo.append(way)
                    continue
                link = self.ports.link(here[0], way[0])
                if link in dead:
                    continue
                far = int(self.plan.topology.links.dst[link])
                if not self.plan.topology.nodes.forwards[far]:
                    found.add(far)
                    continue
                other = self._name(far, int(self.ports.of_link[int(self.plan.topology.links.reverse[link])]), way[1])
                if other is not None:
                    todo.append((far, self._vrf(far, other)))
        return found

    def _ways(self, here: Place, dst, routes: dict) -> list[tuple]:
        """Next hops of the longest prefix; static before BGP, a way out before a drop of the same prefix."""
        node, vrf = here
        router = self.routers[node]
        best: dict[int, list[tuple]] = {}
        statics = [one for name in self._same(node, vrf) for one in router.static.get(name, ())]
        for prefix, interface in statics:
            if dst in prefix:
                out = [] if interface is None else [router.vlans.get(interface, (int(interface[3:].split(".")[0]), 0))]
                if out or prefix.prefixlen not in best:
                    best[prefix.prefixlen] = out
        for prefix, (_, hops) in routes.get(here, {}).items():
            if dst in prefix and hops and not best.get(prefix.prefixlen):
                best[prefix.prefixlen] = list(hops)
        if best:
            return best[max(best)]
        return [(node, "")] if vrf else []  # Linux goes on in the main table

    def failures(self) -> Iterator[frozenset[int]]:
        """None, then every cable, then every switch."""
        links = self.plan.topology.links
        yield frozenset()
        for link in range(len(links)):
            if self.plan.topology.is_cable[link]:
                yield frozenset((link, int(links.reverse[link])))
        for node in self.plan.switches.tolist():
            yield frozenset(link for link in range(len(links)) if node in (int(links.src[link]), int(links.dst[link])))

    def reached(self, dead: frozenset[int] = frozenset()) -> Iterator[tuple[int, int]]:
        """Endpoints: who sends, tagged or not, and who gets packets to some endpoint's address."""
        links, routes = self.plan.topology.links, self.converge(dead)
        ends: Mapping[int, int] = {node: self.plan.address(4, node) for node in self.plan.node_at.tolist()}
        for node, router in self.routers.items():
            for port, link in enumerate(self.ports.links(node).tolist(), 1):
                src = int(links.dst[link])
                if src not in ends or link in dead:
                    continue
                for vlan in {0, *(vlan for at, vlan in router.vlans.values() if at == port)}:
                    for dst in ends.values():
                        yield from (
                            (src, to) for to in self.receivers(node, port, vlan, dst, dead, routes) if to != src
                        )
