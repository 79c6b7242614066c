"""How often the hash is drawn where nobody says: as often as a model of the work allows, never as a clock does.

The work of a draw is counted, not timed, so that the same scenario is drawn as often on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabric.request import RouteRequest
from fabric.routing.router import traits_of
from fabric.scenario.schema import FabricSpec
from topologies.topology import Topology
from traffic.demands import Demands

DRAWS = 100  # where they are cheap
FEWER = (50, 20, 10, 5)  # where they are not; then one
MOST_WORK_NS = 1e9  # of all draws of all phases together, about a second of one core
DEAR_WORK_NS = 0.5e9  # what is spent where so many would take longer
MOST_KEPT = 25_000_000  # utilisations of links kept at once, 8 bytes each
# Nanoseconds, measured on a 2 GHz core; hops of a flow are counted as four.
_FLOW_NS = 150.0  # hash its header and walk it
_EDGE_NS = 3.0  # of a search from one switch, which up to a hundred draws share
_LINK_NS = 15.0  # add up the classes of a link and compare it with its capacity
_PHASE_NS = 300_000.0  # times and limits in one draw, whatever the size

Phases = Sequence[tuple[str, FabricSpec, Demands, str]]


def draws_of(phases: Phases, topologies: Mapping[str, Topology], request: RouteRequest) -> dict[str, int]:
    """Draws of the hash by fabric: what the command line or the scenario says, else what the work allows.

    Fabrics whose router draws nothing have one.
    """
    from fabric.evaluation.phases import phase_codes

    hashed = [
        (topologies[name], demands, phase_codes(demands, phase))
        for name, spec, demands, phase in phases
        if traits_of(request.router or spec.routing.router).placement == "hashed"
    ]
    fit = most_draws([topology for topology, _, _ in hashed])
    work = sum(_work_ns(topology, demands, codes) for topology, demands, codes in hashed)
    unasked = request.draws or _affordable(work)
    counts = {}
    for name, spec, _, _ in phases:
        asked = request.replicas or spec.routing.hash.replicas
        placement = traits_of(request.router or spec.routing.router).placement
        counts[name] = min(asked or unasked, fit) if placement == "hashed" else 1
    return counts


def most_draws(topologies: Sequence[Topology]) -> int:
    """Draws that fit the memory; a topology per phase."""
    return max(MOST_KEPT // max(sum(len(topology.links) for topology in topologies), 1), 1)


def _affordable(work_ns: float) -> int:
    """Draws of so much work each; few round numbers, so that a small change draws as often.

    >>> [_affordable(ms * 1e6) for ms in (10, 11, 40, 200, 3000)]
    [100, 20, 10, 1, 1]
    """
    if work_ns * DRAWS <= MOST_WORK_NS:
        return DRAWS
    return next((count for count in FEWER if count * work_ns <= DEAR_WORK_NS), 1)


def _work_ns(topology: Topology, demands: Demands, codes: Sequence[int]) -> float:
    """Work of one draw of a phase."""
    flows = sum(demands.flows[code].pairs * demands.classes[code].flows_per_pair for code in codes)
    links, switches = len(topology.links), int(topology.is_switch.sum())
    searches = _EDGE_NS * switches * links / DRAWS
    return _FLOW_NS * flows + searches + _LINK_NS * links * len(codes) + _PHASE_NS
