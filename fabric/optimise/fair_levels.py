"""Max-min fair levels by cuts: the fairest parts that all known prices allow, and a routing that is asked for them.

Where the routing carries all parts, none could be higher (see ``level_cuts``). Where it does not, the prices of the
largest multiple of them that fits are a cut that they break; it is added, and the parts are filled again. A few dozen
cuts settle what progressive filling takes a programme a level for (Nace, Pióro, "Max-min fairness and its applications
to routing and load-balancing in communication networks: a tutorial", IEEE Surveys 2008). Flat networks, where any path
goes, are routed by moves off trees; other route spaces by their programmes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from fabric.optimise.arcs import merge_parallel
from fabric.optimise.by_moves import MOST_ENTRIES, MoveNet, MoveRounds
from fabric.optimise.carried import Carried
from fabric.optimise.clean_prices import clean_prices
from fabric.optimise.flow_programmes import highest_multiple
from fabric.optimise.level_cuts import LevelCuts
from fabric.optimise.path_policy import solver_for
from fabric.optimise.programme_rounds import improve
from fabric.optimise.route_space import RouteSpace
from fabric.optimise.saddle import find_saddle
from fabric.routing.progress import Progress
from fabric.routing.router import LevelStage, RoutingOptions
from topologies.columns import Floats, column

CARRIED = 2e-9  # relative: parts that miss by this little are carried
BREAKS = 1e-10  # relative: a cut that parts break by less does not help
FIRST_GAP = 3e-3  # relative, of a first routing of parts
CLOSE = 1.01  # utilisation of parts up to which their programme is solved; prices of those beyond are a cut at once
SEED_WORK = 5e8  # destinations x edges x nodes up to which cuts of single nodes come first
NEAR = 0.97  # slots this close to the maximum of the routing before get a row
DEEP, SHALLOW = 0.8, 1e-5  # a cut takes off this part of what is too much, or else the programme is solved to its end
MOST_CUTS = 2000


@dataclass(frozen=True, eq=False)
class FairLevels:
    """Levels of all entries, the routing that carries them, and what is proven."""

    level: Floats  # shape (nnz,)
    carried: Carried
    stages: tuple[LevelStage, ...]  # lowest first
    price: Floats  # shape (E,), of the first, lowest level
    finished: bool
    solver: str


@dataclass(frozen=True, eq=False)
class Multiple:
    """The largest multiple of parts, at most 1, that a route space carries."""

    scale: float
    price: Floats  # shape (E,)
    stopped: bool  # a limit ended the search, and more may fit


class Carrier(Protocol):
    """Routes as much as it can of what it is asked for."""

    name: str

    def carry(self, parts: Floats) -> Multiple | None:
        """The largest multiple of the parts; None when the time is used up."""
        ...

    def routing(self, level: Floats) -> Carried:
        """The routing of the last multiple, at these levels."""
        ...


def fair_levels(space: RouteSpace, options: RoutingOptions, end: float) -> FairLevels | None:
    """Fair levels of the entries that have a path, at least one.

    Parameters
    ----------
    end : float
        Deadline, by ``time.monotonic()``.

    Returns
    -------
    FairLevels or None
        None when nothing was routed in time.
    """
    graph, demand = space.graph, space.demand
    cuts = LevelCuts(graph, demand, space.routable, space.least_prices)
    carrier = _carrier(space, options, end)
    if len(demand.dest) * len(graph.src) * graph.nodes <= SEED_WORK and time.monotonic() < end:
        cuts.add_nodes()
    best: FairLevels | None = None
    served = space.routable & (demand.total_gbps > 0)
    for number in range(MOST_CUTS):
        level, stages = cuts.fill()
        options.report(Progress(f"max-min-fair: routing {number + 1}, {len(stages)} levels"))
        found = carrier.carry(level)
        if found is None:
            return best
        done = found.scale >= 1.0 - CARRIED
        lowest = stages[0].price if stages else np.zeros(len(graph.src))
        fits = level * found.scale
        if found.stopped and best is not None and fits[served].min() < best.level[served].min():
            return best
        best = FairLevels(fits, carrier.routing(fits), stages, lowest, done, carrier.name)
        if done or found.stopped or time.monotonic() > end:
            return best
        cuts.add(found.price)
        if cuts.over(level) < BREAKS:
            return replace(best, finished=True)
    return best


def _carrier(space: RouteSpace, options: RoutingOptions, end: float) -> Carrier:
    arcs = merge_parallel(space.graph)
    small = len(space.demand.dest) * len(arcs.src) <= MOST_ENTRIES
    if space.policy == "any" and not space.graph.is_layered and small:
        return _ByMoves(MoveNet.of(arcs, space.demand, space.routable), end)
    return _ByProgramme(space, options, end)


class _ByMoves:
    """Flat networks, where any path goes: moves off trees, from the routing of the parts before."""

    name = "moves"

    def __init__(self, problem: MoveNet, end: float) -> None:
        self.problem, self.end = problem, end
        self.flow: Floats | None = None  # shape (D, A), Gbps by destination and slot, of the last multiple
        self.kept: Floats = np.empty(0)
        self.solved = False  # a programme was: the next is best begun from its routing

    def carry(self, parts: Floats) -> Multiple | None:
        """See ``Carrier``."""
        problem, net = self.problem, self.problem.net
        if not (net.gbps * parts).any():
            self.kept = np.zeros((len(net.demand.dest), len(net.capacity)))
            return Multiple(1.0, problem.by_edge(np.zeros(len(net.capacity))), False)
        flow = self.flow if self.flow is None else problem.flows(problem.splits(self.flow, parts), parts)
        theta = np.inf if flow is None else float((flow.sum(axis=0) / net.capacity).max(initial=0.0))
        asked = replace(net, gbps=column(net.gbps * parts, np.float64))
        if flow is None or (theta > CLOSE and not self.solved):
            near = find_saddle(
                asked, gap=FIRST_GAP, aim=FIRST_GAP, least=0.0, known_bound=1.0, deadline=self.end,
                report=lambda _, __: None,
            )  # fmt: skip
            flow = problem.flows(problem.splits(near.flow, parts), parts)
            theta = float((flow.sum(axis=0) / net.capacity).max(initial=0.0))
            if near.bound > CLOSE:
                self.flow = self.kept = flow / theta
                return Multiple(1.0 / theta, problem.by_edge(clean_prices(asked, near, self.end)), False)
        if theta <= 1.0:
            self.flow = self.kept = flow
            return Multiple(1.0, problem.by_edge(np.zeros(len(net.capacity))), False)
        rounds = MoveRounds(
            problem, flow / theta, capacity=net.capacity, scale=1.0 / theta,
            length=np.zeros(len(net.capacity)), deadline=self.end,
        )  # fmt: skip
        rounds.begin(np.zeros(len(parts)), parts, 1.0)
        use = flow.sum(axis=0) / net.capacity
        rounds.master.watch(np.flatnonzero(use > NEAR * theta), np.empty(0, dtype=np.int64))
        rounds.take_flows(flow / theta)

        def cuts_enough(level: float, price: Floats) -> bool:
            paid = float(asked.cheapest(price).paid.sum())
            most = float(price @ net.capacity) / paid if paid > 0 else 1.0
            return 1.0 - most > max(DEEP * (1.0 - level), SHALLOW)

        point = rounds.settle(cuts_enough)
        if point is None:
            self.kept = flow / theta
            return Multiple(1.0 / theta, problem.by_edge(rounds.price), True)
        self.flow, self.kept, self.solved = rounds.kept, rounds.kept, True
        return Multiple(min(point.level, 1.0), problem.by_edge(point.price), False)

    def routing(self, level: Floats) -> Carried:
        """See ``Carrier``."""
        return self.problem.carried(self.kept, level)


class _ByProgramme:
    """Other route spaces: the programme over all that the policy allows."""

    name = "programme"

    def __init__(self, space: RouteSpace, options: RoutingOptions, end: float) -> None:
        self.space, self.options, self.end = space, options, end
        self.carried: Carried = space.first()

    def carry(self, parts: Floats) -> Multiple | None:
        """See ``Carrier``."""
        found = improve(
            self.space,
            self.options,
            programme=lambda blocks: highest_multiple(blocks, parts),
            admitted=lambda values: parts * min(max(float(values[-1]), 0.0), 1.0),
            value=lambda _, admitted: float(admitted.sum()),
            bound=lambda _: float(parts.sum()),
            solver=solver_for(self.space.graph, len(self.space.blocks.cost)),
            deadline=self.end,
        )
        if found is None:
            return None
        self.space, self.carried, self.name = found.space, found.carried, found.solver
        return Multiple(min(max(float(found.values[-1]), 0.0), 1.0), found.price, found.stopped)

    def routing(self, level: Floats) -> Carried:
        """See ``Carrier``; the programme's own, as it is."""
        return self.carried
