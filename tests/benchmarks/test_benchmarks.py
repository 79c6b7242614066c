"""The benchmarks' own answers: instances, closed forms, checks that refuse wrong figures, limits that hold."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import checks
from benchmarks.compare import Outcome, judged
from benchmarks.instances import make, plain
from benchmarks.measure import ROOT, Failure, Run, attempt
from benchmarks.methods import Answer, Method
from benchmarks.works import works

ALL = works()


@pytest.mark.parametrize("name", ["uniform-4", "uniform-8", "everywhere-4", "everywhere-8"])
def test_closed_forms_are_what_a_plain_search_finds(name: str) -> None:
    """Equal split by breadth-first search in plain Python; every link of a tier carries the same."""
    instance = make(name)
    given = plain(instance)
    load = checks.equal_split(given)
    checks.symmetric(instance, given, load)
    checks.conserved(given, load)


@pytest.mark.parametrize(
    ("name", "nodes", "arcs", "pairs"),
    [
        # k = 8: 32 edge, 32 aggregation and 16 core switches, 2 x 2 x 128 arcs; 3 % of 256 cables are 8, so 16 arcs.
        ("uniform-8", 80, 512, 32 * 31),
        ("edge-permutation-8", 80, 496, 32),
        ("gravity-8", 80, 496, 32 * 31),
        ("wan-149", 149, 2 * 193, 149 * 148),
        ("wan-200", 200, 754, 200 * 199),
        ("dense-100", 100, 594, 100 * 99),
        ("regular-32", 32, 320, 32 * 31),
        ("regular-permuted-32", 32, 320, 32),
        ("regular-sparse-32", 32, 320, 8 * 32),
        ("regular-mixed-32", 32, 320, 32 * 31),
    ],
)
def test_instances_have_the_size_they_claim(name: str, nodes: int, arcs: int, pairs: int) -> None:
    """Nodes, directed links that are up, and ordered pairs with demand."""
    given = plain(make(name))
    assert (given.nodes, len(given.tail), given.pairs) == (nodes, arcs, pairs)


def test_hosts_of_a_permutation_count_as_their_switch() -> None:
    """128 hosts send 400 Gb/s each; what stays under one edge switch does not cross the fabric."""
    instance = make("host-permutation-8")
    links = instance.topology.links
    up = {int(src): int(dst) for src, dst in zip(links.src, links.dst, strict=True)}
    apart = sum(
        up[int(src)] != up[int(dst)] for src, dst in zip(instance.flows.src, instance.flows.dst, strict=True)
    )  # a host has one link
    assert plain(instance).demand_gbps.sum() == pytest.approx(apart * 400.0)


def test_loads_in_which_traffic_vanishes_are_refused() -> None:
    """One Gb/s less on one link."""
    given = plain(make("uniform-4"))
    load = checks.equal_split(given)
    load[0] -= 1.0
    with pytest.raises(checks.WrongAnswerError, match="appears or vanishes"):
        checks.conserved(given, load)


def test_prices_of_a_cut_prove_its_ratio() -> None:
    """The k/2 uplinks of the first edge switch are full, by what it sends: price 1 on them proves utilisation 1."""
    given = plain(make("uniform-4"))
    price = (given.tail == given.ends[0]).astype(float)
    assert checks.proven_bound(given, price) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(
    ("agrees", "theta", "words"),
    [
        ("equal", 1.01, "WRONG, it or ours: finds 1.01 where ours is 1"),
        ("optimum", 0.97, "below our proven bound 0.98"),
        ("above", 0.97, "below our proven bound 0.98"),
        ("optimum", 0.99, None),
        ("above", 1.3, None),
        ("", 7.0, None),
    ],
)
def test_answers_that_cannot_both_be_right_are_not_printed(agrees: str, theta: float, words: str | None) -> None:
    """Ours is 1 with a proof of 0.98."""
    ours = Outcome(Method("ours", None), answer=Answer(1.0, 0.98))
    found = judged(Outcome(Method("peer", None, agrees), answer=Answer(theta)), ours)
    assert (found.failure is None) == (words is None)
    if words is not None and found.failure is not None:
        assert words in found.failure.reason


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import time; time.sleep(60)", "over 0.5 s"),
        ("x = bytearray(2**36)", "out of memory (8 GiB)"),
        ("import no_such_peer", "not installed: No module named 'no_such_peer'"),
        ("raise SystemExit(3)", "FAILED (3)"),
        ("""print('{"failed": "no answer"}')""", "no answer"),
    ],
)
def test_a_run_that_fails_says_why(program: str, reason: str) -> None:
    """Killed at its limit, out of memory, not installed, broken, or by its own word."""
    found = attempt([sys.executable, "-c", program], limit_s=0.5 if "sleep" in program else 30.0)
    assert isinstance(found, Failure)
    assert found.reason.startswith(reason)


def test_a_case_says_what_it_took() -> None:
    """ECMP on the smallest tree, in a process of its own: full uplinks."""
    found = attempt([sys.executable, "-m", "benchmarks.cases.ours", "ecmp", "uniform-4"], limit_s=120.0)
    assert isinstance(found, Run), found
    assert found.printed["theta"] == pytest.approx(1.0)
    assert 0 < found.seconds <= found.wall_s
    assert 0 < found.peak_mib <= found.child_mib * 1.01


def test_damage_is_the_same_for_all_traffic() -> None:
    """3 % of the cables between switches of k = 8: the same 8 of 256 whatever is sent."""
    down = [~make(f"{kind}-8").topology.up for kind in ("edge-permutation", "gravity", "host-permutation")]
    assert down[0].sum() == 16
    assert all(np.array_equal(down[0], other) for other in down)


@pytest.mark.parametrize("work", ALL.values(), ids=ALL)
def test_every_piece_of_work_names_a_case_that_exists(work) -> None:
    """The command of every method is a module of benchmarks.cases or the program itself."""
    for method in work.methods:
        if method.command is None:
            continue
        command = list(method.command(10.0))
        if "-m" in command:
            module = command[command.index("-m") + 1]
            assert (ROOT / (module.replace(".", "/") + ".py")).exists()
        else:
            assert command[0].endswith("fabric")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # topohub leaves its file open
def test_a_real_network_has_the_size_it_claims() -> None:
    """Germany's 50 nodes and 88 cables (SNDlib), as topohub has them."""
    pytest.importorskip("topohub")
    given = plain(make("topohub/sndlib/germany50"))
    assert (given.nodes, len(given.tail), given.pairs) == (50, 176, 50 * 49)


def test_failures_by_plain_arrays_are_what_a_plain_search_finds() -> None:
    """The fullest link after each of three cables is lost."""
    from benchmarks.cases.failures import numpy_plain, parts_of

    instance = make("uniform-4")
    given = plain(instance)
    arc = {int(link): number for number, link in enumerate(given.link)}
    lost = [links for _, _, links in parts_of(instance.topology, None)[:3]]
    found = numpy_plain(given, [np.array([arc[int(link)] for link in links]) for links in lost])
    for peak, links in zip(found.tolist(), lost, strict=True):
        after = plain(replace(instance, topology=instance.topology.with_down(links=links)))
        assert peak == pytest.approx((checks.equal_split(after) / after.gbps).max())
