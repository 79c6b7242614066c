"""``fabric expect --check``: runs of nccl-tests beside what is expected of them, and why they fall short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fabric.expect.causes import Change, Situation, changes
from fabric.expect.check import curves_of, notes_of, rows_of
from fabric.expect.diagnose import explanations_of
from fabric.expect.engine import expect
from fabric.expect.fit import Curve
from fabric.expect.measured import alike, request_of
from fabric.expect.ranks import TestRanks, ranks_of
from fabric.expect.request import ExpectRequest
from fabric.expect.result import Check, CheckRow, CollectiveTest, ExpectResult, Explanation
from fabric.pipeline.network import Network
from fabric.pipeline.prepared import build, derive_traffic
from fabric.request import RouteRequest
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.load import LoadedScenario
from topologies.columns import Floats
from topologies.errors import FabricError
from traffic.nccl_tests.run import Log, Run
from traffic.occupancy import Occupancy

DRAWS = 20  # of the hash, for each cause
STEP_S = 1e-6  # by which a way is lengthened to see how many of them wait for each other


def check_log(
    loaded: LoadedScenario,
    asked: ExpectRequest,
    request: RouteRequest,
    log: Log,
    *,
    progress: Reporter = silent,
) -> ExpectResult:
    """Predict every run of a log, and hold it against that.

    Parameters
    ----------
    asked : ExpectRequest
        What is known besides the log; operation, sizes, ranks and places are those of the log.

    Raises
    ------
    FabricError
        For a run that this scenario cannot predict, and whatever ``expect`` refuses.
    """
    network = build(loaded, down=request.down, up=request.up, slow=request.slow, routed=True)
    notes = list(log.notes)
    results: list[ExpectResult] = []
    rows: list[CheckRow] = []
    explanations: list[Explanation] = []
    for runs in _repetitions(log.runs):
        joined = replace(runs[0], rows=tuple(row for run in runs for row in run.rows))
        wanted = request_of(joined, asked, loaded, network, notes)
        result = expect(loaded, wanted, request, network=network, progress=progress)
        test = result.tests[0]
        checked = [row for run in runs for row in rows_of(run, test)]
        if not checked:
            continue
        results.append(result)
        rows += checked
        notes += [text for run in runs for text in notes_of(run, test, rows_of(run, test)) if text not in notes]
        if short := _short_sizes(checked, test):
            explained = _explain(loaded, network, wanted, request, test, checked, short, progress)
            several = len(log.runs) > len(runs)
            explanations += [
                replace(entry, detail=f"{test.collective}: {entry.detail}") if several else entry for entry in explained
            ]
    passed = bool(rows) and all(row.ok for row in rows) and not any(run.wrong for run in log.runs)
    check = Check(log.file, "pass" if passed else "fail", tuple(rows), tuple(explanations), tuple(notes))
    assumptions = tuple({entry: None for result in results for entry in result.assumptions})
    tests = tuple(test for result in results for test in result.tests)
    return replace(results[0], tests=tests, check=check, assumptions=assumptions)


def _repetitions(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs of one test together, in the order of the log."""
    groups: list[list[Run]] = []
    for run in runs:
        same = next((group for group in groups if alike(group[0], run)), None)
        if same is None:
            groups.append([run])
        else:
            same.append(run)
    return groups


def _short_sizes(rows: Sequence[CheckRow], test: CollectiveTest) -> set[float]:
    """Sizes of which a row misses the mark of the table, or what it is judged by."""
    marks = {row.size_bytes: row.pass_mark_busbw_gbytes_per_s for row in test.rows}
    return {
        row.size_bytes for row in rows if not row.ok or row.measured.busbw_gbytes_per_s < marks.get(row.size_bytes, 0.0)
    }


def _explain(
    loaded: LoadedScenario,
    network: Network,
    asked: ExpectRequest,
    request: RouteRequest,
    test: CollectiveTest,
    rows: Sequence[CheckRow],
    short: set[float],
    progress: Reporter,
) -> tuple[Explanation, ...]:
    ranks = _ranks(loaded, network, asked)
    simulation = Simulation(loaded, network, ranks, asked, request, test, progress)
    sizes, measured_s, expected_s = curves_of(rows)
    simulation.sizes = sizes
    candidates = changes(Situation(loaded, network, ranks, asked, test))
    below = np.array([size in short for size in sizes])
    return explanations_of(sizes, measured_s, expected_s, below, candidates, simulation)


def _ranks(loaded: LoadedScenario, network: Network, asked: ExpectRequest) -> TestRanks:
    occupancy = Occupancy()
    if asked.job is not None:
        derive_traffic(loaded, network, occupancy=occupancy)
    return ranks_of(loaded, network, asked, occupancy)


class Simulation:
    """What a test comes to with something changed."""

    def __init__(
        self,
        loaded: LoadedScenario,
        network: Network,
        ranks: TestRanks,
        asked: ExpectRequest,
        request: RouteRequest,
        test: CollectiveTest,
        progress: Reporter = silent,
    ) -> None:
        self.loaded, self.network, self.ranks, self.request, self.test = loaded, network, ranks, request, test
        self.progress = progress
        self.sizes: Floats = np.array([row.size_bytes for row in test.rows])
        draws = min(asked.draws or DRAWS, DRAWS)
        self.asked = replace(asked, draws=draws if test.hashed else asked.draws)

    def __call__(self, change: Change) -> Curve | None:
        """Times with a cause in place; None where it cannot be, such as an algorithm that these hosts do not run."""
        self.progress(Progress(f"simulating: {change.cause}"))
        if change.latency:
            return self._latency(change.latency)
        if not (change.network or change.asked or change.library or change.router):
            return self._curve(self.test)
        try:
            return self._curve(self._test(change))
        except FabricError:
            return None

    def _test(self, change: Change, loaded: LoadedScenario | None = None) -> CollectiveTest:
        asked = self.asked
        if change.asked and asked.job is not None:
            keys = {} if self.ranks.library is None else self.ranks.library.model_dump(exclude_unset=True)
            asked = replace(asked, job=None, group=self.ranks.group, library={**keys, **asked.library})
        asked = replace(asked, **change.asked, library={**asked.library, **change.library})  # type: ignore[arg-type]
        request = replace(self.request, router=change.router) if change.router else self.request
        network = self.network
        result = expect(loaded or self.loaded, asked, request, network=network, network_change=change.network)
        return result.tests[0]

    def _curve(self, test: CollectiveTest) -> Curve:
        """Its times at the measured sizes, which the table may have cut to whole parts."""
        of_table = np.array([row.size_bytes for row in test.rows])
        nearest = [int(np.argmin(np.abs(np.log(of_table / size)))) for size in self.sizes]
        rows = [test.rows[at] for at in nearest]
        return Curve(
            np.array([row.expected.time_s for row in rows]),
            np.array([row.p5.time_s for row in rows]),
            np.array([row.p95.time_s for row in rows]),
        )

    def _latency(self, which: str) -> Curve | None:
        """The expected times, and how often each size waits: for another message between hosts, or for the call."""
        curve = self._curve(self.test)
        if which == "call":
            return replace(curve, rounds=np.ones(len(self.sizes)))
        fabric = self.ranks.seats.fabric
        spec = self.loaded.scenario.fabrics[fabric]
        slower = spec.latency.model_copy(update={"nic": spec.latency.nic + STEP_S / 2})
        fabrics = {**self.loaded.scenario.fabrics, fabric: spec.model_copy(update={"latency": slower})}
        scenario = self.loaded.scenario.model_copy(update={"fabrics": fabrics})
        try:
            later = self._curve(self._test(Change("", ""), replace(self.loaded, scenario=scenario)))
            now = self._curve(self._test(Change("", "")))
        except FabricError:
            return None
        rounds = np.maximum((later.median_s - now.median_s) / STEP_S, 0.0)
        return replace(curve, rounds=rounds) if float(rounds.max(initial=0.0)) > 0.01 else None
