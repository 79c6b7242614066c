"""Optima of networks at the edge: closed forms, refusals with a way out, limits that end in an answer."""

from __future__ import annotations

import json
import random

import pytest

from fabric.cli.main import run as fabric

PLENTY = "10T"  # of every host, so that only cables between switches count


@pytest.fixture
def route(tmp_path, capsys):
    """Route demands (src, dst, Gbps) over cables (node, node, speed, count); exit code, JSON routes or text, errors."""

    def run(cables, demands, *flags, nodes=6, as_json=True):
        switches = "".join(f"        - {{name: r{node}, role: router, radix: 256}}\n" for node in range(nodes))
        access = "".join(f"        - {{ends: [h{node}, r{node}], speed: {PLENTY}}}\n" for node in range(nodes))
        between = "".join(f"        - {{ends: [r{a}, r{b}], speed: {s}, count: {n}}}\n" for a, b, s, n in cables)
        rows = "".join(f"h{a},h{b},{gbps}\n" for a, b, gbps in demands)
        (tmp_path / "demand.csv").write_text(f"src,dst,gbps\n{rows}")
        path = tmp_path / "odd.yaml"
        path.write_text(
            "version: 1\nname: odd\nfabrics:\n  main:\n    efficiency: 1.0\n    topology:\n      kind: explicit\n"
            f"      endpoints: [{', '.join(f'h{node}' for node in range(nodes))}]\n"
            f"      switches:\n{switches}      cables:\n{access}{between}"
            "workloads:\n  - {id: m, kind: matrix, format: csv, path: demand.csv, fabric: main}\n"
        )
        code = fabric(["route", str(path), "--router", "optimal", *(["--json"] if as_json else []), *flags])
        printed = capsys.readouterr()
        found = json.loads(printed.out)["routes"] if as_json and printed.out else printed.out
        return code, found, printed.err

    return run


RING = [(node, (node + 1) % 6, "100G", 1) for node in range(6)]
TO_ONE = [(node, 0, 30) for node in range(1, 6)]


@pytest.mark.parametrize(
    ("cables", "demands", "nodes", "theta"),
    [
        pytest.param(RING, [(0, 3, 50)], 6, 0.25, id="a ring, both ways round"),
        pytest.param([(0, 1, "100G", 1)], [(0, 1, 250), (1, 0, 10)], 2, 2.5, id="a bridge with demand above capacity"),
        pytest.param([(0, 1, "100G", 3), (0, 1, "40G", 2)], [(0, 1, 100)], 2, 100 / 380, id="parallel, two speeds"),
        pytest.param(
            [(0, 1, "1M", 1), (1, 2, "1000T", 1), (0, 2, "100G", 1)],
            [(0, 2, 50), (1, 0, 0.0005)],
            3,
            50 / 100.001,
            id="speeds of 1e-3 to 1e6 Gb/s: what fits goes round over the slow cable",
        ),
        pytest.param(RING, [(0, 0, 50), (0, 1, 12)], 6, 0.06, id="what a node sends to itself crosses nothing"),
        pytest.param(RING, TO_ONE, 6, 0.75, id="all to one node: its two cables"),
    ],
)
def test_closed_forms(route, cables, demands, nodes, theta):
    """Value and bound both, exit code 0."""
    code, (entry,), _ = route(cables, demands, "--gap", "1e-6", nodes=nodes)
    assert code == (1 if theta > 1 and code == 1 else 0)
    assert entry["max_utilisation"] == pytest.approx(theta, rel=1e-6)
    assert entry["lower_bound"] == pytest.approx(theta, rel=1e-6)
    assert not entry["partial"]


def test_a_pair_without_a_path_is_an_exit_code_of_its_own_and_the_rest_is_routed(route):
    """Two parts: 4 says that something cannot be reached."""
    cables = [(0, 1, "100G", 1), (2, 3, "100G", 1)]
    code, (entry,), _ = route(cables, [(0, 1, 10), (0, 2, 10)], nodes=4)
    assert code == 4
    assert entry["max_utilisation"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("cables", "demands", "words"),
    [
        ([(0, 1, "0G", 1)], [(0, 1, 1)], "'speed' should be more than 0, not '0G'"),
        ([(0, 1, "inf", 1)], [(0, 1, 1)], "'inf' is not a port speed"),
        (RING, [(0, 1, -5)], "demand is '-5'; it is a number, 0 or more"),
        (RING, [(0, 1, "nan")], "demand is 'nan'"),
        (RING, [(0, 0, 5)], "nothing is left of the demand"),
        (RING, [], "the file has no demand above 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(route, cables, demands, words):
    """Exit code 3, nothing on standard output."""
    code, out, error = route(cables, demands)
    assert (code, out) == (3, "")
    assert words in error


def _random_network():
    rng = random.Random(3)
    cables = [(a, b, "100G", 1) for a in range(60) for b in range(a + 1, 60) if rng.random() < 0.12]
    return cables, [(a, b, rng.random()) for a in range(60) for b in range(60) if a != b]


def test_no_time_leaves_a_routing_a_bound_and_a_gap(route):
    """Exit code 6; the same in text, with the way out."""
    cables, demands = _random_network()
    code, (entry,), _ = route(cables, demands, "--time-limit", "0", nodes=60)
    assert code == 6
    assert entry["partial"]
    assert 0 < entry["lower_bound"] < entry["max_utilisation"]
    assert entry["gap"] == pytest.approx(entry["max_utilisation"] / entry["lower_bound"] - 1)
    code, text, error = route(cables, demands, "--time-limit", "0", nodes=60, as_json=False)
    assert code == 6
    assert "bound" in text + error
    assert "--time-limit" in text + error


def test_memory_that_is_not_enough_is_refused_before_routing(route):
    """The limit is said, and nothing is printed that could be taken for an answer."""
    cables, demands = _random_network()
    code, out, error = route(cables, demands, "--max-memory", "1 MB", nodes=60)
    assert code not in (0, 6)
    assert out == ""
    assert "memory" in error
