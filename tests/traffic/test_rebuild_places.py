"""Where lost parts go, against every placement there can be, by hand, and whether a rebuild can be done at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from traffic_clusters import cluster, phase, run

from topologies.errors import TrafficError
from traffic.storage.pool import Code, even_pool, mapped_pool
from traffic.storage.rebuild import rebuild_after
from traffic.storage.recovery import recovery_of
from traffic.storage.repair import RecoverySpec
from traffic.workload import WorkloadTraffic

KEYS = {"servers": "ceph", "clients": "gpu", "replication": 2, "read": "1 Gb/s", "write": "1 Gb/s"}


def placements(domain: list[int], members: int) -> Iterator[tuple[int, ...]]:
    """Every choice of servers in different domains."""
    for chosen in itertools.permutations(range(len(domain)), members):
        if len({domain[one] for one in chosen}) == members:
            yield chosen


def by_hand(domain: list[int], code: Code, gone: set[int]) -> tuple[np.ndarray, float]:
    """Bytes from server to server for one rebuilt, object by object, and the part that finds no server."""
    count = len(domain)
    sent, lost, homeless = np.zeros((count, count)), 0, 0
    for members in placements(domain, code.members):
        there = [one for one in members if one not in gone]
        used = {domain[one] for one in there}
        may = [one for one in range(count) if one not in gone and domain[one] not in used]
        for _ in range(code.members - len(there)):
            lost += 1
            if len(there) < code.data or not may:
                homeless += 1
                continue
            for leader in there:
                for target in may:
                    sent[leader, target] += 1 / len(there) / len(may)
                for helper in set(there) - {leader}:
                    sent[helper, leader] += (code.data - 1) / len(there) / max(len(there) - 1, 1)
    return sent / max(lost - homeless, 1), homeless / lost


@pytest.mark.parametrize(
    ("domain", "code", "gone"),
    [
        ([0, 0, 0, 1, 1, 1], Code(1, 1, False), {0}),
        ([0, 0, 1, 1, 2, 2], Code(1, 2, False), {3}),
        ([0, 0, 1, 1, 2, 2], Code(1, 1, False), {0, 1}),
        ([0, 1, 2, 3, 4], Code(1, 2, False), {4}),
        ([0, 1, 2, 3, 4, 5], Code(2, 1, True), {1}),
        ([0, 0, 1, 1, 2, 2, 3, 3], Code(2, 1, True), {2}),
        ([0, 0, 1, 1, 2, 2], Code(1, 2, False), {0, 1}),
        ([0, 1, 2], Code(1, 2, False), {0}),
        ([0, 1, 2, 3, 4, 5], Code(4, 2, True), {0}),
    ],
)
def test_lost_parts_go_where_every_object_lets_them(domain: list[int], code: Code, gone: set[int]) -> None:
    """Even objects in closed form, and the same objects listed as placement groups."""
    wanted, homeless = by_hand(domain, code, gone)
    where = np.array(domain, dtype=np.int32)
    listed = np.array(list(placements(domain, code.members)), dtype=np.int32)
    lost = np.array(sorted(gone), dtype=np.int32)
    for pool in (even_pool(code, where), mapped_pool(code, listed, len(domain), domain=where)):
        found = rebuild_after(pool, lost)
        np.testing.assert_allclose(found.matrix, wanted, atol=1e-12)
        assert found.homeless == pytest.approx(homeless)
        assert found.lost_share == pytest.approx(len(gone) / len(domain))


def tries(domain: list[int], members: int, gone: set[int], draws: np.ndarray) -> list[int]:
    """The servers of one object as CRUSH finds copies: copy i looks at draw i, i + 1, ... for a domain not taken.

    Parameters
    ----------
    draws : ndarray
        A server for every try: its domain by weight, then one in it.
    """
    found: list[int] = []
    for copy in range(members):
        taken = {domain[one] for one in found}
        found.append(next(one for one in draws[copy:].tolist() if one not in gone and domain[one] not in taken))
    return found


@pytest.mark.parametrize(
    ("domain", "members", "gone"),
    [
        ([0, 0, 1, 1, 2, 2], 2, {3}),
        ([0, 0, 1, 1, 2, 2, 3, 3], 2, {0}),
        ([0, 0, 1, 1, 2, 2, 3, 3], 3, {0}),
        ([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3], 3, {5}),
        ([0, 0, 0, 1, 1, 2], 2, {0}),
        ([0, 0, 0, 1, 1, 2], 2, {5}),
    ],
)
def test_copies_go_where_trying_in_a_row_puts_them(domain: list[int], members: int, gone: set[int]) -> None:
    """20,000 objects tried with and without what is lost; racks of one size in closed form too."""
    rng = np.random.default_rng(7)
    servers = len(domain)
    objects = rng.integers(servers, size=(20_000, 60))  # domains by their servers, which weigh the same
    before = [tries(domain, members, set(), row) for row in objects]
    counted, lost = np.zeros(servers), 0
    for row, was in zip(objects, before, strict=True):
        if gone & set(was):
            (new,) = set(tries(domain, members, gone, row)) - set(was)
            counted[new] += 1
            lost += 1
    where, which = np.array(domain, dtype=np.int32), np.array(sorted(gone), dtype=np.int32)
    code = Code(1, members - 1, False)
    pools = [mapped_pool(code, np.array(before, dtype=np.int32), servers, domain=where)]
    if len(set(np.bincount(where).tolist())) == 1:
        pools.append(even_pool(code, where))
    for pool in pools:
        np.testing.assert_allclose(rebuild_after(pool, which).taken, counted / lost, atol=0.015)


def racked(servers: int, per_rack: int, **keys: object) -> WorkloadTraffic:
    """A cluster whose servers stand in racks."""
    inventory = cluster(2, servers=servers)
    groups = {**inventory.groups, "ceph": replace(inventory.groups["ceph"], per_rack=per_rack)}
    return run("storage", replace(inventory, groups=groups), **{**KEYS, **keys})


def test_what_a_host_held_goes_to_the_two_that_its_rack_leaves() -> None:
    """2 copies in 2 racks of 3: 100 TB of osd0 in an hour, half of it to osd1 and to osd2, from the other rack."""
    lost = {"within": "1 h", "when": "host-loss"}
    job = racked(6, 3, failure_domain="rack", stored="300 TB", recovery=lost)
    flows = phase(job, "ceph.recovery").flows
    taken, sent = flows.received(8)[2:], flows.sent(8)[2:]
    np.testing.assert_allclose(taken, np.array([0, 1, 1, 0, 0, 0]) * 50e12 * 8 / 3600 / 1e9)
    np.testing.assert_allclose(sent, np.array([0, 0, 0, 1, 1, 1]) * 100e12 / 3 * 8 / 3600 / 1e9)
    assert job.kept is not None
    assert (job.kept.lost, job.kept.lost_bytes) == (("osd0",), pytest.approx(100e12))
    assert any("osd0 is taken as lost" in text for text in job.assumptions)


def test_the_server_that_died_neither_sends_nor_takes() -> None:
    """By host nothing is named as lost: five of six share it."""
    job = racked(6, 3, stored="300 TB", recovery={"rate": "1 GB/s", "when": "host-loss"})
    flows = phase(job, "ceph.recovery").flows
    np.testing.assert_allclose(flows.received(8)[2:], np.array([0, 1, 1, 1, 1, 1]) * 8 / 5)
    np.testing.assert_allclose(flows.sent(8)[2:], np.array([0, 1, 1, 1, 1, 1]) * 8 / 5)


@pytest.mark.parametrize(
    ("servers", "per_rack", "keys"),
    [
        (3, 3, {"replication": 3, "recovery": {"within": "3 h", "when": "host-loss"}}),
        (6, 3, {"replication": None, "erasure": {"k": 4, "m": 2}, "recovery": {"within": "3 h", "when": "host-loss"}}),
        (6, 2, {"replication": 3, "failure_domain": "rack", "recovery": {"within": "3 h", "when": "rack-loss"}}),
        (5, 2, {"replication": 3, "failure_domain": "rack", "recovery": {"within": "3 h", "when": "host-loss"}}),
        (4, 2, {"replication": 1, "recovery": {"within": "3 h", "when": "host-loss"}}),
    ],
)
def test_a_loss_that_no_server_may_take_is_never_rebuilt(servers: int, per_rack: int, keys: dict[str, object]) -> None:
    """As many failure domains as parts of an object, or a rack of one server among three."""
    job = racked(servers, per_rack, stored="60 TB", **keys)
    assert job.kept is not None
    assert "degraded until the part returns" in job.kept.never or "no other copy" in job.kept.never
    assert [limit.never for limit in job.time_limits] == [job.kept.never]
    assert any(job.kept.never in text for text in job.warnings)


@pytest.mark.parametrize(("size", "fits"), [("20 TB", True), ("16 TB", False)])
def test_what_is_rebuilt_needs_room_below_the_mark_where_ceph_stops(size: str, fits: bool) -> None:
    """100 TB a server, 150 TB on the two that the rack leaves: 94 % of 160 TB, 117 % of 128 TB; 90 % is the mark."""
    disks = [{"class": "nvme", "count": 9 if fits else 8, "size": size}]
    recovery = {"within": "3 h", "when": "host-loss"}
    job = racked(6, 3, failure_domain="rack", stored="300 TB", devices=disks, recovery=recovery)
    assert job.kept is not None
    assert ("osd1 would keep 150 TB of 128 TB" in job.kept.never) == (not fits)
    assert job.kept.after == pytest.approx(1.5)
    full = racked(6, 3, failure_domain="rack", stored="300 TB", recovery=recovery,
                  devices=[{"class": "nvme", "count": 8, "size": "20 TB"}])  # fmt: skip
    assert full.kept is not None
    assert "osd1 would keep 150 TB of 160 TB, and Ceph fills to 90 %" in full.kept.never


def test_the_fullest_server_must_hold_its_data() -> None:
    """Racks of 3, 3 and 1, three copies: the single server keeps a third of 750 TB on 128 TB."""
    disks = [{"class": "nvme", "count": 8, "size": "16 TB"}]
    with pytest.raises(TrafficError, match="osd6 would keep 250 TB on devices of 128 TB") as raised:
        racked(7, 3, replication=3, failure_domain="rack", stored="250 TB", devices=disks)
    assert raised.value.problems[0].code == "FP4093"


def test_a_window_needs_to_know_which_servers_may_take_lost_parts() -> None:
    """Groups of a CRUSH map, whose failure domains are not read: a rate may be given, a window not."""
    pool = mapped_pool(Code(1, 1, False), np.array([[0, 1], [2, 1]], dtype=np.int32), 3)
    rack, names = np.zeros(3, np.int32), ("a", "b", "c")
    with pytest.raises(TrafficError, match="which servers may take lost parts") as raised:
        recovery_of(RecoverySpec(within="1 h", when="host-loss"), pool, rack, names, stored=1e12)
    assert raised.value.problems[0].code == "FP4094"
    said = recovery_of(RecoverySpec(rate="8 Gb/s", when="host-loss"), pool, rack, names).assumed
    assert "lost parts go to all servers that are left" in said[0]


def test_objects_that_a_rack_held_in_whole_are_said_to_be_lost() -> None:
    """3 copies by host, a rack of 3 of 9 lost: some objects had all three there."""
    lost = {"within": "3 h", "when": "rack-loss"}
    job = racked(9, 3, replication=3, stored="60 TB", recovery=lost)
    assert any("an object may have 3 parts on osd0, osd1, osd2: it is lost then" in text for text in job.assumptions)
    apart = racked(12, 3, replication=3, failure_domain="rack", stored="60 TB", recovery=lost)
    assert not any("it is lost then" in text for text in apart.assumptions)


def test_a_rack_that_is_lost_needs_racks() -> None:
    with pytest.raises(TrafficError, match="how servers stand in racks"):
        run("storage", cluster(2, servers=4), **KEYS, recovery={"rate": "1 GB/s", "when": "rack-loss"})
