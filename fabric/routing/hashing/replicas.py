"""Hash imbalance over replicas: how full the fullest link is and how badly the worst flow fares, over many draws.

Every replica draws source ports and switch seeds anew, walks all flows, and shares every link max-min fairly, the
links between endpoints and switches included: no hash changes what single ones carry, and they bound the fullest link
from below.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.routing.fair_share import share_slice
from fabric.routing.graph import RoutingGraph
from fabric.routing.hashing.flows import FlowTable
from fabric.routing.hashing.headers import Draws
from fabric.routing.hashing.slices import on_threads
from fabric.routing.hashing.walk import Walker
from fabric.routing.progress import Progress
from fabric.routing.router import FlowPaths, HashSpread, RoutingOptions, quantiles
from topologies.columns import Floats, Ints, Longs, column

_BATCH = 8_000_000  # links of paths kept at once, 4 bytes each; more was no faster
_ACCESS = 2  # links of a path that no hash changes: out of the source's NIC, into the destination's


@dataclass(frozen=True, eq=False)
class Room:
    """Where the links of every flow's path are kept: two access links, then as many edges as it may cross.

    Links are edges of the graph, and above them the access links of single-homed endpoints, out and back.
    """

    graph: RoutingGraph
    table: FlowTable
    length: Longs  # shape (F,), most edges of a flow's path

    @cached_property
    def start(self) -> Longs:
        """First place of every flow, shape (F + 1,)."""
        return np.concatenate([[0], np.cumsum(self.length + _ACCESS)]).astype(np.int64)

    @cached_property
    def capacity_gbps(self) -> Floats:
        """Of every edge, then of the access links out of endpoints, then of those back."""
        _, up, down = self.graph.single_homed
        links = self.graph.topology.capacity_gbps
        return np.concatenate([self.graph.capacity_gbps, links[up], links[down]])

    @cached_property
    def empty(self) -> Ints:
        """Access links filled in, all else -1; shape (H,)."""
        node, up, _ = self.graph.single_homed
        number = np.full(len(self.graph.topology.nodes), -1, dtype=np.int32)
        number[node] = len(self.graph.src) + np.arange(len(node))
        places = np.full(int(self.start[-1]), -1, dtype=np.int32)
        out, back = number[self.table.src_endpoint], number[self.table.dst_endpoint]
        places[self.start[:-1]] = out
        places[self.start[:-1] + 1] = np.where(back >= 0, back + len(up), -1)
        return places

    def paths(self, walker: Walker, draws: Draws) -> Ints:
        """Links of every flow in every replica of ``draws``, shape (R, H); -1 is not a link."""
        paths = self._blank(draws)
        walker.write_paths(draws, self.start[:-1] + _ACCESS, paths)
        return paths

    def loads_and_paths(self, walker: Walker, draws: Draws, classes: int) -> tuple[Floats, Ints]:
        """Loads of every edge and class, shape (R, E, classes), and what `paths` gives, of one walk."""
        paths = self._blank(draws)
        return walker.loads_and_paths(draws, classes, self.start[:-1] + _ACCESS, paths), paths

    def _blank(self, draws: Draws) -> Ints:
        return np.tile(self.empty, (len(draws.keys), 1))


def flow_paths(room: Room, links: Ints) -> FlowPaths:
    """Paths of one replica; flows between endpoints of one switch have no edge and are left out.

    Parameters
    ----------
    links : ndarray, shape (H,)
        A row of `Room.paths`.
    """
    table = room.table
    crossed = (links >= 0) & (links < len(room.graph.src))
    edges = np.add.reduceat(crossed, room.start[:-1]) if table.flows else np.empty(0, dtype=np.int64)
    routed = edges > 0
    return FlowPaths(
        src=column(table.src[routed], np.int32),
        dst=column(table.dest_of_flow[routed], np.int32),
        src_endpoint=column(table.src_endpoint[routed], np.int32),
        dst_endpoint=column(table.dst_endpoint[routed], np.int32),
        code=column(table.code[routed], np.int32),
        gbps=column(table.gbps[routed], np.float64),
        start=column(np.append(0, np.cumsum(edges[routed])), np.int32),
        edge=column(links[crossed], np.int32),
    )


def spread(
    room: Room, walker: Walker, draw: Callable[[Sequence[int]], Draws], options: RoutingOptions, wanted: int
) -> tuple[HashSpread, bool]:
    """Figures over ``wanted`` replicas, and whether the time limit left some out; those are the last ones."""
    figures, done = (
        rates(room, walker, draw, options, wanted) if options.drawn is None else (options.drawn.rates, wanted)
    )
    peak, worst, mean = figures[:, :done]
    slowest = quantiles(worst, low_is_bad=True)
    return HashSpread(done, quantiles(peak), slowest, float(mean.mean()), done), done < wanted


def rates(
    room: Room, walker: Walker, draw: Callable[[Sequence[int]], Draws], options: RoutingOptions, wanted: int
) -> tuple[Floats, int]:
    """Fullest link, and worst and mean rate of the flows, shape (3, wanted); and how many the time limit allowed."""
    table = room.table
    order = np.argsort(table.gbps, kind="stable")
    figures = np.stack([np.zeros(wanted), np.ones(wanted), np.ones(wanted)])
    batch = int(np.clip(_BATCH // max(room.start[-1], 1), 1, wanted))
    began, done = time.perf_counter(), 0
    while done < wanted and table.flows:
        count = min(batch, wanted - done)
        paths = room.paths(walker, draw(range(options.seed + done, options.seed + done + count)))
        peak, worst, mean = figures[:, done : done + count]
        _share(room, paths, order, (peak, worst, mean))
        done += count
        seconds = time.perf_counter() - began
        options.report(
            Progress(f"ecmp-hash: {done:,} of {wanted:,} replicas", seconds=seconds, limit_s=options.time_limit_s)
        )
        if seconds > options.time_limit_s:
            break
    return figures, done or wanted


def _share(room: Room, paths: Ints, order: Longs, figures: tuple[Floats, Floats, Floats]) -> None:
    """Fill in fullest link, worst and mean rate of a batch of replicas."""
    gbps, capacity = room.table.gbps, room.capacity_gbps
    on_threads(
        len(paths),
        lambda first, last: share_slice(first, last, room.start, paths, gbps, order, capacity, *figures),
    )
