"""Bytes of collectives against FIELD.md section 2, and their expansion to flows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topologies.errors import TrafficError
from traffic.bare_collective import bare_collective, bus_factor
from traffic.collective import COLLECTIVES, GroupLayout
from traffic.expand import expand
from traffic.seats import run

SHARE = {
    "ring-all-reduce": lambda n: 2 * (n - 1) / n,
    "ring-reduce-scatter": lambda n: (n - 1) / n,
    "ring-all-gather": lambda n: (n - 1) / n,
    "all-to-all": lambda n: (n - 1) / n,
    "pxn-all-to-all": lambda n: (n - 1) / n,
    "node-deduplicated-all-to-all": lambda n: (n - 1) / n,
    "hierarchical-all-reduce": lambda n: 2 * (n - 1) / n,
    "hierarchical-reduce-scatter": lambda n: (n - 1) / n,
    "hierarchical-all-gather": lambda n: (n - 1) / n,
    "halving-doubling-all-reduce": lambda n: 2 * (n - 1) / n,
    "halving-doubling-reduce-scatter": lambda n: (n - 1) / n,
    "halving-doubling-all-gather": lambda n: (n - 1) / n,
    "in-network-all-reduce": lambda n: 1.0 if n > 1 else 0.0,
    "ring-send-recv": lambda n: 1.0 if n > 1 else 0.0,
    "send-recv": lambda n: 1.0 if n > 1 else 0.0,
    "pipelined-broadcast": lambda n: 1.0 if n > 1 else 0.0,
    "pipelined-reduce": lambda n: 1.0 if n > 1 else 0.0,
    "tree-all-reduce": lambda n: 2.0,
    "nvls-all-reduce": lambda n: 1.0 + 1 / n if n > 1 else 0.0,
    "nvls-tree-all-reduce": lambda n: 2.0,
}
CHAINS = ("send-recv", "pipelined-broadcast", "pipelined-reduce")
POWERS = {"halving-doubling-reduce-scatter", "halving-doubling-all-gather", "halving-doubling-all-reduce"}
TREES = {"tree-all-reduce", "nvls-tree-all-reduce"}
EVEN = sorted(set(SHARE) - TREES)


def test_every_collective_has_a_closed_form_here():
    """A new file must bring its formula."""
    assert set(COLLECTIVES.names()) == set(SHARE)


@pytest.mark.parametrize("name", EVEN)
@pytest.mark.parametrize("n", [1, 2, 7, 64, 300])
def test_bytes_per_rank_and_in_all_follow_the_closed_form(name, n):
    """Sum over pairs = ranks that send x bytes each; every rank on a host of its own."""
    n = 1 << (n.bit_length() - 1) if name in POWERS else n
    traffic = run(name, n, 1e9)
    each = SHARE[name](n) * 1e9
    senders = n - 1 if name in CHAINS else n
    flows = expand(traffic, np.arange(n)[None, :], np.arange(n)[None, :])
    assert traffic.sent_bytes_per_rank == pytest.approx(each)
    assert flows.total == pytest.approx(senders * each)
    assert traffic.total_bytes == pytest.approx(senders * each)
    assert flows.sent(n).max() == pytest.approx(each)


@pytest.mark.parametrize("n", [4, 5, 16, 33, 100])
def test_a_double_tree_spreads_all_edges_over_two_trees(n):
    """n−1 edges a tree, S/2 up and down each: 2·S·(n−1) in all; inside one tree, a leaf of the other."""
    from traffic.double_tree import double_tree

    child, parent = double_tree(n)
    traffic = run("tree-all-reduce", n, 1.0)
    assert traffic.total_bytes == pytest.approx(2 * (n - 1))
    assert traffic.sent_bytes_per_rank <= 2.0
    for tree in (slice(None, n - 1), slice(n - 1, None)):
        assert len(set(child[tree].tolist())) == n - 1  # every node but the root has one parent
        up = dict(zip(child[tree].tolist(), parent[tree].tolist(), strict=True))
        for node in up:
            for _ in range(n):
                node = up.get(node, node)
            assert node not in up  # all reach the root
    inner = [np.bincount(parent[tree], minlength=n) > 0 for tree in (slice(None, n - 1), slice(n - 1, None))]
    assert int((inner[0] & inner[1]).sum()) <= 2


@pytest.mark.parametrize("n", [3, 5, 6, 12, 100])
def test_ranks_beyond_a_power_of_two_fold_onto_others(n):
    """They send S and get S; the busiest partner sends S more than its 2·S·(m−1)/m."""
    traffic = run("halving-doubling-all-reduce", n, 1.0)
    core = 1 << (n.bit_length() - 1)
    assert traffic.sent_by(n).max() == pytest.approx(2 * (core - 1) / core + 1) == traffic.sent_bytes_per_rank
    np.testing.assert_allclose(traffic.sent_by(n)[core:], 1.0)
    np.testing.assert_allclose(traffic.received_by(n)[core:], 1.0)


def test_halving_among_other_numbers_is_refused():
    """Reduce-scatter of 6: 4 or 8 ranks would do."""
    with pytest.raises(TrafficError, match=r"power of two of ranks; there are 6 .*or 4 or 8 ranks"):
        run("halving-doubling-reduce-scatter", 6, 1.0)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("ring-all-reduce", 2 * 31 / 32 * 7 / 8, 2 * 31 / 32 / 8),
        ("hierarchical-all-reduce", 2 * 7 / 8, 2 / 8 * 3 / 4),
        ("hierarchical-all-gather", 7 / 8, 1 / 8 * 3 / 4),
        ("in-network-all-reduce", 2 * 7 / 8, 1 / 8),
        ("pxn-all-to-all", 0, (32 - 8) / 32),
    ],
)
def test_on_hosts_of_eight_each_rail_carries_an_eighth(name, inside, outside):
    """Four hosts: what leaves a GPU's NIC goes to the same GPU of another host."""
    traffic, layout = run(name, 32, 1.0, GroupLayout.of(32, 8)), GroupLayout.of(32, 8)
    found = bare_collective("all-to-all" if "all-to-all" in name else name.split("-", 1)[1].removeprefix("network-"),
                            name.split("-all")[0], 32, 1.0, ranks_per_host=8)  # fmt: skip
    assert found.sent_on_fabric_bytes_per_rank == pytest.approx(outside)
    assert traffic.sent_bytes_per_rank == pytest.approx(inside + outside)
    apart = layout.host[traffic.src] != layout.host[traffic.dst]
    assert (layout.gpu[traffic.src] == layout.gpu[traffic.dst])[apart].all()
    for block in traffic.blocks:
        assert len(np.unique(layout.gpu[block.members])) == 1


def test_deduplication_sends_one_copy_to_each_different_host():
    """8 copies go to any of 4 of 8 hosts, one's own among them: 4·(1 − (3/4)⁸)·7/8 of a copy on the fabric."""
    found = bare_collective(
        "all-to-all", "node-deduplicated", 64, 8.0, ranks_per_host=8, copies=8, node_limit=4, speed_gbps=8e-9
    )
    assert found.sent_bytes_per_rank == pytest.approx(3.1496, abs=1e-4)
    assert found.lower_bound_s == pytest.approx(found.sent_bytes_per_rank)
    assert found.total_bytes == pytest.approx(64 * found.sent_bytes_per_rank)


@pytest.mark.parametrize(
    ("operation", "factor"),
    [("all-reduce", 1.75), ("reduce-scatter", 0.875), ("all-gather", 0.875), ("all-to-all", 0.875), ("broadcast", 1)],
)
def test_the_bus_factors_are_those_of_nccl_tests(operation, factor):
    """nccl-tests doc/PERFORMANCE.md: 2(n−1)/n, (n−1)/n, 1."""
    assert bus_factor(operation, 8) == factor


@pytest.mark.parametrize(
    ("spelled", "algorithm", "meant"),
    [("all_reduce", "double-binary-tree", "all-reduce"), ("alltoall", None, "all-to-all"),
     ("AllReduce", "sharp", "all-reduce"), ("sendrecv", None, "send-recv"), ("reduce", None, "reduce"),
     ("broadcast", "ring", "broadcast")],
)  # fmt: skip
def test_names_of_other_tools_are_understood(spelled, algorithm, meant):
    """nccl-tests' program names, and the words of papers."""
    assert bare_collective(spelled, algorithm, 8, 1.0).operation == meant


@pytest.mark.parametrize("operation", ["all-reduce", "reduce-scatter", "all-gather", "all-to-all", "broadcast"])
def test_the_lower_bound_is_the_bus_factor_over_the_speed(operation):
    """1 GB over 400 Gb/s: factor x 20 ms."""
    found = bare_collective(operation, None, 128, 1e9, speed_gbps=400)
    assert found.lower_bound_s == pytest.approx(found.bus_factor * 0.02)


@pytest.mark.parametrize("name", ["pxn-all-to-all", "node-deduplicated-all-to-all"])
def test_inside_one_host_every_all_to_all_is_direct(name):
    """Eight ranks of one host: S/8 to each other over NVLink."""
    traffic = run(name, 8, 8.0, GroupLayout.of(8, 8), copies=2)
    assert (traffic.sent_bytes_per_rank, traffic.pairs) == (7.0, 56)


def test_an_unknown_algorithm_names_those_there_are():
    """And an unknown operation the nearest."""
    with pytest.raises(TrafficError, match=r"no all-reduce by the algorithm 'rang' .*did you mean 'ring'"):
        bare_collective("all-reduce", "rang", 8, 1.0)
    with pytest.raises(TrafficError, match=r"unknown collective 'all-redcue' .*did you mean 'all-reduce'"):
        bare_collective("all-redcue", None, 8, 1.0)


# ---- expansion -------------------------------------------------------------------------------------------------------


def test_a_ring_goes_to_the_next_in_the_group_not_the_next_number():
    """Group 5, 2, 9: 5 to 2, 2 to 9, 9 to 5."""
    flows = expand(run("ring-all-gather", 3, 3.0), np.array([[5, 2, 9]]), np.array([[0, 1, 2]]))
    assert list(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)) == [
        (2, 9, 2.0),
        (5, 2, 2.0),
        (9, 5, 2.0),
    ]


def test_pairs_inside_a_host_stay_on_nvlink():
    """Four ranks, two hosts, in rank order: of the ring's four hops two leave a host."""
    flows = expand(run("ring-all-reduce", 4, 4.0), np.array([[0, 1, 2, 3]]), np.array([[0, 0, 1, 1]]))
    assert flows.pairs == 2
    assert flows.total == pytest.approx(2 * 6.0)


def test_a_large_dense_exchange_is_one_block():
    """300 ranks on 300 hosts; 89,700 pairs, no rows."""
    flows = expand(run("all-to-all", 300, 300.0), np.arange(300)[None, :], np.arange(300)[None, :])
    assert (len(flows.blocks), len(flows.src), flows.pairs) == (1, 0, 300 * 299)


def test_a_large_dense_exchange_that_shares_hosts_is_rows():
    """300 ranks on 150 hosts: each rank has 298 partners outside its host."""
    flows = expand(run("all-to-all", 300, 300.0), np.arange(300)[None, :], (np.arange(300) // 2)[None, :])
    assert (len(flows.blocks), flows.pairs) == (0, 300 * 298)


def test_an_exchange_of_too_many_pairs_points_to_the_rails():
    """8,192 ranks on 4,096 hosts: 67 million pairs."""
    seats = np.arange(8192)[None, :]
    with pytest.raises(TrafficError, match=r"67,100,672 pairs; 40,000,000 are the most .*all_to_all: pxn"):
        expand(run("all-to-all", 8192, 1.0), seats, seats // 2)


@given(st.integers(2, 12), st.integers(1, 4), st.sampled_from(sorted(set(SHARE) - POWERS)))
def test_expansion_adds_up_over_groups(n, count, name):
    """Groups on disjoint hosts send count times what one sends."""
    traffic = run(name, n, 100.0)
    seats = np.arange(n * count).reshape(count, n)
    assert expand(traffic, seats, seats).total == pytest.approx(count * traffic.total_bytes)


@given(st.integers(1, 6), st.integers(1, 8), st.sampled_from(sorted(set(SHARE) - POWERS)))
def test_with_hosts_the_busiest_rank_still_sends_the_closed_form(hosts, per_host, name):
    """Any even layout; what is sent is what is received."""
    n = hosts * per_host
    traffic = run(name, n, 100.0, GroupLayout.of(n, per_host))
    assert traffic.sent_by(n).max(initial=0) == pytest.approx(traffic.sent_bytes_per_rank)
    assert traffic.sent_by(n).sum() == pytest.approx(traffic.received_by(n).sum())
