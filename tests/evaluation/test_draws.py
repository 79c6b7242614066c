"""Draws of the hash: medians and bands against balls in bins, changes within the noise, and what a no-op changes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fabric.cli.main import run
from fabric.evaluation.draws import middle
from fabric.evaluation.phases import in_draw
from fabric.pipeline.draws import DRAWS, draws_of
from fabric.pipeline.phase_options import phases_to_route
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.result import Band, EveryDraw
from fabric.scenario.load import load_scenario
from fabric.whatif.changes import ChangeSet, down, queue_pairs
from fabric.whatif.differences import compare
from fabric.whatif.effect import changed_links, effect
from fabric.whatif.live import LiveRoutes
from fabric.whatif.noise import change_band

TRAIN = "examples/train-2k.fabric.yaml"
QUICKSTART = "examples/quickstart.fabric.yaml"


def hashed(path: str = QUICKSTART, **request) -> Run:
    """An example with hashed flows."""
    return run_scenario(load_scenario(path), RouteRequest(router="ecmp-hash", **request))


@pytest.fixture(scope="module")
def quick() -> Run:
    """96 hosts on 4 leaves, all to all, over 2 spines with 4 links each: 100 draws."""
    return hashed()


# ---- medians and bands ----------------------------------------------------------------------------------------------


def test_median_and_band_are_those_of_balls_in_bins(quick: Run) -> None:
    """Every flow draws one of 8 uplinks, then one of 4 links down to its leaf: 4,000 throws of dice say how full.

    Flows between leaves are 24 x 72 out of each leaf, all of one size; the simulation shares no code with the hash.
    """
    rng = np.random.default_rng(7)
    leaf = np.repeat(np.arange(4), 24)
    src, dst = (ends.ravel() for ends in np.meshgrid(np.arange(96), np.arange(96), indexing="ij"))
    across = leaf[src] != leaf[dst]
    src, dst = leaf[src[across]], leaf[dst[across]]
    draws = quick.result.routes[0].draws
    peaks = []
    for _ in range(4000):
        uplink = rng.integers(8, size=len(src))
        spine, downlink = uplink // 4, rng.integers(4, size=len(src))
        up = np.bincount(src * 8 + uplink, minlength=32)
        below = np.bincount((dst * 2 + spine) * 4 + downlink, minlength=32)
        peaks.append(max(up.max(), below.max()) / 95)  # a host sends 95 flows at 100 Gb/s in all
    p5, median, p95 = np.quantile(peaks, [0.05, 0.5, 0.95])
    assert draws is not None
    assert len(draws) == DRAWS
    assert draws.max_utilisation.median == pytest.approx(median, rel=0.015)
    assert draws.max_utilisation.p5 == pytest.approx(p5, rel=0.02)
    assert draws.max_utilisation.p95 == pytest.approx(p95, rel=0.03)


def test_every_draw_is_what_its_seed_alone_gives(quick: Run) -> None:
    """Draw r has the peak, the links over, the step and the limit of a run with that seed and one draw."""
    result = quick.result
    draws = result.routes[0].draws
    assert draws is not None
    for draw in (0, 1, 57):
        loaded = load_scenario(QUICKSTART, overrides=[f"seed={draw}"])
        alone = run_scenario(loaded, RouteRequest(router="ecmp-hash", replicas=1)).result
        assert draws.max_utilisation.values[draw] == pytest.approx(alone.max_utilisation)
        assert draws.links_over_capacity.values[draw] == alone.routes[0].links_over_capacity
        assert result.jobs[0].draws.values[draw] == pytest.approx(alone.jobs[0].step_time_s)
        assert result.limits[0].draws.values[draw] == pytest.approx(alone.limits[0].value)


def test_what_is_shown_is_the_median_in_every_figure(quick: Run) -> None:
    """Fullest link, tiers, hottest links, step and limit are those of the middle draw, and each is the median."""
    result = quick.result
    entry = result.routes[0]
    assert entry.draws is not None
    median = entry.draws.max_utilisation.median
    assert (
        entry.max_utilisation == pytest.approx(median) == pytest.approx(np.sort(entry.draws.max_utilisation.values)[49])
    )
    assert max(tier.max for tier in entry.tiers) == entry.max_utilisation == result.items[0].utilisation
    assert result.folded[0].example.utilisation == entry.max_utilisation
    assert result.jobs[0].step_time_s == result.jobs[0].draws.median
    assert result.limits[0].value == pytest.approx(median)
    alone = run_scenario(
        load_scenario(QUICKSTART, overrides=[f"seed={entry.draws.shown_seed}"]),
        RouteRequest(router="ecmp-hash", replicas=1),
    )
    np.testing.assert_allclose(alone.result.routes[0].utilisation, entry.utilisation)


def test_the_percentiles_of_the_spread_are_those_of_the_draws() -> None:
    """Two ways to one figure: loads of links here, paths of flows shared max-min fairly there."""
    entry = hashed(replicas=40).result.routes[0]
    assert entry.spread is not None
    assert entry.draws is not None
    assert entry.spread.max_utilisation.p50 == pytest.approx(entry.draws.max_utilisation.median)
    assert entry.spread.max_utilisation.p95 == pytest.approx(entry.draws.max_utilisation.p95)


def test_of_an_even_number_the_lower_middle_is_shown_and_ties_go_by_links_over() -> None:
    """Peaks 1.2, 1.1, 1.1, 1.3: the second lowest is one of the two 1.1, the one with more links over capacity."""
    utilisation = np.array([[1.2, 0.0], [1.1, 0.5], [1.1, 1.05], [1.3, 0.0]])
    assert middle(EveryDraw(0, utilisation, {})) == 2
    assert middle(EveryDraw(0, utilisation[[1]], {})) == 0


# ---- limits ---------------------------------------------------------------------------------------------------------


def test_a_limit_is_judged_by_its_median_and_says_in_how_many_draws_it_fails(quick: Run) -> None:
    """A limit one point above the median holds, one below fails; the part that fails is counted by hand."""
    peaks = np.array(quick.result.limits[0].draws.values)
    median = float(np.sort(peaks)[49])
    for allowed, ok in ((median + 0.01, True), (median - 0.01, False)):
        loaded = load_scenario(QUICKSTART, overrides=[f"limits.0.max={100 * allowed:.6f}%"])
        limit = run_scenario(loaded, RouteRequest(router="ecmp-hash")).result.limits[0]
        assert limit.ok is ok
        assert limit.value == pytest.approx(median)
        assert limit.failed_part == pytest.approx((peaks > allowed).mean())
        assert 0 < limit.failed_part < 1


def test_the_step_is_the_median_of_steps_not_the_sum_of_medians() -> None:
    """Train: every draw's step is compute and the phases of that draw; no drawn figure is shared between draws."""
    result = run_scenario(load_scenario(TRAIN), RouteRequest(replicas=9)).result
    job = result.jobs[0]
    phases = {phase.name: phase for phase in job.phases if phase.draws is not None}
    sends = phases["pp.send_recv"]
    share = sends.exposed_s / sends.predicted_s  # that the schedule waits for, the same in every draw
    waited = [phases[name].draws.values for name in ("dp.reduce_scatter", "dp.all_gather")]
    waited.append([share * seconds for seconds in sends.draws.values])
    same = job.parts.step_s - job.parts.exposed_data_s - job.parts.exposed_pipeline_s
    steps = [same + sum(parts) for parts in zip(*waited, strict=True)]
    np.testing.assert_allclose(job.draws.values, steps)
    assert job.step_time_s == pytest.approx(np.sort(steps)[4])


# ---- how many -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "router", "replicas", "expected"),
    [
        (QUICKSTART, "ecmp-hash", None, {"main": DRAWS}),
        (QUICKSTART, "ecmp-hash", 7, {"main": 7}),
        (QUICKSTART, "ecmp-hash", 1, {"main": 1}),
        (QUICKSTART, "ecmp", None, {"main": 1}),
        (TRAIN, None, None, {"backend": 20, "storage": 20}),
    ],
)
def test_draws_are_counted_by_work_and_by_what_was_asked(path, router, replicas, expected) -> None:
    """The same on every machine: a number of the scenario, not of a clock."""
    prepared = prepare(load_scenario(path), RouteRequest(router=router, replicas=replicas))
    assert draws_of(phases_to_route(prepared), prepared.network.topologies, prepared.request) == expected


def test_a_fabric_that_is_drawn_once_is_the_same_in_every_draw_of_the_others() -> None:
    """Backend drawn once, storage five times: the step, which waits for the backend alone, has no band."""
    loaded = load_scenario(
        TRAIN,
        overrides=["fabrics.backend.routing.hash.replicas=1", "fabrics.storage.routing.hash.replicas=5"],
    )
    job = run_scenario(loaded).result.jobs[0]
    assert len(set(job.draws.values)) == 1
    assert len(next(phase for phase in job.phases if phase.name == "checkpoint").draws) == 5


# ---- changes --------------------------------------------------------------------------------------------------------


IDLE = """
version: 1
name: idle
nodes:
  - {group: busy, count: 16, nics: {main: {speed: 100G, count: 2}}}
  - {group: spare, count: 8, nics: {main: {speed: 100G, count: 2}}}
  - {group: late, count: 8, nics: {main: {speed: 100G, count: 2}}}
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {count: 4, radix: 32, down: 16, up: 4, speed: 100G}
      spine: {count: 4, radix: 32, speed: 100G}
      dual_home: [busy, spare, late]
    routing: {router: ecmp-hash}
workloads:
  - {id: a, kind: alltoall, members: busy, size: 1 GiB}
  - {id: b, kind: alltoall, members: late, size: 1 GiB}
"""


def test_what_carries_nothing_changes_nothing_when_it_fails(tmp_path: Path) -> None:
    """One link of an idle host, all of it, and all idle hosts: hosts after them in number hash as before."""
    (tmp_path / "idle.yaml").write_text(IDLE)
    base = run_scenario(load_scenario(str(tmp_path / "idle.yaml")))
    entry = base.result.routes[0]
    assert len(entry.draws) == DRAWS
    spare = [name for name in entry.topology.nodes.name if name.startswith("spare")]
    names = [entry.topology.link_name(link) for link in range(len(entry.topology.links))]
    cable = next(name for name in names if name.startswith(f"{spare[0]} -> ")).replace(" -> ", ":")
    for selectors in ((f"link={cable}",), (spare[0],), tuple(spare)):
        now = LiveRoutes(base).route(ChangeSet(tuple(down(selector) for selector in selectors)))
        assert int((~now.routes[0].topology.up).sum()) >= 2 * len(selectors)
        assert all(row.base == row.now for row in effect(base.result, now))
        assert now.routes[0].draws == entry.draws
        assert not changed_links(entry, now.routes[0])


@pytest.mark.parametrize("path", [QUICKSTART, TRAIN])
def test_killing_a_spine_never_improves_anything_beyond_the_noise(path: str) -> None:
    """Fewer paths: whatever falls, another draw of the hash may turn round."""
    base = run_scenario(load_scenario(path), RouteRequest(router="ecmp-hash"))
    names = base.result.routes[0].topology.nodes.name
    for spine in [name for name in names if name.startswith("spine")][:3]:
        now = LiveRoutes(base).run(ChangeSet((down(spine),)))
        for row in compare(base, now).rows:
            if row.subject in ("load", "time") and (row.unit == "s" or row.what.endswith("max offered")):
                assert row.change >= 0 or row.is_noise, row


def test_half_the_spines_are_beyond_the_noise(quick: Run) -> None:
    """One of two spines: twice the load, in every draw."""
    now = LiveRoutes(quick).run(ChangeSet((down("spine1"),)))
    row = next(row for row in compare(quick, now).rows if row.what.endswith("max offered"))
    assert row.band is not None
    assert row.band.p5 > 1.5
    assert not row.is_noise


def test_links_that_changed_most_are_compared_in_one_draw(quick: Run) -> None:
    """Middle draws differ before and after; leaves and links that a dead cable leaves alone must not show up."""
    live = LiveRoutes(quick)
    now = live.run(ChangeSet((down("link=leaf0:spine0#1"),))).result.routes[0]
    before = quick.result.routes[0]
    moved = {change.link for change in changed_links(before, now)}
    untouched = [f"leaf{leaf} -> spine{spine} #{number}" for leaf in (1, 2, 3) for spine in (0, 1) for number in (2, 3)]
    same = in_draw(before, now.draws.shown_seed)
    assert same.draws.shown_seed == now.draws.shown_seed
    names = [before.topology.link_name(link) for link in range(len(before.utilisation))]
    alike = {name for at, name in enumerate(names) if abs(same.utilisation[at] - now.utilisation[at]) < 1e-12}
    assert not moved & alike
    assert len(alike) > len(names) / 2
    assert set(untouched) & set(names)


@pytest.mark.parametrize(
    ("before", "after", "change", "noise"),
    [
        ([1.0, 1.1, 1.2], [1.1, 1.0, 1.3], 0.1, True),  # one of three goes the other way
        ([1.0, 1.1, 1.2], [1.5, 1.6, 1.9], 0.5, False),
        ([1.0, 1.1, 1.2], [1.0, 1.1, 1.2], 0.0, False),  # nothing changes in any draw
        ([1.0, 1.1, 1.2], [1.2, 1.1, 1.0], 0.0, True),  # the median stands, the draws do not
        ([1.0, 1.1, 1.2], None, 0.9, False),  # 2.0 without a hash
    ],
)
def test_noise_is_what_another_draw_turns_round(before, after, change, noise) -> None:
    """Draw by draw, with the same seeds; a side that no hash decides is the same in all."""
    band = change_band(1.1, 2.0, Band.of(before), Band.of(after) if after else None)
    assert band is not None
    assert band.is_noise(change) is noise


def test_one_draw_each_has_no_band() -> None:
    """What is not known is not said to be certain."""
    assert change_band(1.0, 2.0, Band.of([1.0]), Band.of([2.0])) is None


# ---- what is said ---------------------------------------------------------------------------------------------------


def answer(tmp_path: Path, *words: str) -> str:
    """Standard output of ``fabric route``."""
    run(["route", *words, "-o", str(tmp_path / "x.json"), "--force"])
    run(["route", *words, "-o", str(tmp_path / "x.txt"), "--force"])
    return (tmp_path / "x.txt").read_text()


def test_text_and_json_say_median_band_and_draws(tmp_path: Path) -> None:
    """And one draw is called one draw."""
    text = answer(tmp_path, QUICKSTART, "--router", "ecmp-hash")
    record = json.loads((tmp_path / "x.json").read_text())
    draws = record["routes"][0]["draws"]
    assert draws["count"] == 100
    assert draws["seed"] == 0
    peak = draws["max_utilisation"]
    assert peak["p5"] < peak["median"] < peak["p95"]
    assert record["summary"]["max_utilisation"] == pytest.approx(peak["median"])
    assert record["jobs"][0]["draws"]["median"] == pytest.approx(record["jobs"][0]["step_time_s"])
    assert record["limits"][0]["failed_part"] == 0
    assert f"(median of 100 draws, p5 to p95 {100 * peak['p5']:.1f} % to {100 * peak['p95']:.1f} %)" in text
    text = answer(tmp_path, QUICKSTART, "--router", "ecmp-hash", "--replicas", "1")
    assert "one draw of the hash, seed 0; another seed gives other figures" in text
    assert "median of" not in text
    text = answer(tmp_path, QUICKSTART)
    assert json.loads((tmp_path / "x.json").read_text())["routes"][0]["draws"] is None
    assert "draw" not in text


def test_more_queue_pairs_narrow_the_band_beyond_the_noise() -> None:
    """Eight queue pairs instead of four: smaller balls, lower peaks in every draw."""
    base = run_scenario(load_scenario(TRAIN))
    now = LiveRoutes(base).run(ChangeSet((queue_pairs(base.loaded, 8),)))
    assert len(now.result.draws) == len(base.result.draws)
    row = next(row for row in compare(base, now).rows if row.what == "backend dp.reduce_scatter: max offered")
    assert row.change < 0
    assert not row.is_noise
