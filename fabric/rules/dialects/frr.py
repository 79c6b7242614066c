"""FRR: one BGP router per switch, an AS each, and prefixes of sites and loopbacks announced.

Routes come from BGP, not from our tables: with an AS per switch and ``multipath-relax`` BGP finds all shortest paths,
which is router ``ecmp``. Router ``bgp-ucmp`` adds the link bandwidth community, set to the number of next hops of
those that announce. Leaves have a route per host port; addresses of a site that no host has are dropped there.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from fabric.rules.bgp import UNEQUAL, bgp_rule, check_bgp
from fabric.rules.dialect import Dialect, File
from fabric.rules.linux_hash import read_seed, switch_settings
from fabric.rules.next_hops import host_interfaces, interface, link_interfaces, sites_of
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import prefix_text

MOST_PATHS = 64


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.conf`` of every switch, for all daemons together, and ``sysctl/NAME.conf``."""
    check_bgp(rules)
    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    for stem, node in zip(stems, rules.nodes, strict=True):
        yield File(f"switches/{stem}.conf", "".join(f"{line}\n" for line in _lines(rules, node, stem)))
        yield File(f"sysctl/{stem}.conf", switch_settings(rules.hash_seeds[node], rules.families))


def _lines(rules: RuleSet, node: int, stem: str) -> Iterator[str]:
    plan, topology = rules.plan, rules.topology
    yield from ("frr defaults datacenter", f"hostname {stem}", "no ipv6 forwarding" if 6 not in rules.families else "")
    yield from ("!", "interface lo", f" ip address {plan.loopback4(node)}/32")
    if 6 in rules.families:
        yield f" ipv6 address {plan.loopback6(node)}/128"
    neighbours: list[tuple[str, str, int]] = []
    for port, link, four, six in link_interfaces(rules, node):
        yield from ("!", f"interface {interface(port)}", f" ip address {four}")
        if 6 in rules.families:
            yield f" ipv6 address {six}"
        far, back = int(topology.links.dst[link]), int(topology.links.reverse[link])
        if back >= 0 and topology.up[link] and topology.up[back]:
            neighbours.append((str(plan.link4(back)), str(plan.link6(back)), int(plan.asn[far])))
    yield from _hosts(rules, node)
    yield from _bgp(rules, node, neighbours)
    if bgp_rule(rules) == UNEQUAL:
        yield from ("!", "route-map bandwidth permit 10", " set extcommunity bandwidth num-multipaths")
    yield from ("!", "end")


def _hosts(rules: RuleSet, node: int) -> Iterator[str]:
    """Gateway addresses on host ports, a route per host, and a drop for the rest of every site."""
    plan = rules.plan
    for port, endpoint in host_interfaces(rules, node):
        site = int(plan.site_of[endpoint])
        yield from ("!", f"interface {interface(port)}", f" ip address {ip_address(plan.gateway(4, site))}/32")
        if 6 in rules.families:
            yield f" ipv6 address {ip_address(plan.gateway(6, site))}/128"
    yield "!"
    for port, endpoint in host_interfaces(rules, node):
        yield f"ip route {plan.ipv4(endpoint)}/32 {interface(port)}"
        if 6 in rules.families:
            yield f"ipv6 route {plan.ipv6(endpoint)}/128 {interface(port)}"
    for site in sites_of(rules, node):
        yield f"ip route {prefix_text(4, *plan.site_prefix(4, site))} blackhole 254"
        if 6 in rules.families:
            yield f"ipv6 route {prefix_text(6, *plan.site_prefix(6, site))} blackhole 254"


def _bgp(rules: RuleSet, node: int, neighbours: list[tuple[str, str, int]]) -> Iterator[str]:
    plan = rules.plan
    yield from ("!", f"router bgp {int(plan.asn[node])}", f" bgp router-id {plan.loopback4(node)}")
    yield from (" no bgp ebgp-requires-policy", " no bgp default ipv4-unicast", " bgp bestpath as-path multipath-relax")
    for four, six, asn in neighbours:
        yield f" neighbor {four} remote-as {asn}"
        if 6 in rules.families:
            yield f" neighbor {six} remote-as {asn}"
    for family in rules.families:
        loopback = f"{plan.loopback4(node)}/32" if family == 4 else f"{plan.loopback6(node)}/128"
        yield f" address-family ipv{family} unicast"
        yield f"  network {loopback}"
        yield from (
            f"  network {prefix_text(family, *plan.site_prefix(family, site))}" for site in sites_of(rules, node)
        )
        yield f"  maximum-paths {MOST_PATHS}"
        for four, six, _ in neighbours:
            address = four if family == 4 else six
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
)
