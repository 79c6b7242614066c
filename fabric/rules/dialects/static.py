"""Static routes of Linux: addresses and multipath routes per switch, loaded by ``ip -batch``.

Ports are interfaces ``eth1`` and on. Hosts are attached to ports of their own with a /32 or /128 route each, and find
the site's gateway address on every one of them. Linux follows weights of 1 to 256 exactly, by the layer-4 hash that
``sysctl/NAME.conf`` sets, with a seed for every switch; the same file makes it leave next hops whose cable is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

from fabric.rules.dialect import Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.linux_hash import read_seed, switch_settings
from fabric.rules.next_hops import Route, host_interfaces, interface, link_interfaces, routes_of
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import DROP, LOCAL, Action, Bucket, Group, Match, Rule, SwitchTable, cookie_of, priority_of


def write(rules: RuleSet) -> Iterator[File]:
    """``switches/NAME.routes`` of every switch, and ``sysctl/NAME.conf`` with the seed of its hash."""
    stems = safe_names(rules.topology.nodes.name[node] for node in rules.nodes)
    for stem, node, table in zip(stems, rules.nodes, rules.tables(), strict=True):
        lines = [*_addresses(rules, node), *_routes(rules, node, table)]
        yield File(f"switches/{stem}.routes", "".join(f"{line}\n" for line in lines))
        interfaces = [interface(port) for port in range(1, len(rules.ports.links(node)) + 1)]
        settings = switch_settings(rules.hash_seeds[node], rules.families, interfaces=interfaces)
        yield File(f"sysctl/{stem}.conf", settings)


def _addresses(rules: RuleSet, node: int) -> Iterator[str]:
    plan, families = rules.plan, rules.families
    if 4 in families:
        yield f"address add {plan.loopback4(node)}/32 dev lo"
    if 6 in families:
        yield f"address add {plan.loopback6(node)}/128 dev lo nodad"
    for port, _, four, six in link_interfaces(rules, node):
        if 4 in families:
            yield f"address add {four} dev {interface(port)}"
        if 6 in families:
            yield f"address add {six} dev {interface(port)} nodad"
    for port, endpoint in host_interfaces(rules, node):
        site = int(plan.site_of[endpoint])
        if site < 0:
            continue
        if 4 in families:
            yield f"address add {ip_address(plan.gateway(4, site))}/32 dev {interface(port)}"
        if 6 in families:
            yield f"address add {ip_address(plan.gateway(6, site))}/128 dev {interface(port)} nodad"


def _routes(rules: RuleSet, node: int, table: SwitchTable) -> Iterator[str]:
    for route in routes_of(rules, node, table):
        if route.local:
            yield f"address add {route.prefix} dev lo"
        elif not route.hops:
            yield f"route add blackhole {route.prefix}"
        elif len(route.hops) == 1:
            (hop,) = route.hops
            via = f"via {hop.via} " if hop.via else ""
            yield f"route add {route.prefix} {via}dev {interface(hop.port)}"
        else:
            yield f"route add {route.prefix} {_ways(route)}"


def _ways(route: Route) -> str:
    return " ".join(f"nexthop via {hop.via} dev {interface(hop.port)} weight {hop.weight}" for hop in route.hops)


_HOP = re.compile(r"nexthop via \S+ dev eth(\d+) weight (\d+)")
_DEV = re.compile(r"\bdev eth(\d+)$")
_ROUTE = re.compile(r"(?:-6 )?route add (blackhole )?(\S+)(?: (.*))?")


def read(folder: Path, stem: str) -> tuple[list[Rule], list[Group]]:
    """Rules and groups that the routes of one switch stand for."""
    path = folder / "switches" / f"{stem}.routes"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RuleError(f"{path} cannot be read: {error}", hint="export again", code="FP8020") from None
    rules: list[Rule] = []
    groups: list[Group] = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.fullmatch(r"(?:-6 )?address add (\S+) dev lo", line):
            prefix, action = match[1], Action("output", LOCAL)
        elif re.fullmatch(r"(?:-6 )?address add \S+ dev \S+( nodad)?", line):
            continue
        elif match := _ROUTE.fullmatch(line):
            prefix, action = match[2], DROP
            hops = [Bucket(int(port), int(weight)) for port, weight in _HOP.findall(match[3] or "")]
            if hops:
                groups.append(Group(len(groups) + 1, tuple(hops)))
                action = Action("group", len(groups))
            elif not match[1]:
                way = _DEV.search(match[3] or "")
                if way is None:
                    raise RuleError(
                        f"no way out of ours: {line!r}", file=str(path), line=number, hint="export again", code="FP8020"
                    )
                action = Action("output", int(way[1]))
        else:
            raise RuleError(
                f"no route of ours: {line!r}", file=str(path), line=number, hint="export again", code="FP8020"
            )
        try:
            network = ip_network(prefix)
        except ValueError as error:
            raise RuleError(f"{error}", file=str(path), line=number, hint="export again", code="FP8020") from None
        found = Match(network.version, int(network.network_address), network.prefixlen)
        rules.append(Rule(priority_of(found), found, action, cookie_of(found)))
    return rules, groups


SUMMARY = "addresses and weighted multipath routes of Linux, per switch for ip -batch"
DIALECT = Dialect(
    name="static",
    format="routes",
    seeds="files",
    read_seed=read_seed,
    proof="Linux kernel, network namespaces",
    carrier="exact",
    write=write,
    loses="what is sent to the switches themselves",
    read=read,
    failover="live-weights",
)
