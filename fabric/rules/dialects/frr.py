"""FRR: one BGP router per switch, an AS each, and prefixes of sites and loopbacks announced.

Routes come from BGP, not from our tables: with an AS per switch and ``multipath-relax`` BGP finds all shortest paths,
which is router ``ecmp``. Router ``bgp-ucmp`` adds the link bandwidth community, set to the number of next hops of
those that announce. Leaves have a route per host port; addresses of a site that no host has are dropped there.

With tenants every switch has a VRF for each (``fabric.rules.tenants.vrfs``), which ``links/NAME.ip`` makes in the
kernel before FRR starts. Sub-interfaces of a link have the link's addresses in every VRF. Each VRF drops what it has no
route for: Linux would look in the main table next.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple

from fabric.rules.bgp import UNEQUAL, bgp_rule, check_bgp
from fabric.rules.dialect import Dialect, File
from fabric.rules.linux_hash import read_seed, switch_settings
from fabric.rules.next_hops import host_interfaces, interface, link_interfaces, sites_of
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import prefix_text
from fabric.rules.tenants.vrf_files import read_vrfs
from fabric.rules.tenants.vrf_links import link_lines, sub_interface, vrf_file
from fabric.rules.tenants.vrfs import SwitchVrfs, Vrf, check_sessions, vrfs_of

MOST_PATHS = 64
DROPPED = "blackhole 254"  # above the distance of BGP, so that what it learns wins


class Neighbour(NamedTuple):
    """A switch at the other end of a link that lives."""

    ipv4: str
    ipv6: str
    asn: int


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.conf`` of every switch, for all daemons together, and ``sysctl/NAME.conf``; of tenants also
    ``links/NAME.ip`` and ``vrfs.csv``."""
    check_bgp(rules)
    vrfs = vrfs_of(rules.tenancy) if rules.tenancy is not None else []
    check_sessions(rules, vrfs)
    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    for stem, node in zip(stems, rules.nodes, strict=True):
        switch = SwitchVrfs(rules, rules.tenancy, vrfs, node) if rules.tenancy is not None else None
        yield File(f"switches/{stem}.conf", "".join(f"{line}\n" for line in _lines(rules, node, stem, switch)))
        yield File(f"sysctl/{stem}.conf", switch_settings(rules.hash_seeds[node], rules.families))
        if switch is not None:
            yield File(f"links/{stem}.ip", "".join(f"{line}\n" for line in link_lines(switch)))
    if rules.tenancy is not None:
        yield vrf_file(vrfs, list(rules.tenancy.names))


def _lines(rules: RuleSet, node: int, stem: str, switch: SwitchVrfs | None) -> Iterator[str]:
    plan, topology = rules.plan, rules.topology
    yield from ("frr defaults datacenter", f"hostname {stem}", "no ipv6 forwarding" if 6 not in rules.families else "")
    if switch is not None:
        for vrf in switch.vrfs:
            yield from ("!", f"vrf {vrf.name}", *_static(switch, vrf), "exit-vrf")
    yield from ("!", "interface lo", f" ip address {plan.loopback4(node)}/32")
    if 6 in rules.families:
        yield f" ipv6 address {plan.loopback6(node)}/128"
    neighbours: list[Neighbour] = []
    for port, link, four, six in link_interfaces(rules, node):
        yield from _interface(rules, interface(port), "", four, six)
        for vrf in switch.vrfs if switch is not None else ():
            yield from _interface(rules, sub_interface(port, vrf), vrf.name, four, six)
        far, back = int(topology.links.dst[link]), int(topology.links.reverse[link])
        if back >= 0 and topology.up[link] and topology.up[back]:
            neighbours.append(Neighbour(str(plan.link4(back)), str(plan.link6(back)), int(plan.asn[far])))
    vrf_at = {one.port: one.vrf.name for one in switch.ports} if switch is not None else {}
    for port, endpoint in host_interfaces(rules, node):
        site = int(plan.site_of[endpoint])
        gateway4, gateway6 = ip_address(plan.gateway(4, site)), ip_address(plan.gateway(6, site))
        yield from _interface(rules, interface(port), vrf_at.get(port, ""), f"{gateway4}/32", f"{gateway6}/128")
    yield "!"
    if switch is None:
        yield from _routes(rules, node)
    yield from _bgp(rules, node, neighbours, "", _networks(rules, node, switch))
    if switch is not None:
        for vrf in switch.vrfs:
            networks = {family: list(switch.announced(vrf, family)) for family in rules.families}
            yield from _bgp(rules, node, neighbours, f" vrf {vrf.name}", networks)
    if bgp_rule(rules) == UNEQUAL:
        yield from ("!", "route-map bandwidth permit 10", " set extcommunity bandwidth num-multipaths")
    yield from ("!", "end")


def _interface(rules: RuleSet, name: str, vrf: str, four: str, six: str) -> Iterator[str]:
    yield from ("!", f"interface {name}{f' vrf {vrf}' if vrf else ''}", f" ip address {four}")
    if 6 in rules.families:
        yield f" ipv6 address {six}"


def _routes(rules: RuleSet, node: int) -> Iterator[str]:
    """A route per host, and a drop for the rest of every site."""
    plan = rules.plan
    for port, endpoint in host_interfaces(rules, node):
        yield f"ip route {plan.ipv4(endpoint)}/32 {interface(port)}"
        if 6 in rules.families:
            yield f"ipv6 route {plan.ipv6(endpoint)}/128 {interface(port)}"
    for site in sites_of(rules, node):
        yield f"ip route {prefix_text(4, *plan.site_prefix(4, site))} {DROPPED}"
        if 6 in rules.families:
            yield f"ipv6 route {prefix_text(6, *plan.site_prefix(6, site))} {DROPPED}"


def _static(switch: SwitchVrfs, vrf: Vrf) -> Iterator[str]:
    """The same of a VRF: hosts that its tenant may meet, wherever their ports are, and a drop for everything else."""
    plan = switch.rules.plan
    for one in switch.deliveries(vrf):
        via = interface(one.port) + ("" if one.vrf == vrf else f" nexthop-vrf {one.vrf.name}")
        yield f" ip route {plan.ipv4(one.endpoint)}/32 {via}"
        if 6 in switch.rules.families:
            yield f" ipv6 route {plan.ipv6(one.endpoint)}/128 {via}"
    for family in sorted({4, *switch.rules.families}):  # addresses of ports are IPv4 in any case
        word, whole = ("ip", "0.0.0.0/0") if family == 4 else ("ipv6", "::/0")
        own = switch.announced(vrf, family) if family in switch.rules.families else ()
        for prefix in (*own, whole):
            yield f" {word} route {prefix} {DROPPED}"


def _networks(rules: RuleSet, node: int, switch: SwitchVrfs | None) -> dict[int, list[str]]:
    """What a switch announces for itself: its loopback, and without tenants its sites."""
    plan = rules.plan
    own = {4: f"{plan.loopback4(node)}/32", 6: f"{plan.loopback6(node)}/128"}
    sites = sites_of(rules, node) if switch is None else []
    return {
        family: [own[family], *(prefix_text(family, *plan.site_prefix(family, site)) for site in sites)]
        for family in rules.families
    }


def _bgp(
    rules: RuleSet, node: int, neighbours: list[Neighbour], vrf: str, networks: dict[int, list[str]]
) -> Iterator[str]:
    plan = rules.plan
    yield from ("!", f"router bgp {int(plan.asn[node])}{vrf}", f" bgp router-id {plan.loopback4(node)}")
    yield from (" no bgp ebgp-requires-policy", " no bgp default ipv4-unicast", " bgp bestpath as-path multipath-relax")
    for one in neighbours:
        yield f" neighbor {one.ipv4} remote-as {one.asn}"
        if 6 in rules.families:
            yield f" neighbor {one.ipv6} remote-as {one.asn}"
    for family in rules.families:
        yield f" address-family ipv{family} unicast"
        yield from (f"  network {network}" for network in networks[family])
        yield f"  maximum-paths {MOST_PATHS}"
        for one in neighbours:
            address = one.ipv4 if family == 4 else one.ipv6
            yield f"  neighbor {address} activate"
            if bgp_rule(rules) == UNEQUAL:
                yield f"  neighbor {address} route-map bandwidth out"
        yield " exit-address-family"


SUMMARY = "frr.conf per switch: BGP with an AS each, weighted by link bandwidth with router bgp-ucmp"
DIALECT = Dialect(
    name="frr",
    format="routes",
    seeds="files",
    read_seed=read_seed,
    proof="FRR 8.4, network namespaces",
    carrier="exact",
    write=write,
    loses="splits that shortest paths do not give",
    failover="converges",
    tenants="vrfs",
    read_vrfs=read_vrfs,
)
