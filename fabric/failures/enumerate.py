"""The cases of a set."""

from __future__ import annotations

import numpy as np

from fabric.failures.cases import Cases
from fabric.failures.part import Part
from fabric.failures.request import FailureRequest
from fabric.pipeline.run import Run
from topologies.columns import column


def case_set(run: Run, request: FailureRequest) -> Cases:
    """Every link and every switch, alone or two at a time."""
    parts: list[Part] = []
    for kind in request.kinds:
        for fabric, topology in run.network.topologies.items():
            if request.fabric not in (None, fabric):
                continue
            links = topology.links
            if kind == "link":
                for link in np.flatnonzero(topology.is_cable & topology.up).tolist():
                    both = column(sorted({link, int(links.reverse[link])} - {-1}), np.int32)
                    name, tier = topology.link_name(link), topology.tiers[links.tier[link]]
                    parts.append(Part("link", name, {fabric: both}, selectors=(name,), role=tier, fabric=fabric))
            if kind == "switch":
                for node in np.flatnonzero(topology.is_switch).tolist():
                    own = column(np.flatnonzero((links.src == node) | (links.dst == node)), np.int32)
                    name, role = topology.nodes.name[node], topology.roles[topology.nodes.role[node]]
                    parts.append(Part("switch", name, {fabric: own}, selectors=(name,), role=role, fabric=fabric))
    cases = Cases.single(tuple(parts), f"N-{request.choose}")
    count = len(parts)
    if request.choose == 2:
        return Cases(cases.name, cases.parts, cases.start, cases.part, count * (count - 1) // 2, 2)
    return cases
