"""Bisection against closed forms, and the halving against every halving of small networks."""

import itertools

import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.bisection import bisection
from topologies.builder import TOPOLOGIES


def build(kind, **keys):
    return TOPOLOGIES[kind]({"speed": "100G", **keys})


@pytest.mark.parametrize(
    ("kind", "keys", "cables"),
    [
        ("torus", {"dims": [8]}, 2),
        ("torus", {"dims": [8, 4]}, 8),  # 2 * 4, across the long dimension
        ("torus", {"dims": [8, 8, 8]}, 128),  # 2 * 8^2
        ("torus", {"dims": [4, 4, 4], "wrap": False}, 16),
        ("torus", {"dims": [2] * 6}, 32),  # a hypercube: half of its nodes
        ("hyperx", {"dims": [8], "endpoints_per_switch": 1}, 16),  # a clique: (S/2)^2
        ("hyperx", {"dims": [4, 4], "endpoints_per_switch": 2}, 16),
    ],
)
def test_the_halving_is_that_of_the_closed_form(kind, keys, cables):
    """Dally and Towles 2004, chapter 5, and Ahn 2009, section 2."""
    cut = bisection(build(kind, **keys)).cut
    assert cut.cables == cables
    assert cut.gbps == pytest.approx(100.0 * cables)
    assert cut.at_least_gbps <= cut.gbps + 1e-6


@pytest.mark.parametrize("seed", range(12))
def test_no_halving_of_a_small_network_is_narrower_and_the_bound_holds(seed):
    rng = np.random.default_rng(seed)
    count = 8
    pairs = [pair for pair in itertools.combinations(range(count), 2) if rng.random() < 0.45]
    pairs += [(i, (i + 1) % count) for i in range(count)]
    gbps = rng.choice([100.0, 200.0, 400.0], size=len(pairs))
    net = assemble("random", "random")
    ids = net.switches("switch", [f"s{i}" for i in range(count)], level=1)
    net.cables(net.hosts([f"h{i}" for i in range(count)]), ids, 100.0)
    net.cables([ids[a] for a, _ in pairs], [ids[b] for _, b in pairs], gbps)
    least = min(
        sum(rate for (a, b), rate in zip(pairs, gbps, strict=True) if (a in half) != (b in half))
        for half in itertools.combinations(range(count), count // 2)
    )
    cut = bisection(net.freeze()).cut
    assert cut.gbps == pytest.approx(least)
    assert cut.at_least_gbps <= least + 1e-6


def test_spines_take_the_side_that_cuts_least():
    """Dragonfly+ of two groups: all cables between the groups, none inside."""
    net = build("dragonfly-plus", groups=2, leaves=2, spines=2, p=2, global_links=2)
    cut = bisection(net).cut
    assert cut.cables == np.count_nonzero(net.links.tier == net.tiers.index("global")) / 2


def test_boundaries_of_levels_have_their_cables_and_half_their_rate():
    found = bisection(TOPOLOGIES["leaf-spine"](
        {"leaves": 4, "spines": 2, "hosts_per_leaf": 12, "host_speed": "100G", "uplink_speed": "200G"}
    ))  # fmt: skip
    assert found.cut is None
    host, leaf = found.tiers
    assert (host.tier, host.cables, host.gbps, host.ratio) == ("host-leaf", 48, 4800.0, 1.0)
    assert (leaf.cables, leaf.gbps, leaf.bisection_gbps) == (8, 1600.0, 800.0)
    assert leaf.ratio == pytest.approx(1 / 3)  # 3:1 oversubscribed


def test_spare_and_management_cables_are_no_boundary_and_failures_count():
    net = TOPOLOGIES["superpod"](dict(TOPOLOGIES["superpod"].example))
    assert [entry.tier for entry in bisection(net).tiers] == ["host-leaf", "leaf-spine"]
    spine = bisection(net.with_down(nodes=[net.node("spine0")])).tiers[1]
    assert spine.gbps < bisection(net).tiers[1].gbps
