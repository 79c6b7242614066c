"""CRUSH maps that fabric writes, compiled and mapped by Ceph's own crushtool, and read back by our own reader."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
from lake import lake
from real_programs import require

from fabric.share.storage.cluster import Devices, StorageCluster, storage_workload
from fabric.share.storage.crush_map import crush_text, rule_names
from fabric.share.storage.folder import read_back, write_storage
from fabric.share.storage.layouts import place_storage
from topologies.errors import ScenarioError
from traffic.storage.pool import Code, even_pool
from traffic.storage.rebuild import rebuild_after

pytestmark = pytest.mark.real_ceph
require("crushtool", root=False)


def cluster(hosts: int, *, per_rack: int, pods: int, data: int = 1, parity: int = 2, erasure: bool = False):
    names = tuple(f"osd{at}" for at in range(hosts))
    racks = tuple(f"r{at // per_rack}" for at in range(hosts))
    count = hosts // per_rack
    owner = tuple(f"pod{at // per_rack * pods // count}" if pods > 1 else "" for at in range(hosts))
    none = ({},) * hosts
    disks = (Devices("nvme", 2, 7.68e12), Devices("hdd", 4, 20e12))
    return StorageCluster("lake", "f", names, racks, owner, none, disks, data, parity, erasure, None)


def mapped(folder, made: StorageCluster, domain: str, rule: str, out=()) -> np.ndarray:
    """OSDs of 2,048 groups, as crushtool shows them; some OSDs may be out."""
    away = [word for osd in out for word in ("--weight", str(osd), "0")]
    (folder / "map.txt").write_text(crush_text(made, domain))
    call = ["crushtool", "-c", "map.txt", "-o", "map.bin"]
    subprocess.run(call, cwd=folder, check=True, capture_output=True, timeout=60)
    shown = subprocess.run(
        ["crushtool", "-i", "map.bin", "--test", "--show-mappings", "--rule", str(rule_names(made)[rule]),
         "--num-rep", str(made.members), "--min-x", "0", "--max-x", "2047", *away],
        cwd=folder, check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return np.array([[int(one) for one in row.split(",")] for row in re.findall(r"\[([\d,]+)\]", shown.stdout)])


@pytest.mark.parametrize(("hosts", "per_rack", "domain"), [(6, 3, "rack"), (8, 2, "rack"), (6, 3, "host")])
def test_lost_parts_go_where_crushtool_maps_them(tmp_path, hosts, per_rack, domain) -> None:
    """Two copies, host 0 out: the servers that its groups gain, beside the share that we send to each.

    Of the 2 racks of 3 only its own rack takes any; of 4 racks of 2 all do but the one with the other copy.
    """
    made = cluster(hosts, per_rack=per_rack, pods=1, parity=1)
    before = mapped(tmp_path, made, domain, "lake") // 6
    after = mapped(tmp_path, made, domain, "lake", out=range(6)) // 6
    gained = [set(now) - set(was) for was, now in zip(before.tolist(), after.tolist(), strict=True) if 0 in was]
    assert all(len(one) == 1 for one in gained)
    counted = np.bincount([one.pop() for one in gained], minlength=hosts) / len(gained)
    place = np.arange(hosts, dtype=np.int32) // (per_rack if domain == "rack" else 1)
    found = rebuild_after(even_pool(Code(1, 1, False), place), np.array([0], dtype=np.int32))
    np.testing.assert_allclose(counted, found.taken, atol=0.05)
    if (hosts, domain) == (6, "rack"):
        assert counted[3:].sum() == found.taken[3:].sum() == 0


def test_what_a_lost_disk_held_goes_to_its_own_host_most(tmp_path) -> None:
    """One of four disks of a class is out on one of 4 hosts, two copies: ours beside the OSDs that crushtool maps."""
    made = cluster(4, per_rack=2, pods=1, parity=1)
    before, after = (mapped(tmp_path, made, "host", "lake-hdd", out=away) for away in ((), (2,)))
    gained = [set(now) - set(was) for was, now in zip(before.tolist(), after.tolist(), strict=True) if 2 in was]
    counted = np.bincount([one.pop() // 6 for one in gained], minlength=4) / len(gained)
    pool = even_pool(Code(1, 1, False), np.arange(4, dtype=np.int32))
    found = rebuild_after(pool, np.array([0], dtype=np.int32), stays=3 / 4)
    np.testing.assert_allclose(counted, found.taken, atol=0.08)
    assert found.taken[0] == pytest.approx((1 - 3 / 3.75 * 2 / 2.75 + 0.75 / 2.75) / 2)


@pytest.mark.parametrize("pods", [1, 2])
@pytest.mark.parametrize(("rule", "disks"), [("lake", range(6)), ("lake-nvme", range(2)), ("lake-hdd", range(2, 6))])
def test_copies_are_in_different_racks_on_disks_of_the_class(tmp_path, pods, rule, disks) -> None:
    """Three copies on 12 hosts in 6 racks; OSD n is on host n // 6."""
    found = mapped(tmp_path, cluster(12, per_rack=2, pods=pods), "rack", rule)
    assert found.shape == (2048, 3)
    assert all(len(set(row)) == 3 for row in (found // 6 // 2).tolist())
    assert set(np.unique(found % 6).tolist()) == set(disks)


def test_data_is_spread_by_the_size_of_disks(tmp_path) -> None:
    """Every host is as large; of a host's bytes hdd hold 80 of 95.36 TB."""
    found = mapped(tmp_path, cluster(12, per_rack=2, pods=1), "host", "lake")
    np.testing.assert_allclose(np.bincount(found.ravel() // 6) / found.size, 1 / 12, atol=0.01)
    assert (found % 6 >= 2).mean() == pytest.approx(80 / 95.36, abs=0.01)


def test_chunks_of_an_erasure_code_are_in_different_racks(tmp_path) -> None:
    """k 4 + m 2 over 8 racks."""
    found = mapped(tmp_path, cluster(16, per_rack=2, pods=1, data=4, erasure=True), "rack", "lake-hdd")
    assert found.shape == (2048, 6)
    assert all(len(set(row)) == 6 for row in (found // 6 // 2).tolist())


def test_a_map_whose_racks_are_too_few_is_not_written(tmp_path) -> None:
    """Two racks for three copies: crushtool leaves one out, and the read-back refuses it."""
    made = cluster(4, per_rack=2, pods=1)
    (tmp_path / "map.txt").write_text(crush_text(made, "rack"))
    with pytest.raises(ScenarioError, match="same rack, or finds too few OSDs"):
        read_back(tmp_path / "map.txt", made, "rack")


def test_the_folder_says_what_crushtool_found_and_a_scenario_reads_the_map(tmp_path) -> None:
    """Written for the layout that was chosen; crush_map of a storage workload takes it as it is."""
    run = lake(tmp_path)
    answer = place_storage(run, storage_workload(run.loaded.scenario.workloads, None))
    made, domain = answer.cluster, answer.best.failure_domain
    _, said = write_storage(made, domain, tmp_path / "out", forms=["crush"], force=False)
    assert said == ("crushtool maps 1,024 placement groups by the CRUSH map: no two parts of one are in the same rack")
    again = lake(tmp_path, crush_map="out/crush-map.txt", devices=None, stored=None, recovery=None)
    (traffic,) = again.traffic
    (copies,) = [phase for phase in traffic.phases if phase.name == "ceph.replicate"]
    nodes = run.network.inventory.host_endpoints("front", "osd")[:, 0].tolist()
    rack = {node: at // 2 for at, node in enumerate(nodes)}
    assert all(
        rack[src] != rack[dst] for src, dst in zip(copies.flows.src.tolist(), copies.flows.dst.tolist(), strict=True)
    )
