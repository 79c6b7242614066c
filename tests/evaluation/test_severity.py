"""One severity: every face names the same worst phase and the same hottest link, and rounding decides neither."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from fabric.evaluation import phases as routed_phases
from fabric.evaluation.hottest import by_heat
from fabric.evaluation.severity import severity_order
from fabric.faces.answers.records import route_record
from fabric.faces.answers.route_report import route_document
from fabric.faces.drawing.dot import route_heading
from fabric.faces.drawing.pictures import picture_phase
from fabric.faces.explain.explain import find_target
from fabric.faces.report.content import HeatBlock, Words
from fabric.faces.report.make import make_report
from fabric.faces.report.source import ReportSource
from fabric.faces.views.heat import heat_map, hottest_tier
from fabric.output.document import Line
from fabric.pipeline.comparison import compare_routers
from fabric.pipeline.run import Run, route
from fabric.pipeline.tables import plan_tables
from fabric.request import RouteRequest
from fabric.result import PhaseRoute, RouteResult
from fabric.routing.utilisation import SAME, highest, ranks
from fabric.scenario.load import LoadedScenario, load_scenario
from topologies.columns import Floats
from tui.session import Session

PATTERNS = (
    "{kind: alltoall}",
    "{kind: incast, targets: 2}",
    "{kind: permutation, seed: 3}",
    "{kind: permutation, seed: 4}",
    "{kind: stride, step: 2}",
    "{kind: uniform}",
)
SIZES = (
    "1 GB",
    "3 GB",
    "0.7 GB",
    "0.1 GB",
    "123456789 B",
)  # rates are relative, so these differ in the last bits alone
SCENARIO = """version: 1
name: tied
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {{radix: 64, speed: 100G, count: 4, down: 4, up: {up}}}
      spine: {{radix: 64, speed: 100G, count: 2}}
nodes: [{{group: hosts, count: {hosts}, nics: {{main: {{speed: 100G}}}}}}]
workloads:
{workloads}
"""


@dataclass(frozen=True)
class Named:
    """The worst phase and its hottest link as one face names them; None where the face does not."""

    face: str
    phase: str
    link: str | None = None


def scenario(folder: Path, patterns: list[tuple[str, str]], *, up: int, hosts: int) -> LoadedScenario:
    """A leaf-spine with one phase for every pattern."""
    jobs = [
        f"  - {{id: j{at}, phase: p{at}, members: hosts, size: {size}, {pattern[1:-1]}}}"
        for at, (pattern, size) in enumerate(patterns)
    ]
    path = folder / "tied.fabric.yaml"
    path.write_text(SCENARIO.format(up=up, hosts=hosts, workloads="\n".join(jobs)))
    return load_scenario(str(path))


def named_by_faces(loaded: LoadedScenario, request: RouteRequest) -> list[Named]:
    """What the machine record, the terminal, explain, the drawing, the report, the TUI and the export name."""
    result = route(loaded, request)
    drawn = picture_phase(result.routes, "worst")
    heading = route_heading(drawn, "")
    target = find_target(result, drawn.hottest_link)
    assert target.entry is not None
    record = {entry["phase"]: entry for entry in route_record(loaded, result)["routes"]}
    listed = result.items[0].phase
    why, opened, best = _report(loaded, request, result, drawn.fabric)
    run = Run(loaded, request, result)
    session = Session(run)
    first = session.phase
    session.look_at(session.fabric)
    assert session.entry is not None
    planned = plan_tables(run.prepared)[0].route
    assert planned is not None
    compared = compare_routers(run.prepared, routers=(drawn.router,)).worst
    assert compared is not None
    return [
        Named("record", listed, record[listed]["hottest_link"]),
        *_terminal(loaded, result),
        Named("explain", target.entry.phase, target.name),
        Named("drawing", heading[0].split(" · ")[1], heading[1].partition(" on ")[2]),
        Named("report, why", why),
        Named("report, heat map opened", opened, best),
        Named("TUI, opened", first, session.entry.hottest_link),
        Named("TUI, fabric chosen", session.phase, session.entry.hottest_link),
        Named("export", planned.phase, planned.hottest_link),
        Named("routers compared", compared.phase, compared.figures[0].hottest_link),
    ]


def _terminal(loaded: LoadedScenario, result: RouteResult) -> list[Named]:
    """The verdict names a phase only where links are over capacity; the list of hottest links always does."""
    document = route_document(loaded, result)
    verdict = next(part.text for part in document[1:] if isinstance(part, Line))
    if not verdict.startswith("CONGESTED"):
        return [Named("terminal, hottest links", result.items[0].phase)]
    link, _, phase = verdict.partition(" on ")[2].rpartition(" in ")
    return [
        Named("terminal, verdict", phase.partition(" ")[2], link.partition(" (one of ")[0]),
        Named("terminal, hottest links", result.items[0].phase, result.items[0].link),
    ]


def _report(loaded: LoadedScenario, request: RouteRequest, result: RouteResult, fabric: str) -> tuple[str, str, str]:
    """The phase that holds the fabric back, the one its heat map opens with, and the hottest link of that phase."""
    content = make_report(ReportSource(Run(loaded, request, result)), ["verdict", "load"])
    blocks = [block for section in content.sections for block in section.blocks]
    start = f"Why, on {fabric}: "
    why = next(block.text for block in blocks if isinstance(block, Words) and block.text.startswith(start))
    heat = next(block for block in blocks if isinstance(block, HeatBlock) and block.fabric == fabric)
    opened = heat.phases[heat.shown]
    rows = {entry.phase: entry.hottest_link for entry in result.routes if entry.fabric == fabric}
    return why.removeprefix(start).partition(":")[0], opened, rows[opened]


def one_answer(answers: list[Named]) -> tuple[str, str]:
    """The phase and the link, which all faces that name one must agree on."""
    phases = {answer.phase for answer in answers}
    links = {answer.link for answer in answers if answer.link is not None}
    assert len(phases) == 1, answers
    assert len(links) == 1, answers
    return phases.pop(), links.pop()


def hottest_cell_link(entry: PhaseRoute) -> int:
    """The link that the TUI's heat map opens at, as its screen picks it out of the cell."""
    heat = heat_map(entry.topology, entry.utilisation, hottest_tier(entry), "up")
    assert heat.hottest is not None
    links = heat.links(*heat.hottest)
    return int(links[highest(entry.utilisation[links])])


def with_noise(rng: np.random.Generator) -> Any:
    """Utilisation with the last bits of every link at random, different in every call."""
    exact = routed_phases.utilisation_of

    def noisy(*args: Any) -> Floats:
        utilisation = exact(*args)
        return utilisation * (1 + rng.integers(-2, 3, len(utilisation)) * 2.0**-52)

    return noisy


@settings(max_examples=12, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    patterns=st.lists(st.tuples(st.sampled_from(PATTERNS), st.sampled_from(SIZES)), min_size=2, max_size=4),
    up=st.sampled_from((2, 4)),
    hosts=st.sampled_from((14, 16)),
    router=st.sampled_from(("ecmp", "wcmp")),
    seed=st.integers(0, 99),
)
def test_all_faces_name_one_phase_and_one_link_whatever_the_last_bits(
    tmp_path_factory: pytest.TempPathFactory,
    patterns: list[tuple[str, str]],
    up: int,
    hosts: int,
    router: str,
    seed: int,
) -> None:
    """Phases of equal traffic and of other sizes; then again with noise in the last bits of every utilisation."""
    loaded = scenario(tmp_path_factory.mktemp("tied"), [*patterns, (patterns[0][0], "1.1 GB")], up=up, hosts=hosts)
    request = RouteRequest(router=router)
    answer = one_answer(named_by_faces(loaded, request))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routed_phases, "utilisation_of", with_noise(np.random.default_rng(seed)))
        assert one_answer(named_by_faces(loaded, request)) == answer
        result = route(loaded, request)
    exact = route(loaded, request)
    for entry, other in zip(exact.routes, result.routes, strict=True):
        assert entry.hottest_link == other.hottest_link
        assert by_heat(entry).tolist() == by_heat(other).tolist()
        assert hottest_cell_link(entry) == hottest_cell_link(other)


def test_the_example_that_faces_disagreed_on() -> None:
    """1.0 and 1.0000000000000002 are equal, neither has a link over capacity: the phase of more load is the worse."""
    loaded = load_scenario("examples/train-2k.fabric.yaml")
    request = RouteRequest(router="wcmp", fabric="backend")
    answers = named_by_faces(loaded, request)
    assert one_answer(answers) == ("dp.reduce_scatter", "n000.nic0 -> su0-r0-leaf")


def test_a_chain_of_near_equal_values_is_cut() -> None:
    """Neighbours less than the tolerance apart, ends far apart: a rank is never wider than the tolerance."""
    values = 1 - np.arange(1000) * 0.4 * SAME
    rank = ranks(values)
    for code in range(int(rank[-1]) + 1):
        mine = values[rank == code]
        assert mine.min() >= mine.max() * (1 - SAME)
    assert rank[-1] == pytest.approx(1000 / 3, abs=2)


@settings(max_examples=50)
@given(
    values=st.lists(st.sampled_from((0.0, 0.5, 1.0, 1.5, float("inf"))), min_size=1, max_size=12),
    seed=st.integers(0, 999),
)
def test_noise_in_the_last_bit_changes_no_rank(values: list[float], seed: int) -> None:
    """Ranks and the highest, with and without noise; the plain definition of both."""
    exact = np.array(values)
    noisy = exact * (1 + np.random.default_rng(seed).integers(-1, 2, len(exact)) * 2.0**-52)
    distinct = sorted(set(values), reverse=True)
    assert ranks(noisy).tolist() == [distinct.index(value) for value in values]
    assert highest(noisy) == values.index(max(values))


def test_peak_then_links_over_then_load_then_place() -> None:
    """Four phases that differ in one figure each, and two that do not differ."""
    peak = [1.2, 1.2 * (1 + 2.0**-52), 1.2, 1.3, 1.2]
    over = [3, 4, 4, 1, 4]
    total = [9.0, 5.0, 6.0, 1.0, 6.0 * (1 + 2.0**-52)]
    assert severity_order(peak, over, total).tolist() == [3, 2, 4, 1, 0]
