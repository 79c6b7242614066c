"""What a job is placed on: its hosts and their groups, which of them are free, and where everybody sits now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fabric.pipeline.network import Network
from fabric.pipeline.prepared import build, derive_traffic
from fabric.pipeline.tenants import tenancies
from fabric.request import RouteRequest
from fabric.scenario.load import LoadedScenario
from fabric.share.place.groups import HostGroups
from fabric.share.schedulers.switch_tree import hosts_per_domain, switch_tree
from topologies.columns import Bools, Ints, column
from topologies.errors import ScenarioError, nearest_hint
from traffic.hostlist import expand_hosts
from traffic.occupancy import Occupancy
from traffic.parallelism import RankGrid
from traffic.workload import WorkloadTraffic


@dataclass(frozen=True, eq=False)
class PlaceSetting:
    """A job, the hosts that it may have, and the jobs beside it, which stay where they are."""

    loaded: LoadedScenario
    request: RouteRequest
    network: Network
    job: str
    number: int  # of the workload in the scenario
    group: str  # of nodes
    fabric: str  # of the job's collectives
    hosts: tuple[str, ...]  # of the group
    per_host: int  # GPUs
    grid: RankGrid
    groups: HostGroups
    free: Bools  # shape (H,), hosts with no GPU taken
    written: Ints  # shape (ranks, 2), host and GPU of every rank as the scenario places it
    others: dict[str, Ints]  # places of the jobs beside it
    other_groups: dict[str, str]  # of nodes, that they are in
    traffic: tuple[WorkloadTraffic, ...]  # as the scenario places it
    hosts_per_domain: int = 1
    notes: tuple[str, ...] = field(default=())

    @property
    def ranks(self) -> int:
        """Ranks of the job."""
        return len(self.written)

    @property
    def wanted(self) -> int:
        """Whole hosts that the job takes."""
        return -(-self.ranks // self.per_host)

    @cached_property
    def domain_of_host(self) -> Ints:
        """Scale-up domain of every host, shape (H,): hosts in order, as placements have them."""
        return column(np.arange(len(self.hosts)) // self.hosts_per_domain, np.int32)

    @property
    def spec(self) -> Any:
        """The job's keys."""
        return self.loaded.scenario.workloads[self.number].spec

    @property
    def workload(self) -> WorkloadTraffic:
        """The job's traffic as the scenario places it."""
        return self.traffic[self.number]


def place_setting(
    loaded: LoadedScenario, request: RouteRequest, job: str, *, busy: str | None = None, free_nodes: str | None = None
) -> PlaceSetting:
    """Find the job, its hosts, and which of them are free.

    Parameters
    ----------
    busy, free_nodes : str, optional
        Host ranges that are taken besides those of other jobs, or that alone are free.

    Raises
    ------
    ScenarioError
        When there is no such job (FP9720), it is not one that has ranks in one group of hosts or
        has no traffic to compare placements by (FP9721), too few hosts
        are free (FP9722), or a list of hosts is wrong (FP9723).
    """
    number = _number_of(loaded, job)
    network = build(loaded, down=request.down, up=request.up, slow=request.slow, routed=True)
    occupancy = Occupancy()
    traffic = derive_traffic(loaded, network, scale=request.scale, occupancy=occupancy)
    if job not in occupancy.seats:
        kinds = ", ".join(entry for entry in occupancy.seats if " " not in entry)
        raise ScenarioError(
            f"{job!r} is of kind {loaded.scenario.workloads[number].kind}, which has no ranks in one group of hosts",
            where=("workloads", number, "kind"),
            hint=f"jobs that can be placed: {kinds}" if kinds else "training and collective jobs can be placed",
            code="FP9721",
        )
    group, written = occupancy.seats[job]
    spec: Any = loaded.scenario.workloads[number].spec
    fabric = network.inventory.fabric(spec.fabric, group=group)
    hosts = network.inventory.host_names(fabric, group)
    per_host = network.inventory.gpus_per_host(group)
    others = {other: seats for other, (_, seats) in occupancy.seats.items() if other != job}
    near = [seats for _, (where, seats) in occupancy.seats.items() if where == group and seats is not written]
    free = np.ones(len(hosts), dtype=np.bool_)
    if spec.placement.exclusive:
        for seats in near:
            free[seats[:, 0]] = False
    tree = switch_tree(network.inventory, fabric)
    groups = HostGroups.of(tree, hosts)
    free &= (groups.of_host[0] >= 0) if groups.of_host else False
    free &= ~np.isin(np.array(hosts), np.array(tree.hosts)[tree.down]) if tree.down.any() else True
    free &= _asked(hosts, busy, free_nodes)
    own, words = _own_hosts(loaded, network, fabric, group, written)
    free &= own
    _check_traffic_to_place(job, number, traffic[number])
    setting = PlaceSetting(
        replace(loaded, said=[]), request, network, job, number, group, fabric, hosts, per_host,
        occupancy.grids[job], groups, column(free, np.bool_), written, others,
        {other: where for other, (where, _) in occupancy.seats.items() if other != job}, traffic,
        hosts_per_domain(network.inventory, group), (*tree.notes, *words),
    )  # fmt: skip
    _check_room(setting)
    return setting


def _own_hosts(
    loaded: LoadedScenario, network: Network, fabric: str, group: str, written: Ints
) -> tuple[Bools, tuple[str, ...]]:
    """Hosts of the tenants on whose hosts a job is now, shape (H,), and what is to be said of that.

    A job of several tenants (with one that serves the others) may mix their hosts only where all of them meet.
    """
    ends = network.inventory.host_endpoints(fabric, group)
    tenancy = tenancies(loaded, network.inventory).get(fabric)
    if tenancy is None:
        return column(np.ones(len(ends), np.bool_), np.bool_), ()
    of_host = np.asarray(tenancy.of)[ends[:, 0]]
    mine = np.unique(of_host[written[:, 0]])
    if not tenancy.meets[np.ix_(mine, mine)].all():
        mine = of_host[written[:1, 0]]
    own = np.isin(of_host, mine)
    names = ", ".join(tenancy.names[tenant] for tenant in mine.tolist())
    word = f"hosts of tenant {names} only, {int(own.sum()):,} of {len(own):,}: the job is on them as written"
    return column(own, np.bool_), (word,)


def _check_traffic_to_place(job: str, number: int, workload: WorkloadTraffic) -> None:
    """Refuse a job without traffic by which placements could be compared."""
    if any(not phase.steady for phase in workload.phases):
        return
    what = "reads and writes steadily and has no step" if workload.phases else "has one rank, or none that exchange"
    raise ScenarioError(
        f"{job} {what}: nothing that it sends takes longer on one host than on another",
        where=("workloads", number),
        hint="any free host is as good; fabric route has the load of what it reads",
        code="FP9721",
    )


def _number_of(loaded: LoadedScenario, job: str) -> int:
    ids = [workload.id for workload in loaded.scenario.workloads]
    if job not in ids:
        raise ScenarioError(
            f"--job {job!r} is not the id of a workload",
            hint=nearest_hint(job, ids, "workloads") if ids else "the scenario lists no workloads",
            code="FP9720",
        )
    return ids.index(job)


def _asked(hosts: Sequence[str], busy: str | None, free_nodes: str | None) -> Bools:
    """Hosts that the command line leaves free, shape (H,)."""
    rows = {name: row for row, name in enumerate(hosts)}
    free = np.ones(len(hosts), dtype=np.bool_)
    for flag, text, value in (("--free-nodes", free_nodes, True), ("--busy", busy, False)):
        if text is None:
            continue
        try:
            names = [name.strip() for name in expand_hosts(text) if name.strip()]
        except ValueError as error:
            hint = "Slurm writes ranges like n[001-032,040]"
            raise ScenarioError(f"{flag} {text!r}: {error}", hint=hint, code="FP9723") from None
        unknown = [name for name in names if name not in rows]
        if unknown or not names:
            raise ScenarioError(
                f"{flag}: unknown host {unknown[0]!r}" if unknown else f"{flag} {text!r} names no host",
                hint=nearest_hint(unknown[0], hosts) if unknown else f"hosts are named like {hosts[0]}",
                code="FP9723",
            )
        if value:
            free[:] = False
        free[[rows[name] for name in names]] = value
    return column(free, np.bool_)


def _check_room(setting: PlaceSetting) -> None:
    """Refuse a job that the free hosts do not hold."""
    free = int(setting.free.sum())
    if free >= setting.wanted:
        return
    taken = len(setting.hosts) - free
    raise ScenarioError(
        f"{setting.job} takes {setting.wanted:,} whole hosts ({setting.ranks:,} ranks, {setting.per_host} a host), and "
        f"{free:,} of the {len(setting.hosts):,} hosts of {setting.group!r} are free",
        where=("workloads", setting.number),
        hint=(
            f"{taken:,} are taken by other jobs, by --busy or --free-nodes, of other tenants, or reached by no link; "
            + (f"gpus: {free * setting.per_host} would fit" if free else "free some hosts")
        ),
        code="FP9722",
    )
