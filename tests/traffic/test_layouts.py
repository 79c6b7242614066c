"""Layouts beyond tensor, pipeline and plain data parallelism: hand-calculated bytes of every phase."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic_clusters import cluster, phase, run

from topologies.errors import TrafficError
from traffic.parallelism import Parallelism
from traffic.training.keys import Batch, Precision
from traffic.training.step import training_step
from traffic.transformer.parameters import parameter_count
from traffic.transformer.shape import ModelShape

MODEL = {"layers": 8, "hidden": 64, "ffn_hidden": 128, "heads": 8, "kv_heads": 8, "vocab": 96}
EXPERTS = MODEL | {"experts": {"count": 16, "top_k": 2, "ffn_hidden": 32, "shared": 1, "first_dense": 2}}
BATCH = {"global": 64, "micro": 1, "sequence": 128}
BOUNDARY = 2 * 128 * 64  # β·s·h of one sequence


def _job(hosts=2, model=MODEL, **keys):
    return run("training", cluster(hosts), **{"model": model, "batch": BATCH, **keys})


def _names(job):
    return [found.name for found in job.phases]


# ---- inside the layers -----------------------------------------------------------------------------------------------


def test_sequence_parallelism_moves_the_same_bytes_in_two_phases():
    """8·β·b·s·h·(t−1)/t per layer and micro-batch: half gathered, half scattered."""
    plain, split = _job(parallelism={"tp": 8}), _job(parallelism={"tp": 8, "sp": True})
    whole = phase(plain, "tp.all_reduce").sent_bytes_per_rank
    assert whole == 8 * BOUNDARY * 7 / 8 * 8 * 32
    assert _names(split)[:2] == ["tp.all_gather", "tp.reduce_scatter"]
    assert sum(phase(split, name).sent_bytes_per_rank for name in _names(split)[:2]) == whole


@pytest.mark.parametrize(("recompute", "factor"), [("none", 1), ("selective", 1), ("full", 1.5)])
def test_full_recompute_sends_half_as_much_again(recompute, factor):
    """Forward runs twice."""
    base = phase(_job(parallelism={"tp": 8}), "tp.all_reduce").sent_bytes_per_rank
    again = phase(_job(parallelism={"tp": 8}, recompute=recompute), "tp.all_reduce").sent_bytes_per_rank
    assert again == factor * base


def test_gathered_context_moves_all_keys_and_values_twice_and_their_gradients_once():
    """2·b·s·a·2w·β·L·m gathered, half of that scattered, (c−1)/c of it sent; a 8 heads of 8."""
    job = _job(parallelism={"cp": 4}, collectives={"context": "all-gather"})
    whole = 128 * 8 * 16 * 2 * 8 * 16
    assert phase(job, "cp.all_gather").payload_bytes_per_rank == 2 * whole
    assert phase(job, "cp.reduce_scatter").sent_bytes_per_rank == whole * 3 / 4
    ring = phase(_job(parallelism={"cp": 4}), "cp.send_recv")
    assert ring.sent_bytes_per_rank == 3 * whole / 4 * 3


def test_experts_exchange_tokens_forward_and_backward():
    """2 passes · 128 tokens · top-2 · 64 · 2 B · 6 layers · 16 micro-batches; DeepSeek-V3 dispatches in one byte."""
    job = _job(model=EXPERTS, parallelism={"ep": 4}, precision={"dispatch": "fp8"})
    combine = 2 * 128 * 2 * 64 * 2 * 6 * 4
    assert phase(job, "ep.combine").payload_bytes_per_rank == combine
    assert phase(job, "ep.dispatch").payload_bytes_per_rank == combine / 2
    assert phase(job, "ep.dispatch").collective == "pxn-all-to-all"


def test_experts_are_reduced_by_those_who_have_the_same():
    """16 ranks, ep 4, dp 4: dense gradients over all, those of experts over 4; parts add up to the model."""
    job = _job(model=EXPERTS, parallelism={"ep": 4}, optimizer_sharding="zero1")
    shape = ModelShape.model_validate(EXPERTS)
    routed = 6 * 16 * 3 * 64 * 32
    assert phase(job, "dp.reduce_scatter").group_size == 16
    assert phase(job, "dp.reduce_scatter").payload_bytes_per_rank == 4 * (parameter_count(shape) - routed)
    assert phase(job, "edp.reduce_scatter").group_size == 4
    assert phase(job, "edp.all_gather").payload_bytes_per_rank == 2 * routed / 4
    assert {name: (g.size, g.count) for name, g in job.groups.items() if "-" in name} == {
        "dp-cp-ep": (16, 1), "dp-cp": (4, 4),
    }  # fmt: skip


def test_deepseek_v3_dispatches_to_at_most_four_hosts():
    """arXiv 2412.19437, section 3.2.2: 8 of the 32 experts on 4 nodes are on 4·(1 − C(24,8)/C(32,8)) = 3.72 of them."""
    model = EXPERTS | {"experts": {"count": 64, "top_k": 8, "ffn_hidden": 32, "node_limit": 4}}
    keys = {"model": model, "parallelism": {"ep": 64}}
    direct = phase(_job(8, **keys, collectives={"all_to_all": "direct"}), "ep.dispatch")
    once = phase(_job(8, **keys, collectives={"all_to_all": "node-deduplicated"}), "ep.dispatch")
    tokens = 2 * 128 * 64 * 2 * 8  # passes, tokens, width, bytes, layers
    assert direct.sent_bytes_on_fabric_per_rank == pytest.approx(8 * tokens * 56 / 64)
    assert once.sent_bytes_on_fabric_per_rank == pytest.approx(4 * (1 - 735_471 / 10_518_300) * tokens * 7 / 8)


# ---- pipelines -------------------------------------------------------------------------------------------------------


def test_chunks_send_as_many_boundaries_and_go_round():
    """4 stages of 2 chunks: 2 x 3 boundaries and 1 back to the first, each way and micro-batch; bubble 3/(2·m)."""
    job = _job(parallelism={"pp": 4, "vpp": 2}, gpus=16)
    found = phase(job, "pp.send_recv")
    assert found.sent_bytes_per_rank == 2 * 2 * BOUNDARY * 16
    # The 4 stages are GPUs 0 to 3 of 4 pipelines over 2 hosts: ranks 0, 4, 8, 12.
    inside = 2 * 2 * 2  # of a pipeline's boundaries: 0-1 and 2-3 stay, 2 chunks, 2 ways
    assert found.flows.total == pytest.approx(4 * (2 * 7 - inside) * BOUNDARY * 16)
    assert job.model.bubble == 3 / (2 * 16)


def test_without_scatter_and_gather_every_tensor_rank_sends_all():
    """tp 4: four times as much."""
    split = phase(_job(parallelism={"pp": 2, "tp": 4}), "pp.send_recv")
    whole = phase(_job(parallelism={"pp": 2, "tp": 4, "scatter_gather": False}), "pp.send_recv")
    assert whole.sent_bytes_per_rank == 4 * split.sent_bytes_per_rank


def test_uneven_stages_are_exact():
    """3 + 5 layers: the second stage has more, its gradients too."""
    job = _job(4, parallelism={"pp": 2, "stage_layers": [3, 5]})
    spread, layer = job.model.parameters_per_rank, 4 * 64 * 64 + 3 * 64 * 128 + 2 * 64
    assert (spread.min, spread.max) == (3 * layer + 96 * 64, 5 * layer + 96 * 64 + 64)
    sent = phase(job, "dp.all_reduce").flows.sent(32)
    assert sent[16:].sum() / sent[:16].sum() == pytest.approx(spread.max / spread.min)


def test_a_tied_embedding_is_reduced_between_both_ends():
    """Vocabulary · width · 4 B of gradient, between first and last stage; no head of its own is counted."""
    job = _job(model=MODEL | {"tied_embeddings": True}, parallelism={"pp": 4})
    found = phase(job, "embedding.all_reduce")
    assert (found.payload_bytes_per_rank, found.group_size) == (96 * 64 * 4, 2)
    assert found.sent_bytes_per_rank == 96 * 64 * 4


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"pp": 3}, r"does not divide 16 GPUs"),
        ({"pp": 2, "vpp": 3}, r"8 layers do not split over 2 pipeline stages of 3 chunks"),
        ({"vpp": 2}, r"vpp is 2, but there is one pipeline stage"),
        (
            {"pp": 2, "stage_layers": [3, 4]},
            r"stage_layers has 2 stages and 7 layers; pp is 2 .*stage_layers: \[4, 4\]",
        ),
        ({"pp": 16}, r"8 layers do not split over 16 pipeline stages .*pp: 8 would fit"),
    ],
)
def test_stages_that_make_no_sense_are_refused(keys, message):
    """Each with a way out."""
    with pytest.raises(TrafficError, match=message):
        _job(parallelism=keys)


def test_llama_405b_has_a_suggestion_for_sixteen_stages():
    """126 layers: the first and last stage have one less, as Meta's had (arXiv 2407.21783, section 3.3.2)."""
    model = MODEL | {"layers": 126}
    with pytest.raises(TrafficError, match=r"stage_layers: \[7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 7\]"):
        _job(model=model, parallelism={"pp": 16})


# ---- sharding --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "gradients", "parameters"),
    [
        ({"optimizer_sharding": "zero1"}, 1, 1),
        ({"optimizer_sharding": "distributed-optimizer"}, 1, 1),
        ({"optimizer_sharding": "zero2"}, 1, 1),
        ({"optimizer_sharding": "zero2", "sharding": {"reduce": "micro-batch"}}, 4, 1),
        ({"optimizer_sharding": "zero3"}, 1, 8),
        ({"optimizer_sharding": "zero3", "sharding": {"gather": "step"}}, 1, 2),
        ({"optimizer_sharding": "fsdp", "sharding": {"reshard": False}}, 1, 1),
    ],
)
def test_sharded_jobs_reduce_and_gather(keys, gradients, parameters):
    """16 ranks, 4 micro-batches: P·4 B · 15/16 per reduction, P·2 B · 15/16 per gather."""
    job = _job(**keys)
    share = parameter_count(ModelShape.model_validate(MODEL)) * 15 / 16
    assert phase(job, "dp.reduce_scatter").sent_bytes_per_rank == pytest.approx(4 * share * gradients)
    assert phase(job, "dp.all_gather").sent_bytes_per_rank == pytest.approx(2 * share * parameters)


def test_fsdp_without_resharding_is_the_formula_of_llama_3():
    """(β_p + β_g)·P/(t·p)·(d−1)/d; arXiv 2407.21783, section 3.3.2."""
    job = _job(optimizer_sharding="fsdp", sharding={"reshard": False})
    parameters = parameter_count(ModelShape.model_validate(MODEL))
    assert sum(found.sent_bytes_per_rank for found in job.phases) == pytest.approx(6 * parameters * 15 / 16)


def test_hybrid_sharding_keeps_copies_apart():
    """Copies of 8 neighbours: they gather and scatter among 8, an eighth is reduced between the 2 copies."""
    job = _job(optimizer_sharding="fsdp", sharding={"ranks": 8, "reshard": False})
    parameters = parameter_count(ModelShape.model_validate(MODEL))
    assert phase(job, "dp.reduce_scatter").group_size == 8
    assert phase(job, "dp.reduce_scatter").fabric is None  # a copy fills a host
    between = phase(job, "dp.all_reduce")
    assert (between.group_size, between.payload_bytes_per_rank) == (2, 4 * parameters / 8)
    with pytest.raises(TrafficError, match=r"3 ranks do not divide the 16 .*ranks is one of 1, 2, 4, 8, 16"):
        _job(optimizer_sharding="fsdp", sharding={"ranks": 3})


def test_what_overlaps_has_room_behind_the_last_backward():
    """Two thirds of compute are backward, a 16th of it the last micro-batch's; zero3 has all of it."""
    late = phase(_job(overlap={"grad_reduce": True}, parallelism={"tp": 4}), "dp.all_reduce")
    assert (late.overlaps_compute, late.room) == (True, pytest.approx(2 / 3 / 16))
    chunks = phase(_job(overlap={"grad_reduce": True}, parallelism={"pp": 4, "vpp": 2}), "dp.all_reduce")
    assert chunks.room == pytest.approx(2 / 3 * 4 / (2 * 16))
    assert phase(_job(optimizer_sharding="zero3"), "dp.all_gather").room == 1.0


@given(
    st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4, 8]), st.booleans(), st.booleans()
)
def test_parameters_of_all_ranks_are_the_model_and_its_copies(tp, pp, ep, experts, tied):
    """Over one replica: split parts once, norms and routers once per tensor rank, a tied head twice with stages."""
    model = (EXPERTS if experts else MODEL) | {"tied_embeddings": tied}
    shape, ep = ModelShape.model_validate(model), ep if experts else 1
    grid = Parallelism(tp=tp, pp=pp, ep=ep).resolve(tp * pp * ep)
    step = training_step(shape, grid, Batch.model_validate({"global": ep, "sequence": 4}), Precision())
    total = sum(tp * (step.dense_on_rank(stage) + ep * step.experts_on_rank(stage)) for stage in range(pp))
    norms = 8 * 2 * 64 + 64 + (6 * 16 * 64 if experts else 0)
    copies = 96 * 64 if tied and pp > 1 else 0
    assert total == pytest.approx(parameter_count(shape) + (tp - 1) * norms + copies)


def test_channels_are_dealt_over_the_gpus_of_a_host():
    """16 channels on 8 GPUs are two connections each; 4 queue pairs on each of them."""
    job = _job(collectives={"channels": 16, "qps_per_connection": 4})
    found = phase(job, "dp.all_reduce")
    assert found.flows_per_pair == 8
    assert found.transport_flows == 8 * found.pairs


def test_every_phase_says_where_its_bytes_are_from():
    """Formulas have sources, and their values are the figures shown."""
    keys = {"parallelism": {"tp": 2, "cp": 2, "pp": 2, "ep": 2}, "optimizer_sharding": "fsdp"}
    for found in _job(model=EXPERTS, **keys).phases:
        ranks = sum(part.ranks for part in found.payloads)
        mean = sum(part.ranks * part.formula.value for part in found.payloads) / ranks
        assert found.payload_bytes_per_rank == pytest.approx(mean)
        assert found.sent_bytes_per_rank == pytest.approx(found.sent.value)
        assert all(part.formula.source and part.formula.terms for part in found.payloads)


def test_a_chunk_of_the_model_is_counted_once():
    """With chunks, stage s has pieces s, s + p, ...: layers with experts are spread as they fall."""
    grid = Parallelism(pp=4, vpp=2).resolve(4)
    shape = ModelShape.model_validate(EXPERTS)
    step = training_step(shape, grid, Batch.model_validate({"global": 4, "sequence": 4}), Precision(),
                         Parallelism(pp=4, vpp=2))  # fmt: skip
    assert step.stages == ((0, 4), (1, 5), (2, 6), (3, 7))
    assert [step.expert_layers(stage) for stage in range(4)] == [1, 1, 2, 2]
    np.testing.assert_allclose(sum(step.dense_on_rank(s) + step.experts_on_rank(s) for s in range(4)), step.parameters)
