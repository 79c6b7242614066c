"""Published runs: the file holds what the papers print, and the planner's steps lie where the page says."""

from __future__ import annotations

from statistics import median

import pytest
from generate.published import PublishedRun, counted_flops, predict, published, runs_of

RUNS = published()
SERIES = {series["name"]: series for series in RUNS["series"]}
ALL = {
    f"{name}, {number}: {run.name} {run.gpus}": run
    for name, series in SERIES.items()
    for number, run in enumerate(runs_of(series))
}


def of(name: str) -> list[PublishedRun]:
    """The runs of a series."""
    return list(runs_of(SERIES[name]))


def test_steps_of_megatron_are_their_flops_at_the_published_mfu():
    """Korthikanti, equation 8 and the MFU of table 5: 41.5, 51.4, 56.0 and 56.3 %, printed to three digits."""
    for run, mfu in zip(of("Korthikanti 2022")[:4], (0.415, 0.514, 0.560, 0.563), strict=True):
        model, batch = run.job["model"], run.job["batch"]
        h, layers, s = model["hidden"], model["layers"], batch["sequence"]
        flops = 72 * batch["global"] * s * layers * h**2 * (1 + s / (6 * h) + model["vocab"] / (12 * h * layers))
        assert flops / run.gpus / 312e12 / mfu == pytest.approx(run.measured, rel=0.01)


def test_megascales_steps_are_its_tokens_per_second():
    """Table 2 prints both: 39.3k tokens a second is 768 x 2,048 tokens in 40.0 s."""
    printed = (39.3e3, 74.1e3, 103.8e3, 132.7e3, 433.6e3, 851.6e3, 1027.9e3, 1466.8e3)
    for run, tokens_per_s in zip(of("MegaScale 2024, Megatron-LM 175B"), printed, strict=True):
        assert run.job["batch"]["global"] * 2048 / run.measured == pytest.approx(tokens_per_s, rel=0.006)


def test_throughputs_of_narayanan_add_up_to_those_of_the_cluster():
    """Table 1 prints PFLOP/s of all GPUs beside TFLOP/s of one."""
    printed = (4.4, 8.8, 18.2, 34.6, 70.8, 143.8, 227.1, 297.4, 410.2, 502.0)
    for run, petaflops in zip(of("Narayanan 2021"), printed, strict=True):
        assert run.measured * run.gpus / 1e3 == pytest.approx(petaflops, rel=0.007)


def test_narayanans_parameters_are_those_of_the_names():
    """P = 12·L·h²·(1 + 13/(12·h) + (V + s)/(12·L·h)), equation 2."""
    for run in of("Narayanan 2021"):
        model = run.job["model"]
        h, layers = model["hidden"], model["layers"]
        count = 12 * layers * h**2 * (1 + 13 / (12 * h) + (51200 + 2048) / (12 * layers * h))
        assert count / 1e9 == pytest.approx(float(run.name.removesuffix("B")), rel=0.03)


def test_flops_with_the_forward_pass_run_again_are_four_thirds_of_ours():
    """96 against 72 per layer; the head is not run again."""
    run = of("Narayanan 2021")[-1]
    plain = 72 * 3072 * 2048 * 128 * 25600**2 * (1 + 2048 / (6 * 25600) + 51200 / (12 * 128 * 25600))
    assert counted_flops(run) / plain == pytest.approx(4 / 3, rel=0.002)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_shares_add_up_to_the_step(name):
    """Every run is a scenario that loads, and has a step."""
    found = predict(ALL[name], RUNS)
    assert sum(found.shares.values()) == pytest.approx(1)
    assert found.step_s > 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "most"), [("Korthikanti 2022", 0.10), ("Narayanan 2021", 0.12)])
def test_dense_steps_of_megatron_lie_within(name, most):
    """One kernel efficiency for all sizes from 1.7 to 1,008 x 10⁹ parameters."""
    slower = [predict(run, RUNS).slower for run in of(name)]
    assert max(map(abs, slower)) < most
    assert abs(median(slower)) < 0.08


@pytest.mark.slow
def test_folding_experts_is_faster_by_about_what_was_measured():
    """Mixtral 8x22B gains 6 % of its step, Qwen2 9 %, the fine-grained Mixtral 41 %."""
    runs = of("MoE parallel folding 2025")
    for plain, folded in ((0, 1), (2, 3), (4, 5)):
        gain = runs[folded].measured / runs[plain].measured
        ours = predict(runs[folded], RUNS).value / predict(runs[plain], RUNS).value
        assert ours > 1
        assert ours == pytest.approx(gain, rel=0.15)
