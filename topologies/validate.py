"""Checks of a built topology, one per function; each returns what it found.

They read the built columns, never the parameters, so that a wrong formula cannot hide a wrong fabric.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from topologies.errors import Problem
from topologies.parts import parts_of
from topologies.topology import Topology
from topologies.units import precise_gbps

_SHOWN = 3


def check_port_budget(topology: Topology) -> list[Problem]:
    """Ports used at most the radix, on every switch whose radix is known."""
    used, radix = topology.ports_used, topology.nodes.radix
    over = np.flatnonzero((radix > 0) & (used > radix + 1e-9))
    problems = []
    for node in over[:_SHOWN].tolist():
        more = f" (and {len(over) - 1} more switches)" if len(over) > 1 else ""
        problems.append(
            Problem(
                f"{topology.nodes.name[node]} needs {used[node]:g} ports but has {radix[node]}{more}",
                code="FP3011",
                hint=f"take a model with at least {int(np.ceil(used[over].max()))} ports, or fewer cables per switch",
            )
        )
        break
    return problems


def check_symmetry(topology: Topology) -> list[Problem]:
    """Both directions of every cable name each other, join the same nodes and agree on being up."""
    links = topology.links
    forward = np.flatnonzero(links.reverse >= 0)
    back = links.reverse[forward]
    bad = (links.src[forward] != links.dst[back]) | (links.dst[forward] != links.src[back])
    bad |= (links.reverse[back] != forward) | (topology.up[forward] != topology.up[back])
    return [
        Problem(f"{topology.link_name(int(link))} and its other direction do not agree", code="FP3012")
        for link in forward[bad][:_SHOWN]
    ]


def check_capacities(topology: Topology) -> list[Problem]:
    """Every capacity is a finite number, not negative; every weight is positive."""
    links = topology.links
    problems = []
    bad = np.flatnonzero(~np.isfinite(links.capacity_gbps) | (links.capacity_gbps < 0))
    for link in bad[:_SHOWN].tolist():
        value = links.capacity_gbps[link]
        problems.append(Problem(f"{topology.link_name(link)} has capacity {precise_gbps(value)}", code="FP3013"))
    bad = np.flatnonzero(~np.isfinite(links.weight) | (links.weight <= 0))
    for link in bad[:_SHOWN].tolist():
        message = f"{topology.link_name(link)} has routing weight {links.weight[link]:g}; weights are positive"
        problems.append(Problem(message, code="FP3013"))
    return problems


def check_self_loops(topology: Topology) -> list[Problem]:
    """No cable joins a node to itself."""
    bad = np.flatnonzero(topology.links.src == topology.links.dst)
    return [
        Problem(f"{topology.nodes.name[topology.links.src[link]]} is cabled to itself", code="FP3014")
        for link in bad[:_SHOWN].tolist()
    ]


def check_connectivity(topology: Topology) -> list[Problem]:
    """All endpoints lie in one connected part; several parts are a warning, since they may be meant."""
    links, up = topology.links, topology.up
    alive = np.flatnonzero(up & (topology.is_cable | ~up[links.reverse]))  # one direction of a cable joins its ends
    part = parts_of(len(topology.nodes), links.src[alive], links.dst[alive])
    endpoints = topology.endpoint_nodes
    if not len(endpoints):
        return []
    parts, first, size = np.unique(part[endpoints], return_index=True, return_counts=True)
    if len(parts) <= 1:
        return []
    smallest = int(endpoints[first[np.argmin(size)]])
    message = (
        f"{topology.name} falls into {len(parts)} parts that cannot reach each other; "
        f"the smallest has {size.min()} endpoint node(s), such as {topology.nodes.name[smallest]}"
    )
    return [Problem(message, code="FP3015", severity="warning")]


CHECKS: tuple[Callable[[Topology], list[Problem]], ...] = (
    check_capacities,
    check_self_loops,
    check_symmetry,
    check_port_budget,
    check_connectivity,
)


def validate(topology: Topology) -> list[Problem]:
    """Everything all checks found, errors and warnings."""
    return [problem for check in CHECKS for problem in check(topology)]
