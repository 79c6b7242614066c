"""Tenants of a scenario on its fabrics, and the check that no workload sends from one to another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fabric.scenario.load import LoadedScenario
from fabric.scenario.tenant_schema import EVERYBODY, RESERVED, TenantSpec
from topologies.columns import Bools, column
from topologies.errors import Problem, ScenarioError, TrafficError, nearest_hint
from traffic.hostlist import expand_hosts
from traffic.inventory import Inventory
from traffic.workload import WorkloadTraffic, demands_of

if TYPE_CHECKING:
    from fabric.rules.tenancy import Tenancy
    from traffic.demands import Flows


def tenancies(loaded: LoadedScenario, inventory: Inventory) -> dict[str, Tenancy]:
    """Whose endpoints are whose, by fabric; empty for a scenario without tenants.

    Raises
    ------
    ScenarioError
        FP8061 for members that are no hosts, FP8062 for hosts of two tenants, located in the scenario.
    """
    specs = loaded.scenario.tenants
    if not specs:
        return {}
    from fabric.rules.tenancy import UNASSIGNED, Tenancy

    tenant_of = _hosts(loaded, specs, inventory)
    nobody = len(specs)
    place = {spec.name: index for index, spec in enumerate(specs)}
    shared = [_served(spec, place) for spec in specs]
    found = {}
    for fabric, topology in inventory.topologies.items():
        of = np.full(len(topology.nodes), -1, dtype=np.int32)
        ends = topology.endpoint_nodes
        of[ends] = [tenant_of.get(topology.nodes.name[node], nobody) for node in ends.tolist()]
        for group in inventory.groups.values():
            if fabric in group.nics:
                rows = inventory.host_endpoints(fabric, group.name)
                of[rows] = np.array([tenant_of.get(host, nobody) for host in group.hosts], dtype=np.int32)[:, None]
        keys = [spec.key or index + 1 for index, spec in enumerate(specs)]
        names = [spec.name for spec in specs]
        some = [UNASSIGNED] if (of == nobody).any() else []
        free = next(key for key in range(1, len(keys) + 2) if key not in keys)
        found[fabric] = Tenancy(
            [*names, *some],
            [*keys, *([free] if some else [])],
            [*shared, *([()] if some else [])],
            column(of, np.int32),
        )
    return found


def _served(spec: TenantSpec, place: Mapping[str, int]) -> tuple[int, ...]:
    """Tenants that one is shared with, in the order of the scenario."""
    everybody = EVERYBODY in spec.shared_with
    return tuple(
        index for name, index in place.items() if name != spec.name and (everybody or name in spec.shared_with)
    )


def _hosts(loaded: LoadedScenario, specs: Sequence[TenantSpec], inventory: Inventory) -> dict[str, int]:
    """Tenant of every host that is of one, by name."""
    listed = {host for group in inventory.groups.values() for host in group.hosts}
    known = listed or {
        topology.nodes.name[node]
        for topology in inventory.topologies.values()
        for node in topology.endpoint_nodes.tolist()
    }
    found: dict[str, int] = {}
    problems: list[Problem] = []
    for index, spec in enumerate(specs):
        for at, selector in enumerate(spec.members):
            where = ("tenants", index, "members", at)
            for host in _selected(selector, inventory, known, where, problems):
                other = found.setdefault(host, index)
                if other != index:
                    problems.append(_twice(host, spec.name, specs[other].name, where))
                    break
    if problems:
        raise loaded.locate(ScenarioError(problems))
    return found


def _selected(
    selector: str, inventory: Inventory, known: set[str], where: tuple[str | int, ...], problems: list[Problem]
) -> Sequence[str]:
    """Hosts that a selector names; what is wrong with it is added to ``problems``."""
    if selector in inventory.groups:
        return inventory.groups[selector].hosts
    if selector in known:
        return [selector]
    try:
        hosts = expand_hosts(selector)
        words, unknown = "", next((host for host in hosts if host not in known), None)
    except ValueError as error:
        hosts, words, unknown = [], str(error), None
    if words or unknown is not None or not hosts:
        of = f" of {selector!r}" if unknown is not None and unknown != selector else ""
        message = words or f"{unknown if unknown is not None else selector!r}{of} is neither a node group nor a host"
        hint = nearest_hint(unknown or selector, [*inventory.groups, *sorted(known)], "node groups and hosts")
        problems.append(Problem(message, code="FP8061", where=where, hint=hint))
        return []
    return hosts


def _twice(host: str, one: str, other: str, where: tuple[str | int, ...]) -> Problem:
    return Problem(
        f"host {host} is of tenant {other} and of tenant {one}: through it both would meet",
        code="FP8062",
        where=where,
        hint="what both use is a tenant of its own: {name: shared, "
        f"members: [{host}], shared_with: [{other}, {one}]}}",
    )


def tenant_words(loaded: LoadedScenario, inventory: Inventory) -> list[str]:
    """What every answer says of tenants: what they share by design, and how hosts of none are taken."""
    from fabric.rules.tenancy import UNASSIGNED

    found = ["tenants share switches and the cables between them; what one sends, others can feel as load"]
    by_fabric = tenancies(loaded, inventory)
    shared = {entry: None for tenancy in by_fabric.values() for entry in tenancy.shared}
    found += [f"tenant {name} is shared by design with {', '.join(others)}" for name, others in shared]
    for fabric, tenancy in by_fabric.items():
        if UNASSIGNED in tenancy.names:
            count = tenancy.sizes[tenancy.names.index(UNASSIGNED)]
            found.append(f"hosts of no tenant, {count:,} on {fabric}, may meet each other, and no tenant")
    return found


# ---- traffic ---------------------------------------------------------------------------------------------------------


def check_traffic(loaded: LoadedScenario, inventory: Inventory, traffic: Sequence[WorkloadTraffic]) -> None:
    """Refuse workloads that send between tenants which do not meet.

    Raises
    ------
    TrafficError
        FP8063 with the first pair of every workload and pair of tenants, located in the scenario.
    """
    by_fabric = tenancies(loaded, inventory)
    place = {workload.id: index for index, workload in enumerate(loaded.scenario.workloads)}
    problems: dict[tuple[str, int, int], Problem] = {}
    for fabric, tenancy in by_fabric.items():
        topology, meets = inventory.topologies[fabric], tenancy.meets
        demands = demands_of(traffic, fabric)
        for entry, flows in zip(demands.classes, demands.flows, strict=True):
            for src, dst in _apart(flows, np.asarray(tenancy.of), meets):
                one, other = int(tenancy.of[src]), int(tenancy.of[dst])
                names = [
                    f"{topology.nodes.name[node]} (tenant {tenancy.names[tenant]})"
                    for node, tenant in ((src, one), (dst, other))
                ]
                problem = Problem(
                    f"{entry.job} sends from {names[0]} to {names[1]} on {fabric}, and these tenants do not meet",
                    code="FP8063",
                    where=("workloads", place[entry.job]) if entry.job in place else ("workloads",),
                    hint=_way_out(tenancy.names[one], tenancy.names[other], topology.nodes.name[dst]),
                )
                problems.setdefault((entry.job, min(one, other), max(one, other)), problem)
    if problems:
        raise loaded.locate(TrafficError(list(problems.values())))


def _way_out(one: str, other: str, host: str) -> str:
    """What makes a workload of two tenants one that is allowed."""
    if RESERVED[-1] in (one, other):
        return (
            f"hosts of no tenant meet no tenant: name {host} among the members of one, or place the workload elsewhere"
        )
    return f"place it on hosts of one tenant; or make {other} a shared service by shared_with: [{one}]"


def _apart(flows: Flows, of: np.ndarray, meets: Bools) -> Iterator[tuple[int, int]]:
    """A pair of endpoints for every pair of tenants that exchange something and do not meet."""
    wrong = np.flatnonzero(~meets[of[flows.src], of[flows.dst]])
    if len(wrong):
        pairs = of[flows.src[wrong]] * len(meets) + of[flows.dst[wrong]]
        for at in wrong[np.unique(pairs, return_index=True)[1]].tolist():
            yield int(flows.src[at]), int(flows.dst[at])
    for block in flows.blocks:
        tenants, first = np.unique(of[block.members], return_index=True)
        for one in range(len(tenants)):
            for other in range(one + 1, len(tenants)):
                if not meets[tenants[one], tenants[other]]:
                    yield int(block.members[first[one]]), int(block.members[first[other]])
