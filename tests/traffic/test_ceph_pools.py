"""Which OSDs a Ceph pool uses: classes, roots, rules, and what its dumps say besides."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from traffic_clusters import cluster, context, phase

from topologies.errors import FabricError, FormatError, TrafficError
from traffic.workload import WORKLOADS

DATA = Path(__file__).parent / "data" / "ceph"
ENDS = {"servers": "ceph", "clients": "gpu", "write": "30 Gb/s"}


def ceph(folder, *, servers=6, **keys):
    """The workload, and what is said."""
    given = context(cluster(3, servers=servers), folder)
    job = WORKLOADS["ceph"]({"kind": "ceph", **ENDS, **keys}, context=given)
    return job, given.said


def written(job, servers=6):
    """Gbps that clients write to every server."""
    return phase(job, "ceph.write").flows.received(3 + servers)[3:]


@pytest.fixture
def site(tmp_path):
    """Three servers with an SSD of 3.5, then three with a disk of 14; the pool's rule takes the SSDs."""
    text = (DATA / "tree.json").read_text()
    for number in range(6):
        text = text.replace(f'"osd{number:02d}"', f'"osd{number}"')
    (tmp_path / "tree.json").write_text(text)
    for name in ("pools.json", "rules.json"):
        (tmp_path / name).write_text((DATA / name).read_text())
    return tmp_path


def test_a_pool_on_one_class_stays_on_it(site):
    """30 Gb/s over three servers, by the rule or by the key: 10 each, 3.33 of every client, and none to the disks."""
    for keys in ({"crush_rules": "rules.json"}, {"device_class": "ssd"}):
        job, _ = ceph(site, osd_tree="tree.json", pools="pools.json", **keys)
        np.testing.assert_allclose(written(job)[:3], 10, atol=0.05)
        assert (written(job)[3:] == 0).all()
        assert phase(job, "ceph.replicate").flows.total == pytest.approx(60)


def test_classes_are_asked_for(site):
    """Rather than guessed; any says that all are used."""
    with pytest.raises(
        TrafficError, match=r"has OSDs of 2 classes: hdd, ssd .*crush_rules: .* or device_class: hdd, or any"
    ):
        ceph(site, osd_tree="tree.json", pools="pools.json")
    with pytest.raises(TrafficError, match=r"has OSDs of 2 classes: hdd, ssd"):
        ceph(site, osd_tree="tree.json")
    job, _ = ceph(site, osd_tree="tree.json", device_class="any")
    np.testing.assert_allclose(written(job), np.repeat([3.5, 14.0], 3) / 52.5 * 30, rtol=0.02)
    with pytest.raises(TrafficError, match=r"no OSD in default is of class 'nvme' .*classes: hdd, ssd, any"):
        ceph(site, osd_tree="tree.json", device_class="nvme")


def nodes(*entries):
    """A tree of (id, name, type, children) and (id, host class) for OSDs."""
    return json.dumps({"nodes": [dict(entry) for entry in entries], "stray": []})


def bucket(number, name, kind, children, **more):
    return {"id": number, "name": name, "type": kind, "children": children, **more}


def osd(number, **more):
    return {"id": number, "name": f"osd.{number}", "type": "osd", "crush_weight": 1.0, "status": "up", **more}


def hosts(first=0, count=4, **more):
    """Hosts of one OSD each."""
    return [
        entry
        for number in range(first, first + count)
        for entry in (bucket(-100 - number, f"osd{number}", "host", [number]), osd(number, **more))
    ]


def below(first, count):
    return [-100 - number for number in range(first, first + count)]


def test_roots_are_asked_for(tmp_path):
    """Two servers under fast, two under default."""
    tree = nodes(bucket(-1, "default", "root", below(0, 2)), bucket(-2, "fast", "root", below(2, 2)), *hosts())
    (tmp_path / "tree.json").write_text(tree)
    keys = {"osd_tree": "tree.json", "replication": 2}
    with pytest.raises(TrafficError, match=r"tree\.json has 2 roots: default, fast .*crush_root: default"):
        ceph(tmp_path, **keys)
    job, _ = ceph(tmp_path, **keys, crush_root="fast")
    assert written(job).tolist() == [0, 0, 15, 15, 0, 0]
    with pytest.raises(TrafficError, match=r"has no bucket 'fats' .*did you mean 'fast'"):
        ceph(tmp_path, **keys, crush_root="fats")


def test_a_rule_that_may_take_a_part_of_a_site_is_asked_for(tmp_path):
    """Two data centres; rule 3 takes one."""
    tree = nodes(
        bucket(-1, "default", "root", [-2, -3]), bucket(-2, "east", "datacenter", below(0, 2)),
        bucket(-3, "west", "datacenter", below(2, 2)), *hosts(),
    )  # fmt: skip
    (tmp_path / "tree.json").write_text(tree)
    (tmp_path / "pools.json").write_text('[{"pool_name": "a", "size": 2, "pg_num": 64, "crush_rule": 3}]')
    steps = [
        {"op": "take", "item_name": "west"},
        {"op": "chooseleaf_firstn", "num": 0, "type": "host"},
        {"op": "emit"},
    ]
    (tmp_path / "rules.json").write_text(json.dumps([{"rule_id": 3, "steps": steps}]))
    keys = {"osd_tree": "tree.json", "pools": "pools.json"}
    with pytest.raises(TrafficError, match="more than one datacenter, and crush_rule 3 may take a part of it"):
        ceph(tmp_path, **keys)
    job, said = ceph(tmp_path, **keys, crush_rules="rules.json")
    assert written(job).tolist() == [0, 0, 15, 15, 0, 0]
    assert said == []
    with pytest.raises(TrafficError, match="device_class cannot be here: crush_rules says it"):
        ceph(tmp_path, **keys, crush_rules="rules.json", device_class="ssd")


def test_all_osds_down_says_so(tmp_path):
    """And which part of a rule has none that keeps anything."""
    root = bucket(-1, "default", "root", below(0, 4))
    (tmp_path / "tree.json").write_text(nodes(root, *hosts(status="down")))
    with pytest.raises(FormatError, match="none of its 4 OSDs keeps anything: 4 down"):
        ceph(tmp_path, osd_tree="tree.json")
    mixed = nodes(root, *hosts(0, 2, device_class="ssd", status="down"), *hosts(2, 2, device_class="hdd"))
    (tmp_path / "tree.json").write_text(mixed)
    with pytest.raises(TrafficError, match="all 2 OSDs in default~ssd are down or out"):
        ceph(tmp_path, osd_tree="tree.json", device_class="ssd", replication=2)


def test_a_primary_is_passed_over_by_its_affinity(tmp_path):
    """osd.0 is never the primary, but keeps a copy of half of all objects: two of four servers keep each."""
    tree = nodes(bucket(-1, "default", "root", below(0, 4)), *hosts(0, 1, primary_affinity=0), *hosts(1, 3))
    (tmp_path / "tree.json").write_text(tree)
    job, _ = ceph(tmp_path, osd_tree="tree.json", replication=2)
    assert written(job)[0] == 0
    assert phase(job, "ceph.replicate").flows.received(9)[3] == pytest.approx(15, rel=0.05)


def test_only_hosts_that_are_used_must_be_servers(tmp_path):
    """Disks on machines that the scenario leaves out are no matter for a pool on SSDs."""
    others = [bucket(-200, "old0", "host", [9]), osd(9, device_class="hdd")]
    tree = nodes(bucket(-1, "default", "root", [*below(0, 4), -200]), *hosts(device_class="ssd"), *others)
    (tmp_path / "tree.json").write_text(tree)
    assert written(ceph(tmp_path, osd_tree="tree.json", device_class="ssd")[0])[:4].sum() == pytest.approx(30)
    with pytest.raises(FormatError, match="host 'old0' is not a server of the scenario"):
        ceph(tmp_path, osd_tree="tree.json", device_class="any")


def test_too_few_domains_are_refused(tmp_path):
    """Three copies over two servers."""
    (tmp_path / "tree.json").write_text(nodes(bucket(-1, "default", "root", below(0, 2)), *hosts(0, 2)))
    with pytest.raises(TrafficError, match="3 copies need as many servers or failure domains; there are 2"):
        ceph(tmp_path, osd_tree="tree.json")


def pool_file(tmp_path, **more):
    (tmp_path / "tree.json").write_text(nodes(bucket(-1, "default", "root", below(0, 6)), *hosts(0, 6)))
    entry = {"pool_name": "a", "type": 3, "size": 6, "min_size": 5, "pg_num": 64, "stripe_width": 16384} | more
    (tmp_path / "pools.json").write_text(json.dumps([entry]))


@pytest.mark.parametrize(
    ("more", "keys", "answer"),
    [
        ({}, {}, 30 * 5 / 4),
        ({"stripe_width": 32768}, {}, "k of the erasure code of pool 'a' does not follow"),
        ({"min_size": 3, "stripe_width": 16384}, {}, "k of the erasure code of pool 'a' does not follow"),
        ({"stripe_width": 32768}, {"erasure": {"k": 4, "m": 2}}, 30 * 5 / 4),
        ({}, {"erasure": {"k": 4, "m": 1}}, r"k 4 \+ m 1 is not the size 6"),
        ({"read_tier": 2}, {}, "read_tier: clients talk to the cache tier"),
        ({"type": 2}, {}, "2 is neither 1 .replicated. nor 3 .erasure."),
        ({"size": None}, {}, "'size' is missing"),
    ],
)  # fmt: skip
def test_an_erasure_code_is_known_or_asked_for(tmp_path, more, keys, answer):
    """4 + 2 chunks of 4 KiB: five of six chunks go on, each a quarter of the write."""
    pool_file(tmp_path, **more)
    if isinstance(answer, str):
        with pytest.raises(FabricError, match=answer):
            ceph(tmp_path, osd_tree="tree.json", pools="pools.json", **keys)
    else:
        job, _ = ceph(tmp_path, osd_tree="tree.json", pools="pools.json", **keys)
        assert phase(job, "ceph.replicate").flows.total == pytest.approx(answer)


def test_a_read_of_all_chunks_asks_all(tmp_path):
    """fast_read: 5 instead of 3 chunks come from others."""
    rates = []
    for fast in (False, True):
        pool_file(tmp_path, fast_read=fast)
        job, _ = ceph(tmp_path, osd_tree="tree.json", pools="pools.json", read="40 Gb/s")
        rates.append(phase(job, "ceph.gather").flows.total)
        assert phase(job, "ceph.gather").rate_gbps == pytest.approx(rates[-1])
    assert rates == [pytest.approx(30), pytest.approx(50)]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("[" * 2000 + "]" * 2000, "nested more than 100 deep"),
        ('{"nodes": [7]}', r"nodes\[0\]: a mapping"),
        ('{"nodes": [{"id": 0, "crush_weight": null}]}', r"nodes\[0\]: 'crush_weight' is missing"),
        ('{"nodes": [{"id": 0, "crush_weight": [1]}]}', r"nodes\[0\]\.crush_weight: a number is expected"),
        ('{"nodes": [{"id": 0, "crush_weight": 1, "reweight": -1}]}', r"nodes\[0\]\.reweight: a number, 0 or more"),
    ],
)  # fmt: skip
def test_a_tree_of_another_shape_is_refused_at_its_place(tmp_path, document, message):
    """Rather than with a traceback."""
    (tmp_path / "tree.json").write_text(document)
    with pytest.raises(FormatError, match=message):
        ceph(tmp_path, osd_tree="tree.json")
