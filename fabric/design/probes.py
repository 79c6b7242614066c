"""What an oversubscription promises, put to the test: any traffic that the NICs admit, not that of one job.

A ceiling of r to 1 says that no link between switches is offered more than r times what it carries, whatever NICs send
as long as none sends or receives more than it can (the hose model: Duffield et al., SIGCOMM 1999). A Clos keeps that
by its counts; a flat network may not. Probes are patterns that are known to be hard: permutations over half the hosts,
over a third and over one leaf, everyone to everyone, and the farthest matching (Jyothi et al., SC 2016).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fabric.design.need import FabricNeed
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.routing.utilisation import SAME
from fabric.scenario.load import LoadedScenario
from fabric.scenario.workload_schema import Workload
from topologies.errors import TrafficError
from topologies.topology import Topology
from topologies.units import precise_gbps
from traffic.workload import WORKLOADS

_MOST_MATCHED = 1_024  # endpoints, or leaves, of the farthest matching: an assignment problem
_ONE_LEAF = "FP4041"  # all hosts share one, such as one of every plane: nothing crosses to another
_MOST_LEAVES = 2_048  # that everyone-to-everyone is routed between


@dataclass(frozen=True)
class ProbeLoad:
    """The fullest link between switches under one probe."""

    fabric: str
    probe: str
    utilisation: float
    link: str


def probe_loads(run: Run, needs: Mapping[str, FabricNeed], even: Set[str] = frozenset()) -> tuple[ProbeLoad, ...]:
    """Every probe of every fabric that promises an oversubscription, routed as the fabric routes.

    Parameters
    ----------
    run : Run
        The design; its fabrics are taken over, its jobs stay at rest.
    needs : mapping
        Needs by fabric; those without a ceiling are not probed.
    even : set of str
        Fabrics whose ceiling is one of everyone sending evenly to everyone.
    """
    probes: dict[str, tuple[str, Workload]] = {}
    for fabric, need in needs.items():
        if need.oversubscription == float("inf") or need.hosts < 2:
            continue
        topology = run.network.topologies[fabric]
        for name, keys in _everyone(need, topology) if fabric in even else _patterns(need, topology):
            probes[f"{fabric}:{name}"] = (fabric, _workload(f"probe-{len(probes)}", {**keys, "fabric": fabric}))
    loads = []
    for name, (fabric, workload) in probes.items():
        try:
            alone = run_scenario(_alone(run.loaded, workload), RouteRequest(fabric=fabric), like=run)
        except TrafficError as error:
            if any(problem.code != _ONE_LEAF for problem in error.problems):
                raise
            continue
        loads += [
            _fullest(name.partition(":")[2], route.fabric, route.topology, route.utilisation)
            for route in alone.result.routes
        ]
    return tuple(loads)


def breaks(load: ProbeLoad, need: FabricNeed) -> bool:
    """Whether a probe fills a link beyond the ceiling."""
    return load.utilisation > need.oversubscription * (1 + 1e3 * SAME)


def _patterns(need: FabricNeed, topology: Topology) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and keys of every probe; NICs on rails send to their own rail, the GPUs' own network does the rest."""
    per_host = need.nics if need.rail == "per-gpu" else 1
    rate = {"rate": precise_gbps(need.nic_gbps * (1 if per_host > 1 or need.nics == 1 else need.nics))}
    leaves = topology.nodes.level == 1
    per_leaf = max(need.hosts * per_host // max(int(leaves.sum()), 1), 1)
    steps = {"half": need.hosts // 2, "third": need.hosts // 3, "next": per_leaf}
    seen: set[int] = set()
    for name, step in steps.items():
        if 0 < step < need.hosts and step not in seen:
            seen.add(step)
            yield name, {"kind": "stride", "step": step * per_host, **rate}
    if per_host == 1:
        yield from _everyone(need, topology)
        if need.hosts <= _MOST_MATCHED:
            yield "farthest", {"kind": "longest-matching", **rate}


def _everyone(need: FabricNeed, topology: Topology) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everyone to everyone, by leaf where there are many; nothing crosses from a single leaf."""
    if 1 < int((topology.nodes.level == 1).sum()) <= _MOST_LEAVES:
        level = "leaf" if need.endpoints > 64 else "endpoint"
        yield "everyone", {"kind": "all-to-all", "level": level, "size": "1 GiB"}


def _workload(name: str, keys: dict[str, Any]) -> Workload:
    entry = WORKLOADS[keys["kind"]]
    return Workload(id=name, kind=entry.name, spec=entry.model.model_validate(keys))


def _alone(loaded: LoadedScenario, workload: Workload) -> LoadedScenario:
    """The scenario with one workload, and nothing that has to hold."""
    scenario = loaded.scenario.model_copy(update={"workloads": (workload,), "limits": (), "scale": 1.0})
    return replace(loaded, scenario=scenario)


def _fullest(probe: str, fabric: str, topology: Topology, utilisation: np.ndarray) -> ProbeLoad:
    """The fullest link that joins two switches."""
    inner = topology.is_switch[topology.links.src] & topology.is_switch[topology.links.dst]
    load = np.where(inner, utilisation, 0.0)
    if not load.size or not load.max():
        return ProbeLoad(fabric, probe, 0.0, "")
    worst = int(np.argmax(load))
    return ProbeLoad(fabric, probe, float(load[worst]), topology.link_name(worst))
