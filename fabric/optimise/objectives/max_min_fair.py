"""Max-min fair rates: no demand's part can be raised without lowering one that is no larger (lexicographic optimum).

All demands rise together until some cannot; those are identified by the prices (a demand that pays for its paths is
stopped by full links), stay at their level, and the others rise on. Flat networks, where any path goes, are filled over
trees (``fabric.optimise.fair_levels``); other small programmes are solved level by level as they are. On other large
ones levels grow by a constant factor from one programme to the next, and every demand ends within that factor of its
fair level (Hong et al., "SWAN", SIGCOMM 2013). Parts end at 1: nobody gets more than is offered. Access links of
single-homed endpoints are outside the routing graph and do not limit what is admitted here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from fabric.optimise.carried import Carried
from fabric.optimise.fair_levels import fair_levels
from fabric.optimise.flow_programmes import highest_level, most_admitted
from fabric.optimise.objective import OBJECTIVES, ObjectiveTraits
from fabric.optimise.path_policy import exact_columns, route_space, solver_for
from fabric.optimise.programme_rounds import Improved, fitted, improve
from fabric.optimise.proofs import entry_prices, level_bound, levels_gap, priced_names
from fabric.optimise.route_space import OVER_PATHS, RouteSpace
from fabric.routing.equal_split import ecmp_loads
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.router import Certificate, LevelStage, ObjectiveProof, Routing, RoutingOptions
from topologies.columns import Bools, Floats
from topologies.registry import Injected
from topologies.units import excess, percent

TRAITS = ObjectiveTraits(sense="most", figure="lowest level", unit="ratio", admits_in_part=True)
FACTOR = 1.1  # between levels on large programmes
EXACT_GAP = 1e-5  # relative, of any level to what its prices allow: called exact
EXACT_LEVELS = 500  # programmes the exact way may solve
PAYS = 1e-7  # price of a demand's path, relative to the dearest, above which it is stopped


@dataclass(frozen=True, eq=False)
class _Filled:
    """Levels of all entries, the routing that carries them, and what is proven about the lowest."""

    level: Floats  # shape (nnz,)
    carried: Carried
    lowest_bound: float
    price: Floats  # of the first, lowest level
    finished: bool
    solver: str
    stages: tuple[LevelStage, ...] = ()
    by_stages: bool = False  # every level has prices, not only the lowest


@OBJECTIVES.register(
    "max-min-fair",
    example={},
    traits=TRAITS,
)
def max_min_fair(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """Raise all demands' parts in a max-min fair way; prices bound the lowest level, and the others where they can."""
    end = time.monotonic() + options.time_limit_s
    _, unreachable = ecmp_loads(graph, demand)
    routable, filled = ~unreachable, None
    least_prices: Callable[[Floats], Floats] = partial(entry_prices, graph, demand)
    if options.paths == "any" and not graph.is_layered and routable.any():
        filled = _over_moves(graph, demand, routable, options, end)
    if filled is None or not (filled.finished or time.monotonic() > end):
        space = route_space(graph, demand, options)
        routable, least_prices = space.routable, space.least_prices
        exact = len(space.blocks.cost) <= min(exact_columns(graph), 50_000)
        fill = _exact if exact else _by_factor
        filled = (fill(graph, demand, space, options, end) if routable.any() else None) or filled
    if filled is None:
        zero = np.zeros(len(demand.src))
        loads = np.zeros((len(graph.src), demand.gbps.shape[1]))
        return Routing(
            "optimal", loads, ~routable, certificate=Certificate(0.0, "no level was proven"), solver="stopped",
            partial=bool(routable.any()), admitted=zero, notes=("nothing admitted",),
        )  # fmt: skip
    loads, admitted = fitted(graph, filled.carried, filled.level)
    value, bound = float(admitted[routable].min()), min(filled.lowest_bound, 1.0)
    between = levels_gap(graph, demand, routable, admitted, filled.stages, least_prices) if filled.by_stages else None
    words = (
        f"no routing gives all demands more than {percent(bound)}: "
        f"{priced_names(graph, filled.price)}{OVER_PATHS[options.paths]}"
    )
    gap = bound / value - 1 if value > 0 else 0.0
    return Routing(
        "optimal",
        loads,
        ~routable,
        splits=filled.carried.splits,
        paths=filled.carried.paths,
        certificate=Certificate(
            0.0,
            words,
            objective=ObjectiveProof(
                TRAITS.figure, value, bound, TRAITS.unit, words, filled.price, stages=filled.stages, levels_gap=between
            ),
        ),
        solver=filled.solver,
        partial=not filled.finished or max(gap, between or 0.0) > max(options.gap, EXACT_GAP),
        notes=(
            f"max-min fair, {_way(filled, between)}: lowest level {percent(value, 2)} "
            f"(bound {percent(bound, 2)}, gap {excess(gap, 2)})",
        ),
        admitted=admitted,
    )


def _way(filled: _Filled, between: float | None) -> str:
    """What is known of all levels, in words."""
    if not filled.finished:
        return "stopped before all levels were found"
    if between is None:
        return f"levels grown by a factor of {FACTOR:g}, only the lowest is proven"
    if between <= EXACT_GAP:
        return "exact"
    return f"prices allow some demand {excess(between, 2)} above its level"


def _over_moves(
    graph: RoutingGraph, demand: PhaseDemand, routable: Bools, options: RoutingOptions, end: float
) -> _Filled | None:
    """Flat networks, where any path goes; None where they are too large."""
    found = fair_levels(graph, demand, routable, options, end)
    if found is None:
        return None
    return _Filled(
        found.level, found.carried, found.lowest_bound, found.price, found.finished, "moves", found.stages, True
    )


def _raise(
    graph: RoutingGraph,
    demand: PhaseDemand,
    space: RouteSpace,
    options: RoutingOptions,
    level: Floats,
    rising: Bools,
    end: float,
) -> Improved | None:
    """The highest level all rising entries reach together, the others staying where they are."""
    return improve(
        space,
        options,
        programme=lambda blocks: highest_level(blocks, level, rising),
        admitted=lambda values: np.where(rising, values[-1], level),
        value=lambda _, parts: float(parts[rising].min(initial=1.0)),
        bound=lambda price: level_bound(graph, demand, rising, level, price, space.least_prices(price)),
        solver=solver_for(graph, len(space.blocks.cost)),
        deadline=end,
    )


def _exact(
    graph: RoutingGraph, demand: PhaseDemand, space: RouteSpace, options: RoutingOptions, end: float
) -> _Filled | None:
    level = np.zeros(len(demand.src))
    rising = space.routable.copy()
    filled: _Filled | None = None
    stages: list[LevelStage] = []
    for _ in range(EXACT_LEVELS):
        found = _raise(graph, demand, space, options, level, rising, end)
        if found is None:
            return filled
        top = min(float(found.values[-1]), 1.0)
        level = np.where(rising, max(top, 0.0), level)
        paid = np.where(rising, found.space.least_prices(found.price), 0.0) * demand.total_gbps
        stopped = rising & (paid > PAYS * max(float(paid.max(initial=0.0)), np.finfo(np.float64).tiny))
        if not stopped.any() or top >= 1 - 1e-9:
            stopped = rising
        if top < 1:
            stages.append(LevelStage(np.flatnonzero(stopped), found.price))
        rising = rising & ~stopped
        bound, lowest_price = (filled.lowest_bound, filled.price) if filled else (found.bound, found.price)
        filled = _Filled(level, found.carried, bound, lowest_price, not rising.any(), found.solver, tuple(stages), True)
        if not rising.any():
            return filled
        space = found.space
    return filled


def _by_factor(
    graph: RoutingGraph, demand: PhaseDemand, space: RouteSpace, options: RoutingOptions, end: float
) -> _Filled | None:
    everyone = space.routable.copy()
    first = _raise(graph, demand, space, options, np.zeros(len(demand.src)), everyone, end)
    if first is None:
        return None
    top, last = min(max(float(first.values[-1]), 0.0), 1.0), first
    level = np.where(everyone, top, 0.0)
    filled = _Filled(level, first.carried, first.bound, first.price, top >= 1 - 1e-9, first.solver)
    gbps, rising, cap = np.where(everyone, demand.total_gbps, 0.0), everyone.copy(), top
    while not filled.finished and cap < 1 and top > 0:
        cap = min(cap * FACTOR, 1.0)
        least = level * (1 - 1e-6)
        most = np.where(rising, cap, level)
        found = improve(
            last.space,
            options,
            programme=partial(most_admitted, gbps=gbps, least=least, most=most),
            admitted=lambda values: values[len(values) - len(gbps) :],
            value=lambda _, parts: float(parts @ gbps),
            bound=lambda _: float(gbps.sum()),
            solver=solver_for(graph, len(space.blocks.cost)),
            unit=float(gbps.sum()),
            deadline=end,
        )
        if found is None:
            return filled
        rising = rising & (found.admitted >= cap * (1 - 1e-4))
        level, last = found.admitted, found
        done = cap >= 1 or not rising.any()
        filled = replace(filled, level=level, carried=found.carried, finished=done, solver=found.solver)
    return filled
