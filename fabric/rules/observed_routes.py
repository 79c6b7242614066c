"""Routes of a router's kernel against the planned next hops, differences as values.

Only behaviour is compared, at the addresses that endpoints have: which rules say it differs, and what is done with
addresses that nobody has may. Kernels and FRR weigh next hops by percent, which is why shares may differ a little.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from fabric.rules.address_line import deciding_rules, flatten, line_span, on_line, side_by_side
from fabric.rules.addressing import AddressPlan
from fabric.rules.errors import RuleError
from fabric.rules.kernel_routes import KernelRoute
from fabric.rules.next_hops import interface
from fabric.rules.observed import MOST, Comparison, Difference, Shares, shares_differ, shares_text
from fabric.rules.ports import Ports
from fabric.rules.table import LOCAL, Match, Rule, SwitchTable

SHARE_TOLERANCE = 0.015  # a percent of rounding in kernels' weights, and half of one beside it


def compare_routes(
    ours: SwitchTable,
    plan: AddressPlan,
    routes: Iterable[KernelRoute],
    *,
    families: Sequence[int] = (4,),
    tolerance: float = SHARE_TOLERANCE,
) -> Comparison:
    """Planned next hops against a router's kernel routes, for the addresses of all endpoints.

    Next hops towards switches are known by the neighbour's address, those to endpoints by the device, ``eth`` and the
    port. A router's own endpoint address, which no unicast route shows, is not compared.

    Raises
    ------
    RuleError
        For a switch that the fabric does not have (FP8050).
    """
    if not plan.topology.has_node(ours.name):
        raise RuleError(
            f"{ours.name!r} is not on fabric {plan.fabric}", hint="compare with its own scenario", code="FP8050"
        )
    expected = _Expected(ours, plan)
    wanted = deciding_rules([rule for rule in ours.rules if rule.match.family in (0, *families)])
    # Longest prefix, then lowest metric: what is laid last wins.
    ordered = sorted(routes, key=lambda route: (route.bits, -route.metric))
    found = flatten([(line_span(Match(route.family, route.address, route.bits)), route) for route in ordered])
    known = _addresses(plan, families)
    grouped: dict[tuple[str, str], list[int]] = {}
    for first, last, rule, route in side_by_side(wanted, found):
        inside = _between(known, first, last)
        if not inside:
            continue
        was, now = expected(rule), _kernel_shares(route)
        if "local" not in was and shares_differ(was, now, tolerance):
            grouped.setdefault((shares_text(was), shares_text(now)), []).extend(inside)
    differences = [
        Difference(ours.name, "behaviour", match.dst_text, was, now)
        for (was, now), numbers in grouped.items()
        for match in _cover(numbers, known)
    ]
    return Comparison((), tuple(differences[:MOST]))


class _Expected:
    """Next hops of a rule by name, in exact proportion to the weights."""

    def __init__(self, table: SwitchTable, plan: AddressPlan) -> None:
        self.plan, self.ports = plan, Ports(plan.topology)
        self.node = plan.topology.node(table.name)
        self.groups = {group.id: group for group in table.groups}

    def __call__(self, rule: Rule | None) -> Shares:
        if rule is None or rule.action.kind == "drop":
            return {}
        ways = {rule.action.value: 1}
        if rule.action.kind == "group":
            ways = {}
            for bucket in self.groups[rule.action.value].buckets:
                ways[bucket.port] = ways.get(bucket.port, 0) + bucket.weight
        total = sum(ways.values())
        return {self._name(port, rule.match.family): weight / total for port, weight in ways.items()}

    def _name(self, port: int, family: int) -> str:
        if port == LOCAL:
            return "local"
        link = self.ports.link(self.node, port)
        back = int(self.plan.topology.links.reverse[link]) if link >= 0 else -1
        address = None if back < 0 else self.plan.link4(back) if family == 4 else self.plan.link6(back)
        return f"dev {interface(port)}" if address is None else f"via {address}"


def _kernel_shares(route: KernelRoute | None) -> Shares:
    if route is None or not route.hops:
        return {}
    found: dict[str, float] = {}
    total = sum(hop.weight for hop in route.hops)
    for hop in route.hops:
        name = f"via {hop.via}" if hop.via else f"dev {hop.dev}"
        found[name] = found.get(name, 0.0) + hop.weight / total
    return found


def _addresses(plan: AddressPlan, families: Sequence[int]) -> list[int]:
    """Numbers of all endpoints' addresses on the line, ascending."""
    nodes = plan.node_at.tolist()
    return sorted(on_line(family, plan.address(family, node)) for family in families for node in nodes)


def _between(known: Sequence[int], first: int, last: int) -> Sequence[int]:
    return known[bisect_left(known, first) : bisect_left(known, last)]


def _cover(numbers: Sequence[int], known: Sequence[int]) -> Iterator[Match]:
    """Prefixes that hold these addresses, each as short as its addresses allow, and of all known ones no others."""
    wanted = set(numbers)
    rest = sorted(wanted)
    while rest:
        family: Literal[4, 6] = 6 if rest[0] >= on_line(6, 0) else 4
        width, address = (128 if family == 6 else 32), rest[0] - on_line(family, 0)
        bits, taken = 0, 1
        for wider in range(1, width + 1):
            first = on_line(family, address >> wider << wider)
            inside = _between(known, first, first + (1 << wider))
            if not wanted.issuperset(inside) or inside[0] < rest[0]:
                break
            if len(inside) > taken:
                bits, taken = wider, len(inside)
        yield Match(family, address >> bits << bits, width - bits)
        rest = rest[taken:]
