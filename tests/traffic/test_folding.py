"""Experts folded over the ranks of attention, against Megatron Core's own definition enumerated rank by rank."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from traffic_clusters import cluster, phase, run

from topologies.errors import TrafficError
from traffic.parallelism import Parallelism
from traffic.training.keys import Batch, Precision
from traffic.training.step import training_step
from traffic.transformer.parameters import parameter_count
from traffic.transformer.shape import ModelShape

MIXTRAL = {
    "layers": 32, "hidden": 4096, "ffn_hidden": 14336, "heads": 32, "kv_heads": 8, "vocab": 32000,
    "experts": {"count": 8, "top_k": 2},
}  # fmt: skip
ROUTED = 32 * 8 * 3 * 4096 * 14336  # 45.1 x 10^9
BATCH = {"global": 64, "micro": 1, "sequence": 4096}


def megatron_groups(order: str, sizes: dict[str, int], token: str) -> list[list[int]]:
    """``RankGenerator.get_ranks`` (parallel_state.py): rank = sum of index x stride, strides in the order's order.

    The ranks of a group differ in the dimensions of the token alone, the first of the order fastest.
    """
    names = order.split("-")
    strides = {name: prod(sizes[before] for before in names[: names.index(name)]) for name in names}
    inside = [name for name in names if name in token.split("-")]
    outside = [name for name in names if name not in inside]

    def offsets(dimensions: list[str]) -> list[int]:
        slowest_first = [range(sizes[name]) for name in reversed(dimensions)]
        return [
            sum(index * strides[name] for index, name in zip(indices, reversed(dimensions), strict=True))
            for indices in product(*slowest_first)
        ]

    return [[start + offset for offset in offsets(inside)] for start in offsets(outside)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(
    st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4]), st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 4]), st.sampled_from([1, 2, 4, 8]), st.sampled_from(["tp-cp-ep-dp-pp", "tp-cp-ep-pp-dp"]),
)  # fmt: skip
def test_both_layouts_are_megatron_cores(tp, cp, dp, pp, etp, ep, order):
    """Attention tp x cp x dp x pp and experts etp x ep x edp x pp by two rank generators with one order."""
    ranks = tp * cp * dp * pp
    assume(ranks % (etp * ep * pp) == 0)
    copies = ranks // (etp * ep * pp)
    # Megatron Core asserts that stages are the same for both.
    attention = {"tp": tp, "cp": cp, "ep": 1, "dp": dp, "pp": pp}
    experts = {"tp": etp, "cp": 1, "ep": ep, "dp": copies, "pp": pp}
    same = sorted(megatron_groups(order, attention, "pp")) == sorted(megatron_groups(order, experts, "pp"))
    layout = Parallelism(tp=tp, cp=cp, pp=pp, ep=ep, etp=etp, order=order)
    if not same:
        with pytest.raises(TrafficError, match=r"the stages of experts .* are not those of attention"):
            layout.resolve(ranks)
        return
    grid = layout.resolve(ranks)
    for token in ("tp", "cp", "dp", "dp-cp", "pp"):
        assert grid.groups(*token.split("-")).tolist() == megatron_groups(order, attention, token)
    for token in ("tp", "ep", "tp-ep", "dp", "pp"):
        assert grid.experts.groups(*token.split("-")).tolist() == megatron_groups(order, experts, token)


def test_expert_ranks_are_neighbours():
    """tp 4, dp 8; etp 1, ep 8: a group of experts is one host of 8, its copies are 8 ranks apart."""
    grid = Parallelism(tp=4, ep=8, etp=1).resolve(32)
    assert (grid.sizes["dp"], grid.experts.sizes["dp"]) == (8, 4)
    assert grid.experts.groups("ep").tolist() == [list(range(start, start + 8)) for start in (0, 8, 16, 24)]
    assert grid.experts.groups("dp", "cp")[0].tolist() == [0, 8, 16, 24]


def test_the_layout_without_etp_stays_what_it_was():
    """tp x cp x ep x dp x pp: ep beside dp, experts split over the tensor ranks."""
    grid = Parallelism(tp=2, ep=4).resolve(32)
    assert (grid.folded, grid.sizes["dp"], grid.experts is grid) == (None, 4, True)
    assert grid.groups("ep")[0].tolist() == [0, 2, 4, 6]


def test_whole_experts_stay_on_their_host():
    """Case 05: dispatch leaves no host; 45.1e9 / 8 parameters; 5.64e9 x 4 x 3/4 and x 2 x 3/4 bytes."""
    job = run(
        "training", cluster(4), model=MIXTRAL, batch=BATCH, optimizer_sharding="distributed-optimizer",
        parallelism={"tp": 4, "ep": 8, "etp": 1, "sp": True},
    )  # fmt: skip
    assert phase(job, "ep.dispatch").fabric is None
    assert phase(job, "ep.combine").flows.total == 0
    own = ROUTED / 8
    assert job.model.parameters_per_rank.mean == pytest.approx(own + (parameter_count(_shape()) - ROUTED) / 4, rel=1e-3)
    reduced, gathered = phase(job, "edp.reduce_scatter"), phase(job, "edp.all_gather")
    assert reduced.group_size == 4
    assert reduced.sent_bytes_per_rank == pytest.approx(own * 4 * 3 / 4)
    assert round(reduced.sent_bytes_per_rank / 1e9, 1) == 16.9
    assert gathered.sent_bytes_per_rank == pytest.approx(own * 2 * 3 / 4)
    assert round(gathered.sent_bytes_per_rank / 1e9, 2) == 8.46
    assert phase(job, "dp.reduce_scatter").group_size == 8
    assert {name: (job.groups[name].size, job.groups[name].count) for name in ("dp", "etp", "ep", "edp")} == {
        "dp": (8, 4), "etp": (1, 32), "ep": (8, 4), "edp": (4, 8),
    }  # fmt: skip


def test_sixteen_expert_ranks_are_legal_beside_four_tensor_ranks():
    """4 x 16 is more than 32 GPUs, and folded it is 16 x 2 copies."""
    keys = {"model": MIXTRAL | {"experts": {"count": 16, "top_k": 2}}, "batch": BATCH}
    job = run("training", cluster(4), **keys, parallelism={"tp": 4, "ep": 16, "etp": 1, "sp": True})
    assert (job.groups["ep"].size, job.groups["edp"].size) == (16, 2)
    with pytest.raises(TrafficError, match="tp 4 x ep 16 is 64 ranks, which does not divide 32 GPUs"):
        run("training", cluster(4), **keys, parallelism={"tp": 4, "ep": 16})


def test_experts_fold_over_context_ranks():
    """cp 4 x ep 8 on 32 GPUs: 8 data-parallel ranks see sequences, 4 copies of the experts."""
    job = run("training", cluster(4), model=MIXTRAL, batch=BATCH, parallelism={"cp": 4, "ep": 8, "etp": 1})
    assert (job.groups["dp"].size, job.groups["edp"].size) == (8, 4)
    assert job.model.micro_batches == 8
    # tokens of a rank s / cp = 1,024, top-2, forward and backward, 32 layers, 8 micro-batches
    assert phase(job, "ep.dispatch").payload_bytes_per_rank == 2 * 1024 * 2 * 4096 * 2 * 32 * 8
    assert phase(job, "dp.all_reduce").group_size == 32


def test_tensor_ranks_of_experts_gather_their_tokens():
    """etp 2: each of two ranks has its tokens and the other's; the dense part has tp 4."""
    layout = {"tp": 4, "ep": 4, "etp": 2, "sp": True}
    job = run("training", cluster(4), model=MIXTRAL, batch=BATCH, parallelism=layout)
    tokens = 4096 / 4 * 2 * 4096 * 2 * 32 * 8  # of a rank, top-2, width, bytes, layers, micro-batches
    gathered = phase(job, "etp.all_gather")
    assert (gathered.group_size, gathered.payload_bytes_per_rank) == (2, 2 * 2 * tokens)
    assert phase(job, "etp.reduce_scatter").sent_bytes_per_rank == 2 * 2 * tokens / 2
    # layers without a plain MLP or shared experts have attention's collectives alone: half of a dense model's
    dense = run(
        "training", cluster(4), model=MIXTRAL | {"experts": None}, batch=BATCH, parallelism={"tp": 4, "sp": True}
    )
    one, other = phase(job, "tp.all_gather"), phase(dense, "tp.all_gather")
    assert one.payload_bytes_per_rank == other.payload_bytes_per_rank / 2


def test_gathered_dispatch_brings_all_tokens_to_all_expert_ranks():
    """An all-gather of every rank's tokens over etp x ep, and a reduce-scatter back, forward and backward."""
    job = run(
        "training", cluster(4), model=MIXTRAL, batch=BATCH, parallelism={"tp": 2, "ep": 16 // 2, "etp": 2, "sp": True},
        collectives={"dispatch": "all-gather"},
    )  # fmt: skip
    dispatch = phase(job, "ep.dispatch")
    assert (dispatch.collective, dispatch.group_size) == ("ring-all-gather", 16)
    assert dispatch.payload_bytes_per_rank == 2 * (4096 / 2) * 16 * 4096 * 2 * 32 * 4
    assert phase(job, "ep.combine").collective == "ring-reduce-scatter"


@given(st.sampled_from([1, 2, 4]), st.sampled_from([1, 2]), st.sampled_from([1, 2, 4, 8]), st.sampled_from([1, 2]))
def test_parts_of_all_ranks_add_up_to_the_model(tp, pp, ep, etp):
    """Dense parts of tp x pp ranks and experts of etp x ep x pp ranks are the model, norms counted once a rank."""
    ranks = 16 * pp
    shape = _shape()
    layout = Parallelism(tp=tp, pp=pp, ep=ep, etp=etp)
    step = training_step(shape, layout.resolve(ranks), Batch.model_validate({"global": 64, "sequence": 8}), Precision())
    experts = sum(step.experts_on_rank(stage) for stage in range(pp)) * etp * ep
    assert experts == pytest.approx(ROUTED)
    whole = sum(weights.whole for weights in step.weights)
    dense = sum(step.dense_on_rank(stage) - step.weights[stage].whole for stage in range(pp)) * tp + whole
    assert dense + experts == pytest.approx(parameter_count(shape))


def test_the_first_copies_write_all_of_a_checkpoint_once():
    """Experts are written by the first copy of the experts, the rest by the first of the data-parallel ranks."""
    job = run(
        "training", cluster(4), model=MIXTRAL, batch=BATCH, parallelism={"tp": 4, "ep": 8, "etp": 1, "sp": True},
        checkpoint={"every": "30 min", "target": "ceph", "fabric": "storage", "writers": "first-replica"},
    )  # fmt: skip
    written = phase(job, "checkpoint")
    assert written.total_bytes == pytest.approx(job.checkpoint_bytes * 3, rel=1e-6)  # three copies
    of_hosts = written.flows.sent(64)[:4]
    assert np.flatnonzero(of_hosts).tolist() == [0]  # tp 4 and ep 8 of the first copies are ranks 0 to 7, one host


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        (
            {"tp": 4, "ep": 3, "etp": 1},
            r"etp 1 x ep 3 is 3 ranks of experts, which does not divide 32 GPUs .*ep: 2 or 4",
        ),
        ({"tp": 8, "pp": 8, "etp": 1}, r"tp 8 x pp 8 is 64 ranks"),
        ({"tp": 4, "dp": 4, "ep": 8, "etp": 1}, r"4 x 4 = 16 ranks, the job has 32: dp 8 fits"),
    ],
)
def test_layouts_that_do_not_fold_are_refused(layout, message):
    """With the sizes that would."""
    with pytest.raises(TrafficError, match=message):
        Parallelism.model_validate(layout).resolve(32)


# Liu et al., arXiv 2504.14960, table 3: GPUs, tp, ep, pp, etp (that of attention where folding is off), then edp.
PUBLISHED = [
    (128, 2, 4, 8, 2, 2), (128, 2, 8, 8, 1, 2),  # Mixtral 8x22B, without and with folding
    (64, 2, 4, 4, 2, 2), (64, 2, 4, 4, 1, 4),  # Qwen2-57B-A14B
    (128, 2, 8, 8, 2, 1), (128, 4, 8, 8, 1, 2),  # Mixtral 8x22B G8T8
    (256, 8, 4, 8, 8, 1),  # Llama3 8x70B, without
]  # fmt: skip


@pytest.mark.parametrize(("gpus", "tp", "ep", "pp", "etp", "copies"), PUBLISHED)
def test_layouts_of_the_folding_paper_are_legal(gpus, tp, ep, pp, etp, copies):
    """Attention tp x dp x pp and experts etp x ep x edp x pp over the same GPUs, stage by stage (section 3.2)."""
    grid = Parallelism(tp=tp, ep=ep, pp=pp, etp=etp).resolve(gpus)
    assert grid.sizes["tp"] * grid.sizes["dp"] * pp == grid.experts.ranks == gpus
    assert (grid.experts.sizes["tp"], grid.experts.sizes["ep"], grid.experts.sizes["dp"]) == (etp, ep, copies)
    for rows in (grid.groups("dp"), grid.experts.groups("dp"), grid.experts.groups("tp", "ep")):
        assert all(len(set(grid.coordinates(row)["pp"].tolist())) == 1 for row in rows)


@pytest.mark.parametrize("cp", [2, 4, 8])
@pytest.mark.parametrize("folded", [False, True])
def test_folding_keeps_experts_inside_hosts_whatever_the_context_ranks(cp, folded):
    """Figure 6: the exchange of 8 experts leaves the host unless context and expert ranks are folded."""
    layout = {"cp": cp, "ep": 8, **({"etp": 1} if folded else {})}
    job = run("training", cluster(8), model=MIXTRAL | {"layers": 2}, batch=BATCH, parallelism=layout)
    assert (phase(job, "ep.dispatch").fabric is None) == folded
    # tokens of a rank, top-2, width, bytes, layers, forward and backward, micro-batches
    each = 4096 / cp * 2 * 4096 * 2 * 2 * 2 * job.model.micro_batches
    assert phase(job, "ep.dispatch").payload_bytes_per_rank == each


def test_folding_trades_tensor_for_expert_collectives():
    """Mixtral 8x22B of table 3: etp 2 x ep 4 gathers and scatters what etp 1 x ep 8 does not; both exchange alike."""
    keys = {"model": MIXTRAL, "batch": BATCH}
    plain = run("training", cluster(2), **keys, parallelism={"tp": 2, "ep": 4, "etp": 2, "sp": True})
    folded = run("training", cluster(2), **keys, parallelism={"tp": 2, "ep": 8, "etp": 1, "sp": True})
    one, other = (phase(job, "ep.dispatch") for job in (plain, folded))
    assert one.payload_bytes_per_rank == other.payload_bytes_per_rank
    assert phase(plain, "etp.all_gather").payload_bytes_per_rank == 2 * one.payload_bytes_per_rank
    assert not [found.name for found in folded.phases if found.name.startswith("etp")]


def _shape() -> ModelShape:
    return ModelShape.model_validate(MIXTRAL)
