"""Rules from the plan, held by promtool: they parse, health and draws of the hash are silent, every fault is told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from pods import pod
from real_programs import require

from fabric.cli.main import run as fabric
from fabric.operate.draw_loads import drawn_means
from fabric.operate.forecast import forecast
from fabric.operate.hash_band import highest_load, lowest_load
from fabric.operate.monitoring.files import MonitoringRequest, monitor
from fabric.operate.monitoring.profiles import PROFILES
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

require("promtool", root=False)
pytestmark = pytest.mark.real_prometheus
TRAINING = Path(__file__).parents[1] / "golden" / "cases" / "training.fabric.yaml"


def promtool(*words: str, at: Path) -> None:
    """Run it in a folder; what it says is shown where it refuses."""
    done = subprocess.run(["promtool", *words], cwd=at, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_a_hashed_pod_is_watched_as_a_whole(tmp_path: Path) -> None:
    """A thousand other draws of the hash and health are silent; each of six faults sets off its alert."""
    pod(tmp_path, leaves=2, hosts=4)
    out = tmp_path / "rules"
    assert fabric(["export", "prometheus", str(tmp_path / "pod.fabric.yaml"), "-o", str(out), "-q"]) == 0
    said = json.loads((out / "manifest.json").read_text())["fabrics"]["main"]
    assert said["draws_in_tests"] == 1000
    assert {text.partition(":")[0] for text in said["faults_in_tests"]} == {
        "FabricLinkAbovePlan", "FabricSpineIdle", "FabricEcmpSkew", "FabricLinkDown", "FabricLinkErrors",
        "FabricLinksUnknown",
    }  # fmt: skip
    promtool("check", "rules", *sorted(path.name for path in out.glob("*.rules.yml")), at=out)
    promtool("test", "rules", *sorted(f"tests/{path.name}" for path in (out / "tests").iterdir()), at=out)


PLANES = """\
version: 1
name: planes
fabrics:
  main:
    topology:
      kind: multi-plane
      planes: 2
      plane: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 400G}
    routing: {router: ecmp}
nodes: [{group: gpu, count: 8, gpus: 1, nics: {main: {speed: 100G, ports: 2}}}]
workloads: [{id: shuffle, kind: all-to-all, fabric: main, rate: 100 Gb/s}]
"""


def test_one_of_two_planes_that_is_down_sets_off_its_alert_and_the_other_does_not(tmp_path: Path) -> None:
    """All links of plane 0 report down: FabricPlaneDown of plane 0 alone; rules without that alert fail the test."""
    (tmp_path / "planes.fabric.yaml").write_text(PLANES, encoding="utf-8")
    out = tmp_path / "rules"
    words = ["export", "prometheus", str(tmp_path / "planes.fabric.yaml"), "-o", str(out), "--draws", "0", "-q"]
    assert fabric(words) == 0
    told = json.loads((out / "manifest.json").read_text())["fabrics"]["main"]["faults_in_tests"]
    assert "FabricPlaneDown: plane 0 is down" in told
    promtool("test", "rules", "tests/main.faults.test.yml", at=out)
    text = (out / "alerts.rules.yml").read_text(encoding="utf-8")
    blind = text.replace(r"{plane!=\"\"}) == 0", r"{plane=\"9\"}) == 0")
    assert blind != text
    (out / "alerts.rules.yml").write_text(blind, encoding="utf-8")
    with pytest.raises(AssertionError, match="FabricPlaneDown"):
        promtool("test", "rules", "tests/main.faults.test.yml", at=out)


def test_of_many_links_a_sample_that_is_said_is_tested_in_every_tier(tmp_path: Path) -> None:
    """Twelve leaves with ten hosts: 288 links. Some of the hosts, not the first ones; the same again."""
    pod(tmp_path, router="ecmp", leaves=12, hosts=10, batch=7680)
    texts = []
    for name in ("rules", "again"):
        out = tmp_path / name
        words = ["export", "prometheus", str(tmp_path / "pod.fabric.yaml"), "-o", str(out), "--draws", "0", "-q"]
        assert fabric(words) == 0
        texts.append((out / "tests" / "main.faults.test.yml").read_text(encoding="utf-8"))
    assert texts[0] == texts[1]
    said = [line for line in texts[0].splitlines() if line.startswith("# ")]
    assert said[0].endswith("of 288 measured links; switches of each tier drawn with seed 0:")
    assert said[1].startswith("# host-leaf: 40 of 120 below: ")
    assert said[2].startswith("# leaf-spine: 12 of 12 below: leaf0")
    assert "gpu0, gpu1, gpu2, gpu3" not in said[1]
    told = json.loads((tmp_path / "rules" / "manifest.json").read_text())["fabrics"]["main"]["faults_in_tests"]
    for alert in ("FabricLinkDown", "FabricLinkErrors"):
        links = [text for text in told if text.startswith(alert)]
        assert ["leaf" in text.split(" -> ")[0] for text in links] == [False, True]
    promtool("test", "rules", "tests/main.faults.test.yml", at=tmp_path / "rules")


@pytest.mark.parametrize("profile", ["node", "gnmi", "dcgm"])
def test_other_exporters_names_tell_the_same_faults(profile: str, tmp_path: Path) -> None:
    """Ports of hosts or of switches; counters, states and errors under the names of each exporter."""
    pod(tmp_path, leaves=2, hosts=2)
    out = tmp_path / "rules"
    words = ["export", "prometheus", str(tmp_path / "pod.fabric.yaml"), "-o", str(out), "--profile", profile, "-q"]
    assert fabric([*words, "--draws", "0"]) == 0
    promtool("test", "rules", "tests/main.faults.test.yml", "tests/main.plan.test.yml", at=out)


def test_planes_rails_and_links_that_should_not_be_used_are_watched(tmp_path: Path) -> None:
    """Rails of a training pod, and a spine that the plan has taken down."""
    loaded = load_scenario(TRAINING)
    made = monitor(run_scenario(loaded, RouteRequest(fabric="backend")), PROFILES["snmp"], MonitoringRequest())
    from fabric.operate.monitoring.faults import faults

    assert {"FabricRailDown"} <= {fault.alert for fault in faults(made.fabrics[0])}
    down = tmp_path / "rules"
    pod(tmp_path, router="ecmp", leaves=2, hosts=2)
    words = ["export", "prometheus", str(tmp_path / "pod.fabric.yaml"), "-o", str(down), "--down", "spine1", "-q"]
    assert fabric(words) == 0
    told = json.loads((down / "manifest.json").read_text())["fabrics"]["main"]["faults_in_tests"]
    assert any(text.startswith("FabricLinkNotPlanned: ") for text in told)
    promtool("test", "rules", "tests/main.faults.test.yml", at=down)


@pytest.mark.parametrize("seed", range(3))
def test_the_mean_over_draws_is_what_equal_splits_carry(seed: int, tmp_path: Path) -> None:
    """A fair hash splits evenly in the mean: the fluid router gives the same means, by another way."""
    hashed = forecast(
        pod(tmp_path, leaves=4, hosts=2, placement=f"{{group: gpu, order: scattered, seed: {seed}}}"), draws=400
    )[0]
    fluid = forecast(
        pod(tmp_path, router="ecmp", leaves=4, hosts=2, placement=f"{{group: gpu, order: scattered, seed: {seed}}}")
    )
    np.testing.assert_allclose(hashed.mean_gbps, fluid[0].mean_gbps, rtol=0.08, atol=0.05)
    assert np.array_equal(hashed.possible, fluid[0].possible)


def test_a_mean_is_the_bytes_of_a_step_over_its_time(tmp_path: Path) -> None:
    """Every rank of a ring sends 2 (n-1)/n of the gradients in a step, over the payload efficiency of the fabric."""
    run = pod(tmp_path, router="ecmp", leaves=2, hosts=2)
    plan, job = forecast(run)[0], run.result.jobs[0]
    sent = sum(phase.bytes_per_rank for phase in job.phases)
    efficiency = run.loaded.scenario.fabrics["main"].payload_efficiency
    assert job.step_time_s is not None
    out = [
        link for link in range(len(plan.topology.links)) if not plan.topology.is_switch[plan.topology.links.src[link]]
    ]
    expected = sent * 8e-9 / efficiency / job.step_time_s
    assert plan.mean_gbps[out] == pytest.approx(np.full(len(out), expected))


def test_bands_hold_a_thousand_other_draws_with_their_margin(tmp_path: Path) -> None:
    """None of 32,000 means of links leaves its band."""
    run = pod(tmp_path, leaves=4, hosts=2)
    plan = forecast(run)[0]
    rates = drawn_means(run, "main", 1000)
    assert (rates <= plan.high_gbps * (1 + 1e-9)).all()
    assert (rates >= plan.low_gbps * (1 - 1e-9)).all()
    assert (plan.high_gbps < plan.topology.capacity_gbps).all()


def test_bounds_of_a_band_hold_the_binomial_tail() -> None:
    """200 flows of 1 Gb/s onto 4 links: the exact chance to pass either bound is below the one asked for."""
    from scipy.stats import binom

    mean, flow, chance = np.array([50.0]), np.array([1.0]), 1e-6
    high, low = float(highest_load(mean, flow, chance)[0]), float(lowest_load(mean, flow, chance)[0])
    assert 0 < binom.sf(np.ceil(high) - 1, 200, 0.25) < chance
    assert 0 < binom.cdf(np.floor(low), 200, 0.25) < chance
    assert high < 2 * 50
    assert low > 0
