"""From utilisation to time, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fabric.evaluation.jobs import job_times
from fabric.pipeline.prepared import build, derive_traffic
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

TWO_HOSTS = """\
version: 1
name: two
nodes:
  - {{group: gpu, count: 4, gpus: 1, name: "n{{index}}", nics: {{net: {{speed: 100G}}}}}}
fabrics:
  net:
    topology:
      kind: leaf-spine
      leaf: {{count: 2, radix: 4, speed: 100G, down: 2, up: 1}}
      spine: {{count: 1, radix: 4, speed: 100G}}
    efficiency: 0.5
workloads:
  - {{id: move, kind: permutation, size: 5 GB, seed: {seed}}}
limits:
  - {{workload: move, metric: step_time, max: 1.7 s}}
  - {{fabric: net, tier: leaf-spine, metric: offered, stat: {stat}, max: 150%}}
"""


def answer(tmp_path, *, seed: int = 0, stat: str = "max"):
    """Route the four hosts on two leaves."""
    path = tmp_path / "two.fabric.yaml"
    path.write_text(TWO_HOSTS.format(seed=seed, stat=stat))
    return route(load_scenario(path))


def crossing(result) -> int:
    """Hosts of leaf0 whose partner is under leaf1."""
    (entry,) = result.routes
    topology = entry.topology
    up = [i for i in range(len(topology.links)) if topology.link_name(i) == "leaf0 -> spine0"]
    return round(float(entry.link_gbps[up[0]].sum()) / 100)


@pytest.mark.parametrize("seed", range(6))
def test_a_phase_takes_its_ideal_time_times_the_worst_overload(tmp_path, seed):
    """5 GB at half of 100 Gb/s takes 0.8 s; two hosts over one uplink take twice as long."""
    result = answer(tmp_path, seed=seed)
    (job,) = result.jobs
    (phase,) = job.phases
    assert phase.ideal_s == pytest.approx(0.8)
    stretch = max(1, crossing(result))
    assert phase.stretch == pytest.approx(stretch)
    assert job.step_time_s == pytest.approx(0.8 * stretch)


def test_limits_compare_the_right_statistic(tmp_path):
    """The maximum decides by default; the mean of up and down links is lower or equal."""
    seed = next(seed for seed in range(20) if crossing(answer(tmp_path, seed=seed)) == 2)
    worst, mean = answer(tmp_path, seed=seed), answer(tmp_path, seed=seed, stat="mean")
    assert [limit.ok for limit in worst.limits] == [True, False]
    assert worst.limits[1].value == pytest.approx(2.0)
    assert mean.limits[1].value == pytest.approx(2.0)


def test_a_job_cut_in_two_never_finishes(tmp_path):
    """With the spine gone, a step time limit fails and the pairs are counted."""
    seed = next(seed for seed in range(20) if crossing(answer(tmp_path, seed=seed)) == 2)
    path = tmp_path / "two.fabric.yaml"
    path.write_text(TWO_HOSTS.format(seed=seed, stat="max"))
    result = route(load_scenario(path), RouteRequest(down=("spine0",)))
    assert result.unreachable_pairs == 4
    assert result.jobs[0].step_time_s is None
    assert result.limits[0].ok is False


@pytest.mark.parametrize(("part", "stretch"), [(1.0, 2.0), (0.25, 4.0), (0.0, None)])
def test_a_job_waits_for_the_flow_that_is_let_in_least(tmp_path, part, stretch):
    """Two hosts over one uplink: 2x at full demand. A quarter of the rate takes 4x, none for ever."""
    seed = next(seed for seed in range(20) if crossing(answer(tmp_path, seed=seed)) == 2)
    (entry,) = answer(tmp_path, seed=seed).routes
    admitted = np.ones(len(entry.routed.demand.src))
    admitted[0] = part
    routing = replace(entry.routed.routing, admitted=admitted)
    cut = replace(entry, routed=replace(entry.routed, routing=routing))
    assert cut.is_cut is (part < 1)
    loaded = load_scenario(tmp_path / "two.fabric.yaml")
    (job,) = job_times(derive_traffic(loaded, build(loaded)), [cut])
    assert job.phases[0].stretch == (None if stretch is None else pytest.approx(stretch))
    assert job.step_time_s == (None if stretch is None else pytest.approx(0.8 * stretch))


def test_the_reference_cluster_has_the_published_arithmetic():
    """2,048 GPUs, TP8 x PP4 x DP64: 70.55e9 parameters, 8.68 GB and 4.34 GB per step, 194 and 97 ms at 400 Gb/s x 0.92
    and 1 ms of latency.

    The busiest NIC is one of the first stage, which has the embedding beside its 20 layers.

    Hashing four queue pairs per connection loads some uplinks to about 300 %; ranks ordered by rail stay under 50 %.
    """
    loaded = load_scenario("examples/train-2k.fabric.yaml")
    result = route(loaded, RouteRequest(router="ecmp"))
    (job,) = [job for job in result.jobs if job.id == "llama70b"]
    phases = {phase.name: phase for phase in job.phases}
    assert phases["dp.reduce_scatter"].bytes_per_rank == pytest.approx(8.68e9, rel=1e-3)
    assert phases["dp.reduce_scatter"].ideal_s == pytest.approx(0.1944 + 0.001, rel=1e-3)
    assert phases["dp.all_gather"].ideal_s == pytest.approx(0.0972 + 0.001, rel=1e-3)
    assert phases["pp.send_recv"].ideal_s == pytest.approx(0.0117 + 0.0007, rel=1e-2)
    # Beside the recovery: of 160 Gb/s the server that lost an OSD takes back what its three copies in a row leave it.
    back = (3 / 40 + 2 / 39 + 1 / 38) / 3
    checkpoint = 3 * 987.75e9 * 8 / (160 * 200e9 * 0.92) * (1 + 160 * back / (4 * 200))
    assert job.checkpoint_time_s == pytest.approx(checkpoint, rel=1e-4)
    hashed = route(loaded, RouteRequest(router="ecmp-hash", fabric="backend"))
    worst = {entry.phase: entry for entry in hashed.routes}["dp.reduce_scatter"]
    assert 2.5 <= worst.max_utilisation <= 3.75
    assert 1000 <= worst.links_over_capacity <= 1300
    aligned = load_scenario(
        "examples/train-2k.fabric.yaml", overrides=["workloads.llama70b.placement.order=rail-aligned"]
    )
    ordered = route(aligned, RouteRequest(router="ecmp-hash", fabric="backend"))
    entry = {entry.phase: entry for entry in ordered.routes}["dp.reduce_scatter"]
    topology = entry.topology
    spine_links = topology.links.tier == topology.tiers.index("leaf-spine")
    assert entry.utilisation[spine_links].max() <= 0.75
