"""The collective library: choices and times against NCCL's own log, published runs, and a case worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from library_runs import FORMER_STEPS_US, LOGGED, LOGGED_ON, MEASURED
from traffic_clusters import cluster, run

from topologies.errors import TrafficError
from traffic.library.call import call_of, connections
from traffic.library.constants import MEASURED_WAY_S
from traffic.library.machine import (
    Machine,
    collective_channels,
    nvls_channels,
    peer_channels,
    ring_channels,
    tree_channels,
)
from traffic.library.tuner import Times, fastest, predictions

H100 = Machine("hopper", 16, 8, 8, 50.0, 450.0, True)
A100 = Machine("ampere", 16, 8, 8, 25.0, 300.0)
B200 = Machine("blackwell", 16, 8, 8, 50.0, 900.0, True)
B300 = Machine("blackwell", 16, 8, 8, 100.0, 900.0, True)


@pytest.mark.parametrize(("size", "algorithm", "protocol", "time_us"), LOGGED)
def test_choices_and_times_are_those_that_nccl_logged(size, algorithm, protocol, time_us):
    """Six digits of the log, but for the two steps between hosts that a ring had more at that time."""
    chosen = fastest(predictions("all-reduce", size, LOGGED_ON))
    former = FORMER_STEPS_US if algorithm == "ring" else 0.0
    assert (chosen.algorithm, chosen.protocol) == (algorithm, protocol)
    assert chosen.time_s * 1e6 + former == pytest.approx(time_us, rel=1e-6)


@pytest.mark.parametrize("run", MEASURED, ids=lambda run: run.source)
def test_small_messages_beside_measured_ones(run):
    """Misses stand as they are: runs on other processors, of one process for all GPUs, or on slower switches."""
    call = call_of("all-reduce", run.size_bytes, run.machine, algorithm=run.algorithm)
    assert call.predicted_s * 1e6 / run.time_us - 1 == pytest.approx(run.off, abs=0.02)


def test_a_call_worked_by_hand():
    """128 ranks on 16 hosts, ring, Simple, 64 MiB: 254 steps of which 30 cross hosts.

    8.4 + 224 x 3.4 + 30 x 14 µs, and 1.4 times that where pieces of channel and rank are 64 B or more.
    8 rings of 45 GB/s: 360 x 128/254 GB/s.
    """
    (ring,) = [
        entry
        for entry in predictions("all-reduce", 2**26, H100)
        if (entry.algorithm, entry.protocol) == ("ring", "simple")
    ]
    latency = (8.4 + 224 * 3.4 + 30 * 14.0) * 1.4e-6
    assert ring.latency.seconds == pytest.approx(latency)
    assert ring.gbytes_per_s == pytest.approx(360 * 128 / 254)
    assert ring.time_s == pytest.approx(latency + 2**26 / (360e9 * 128 / 254))
    call = call_of("all-reduce", 2**26, H100, algorithm="ring", protocol="simple")
    assert call.rounds == 30
    assert call.latency_s == pytest.approx(latency - 30 * 1.4e-6)


@pytest.mark.parametrize("protocol", ["ll", "ll128", "simple"])
def test_a_ring_of_128_ranks_at_1_mib_is_latency(protocol):
    """At 128 NICs of 400 Gb/s its bytes take 42 µs and less; the steps take hundreds."""
    call = call_of("all-reduce", 2**20, H100, algorithm="ring", protocol=protocol)
    steps = call.latency_s + call.rounds * 3e-6
    assert steps > 5 * 2 * 127 / 128 * 2**20 / 8 / 50e9
    assert call_of("all-reduce", 2**20, H100).predicted_s < steps / 2  # the library takes a tree


def test_channels_are_those_that_logs_show():
    """DGX H100: 24 channels alone, 16 over several hosts; DGX A100: 24 and 16. NVLink of B300 holds 16 of 45.1."""
    assert [collective_channels(replace(machine, hosts=1)) for machine in (H100, A100, B200)] == [24, 24, 32]
    assert [collective_channels(machine) for machine in (H100, A100, B200, B300)] == [16, 16, 16, 32]
    assert ring_channels(B300).between_gbytes_per_s == 45.1
    assert tree_channels(H100).between_gbytes_per_s == 48
    assert nvls_channels(H100).count == 8


def test_one_rank_a_host_has_one_nic_and_channels_of_its_own():
    """A rail's ring: 2 channels of 24 GB/s on a NIC of 48, doubled."""
    rail = replace(H100, ranks_per_host=1, nics_per_host=1)
    assert collective_channels(rail) == 4
    assert connections("all-reduce", "ring", rail, 1e9, "simple") == 4


@pytest.mark.parametrize(("hosts", "count"), [(2, 4), (4, 4), (8, 2), (16, 1), (128, 1)])
def test_sends_have_channels_until_all_peers_fit_in_one_round(hosts, count):
    """50 GB/s over 14 is 4; 16 channels hold 8 peers each."""
    assert peer_channels(replace(H100, hosts=hosts)) == count


@pytest.mark.parametrize(
    ("machine", "operation", "size", "algorithm"),
    [
        (H100, "all-reduce", 8, "tree"),
        (H100, "all-reduce", 2**30, "nvls-tree"),
        (A100, "all-reduce", 2**30, "ring"),
        (replace(H100, hosts=1), "all-reduce", 2**30, "nvls"),
        (H100, "all-gather", 2**30, "ring"),
        (replace(H100, hosts=64, ranks_per_host=1, nics_per_host=1), "all-gather", 2**10, "pat"),
        (H100, "broadcast", 2**30, "ring"),
    ],
)
def test_the_algorithm_follows_size_and_hosts(machine, operation, size, algorithm):
    """Trees for small buffers; NVLS where the scale-up network reduces; rings for what has no tree."""
    assert call_of(operation, size, machine).algorithm == algorithm


def test_two_hosts_of_h100_reach_the_nvls_tree_that_people_measure():
    """57.7 GB/s a channel times 8: 461 GB/s of bus bandwidth; nccl-tests #290 and others show 460 to 480."""
    best = fastest(predictions("all-reduce", 2**34, replace(H100, hosts=2)))
    assert best.algorithm == "nvls-tree"
    assert best.gbytes_per_s * 2 * 15 / 16 == pytest.approx(461.6, rel=0.01)


def test_on_the_measured_network_no_hop_counts_twice():
    """Latency of the library and ways of 1.4 µs add up to the model's own figure; slower ways add their difference."""
    for size in (8, 2**20):
        for entry in predictions("all-reduce", size, H100):
            call = call_of("all-reduce", size, H100, algorithm=entry.algorithm, protocol=entry.protocol)
            limits = call.latency_s + call.rounds * MEASURED_WAY_S - entry.latency.seconds
            assert -1e-12 < limits < size / (entry.gbytes_per_s * 1e9)


def test_times_can_be_given():
    """Steps of 1 and 2 µs, and a network that took 0.5 µs of the latter."""
    times = Times(base=0.0, inside=1e-6, between=2e-6, measured_way=0.5e-6)
    call = call_of("all-reduce", 8, H100, algorithm="ring", protocol="ll", times=times)
    bytes_us = 8 / (20.4e9 * 128 / 254) - 8 / (360e9 * 128 / 254)
    assert call.latency_s == pytest.approx(224e-6 + 30 * 1.5e-6 + bytes_us)


@pytest.mark.parametrize(
    ("machine", "keys", "match"),
    [
        (A100, {"algorithm": "nvls-tree"}, "nvls-tree does not do all-reduce on 16 hosts of 8 ranks: it takes GPUs"),
        (replace(H100, hosts=1), {"algorithm": "in-network"}, "it takes several hosts of at most 8 ranks"),
        (H100, {"algorithm": "nvls-tree", "protocol": "ll"}, "nvls-tree has no protocol ll"),
        (H100, {"algorithm": "pat"}, "pat does not do all-reduce"),
    ],
)
def test_what_the_library_cannot_run_is_refused_with_what_it_can(machine, keys, match):
    """The hint names algorithms or protocols that these hosts have."""
    with pytest.raises(TrafficError, match=match) as error:
        call_of("all-reduce", 2**20, machine, **keys)
    assert "or auto" in error.value.problems[0].hint


def test_a_collective_of_several_sizes_has_a_phase_each():
    """64 ranks on 8 hosts, NICs of their own; one call each."""
    found = run("collective", cluster(8), collective="AllReduce", size=["1 MiB", "1 GB"], fabric="backend")
    assert [phase.name for phase in found.phases] == ["all_reduce.1MiB", "all_reduce.1GB"]
    assert all(phase.calls == 1 and phase.rounds > 0 and phase.latency_s > 0 for phase in found.phases)
    assert "protocol" in found.assumptions[0]


def test_calls_in_a_row_add_bytes_and_steps():
    """Ten calls of one size: ten times the bytes, and ten times the latency of one."""
    one, ten = (
        run("collective", cluster(4), collective="all-gather", size="8 MiB", repeat=repeat, fabric="backend").phases[0]
        for repeat in (1, 10)
    )
    np.testing.assert_allclose(ten.flows.amount, 10 * one.flows.amount)
    assert (ten.calls, ten.rounds, ten.latency_s) == (10, one.rounds, one.latency_s)


@pytest.mark.parametrize(
    "name", ["all-reduce", "reduce-scatter", "all-gather", "all-to-all", "broadcast", "reduce", "send-recv"]
)
def test_every_collective_can_be_a_workload(name):
    """Each sends something over the fabric, and takes time however small it is."""
    (phase,) = run("collective", cluster(4), collective=name, size="1 MiB", fabric="backend").phases
    assert phase.flows.pairs > 0
    assert phase.latency_s > 0


@pytest.mark.parametrize(
    ("keys", "match"),
    [
        ({"collective": "scan", "size": "1 MiB"}, "unknown collective 'scan'"),
        ({"collective": "all-reduce", "size": "1 MiB", "gpus": 1}, "takes two ranks or more"),
        ({"collective": "all-reduce", "size": "1 MiB", "gpus": 65}, "do not fit"),
        ({"collective": "all-reduce", "size": ["1 MiB", "1048576 B"]}, "two sizes are 1MiB"),
    ],
)
def test_a_collective_that_makes_no_sense_is_refused(keys, match):
    """With what to write instead."""
    with pytest.raises(TrafficError, match=match) as error:
        run("collective", cluster(8), fabric="backend", **keys)
    assert error.value.problems[0].hint
