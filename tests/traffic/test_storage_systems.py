"""Ceph pools, repairs, HDFS, Lustre, object stores, tiers and border traffic against hand calculations."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from traffic_clusters import cluster, phase, run

from topologies.errors import FormatError, TrafficError
from traffic.storage.crush_rules import draw, simple_rule
from traffic.storage.osd_tree import read_osd_tree
from traffic.storage.pool import Code, even_pool, mapped_pool
from traffic.storage.repair import repair_matrix

ENDS = {"servers": "ceph", "clients": "gpu"}


def _tree(hosts, per_host=2, racks=2, weight=1.0):
    nodes = [{"id": -1, "name": "default", "type": "root", "children": [-2 - rack for rack in range(racks)]}]
    nodes += [
        {"id": -2 - rack, "name": f"r{rack}", "type": "rack",
         "children": [-100 - host for host in range(hosts) if host * racks // hosts == rack]}
        for rack in range(racks)
    ]  # fmt: skip
    for host in range(hosts):
        osds = [host * per_host + number for number in range(per_host)]
        nodes.append({"id": -100 - host, "name": f"osd{host}", "type": "host", "children": osds})
        nodes += [
            {"id": osd, "name": f"osd.{osd}", "type": "osd", "crush_weight": weight if host else 2 * weight,
             "reweight": 1.0, "status": "up"}
            for osd in osds
        ]  # fmt: skip
    return json.dumps({"nodes": nodes, "stray": []})


# ---- Ceph ------------------------------------------------------------------------------------------------------------


def test_an_erasure_coded_pool_sends_chunks():
    """k 2 + m 1, FIELD.md section 3: write 80 and (k+m−1)/k of it, read 40 and (k−1)/k of it; formulas agree."""
    job = run("ceph", cluster(2), **ENDS, erasure={"k": 2, "m": 1}, write="80 Gb/s", read="40 Gb/s")
    rate = {found.name: found.rate_gbps for found in job.phases}
    assert rate == {
        "ceph.write": pytest.approx(80), "ceph.replicate": pytest.approx(80),
        "ceph.read": pytest.approx(40), "ceph.gather": pytest.approx(20),
    }  # fmt: skip
    for found in job.phases:
        assert found.payloads[0].formula.value == pytest.approx(found.rate_gbps)


@given(st.integers(2, 6), st.integers(0, 3), st.integers(6, 12))
def test_shares_of_an_even_pool_add_up(data, parity, servers):
    """Every object has k + m members, of which k − 1 beside the primary hold data."""
    code = Code(data, min(parity, servers - data), True)
    pool = even_pool(code, np.arange(servers, dtype=np.int32))
    assert pool.primary.sum() == pytest.approx(1)
    assert pool.others.sum() == pytest.approx(code.members - 1)
    assert pool.data.sum() == pytest.approx(data - 1)
    np.testing.assert_allclose(pool.weight, 1 / servers)


def test_copies_lie_in_different_racks():
    """4 servers in racks of 2: a copy never stays in the rack."""
    pool = even_pool(Code(1, 1, False), np.array([0, 0, 1, 1], dtype=np.int32))
    assert pool.others[0, 1] == pool.others[2, 3] == 0
    assert pool.others[0, 2] == pytest.approx(1 / 8)
    with pytest.raises(TrafficError, match="3 copies need as many servers or failure domains; there are 2"):
        even_pool(Code(1, 2, False), np.array([0, 0, 1, 1], dtype=np.int32))


def test_racks_of_different_sizes_all_take_part():
    """Five servers in racks of 2, 2 and 1, three copies: every object has one in each rack, the small one is full."""
    inventory = cluster(2, servers=5)
    groups = dict(inventory.groups)
    groups["ceph"] = replace(groups["ceph"], per_rack=2)
    keys = ENDS | {"write": "90 Gb/s", "failure_domain": "rack", "placement_groups": 4096}
    job = run("ceph", replace(inventory, groups=groups), **keys)
    taken = sum(phase(job, name).flows.received(7)[2:] for name in ("ceph.write", "ceph.replicate"))
    assert taken[4] == pytest.approx(90)
    np.testing.assert_allclose(taken[:4], 45, rtol=0.1)
    assert any("racks differ in size" in told for told in job.assumptions)


def test_straws_follow_the_weights_and_never_meet_in_a_domain():
    """Host 0 weighs twice the others: as primary it is drawn 2 of 5 times."""
    tree, _ = read_osd_tree(_tree(4, per_host=1), "tree.json")
    members = draw(tree, simple_rule(-1, "", "host"), 20_000, 2, np.random.default_rng(1))
    assert np.bincount(members[:, 0], minlength=4)[0] == 8_000  # dealt, not drawn one by one
    assert np.bincount(members[:, 1], minlength=4)[0] / 20_000 == pytest.approx(3 / 5 * 2 / 4, abs=0.01)
    assert (members[:, 0] != members[:, 1]).all()
    dead, said = read_osd_tree(_tree(4, per_host=1).replace('"up"', '"down"', 1), "tree.json")
    assert (draw(dead, simple_rule(-1, "", "host"), 1000, 3, np.random.default_rng(1)) != 0).all()
    assert said == ("osd.0: down, taken to keep nothing, as after Ceph has marked them out",)


def test_an_osd_tree_and_its_pools_decide(tmp_path):
    """osd0 weighs twice; 2 + 1 chunks from stripe_width 8192; 256 placement groups."""
    (tmp_path / "tree.json").write_text(_tree(4))
    pools = [{"pool_name": "ec", "type": 3, "size": 3, "min_size": 3, "pg_num": 4096, "stripe_width": 8192},
             {"pool_name": "rbd", "type": 1, "size": 2, "min_size": 1, "pg_num": 256}]  # fmt: skip
    (tmp_path / "pools.json").write_text(json.dumps(pools))
    keys = ENDS | {"osd_tree": "tree.json", "pools": "pools.json", "write": "60 Gb/s", "read": "60 Gb/s"}
    job = run("ceph", cluster(2), tmp_path, **keys, pool="ec")
    assert phase(job, "ceph.replicate").rate_gbps == pytest.approx(60 * 2 / 2)
    taken = phase(job, "ceph.write").flows.received(6)[2:]
    assert taken.sum() == pytest.approx(60)
    assert taken[0] > 1.2 * taken[1:].max()
    racks = run("ceph", cluster(2), tmp_path, **keys, pool="rbd", failure_domain="rack")
    flows = phase(racks, "ceph.replicate").flows
    assert ((flows.src < 4) != (flows.dst < 4)).all()  # osd0, osd1 in one rack, osd2, osd3 in the other
    with pytest.raises(TrafficError, match=r"there is no pool 'rdb' .*did you mean 'rbd'"):
        run("ceph", cluster(2), tmp_path, **keys, pool="rdb")
    with pytest.raises(TrafficError, match=r"which pool\? .*pools: ec, rbd"):
        run("ceph", cluster(2), tmp_path, **keys)
    with pytest.raises(TrafficError, match=r"no OSD is in a row .*there is: rack, host"):
        run("ceph", cluster(2), tmp_path, **keys, pool="rbd", failure_domain="row")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1", "not JSON"),
        ("[]", "no OSD tree"),
        ('{"nodes": []}', "no OSD in the tree"),
        (_tree(5), "host 'osd4' is not a server"),
    ],
)
def test_an_osd_tree_that_is_none_is_refused(tmp_path, text, message):
    """With the command that writes one."""
    (tmp_path / "tree.json").write_text(text)
    with pytest.raises(FormatError, match=message):
        run("ceph", cluster(2), tmp_path, **ENDS, osd_tree="tree.json", write="1 Gb/s")


def test_a_rebuild_reads_k_bytes_per_lost_byte():
    """Copies: one byte crosses per byte. 4 + 2 chunks: 3 read from others beside the leader's own, one written: 4."""
    domain = np.arange(8, dtype=np.int32)
    rack = np.repeat(np.arange(4), 2).astype(np.int32)
    for when, gone in (("osd-loss", []), ("host-loss", [3]), ("rack-loss", [2, 3]), ("osd-loss", [3])):
        lost = np.array(gone, dtype=np.int32)
        assert repair_matrix(even_pool(Code(1, 2, False), domain), lost, rack, when).sum() == pytest.approx(1)
        coded = repair_matrix(even_pool(Code(4, 2, True), domain), lost, rack, when)
        assert coded.sum() == pytest.approx(4)
        if when in ("host-loss", "rack-loss"):
            assert coded[gone].sum() == coded[:, gone].sum() == 0


def test_a_rebalance_fills_the_new_server():
    """All bytes go there, from all others evenly."""
    matrix = repair_matrix(even_pool(Code(1, 2, False), np.arange(4, dtype=np.int32)), np.array([3], dtype=np.int32),
                           np.zeros(4, np.int32), "rebalance")  # fmt: skip
    np.testing.assert_allclose(matrix[:, 3], [1 / 3, 1 / 3, 1 / 3, 0])
    assert matrix[:, :3].sum() == 0


def test_placement_groups_count_as_they_lie():
    """Two groups: 0 with 1, 2 with 1."""
    pool = mapped_pool(Code(1, 1, False), np.array([[0, 1], [2, 1]], dtype=np.int32), 3)
    np.testing.assert_allclose(pool.primary, [0.5, 0, 0.5])
    np.testing.assert_allclose(pool.weight, [0.25, 0.5, 0.25])


def test_a_lost_server_must_exist():
    """``recovery.lost``."""
    with pytest.raises(TrafficError, match=r"recovery\.lost: there is no server 'osd9'"):
        run("ceph", cluster(2), **ENDS, recovery={"rate": "1 GB/s", "when": "host-loss", "lost": "osd9"})


# ---- HDFS ------------------------------------------------------------------------------------------------------------

RACKS = "Rack: /dc/a\n   10.0.0.1:9866 (osd0) In Service\n   10.0.0.2:9866 (osd1.example)\nRack: /dc/b\n" \
    "   10.0.0.3:9866 (osd2)\n   10.0.0.4:9866 (osd3)\n"  # fmt: skip


def test_an_hdfs_pipeline_crosses_racks_once(tmp_path):
    """Replication 3 from outside: 8 in, 16 along; the second copy is in the other rack, the third beside it."""
    (tmp_path / "racks.txt").write_text(RACKS)
    job = run("hdfs", cluster(2), tmp_path, **ENDS, write="8 Gb/s", topology="racks.txt")
    flows = phase(job, "hdfs.pipeline").flows
    assert phase(job, "hdfs.write").rate_gbps == pytest.approx(8)
    assert flows.total == pytest.approx(16) == phase(job, "hdfs.pipeline").payloads[0].formula.value
    across = ((flows.src - 2) // 2) != ((flows.dst - 2) // 2)
    assert flows.amount[across].sum() == pytest.approx(8)


def test_a_data_node_keeps_the_first_copy(tmp_path):
    """Clients on the servers: nothing is written over the network before the pipeline; 3 of 4 reads are local."""
    (tmp_path / "racks.txt").write_text(RACKS)
    keys = {"servers": "ceph", "clients": "ceph", "topology": "racks.txt"}
    job = run("hdfs", cluster(2), tmp_path, **keys, write="8 Gb/s", read="8 Gb/s")
    assert {found.name: found.rate_gbps for found in job.phases} == {
        "hdfs.pipeline": pytest.approx(16), "hdfs.read": pytest.approx(2),
    }  # fmt: skip


def test_a_server_without_a_rack_is_named(tmp_path):
    """The file lacks osd3."""
    (tmp_path / "racks.txt").write_text(RACKS.replace("osd3", "osd7"))
    with pytest.raises(FormatError, match="server osd3 is in no rack of the file"):
        run("hdfs", cluster(2), tmp_path, **ENDS, write="1 Gb/s", topology="racks.txt")


# ---- others ----------------------------------------------------------------------------------------------------------


def test_lustre_stripes_without_copies():
    """One file per client over one target each: 8 Gb/s in all, some servers get more; over all targets, even."""
    few = phase(run("lustre", cluster(8), **ENDS, write="8 Gb/s", seed=1), "lustre.write").flows
    assert few.total == pytest.approx(8)
    assert few.received(12)[8:].max() > 2.0
    wide = run("lustre", cluster(8), **ENDS, write="8 Gb/s", read="4 Gb/s", stripe_count=4)
    np.testing.assert_allclose(phase(wide, "lustre.write").flows.received(12)[8:], 2)
    assert phase(wide, "lustre.read").rate_gbps == pytest.approx(4)
    with pytest.raises(TrafficError, match="a file over 9 targets, but there are 8"):
        run("lustre", cluster(2), **ENDS, write="1 Gb/s", stripe_count=9, targets_per_server=2)


def test_an_object_store_writes_chunks_through_its_gateways():
    """8 Gb/s put as 2 + 1 chunks: 12 stored, 2.. of 4 servers being gateways leaves 3/4 of it on the network."""
    job = run("object-store", cluster(4), **ENDS, gateways="gpu", data_chunks=2, parity_chunks=1, put="8 Gb/s")
    assert phase(job, "object.store").rate_gbps == pytest.approx(12)
    assert phase(job, "object.put").rate_gbps == pytest.approx(8 * 3 / 4)  # a client may be its own gateway


def test_tiers_promote_and_flush():
    """5 up, 3 down with two copies: 3 more between the slow servers."""
    job = run("tiering", cluster(2), fast="gpu", slow="ceph", promote="5 Gb/s", flush="3 Gb/s", replication=2)
    assert [(found.name, found.rate_gbps) for found in job.phases] == [
        ("tier.promote", pytest.approx(5)), ("tier.flush", pytest.approx(3)), ("tier.replicate", pytest.approx(3)),
    ]  # fmt: skip


def test_a_backup_fits_its_window():
    """5 % of 100 TB in 8 h: 1.39 Gb/s; restoring goes the other way."""
    job = run("replication", cluster(2), source="ceph", border="gpu", size="100 TB", changed="5%", within="8 h")
    assert job.phases[0].rate_gbps == pytest.approx(100e12 * 0.05 * 8e-9 / 28800)
    back = run("replication", cluster(2), source="ceph", border="gpu", rate="4 Gb/s", restore=True)
    assert back.phases[0].flows.received(6)[2:].sum() == pytest.approx(4)
    with pytest.raises(TrafficError, match="at a rate, or sends a size within a time"):
        run("replication", cluster(2), source="ceph", border="gpu", size="1 TB")


def test_the_world_outside_comes_in_at_the_border():
    """2 in, 6 out."""
    job = run("north-south", cluster(2), members="ceph", border="gpu", inward="2 Gb/s", outward="6 Gb/s")
    assert phase(job, "north-south.in").flows.received(6)[2:].sum() == pytest.approx(2)
    assert phase(job, "north-south.out").flows.sent(6)[2:].sum() == pytest.approx(6)


# ---- checkpoints of a job --------------------------------------------------------------------------------------------

JOB = {
    "model": {"layers": 4, "hidden": 64, "ffn_hidden": 128, "heads": 8, "kv_heads": 8, "vocab": 96},
    "batch": {"global": 64, "micro": 1, "sequence": 128},
    "parallelism": {"tp": 8},
}


def test_only_the_first_replica_may_write():
    """tp 8 fills a host: of four hosts one writes all of it."""
    keys = JOB | {"checkpoint": {"target": "ceph", "replication": 1, "writers": "first-replica"}}
    job = run("training", cluster(4), **keys)
    sent = phase(job, "checkpoint").flows.sent(8)
    np.testing.assert_allclose(sent[:4] / job.checkpoint_bytes, [1, 0, 0, 0])


@pytest.mark.parametrize(
    ("sharding", "detail", "copies_of_weights", "copies_of_state"),
    [
        ("none", {}, 4, 4),
        ("zero1", {}, 4, 1),
        ("distributed-optimizer", {}, 4, 1),
        ("zero2", {}, 4, 1),
        ("zero3", {}, 1, 1),
        ("fsdp", {}, 1, 1),
        ("zero1", {"ranks": 2}, 4, 2),
        ("fsdp", {"copies": 2}, 2, 2),
    ],
)
def test_a_restart_reads_what_the_sharding_leaves_on_the_ranks(sharding, detail, copies_of_weights, copies_of_state):
    """Four replicas of 8 tensor ranks: 2 B of every parameter held, and 12 B of optimizer state, so many times."""
    keys = {**JOB, "optimizer_sharding": sharding, "sharding": detail}
    job = run("training", cluster(4), **keys, checkpoint={"target": "ceph", "replication": 1, "restore": True})
    found = phase(job, "checkpoint.restore")
    held = 8 * job.model.parameters_per_rank.mean  # of one replica; norms are on every tensor rank
    assert found.total_bytes == pytest.approx((2 * copies_of_weights + 12 * copies_of_state) * held)
    assert sum(part.ranks * part.formula.value for part in found.payloads) == pytest.approx(found.total_bytes)
    assert not found.every_step
    np.testing.assert_allclose(found.flows.received(8)[:4], found.total_bytes / 4)


def test_experts_are_read_by_those_that_hold_them():
    """16 experts over ep 4 on 32 ranks with tp 2: dense state over 16 ranks, that of experts over 4 copies."""
    model = JOB["model"] | {"experts": {"count": 16, "top_k": 2, "ffn_hidden": 32}}
    keys = {"model": model, "batch": JOB["batch"], "parallelism": {"tp": 2, "ep": 4}, "optimizer_sharding": "fsdp"}
    job = run("training", cluster(4), **keys, checkpoint={"target": "ceph", "replication": 1, "restore": True})
    (part,) = phase(job, "checkpoint.restore").payloads
    terms = {term.symbol: term.value for term in part.formula.terms}
    assert (terms["d"], terms["e"]) == (16, 4)
    assert part.formula.value == pytest.approx(14 * (terms["D"] / 16 + terms["E"] / 4))
    assert phase(job, "checkpoint.restore").total_bytes == pytest.approx(job.checkpoint_bytes, rel=0.02)


def test_an_asynchronous_checkpoint_is_written_beside_training():
    """It overlaps compute."""
    job = run("training", cluster(4), **JOB, checkpoint={"target": "ceph", "mode": "asynchronous"})
    assert phase(job, "checkpoint").overlaps_compute


def test_samples_are_shuffled_between_hosts():
    """1 Gb/s a GPU: every host sends 8 to the three others."""
    job = run("training", cluster(4), **JOB, dataset={"read": "1 Gb/s", "source": "ceph", "shuffle": "1 Gb/s"})
    flows = phase(job, "dataset.shuffle").flows
    np.testing.assert_allclose(flows.sent(8)[:4], 8)
    np.testing.assert_allclose(flows.received(8)[:4], 8)
