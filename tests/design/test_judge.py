"""Judging a counted design: what stands there is what was counted, and every promise is put to the test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import small_requirements

from fabric.design.counted import Counted
from fabric.design.judge import Judged, judge, worst_failure
from fabric.design.probes import breaks, probe_loads
from fabric.design.requirement import Requirement, needs_of
from fabric.design.scenario_text import scenario_text
from fabric.design.search import Search


def first_of(requirement: Requirement, family: str) -> Counted:
    """The cheapest counted design of a family."""
    (need,) = needs_of(requirement).values()
    counted = Search(need, requirement.catalogue, requirement.objective, families=(family,)).next()
    assert counted is not None
    return counted


def judged(requirement: Requirement, counted: Counted, topology: Mapping[str, Any] | None = None) -> Judged:
    """A design put to the test; with ``topology`` something else is built than was counted."""
    fabrics = {"backend": counted}
    text = scenario_text(requirement, {"backend": replace(counted, topology=topology or counted.topology)})
    return judge(text, requirement.directory / "design.fabric.yaml", needs_of(requirement), fabrics)


def test_what_is_counted_stands_there(tmp_path):
    """24 NICs on switches of 16 ports, 1:1: three leaves of 8 down and 8 up, two spines."""
    requirement = small_requirements.requirement(tmp_path)
    one = judged(requirement, first_of(requirement, "leaf-spine"))
    assert one.holds
    assert one.summaries["backend"].nodes_by_role == {"host": 24, "leaf": 3, "spine": 2}


@pytest.mark.parametrize("spines", [4, 8])
def test_a_miscount_is_never_offered(spines, tmp_path):
    """Another number of spines built than counted is said, with both numbers."""
    requirement = small_requirements.requirement(tmp_path)
    counted = first_of(requirement, "leaf-spine")
    spine = {**counted.topology["spine"], "count": spines}
    one = judged(requirement, counted, {**counted.topology, "spine": spine})
    assert any(f"'spine': 2}}, built {{'leaf': 3, 'spine': {spines}}}" in breach.text for breach in one.breaches)


def test_a_ceiling_that_was_counted_too_low_is_a_breach(tmp_path):
    """2:1 built and 1:1 counted."""
    requirement = small_requirements.requirement(tmp_path, require={"oversubscription": "2:1"})
    counted = first_of(requirement, "leaf-spine")
    assert counted.oversubscription["leaf"] > 1
    one = judged(requirement, replace(counted, oversubscription={"leaf": 1.0}))
    assert "as built, counted 1:1" in one.breaches[0].text


def test_probes_find_what_a_flat_network_does_not_carry(tmp_path):
    """A HyperX whose even load is 1 holds for everyone to everyone, not for a permutation of its switches."""
    requirement = small_requirements.requirement(tmp_path, candidates={"kinds": ["hyperx"], "switches": ["tiny"]})
    needs = needs_of(requirement)
    one = judged(requirement, first_of(requirement, "hyperx"))
    assert one.holds
    assert one.run is not None
    even = probe_loads(one.run, needs, {"backend"})
    assert {load.probe for load in even} == {"everyone"}
    assert not any(breaks(load, needs["backend"]) for load in even)
    assert any(breaks(load, needs["backend"]) for load in probe_loads(one.run, needs))


def test_no_probe_breaks_a_clos(tmp_path):
    """Two tiers at 1:1 carry whatever NICs admit."""
    requirement = small_requirements.requirement(tmp_path)
    one = judged(requirement, first_of(requirement, "leaf-spine"))
    assert one.run is not None
    loads = probe_loads(one.run, needs_of(requirement))
    assert {load.probe for load in loads} >= {"half", "everyone", "farthest"}
    assert max(load.utilisation for load in loads) == pytest.approx(1.0)


def test_a_spine_that_may_die_is_failed(tmp_path):
    """With any-single-spine asked for, the worst of its cases parts nobody."""
    requirement = small_requirements.requirement(tmp_path, require={"survive": ["any-single-spine"]})
    one = judged(requirement, first_of(requirement, "leaf-spine"))
    worst = worst_failure(one)
    assert worst is not None
    assert worst.case.startswith("spine")
    assert worst.unreachable_pairs == 0


def test_a_leaf_that_may_not_die_is_a_breach(tmp_path):
    """Hosts of one NIC hang on one leaf: a scenario that asks for any leaf to die breaks."""
    requirement = small_requirements.requirement(tmp_path)
    counted = first_of(requirement, "leaf-spine")
    limit = "limits:\n  - {fabric: backend, when: any-single-leaf, metric: unreachable_pairs, max: 0}\n"
    text = scenario_text(requirement, {"backend": counted}) + limit
    one = judge(text, tmp_path / "design.fabric.yaml", needs_of(requirement), {"backend": counted})
    assert "any-single-leaf" in one.breaches[0].text


def test_a_single_switch_has_nothing_to_probe_between_switches(tmp_path):
    """100 hosts on one switch: there is one leaf, and no link between switches."""
    candidates = {"kinds": ["single-switch"], "switches": ["tiny"]}
    requirement = small_requirements.requirement(
        tmp_path, require={"gpus": 100}, candidates=candidates, switch={"ports": 128}
    )
    one = judged(requirement, first_of(requirement, "single-switch"))
    assert one.holds
    assert one.run is not None
    assert max((load.utilisation for load in probe_loads(one.run, needs_of(requirement))), default=0.0) == 0.0
