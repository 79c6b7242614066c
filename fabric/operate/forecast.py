"""What counters should read: the mean rate of every link over many steps, by job and phase, and its hash band.

A counter that is read every half minute knows no phases: it tells the mean over steps. A job runs step after step, and
sends the bytes of a phase once in each: its mean rate on a link is those bytes over the time of a step, as congestion
leaves it. Steady traffic is there all the time. What happens now and then, such as a checkpoint, is no part of the
mean, but of what a link may carry. Rates are on the wire, as the payload efficiency of the fabric says.

Where flows are hashed the mean is that over draws of the hash, and a link may carry what the bounds of
``hash_band`` allow: the hash of the switches that run is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from fabric.operate.hash_band import highest_load, lowest_load, surest_mean
from fabric.pipeline.run import Run
from fabric.result import JobTime, PhaseRoute
from fabric.routing.names import DEFAULT_ROUTER
from fabric.routing.router import ROUTERS
from topologies.columns import Bools, Floats
from topologies.topology import Topology

DRAWS = 100
CHANCE = 1e-6  # that a hash moves any link of a fabric out of its band
_MOST_CELLS = 20_000_000  # loads of links by class over all draws


@dataclass(frozen=True)
class Part:
    """One phase of one job on a fabric."""

    job: str
    phase: str
    steady: bool


@dataclass(frozen=True, eq=False)
class LinkForecast:
    """Mean rates of all directed links of a fabric.

    Attributes
    ----------
    part_gbps : ndarray, shape (P, L)
        Of every part; ``mean_gbps`` is their sum, at most what the link can carry.
    low_gbps, high_gbps : ndarray, shape (L,)
        Between which a link's mean stays whatever the hash; equal where nothing is hashed. ``high_gbps`` has in it what
        is sent now and then.
    possible : ndarray, shape (L,)
        Whether any traffic of the plan may cross the link.
    needed : ndarray, shape (L,)
        Whether a job's step waits for what crosses it.
    widest_gbps : ndarray, shape (L,)
        What a hash may put on a link by its bytes, more than its capacity or not, without what is sent now and then.
    arriving_low_gbps, leaving_low_gbps : ndarray, shape (N,)
        The least that a switch gets from switches below it, or sends to those above, whatever the hash.
    """

    fabric: str
    router: str
    hashed: bool
    topology: Topology
    parts: tuple[Part, ...]
    part_gbps: Floats
    mean_gbps: Floats
    low_gbps: Floats
    high_gbps: Floats
    widest_gbps: Floats
    possible: Bools
    needed: Bools
    arriving_low_gbps: Floats
    leaving_low_gbps: Floats
    notes: tuple[str, ...]

    def job_gbps(self, job: str) -> Floats:
        """Mean rate of one job, shape (L,)."""
        mine = [at for at, part in enumerate(self.parts) if part.job == job]
        return np.asarray(self.part_gbps[mine].sum(axis=0))

    @property
    def jobs(self) -> tuple[str, ...]:
        """Jobs that send on it."""
        return tuple(dict.fromkeys(part.job for part in self.parts))


@dataclass(frozen=True, eq=False)
class PhaseColumn:
    """A class of a routed phase, and what turns its offered rate into a mean."""

    part: Part
    route: PhaseRoute
    code: int
    weight: float  # of the mean
    fastest: float  # of steps without congestion
    now_and_then: bool
    waited_for: bool

    @property
    def flow_gbps(self) -> float:
        """The largest single flow, as a mean."""
        routed = self.route.routed
        assert routed is not None
        pairs = routed.pairs[self.code]
        largest = max([float(pairs.flows.amount.max(initial=0)), *(block.amount for block in pairs.flows.blocks)])
        rate = largest * pairs.gbps_per_unit / pairs.flows_per_pair
        return rate * (1.0 if self.now_and_then else self.fastest)


def forecast(run: Run, *, draws: int = DRAWS) -> tuple[LinkForecast, ...]:
    """The mean rates of all links of the fabrics of a run that was routed now."""
    fabrics = dict.fromkeys(route.fabric for route in run.result.routes)
    return tuple(_of_fabric(run, name, draws) for name in fabrics)


def step_times(run: Run) -> dict[str, JobTime]:
    """Times of the jobs by name."""
    return {job.id: job for job in run.result.jobs}


def columns_of(run: Run, fabric: str) -> list[PhaseColumn]:
    """Every class of a fabric."""
    return list(_columns(run, [route for route in run.result.routes if route.fabric == fabric]))


def _columns(run: Run, routes: Sequence[PhaseRoute]) -> Iterator[PhaseColumn]:
    """Every class once: those of volumes in their phase, steady ones in the phase that has nothing else."""
    jobs = step_times(run)
    for route in routes:
        for code, entry in enumerate(route.classes):
            part = Part(entry.job, entry.phase, entry.steady)
            if entry.steady:
                if not route.window_s:
                    yield PhaseColumn(part, route, code, 1.0, 1.0, False, False)
                continue
            job, window_s = jobs[entry.job], route.window_s.get(entry.job, 0.0)
            in_step = next((phase.in_step for phase in job.phases if phase.name == entry.phase), True)
            if not in_step:
                yield PhaseColumn(part, route, code, 0.0, 0.0, True, False)
            elif job.step_time_s and job.step_time_ideal_s:
                least = min(job.step_time_ideal_s, job.step_time_s)
                yield PhaseColumn(part, route, code, window_s / job.step_time_s, window_s / least, False, True)


def _of_fabric(run: Run, fabric: str, draws: int) -> LinkForecast:
    routes = [route for route in run.result.routes if route.fabric == fabric]
    columns = list(_columns(run, routes))
    topology = routes[0].topology
    hashed = any(route.routed is not None and route.routed.routing.draws is not None for route in routes)
    count = _affordable(draws, routes) if hashed else 1
    sums = _Sums.of(columns, topology, count)
    flow, chance = sums.flow_gbps, CHANCE / max(len(topology.links), 1)
    mean = sums.part.sum(axis=0) if columns else np.zeros(len(topology.links))
    high, low = mean * sums.faster, mean.copy()
    if hashed:
        moved = sums.most > sums.least + 1e-9 * np.maximum(sums.most, 1e-9)
        sure = surest_mean(mean, flow, count)
        high = np.where(moved, np.maximum(highest_load(sure, flow, chance), sums.most) * sums.faster, high)
        low = np.where(moved, lowest_load(mean, flow, chance), low)
    capacity = topology.capacity_gbps
    parts = tuple(dict.fromkeys(column.part for column in columns))
    return LinkForecast(
        fabric, routes[0].router, hashed, topology, parts,
        sums.of_parts(parts),
        np.minimum(mean, capacity), np.minimum(low, capacity), np.minimum(high + sums.extra, capacity),
        high, sums.possible, sums.needed,
        _at_nodes(topology.links.dst, topology, sums, mean, flow, chance),
        _at_nodes(topology.links.src, topology, sums, mean, flow, chance),
        tuple(_notes(run, fabric, columns, hashed, count, draws)),
    )  # fmt: skip


def _at_nodes(end: np.ndarray, topology: Topology, sums: _Sums, mean: Floats, flow: Floats, chance: float) -> Floats:
    """The least of all that a switch gets from below, or sends up, shape (N,)."""
    nodes, core = len(topology.nodes), uplinks(topology)
    total = np.bincount(end[core], mean[core], nodes).astype(np.float64)
    largest = np.zeros(nodes)
    np.maximum.at(largest, end[core], flow[core])
    sure = sums.node_least(end, core, nodes)
    moved = sure < total * (1 - 1e-9)
    return np.asarray(np.where(moved, np.minimum(lowest_load(total, largest, chance), sure), total))


def uplinks(topology: Topology) -> Bools:
    """Links from a switch to a higher one that are up, shape (L,)."""
    between = topology.is_switch[topology.links.src] & topology.is_switch[topology.links.dst]
    return np.asarray(between & (topology.direction > 0) & topology.up)


def _affordable(draws: int, routes: Sequence[PhaseRoute]) -> int:
    cells = sum(route.link_gbps.size for route in routes)
    return int(np.clip(_MOST_CELLS // max(cells, 1), 5, draws))


class _Sums:
    """Sums over the classes of a fabric, draw by draw."""

    def __init__(self, topology: Topology, columns: Sequence[PhaseColumn]) -> None:
        links = len(topology.links)
        self.columns = columns
        self.part = np.zeros((max(len(columns), 1), links))
        self.most, self.least = np.zeros(links), np.full(links, np.inf)
        self.flow_gbps, self.extra, self.faster = np.zeros(links), np.zeros(links), np.ones(links)
        self.possible, self.needed = np.zeros(links, dtype=np.bool_), np.zeros(links, dtype=np.bool_)
        self.draws: list[Floats] = []

    @staticmethod
    def of(columns: Sequence[PhaseColumn], topology: Topology, count: int) -> _Sums:
        """Over ``count`` draws of the hash."""
        sums = _Sums(topology, columns)
        for draw in range(count):
            total, extra = np.zeros(len(topology.links)), np.zeros(len(topology.links))
            known: dict[int, Floats] = {}
            for at, column in enumerate(columns):
                if id(column.route) not in known:
                    known[id(column.route)] = in_draw(column.route, draw)
                loads = known[id(column.route)][:, column.code]
                sums.part[at] += column.weight * loads / count
                total += column.weight * loads
                extra = np.maximum(extra, loads) if column.now_and_then else extra
                sums.possible |= loads > 0
            sums.most, sums.least = np.maximum(sums.most, total), np.minimum(sums.least, total)
            sums.extra = np.maximum(sums.extra, extra)
            sums.draws.append(total)
        sums._look_at_flows(topology)
        return sums

    def _look_at_flows(self, topology: Topology) -> None:
        """Largest flow, and what may be crossed, of every link; equal splits reach all that a hash may choose."""
        for column in self.columns:
            reached = may_cross(column)
            self.possible |= reached
            if column.waited_for:
                self.needed |= reached
            if column.now_and_then:
                continue
            self.flow_gbps = np.where(reached, np.maximum(self.flow_gbps, column.flow_gbps), self.flow_gbps)
            faster = column.fastest / column.weight if column.weight > 0 else 1.0
            if column.route.draws is not None:
                self.faster = np.where(reached, np.maximum(self.faster, faster), self.faster)
        self.possible &= topology.up

    def of_parts(self, parts: Sequence[Part]) -> Floats:
        """Means of parts, several classes of one together; shape (P, L)."""
        found = np.zeros((len(parts), self.part.shape[1]))
        for at, column in enumerate(self.columns):
            found[parts.index(column.part)] += self.part[at]
        return found

    def node_least(self, end: np.ndarray, core: Bools, nodes: int) -> Floats:
        """The least of all draws at every node, shape (N,)."""
        totals = [np.bincount(end[core], draw[core], nodes) for draw in self.draws]
        return np.asarray(np.min(totals, axis=0)) if totals else np.zeros(nodes)


def in_draw(route: PhaseRoute, draw: int) -> Floats:
    """Offered load of a phase in a draw counted from its seed, shape (L, C); as routed where nothing is hashed."""
    routed = route.routed
    assert routed is not None
    if routed.routing.draws is None or route.draws is None:
        return route.link_gbps
    loads = routed.routing.draws.loads_gbps((route.draws.seed + draw,))[0]
    return routed.graph.link_loads(loads, routed.demand.sent_gbps, routed.demand.received_gbps)


def may_cross(column: PhaseColumn) -> Bools:
    """Links that a class may cross, shape (L,)."""
    route, routed = column.route, column.route.routed
    assert routed is not None
    crossed = route.link_gbps[:, column.code] > 0
    if routed.routing.draws is None:
        return crossed
    kept = vars(route)
    if "_reached" not in kept:  # one routing for all classes of the phase
        fluid = ROUTERS[DEFAULT_ROUTER](
            {}, graph=routed.graph, demand=routed.demand, pairs=routed.pairs, options=routed.options
        )
        kept["_reached"] = (
            routed.graph.link_loads(fluid.edge_gbps, routed.demand.sent_gbps, routed.demand.received_gbps) > 0
        )
    reached: Bools = kept["_reached"][:, column.code]
    return np.asarray(crossed | reached)


def _notes(
    run: Run, fabric: str, columns: Sequence[PhaseColumn], hashed: bool, count: int, wanted: int
) -> Iterator[str]:
    """What the mean rests on that a reader might not expect."""
    jobs = step_times(run)
    on_it = dict.fromkeys(entry.job for route in run.result.routes if route.fabric == fabric for entry in route.classes)
    for name in on_it:
        job = jobs.get(name)
        if job is None:
            continue
        if job.step_time_s is None:
            yield f"{name} cannot finish: demand has no path; it is left out of what links of {fabric} should carry"
        elif job.compute_s is None:
            yield (
                f"{name} has no compute time: it is taken to communicate without a pause, so that its mean rate on "
                f"{fabric} is the most there can be (a job of kind training with compute says how long it computes)"
            )
    if hashed and count < wanted:
        yield f"{fabric}: the hash is drawn {count} times instead of {wanted}; bands are wider for it"
    for column in columns:
        if column.now_and_then:
            yield (
                f"{column.part.job} {column.part.phase} is sent now and then: no part of the mean on {fabric}, but of "
                "what its links may carry"
            )
