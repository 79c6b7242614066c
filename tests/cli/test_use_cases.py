"""The five use cases: limits hold, the named what-if breaks one of them, and a figure of each agrees with the hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

FOLDER = Path(__file__).parents[2] / "examples" / "use-cases"

# name -> overrides and failures of the what-if, the limit that it breaks, its value as printed
WHAT_IFS: dict[str, tuple[tuple[str, ...], tuple[str, ...], str, float]] = {
    "hospital": ((), ("border1",), "front border-provider utilisation max", 0.921),
    "finance": (('fabrics.main.latency.switch="3 us"',), (), "margin step_time", 36.3e-6),
    "internet": (('workloads.cdn.outward="360 Gb/s"',), (), "front utilisation max", 0.9),
    "public-cloud": (("workloads.alpha.placement.order=scattered",), (), "alpha step_time", 1.11),
    "science": ((), ("link=group0/spine0:group1/spine0",), "main global utilisation max", 1.202),
}


def run(name: str, overrides: tuple[str, ...] = (), down: tuple[str, ...] = ()) -> Run:
    loaded = load_scenario(FOLDER / f"{name}.fabric.yaml", overrides=list(overrides))
    return run_scenario(loaded, RouteRequest(down=down))


def test_every_scenario_of_the_folder_has_a_what_if() -> None:
    assert sorted(WHAT_IFS) == sorted(path.name.removesuffix(".fabric.yaml") for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", sorted(WHAT_IFS))
def test_limits_hold_and_the_what_if_in_the_header_breaks_exactly_one(name: str) -> None:
    overrides, down, broken, value = WHAT_IFS[name]
    assert run(name).result.limits_ok
    failed = [limit for limit in run(name, overrides, down).result.limits if not limit.ok]
    assert [limit.text for limit in failed] == [broken]
    assert failed[0].value == pytest.approx(value, rel=0.005)
    header = (FOLDER / f"{name}.fabric.yaml").read_text().split("version:")[0]
    assert all(text in header for text in (*overrides, *down))


@pytest.mark.parametrize("name", sorted(WHAT_IFS))
def test_the_documented_figures_are_those_of_the_what_if(name: str) -> None:
    page = (FOLDER.parents[1] / "docs" / "use-cases.md").read_text()
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
    assert all(text in row for text in (*WHAT_IFS[name][0], *WHAT_IFS[name][1]))


def limit(run: Run, text: str) -> float:
    (value,) = [one.value for one in run.result.limits if one.text == text]
    assert value is not None
    return value


def test_hospital_fills_two_encrypted_wan_links_by_hand() -> None:
    """4 % of 1 PB in 4 h over two links of 25 Gb/s, of which ESP at 1,500 bytes leaves 1,484 / 1,538."""
    gbps = 0.04 * 1e15 * 8 / (4 * 3600) / 1e9
    used = gbps / (2 * 25 * 1484 / 1538)
    assert limit(run("hospital"), "front border-provider utilisation max") == pytest.approx(used)


def test_finance_moves_the_cache_of_every_prompt_by_hand() -> None:
    """40 prompts/s of 8,000 tokens; 2 (keys, values) x 32 layers x 8 heads x 128 x 2 bytes a token."""
    (transfer,) = [phase for one in run("finance").traffic for phase in one.phases if phase.name == "kv.transfer"]
    assert transfer.rate_gbps == pytest.approx(40 * 8000 * 2 * 32 * 8 * 128 * 2 * 8 / 1e9)


def test_internet_leaves_through_four_ports_by_hand() -> None:
    """240 Gb/s to the CDN over two gateways with two ports of 100 Gb/s."""
    assert limit(run("internet"), "front utilisation max") == pytest.approx(240 / 400)


def test_a_step_of_the_public_cloud_is_the_sum_of_its_parts_by_hand() -> None:
    """Reduce-scatter of fp32 gradients over 16 ranks: 15/16 of 4 bytes of a rank's eighth at 400 Gb/s x 0.92."""
    made = run("public-cloud")
    (job,) = [one for one in made.result.jobs if one.id == "alpha"]
    (phase,) = [one for one in job.phases if one.name == "dp.reduce_scatter"]
    (model,) = [one.model for one in made.traffic if one.id == "alpha"]
    hidden, ffn, layers, vocab = 5120, 13824, 40, 32000
    matrices = layers * (4 * hidden**2 + 3 * hidden * ffn) + 2 * vocab * hidden
    assert model is not None
    assert phase.bytes_per_rank == pytest.approx(15 / 16 * 4 * matrices / 8, rel=1e-3)
    assert phase.predicted_s == pytest.approx(phase.bytes_per_rank * 8 / (400e9 * 0.92), rel=0.01)


def test_science_transposes_at_line_rate_beside_lustre_by_hand() -> None:
    """71/72 of 256 MiB at 200 Gb/s x 0.92, stretched by what a node writes to Lustre: 400/72 Gb/s of 200."""
    (job,) = [one for one in run("science").result.jobs if one.id == "transpose"]
    ideal = 71 / 72 * 256 * 2**20 * 8 / (200e9 * 0.92)
    assert job.step_time_s == pytest.approx(ideal * (1 + 400 / 72 / 200), rel=1e-3)
