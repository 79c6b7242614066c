"""Which layout keeps reads near and rebuilds in time: every candidate routed, its figures, and the one to take.

Candidates are the failure domains that hold all copies (host, rack) and, of copies, where reads come from (the
primary, or the nearest). Each is the scenario with these keys of the workload, routed with everything else in it. The
one to take breaks the fewest limits, the window of recovery among them; of those, survives a rack; of those, sends
the least of its reads across the core; then has the least full link. Devices do not change the network: of their
classes the first one listed is taken that the data fills to 85 % at most, where Ceph warns (``nearfull_ratio``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fabric.pipeline.run import Run, run_scenario
from fabric.result import PhaseRoute
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.load import LoadedScenario, with_overrides
from fabric.scenario.workload_schema import Workload
from fabric.share.storage.cluster import Devices, StorageCluster, cluster_of
from topologies.errors import FabricError, ScenarioError

NEARFULL = 0.85
_READS = ("read", "gather")


@dataclass(frozen=True)
class Layout:
    """One candidate, as it was routed.

    Attributes
    ----------
    core_read_gbps : float
        Reads that first switches pass on to other switches, all of them together.
    recovery_s, fastest_s : float, optional
        Until a lost host or rack is rebuilt, at the rate asked for, and if recovery takes all that others leave.
    in_rack : int, optional
        Most parts of one object that a rack may hold; None where racks are not known.
    balance : float
        Data of the fullest server over the mean.
    broken : tuple of str
        Limits that do not hold.
    refused : str
        Why it cannot be.
    """

    failure_domain: str
    read_from: str
    overrides: tuple[str, ...]
    core_read_gbps: float = 0.0
    max_utilisation: float = 0.0
    hottest_link: str = ""
    recovery_s: float | None = None
    fastest_s: float | None = None
    in_rack: int | None = None
    balance: float = 1.0
    broken: tuple[str, ...] = ()
    refused: str = ""
    chosen: bool = False

    @property
    def name(self) -> str:
        """Failure domain and reads, in words."""
        return f"{self.failure_domain}, {self.read_from}"


@dataclass(frozen=True, eq=False)
class StorageAnswer:
    """All candidates, the one to take first, and the servers."""

    loaded: LoadedScenario
    workload: Workload
    cluster: StorageCluster
    layouts: tuple[Layout, ...]
    devices: Devices | None

    @property
    def best(self) -> Layout:
        """The one to take."""
        return self.layouts[0]


def place_storage(run: Run, workload: Workload, progress: Reporter = silent) -> StorageAnswer:
    """Route every layout of a storage workload.

    Raises
    ------
    ScenarioError
        When the scenario decides the layout by files of Ceph (FP9761).
    """
    given = [key for key in ("osd_tree", "crush_map", "crush_rules", "pools") if getattr(workload.spec, key, None)]
    if given:
        raise ScenarioError(
            f"{workload.id} lies where {given[0]} says: there is nothing to choose",
            where=("workloads",),
            hint=f"leave {', '.join(given)} out to compare layouts; route judges the one there is",
            code="FP9761",
        )
    cluster = cluster_of(run.prepared, workload)
    found = [_routed(run, cluster, layout, progress) for layout in _candidates(cluster)]
    possible = sorted((layout for layout in found if not layout.refused), key=_order)  # the run's own is one of them
    possible[0] = replace(possible[0], chosen=True)
    refused = [layout for layout in found if layout.refused]
    return StorageAnswer(run.loaded, workload, cluster, (*possible, *refused), chosen_devices(cluster))


def chosen_devices(cluster: StorageCluster) -> Devices | None:
    """The first class that holds the data; None where there are none, or none does."""
    fits = [one for one in cluster.devices if (cluster.filled(one) or 0.0) <= NEARFULL]
    return fits[0] if fits else None


def _candidates(cluster: StorageCluster) -> Iterator[Layout]:
    for domain in ("host", "rack"):
        for reads in ("primary",) if cluster.erasure else ("primary", "nearest"):
            keys = {"failure_domain": domain, "read_from": reads}
            yield Layout(domain, reads, tuple(f"workloads.{cluster.id}.{key}={word}" for key, word in keys.items()))


def _order(layout: Layout) -> tuple[float, ...]:
    in_rack = float("inf") if layout.in_rack is None else layout.in_rack
    return (len(layout.broken), in_rack > 1, layout.core_read_gbps, layout.max_utilisation)


def _routed(run: Run, cluster: StorageCluster, layout: Layout, progress: Reporter) -> Layout:
    """A candidate with its figures."""
    progress(Progress(f"routing {layout.name}"))
    try:
        made = run_scenario(with_overrides(run.loaded, layout.overrides), run.request, like=run)
    except FabricError as error:
        return replace(layout, refused=error.problems[0].message)
    route = _steady(made, cluster)
    recovery = _recovery(made, cluster, route)
    return replace(
        layout,
        core_read_gbps=_core_reads(route, cluster.id),
        max_utilisation=route.max_utilisation,
        hottest_link=route.hottest_link,
        recovery_s=recovery[0],
        fastest_s=recovery[1],
        in_rack=_in_rack(cluster, layout.failure_domain),
        balance=_balance(made, cluster),
        broken=tuple(limit.text for limit in made.result.limits if limit.ok is False),
    )


def _steady(run: Run, cluster: StorageCluster) -> PhaseRoute:
    """The steady traffic of the workload alone with that of others, or the phase with it whose links are fullest."""
    own = [
        route
        for route in run.result.routes
        if route.fabric == cluster.fabric and any(entry.job == cluster.id for entry in route.classes)
    ]
    alone = [route for route in own if all(entry.steady for entry in route.classes)]
    return max(alone or own, key=lambda route: route.max_utilisation)


def _columns(route: PhaseRoute, job: str, phases: tuple[str, ...]) -> list[int]:
    return [
        code
        for code, entry in enumerate(route.classes)
        if entry.job == job and entry.phase.rpartition(".")[2] in phases
    ]


def _core_reads(route: PhaseRoute, job: str) -> float:
    """Reads that leave the first switches for other switches, Gbps."""
    topology = route.topology
    level, switch = topology.nodes.level, topology.is_switch
    rising = switch[topology.links.src] & (level[topology.links.src] == 1) & switch[topology.links.dst]
    return float(route.link_gbps[:, _columns(route, job, _READS)][rising].sum())


def _recovery(run: Run, cluster: StorageCluster, route: PhaseRoute) -> tuple[float | None, float | None]:
    """Seconds until what was lost is there again: as asked for, and at the rate that other traffic leaves."""
    own = _columns(route, cluster.id, ("recovery",))
    window = _planned_s(run, cluster)
    if window is None or not own:
        return None, None
    load = route.link_gbps[:, own].sum(axis=1)
    others = route.link_gbps.sum(axis=1) - load
    used = load > 0
    room = (route.topology.capacity_gbps - others)[used] / load[used]
    faster = float(room.min(initial=np.inf))
    best = window / faster if faster > 0 else None
    judged = [one.value for one in run.result.limits if one.id == f"{cluster.id}.recovery.within"]
    if judged:
        return judged[0], best
    return window * max(1.0, float(route.utilisation[used].max(initial=0.0))), best


def _planned_s(run: Run, cluster: StorageCluster) -> float | None:
    """The window of recovery, or what the lost bytes take at its rate; None where neither is known."""
    (workload,) = [one for one in run.loaded.scenario.workloads if one.id == cluster.id]
    spec = getattr(workload.spec, "recovery", None)
    if spec is None:
        return None
    if spec.within is not None:
        return float(spec.within)
    lost = {"host-loss": 1, "rack-loss": max(cluster.rack_sizes.values(), default=0)}.get(spec.when, 0)
    if not lost or cluster.stored_bytes is None or not spec.rate:
        return None
    held = cluster.stored_bytes * cluster.members / cluster.data / len(cluster.hosts)
    return float(held * lost * 8 / 1e9 / spec.rate)


def _in_rack(cluster: StorageCluster, domain: str) -> int | None:
    sizes = cluster.rack_sizes
    if not sizes:
        return None
    return 1 if domain == "rack" else min(cluster.members, max(sizes.values()))


def _balance(run: Run, cluster: StorageCluster) -> float:
    """What the fullest server keeps over the mean, by what servers take of writes and copies."""
    (traffic,) = [one for one in run.traffic if one.id == cluster.id]
    inventory = run.network.inventory
    nodes = len(run.network.topologies[cluster.fabric].nodes)
    (workload,) = [one for one in run.loaded.scenario.workloads if one.id == cluster.id]
    ends = inventory.host_endpoints(cluster.fabric, getattr(workload.spec, "servers", ""))
    taken = np.zeros(nodes)
    for phase in traffic.phases:
        if phase.name.endswith((".write", ".replicate")):
            taken += phase.flows.received(nodes)
    each = taken[ends].sum(axis=1)
    return float(each.max() / each.mean()) if each.sum() > 0 else 1.0
