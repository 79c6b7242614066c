"""The order of the stages: bounds, constructions, local search, the programme's bound and rounding, exact search.

Every stage ends when the best placement meets the best bound, and by itself after a fixed amount of work, so that one
seed gives the same paths on every machine unless the time limit strikes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabric.optimise.cuts import best_cut
from fabric.optimise.unsplittable.bounds import counted_cut
from fabric.optimise.unsplittable.candidates import Candidates, candidates
from fabric.optimise.unsplittable.colouring import coloured_paths
from fabric.optimise.unsplittable.cp_sat import solve_whole, whole_programme
from fabric.optimise.unsplittable.incumbent import EXACT, Placement
from fabric.optimise.unsplittable.local_search import negotiate, place_cheapest
from fabric.optimise.unsplittable.paths import replace_all
from fabric.optimise.unsplittable.rounding import rounded_paths
from fabric.routing.equal_split import ecmp_loads
from fabric.routing.flow_table import FlowTable
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, Routing, RoutingOptions, access_bound
from topologies.columns import Ints, column
from topologies.units import percent

DRAWS = 8  # randomised roundings
ROUNDS = 8  # targets tried between bound and best
EVALUATIONS_PER_FLOW = 30  # of one target, before it counts as missed
EVALUATIONS = 20_000
DETOUR_EVALUATIONS = 20_000  # of one target over all links, where an evaluation may visit the whole fabric
_CHUNK = 20_000  # evaluations between looks at the clock
_LONGEST = 64  # links of a path at most, unless shortest paths need more
_PROGRAMME_SHARE = 0.5  # of the time left


def place_flows(graph: RoutingGraph, demand: PhaseDemand, flows: FlowTable, options: RoutingOptions) -> Routing:
    """Every flow on one path, with the highest utilisation as low as found, and a bound for all placements."""
    _, unreachable = ecmp_loads(graph, demand)
    found = candidates(graph, flows)
    access, words = access_bound(graph, demand)
    best = Placement(graph, demand, flows, found, options, access, _longest(graph, found, options))
    if access:
        best.prove(Certificate(access, f"{words} carries at least {percent(access)}"))
    cut, counted = best_cut(graph, demand, ~unreachable), counted_cut(graph, flows, found.reached)
    # A cut that prices prove can be checked with shortest paths alone.
    best.prove(counted if counted.lower_bound > cut.lower_bound * (1 + EXACT) else cut)
    if not found.reached.any():
        best.theta = access
        return best.routing(unreachable, partial=False)
    _construct(best)
    limited = not best.done and _improve(best)
    return best.routing(unreachable, partial=limited and not best.done)


def _longest(graph: RoutingGraph, found: Candidates, options: RoutingOptions) -> int:
    """Links that a path may have."""
    if options.paths == "shortest":
        return found.longest
    return max(found.longest, min(2 * found.longest + 2, _LONGEST), min(graph.nodes, _LONGEST // 2))


def _construct(best: Placement) -> None:
    """First placements: balanced by colouring, and greedy with the largest flows first."""
    flows, found = best.flows, best.found
    coloured = coloured_paths(best.graph, found.net, flows, found.reached, best.longest)
    if coloured is not None:
        replace_all(best.now, *coloured)
        _place_rest(best)
        best.take(best.now.edge, best.now.steps, "edge colouring")
    if not best.done:
        replace_all(best.now, best.edge, np.zeros(len(flows), dtype=np.int32))
        _place_rest(best)
        best.take(best.now.edge, best.now.steps, "greedy")


def _place_rest(best: Placement) -> None:
    """Place what has no path yet, largest flows first, equal ones in an order of the seed."""
    flows = np.flatnonzero(best.found.reached & (best.now.steps == 0))
    np.random.default_rng(best.options.seed).shuffle(flows)
    order = flows[np.argsort(-best.flows.gbps[flows], kind="stable")]
    place_cheapest(best.found.net, best.now, best.work, column(order, np.int64), best.certificate.lower_bound)


def _improve(best: Placement) -> bool:
    """Local search, then proof and better starts, then exact search; returns whether the time limit cut any short."""
    wide = best.options.paths == "any"
    _descend(best, wide=False)
    if wide and not best.done:
        _descend(best, wide=True)
    limited = False
    if not best.done and best.seconds_left > 0:
        limited = _programme(best)
    if not best.done:
        limited |= _exact(best)
    return limited or best.seconds_left <= 0


def _descend(best: Placement, *, wide: bool) -> None:
    """Search for lower and lower targets: the bound itself, then between what was missed and what was reached."""
    missed = 0.0
    target = best.certificate.lower_bound
    for _ in range(ROUNDS):
        if best.done or best.seconds_left <= 0:
            return
        if not _reach(best, target, wide=wide):
            missed = target
        low = max(missed, best.certificate.lower_bound)
        target = min((low + best.theta) / 2, best.level_below(best.theta))
        if target <= low * (1 + max(best.options.gap, EXACT)):
            return


def _reach(best: Placement, target: float, *, wide: bool) -> bool:
    """Look for a placement with no link above ``target``, from the best one."""
    best.restart()
    budget = DETOUR_EVALUATIONS if wide else EVALUATIONS + EVALUATIONS_PER_FLOW * len(best.flows)
    while budget > 0 and best.seconds_left > 0:
        chunk = min(_CHUNK, budget)
        if negotiate(best.found.net, best.now, best.work, target, chunk, wide):
            # What the search counted up and down is added up anew here.
            return best.take(best.now.edge, best.now.steps, "local search")
        budget -= chunk
    return False


def _programme(best: Placement) -> bool:
    """The bound of routings that may split, and placements drawn from their fractions; whether time ran out."""
    from fabric.optimise.least_utilisation import least_utilisation

    gap = best.theta / best.certificate.lower_bound - 1
    share = best.seconds_left * _PROGRAMME_SHARE
    options = replace(best.options, time_limit_s=share, gap=max(best.options.gap, gap / 20))
    before = best.seconds_left
    split = least_utilisation(best.graph, best.demand, options)
    limited = split.partial and before - best.seconds_left >= share * 0.99
    if split.certificate is not None:
        best.prove(split.certificate)
    if best.done or split.splits is None:
        return limited
    for _ in range(DRAWS):
        edge, steps = rounded_paths(
            best.graph, best.demand, split.splits, best.flows, best.found.reached, best.longest, best.work
        )
        replace_all(best.now, edge, steps)
        _place_rest(best)
        _settle(best)
    _descend(best, wide=best.options.paths == "any")
    return limited


def _settle(best: Placement) -> None:
    """From a drawn placement to one below the best, in a short search."""
    best.now.history[:] = 0.0
    target = max(best.certificate.lower_bound, best.level_below(best.theta) * (1 - 1e-6))
    budget = min(EVALUATIONS, 4 * len(best.flows) + 1000)
    negotiate(best.found.net, best.now, best.work, target, budget, False)
    best.take(best.now.edge, best.now.steps, "LP rounding")


def _exact(best: Placement) -> bool:
    """CP-SAT where it is small enough; whether time ran out."""
    shortest_only = best.options.paths == "shortest"
    programme = whole_programme(best.graph, best.flows, best.found, shortest_only=shortest_only)
    if programme is None or best.seconds_left <= 0:
        return False
    best.report("CP-SAT")
    answer = solve_whole(
        best.graph, best.flows, programme, theta=best.theta, bound=best.certificate.lower_bound,
        longest=best.longest, time_limit_s=best.seconds_left, seed=best.options.seed,
    )  # fmt: skip
    words = f"CP-SAT: no choice of one path per flow stays below {percent(answer.bound)}"
    over = ", over shortest paths" if shortest_only else ""
    best.prove(Certificate(answer.bound, words + over))
    if answer.edge is not None and answer.steps is not None:
        _finish(best, answer.edge, answer.steps)
    return answer.stopped


def _finish(best: Placement, edge: Ints, steps: Ints) -> None:
    replace_all(best.now, edge, steps)
    _place_rest(best)
    best.take(best.now.edge, best.now.steps, "CP-SAT")
