"""Rules as routes: per prefix the next hops with their link, neighbour address and weight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fabric.rules.errors import RuleError
from fabric.rules.rule_set import RuleSet
from fabric.rules.table import LOCAL, SwitchTable, prefix_text


@dataclass(frozen=True)
class NextHop:
    """One way of a route."""

    port: int
    via: str  # address of the neighbour's end of the link; empty towards a host
    weight: int


@dataclass(frozen=True)
class Route:
    """A prefix and its next hops; none: packets are dropped."""

    family: int
    prefix: str
    hops: tuple[NextHop, ...]
    local: bool = False  # the switch's own address


def interface(port: int) -> str:
    """Name of a switch's port in routed dialects."""
    return f"eth{port}"


def routes_of(rules: RuleSet, node: int, table: SwitchTable) -> Iterator[Route]:
    """Routes of a switch, in the order of its rules; the last rule, which drops, is what a router does anyway.

    Raises
    ------
    RuleError
        For rules on more than a destination, which routes cannot say.
    """
    groups = {group.id: group.buckets for group in table.groups}
    for rule in table.rules:
        if rule.match.is_flow:
            raise RuleError(
                f"{table.name} has rules for single flows; routes look at destinations only",
                hint="dialect ovs, or another router than pinned",
                code="FP8030",
            )
        family = rule.match.family
        if not family:
            continue
        weights: dict[int, int] = {}
        if rule.action.kind == "output":
            weights[rule.action.value] = 1
        elif rule.action.kind == "group":
            for bucket in groups[rule.action.value]:
                weights[bucket.port] = weights.get(bucket.port, 0) + bucket.weight
        prefix = prefix_text(family, rule.match.dst, rule.match.dst_bits)
        if LOCAL in weights:
            yield Route(family, prefix, (), local=True)
            continue
        hops = (NextHop(port, _via(rules, node, port, family), weight) for port, weight in sorted(weights.items()))
        yield Route(family, prefix, tuple(hops))


def _via(rules: RuleSet, node: int, port: int, family: int) -> str:
    """Address of the far end of a link between switches."""
    link = rules.ports.link(node, port)
    back = int(rules.topology.links.reverse[link])
    if back < 0:
        raise RuleError(
            f"port {port} of {rules.topology.nodes.name[node]} is a one-way link, which has no address to route by",
            hint="dialect ovs sends out of ports",
            code="FP8030",
        )
    address = rules.plan.link4(back) if family == 4 else rules.plan.link6(back)
    return "" if address is None else str(address)


def link_interfaces(rules: RuleSet, node: int) -> Iterator[tuple[int, int, str, str]]:
    """(port, link, IPv4 and IPv6 address with prefix length) of a switch's links to switches."""
    plan = rules.plan
    for port, link in enumerate(rules.ports.links(node).tolist(), 1):
        four, six = plan.link4(link), plan.link6(link)
        if four is not None:
            yield port, link, f"{four}/{plan.link_prefix}", f"{six}/127"


def host_interfaces(rules: RuleSet, node: int) -> Iterator[tuple[int, int]]:
    """(port, endpoint) of a switch's links to hosts."""
    topology = rules.topology
    for port, link in enumerate(rules.ports.links(node).tolist(), 1):
        far = int(topology.links.dst[link])
        if not topology.nodes.forwards[far]:
            yield port, far


def sites_of(rules: RuleSet, node: int) -> list[int]:
    """Sites whose endpoints are attached to a switch."""
    sites = rules.plan.sites
    return [
        site
        for site in range(len(sites))
        if node in sites.switch[sites.switch_start[site] : sites.switch_start[site + 1]].tolist()
    ]
