"""Time of kernels, stage by stage, against closed forms and against the FLOPs of the whole step."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic_clusters import cluster, run

from topologies.catalogue import GpuModel
from topologies.errors import TrafficError
from traffic.parallelism import Parallelism
from traffic.training.compute_time import stage_s
from traffic.training.kernels import Gpu
from traffic.training.keys import Batch, Compute, Precision
from traffic.training.layer_time import RankKernels
from traffic.training.step import training_step
from traffic.transformer.parameters import layer
from traffic.transformer.shape import ModelShape
from traffic.transformer.work import attention_share, flops_per_token

DENSE = {"layers": 8, "hidden": 1024, "ffn_hidden": 4096, "heads": 16, "kv_heads": 8, "vocab": 32000, "norm": "none"}
EXPERTS = DENSE | {"experts": {"count": 16, "top_k": 2, "ffn_hidden": 512, "shared": 1, "first_dense": 2}}
LATENT = DENSE | {"latent": {"kv_rank": 128, "query_rank": 256, "nope_dim": 64, "rope_dim": 32, "value_dim": 64}}
BATCH = {"global": 256, "micro": 2, "sequence": 2048}
PEAK = {"peak": "100 TFLOP/s"}


def _kernels(model, parallelism, *, attention="full", ranks=64, gpu=None, kernel="unfused"):
    layout = Parallelism(**parallelism)
    shape = ModelShape.model_validate(model)
    step = training_step(shape, layout.resolve(ranks), Batch(**BATCH), Precision(), layout, attention=attention)
    compute = Compute(peak="100 TFLOP/s", kernel_efficiency=1.0, attention_kernel=kernel)
    plain = Gpu(flops=100e12, by_size=False)
    return RankKernels.of(step, gpu or plain, compute, split_tokens=layout.sp)


@pytest.mark.parametrize("attention", ["full", "causal"])
@pytest.mark.parametrize("parallelism", [{}, {"pp": 4}, {"tp": 4, "pp": 2}, {"tp": 2, "cp": 4, "sp": True}])
@pytest.mark.parametrize("model", [DENSE, EXPERTS, LATENT], ids=["dense", "experts", "latent"])
def test_kernels_of_all_ranks_do_the_flops_of_the_step(model, parallelism, attention):
    """At one speed whatever the size: ranks x time x speed is 6·P + attention, without the embedding's look-up."""
    kernels = _kernels(model, parallelism, attention=attention)
    step = kernels.step
    ranks = step.grid.ranks // len(step.stages)
    done = sum(stage_s(kernels, stage, "none") for stage in range(len(step.stages))) * ranks * 100e12
    whole = sum(layer(step.shape, which, step.grid.sizes["tp"]).whole for which in range(step.shape.layers))
    split = kernels.split_tokens and step.shape.latent is None  # the router's tokens are, those of a latent are not
    again = 0 if split else (step.grid.sizes["tp"] - 1) * whole
    looked_up = step.shape.vocab * step.shape.hidden
    wanted = flops_per_token(step.shape, 2048, attention=attention) - 6 * looked_up + 6 * again
    assert done == pytest.approx(wanted * step.tokens, rel=2e-3)


def test_a_fused_kernel_makes_its_scores_anew_in_backward():
    """Seven products for six: a sixth more attention, nothing else."""
    plain, fused = (_kernels(DENSE, {}, kernel=kernel) for kernel in ("unfused", "fused"))
    share = attention_share(plain.shape, 2048)
    assert share == pytest.approx(12 * 8 * 1024 * 2048 / flops_per_token(plain.shape, 2048))
    more = stage_s(fused, 0, "none") - stage_s(plain, 0, "none")
    assert more == pytest.approx(plain.step.flops.value / 64 / 100e12 * share / 6)


@pytest.mark.parametrize(("recompute", "factor"), [("none", 0), ("selective", 1), ("full", 3)])
def test_recompute_does_the_forward_pass_of_its_part_again(recompute, factor):
    """Selective: a third of attention; full: a third of the layers, the head not."""
    kernels = _kernels(DENSE, {})
    base, tokens = stage_s(kernels, 0, "none"), kernels.step.tokens / 64
    scores, matrices = 4 * 8 * 1024 * 2048, 2 * 8 * layer(kernels.shape, 0).split
    again = {0: 0.0, 1: scores, 3: scores + matrices}[factor]
    assert stage_s(kernels, 0, recompute) - base == pytest.approx(again * tokens / 100e12)


def test_memory_bound_kernels_take_their_bytes():
    """Per layer and token at 2 B: two norms and two sums 20·h forward and 24·h backward, SwiGLU 6·f and 10·f."""
    timed = replace(Gpu(flops=1e30, by_size=False), memory_bytes_per_s=1e12)
    kernels = _kernels(DENSE, {"tp": 4, "sp": True}, gpu=timed, kernel="fused")
    moved = kernels.layer(0).others.total * 1e12
    products = (
        3
        * 2
        * sum(
            rows * inner + inner * columns + rows * columns
            for rows, inner, columns in [(4096, 1024, 512), (4096, 256, 1024), (4096, 1024, 2048), (4096, 1024, 1024)]
        )
    )
    assert moved - products == pytest.approx(4096 / 4 * 44 * 1024 + 4096 * 16 * 1024)


@given(rows=st.integers(1, 5000), inner=st.integers(1, 5000), columns=st.integers(1, 5000), count=st.integers(1, 16))
def test_no_product_is_faster_than_the_peak_or_than_its_bytes(rows, inner, columns, count):
    """And a wider one takes no less time."""
    gpu = Gpu(flops=1e14, memory_bytes_per_s=2e12, processors=108)
    time = gpu.product_s(rows, inner, columns, count=count)
    assert time >= 2 * rows * inner * columns * count / 1e14
    assert time >= 2 * count * (rows * inner + inner * columns + rows * columns) / 2e12
    assert gpu.product_s(rows, inner, columns + 1, count=count) >= time * (1 - 1e-12)
    assert replace(gpu, by_size=False).product_s(rows, inner, columns, count=count) <= time


def test_twice_the_tensor_ranks_take_more_than_half_the_time():
    """Narrower products: the same work over twice the ranks takes longer together."""
    gpu = Gpu(flops=1e14, memory_bytes_per_s=2e12, processors=108)
    narrow, wide = (stage_s(_kernels(DENSE, {"tp": tp}, gpu=gpu), 0, "none") * tp for tp in (8, 4))
    assert narrow > 1.1 * wide


# ---- keys ------------------------------------------------------------------------------------------------------------


def _job(compute, **keys):
    return run("training", cluster(2), **{"model": DENSE, "batch": BATCH, "compute": PEAK | compute, **keys})


@pytest.mark.parametrize("compute", [{}, {"mfu": 0.4, "kernel_efficiency": 0.7}, {"mfu": 0.4, "efficiency": 0.4}])
def test_exactly_one_basis_is_said(compute):
    """None, and two at once."""
    with pytest.raises(TrafficError, match=r"nothing says which share|both say how fast") as caught:
        _job(compute)
    assert caught.value.problems[0].code == "FP4016"


@pytest.mark.parametrize("name", ["mfu", "kernel_efficiency", "efficiency"])
@pytest.mark.parametrize("value", [0, 1.2, "450%"])
def test_a_share_outside_the_peak_is_refused(name, value):
    """By its own name."""
    with pytest.raises(TrafficError, match=f"{name} is .* a share of the peak") as caught:
        _job({name: value})
    assert caught.value.problems[0].where == ("compute", name)


def test_optimizer_reads_and_writes_its_shard():
    """34 B per parameter over the memory's rate; by zero1 a 16th of it."""
    plain = _job({"mfu": 0.4, "memory_rate": "1 TB/s"})
    shared = _job({"mfu": 0.4, "memory_rate": "1 TB/s"}, optimizer_sharding="zero1")
    assert plain.compute.optimizer_s == pytest.approx(34 * plain.model.parameters / 1e12)
    assert shared.compute.optimizer_s == pytest.approx(plain.compute.optimizer_s / 16)


def test_what_is_not_known_of_the_memory_is_said():
    """Only products take time then."""
    assert any("memory is not known" in text for text in _job({"kernel_efficiency": 0.7}).assumptions)
    known = _job({"kernel_efficiency": 0.7, "memory_rate": "2 TB/s"})
    assert known.compute.compute_s > _job({"kernel_efficiency": 0.7}).compute.compute_s


def test_sizes_of_kernels_can_be_left_out():
    """Then products run at one speed."""
    assert _job({"kernel_efficiency": 0.7, "kernel_sizes": False}).compute.compute_s < (
        _job({"kernel_efficiency": 0.7}).compute.compute_s
    )


def test_a_gpu_of_the_catalogue_has_processors():
    """108 of an A100."""
    gpu = GpuModel(memory="80 GB", memory_rate="2039 GB/s", processors=108)
    assert (gpu.processors, gpu.memory_rate) == (108, pytest.approx(2039 * 8))
