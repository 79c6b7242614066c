"""The training workload: hand-calculated bytes of each phase, and its refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from traffic_clusters import cluster, phase, run

from fabric.scenario.load import load_scenario
from fabric.scenario.schema import not_yet_modelled
from topologies.errors import TrafficError
from traffic.workload import demands_of

DATA = Path(__file__).parents[1] / "data" / "llama3-70b"
LLAMA = {"layers": 80, "hidden": 8192, "ffn_hidden": 28672, "heads": 64, "kv_heads": 8, "vocab": 128256}
P = 70_553_706_496
# Norms are on every tensor rank: 160·8192 in the layers and 8192 at the end, of which P counts one of eight.
RANK = (P + 7 * 161 * 8192) / 32  # parameters of a mean rank
JOB = {
    "model": LLAMA,
    "parallelism": {"tp": 8, "pp": 4, "cp": 1, "ep": 1, "dp": "auto", "order": "tp-cp-ep-dp-pp"},
    "batch": {"global": 1024, "micro": 1, "sequence": 8192},
    "precision": {"params": "bf16", "grads": "fp32", "optimizer": "adam-fp32"},
    "optimizer_sharding": "zero1",
    "compute": {"peak": "989 TFLOP/s", "efficiency": 0.40},
    "collectives": {"library": "nccl", "algorithm": "ring", "channels": 8, "qps_per_connection": 4},
    "placement": {"group": "gpu", "order": "scattered", "seed": 1},
    "checkpoint": {"every": "30 min", "deadline": "60 s", "fabric": "storage", "target": "ceph"},
    "dataset": {"read": "2 MB/s", "per": "gpu", "fabric": "storage", "source": "ceph"},
}
SMALL = {
    "model": {"layers": 4, "hidden": 64, "ffn_hidden": 128, "heads": 8, "kv_heads": 2, "vocab": 100},
    "batch": {"global": 64, "micro": 1, "sequence": 128},
}


@pytest.fixture(scope="module")
def llama():
    """Llama 3 70B on 2,048 GPUs in 256 hosts, 40 storage servers."""
    return run("training", cluster(256, servers=40), **JOB)


def test_the_example_has_its_phases_in_order(llama):
    """One phase per dimension in use, then storage."""
    assert [found.name for found in llama.phases] == [
        "tp.all_reduce",
        "pp.send_recv",
        "dp.reduce_scatter",
        "dp.all_gather",
        "checkpoint",
        "dataset",
    ]


def test_parameters_and_groups(llama):
    """P/(8·4) and copied norms per rank; embedding on the first stage, norm and head on the last; dp = 2048/32 = 64."""
    assert llama.model.parameters == P == llama.model.parameters_active
    spread, stage = llama.model.parameters_per_rank, 20 * (855_638_016 / 8 + 2 * 8192)
    assert spread.mean == pytest.approx(RANK)
    assert (spread.min, spread.max) == (stage, stage + 128256 * 8192 / 8 + 8192)
    assert llama.model.kv_bytes_per_token == 2 * 80 * 1024 * 2
    assert {name: (shape.size, shape.count) for name, shape in llama.groups.items()} == {
        "tp": (8, 256),
        "cp": (1, 2048),
        "ep": (1, 2048),
        "dp": (64, 32),
        "pp": (4, 512),
    }


def test_tensor_parallel_stays_on_nvlink(llama):
    """2·8·1·8192·8192·(7/8) per layer and micro-batch, 20 layers, 16 micro-batches: 300.6 GB."""
    found = phase(llama, "tp.all_reduce")
    assert found.fabric is None
    assert found.flows.pairs == 0
    assert found.sent_bytes_per_rank == pytest.approx(2 * 8 * 8192 * 8192 * 7 / 8 * 20 * 16)
    assert found.total_bytes == pytest.approx(2048 * found.sent_bytes_per_rank)
    assert found.pairs == 2048


def test_pipeline_boundary(llama):
    """A middle stage sends 2·(2·8192·8192/8)·16 = 537 MB; each boundary carries half of that each way."""
    found = phase(llama, "pp.send_recv")
    assert found.sent_bytes_per_rank == pytest.approx(0.536870912e9)
    assert found.total_bytes == pytest.approx(512 * 3 * 0.536870912e9)
    assert found.overlaps_compute
    assert (found.collective, found.fabric, found.group_size) == ("send-recv", "backend", 4)


@pytest.mark.parametrize(("name", "width"), [("dp.reduce_scatter", 4), ("dp.all_gather", 2)])
def test_data_parallel_with_zero_1(llama, name, width):
    """Parameters of a rank · bytes · 63/64: 8.68 GB of gradients, 4.34 GB of parameters."""
    found = phase(llama, name)
    assert found.payload_bytes_per_rank == pytest.approx(RANK * width)
    assert found.sent_bytes_per_rank == pytest.approx(RANK * width * 63 / 64)
    assert found.total_bytes == pytest.approx(2048 * RANK * width * 63 / 64)
    assert found.pairs == 2048


def test_data_parallel_rings_stay_on_their_rail(llama):
    """GPU i of a host talks to GPU i of others only: endpoint ids agree modulo 8."""
    flows = phase(llama, "dp.all_gather").flows
    np.testing.assert_array_equal(flows.src % 8, flows.dst % 8)


def test_checkpoint(llama):
    """14 B per parameter = 988 GB from clients, twice that between servers; every server takes the same."""
    found = phase(llama, "checkpoint")
    assert llama.checkpoint_bytes == 14 * P
    assert found.total_bytes == pytest.approx(3 * 14 * P)
    assert not found.every_step
    np.testing.assert_allclose(found.flows.received(296)[256:], 3 * 14 * P / 40)
    np.testing.assert_allclose(found.flows.sent(296)[:256], 14 * P / 256)
    np.testing.assert_allclose(found.flows.sent(296)[256:], 2 * 14 * P / 40)
    assert [(limit.key, limit.max_s) for limit in llama.time_limits] == [("checkpoint.deadline", 60)]


def test_dataset(llama):
    """2048 · 16 Mbps = 32.8 Gbps, 128 Mbps into each host."""
    found = phase(llama, "dataset")
    assert found.steady
    assert found.rate_gbps == pytest.approx(32.768)
    np.testing.assert_allclose(found.flows.received(296)[:256], 0.128)


def test_compute_time(llama):
    """(6·P + 12·80·8192·8192)·1024·8192 / (2048·989e12·0.4) = 5.05 s, of which communication takes its part."""
    assert llama.model.tokens_per_step == 8_388_608
    flops = (6 * 70_553_706_496 + 12 * 80 * 8192 * 8192) * 1024 * 8192
    assert llama.compute.step_s == pytest.approx(flops / (2048 * 989e12 * 0.4))
    assert llama.compute.step_s == pytest.approx(5.0501, abs=1e-4)
    assert llama.compute.flops_s == pytest.approx(0.4 * llama.compute.step_s)


def test_every_key_of_the_examples_job_has_effect():
    """Nothing is ignored in silence: what is listed as not modelled is none of the job's keys."""
    later = not_yet_modelled(load_scenario("examples/train-2k.fabric.yaml").scenario)
    assert later
    assert not [key for key in later if key.startswith("workloads")]


def test_queue_pairs_are_what_switches_hash(llama):
    """Four per connection on every phase of the collectives; one elsewhere."""
    assert {phase.flows_per_pair for phase in llama.phases if phase.every_step and not phase.steady} == {4}
    assert {phase.flows_per_pair for phase in llama.phases if not phase.every_step or phase.steady} <= {1}


def test_the_model_may_come_from_a_file(llama):
    """The published config.json gives the same bytes."""
    job = JOB | {"model": {"from": "hf-config", "path": "config.json"}}
    read = run("training", cluster(256, servers=40), DATA, **job)
    assert [found.total_bytes for found in read.phases] == [found.total_bytes for found in llama.phases]


def test_phases_become_classes_of_demand(llama):
    """Three phases on the backend; tensor parallel is on none."""
    demands = demands_of([llama], "backend")
    assert [entry.phase for entry in demands.classes] == ["pp.send_recv", "dp.reduce_scatter", "dp.all_gather"]


# ---- smaller jobs ----------------------------------------------------------------------------------------------------


def test_without_zero_gradients_are_all_reduced():
    """2·S·(n−1)/n of fp32 gradients."""
    job = run("training", cluster(2), **SMALL)
    found = phase(job, "dp.all_reduce")
    assert found.payload_bytes_per_rank == job.model.parameters * 4
    assert found.sent_bytes_per_rank == pytest.approx(2 * job.model.parameters * 4 * 15 / 16)
    assert found.pairs == 16  # an eighth of the ring on every rail
    assert found.sent_bytes_on_fabric_per_rank == pytest.approx(found.sent_bytes_per_rank / 8)


def test_rings_in_rank_order_leave_a_host_by_one_nic():
    """``library: plain``: of the 16 hops of the ring two leave a host, with all bytes."""
    found = phase(run("training", cluster(2), **SMALL, collectives={"library": "plain"}), "dp.all_reduce")
    assert found.pairs == 2
    assert found.flows.total == pytest.approx(2 * found.sent_bytes_per_rank)


def test_tensor_parallel_over_hosts_meets_the_fabric():
    """tp 16 on hosts of 8."""
    model = SMALL["model"] | {"heads": 16}
    job = run("training", cluster(2), **SMALL | {"model": model}, parallelism={"tp": 16})
    found = phase(job, "tp.all_reduce")
    assert (found.fabric, found.pairs) == ("backend", 16)


def test_two_stages_send_one_way_each():
    """The first sends activations, the last gradients: 2·1·128·64·8 micro-batches."""
    job = run("training", cluster(2), **SMALL, parallelism={"pp": 2})
    found = phase(job, "pp.send_recv")
    assert found.sent_bytes_per_rank == 2 * 128 * 64 * 8
    assert found.total_bytes == 8 * 2 * found.sent_bytes_per_rank


def test_context_parallel_passes_keys_and_values_around():
    """3 · 2·b·(s/c)·h_kv·β·(c−1) · layers · micro-batches = 3·2·32·16·2·3·4·16, and dp·cp share gradients."""
    job = run("training", cluster(2), **SMALL, parallelism={"cp": 4})
    found = phase(job, "cp.send_recv")
    assert found.sent_bytes_per_rank == 3 * 2 * 32 * 16 * 2 * 3 * 4 * 16
    assert found.overlaps_compute
    assert phase(job, "dp.all_reduce").group_size == 16


def test_a_single_gpu_sends_nothing():
    """No dimension above 1."""
    assert run("training", cluster(1), **SMALL, gpus=1).phases == ()


def test_unused_hosts_write_no_checkpoint():
    """12 ranks on 8 + 4 GPUs of the first two of three hosts; shares go by GPU."""
    keys = {"gpus": 12, "checkpoint": {"target": "ceph", "replication": 1}, "batch": {"global": 12, "sequence": 128}}
    job = run("training", cluster(3), **SMALL | keys)
    sent = phase(job, "checkpoint").flows.sent(7)
    np.testing.assert_allclose(sent[:3], np.array([8, 4, 0]) / 12 * 14 * job.model.parameters)


def test_every_default_is_told():
    """The keys that would override them are in the text."""
    told = " ".join(run("training", cluster(2), **SMALL, checkpoint={"target": "ceph"}).assumptions)
    for key in ("parallelism.dp", "parallelism.order", "placement.order", "collectives.algorithm", "batch.micro"):
        assert (f"({key})" in told) == (key != "batch.micro")
    for key in ("precision.params", "checkpoint.replication", "(gpus)", "(fabric)", "(optimizer_sharding)"):
        assert key in told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parallelism": {"ep": 2}}, r"parallelism\.ep: ep is 2, but the model is dense"),
        (
            {"parallelism": {"pp": 8}},
            r"parallelism\.pp: 4 layers do not split over 8 pipeline stages .*pp: 4 would fit",
        ),
        ({"parallelism": {"tp": 16}}, r"parallelism\.tp: 8 attention heads do not split over 16"),
        ({"parallelism": {"tp": 3}}, r"parallelism\.tp: tp 3 is 3 ranks, which does not divide 16 GPUs .*tp: 2 or 4"),
        (
            {"batch": {"global": 60, "sequence": 128}},
            r"batch\.global: global batch 60 .* 16 .*global: 48 or 64 would fit",
        ),
        ({"batch": {"global": 5, "sequence": 128}}, r"batch\.global: global batch 5 .*global: 16 would fit"),
        (
            {"collectives": {"algorithm": "rung"}},
            r"no all-reduce by the algorithm 'rung' .*algorithms: .*halving-doubling, hierarchical",
        ),
        ({"placement": {"group": "gpuu"}}, r"placement\.group: unknown node group 'gpuu'"),
        ({"gpus": 17}, "17 ranks do not fit on 2 hosts of 8 GPUs"),
        ({"fabric": "backnd"}, "unknown fabric 'backnd' .*did you mean 'backend'"),
        ({"compute": {"peak": "1 TFLOP/s", "efficiency": "140%"}}, r"compute\.efficiency: efficiency is 1\.4"),
        ({"checkpoint": {"target": "cepf"}}, r"checkpoint\.target: unknown node group 'cepf'"),
        ({"checkpoint": {"target": "ceph", "replication": 5}}, r"checkpoint\.replication: 5 copies .* there are 4"),
        ({"dataset": {"read": "1 GB/s", "source": "ceph", "fabric": "backend"}}, r"dataset\.source: 'ceph' has no NIC"),
    ],
)
def test_jobs_that_make_no_sense_are_refused(change, message):
    """Each names the key, the rule and a way out."""
    with pytest.raises(TrafficError, match=message):
        run("training", cluster(2), **SMALL | change)


def test_a_typo_in_the_model_is_reported_for_the_way_it_was_written():
    """Inline keys are not compared with ``from: hf-config``."""
    with pytest.raises(ValidationError) as found:
        run("training", cluster(2), **SMALL | {"model": SMALL["model"] | {"layres": 4}})
    assert [error["loc"] for error in found.value.errors()] == [("model", "inline", "layres")]
