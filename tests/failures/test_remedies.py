"""What to add: the least of every way that holds, each built and failed again, and what has no port left out."""

from __future__ import annotations

import pytest

from fabric.failures.remedies import remedies
from fabric.failures.request import FailureRequest
from fabric.failures.sweep import run_failures
from fabric.pipeline.run import run_scenario
from fabric.scenario.load import load_scenario

SCENARIO = """
version: 1
name: eight
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {model: MODEL, count: 8, down: 8, up: 8}
      spine: {model: MODEL, count: 4}
      cabling: {host-leaf: {length: 3 m}}
    routing: {router: ecmp}
nodes:
  - {group: hosts, count: 64, gpus: 1, nics: {main: {speed: SPEED}}}
workloads:
  - {id: shuffle, kind: alltoall, members: hosts, size: 1 GiB}
limits:
  - {fabric: main, tier: leaf-spine, metric: offered, max: MAX, when: any-single-spine}
"""


def offered(folder, model="eth-64x400", speed="400G", most="100%"):
    path = folder / "eight.fabric.yaml"
    text = SCENARIO.replace("MODEL", model).replace("SPEED", speed).replace("MAX", most)
    path.write_text(text, encoding="utf-8")
    run = run_scenario(load_scenario(str(path)))
    request = FailureRequest(expected=False)
    return run, remedies(run, request, run_failures(run, request).limits)


def test_one_spine_more_keeps_the_limit(tmp_path):
    """Of n spines one dies: n/(n-1) of what they carried, 8/9 of which leaves the leaf."""
    run, found = offered(tmp_path)
    cheapest = found[0]
    assert (cheapest.added, cheapest.holds) == (16, True)
    assert cheapest.worst_utilisation == pytest.approx(8 * 56 / 63 / 8, rel=1e-9)
    for remedy in found:
        loaded = load_scenario(run.loaded.path, overrides=[*remedy.sets])
        (limit,) = run_failures(run_scenario(loaded), FailureRequest(expected=False)).limits
        assert (limit.verdict.ok is not False) == remedy.holds
        assert limit.verdict.value == pytest.approx(remedy.worst_utilisation)


def test_the_rest_of_the_cabling_is_left_as_it_is(tmp_path):
    """Lengths that the scenario gives stay."""
    run, found = offered(tmp_path)
    doubled = next(remedy for remedy in found if "for every one" in remedy.text)
    spec = load_scenario(run.loaded.path, overrides=[*doubled.sets]).scenario.fabrics["main"].topology
    assert spec.cabling["host-leaf"].length == 3.0
    assert spec.cabling["leaf-spine"].parallel == 2
    assert doubled.added == 64


def test_what_holds_needs_nothing(tmp_path):
    """No limit breaks."""
    _, found = offered(tmp_path, most="150%")
    assert found == ()


def test_what_cannot_hold_is_said(tmp_path):
    """Ports run out before the limit holds."""
    _, found = offered(tmp_path, most="5%")
    assert found
    assert not any(remedy.holds for remedy in found)
