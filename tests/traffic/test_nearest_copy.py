"""Reads of the nearest copy, against drawing the objects one by one, and recovery that has a window."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import TrafficError
from traffic.storage.nearest import nearest_reads

KEYS = {"servers": "ceph", "clients": "gpu", "replication": 2, "read": "60 Gb/s"}


@pytest.mark.parametrize(("per_domain", "members"), [(1, 2), (1, 3), (2, 2), (2, 3)])
def test_shares_are_those_of_all_objects_there_can_be(per_domain: int, members: int) -> None:
    """Every choice of domains, and of a server in each, once: near copies are shared evenly, else all copies."""
    servers = 6
    domain = np.arange(servers) // per_domain
    near = np.array([[1, 1, 0, 0, 0, 0], [1, 0, 0, 1, 0, 1], [0] * 6, [1] * 6], dtype=bool)
    wanted = np.zeros(near.shape)
    count = 0
    for domains in itertools.combinations(range(domain.max() + 1), members):
        for copies in itertools.product(*(np.flatnonzero(domain == one).tolist() for one in domains)):
            count += 1
            for row, mine in enumerate(near):
                close = [one for one in copies if mine[one]] or list(copies)
                wanted[row, close] += 1 / len(close)
    np.testing.assert_allclose(nearest_reads(near, domain, members), wanted / count)


def test_a_reader_under_the_switch_of_every_server_reads_evenly() -> None:
    """One switch: near or primary, all servers give the same."""
    shares = nearest_reads(np.ones((2, 4), dtype=bool), np.arange(4), 3)
    np.testing.assert_allclose(shares, 0.25)


def test_a_window_of_recovery_asks_for_what_a_host_holds_in_that_time(tmp_path) -> None:
    """60 TB in 2 copies on 6 servers: 20 TB of a host; in 4 h that is 11.1 Gb/s, and the key is a limit."""
    lost = {"within": "4 h", "when": "host-loss"}
    job = run("storage", cluster(2, servers=6), tmp_path, **KEYS, stored="60 TB", recovery=lost)
    assert phase(job, "ceph.recovery").flows.total == pytest.approx(20e12 * 8 / (4 * 3600) / 1e9)
    (limit,) = job.time_limits
    assert (limit.key, limit.phase, limit.max_s) == ("recovery.within", "ceph.recovery", 14400)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"recovery": {"within": "4 h", "when": "host-loss"}}, "FP4090"),
        ({"recovery": {"within": "4 h", "when": "osd-loss"}, "stored": "60 TB"}, "FP4090"),
        ({"recovery": {"when": "host-loss"}}, "FP4091"),
        ({"recovery": {"within": "4 h", "rate": "1 GB/s", "when": "host-loss"}, "stored": "60 TB"}, "FP4091"),
        ({"read_from": "nearest", "erasure": {"k": 2, "m": 1}, "replication": None}, "FP4092"),
    ],
)
def test_what_does_not_follow_is_refused(tmp_path, keys, code) -> None:
    with pytest.raises(TrafficError) as raised:
        run("storage", cluster(2, servers=6), tmp_path, **{**KEYS, **keys})
    assert [problem.code for problem in raised.value.problems] == [code]
