"""Serving with prefill and decode apart: hand-calculated rates."""

from __future__ import annotations

import numpy as np
import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import TrafficError

MODEL = {"layers": 8, "hidden": 64, "ffn_hidden": 128, "heads": 8, "kv_heads": 4, "vocab": 96}
SERVE = {
    "model": MODEL,
    "requests_per_s": 100,
    "prompt": {"mean": 2000},
    "output": {"values": [[100, "75%"], [500, "25%"]]},
    "prefill": {"gpus": 8, "tp": 4},
    "decode": {"gpus": 8, "tp": 4},
}
CACHE = 2 * 8 * 4 * 8 * 2  # bytes of a token: K and V, layers, heads, width, bf16


def _serve(hosts=2, **keys):
    return run("inference", cluster(hosts), **SERVE | keys)


def test_every_prompt_token_moves_its_keys_and_values():
    """100/s · 2000 · 1,024 B; 30 % of them are there already."""
    job = _serve()
    assert job.model.kv_bytes_per_token == CACHE
    assert phase(job, "kv.transfer").rate_gbps == pytest.approx(100 * 2000 * CACHE * 8e-9)
    less = phase(_serve(prefix_hit="30%"), "kv.transfer")
    assert less.rate_gbps == pytest.approx(0.7 * 100 * 2000 * CACHE * 8e-9)
    assert less.steady


def test_equal_tensor_ranks_send_their_own_heads_along_the_rail():
    """tp 4 on both sides, an instance per half of a host: rank i to rank i only."""
    flows = phase(_serve(), "kv.transfer").flows
    np.testing.assert_array_equal(flows.src % 4, flows.dst % 4)
    np.testing.assert_allclose(flows.amount, flows.amount[0])


@pytest.mark.parametrize(("prefill", "decode", "copies"), [(4, 2, 1), (2, 4, 1), (4, 8, 2), (8, 8, 2), (1, 8, 2)])
def test_heads_reach_every_rank_that_holds_them(prefill, decode, copies):
    """4 heads: with 8 ranks every head is on two of them, and moves twice."""
    job = _serve(prefill={"gpus": 8, "tp": prefill}, decode={"gpus": 8, "tp": decode})
    flows = phase(job, "kv.transfer").flows
    assert flows.total == pytest.approx(copies * 100 * 2000 * CACHE * 8e-9)
    np.testing.assert_allclose(flows.received(18)[8:16], flows.total / 8)


def test_a_latent_cache_is_whole_on_every_rank():
    """L·(d_c + d_r)·β to each of two decode ranks of an instance."""
    latent = {"kv_rank": 16, "query_rank": 32, "nope_dim": 8, "rope_dim": 4, "value_dim": 8}
    job = _serve(model=MODEL | {"latent": latent, "kv_heads": 8}, decode={"gpus": 8, "tp": 2})
    assert job.model.kv_bytes_per_token == 8 * (16 + 4) * 2
    assert phase(job, "kv.transfer").flows.total == pytest.approx(2 * 100 * 2000 * 8 * 20 * 2 * 8e-9)


def test_tensor_parallel_serving_over_hosts_meets_the_fabric():
    """tp 8 on halves of hosts: two all-reduces of h per layer and token; 200 output tokens on average, one instance."""
    hosts = {"placement": {"order": "spread"}}
    job = _serve(4, model=MODEL | {"heads": 16}, decode={"gpus": 16, "tp": 16}, prefill={"gpus": 8, "tp": 8} | hosts)
    found = phase(job, "decode.tp")
    whole = 2 * 8 * 64 * 2 * 100 * 200 * 2 * 15 / 16  # sent by every rank, bytes per second
    assert found.flows.total == pytest.approx(16 * whole / 8 * 8e-9)  # an eighth leaves the host
    assert job.assumptions[0] == "a request has 2,000 prompt and 200 output tokens on average (prompt, output)"


def test_a_decode_step_of_the_deepseek_hardware_paper():
    """Zhao et al., ISCA 2025, section 2.3.2: 32 tokens a GPU, 9 copies, one byte out and two back, 7168 wide.

    123.86 µs at 50 GB/s; the paper prints 120.96 because it calls the width 7K, and counts no scales, which are 4 bytes
    for every 128 elements on the way out: 1 % more of all.
    """
    model = MODEL | {"layers": 1, "hidden": 7168, "experts": {"count": 64, "top_k": 9}}
    keys = SERVE | {
        "model": model, "requests_per_s": 32 * 64, "output": {"mean": 1}, "prefill": {"gpus": 8, "tp": 8},
        "decode": {"gpus": 64, "ep": 64}, "dispatch": "fp8",
    }  # fmt: skip
    bare, scaled = (run("inference", cluster(18), **keys, **more) for more in ({"scale_block": 0}, {}))
    times_s = [
        sum(phase(job, name).payloads[0].formula.value for name in ("decode.dispatch", "decode.combine")) / 50e9
        for job in (bare, scaled)
    ]
    assert times_s[0] == pytest.approx(123.86e-6, rel=1e-4)
    assert times_s[0] * 7000 / 7168 == pytest.approx(120.96e-6, rel=1e-6)
    assert times_s[1] / times_s[0] == pytest.approx((1 + 4 / 128 + 2) / 3)


def test_the_two_sides_never_share_a_gpu():
    """Prefill takes the first host, decode the second."""
    flows = phase(_serve(), "kv.transfer").flows
    assert flows.src.max() < 8 <= flows.dst.min()
    with pytest.raises(
        TrafficError, match=r"decode\.placement.*16 ranks do not fit on the 8 GPUs that other jobs leave"
    ):
        _serve(decode={"gpus": 16, "tp": 4})


def test_sides_may_share_gpus_where_asked():
    """``exclusive: false``: decode may sit on the GPUs of prefill; one host is enough."""
    shared = {"gpus": 8, "tp": 4, "placement": {"exclusive": False}}
    job = _serve(1, decode=shared)
    assert {found.fabric for found in job.phases} == {None}  # everything stays in the host
    with pytest.raises(TrafficError, match="8 ranks do not fit on the 0 GPUs that other jobs leave"):
        _serve(1)


def test_formulas_of_serving_are_per_second():
    """Bytes per second are not bytes."""
    moved, reduced = (phase(_serve(), name) for name in ("kv.transfer", "decode.tp"))
    assert [part.formula.unit for part in (*moved.payloads, *reduced.payloads)] == ["bytes/s", "bytes/s"]
    assert reduced.sent.unit == "bytes/s"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"prompt": {}}, "prompt: lengths are a mean, or values with shares"),
        ({"output": {"values": [[10, 0.5], [20, 0.4]]}}, r"output\.values: the shares of lengths add up to 0\.9"),
        ({"decode": {"gpus": 8, "tp": 3}}, r"decode\.tp: 8 heads do not split over 3 ranks"),
        ({"decode": {"gpus": 6, "tp": 4}}, r"decode\.tp: 6 GPUs do not split over 4 ranks"),
        ({"decode": {"gpus": 8, "ep": 8}}, r"decode\.ep: ep is 8, but the model is dense"),
    ],
)
def test_serving_that_makes_no_sense_is_refused(keys, message):
    """Each names its side."""
    with pytest.raises(TrafficError, match=message):
        _serve(**keys)
