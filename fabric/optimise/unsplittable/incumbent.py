"""The best placement of whole flows so far, the best proof so far, and the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from fabric.optimise.unsplittable.candidates import Candidates
from fabric.optimise.unsplittable.paths import Placed, Scratch, placed, replace_all, scratch
from fabric.routing.flow_table import FlowTable
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.progress import Progress
from fabric.routing.router import Certificate, FlowPaths, Routing, RoutingOptions
from topologies.columns import Bools, Floats, Ints, column
from topologies.units import format_gbps, percent

EXACT = 1e-9  # relative gap at which a bound counts as met
_WHOLE = 1e-9  # relative; sizes this close to a multiple are one


@dataclass(eq=False)
class Placement:
    """What the stages of the search share."""

    graph: RoutingGraph
    demand: PhaseDemand
    flows: FlowTable
    found: Candidates
    options: RoutingOptions
    access: float  # utilisation of the fullest access link of single-homed endpoints
    longest: int  # most links of a path
    theta: float = np.inf
    certificate: Certificate = field(default_factory=lambda: Certificate(0.0, "nothing to route"))
    way: str = ""  # what found the best placement
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.steps: Ints = np.zeros(len(self.flows), dtype=np.int32)
        self.edge: Ints = np.full((len(self.flows), self.longest), -1, dtype=np.int32)
        self.now: Placed = placed(
            self.flows.src, self.flows.row, self.flows.gbps, len(self.graph.src), max(self.longest, 1)
        )
        self.work: Scratch = scratch(self.graph.nodes, max(self.longest, 1), self.options.seed)
        self.unit = self._unit()
        self.speeds: Floats = np.unique(self.graph.capacity_gbps)

    @property
    def seconds_left(self) -> float:
        """Of the time limit."""
        return self.began + self.options.time_limit_s - time.monotonic()

    @property
    def done(self) -> bool:
        """Whether the placement is as good as the options ask."""
        return self.theta <= self.certificate.lower_bound * (1 + max(self.options.gap, EXACT))

    def take(self, edge: Ints, steps: Ints, way: str) -> bool:
        """Keep paths for all flows that have one when their fullest link is less full than before."""
        theta = max(self.highest(edge, steps), self.access)
        better = bool(theta < self.theta * (1 - EXACT)) and bool((steps[self.found.reached] > 0).all())
        if better:
            self.theta, self.way = theta, way
            self.edge, self.steps = edge.copy(), steps.copy()
            self.report(way)
        return better

    def highest(self, edge: Ints, steps: Ints) -> float:
        """Utilisation of the fullest link, added up anew from the paths."""
        load = self._loads(edge, steps, np.ones(len(steps), dtype=np.bool_))
        return float((load / self.graph.capacity_gbps).max(initial=0.0))

    def _loads(self, edge: Ints, steps: Ints, which: Bools) -> Floats:
        crossed = (np.arange(edge.shape[1])[None, :] < steps[:, None]) & which[:, None]
        gbps = np.broadcast_to(self.flows.gbps[:, None], edge.shape)[crossed]
        return np.bincount(edge[crossed], gbps, len(self.graph.src)).astype(np.float64)

    def prove(self, candidate: Certificate) -> None:
        """Keep a proof when it is better; round it up to what whole flows can load a link to."""
        level = self.level_at_least(candidate.lower_bound)
        if level > max(candidate.lower_bound, self.access) * (1 + EXACT):
            flows = f"whole flows of {format_gbps(self.unit)}"
            words = f"{candidate.witness}; {flows} then load one to at least {percent(level)}"
            candidate = Certificate(level, words)
        if candidate.lower_bound > self.certificate.lower_bound * (1 + EXACT):
            self.certificate = candidate
            self.report("bound")

    def _unit(self) -> float:
        """Rate that every flow is a multiple of, 0 when there is none."""
        gbps = self.flows.gbps[self.found.reached]
        if not len(gbps):
            return 0.0
        unit = float(gbps.min())
        times = gbps / unit
        return unit if (np.abs(times - np.round(times)) <= _WHOLE * times).all() else 0.0

    def level_at_least(self, theta: float) -> float:
        """Least utilisation of at least ``theta`` that whole flows can load some link to; ``theta`` without a unit."""
        if not self.unit or theta <= 0:
            return theta
        return float((np.ceil(theta * self.speeds / self.unit * (1 - EXACT)) * self.unit / self.speeds).min())

    def level_below(self, theta: float) -> float:
        """Highest utilisation below ``theta`` that whole flows can load some link to; ``theta`` without a unit."""
        if not self.unit:
            return theta
        return float((np.floor(theta * self.speeds / self.unit * (1 - EXACT)) * self.unit / self.speeds).max())

    def restart(self) -> None:
        """Put all flows back on the best paths, and forget the history."""
        replace_all(self.now, self.edge, self.steps)
        self.now.history[:] = 0.0

    def report(self, text: str) -> None:
        """Tell the caller how far it is."""
        theta = self.theta if np.isfinite(self.theta) else None
        seconds = time.monotonic() - self.began
        self.options.report(
            Progress(f"pinned: {text}", theta, self.certificate.lower_bound, seconds, self.options.time_limit_s)
        )

    def routing(self, unreachable: Bools, *, partial: bool) -> Routing:
        """The best placement as a router's answer."""
        flows, classes = self.flows, self.demand.gbps.shape[1]
        loads = [self._loads(self.edge, self.steps, flows.code == code) for code in range(classes)]
        kept = np.flatnonzero(self.steps > 0)
        steps = self.steps[kept]
        crossed = np.arange(self.edge.shape[1])[None, :] < steps[:, None]
        paths = FlowPaths(
            src=column(flows.src[kept], np.int32),
            dst=column(flows.dst[kept], np.int32),
            src_endpoint=column(flows.src_endpoint[kept], np.int32),
            dst_endpoint=column(flows.dst_endpoint[kept], np.int32),
            code=column(flows.code[kept], np.int32),
            gbps=column(flows.gbps[kept], np.float64),
            start=column(np.append(0, np.cumsum(steps)), np.int32),
            edge=column(self.edge[kept][crossed], np.int32),
        )
        return Routing(
            "pinned",
            np.column_stack(loads) if loads else np.zeros((len(self.graph.src), 0)),
            unreachable,
            paths=paths,
            certificate=self.certificate,
            solver=self.way or "nothing to place",
            partial=partial,
        )
