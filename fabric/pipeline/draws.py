"""How often the hash is drawn where nobody says: as often as a model of the work allows, never as a clock does.

The work of a draw is counted, not timed, so that the same scenario is drawn as often on any machine. Sharing the links
of a draw max-min fairly costs more than its loads do, so that rates of flows may be known of fewer draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from fabric.request import RouteRequest
from fabric.routing.hashing.flows import MOST_FLOWS_REPLICATED, MOST_PIECES
from fabric.routing.names import FLOWLETS
from fabric.routing.router import is_drawn, traits_of
from fabric.scenario.fabric_schema import FabricSpec
from fabric.scenario.limit_schema import LimitSpec
from topologies.topology import Topology
from traffic.demands import Demands

DRAWS = 100  # where they are cheap
FEWER = (50, 20, 10, 5)  # where they are not; then one
MOST_WORK_NS = 1e9  # of all draws of all phases together, about a second of one core
DEAR_WORK_NS = 0.5e9  # what is spent where so many would take longer
MOST_ASKED_NS = 10e9  # of as many draws as a percentile asks for
MOST_KEPT = 225_000_000  # utilisations of links kept at once, 8 bytes each: five draws of a million endpoints
# Nanoseconds, measured on a 2 GHz core; hops of a flow are counted as four.
_FLOW_NS = 150.0  # hash its header and walk it
_EDGE_NS = 3.0  # of a search from one switch, which up to a hundred draws share
_LINK_NS = 15.0  # add up the classes of a link and compare it with its capacity
_PHASE_NS = 300_000.0  # times and limits in one draw, whatever the size
_SHARE_NS = 300.0  # write down a flow's path and share its links

Phases = Sequence[tuple[str, FabricSpec, Demands, str]]


@dataclass(frozen=True)
class DrawCount:
    """Draws of a fabric's hash: of loads, and the first of them of rates of flows; 0 where none can be afforded."""

    loads: int = 1
    rates: int | None = None


def draws_of(
    phases: Phases, topologies: Mapping[str, Topology], request: RouteRequest, limits: Sequence[LimitSpec] = ()
) -> dict[str, int]:
    """Draws of the hash by fabric: what the command line or the scenario says, else what the work allows.

    Fabrics whose router draws nothing have one. Where a limit is judged at a percentile, there are as many draws as
    tell it from the worst one, up to a hundred.
    """
    return {name: count.loads for name, count in draw_counts(phases, topologies, request, limits).items()}


def draw_counts(
    phases: Phases, topologies: Mapping[str, Topology], request: RouteRequest, limits: Sequence[LimitSpec] = ()
) -> dict[str, DrawCount]:
    """Draws of loads and of rates by fabric; see ``draws_of``."""
    from fabric.evaluation.phases import phase_codes

    hashed = [
        (topologies[name], demands, phase_codes(demands, phase), _pieces(spec, request))
        for name, spec, demands, phase in phases
        if _is_drawn(spec, request)
    ]
    fit = most_draws([topology for topology, *_ in hashed])
    work = sum(_work_ns(topology, demands, codes, pieces) for topology, demands, codes, pieces in hashed)
    least = least_draws(limits)
    unasked = request.draws or max(_affordable(work), least if least * work <= MOST_ASKED_NS else 1)
    flows = [_flows(demands, codes) for _, demands, codes, _ in hashed]
    rates = _affordable(_SHARE_NS * sum(flows)) if max(flows, default=0) <= MOST_FLOWS_REPLICATED else 0
    counts = {}
    for name, spec, _, _ in phases:
        asked = request.replicas or spec.routing.hash.replicas
        drawn = min(asked or unasked, fit)
        counts[name] = DrawCount(drawn, min(rates, drawn)) if _is_drawn(spec, request) else DrawCount()
    return counts


def least_draws(limits: Sequence[LimitSpec]) -> int:
    """Draws that tell the percentiles of all limits from the worst draw, at most a hundred.

    >>> least_draws([LimitSpec(fabric="a", metric="utilisation", max="100%", at=at) for at in ("p50", "p95", "mean")])
    20
    """
    parts = [part for limit in limits if (part := limit.percentile) is not None and part < 1]
    beyond = min((min(part, 1 - part) for part in parts), default=0.5)
    return min(ceil(round(1 / beyond, 9)), DRAWS) if beyond < 0.5 else 1


def most_draws(topologies: Sequence[Topology]) -> int:
    """Draws that fit the memory; a topology per phase."""
    return max(MOST_KEPT // max(sum(len(topology.links) for topology in topologies), 1), 1)


def _is_drawn(spec: FabricSpec, request: RouteRequest) -> bool:
    return is_drawn(request.router or spec.routing.router, spec.routing.adaptive.granularity)


def _pieces(spec: FabricSpec, request: RouteRequest) -> int:
    """Pieces of a flow that are hashed."""
    adaptive = traits_of(request.router or spec.routing.router).takes_granularity
    return MOST_PIECES if adaptive and spec.routing.adaptive.granularity == FLOWLETS else 1


def _affordable(work_ns: float) -> int:
    """Draws of so much work each; few round numbers, so that a small change draws as often.

    >>> [_affordable(ms * 1e6) for ms in (10, 11, 40, 200, 3000)]
    [100, 20, 10, 1, 1]
    """
    if work_ns * DRAWS <= MOST_WORK_NS:
        return DRAWS
    return next((count for count in FEWER if count * work_ns <= DEAR_WORK_NS), 1)


def _flows(demands: Demands, codes: Sequence[int]) -> int:
    """Single flows of a phase."""
    return sum(demands.flows[code].pairs * demands.classes[code].flows_per_pair for code in codes)


def _work_ns(topology: Topology, demands: Demands, codes: Sequence[int], pieces: int) -> float:
    """Work of one draw of a phase."""
    links, switches = len(topology.links), int(topology.is_switch.sum())
    searches = _EDGE_NS * switches * links / DRAWS
    return _FLOW_NS * _flows(demands, codes) * pieces + searches + _LINK_NS * links * len(codes) + _PHASE_NS
