"""Values and bounds of objectives in certificates: as written they hold, and every forgery of them is refuted."""

from __future__ import annotations

import numpy as np
import pytest
from certificate_files import certified, forged
from oracle_fabrics import Case

from topologies.assemble import assemble


def _case(scale: float) -> Case:
    """Four switches in a ring of 100G with a chord of 40G; demand that, scaled, fits or does not."""
    net = assemble("ring", "random")
    ids = net.nodes("router", [f"r{each}" for each in range(4)], level=1, nics=1)
    for low, high, gbps in ((0, 1, 100.0), (1, 2, 100.0), (2, 3, 100.0), (3, 0, 100.0), (0, 2, 40.0)):
        net.cables([ids[low]], [ids[high]], gbps)
    demands = ((0, 2, 150.0), (1, 3, 80.0), (1, 2, 60.0), (3, 2, 70.0))
    return Case(net.freeze(), tuple((int(ids[src]), int(ids[dst]), gbps * scale) for src, dst, gbps in demands))


OBJECTIVES = ("max-throughput", "max-min-fair", "min-cost")


def _written(tmp_path, objective):
    scale = 0.5 if objective == "min-cost" else 1.2
    return certified(tmp_path / "c.zip", _case(scale), "optimal", objective=objective, gap=1e-6)


def _refuted(verdict):
    return {finding.claim for finding in verdict.refuted}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_value_and_bound_hold_as_written(tmp_path, objective):
    """Nothing is left unchecked, and value and bound meet."""
    route, verdict = _written(tmp_path, objective)
    assert verdict.verdict == "holds"
    assert route.objective.value == pytest.approx(route.objective.bound, rel=1e-5)
    assert route.objective.value > 0


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_another_value_is_refuted(tmp_path, objective, factor):
    """More or less than what loads and admitted parts add up to."""
    _written(tmp_path, objective)

    def forge(_, __, entry, ___):
        entry["objective_claims"]["value"] *= factor

    assert "objective" in _refuted(forged(tmp_path / "c.zip", forge))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_better_bound_than_prices_prove_is_refuted(tmp_path, objective):
    """A tighter bound, and prices without effect under the bound that was claimed."""
    _written(tmp_path, objective)
    path = tmp_path / "c.zip"

    def tighter(_, __, entry, ___):
        entry["objective_claims"]["bound"] *= 1.1 if objective == "min-cost" else 0.9

    assert "objective_bound" in _refuted(forged(path, tighter))


@pytest.mark.parametrize("objective", ["max-throughput", "max-min-fair"])
def test_prices_taken_away_prove_nothing(tmp_path, objective):
    """Without prices all demand could be admitted, as far as the file says."""
    _written(tmp_path, objective)
    verdict = forged(tmp_path / "c.zip", lambda phase, *_: phase.objective_price.fill(0.0))
    assert "objective_bound" in _refuted(verdict)


def test_parts_moved_from_one_entry_to_another_are_refuted(tmp_path):
    """Of the levels: what one gains another loses, at the same routing."""
    _written(tmp_path, "max-min-fair")

    def forge(phase, *_):
        low, high = int(np.argmin(phase.served_part)), int(np.argmax(phase.served_part))
        phase.served_part[low] *= 0.8
        phase.served_part[high] = min(phase.served_part[high] * 1.2, 1.0)

    assert _refuted(forged(tmp_path / "c.zip", forge))


def test_a_stage_without_prices_is_refuted(tmp_path):
    """Entries that stop in it could rise."""
    _written(tmp_path, "max-min-fair")
    verdict = forged(tmp_path / "c.zip", lambda phase, *_: phase.stage_price.fill(0.0))
    assert "levels" in _refuted(verdict)


def test_levels_of_demand_that_is_admitted_whole_need_no_stages(tmp_path):
    """Half of the demand fits: nobody can get more than all; with a part of an entry cut, somebody can."""
    path = tmp_path / "c.zip"
    _, verdict = certified(path, _case(0.2), "optimal", objective="max-min-fair", gap=1e-6)
    assert (verdict.verdict, verdict.figures.levels_gap_found) == ("holds", 0.0)

    def forge(phase, _, entry, columns):
        entry["served"] = "parts"
        columns["served_src"] = phase.send_point[phase.demand_src[:1]].astype(np.int32)
        columns["served_dst"] = phase.receive_point[phase.demand_dst[:1]].astype(np.int32)
        columns["served_part"] = np.array([0.999])

    assert {"demand", "objective"} <= _refuted(forged(path, forge))


def test_valiants_loads_are_walked(tmp_path):
    """θ of a routing that turns at switches is checked, and another θ refuted."""
    _, verdict = certified(tmp_path / "c.zip", _case(0.5), "valiant")
    assert "max_utilisation" not in {finding.claim for finding in verdict.findings if finding.verdict != "holds"}

    def forge(_, __, entry, ___):
        entry["claims"]["max_utilisation"] *= 0.9

    assert "max_utilisation" in _refuted(forged(tmp_path / "c.zip", forge))
