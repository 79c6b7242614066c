"""Stride, bit complement, incast, outcast, hotspot and longest matching."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
from traffic_clusters import plain, run

from topologies.errors import TrafficError
from traffic.inventory import Inventory


def _pairs(job):
    flows = job.phases[0].flows
    return list(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True))


def test_a_stride_goes_round_and_half_way_unless_said():
    """4 hosts: by one, and by two."""
    assert _pairs(run("stride", plain(4), size="8 B", step=1)) == [(0, 1, 8.0), (1, 2, 8.0), (2, 3, 8.0), (3, 0, 8.0)]
    assert _pairs(run("stride", plain(4), rate="8 Gb/s")) == [(0, 2, 8.0), (1, 3, 8.0), (2, 0, 8.0), (3, 1, 8.0)]
    with pytest.raises(TrafficError, match="a step of 8 among 4 places leads back"):
        run("stride", plain(4), size="8 B", step=8)


def test_a_bit_complement_turns_all_bits():
    """8 hosts: i and 7 − i; of 5 the middle one is silent."""
    assert {(src, dst) for src, dst, _ in _pairs(run("bit-complement", plain(8), size="1 B"))} == {
        (number, number ^ 7) for number in range(8)
    }
    assert len(_pairs(run("bit-complement", plain(5), size="1 B"))) == 4


def test_an_incast_meets_at_one_and_an_outcast_leaves_one():
    """7 senders to one target; one source to 3 receivers, of S each."""
    flows = run("incast", plain(8), size="4 B", seed=1).phases[0].flows
    assert sorted(flows.received(8).tolist()) == [0] * 7 + [28]
    flows = run("outcast", plain(8), size="4 B", fan_out=3, seed=1).phases[0].flows
    assert sorted(flows.sent(8).tolist()) == [0] * 7 + [12]
    assert sorted(flows.received(8).tolist()) == [0] * 5 + [4] * 3
    with pytest.raises(TrafficError, match=r"fan_in is 8, but there are 8 places .*at most 7"):
        run("incast", plain(8), size="4 B", fan_in=8)


def test_a_hotspot_takes_its_share():
    """Half of 8 hosts' 16 to one host: 7 of 8 senders send it 8, and everybody 8/8 to each other."""
    flows = run("hotspot", plain(8), size="16 B", share="50%", seed=1).phases[0].flows
    received = np.sort(flows.received(8))
    np.testing.assert_allclose(received, [7.0] * 7 + [7 * 8 + 7])
    with pytest.raises(TrafficError, match="9 hot places of 8"):
        run("hotspot", plain(8), size="1 B", hot=9)


def test_a_longest_matching_goes_farthest():
    """A ring of six switches: everybody sends half way round; no permutation is farther (all 720 are tried)."""
    from topologies.assemble import assemble

    net = assemble("ring", "ring")
    hosts = net.hosts([f"h{i}" for i in range(6)])
    switches = net.switches("switch", [f"s{i}" for i in range(6)], level=1)
    net.cables(hosts, switches, 100.0)
    net.cables(switches, np.roll(switches, -1), 100.0)
    topology = net.freeze()
    flows = run("longest-matching", Inventory({}, {"main": topology}), size="1 B").phases[0].flows
    graph = nx.cycle_graph(6)
    hops = dict(nx.all_pairs_shortest_path_length(graph))
    best = max(sum(hops[i][j] for i, j in enumerate(image)) for image in itertools.permutations(range(6)))
    assert sum(hops[src][dst] for src, dst in zip(flows.src.tolist(), flows.dst.tolist(), strict=True)) == best == 18


def test_patterns_share_their_keys():
    """A phase's name, the level, the members; the pattern's own keys are checked."""
    job = run("incast", plain(8, leaves=4), size="4 B", level="leaf", phase="gather", targets=1, fan_in=2, seed=3)
    assert (job.kind, job.phases[0].name, job.ranks) == ("incast", "gather", 4)
    assert job.phases[0].flows.total == pytest.approx(8)
    assert run("alltoall", plain(4), size="4 B").kind == "all-to-all"
