"""What a test will show: its traffic routed on the fabric, the library's choice by size, times over the hash's draws.

The time of a message is that of its busiest NIC at line rate times efficiency, stretched by the fullest link that the
test meets in a draw of the hash, plus the latency of the call; or that of scale-up links inside hosts where these are
slower: both parts run piece by piece, so the slower decides. A size is run by the algorithm and protocol that the
library chooses, and every algorithm is routed once: what links carry grows with the message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fabric.evaluation.step_time import phase_time_s
from fabric.expect.calls import CallPlan, library_of, plan_of, said_of
from fabric.expect.nccl_tests import message_of, rate
from fabric.expect.ranks import TestRanks, ranks_of
from fabric.expect.request import ExpectRequest
from fabric.expect.result import CollectiveTest, ExpectResult, Rate, SizeRow
from fabric.expect.routed import RoutedTest, route_test
from fabric.pipeline.network import Network
from fabric.pipeline.prepared import build, check_fabric, derive_traffic
from fabric.pipeline.stages import assumptions
from fabric.request import RouteRequest
from fabric.result import Assumption
from fabric.routing.progress import Reporter, silent
from fabric.routing.utilisation import SAME
from fabric.scenario.load import LoadedScenario
from topologies.columns import Floats, column
from topologies.errors import ScenarioError
from topologies.units import format_message, percent
from traffic.demands import Demands
from traffic.library.call import LibraryCall
from traffic.library.keys import LibrarySpec
from traffic.occupancy import Occupancy
from traffic.workload import Phase, WorkloadTraffic, demands_of

_ENOUGH = 20  # draws from which 5 and 95 % lie within them

NetworkChange = Callable[[Network], Network]


def expect(
    loaded: LoadedScenario,
    asked: ExpectRequest = ExpectRequest(),
    request: RouteRequest = RouteRequest(),
    *,
    network_change: NetworkChange | None = None,
    network: Network | None = None,
    progress: Reporter = silent,
) -> ExpectResult:
    """Predict what nccl-tests will show.

    Parameters
    ----------
    request : RouteRequest
        Another router, and what is down.
    network_change : callable, optional
        Makes another network of the scenario's, such as one with a slow link.
    network : Network, optional
        The scenario's, where it is built already.
    progress : callable
        Gets what is being done, step by step; what it raises stops the work.

    Raises
    ------
    FabricError
        With what is wrong with the scenario, the test or the command line.
    """
    built = network or build(loaded, down=request.down, up=request.up, slow=request.slow, routed=True)
    if network_change is not None:
        built = network_change(built)
    check_fabric(asked.fabric, built)
    occupancy = Occupancy()
    traffic: tuple[WorkloadTraffic, ...] = ()
    if asked.job is not None or asked.beside:
        traffic = derive_traffic(loaded, built, occupancy=occupancy)
    ranks = ranks_of(loaded, built, asked, occupancy)
    library = library_of(asked.library, ranks.library)
    bench = _Bench(loaded, built, asked, request, ranks, library, _steady(traffic, asked, ranks), progress)
    bench.said += said_of(built, ranks, library)
    tests = tuple(bench.test(operation) for operation in asked.collectives)
    return ExpectResult(
        tests,
        asked.percentile,
        asked.margin,
        assumptions=_assumptions(bench, tests),
        settings={name: str(value) for name, value in asked.library.items()},
    )


def _steady(traffic: Sequence[WorkloadTraffic], asked: ExpectRequest, ranks: TestRanks) -> Demands | None:
    return demands_of(traffic, ranks.seats.fabric) if asked.beside else None


@dataclass(eq=False)
class _Bench:
    """What all tests of a request share, and what was routed so far."""

    loaded: LoadedScenario
    network: Network
    asked: ExpectRequest
    request: RouteRequest
    ranks: TestRanks
    library: LibrarySpec
    steady: Demands | None
    progress: Reporter
    routed: dict[tuple[str, str, int], RoutedTest] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)

    def test(self, operation: str) -> CollectiveTest:
        """One operation over all sizes."""
        plan = plan_of(self.network, self.ranks, operation, self.library)
        rows, sizes = [], list(dict.fromkeys(self._sizes(operation)))
        for size in sizes:
            message = self._message(plan, size)
            rows.append(self._row(operation, message))
        routed = message.routed
        return CollectiveTest(
            operation,
            self.ranks.count,
            self.ranks.seats.fabric if routed.route else "",
            len(routed.stretch),
            tuple(rows),
            hosts=self.ranks.hosts,
            where=self.ranks.where,
            router=routed.route.router if routed.route else "",
            flows_per_pair=routed.phase.flows_per_pair,
            hashed=routed.route is not None and routed.route.draws is not None,
            limited_by=_parts(message),
        )

    def _sizes(self, operation: str) -> list[float]:
        """Sizes as the program can run them."""
        whole = [message_of(operation, size, self.ranks.count).size_bytes for size in self.asked.sizes_bytes]
        kept = [size for size in whole if size > 0]
        if not kept:
            least = message_of(operation, 16.0 * self.ranks.count, self.ranks.count).size_bytes
            raise ScenarioError(
                f"--sizes: {operation} among {self.ranks.count:,} ranks needs {format_message(least)} at least",
                hint=f"a part of every rank is 16 bytes or more: --sizes {format_message(least)}:16G",
                code="FP2102",
            )
        if len(kept) < len(whole):
            text = f"{operation}: sizes below 16 bytes a rank are left out, as nccl-tests cannot run them"
            self.said.append((text, "--sizes"))
        return kept

    def _message(self, plan: CallPlan, size_bytes: float) -> _Message:
        """A size as the library runs it, on the routes of its algorithm and connections."""
        phase, call = plan.call(size_bytes)
        key = (plan.operation, call.wired, phase.flows_per_pair)
        if key not in self.routed:
            self.routed[key] = route_test(
                self.loaded,
                self.network,
                phase,
                size_bytes,
                steady=self.steady,
                request=self.request,
                draws=self.asked.draws,
                progress=self.progress,
            )
        return _Message(size_bytes, phase, call, self.routed[key])

    def _row(self, operation: str, message: _Message) -> SizeRow:
        times, size, ranks = message.times_s, message.size_bytes, self.ranks.count

        def at(percentile: float) -> Rate:
            """What comes with the bandwidth at a percentile: the longest time has the least."""
            longest = float(-np.quantile(-times, percentile / 100, method="inverted_cdf"))
            return rate(operation, ranks, size, longest)

        return SizeRow(
            size,
            message.call.algorithm,
            message.call.protocol,
            rate(operation, ranks, size, message.ideal_s),
            at(50.0),
            at(5.0),
            at(95.0),
            at(self.asked.percentile).busbw_gbytes_per_s * (1 - self.asked.margin),
        )


@dataclass(frozen=True, eq=False)
class _Message:
    """A size of message: what the library does with it, and how its algorithm fares on the fabric."""

    size_bytes: float
    phase: Phase
    call: LibraryCall
    routed: RoutedTest

    @property
    def window_s(self) -> float:
        """Time of its bytes at the busiest NIC."""
        return self.routed.window_s * self.size_bytes / self.routed.size_bytes

    @property
    def ideal_s(self) -> float:
        """The busiest NIC at line rate, or scale-up links where these are slower; no latency, no contention."""
        return max(self.window_s, self.phase.inside_s)

    @property
    def latency_s(self) -> float:
        """What a call takes beside its bytes: the library's part, and messages between hosts that wait for another."""
        return self.phase.latency_s + self.phase.rounds * self.routed.way_s

    @property
    def times_s(self) -> Floats:
        """Time in every draw of the hash, shape (R,)."""
        window, way = self.window_s, self.routed.way_s
        stretches = self.routed.stretch.tolist()
        return column([phase_time_s(self.phase, window, stretch=at, way_s=way) for at in stretches], np.float64)


def _parts(message: _Message) -> str:
    """What the time of a size consists of in the median, in words."""
    routed = message.routed
    between, inside, delay = message.window_s, message.phase.inside_s, message.latency_s
    stretch = float(np.median(routed.stretch))
    whole = max(between * stretch, inside) + delay
    parts = [("the NICs at line rate", between), ("contention", between * (stretch - 1)), ("latency", delay)]
    if inside > between * stretch:
        parts = [("scale-up links inside the hosts", inside), ("latency", delay)]
    shown = [f"{percent(seconds / whole)} {name}" for name, seconds in parts if seconds > SAME * whole]
    text = f"of the time {', '.join(shown)}"
    route = routed.route
    if route is None or stretch <= 1 + SAME or inside > between * stretch:
        return text
    which = " in the middle draw" if len(routed.stretch) > 1 else ""
    return f"{text}; fullest link {route.hottest_link}, offered {percent(route.max_utilisation)}{which}"


def _assumptions(bench: _Bench, tests: Sequence[CollectiveTest]) -> tuple[Assumption, ...]:
    """What the answer rests on, with what decides it."""
    beside = "beside the steady traffic of the workloads" if bench.asked.beside else "alone on the fabric"
    more = [(f"the test runs {beside}; no other collective is on the wire", "--beside")]
    more += bench.said
    drawn = [test for test in tests if test.router]
    if any(1 < test.draws < _ENOUGH for test in drawn):
        more.append((f"of fewer than {_ENOUGH} draws 5 and 95 % are the lowest and the highest", "--draws"))
    if any(test.draws == 1 and test.hashed for test in drawn):
        more.append(("the hash is drawn once, as more draws take long here: there is no band", "--draws"))
    found = assumptions(bench.loaded, bench.network, (), more=more)
    fabric = f"fabrics.{bench.ranks.seats.fabric}."
    return tuple(
        entry for entry in found if not entry.override.startswith("fabrics.") or entry.override.startswith(fabric)
    )
