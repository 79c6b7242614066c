"""GPU-hours lost a month by a whole sweep, against enumeration of all states with at most two parts down."""

from functools import cache
from itertools import combinations, product

import numpy as np
import pytest

from fabric.failures.chunks import Ground, Sweep
from fabric.failures.enumerate import case_set
from fabric.failures.expected import expected_losses, plant_of
from fabric.failures.job_reaction import failing_jobs
from fabric.failures.rates import Rates
from fabric.failures.request import FailureRequest
from fabric.failures.sweep import run_failures
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.errors import FabricError
from topologies.units import HOURS_PER_MONTH

# h0, h1 - leaf0 = (spine0, spine1) = leaf1 - h2, h3; eight GPUs and one NIC a host.
SCENARIO = """\
version: 1
name: small
nodes:
  - {group: gpu, count: 4, gpus: 8, nics: {main: {speed: 100G, count: 1}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GiB}
limits:
  - {fabric: main, metric: unreachable_pairs, max: 0}
  - {fabric: main, metric: utilisation, max: 100%}
reliability:
  rates:
    link: {rate: MTBF 990 h, repair: 10 h}
    switch: {rate: MTBF 1980 h, repair: 20 h}
    gpu: {rate: MTBF 20000 h, repair: 10 h}
    host: {rate: MTBF 4000 h, repair: 5 h}
"""
TRAINING = """\
version: 1
name: trained
nodes:
  - {group: gpu, count: 5, gpus: 8, nics: {main: {speed: 100G, count: 8, rail: per-gpu}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 24, host_speed: 100G, uplink_speed: 800G}
workloads:
  - id: job
    kind: training
    gpus: 32
    model: {layers: 8, hidden: 1024, ffn_hidden: 4096, heads: 16, kv_heads: 4, vocab: 32000}
    batch: {global: 64, micro: 1, sequence: 2048}
    parallelism: {tp: 8, dp: 4}
    compute: {peak: 989 TFLOP/s, kernel_efficiency: 0.75}
    on_failure: %s
"""


def loaded(tmp_path, text):
    path = tmp_path / "failures.yaml"
    path.write_text(text)
    return load_scenario(path)


def swept(tmp_path, text, **keys):
    scenario = loaded(tmp_path, text)
    request = FailureRequest(**keys)
    return run_failures(run_scenario(scenario, request.route), request)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The sweep of the small fabric, over 4,000 months."""
    return swept(tmp_path_factory.mktemp("small"), SCENARIO, months=4_000)


@pytest.fixture(scope="module")
def enumerated(tmp_path_factory):
    """Part of the time that the job loses, part of the time without lost pairs and with no link over, to two failures.

    Every state is routed by itself as ``fabric route --down`` does.
    """
    scenario = loaded(tmp_path_factory.mktemp("enumerated"), SCENARIO)
    topology = run_scenario(scenario).network.topologies["main"]
    links = [topology.link_name(link) for link in np.flatnonzero(topology.is_cable).tolist()]
    switches = [topology.nodes.name[node] for node in np.flatnonzero(topology.is_switch).tolist()]
    down = dict.fromkeys(links, 10 / 1000) | dict.fromkeys(switches, 20 / 2000)
    hosts_up = ((20_000 / 8) / (20_000 / 8 + 10)) ** 4 * (4_000 / 4_005) ** 4

    @cache
    def seconds(names):
        result = run_scenario(scenario, RouteRequest(down=names)).result
        time = result.jobs[0].phases[0].predicted_s
        return time, result.unreachable_pairs, result.max_utilisation

    intact, running, met, chance_left = seconds(()), 0.0, np.zeros(2), 1.0
    for size in range(3):
        for names in combinations(down, size):
            chance = np.prod([down[name] if name in names else 1 - down[name] for name in down])
            time, lost, fullest = seconds(names)
            running += chance * (intact[0] / time if time else 0.0)
            met += chance * np.array([lost == 0, fullest <= 1 + 1e-9])
            chance_left -= chance
    return 1 - hosts_up * running, met, chance_left


def test_the_mean_is_that_of_enumerating_all_states_to_two_failures(small, enumerated):
    """Twelve parts: 79 states routed one by one; three at once are rarer than 0.3 %, and bound the difference."""
    wanted, _, left = enumerated
    expected = small.expected
    months = 4_000
    error = 4 * (expected.gpu_hours_lost_per_month.p95 - expected.gpu_hours_lost_per_month.p5) / 3.3 / np.sqrt(months)
    mean = expected.gpu_hours_lost_per_month.mean / expected.gpu_hours_per_month
    assert left < 0.003
    assert mean == pytest.approx(wanted, abs=left + error / expected.gpu_hours_per_month)
    assert expected.gpu_hours_per_month == pytest.approx(32 * HOURS_PER_MONTH)


def test_limits_hold_as_long_as_their_states_last(small, enumerated):
    """Of pairs without a path, and of links over capacity."""
    _, met, left = enumerated
    for name, part in zip(("L1", "L2"), met.tolist(), strict=True):
        assert part <= small.expected.availability[name] <= part + left + 1e-9


def test_losses_by_cause_add_up_to_the_mean_and_the_mean_lies_in_the_interval(small):
    """And failures a month are those of the rates."""
    expected = small.expected
    assert sum(expected.by_cause.values()) == pytest.approx(expected.gpu_hours_lost_per_month.mean)
    assert expected.gpu_hours_lost_per_month.p5 < expected.gpu_hours_lost_per_month.mean
    assert expected.gpu_hours_lost_per_month.mean < expected.gpu_hours_lost_per_month.p95
    each = {"link": 8 / 1000, "switch": 4 / 2000, "gpu": 4 / (20_000 / 8 + 10), "host": 4 / 4_005}
    software = 32 * 63 / 16_384 * 30.4375 / 54
    assert expected.failures_per_month == pytest.approx(sum(each.values()) * HOURS_PER_MONTH + software)


def test_what_single_cases_lose_adds_up_to_about_the_causes_of_the_network(small):
    """Each by itself, without states of several; these and stopped jobs make a few percent."""
    alone = sum(case.lost_gpu_hours_per_month for case in small.failures)
    of_network = sum(lost for cause, lost in small.expected.by_cause.items() if cause.split()[0] in ("link", "switch"))
    assert alone == pytest.approx(of_network, rel=0.08)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    """And another seed other months."""
    first, again, other = (swept(tmp_path, SCENARIO, months=250, seed=seed).expected for seed in (1, 1, 2))
    assert first == again
    assert first.gpu_hours_lost_per_month != other.gpu_hours_lost_per_month


def test_without_rates_nothing_is_expected(tmp_path):
    """``--no-expected``."""
    result = swept(tmp_path, SCENARIO, expected=False)
    assert result.expected is None
    assert all(case.per_month is None and case.lost_gpu_hours_per_month is None for case in result.failures)


def test_a_rate_of_0_is_no_failure(tmp_path):
    """Links never fail: they are no cause."""
    text = SCENARIO.replace("link: {rate: MTBF 990 h, repair: 10 h}", "link: {rate: 0 %/month}")
    result = swept(tmp_path, text, months=250)
    assert not any(cause.startswith("link") for cause in result.expected.by_cause)
    assert {case.per_month for case in result.failures if case.kinds == ("link",)} == {0.0}


def test_a_rate_of_a_tier_that_nothing_has_is_refused(tmp_path):
    """With the nearest, at its row."""
    text = SCENARIO.replace("    link: {", '    "link host-laef": {rate: 1 %/month}\n    link: {')
    with pytest.raises(FabricError, match="no link has the role or tier 'host-laef'") as caught:
        swept(tmp_path, text)
    assert caught.value.problems[0].line == 15
    assert "host-leaf" in caught.value.problems[0].hint


@pytest.mark.parametrize(
    ("keys", "reaction", "part"),
    [
        ("{reaction: stall}", "waits for the repair", 1.0),
        ("{reaction: restart, spares: 1, checkpoint_every: 30 min}", "restarts on spare hosts", None),
        (
            "{reaction: restart, spares: 0, checkpoint_every: 30 min}",
            "waits for the repair (0 spare hosts, 1 gone)",
            1.0,
        ),
        ("{reaction: shrink, checkpoint_every: 30 min}", "goes on without 1 of 4 hosts", 0.25),
    ],
)
def test_a_job_reacts_to_the_loss_of_a_host_as_it_says(keys, reaction, part, tmp_path):
    """A NIC of a host of four: 32 GPUs for the 4 hours of a repair, or a quarter, or a restart of 10 + 15 minutes."""
    result = swept(tmp_path, TRAINING % keys, kinds=("link",), months=250)
    case = next(case for case in result.failures if "gpu0.nic0" in case.parts[0])
    job = case.jobs[0]
    restart = 0.0 if part == 1.0 and "stall" in keys else 32 * (10 + 15) / 60
    assert job.reaction == reaction
    assert job.lost_gpu_hours == pytest.approx(32 * 4 * (part or 0.0) + restart)


def test_a_job_that_loses_a_rail_is_slower_by_the_closed_form(tmp_path):
    """Eight NICs of a host, one lost: phases that the NICs limit take 8 / 7, and the step what that makes."""
    scenario = loaded(tmp_path, TRAINING % "{reaction: lose-rail}")
    request = FailureRequest(kinds=("link",))
    run = run_scenario(scenario)
    result = run_failures(run, request)
    case = next(case for case in result.failures if "gpu0.nic0" in case.parts[0])
    job = case.jobs[0]
    intact = run.result.jobs[0]
    on_fabric = [phase for phase in intact.phases if phase.fabric is not None and phase.exposed_s]
    more = sum(phase.exposed_s for phase in on_fabric) / 7
    assert (job.state, job.reaction) == ("stalled", "slower until the repair")
    stretch = 1 + more / intact.step_time_s
    assert job.lost_gpu_hours == pytest.approx(32 * 4 * (1 - 1 / stretch), rel=0.1)


def test_losses_of_parts_of_which_nothing_is_known_are_said(tmp_path):
    """Racks have no published rate."""
    text = SCENARIO.replace("gpus: 8,", "gpus: 8, per_rack: 2,")
    result = swept(tmp_path, text, kinds=("rack",), months=250)
    assert any("rack: nothing is published" in assumption.text for assumption in result.assumptions)
    assert all(case.per_month is None for case in result.failures)


def test_figures_of_the_sweep_and_figures_of_their_own_give_the_same_plant(tmp_path):
    """A sweep of single failures hands over what it routed; one of pairs does not."""
    run = run_scenario(loaded(tmp_path, SCENARIO))
    request = FailureRequest()
    sweep = Sweep(Ground.of(run, request), case_set(run, request), request)
    handed = sweep.chunk(0, sweep.units)
    rates = Rates.of(run.loaded.scenario.reliability)
    one, other = (plant_of(sweep, figures, rates, 0) for figures in (handed.figures, None))
    np.testing.assert_allclose(one.effects.stretch, other.effects.stretch)
    np.testing.assert_array_equal(one.holds, other.holds)
    assert expected_losses(one, 250) == expected_losses(other, 250)


SHARED = (
    SCENARIO.replace("100%", "100%%")
    .replace(
        "  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GiB}\n",
        "  - {id: shuffle, kind: all-to-all, fabric: main, members: %s, size: 1 GiB}\n"
        "  - {id: stripes, kind: all-to-all, fabric: main, members: %s, size: 1 GiB}\n",
    )
    .replace(
        "  - {group: gpu, count: 4, gpus: 8, nics: {main: {speed: 100G, count: 1}}}\n",
        "  - {group: pair, count: 2, gpus: 8, nics: {main: {speed: 100G, count: 1}}}\n"
        "  - {group: rest, count: 2, gpus: 8, nics: {main: {speed: 100G, count: 1}}}\n",
    )
)


def jobs_of(tmp_path, *members):
    """Two patterns on these groups."""
    return failing_jobs(run_scenario(loaded(tmp_path, SHARED % members)))


@pytest.mark.parametrize(
    ("members", "gpus"),
    [
        (("all", "pair"), [16 + 16 / 2, 16 / 2]),
        (("pair", "pair"), [8, 8]),
        (("all", "all"), [16, 16]),
        (("pair", "rest"), [16, 16]),
    ],
)
def test_gpus_that_two_patterns_share_count_to_both_and_once_in_all(members, gpus, tmp_path):
    """Eight GPUs a host, those of hosts that both use halved; the order of the jobs does not matter, and it is said."""
    jobs = jobs_of(tmp_path, *members)
    assert [job.gpus for job in jobs] == gpus
    assert [job.gpus for job in jobs_of(tmp_path, *members[::-1])] == gpus[::-1]
    shared = [any("equal parts" in one.text for one in job.assumptions) for job in jobs]
    assert shared == [sum(gpus) != 8 * sum(len(job.hosts) for job in jobs)] * 2


JOB_BESIDE = (
    "  - {{id: job, kind: collective, collective: all-reduce, fabric: main, size: 1 GiB, gpus: {gpus}, "
    "placement: {{group: gpu}}}}\n"
)


@pytest.mark.parametrize(("gpus", "parts"), [(32, [16, 16]), (16, [8, 24]), (12, [6, 26])])
def test_gpus_that_a_job_and_a_pattern_share_count_to_both_and_once_in_all(gpus, parts, tmp_path):
    """The pattern uses all 32; of those of the job, a half counts to each. That is said of both."""
    text = SCENARIO.replace("workloads:\n", "workloads:\n" + JOB_BESIDE.format(gpus=gpus))
    jobs = failing_jobs(run_scenario(loaded(tmp_path, text)))
    assert [job.id for job in jobs] == ["job", "shuffle"]
    assert [job.gpus for job in jobs] == parts
    assert all(any(f"shares {gpus} of its GPUs" in one.text for one in job.assumptions) for job in jobs)


def test_losses_of_shared_gpus_are_those_of_every_state_walked_through(tmp_path):
    """Brute force over every host that is up or down: a pattern stands still without one of its hosts.

    A GPU loses a half for either of its two patterns that stands still; hosts are up 4,000 of 4,005 hours, for GPUs see
    ``enumerated``. Cables and switches do not fail here.
    """
    quiet = "    link: {rate: 0 %/month}\n    switch: {rate: 0 %/month}\n    software: {rate: 0 %/month}\n"
    text = SHARED % ("pair", "all")
    text = text.replace(
        "    link: {rate: MTBF 990 h, repair: 10 h}\n    switch: {rate: MTBF 1980 h, repair: 20 h}\n", quiet
    )
    expected = swept(tmp_path, text, months=4_000).expected
    up = (20_000 / 8) / (20_000 / 8 + 10) * 4_000 / 4_005
    users = {"pair0": ("a", "b"), "pair1": ("a", "b"), "rest0": ("b",), "rest1": ("b",)}
    lost = 0.0
    for state in product([True, False], repeat=4):
        chance = np.prod([up if works else 1 - up for works in state])
        still = {job for works, jobs in zip(state, users.values(), strict=True) if not works for job in jobs}
        lost += chance * sum(8 * sum(job in still for job in jobs) / len(jobs) for jobs in users.values())
    mean = expected.gpu_hours_lost_per_month
    assert expected.gpu_hours_per_month == pytest.approx(32 * HOURS_PER_MONTH)
    error = 4 * (mean.p95 - mean.p5) / 3.3 / np.sqrt(4_000)
    assert mean.mean == pytest.approx(lost * HOURS_PER_MONTH, abs=error)


def test_what_stalls_one_of_two_patterns_loses_its_part_of_their_gpus(tmp_path):
    """The NIC of a host of ``rest``: its pattern waits with 16 + 16 / 2 GPUs, the other goes on; of ``pair`` both."""
    result = swept(tmp_path, SHARED % ("pair", "all"), kinds=("link",), months=250)
    case = next(case for case in result.failures if any("rest0" in part for part in case.parts))
    lost = {job.id: job.lost_gpu_hours for job in case.jobs}
    assert lost == {"shuffle": pytest.approx(0), "stripes": pytest.approx(24 * 10)}
    case = next(case for case in result.failures if any("pair0" in part for part in case.parts))
    assert sum(job.lost_gpu_hours for job in case.jobs) == pytest.approx(32 * 10)
