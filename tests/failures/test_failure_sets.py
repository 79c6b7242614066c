"""Sets of failure cases: counts by closed form, fair samples, entries of the scenario, and what is refused."""

from __future__ import annotations

from collections import Counter
from math import comb

import numpy as np
import pytest

from fabric.failures.enumerate import case_set, chosen_cases, intact_notes, named_set
from fabric.failures.part import Part
from fabric.failures.request import FailureRequest
from fabric.pipeline.network import build_network
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from topologies.errors import FabricError

SMALL = """\
version: 1
name: sets
nodes: [{group: h, count: 8, gpus: 2, per_rack: 2, nics: {main: {speed: 100G}}}]
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 3, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
workloads: [{id: w, kind: uniform, size: 1 GB}]
"""
FEED = "risk_groups: [{name: feed, kind: power-feed, members: [leaf0, rack=r00c03]}]\n"


@pytest.fixture
def loaded(tmp_path):
    """Reads the small scenario with more keys."""

    def of(more: str = ""):
        path = tmp_path / "sets.yaml"
        path.write_text(SMALL + more, encoding="utf-8")
        return load_scenario(path)

    return of


def unrouted(scenario) -> Run:
    """A run whose network is built and whose traffic nobody asks for."""
    result: object = None
    run = Run(scenario, RouteRequest(), result)  # type: ignore[arg-type]
    vars(run)["network"] = build_network(scenario)
    return run


def parts(count: int) -> list[Part]:
    """Parts without links: only their number matters."""
    return [Part("link", str(number)) for number in range(count)]


def test_the_large_example_has_4192_single_cases_and_8_8_million_pairs():
    """64 leaves and 32 spines, 2,048 links to hosts and 2,048 between switches; pairs are not written out."""
    run = unrouted(load_scenario("examples/train-2k.fabric.yaml"))
    single = case_set(run, FailureRequest(fabric="backend"))
    assert (len(single), single.total, single.is_sample) == (96 + 4096, 4192, False)
    pairs = case_set(run, FailureRequest(fabric="backend", choose=2))
    assert (len(pairs), pairs.total, pairs.choose) == (4192, 4192 * 4191 // 2, 2)
    assert pairs.first_failures
    assert not pairs.is_sample


def test_the_sets_of_the_large_example():
    """Its entries stand as they are: 32 spines, 2,000 of the pairs of 2,048 links, one unit of eight leaves."""
    run = unrouted(load_scenario("examples/train-2k.fabric.yaml"))
    spines, links, unit = (named_set(run, entry.name) for entry in run.loaded.scenario.failures)
    assert (len(spines), spines.total) == (32, 32)
    assert (len(links), links.total, links.is_sample) == (2000, comb(2048, 2), True)
    (part,) = unit.parts_of(0)
    assert (len(unit), part.name, part.selectors) == (1, "su3-power", ("unit=3",))
    assert len(part.links["backend"]) == 2 * 8 * (32 + 32)


@pytest.mark.parametrize(("count", "choose"), [(6, 3), (5, 5), (40, 4)])
def test_three_and_more_at_once_are_all_written_out(count, choose):
    """As many as the binomial coefficient says, each once."""
    cases = chosen_cases("some", parts(count), choose, None, 0)
    rows = {tuple(cases.part[start : start + choose].tolist()) for start in cases.start[:-1].tolist()}
    assert len(rows) == len(cases) == cases.total == comb(count, choose)
    assert all(len(set(row)) == choose for row in rows)


@pytest.mark.parametrize(("count", "choose", "sample"), [(30, 2, 400), (1000, 3, 500), (4192, 2, 2000), (9, 3, 84)])
def test_a_sample_is_without_repetition_and_the_same_for_a_seed(count, choose, sample):
    """Whether the cases are few enough to be listed or not."""
    cases = chosen_cases("some", parts(count), choose, sample, 7)
    rows = [tuple(cases.part[start : start + choose].tolist()) for start in cases.start[:-1].tolist()]
    assert len(set(rows)) == len(rows) == sample
    assert all(sorted(set(row)) == list(row) for row in rows)
    assert cases.total == comb(count, choose)
    again = chosen_cases("some", parts(count), choose, sample, 7)
    np.testing.assert_array_equal(again.part, cases.part)
    if sample < cases.total:
        assert (chosen_cases("some", parts(count), choose, sample, 8).part != cases.part).any()


@pytest.mark.parametrize("count", [40, 300])
def test_every_pair_is_as_likely_as_any_other(count):
    """Each of n (n - 1) / 2 pairs in 200 samples: a chi-square of the parts within four standard deviations."""
    sample = 50
    seen = Counter[int]()
    for seed in range(200):
        seen.update(chosen_cases("some", parts(count), 2, sample, seed).part.tolist())
    expected = 200 * sample * 2 / count
    chi2 = sum((seen[part] - expected) ** 2 / expected for part in range(count))
    assert abs(chi2 - (count - 1)) < 4 * np.sqrt(2 * (count - 1))


ENTRIES = [
    ("{name: a, select: role=spine}", 3, 1),
    ("{name: a, select: [spine0, role=spine]}", 3, 1),  # the same switch by two selectors is one
    ("{name: a, select: [leaf0->spine0, 'spine0:leaf0']}", 1, 1),  # and so is a link from either end
    ("{name: a, select: tier=leaf-spine, choose: 2}", 12, 2),
    ("{name: a, select: rack=r00c00}", 2, 1),  # its hosts, one by one
    ("{name: a, kinds: [switch, host]}", 7 + 8, 1),
    ("{name: a, kinds: [switch], choose: 3}", comb(7, 3), 3),
    ("{name: a, any_of: [rack=r00c00, group=feed, [spine0, spine1]]}", 3, 1),
    ("{name: a, down: [leaf0, spine1]}", 1, 0),
    ("{name: a, slow: {spine0: 50%, leaf0->spine1: 75%}}", 1, 0),
    ("{name: any-leaf}", 4, 1),
    ("{name: any-two-spines}", 3, 2),
]


@pytest.mark.parametrize(("entry", "rows", "choose"), ENTRIES)
def test_an_entry_is_the_cases_that_it_says(entry, rows, choose, loaded):
    """Counted by hand: 4 leaves, 3 spines, 8 hosts in 4 racks."""
    run = unrouted(loaded(f"{FEED}failures: [{entry}]\n"))
    cases = named_set(run, run.loaded.scenario.failures[0].name)
    assert (len(cases), cases.choose) == (rows, choose)


BUILT_IN = {"any-single-spine": 3, "any-one-leaf": 4, "any-switch": 7, "any-single-link": 20, "any-two-leaves": 4}
BUILT_IN |= {"any-single-leaf-spine-link": 12, "any-single-host": 8, "any-single-rack": 4, "any-single-power-feed": 1}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_sets_need_no_entry(name, loaded):
    """Also as ``when`` of a limit."""
    limit = f"limits: [{{fabric: main, metric: unreachable_pairs, max: 0, when: {name}}}]\n"
    assert len(named_set(unrouted(loaded(FEED + limit)), name)) == BUILT_IN[name]


def test_parts_of_a_case_say_whether_they_are_drained_or_flap(loaded):
    """Drained on purpose; a link that is up for nine tenths of the time is down for one."""
    more = "failures: [{name: work, drain: [spine0]}, {name: loose, flap: {leaf0->spine0: 90%}}]\n"
    run = unrouted(loaded(more))
    (drained,), (flapping,) = (named_set(run, name).parts_of(0) for name in ("work", "loose"))
    assert drained.drained
    assert flapping.time_down == pytest.approx(0.1)
    assert len(flapping.links["main"]) == 2


def test_the_hosts_of_a_power_feed_stop_with_it(loaded):
    """The last rack's two hosts; those under leaf0 only lose their network."""
    run = unrouted(loaded(FEED))
    (part,) = named_set(run, "any-single-power-feed").parts
    assert (part.hosts, part.selectors) == (("h6", "h7"), ("group=feed",))


REFUSED = [
    ("failures: [{name: a, select: role=spin}]", "FP3110", r"'role=spin' names nothing on main", "role=spine"),
    ("failures: [{name: a, down: [spine0, spine7]}]", "FP3110", r"'spine7' names nothing", "did you mean 'spine"),
    ("failures: [{name: a, down: 'fabric=man spine0'}]", "FP3110", r"names nothing", "fabric=main"),
    ("failures: [{name: a, down: rack=r00c9}]", "FP3110", r"names nothing", "rack=r00c"),
    ("failures: [{name: a, slow: {spin0: 50%}}]", "FP3110", r"'spin0' names nothing", "did you mean 'spine0'"),
    ("slow: {spin0: 50%}", "FP3110", r"'spin0' names nothing", "did you mean 'spine0'"),
    ("risk_groups: [{name: g, members: [leef0]}]", "FP3110", r"'leef0' names nothing", "did you mean 'leaf0'"),
    ("risk_groups: [{name: g, members: [group=g]}]", "FP3105", r"is a member of itself: g -> g", "take it out"),
    ("failures: [{name: a, kinds: [pod]}]", "FP3110", r"a is empty: there is no pod", r"rack \(4\)"),
    ("failures: [{name: a, kinds: [switch], choose: 9}]", "FP3112", r"9 parts cannot fail at once", "at most 7"),
    ("failures: [{name: a, select: role=spine, sample: 9}]", "FP3114", r"sample of 9 .* from 3 cases", "all 3"),
    ("failures: [{name: a, down: role=leaf}]", "FP3111", r"every link of main down", "leave something up"),
    ("failures: [{name: a, drain: [role=leaf]}]", "FP3111", r"every link of main down", "leave something up"),
    ("failures: [{name: any-core}]", "FP2105", r"no set of failures is called 'any-core'", "sets: any-single"),
    ("failures: [{name: a}]", "FP2102", r"does not say what fails", ""),
    ("failures: [{name: a, down: []}]", "FP2102", r"the list is empty", ""),
    ("failures: [{name: a, slow: 50%}]", "FP2102", r"slow does not say of what", ""),
    ("failures: [{name: a, down: spine0, sample: 3}]", "FP2102", r"sample has nothing to choose from", ""),
    ("failures: [{name: a, down: spine0, kinds: [link]}]", "FP2102", r"down is one case", ""),
    ("failures: [{name: a, select: spine0, slow: 0%}]", "FP2102", r"not between 0 % and 100 %", ""),
    ("failures: [{name: a, select: spine0, slow: 50}]", "FP2102", r"5,000 % where it has no % sign", ""),
    ("failures: [{name: a, down: leaf0}, {name: a, down: leaf1}]", "FP2107", r"name 'a' is used twice", ""),
    ("failures: [{name: feed, down: leaf0}]", "FP2107", r"of a risk group and of a failure", ""),
    ("failures: [{name: a, kinds: [link], fabric: mian}]", "FP2105", r"unknown fabric 'mian'", ""),
    ("limits: [{fabric: main, metric: unreachable_pairs, max: 0, when: any-single-spin}]", "FP2105",
     r"no set of failures is called 'any-single-spin'", "did you mean 'any-single-spine'"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "code", "message", "hint"), REFUSED, ids=[keys for keys, *_ in REFUSED])
def test_what_decides_nothing_is_refused_where_it_stands(keys, code, message, hint, loaded):
    """With its line and column, and a way out."""

    def every_set():
        run = unrouted(loaded(("" if "risk_groups" in keys else FEED) + keys + "\n"))
        return [named_set(run, entry.name) for entry in run.loaded.scenario.failures]

    with pytest.raises(FabricError, match=message) as refused:
        every_set()
    problem = next(one for one in refused.value.problems if one.code == code)
    line = 8 if "risk_groups" in keys else 9
    assert (problem.line, problem.column is not None) == (line, True)
    assert hint.replace("\\", "") in problem.hint


FLAGS = [
    (FailureRequest(choose=50), r"50 parts cannot fail at once: there are 27", "at most 27"),
    (FailureRequest(sample=1000), r"a sample of 1,000 cannot be drawn from 27 cases", "leave --sample out"),
    (FailureRequest(kinds=("unit",)), r"--kind unit: there is no such part", r"switch (7)"),
    (FailureRequest(named=("any-singel-spine",)), r"no set of failures", "did you mean 'any-single-spine'"),
]


@pytest.mark.parametrize(("asked", "message", "hint"), FLAGS)
def test_flags_that_ask_for_too_much_are_refused(asked, message, hint, loaded):
    """With the count, and what is feasible."""
    run = unrouted(loaded())
    with pytest.raises(FabricError, match=message) as refused:
        case_set(run, asked)
    assert hint in refused.value.problems[0].hint


@pytest.mark.parametrize(("choose", "count", "message"), [(3, 400, "10,586,800 cases"), (2, 60_000, "1,799,970,000")])
def test_more_cases_than_can_be_looked_at_are_refused_with_their_count(choose, count, message):
    """Three of 400 parts, or two of 60,000; what is feasible is a sample, or fewer at once."""
    with pytest.raises(FabricError, match=message) as refused:
        chosen_cases("many", parts(count), choose, None, 0, flags=True)
    assert "--sample 100000" in refused.value.problems[0].hint


def test_a_fabric_that_is_partitioned_already_is_said(loaded):
    """A leaf without its uplinks: its two hosts reach each other only, 2 x 2 x 6 pairs are cut."""
    scenario = loaded("down: [leaf0->spine0, leaf0->spine1, leaf0->spine2]\n")
    (note,) = intact_notes(run_scenario(scenario))
    assert "main is partitioned before anything fails: 24 pairs have no path" in note
    assert intact_notes(run_scenario(loaded())) == ()


def test_what_is_down_is_no_part_any_more(loaded):
    """A spine and a link that are down cannot fail: 2 spines, and 20 - 4 - 1 links."""
    run = unrouted(loaded("down: [spine0, leaf0->spine1]\n"))
    cases = case_set(run, FailureRequest())
    kinds = Counter(part.kind for part in cases.parts)
    assert kinds == {"link": 15, "switch": 6}
