"""A VRF per tenant on every switch (VRF-lite): what each of them holds, for dialects of routers.

Every link between switches has a VLAN sub-interface per tenant, and a BGP session over it: a packet that enters the VRF
of its sender's tenant stays in that VRF up to the last switch. So a VRF holds the routes of all hosts that its tenant
may meet and of nobody else. A host is announced in each of those VRFs by the switches it is attached to, as part of
the fewest prefixes that hold who may be met there and no other endpoint; the last switch delivers it out of the host's
port, which for a shared service is a port of another VRF: a static route per host, and no import of routes.

FRR's ``import vrf`` hands on the best path alone; routes that stay in one VRF keep all of theirs, and so the planned
loads. The price is a session per link, tenant and IP version, beside those of the switches themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from fabric.rules.errors import RuleError
from fabric.rules.next_hops import host_interfaces, link_interfaces, sites_of
from fabric.rules.rule_set import RuleSet
from fabric.rules.safe_names import safe_names
from fabric.rules.table import prefix_text
from fabric.rules.tenancy import Tenancy
from fabric.rules.tenants.deny import prefixes_between

MOST_SESSIONS = 4_000  # of one switch: a bound of ours; what one BGP process keeps up is for its maker to say
FIRST_VLAN = 101
FIRST_TABLE = 1_001  # of the kernel, one per VRF
LONGEST = 15  # characters of an interface's name in Linux, which a VRF is


class Vrf(NamedTuple):
    """The VRF of a tenant, the same on every switch."""

    name: str
    tenant: int  # place in the tenancy
    vlan: int  # of its sub-interfaces, on every link between switches
    table: int


def vrfs_of(tenancy: Tenancy, *, prefix: str = "vrf-") -> list[Vrf]:
    """VRFs of all tenants that have hosts on the fabric; numbers follow the order of tenants in the scenario.

    Parameters
    ----------
    prefix : str
        What their names begin with, so that no tenant's is that of an interface.

    Examples
    --------
    >>> vrfs_of(Tenancy(["hospital", "bank"], [1, 2], [(), ()], np.array([0, 0])))
    [Vrf(name='vrf-hospital', tenant=0, vlan=101, table=1001)]
    """
    names = safe_names((f"{prefix}{name}" for name in tenancy.names), longest=LONGEST, allowed="A-Za-z0-9_-")
    return [
        Vrf(name, tenant, FIRST_VLAN + tenant, FIRST_TABLE + tenant)
        for tenant, (name, size) in enumerate(zip(names, tenancy.sizes, strict=True))
        if size
    ]


class Delivery(NamedTuple):
    """A host that a VRF hands its packets to."""

    port: int
    endpoint: int
    vrf: Vrf  # that of the port


@dataclass(frozen=True, eq=False)
class SwitchVrfs:
    """What the VRFs of one switch hold."""

    rules: RuleSet
    tenancy: Tenancy
    vrfs: list[Vrf]
    node: int

    @cached_property
    def ports(self) -> list[Delivery]:
        """Ports of hosts, with the VRF that each is in."""
        by_tenant = {vrf.tenant: vrf for vrf in self.vrfs}
        return [
            Delivery(port, endpoint, by_tenant[int(self.tenancy.of[endpoint])])
            for port, endpoint in host_interfaces(self.rules, self.node)
            if self.tenancy.of[endpoint] >= 0
        ]

    def deliveries(self, vrf: Vrf) -> list[Delivery]:
        """Hosts at this switch that a VRF's tenant may meet."""
        return [one for one in self.ports if self.tenancy.meets[vrf.tenant, one.vrf.tenant]]

    def announced(self, vrf: Vrf, family: int) -> Iterator[str]:
        """Prefixes of this switch's sites that hold who may be met, and no other endpoint."""
        plan = self.rules.plan
        for site in sites_of(self.rules, self.node):
            first, size = int(plan.sites.start[site]), int(plan.sites.size[site])
            ends = np.flatnonzero(plan.site_of == site)
            ends = ends[np.argsort(plan.offset[ends], kind="stable")]
            met = self.tenancy.meets[vrf.tenant][self.tenancy.of[ends]]
            for offset, bits in prefixes_between(plan.offset[ends] - first, met, size.bit_length() - 1):
                yield prefix_text(family, *plan.prefix(family, first + offset, bits))


def check_sessions(rules: RuleSet, vrfs: list[Vrf]) -> None:
    """Refuse more BGP sessions at a switch than ``MOST_SESSIONS``, with their number.

    Raises
    ------
    RuleError
        FP8056.
    """
    links = {node: sum(1 for _ in link_interfaces(rules, node)) for node in rules.nodes}
    each = len(rules.families) * (len(vrfs) + 1)
    most = max(links, key=lambda node: links[node])
    if links[most] * each > MOST_SESSIONS:
        fit = MOST_SESSIONS // (links[most] * len(rules.families)) - 1
        raise RuleError(
            f"{rules.topology.nodes.name[most]} would have {links[most] * each:,} BGP sessions: {links[most]:,} links, "
            f"{len(vrfs):,} tenants and the switches themselves, IPv{' and '.join(map(str, rules.families))}; "
            f"{MOST_SESSIONS:,} are the most that are written",
            hint=(f"at most {fit:,} tenants fit; or " if fit > 0 else "")
            + "fabric export openflow, which has no sessions; or tenants of your own on an EVPN overlay",
            code="FP8056",
        )


def session_words(rules: RuleSet, vrfs: list[Vrf]) -> str:
    """What VRFs cost in BGP sessions, in words."""
    links = {node: sum(1 for _ in link_interfaces(rules, node)) for node in rules.nodes}
    each = len(rules.families) * (len(vrfs) + 1)
    most = max(links, key=lambda node: links[node])
    total = sum(links.values()) // 2 * each
    return (
        f"{len(vrfs):,} VRFs need {total:,} BGP sessions instead of {total // (len(vrfs) + 1):,}, "
        f"{links[most] * each:,} of them at {rules.topology.nodes.name[most]}"
    )
