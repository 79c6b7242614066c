"""The same need for less: designs that cost less than the fabric of a scenario, built and routed with its jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isclose
from pathlib import Path

import numpy as np

from fabric.design.counted import CableCount, Counted, SwitchCount
from fabric.design.need import FabricNeed
from fabric.design.objective import MissingFigureError, Objective, Rates
from fabric.design.search import Search
from fabric.pipeline.run import Run, run_scenario
from fabric.review.finding import Finding
from fabric.review.scenario_ports import models_of
from fabric.routing.progress import Progress, Reporter
from topologies.catalogue import Catalogue, SwitchModel
from topologies.errors import FabricError
from topologies.link_kits import LinkEnd
from topologies.summary import summarise
from topologies.topology import Topology
from topologies.units import format_seconds, percent, to_one

_WORTH = 0.98  # of the cost; what saves less is not named
_TRIED = 3
_MOST_NICS = 40_000
_SAME_TIME = 1.001
_ROUND = 1e-6


@dataclass(frozen=True)
class Present:
    """The fabric of a scenario as the search counts fabrics."""

    need: FabricNeed
    counted: Counted
    usd: float


def cheaper_findings(run: Run, fabric: str, survives: tuple[str, ...], progress: Reporter) -> Iterator[Finding]:
    """A design that does the same for less; a note where that cannot be said.

    Parameters
    ----------
    survives : tuple of str
        Roles (``spine``, ``leaf``) any one switch of which may die today without parting hosts.
    """
    topology, catalogue = run.network.topologies[fabric], run.loaded.catalogue
    present = _present(run, fabric, survives, catalogue)
    if isinstance(present, str):
        yield Finding(
            "note", "cheaper", "cost", f"not searched for what does the same for less: {present}", fabric=fabric
        )
        return
    search = Search(present.need, catalogue, Objective.of("cost"))
    for _ in range(_TRIED):
        progress(Progress(f"{fabric}: searching for less"))
        counted = search.next()
        if counted is None or search.value_of(counted) >= _WORTH * present.usd:
            return
        outcome = _trial(run, fabric, counted)
        if outcome is not None:
            yield _finding(fabric, present, counted, search.value_of(counted), outcome, topology)
            return


def _present(run: Run, fabric: str, survives: tuple[str, ...], catalogue: Catalogue) -> Present | str:
    """The fabric as it is, or why it cannot be compared."""
    topology = run.network.topologies[fabric]
    groups = [group for group in run.network.inventory.groups.values() if fabric in group.nics]
    kinds = {(group.nics[fabric].nics, group.nics[fabric].nic_gbps, group.nics[fabric].ports) for group in groups}
    if len(kinds) != 1:
        return "its hosts differ in their NICs" if kinds else "no nodes are listed that say what its hosts need"
    if int(topology.nodes.nics.sum()) > _MOST_NICS:
        return f"it has more than {_MOST_NICS:,} NICs; fabric design searches at that size"
    models = models_of(run.loaded.scenario.fabrics[fabric].topology, catalogue)
    roles = [
        role for role, members in summarise(topology).nodes_by_role.items() if members and _is_switch(topology, role)
    ]
    missing = [role for role in roles if role not in models]
    if missing:
        return f"the switches of role {missing[0]} have no model, so no price"
    counted = counted_of(topology, models)
    ((nics, gbps, ports),) = kinds
    first = groups[0]
    ratios = list(counted.oversubscription.values())
    need = FabricNeed(
        name=fabric,
        hosts=sum(len(group.hosts) for group in groups),
        gpus_per_host=first.gpus_per_host,
        nics=nics,
        nic_gbps=gbps * ports,
        nic_ports=(ports,),
        rail=first.nics[fabric].rail,
        oversubscription=max(1.0, *ratios) + _ROUND if ratios else 1.0,
        single_failures=survives,
    )
    try:
        return Present(need, counted, Rates(need, catalogue, Objective.of("cost")).value(counted)[0])
    except MissingFigureError as error:
        return str(error)


def _is_switch(topology: Topology, role: str) -> bool:
    code = topology.roles.index(role)
    return bool(topology.is_switch[topology.nodes.role == code].any())


def counted_of(topology: Topology, models: Mapping[str, SwitchModel]) -> Counted:
    """A built topology as a counted design: its switches by role, its cables by tier."""
    summary = summarise(topology)
    switches = tuple(
        SwitchCount(role, models[role].model, count, summary.ports_used_max_by_role.get(role, 0))
        for role, count in summary.nodes_by_role.items()
        if count and role in models and _is_switch(topology, role)
    )
    links, nodes = topology.links, topology.nodes
    cables = []
    for code, tier in enumerate(topology.tiers):
        rows = np.flatnonzero(topology.is_cable & (links.tier == code))
        for gbps in np.unique(links.capacity_gbps[rows]).tolist():
            same = rows[links.capacity_gbps[rows] == gbps]
            ends = sorted((int(links.src[same[0]]), int(links.dst[same[0]])), key=lambda node: int(nodes.level[node]))
            lower, upper = (_end(topology, node, gbps, models) for node in ends)
            is_host = not nodes.forwards[ends[0]]
            cables.append(CableCount(tier, len(same), gbps, lower, upper, "host" if is_host else "upper"))
    ratios = {role: ratio for role, ratio in summary.oversubscription_by_role.items() if ratio is not None}
    return Counted(topology.kind, {"kind": topology.kind}, 1, switches, tuple(cables), ratios)


def _end(topology: Topology, node: int, gbps: float, models: Mapping[str, SwitchModel]) -> LinkEnd:
    """Links that share the cage at one end."""
    model = models.get(topology.roles[topology.nodes.role[node]])
    if model is None or not topology.is_switch[node]:
        return LinkEnd()
    return LinkEnd(model.ports_per_cage * max(int(model.speed / gbps), 1))


def _trial(run: Run, fabric: str, counted: Counted) -> tuple[str, ...] | None:
    """The jobs on the other fabric: their steps, none longer than now; None where one is, or it cannot be built."""
    import yaml

    from fabric.scenario.load import load_scenario

    loaded = run.loaded
    if loaded.path == "-" or not Path(loaded.path).is_file() or "." in fabric:
        return ("counted, and not built: the scenario is not a file that can be read again",)
    flow = yaml.safe_dump(dict(counted.topology), default_flow_style=True, width=10**6).strip()
    given = [f"{each.path}={each.value}" for each in loaded.overrides]
    try:
        other = run_scenario(
            load_scenario(loaded.path, overrides=[*given, f"fabrics.{fabric}.topology={flow}"]), run.request, idle=True
        )
    except FabricError:
        return None
    return _compared(run, other, fabric)


def _compared(run: Run, other: Run, fabric: str) -> tuple[str, ...] | None:
    failed = {limit.id for limit in run.result.limits if limit.ok is False}
    if any(limit.ok is False and limit.id not in failed for limit in other.result.limits):
        return None
    before = {job.id: job.step_time_s for job in run.result.jobs}
    lines = []
    for job in other.result.jobs:
        old = before.get(job.id)
        if old is None or job.step_time_s is None:
            continue
        if job.step_time_s > _SAME_TIME * old:
            return None
        same = isclose(old, job.step_time_s, rel_tol=1e-4)
        lines.append(f"{job.id}: {format_seconds(job.step_time_s)} a step" + (
            ", as now" if same else f", {format_seconds(old)} now"))  # fmt: skip
    peaks = [
        max((route.max_utilisation for route in each.result.routes if route.fabric == fabric), default=0.0)
        for each in (run, other)
    ]
    if not lines and peaks[1] > _SAME_TIME * max(peaks[0], 1.0):
        return None
    return (*lines, f"fullest link {percent(peaks[1])}, {percent(peaks[0])} now")


def _finding(
    fabric: str, present: Present, counted: Counted, usd: float, outcome: tuple[str, ...], topology: Topology
) -> Finding:
    saved = present.usd - usd
    text = (
        f"the same need costs US$ {saved:,.0f} less as {counted.family}: US$ {usd:,.0f} in place of US$ "
        f"{present.usd:,.0f} for switches, optics and cables ({percent(saved / present.usd)})"
    )
    steps = (f"now: {_parts(present.counted)}", f"then: {_parts(counted)}", *outcome)
    need = present.need
    fix = (
        f"fabric design --hosts {need.hosts} --gpus-per-node {need.gpus_per_host} --nic {need.nics}x{need.nic_gbps:g} "
        f"--oversub {to_one(need.oversubscription)} lists it among others"
    )
    runs = ", ".join(f"{length:g} m {name}" for name, length in present.need.length_m.items())
    return Finding("note", "cheaper", "cost", text, (*steps, f"runs of cables as assumed: {runs}"), fix, fabric)


def _parts(counted: Counted) -> str:
    switches = ", ".join(f"{each.count:,} {each.role} {each.model}" for each in counted.switches)
    cables = ", ".join(f"{each.count:,} {each.tier}" for each in counted.cables)
    ratios = ", ".join(f"{to_one(ratio)} at {role}" for role, ratio in counted.oversubscription.items())
    return f"{switches}; cables {cables}" + (f"; {ratios}" if ratios else "")
