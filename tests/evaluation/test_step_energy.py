"""Energy of the network in a step: power of the bill times the time of the step, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabric.bill.count import bill_of
from fabric.bill.energy import NetworkPower, network_power, step_energies
from fabric.cli.main import main
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.result import JobTime
from fabric.scenario.load import load_scenario

SUPERPOD = Path(__file__).parents[2] / "examples" / "superpod-127.fabric.yaml"


@pytest.fixture(scope="module")
def run() -> Run:
    return run_scenario(load_scenario(SUPERPOD), RouteRequest())


def test_energy_is_the_watts_of_every_part_times_the_step(run: Run) -> None:
    """48 switches of 747 W, 1,016 NICs of 18 W, 1,020 + 1,536 optics of 6.8 and 12.8 W: 80,740.8 W for all GPUs."""
    watts = 48 * 747 + 1016 * 18 + 1020 * 6.8 + 1536 * 12.8
    (energy,) = step_energies(run.result.jobs, run.power)
    step_s = run.result.jobs[0].step_time_s
    assert step_s is not None
    assert energy.share == 1
    assert energy.typical_j == pytest.approx(watts * step_s)
    assert energy.largest_j == pytest.approx(bill_of(run.loaded, run.network.topologies).totals.max_w * step_s)


def test_jobs_share_the_network_by_their_ranks_and_never_more_than_all_of_it() -> None:
    """600 and 200 ranks on 400 GPUs, which they take turns on: 3/4 and 1/4."""
    jobs = [JobTime(name, "training", ranks, (), None, 1.0, 2.0, None) for name, ranks in (("a", 600), ("b", 200))]
    one, other = step_energies(jobs, NetworkPower(1000.0, 1500.0, 400))
    assert (one.share, other.share) == (0.75, 0.25)
    assert (one.typical_j, other.largest_j) == (1500.0, 750.0)


def test_a_network_with_a_part_without_watts_has_no_energy_and_says_which() -> None:
    loaded = load_scenario(SUPERPOD.with_name("quickstart.fabric.yaml"))
    run = run_scenario(loaded, RouteRequest())
    power = network_power(loaded, run.network.topologies)
    assert power.missing == ("NIC of 100 Gb/s",)
    assert step_energies(run.result.jobs, power) == ()


def test_a_step_that_never_ends_has_no_energy() -> None:
    job = JobTime("a", "training", 8, (), None, 1.0, None, None)
    assert step_energies([job], NetworkPower(1000.0, 1500.0, 8)) == ()


def test_route_answers_energy_in_text_and_json(capfd: pytest.CaptureFixture[str]) -> None:
    """80.7 kW over 23.3 ms are 1.88 kJ."""
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["route", str(SUPERPOD), "-q"])
    assert "energy of the network in a step: 80.7 kW, taken as constant" in capfd.readouterr().out
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["route", str(SUPERPOD), "-q", "--json"])
    energy = json.loads(capfd.readouterr().out)["energy"]
    assert energy["typical_w"] == pytest.approx(80_740.8)
    assert energy["steps"][0]["typical_j"] == pytest.approx(80_740.8 * energy["steps"][0]["step_time_s"])
