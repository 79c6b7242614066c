"""Synthetic patterns: totals, who sends, seeds, leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic_clusters import cluster, plain, run

from topologies.errors import TrafficError
from traffic.patterns.permutation import derangement
from traffic.workload import PATTERNS, WORKLOADS


def test_every_pattern_is_a_workload():
    """A pattern nobody can ask for is dead code."""
    assert set(PATTERNS.names()) <= set(WORKLOADS.names())


@pytest.mark.parametrize("kind", ["all-to-all", "alltoall", "uniform"])
def test_each_member_sends_its_share_to_every_other(kind):
    """10 members of 1 GB: 9 x 100 MB each."""
    found = run(kind, plain(10), size="1 GB").phases[0]
    np.testing.assert_allclose(found.flows.sent(10), 0.9e9)
    np.testing.assert_allclose(found.flows.received(10), 0.9e9)
    assert (found.pairs, found.total_bytes, found.sent_bytes_per_rank) == (90, pytest.approx(9e9), pytest.approx(0.9e9))


def test_all_to_all_of_a_k48_fat_tree_has_no_rows():
    """27,648 members, 764 million pairs, one block."""
    found = run("all-to-all", plain(27_648), size="1 GiB").phases[0]
    assert (len(found.flows.src), len(found.flows.blocks), found.pairs) == (0, 1, 27_648 * 27_647)


@pytest.mark.parametrize(("keys", "flows"), [({}, 1), ({"qps_per_connection": 4}, 4)])
def test_a_pair_has_as_many_flows_as_queue_pairs(keys, flows):
    """One unless it is said; the bytes are the same."""
    found = run("permutation", plain(8), size="1 GB", **keys)
    assert found.phases[0].flows_per_pair == flows
    assert found.phases[0].total_bytes == pytest.approx(8e9)
    assert any("qps_per_connection" in text for text in found.assumptions) == (not keys)


def test_a_rate_is_steady():
    """40 Gbps per member, three quarters of it leave."""
    found = run("uniform", plain(4), rate="40 Gb/s").phases[0]
    assert (found.steady, found.rate_gbps, found.total_bytes) == (True, pytest.approx(120), 0)


@pytest.mark.parametrize("leaves", [2, 4])
def test_leaf_level_spreads_a_leafs_traffic_over_its_endpoints(leaves):
    """Per leaf S·(n−1)/n in all, nothing inside a leaf, each of its endpoints the same."""
    found = run("all-to-all", plain(12, leaves=leaves), size="1 GB", level="leaf").phases[0]
    assert found.group_size == leaves
    assert found.sent_bytes_per_rank == pytest.approx(1e9 * (leaves - 1) / leaves)
    np.testing.assert_allclose(found.flows.sent(12), 1e9 * (leaves - 1) / leaves / (12 // leaves))
    for block in found.flows.blocks:
        assert len(np.unique(block.members // (12 // leaves))) == leaves


def test_uneven_leaves_are_exact_in_total_and_told():
    """7 endpoints on 2 leaves, 4 and 3."""
    job = run("all-to-all", plain(7, leaves=2), size="1 GB", level="leaf")
    sent = job.phases[0].flows.sent(7)
    assert (sent[:4].sum(), sent[4:].sum()) == (pytest.approx(0.5e9), pytest.approx(0.5e9))
    assert any("different numbers of endpoints" in told for told in job.assumptions)


@pytest.mark.parametrize("level", ["endpoint", "leaf"])
def test_a_permutation_sends_once_and_receives_once(level):
    """12 endpoints on 4 leaves; nobody to itself."""
    flows = run("permutation", plain(12, leaves=4), size="3 GB", level=level, seed=3).phases[0].flows
    each = 3e9 if level == "endpoint" else 1e9
    np.testing.assert_allclose(flows.sent(12), each)
    np.testing.assert_allclose(flows.received(12), each)
    if level == "leaf":
        assert np.all(flows.src // 3 != flows.dst // 3)


@given(st.integers(2, 40), st.integers(0, 1000))
def test_a_derangement_moves_everything(count, seed):
    """And is a permutation."""
    image = derangement(count, np.random.default_rng(seed))
    assert sorted(image.tolist()) == list(range(count))
    assert not np.any(image == np.arange(count))


@pytest.mark.parametrize("level", ["endpoint", "leaf"])
def test_gravity_sends_the_sum_of_all_sizes(level):
    """n·S in all, symmetric between places."""
    found = run("gravity", plain(12, leaves=4), size="1 GB", level=level, seed=5).phases[0]
    places = 12 if level == "endpoint" else 4
    assert found.total_bytes == pytest.approx(places * 1e9)
    matrix = np.zeros((places, places))
    width = 12 // places
    np.add.at(matrix, (found.flows.src // width, found.flows.dst // width), found.flows.amount)
    np.testing.assert_allclose(matrix, matrix.T)


@pytest.mark.parametrize("kind", ["permutation", "gravity"])
def test_seeds_decide(kind):
    """Same seed, same rows; without one the scenario's generator is used."""
    one, same, other, none = (
        run(kind, plain(30), size="1 GB", **keys).phases[0].flows
        for keys in ({"seed": 1}, {"seed": 1}, {"seed": 2}, {})
    )
    assert (one.dst.tobytes(), one.amount.tobytes()) == (same.dst.tobytes(), same.amount.tobytes())
    assert (one.dst.tobytes(), one.amount.tobytes()) != (other.dst.tobytes(), other.amount.tobytes())
    assert none.total == pytest.approx(one.total)


def test_members_and_phase_can_be_named():
    """The NICs of a group on its rail fabric, and a phase of another name."""
    job = run("all-to-all", cluster(2), members="gpu", size="1 GB", phase="shuffle")
    assert (job.phases[0].name, job.phases[0].fabric, job.phases[0].group_size) == ("shuffle", "backend", 16)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "takes either a size or a rate; neither is given"),
        ({"size": "1 GB", "rate": "1 Gb/s"}, "size: all-to-all takes either a size or a rate; both are given"),
        ({"size": "1 GB", "members": "gpus"}, "members: unknown node group 'gpus'"),
        ({"size": "1 GB", "level": "leaf"}, "1 leaf cannot exchange traffic"),
    ],
)
def test_patterns_that_make_no_sense_are_refused(keys, message):
    """Eight endpoints on one leaf."""
    with pytest.raises(TrafficError, match=message):
        run("all-to-all", plain(8), **keys)


def test_gravity_between_too_many_endpoints_is_refused():
    """25 million rows."""
    with pytest.raises(TrafficError, match="gravity between 5,000 places is 24,995,000 demands"):
        run("gravity", plain(5000), size="1 GB")
