"""Every case routed anew is what ``fabric route --down`` says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.engine import CAUSES, LinkWorst
from fabric.failures.part import Part
from fabric.failures.phases import sweep_phases
from fabric.failures.plain import PlainEngine
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.columns import column

SCENARIO = """
version: 1
name: small
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {model: eth-32x100, count: 3, down: 4, up: 3}
      spine: {model: eth-32x100, count: 3}
    routing: {router: %s}
nodes:
  - {group: hosts, count: 12, gpus: 1, nics: {main: {speed: 100G}}}
workloads:
  - {id: shuffle, kind: alltoall, members: hosts, size: 1 GiB}
"""


def parts_of(topology) -> tuple[Part, ...]:
    """Every cable and every switch."""
    links = topology.links
    parts = []
    for link in np.flatnonzero(topology.is_cable).tolist():
        both = column(sorted({link, int(links.reverse[link])} - {-1}), np.int32)
        parts.append(Part("link", topology.link_name(link), {topology.name: both}))
    for node in np.flatnonzero(topology.is_switch).tolist():
        own = column(np.flatnonzero((links.src == node) | (links.dst == node)), np.int32)
        parts.append(Part("switch", topology.nodes.name[node], {topology.name: own}))
    return tuple(parts)


def loaded_scenario(folder: Path, router: str):
    """The scenario with a router."""
    path = folder / "small.fabric.yaml"
    path.write_text(SCENARIO % router, encoding="utf-8")
    return load_scenario(str(path))


@pytest.mark.parametrize("router", ["ecmp", "ecmp-hash", "optimal"])
def test_a_case_is_what_route_says_with_it_down(router, tmp_path):
    """Fullest link, links over capacity, pairs cut, and how full the job's fullest link is."""
    loaded = loaded_scenario(tmp_path, router)
    run = run_scenario(loaded, RouteRequest(draws=1))
    (phase,) = sweep_phases(run)
    cases = Cases.single(parts_of(phase.topology))
    worst = LinkWorst.empty(len(phase.topology.links))
    answers = engine_of(phase).outcomes(damage_of(cases, "main"), worst)
    for case, part in enumerate(cases.parts):
        anew = run_scenario(loaded, RouteRequest(draws=1, down=(part.name,))).result.routes[0]
        assert answers.max_utilisation[case] == pytest.approx(anew.max_utilisation, rel=1e-9)
        assert answers.links_over_capacity[case] == anew.links_over_capacity
        assert answers.unreachable_pairs[case] == anew.unreachable_pairs
        assert answers.cut[case].any() == bool(anew.jobs_cut)
    assert (worst.utilisation[:, 0] >= worst.utilisation[:, CAUSES - 1]).all()


def test_damage_on_top_of_damage_is_both_at_once(tmp_path):
    """Two parts in one case, or one after the other."""
    run = run_scenario(loaded_scenario(tmp_path, "ecmp"))
    (phase,) = sweep_phases(run)
    parts = parts_of(phase.topology)
    pair = (parts[0], parts[-1])
    both = Cases("pair", pair, column([0, 2], np.int64), column([0, 1], np.int32), 1, 2)
    engine, worst = PlainEngine(phase), LinkWorst.empty(len(phase.topology.links))
    together = engine.utilisation(damage_of(both, "main"), 0)
    single = damage_of(Cases.single(pair), "main")
    after = engine.damaged(single, 1)
    np.testing.assert_array_equal(after.utilisation(single, 0), together)
    assert after.outcomes(single, worst).max_utilisation[0] == together.max()
