"""Rules at the ports of tenants: what a port may not send to is dropped there, before anything else is looked at.

Every access port gets the fewest prefixes that hold all addresses of tenants that its own may not meet and none of
those that it may; addresses that nobody has are in or out, whichever needs fewer. The rules ask for the port that the
packet came in by, not for its source address, which a host can forge. They stand above all others, so that single flows
do not pass them. The price is one rule per prefix, access port and IP version; it is 0 for tenants that may meet all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np

from fabric.rules.addressing import AddressPlan
from fabric.rules.errors import RuleError
from fabric.rules.ports import Ports
from fabric.rules.rule_set import RuleSet
from fabric.rules.table import DROP, Match, Rule, SwitchTable, cookie_of, priority_of
from fabric.rules.tenancy import Tenancy
from topologies.columns import Bools, Ints, Longs


def prefixes_between(offset: Longs, denied: Bools, span_bits: int) -> list[tuple[int, int]]:
    """Fewest aligned blocks of offsets that hold every denied one and no other of those given.

    Parameters
    ----------
    offset : ndarray, shape (E,)
        Ascending, below ``2 ** span_bits``.

    Returns
    -------
    list of (first offset, bits)

    Examples
    --------
    Of 2, 3, 8 and 9 the last two are denied: all from 8 on, as nobody else has 10 to 15.

    >>> prefixes_between(np.array([2, 3, 8, 9]), np.array([False, False, True, True]), 4)
    [(8, 3)]
    """
    bad = np.concatenate([[0], np.cumsum(denied)])
    found: list[tuple[int, int]] = []
    stack = [(0, span_bits)]
    while stack:
        first, bits = stack.pop()
        low, high = np.searchsorted(offset, [first, first + (1 << bits)])
        count = int(bad[high] - bad[low])
        if not count:
            continue
        if count == high - low:
            found.append((first, bits))
            continue
        half = bits - 1
        stack += [(first + (1 << half), half), (first, half)]
    return found


def with_tenants(rules: RuleSet, tenancy: Tenancy) -> RuleSet:
    """The same tables with rules at the ports of tenants.

    Raises
    ------
    RuleError
        FP8060 for endpoints that forward: what passes a host of one tenant is not decided by a switch.
    """
    plan = rules.plan
    check_hosts(plan)
    ports = Ports(plan.topology)
    ends = plan.node_at
    meets = tenancy.meets

    @cache
    def blocks(tenant: int) -> tuple[tuple[int, int], ...]:
        denied = ~meets[tenant][tenancy.of[ends]]
        return tuple(prefixes_between(plan.offset[ends], denied, plan.span_bits))

    def make(node: int) -> SwitchTable:
        table = rules.make(node)
        more = []
        for port, tenant in access_ports(plan, ports, tenancy.of, node):
            for offset, bits in blocks(tenant):
                for family in rules.families:
                    match = Match(family, *plan.prefix(family, offset, bits), in_port=port)  # type: ignore[arg-type]
                    more.append(Rule(priority_of(match), match, DROP, cookie_of(match)))
        ordered = sorted((*table.rules, *more), key=lambda rule: (-rule.priority, rule.match))
        return replace(table, rules=tuple(ordered))

    return replace(rules, make=make, tenancy=tenancy)


def access_ports(plan: AddressPlan, ports: Ports, tenant_of: Ints, node: int) -> Iterator[tuple[int, int]]:
    """Ports of a switch that lead to endpoints, and the tenant of each; those that are down as well."""
    topology = plan.topology
    for port, link in enumerate(ports.links(node).tolist(), 1):
        far = int(topology.links.dst[link])
        if not topology.nodes.forwards[far] and plan.offset[far] >= 0:
            yield port, int(tenant_of[far])


def check_hosts(plan: AddressPlan) -> None:
    """Raise for fabrics whose endpoints forward packets of others."""
    forwarding = np.flatnonzero(plan.topology.nodes.forwards & (plan.offset >= 0))
    if len(forwarding):
        name = plan.topology.nodes.name[int(forwarding[0])]
        raise RuleError(
            f"{name} is an endpoint and forwards packets of others: no switch decides what passes a tenant's own host",
            hint="tenants need a fabric whose hosts are attached to switches; or leave this fabric out with --fabric",
            code="FP8060",
        )
