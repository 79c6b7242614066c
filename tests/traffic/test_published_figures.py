"""Figures that papers and model cards publish, and what they follow from."""

from __future__ import annotations

from typing import ClassVar

import pytest
from traffic_clusters import cluster, phase, run

from traffic.transformer.parameters import active_parameter_count, parameter_count
from traffic.transformer.shape import ModelShape
from traffic.transformer.work import kv_bytes_per_token

GPT3 = {
    "layers": 96, "hidden": 12288, "ffn_hidden": 49152, "heads": 96, "vocab": 50257, "positions": 2048,
    "tied_embeddings": True, "gated_mlp": False, "norm": "layer", "bias": "all",
}  # fmt: skip
LLAMA = {"heads": 32, "kv_heads": 8, "vocab": 128256}
DEEPSEEK = {
    "layers": 61, "hidden": 7168, "ffn_hidden": 18432, "heads": 128, "vocab": 129280,
    "latent": {"kv_rank": 512, "query_rank": 1536, "nope_dim": 128, "rope_dim": 64, "value_dim": 128},
    "experts": {"count": 256, "top_k": 8, "ffn_hidden": 2048, "shared": 1, "first_dense": 3, "node_limit": 4,
                "router_bias": True},
}  # fmt: skip
MIXTRAL = {
    "layers": 32, "hidden": 4096, "ffn_hidden": 14336, "heads": 32, "kv_heads": 8, "vocab": 32000,
    "experts": {"count": 8, "top_k": 2},
}  # fmt: skip


class TestParameters:
    """Totals as the weights' own files add up to."""

    EXACT: ClassVar = {
        "GPT-2 small, huggingface.co/gpt2": (
            GPT3 | {"layers": 12, "hidden": 768, "ffn_hidden": 3072, "heads": 12, "positions": 1024}, 124_439_808,
        ),
        "Llama 3 8B, its model card": (LLAMA | {"layers": 32, "hidden": 4096, "ffn_hidden": 14336}, 8_030_261_248),
        "Llama 3.1 405B, its model card": (
            LLAMA | {"layers": 126, "hidden": 16384, "ffn_hidden": 53248, "heads": 128}, 405_853_388_800,
        ),
        "Qwen2.5 7B, its model card": (
            {"layers": 28, "hidden": 3584, "ffn_hidden": 18944, "heads": 28, "kv_heads": 4, "vocab": 152064,
             "bias": "qkv"}, 7_615_616_512,
        ),
        "Mixtral 8x7B, its model card": (MIXTRAL, 46_702_792_704),
        "DeepSeek-V3 without its prediction module": (DEEPSEEK, 671_026_419_200),
    }  # fmt: skip

    @pytest.mark.parametrize(("shape", "published"), list(EXACT.values()), ids=list(EXACT))
    def test_totals_agree_to_the_last_parameter(self, shape, published):
        """Matrices, norms, biases, embeddings, experts and routers."""
        assert parameter_count(ModelShape.model_validate(shape)) == published

    def test_gpt_3_is_called_175_billion(self):
        """Brown et al. 2020, table 2.1 says 175.0B; the shape in the same table comes to 174.6."""
        assert parameter_count(ModelShape.model_validate(GPT3)) == 174_604_259_328

    @pytest.mark.parametrize(("shape", "published", "margin"), [(MIXTRAL, 12.9e9, 0.01), (DEEPSEEK, 37e9, 0.02)])
    def test_active_parameters(self, shape, published, margin):
        """Mixtral, arXiv 2401.04088: 13B, elsewhere 12.9; DeepSeek-V3, arXiv 2412.19437: 37B, 37.55 with both ends."""
        assert active_parameter_count(ModelShape.model_validate(shape)) == pytest.approx(published, rel=margin)


def test_megatrons_trillion_parameter_checkpoint_is_13_8_tb():
    """Narayanan et al., SC 2021, section 5.10: the trillion-parameter model's checkpoint is 13.8 TB.

    Table 1's shape (128 layers, 25,600 wide, 160 heads, vocabulary 51,200, sequence 2,048) has 1.008e12 parameters;
    at 14 bytes (fp16 weights, fp32 copy and two Adam moments) 14.1e12 bytes, which is 12.8 TiB. 13.8 follows from
    neither: 13.8e12 would be 13.69 bytes per parameter.
    """
    shape = ModelShape(
        layers=128, hidden=25600, ffn_hidden=102400, heads=160, vocab=51200, positions=2048, tied_embeddings=True,
        gated_mlp=False, norm="layer", bias="all",
    )  # fmt: skip
    assert parameter_count(shape) == pytest.approx(1.008e12, rel=1e-3)
    assert 14 * parameter_count(shape) / 13.8e12 == pytest.approx(1.0226, abs=1e-3)


def test_key_value_caches_of_the_deepseek_hardware_paper():
    """Zhao et al., ISCA 2025, table 1, bf16: DeepSeek-V3 70.272, Qwen-2.5 72B 327.680, Llama 3.1 405B 516.096 kB."""
    qwen = ModelShape(layers=80, hidden=8192, ffn_hidden=29568, heads=64, kv_heads=8, vocab=152064)
    llama = ModelShape(layers=126, hidden=16384, ffn_hidden=53248, heads=128, kv_heads=8, vocab=128256)
    found = [kv_bytes_per_token(shape, 2) for shape in (ModelShape.model_validate(DEEPSEEK), qwen, llama)]
    assert found == [70_272, 327_680, 516_096]


def test_volumes_of_megatrons_trillion_parameter_run():
    """Narayanan et al., SC 2021, table 1 and sections 3.2, 3.3, 4.1: 3,072 GPUs, t 8, p 64, d 6.

    A stage boundary is b·s·h elements per micro-batch, an eighth of it per GPU by scatter/gather: both ways and for 512
    micro-batches 2·(2·2048·25600/8)·512 = 13.4 GB per GPU and step. Gradients are reduced over 6: 2·P/(t·p)·(d−1)/d. At
    the 502 Pflop/s printed a step takes
    102 s, so 403 GB/s leave all stages on average.
    """
    model = {
        "layers": 128, "hidden": 25600, "ffn_hidden": 102400, "heads": 160, "vocab": 51200, "positions": 2048,
        "tied_embeddings": True, "gated_mlp": False, "norm": "layer", "bias": "all",
    }  # fmt: skip
    job = run(
        "training", cluster(384), model=model, batch={"global": 3072, "sequence": 2048},
        parallelism={"tp": 8, "pp": 64}, precision={"params": "fp16", "grads": "fp32"},
    )  # fmt: skip
    boundary = phase(job, "pp.send_recv")
    assert boundary.sent_bytes_per_rank == 2 * (2 * 2048 * 25600 / 8) * 512 == 13_421_772_800
    reduced = phase(job, "dp.all_reduce")
    assert reduced.sent_bytes_per_rank == pytest.approx(2 * 4 * 1.008e12 / (8 * 64) * 5 / 6, rel=0.01)
    assert job.model.bubble == 63 / 512
    step = 96 * 3072 * 2048 * 128 * 25600**2 * (1 + 2048 / (6 * 25600) + 51200 / (16 * 128 * 25600)) / 502e15
    assert boundary.sent_bytes_per_rank * 3072 / step == pytest.approx(403e9, rel=0.01)
