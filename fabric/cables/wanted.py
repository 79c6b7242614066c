"""Which medium the scenario asks for: by tier, or by the group of hosts and the role of the switch they are on."""

from __future__ import annotations

from collections.abc import Mapping

from fabric.scenario.schema import Scenario
from topologies.columns import Ints
from topologies.errors import Problem, nearest_hint
from topologies.topology import Topology

AUTO = "auto"


def wanted_media(scenario: Scenario, fabric: str, topology: Topology, link: Ints) -> tuple[list[str], list[str]]:
    """Medium that the scenario asks for, and the key that does, for every cabled link of a fabric.

    A key is a tier, or ``GROUP-ROLE`` for the cables of one group of hosts.

    Raises
    ------
    Problem
        In a TopologyError, FP3046: a key that is neither.
    """
    asked = scenario.fabrics[fabric].cables or {}
    tiers = [topology.tiers[code] for code in topology.links.tier[link].tolist()]
    if not asked:
        return [AUTO] * len(link), [""] * len(link)
    key_of = {tier: tier for tier in topology.tiers if tier in asked}
    keys = [key_of.get(tier, "") for tier in tiers]
    for group in scenario.attached(fabric):
        prefix = f"{group.group}-"
        own = {key[len(prefix) :]: key for key in asked if key.startswith(prefix) and key not in topology.tiers}
        if own:
            _take_group(topology, link, set(group.host_names()), own, keys)
    return [asked.get(key, AUTO) if key else AUTO for key in keys], keys


def _take_group(topology: Topology, link: Ints, hosts: set[str], own: Mapping[str, str], keys: list[str]) -> None:
    """Keys of one group's hosts by the role at the other end."""
    nodes, links = topology.nodes, topology.links
    for row, one in enumerate(link.tolist()):
        for end, far in ((links.src[one], links.dst[one]), (links.dst[one], links.src[one])):
            name = nodes.name[end]
            host = name.removesuffix(f".nic{nodes.rail[end]}")
            key = own.get(topology.roles[nodes.role[far]])
            if key is not None and (name in hosts or host in hosts):
                keys[row] = key


def unknown_keys(scenario: Scenario, fabric: str, topology: Topology) -> list[Problem]:
    """Keys of ``cables`` that no cable of the fabric is in."""
    groups = [group.group for group in scenario.attached(fabric)]
    below = {tier.partition("-")[2] for tier in topology.tiers if tier.startswith("host-")}
    known = [*topology.tiers, *(f"{group}-{role}" for group in groups for role in sorted(below))]
    return [
        Problem(
            f"no cable of this fabric is in a tier {key!r}",
            code="FP3046",
            where=("fabrics", fabric, "cables", key),
            hint=nearest_hint(key, known, otherwise=f"its tiers are {', '.join(topology.tiers)}"),
            on_key=True,
        )
        for key in scenario.fabrics[fabric].cables or {}
        if key not in known
    ]
