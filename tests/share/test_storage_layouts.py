"""Layouts of a storage cluster: figures by hand, the order of choice, and files that say the same."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from lake import lake, lake_text

from fabric.cli.main import run
from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario, with_overrides
from fabric.share.storage.cluster import storage_workload
from fabric.share.storage.crush_map import crush_text
from fabric.share.storage.folder import possible_forms, storage_files, write_storage
from fabric.share.storage.hdfs_files import hdfs_files
from fabric.share.storage.layouts import StorageAnswer, chosen_devices, place_storage
from fabric.share.storage.volumes import manifests
from topologies.errors import FabricError
from traffic.storage.hdfs_topology import read_racks


def answer_of(run: Run) -> StorageAnswer:
    return place_storage(run, storage_workload(run.loaded.scenario.workloads, None))


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> StorageAnswer:
    return answer_of(lake(tmp_path_factory.mktemp("lake")))


def test_primaries_are_read_across_the_core_but_for_those_under_the_same_leaf(answer: StorageAnswer) -> None:
    """80 Gb/s evenly from 8 servers, 2 of them under the reader's leaf: 3/4 cross, wherever copies are."""
    found = {layout.name: layout.core_read_gbps for layout in answer.layouts}
    assert found["host, primary"] == pytest.approx(60)
    assert found["rack, primary"] == pytest.approx(60)


def test_nearest_reads_cross_where_no_copy_is_under_the_leaf(answer: StorageAnswer) -> None:
    """Of 4 racks, which are the leaves here, 3 hold a copy: 1/4 crosses. By host C(6,3)/C(8,3) = 20/56 do."""
    found = {layout.name: layout.core_read_gbps for layout in answer.layouts}
    assert found["rack, nearest"] == pytest.approx(80 / 4)
    assert found["host, nearest"] == pytest.approx(80 * 20 / 56)


def test_the_layout_that_survives_a_rack_with_the_nearest_reads_is_taken(answer: StorageAnswer) -> None:
    assert answer.best.name == "rack, nearest"
    assert [layout.chosen for layout in answer.layouts] == [True, False, False, False]
    assert [layout.in_rack for layout in answer.layouts] == [1, 1, 2, 2]


def test_a_lost_host_is_rebuilt_in_its_window_and_at_best_as_fast_as_a_full_link_lets(answer: StorageAnswer) -> None:
    """75 TB of each of 8 servers in 6 h: 27.8 Gb/s; alone on links that others leave room on it could go faster."""
    best = answer.best
    assert best.recovery_s == pytest.approx(6 * 3600)
    assert best.fastest_s is not None
    assert 75e12 * 8 / 800e9 < best.fastest_s < 6 * 3600


def test_at_a_rate_a_rebuild_takes_what_a_host_holds_over_it(tmp_path) -> None:
    """75 TB at 2 GB/s."""
    found = answer_of(lake(tmp_path, recovery={"rate": "2 GB/s", "when": "host-loss"}))
    assert found.best.recovery_s == pytest.approx(75e12 / 2e9)


def test_a_window_that_the_network_cannot_keep_breaks_the_limit(tmp_path) -> None:
    """75 TB in 2 min are 5 Tb/s: no link of 100 Gb/s has that, whatever the layout."""
    found = answer_of(lake(tmp_path, recovery={"within": "2 min", "when": "host-loss"}))
    assert "lake ceph.recovery time ≤ within" in found.best.broken
    assert found.best.recovery_s is not None
    assert found.best.recovery_s > 120
    assert found.best.recovery_s == pytest.approx(120 * found.best.max_utilisation)


def test_the_first_device_class_that_holds_the_data_below_85_percent_is_taken(answer: StorageAnswer) -> None:
    """600 TB with copies: 128 TB of nvme are too few, 1,056 TB of hdd are 56.8 % full.

    Copies of a lost server go to its rack's other one before three, two and one other racks of two: 0.45 of them.
    """
    filled = [answer.cluster.filled(one) for one in answer.cluster.devices]
    assert filled == [pytest.approx(600 / 128), pytest.approx(600 / 1056)]
    stays = [1 - 6 / 7 * 4 / 5 * 2 / 3, 1 - 4 / 5 * 2 / 3, 1 - 2 / 3]
    assert answer.best.after == pytest.approx(1 + sum(stays) / 3)
    assert answer.devices is not None
    assert answer.devices.device_class == "hdd"


HOSPITAL = Path(__file__).parents[2] / "examples" / "use-cases" / "hospital.fabric.yaml"


def test_a_rate_and_the_window_that_asks_for_it_are_answered_alike() -> None:
    """333 TB at 2 GB/s are 46.3 h; a checkpoint beside it is over capacity, and both take as much longer."""
    found = []
    for recovery in ("{rate: 2 GB/s, when: host-loss}", f"{{within: {1e15 / 3 / 2e9} s, when: host-loss}}"):
        loaded = with_overrides(load_scenario(HOSPITAL), [f"workloads.archive.recovery={recovery}"])
        found.append({one.name: one for one in answer_of(run_scenario(loaded, RouteRequest())).layouts})
    by_rate, by_window = found
    for name, layout in by_rate.items():
        assert layout.max_utilisation > 1
        assert layout.recovery_s == pytest.approx(1e15 / 3 / 2e9 * layout.max_utilisation)
        assert by_window[name].recovery_s == pytest.approx(layout.recovery_s)
        assert by_window[name].fastest_s == pytest.approx(layout.fastest_s)


def test_the_fullest_link_is_that_of_route() -> None:
    """Of all phases that the archive takes part in, not of the steady one alone."""
    run_of = run_scenario(load_scenario(HOSPITAL), RouteRequest())
    own = next(one for one in answer_of(run_of).layouts if one.name == "rack, primary")
    fullest = max((one for one in run_of.result.routes if one.fabric == "front"), key=lambda one: one.max_utilisation)
    assert own.max_utilisation == pytest.approx(fullest.max_utilisation)
    assert own.hottest_link == fullest.hottest_link


def test_the_hospital_has_room_for_what_it_says() -> None:
    """333 TB on 576 TB a server, 500 TB on the two that the rack leaves: 58 and 87 %."""
    run_of = run_scenario(load_scenario(HOSPITAL), RouteRequest())
    best = answer_of(run_of).best
    assert (best.name, best.never, best.broken) == ("rack, nearest", "", ())
    assert best.after == pytest.approx(1.5)
    assert "58 % full" in HOSPITAL.read_text()
    assert "87 % full then" in HOSPITAL.read_text()


def test_a_loss_that_is_never_rebuilt_counts_as_a_limit_that_breaks(tmp_path, capfd) -> None:
    """4 copies and a rack of four is lost: by rack no place is left, by host six servers are."""
    lost = {"rate": "2 GB/s", "when": "rack-loss"}
    found = answer_of(lake(tmp_path, replication=4, stored="100 TB", recovery=lost, read=None))
    layouts = {one.name: one for one in found.layouts}
    assert "has no place among 4 failure domains" in layouts["rack, primary"].never
    assert layouts["rack, primary"].broken == (layouts["rack, primary"].never,)
    assert layouts["rack, primary"].recovery_s is None
    assert found.best.failure_domain == "host"
    (tmp_path / "few.yaml").write_text(lake_text(servers=3, recovery=lost | {"when": "host-loss"}, stored="20 TB"))
    assert run(["storage", str(tmp_path / "few.yaml"), "-q"]) == 1
    text = capfd.readouterr().out
    assert "it stays degraded until the part returns" in text
    assert "∞" not in text
    assert "cannot be: 3 copies need as many servers" in text


def test_devices_go_by_the_fullest_server(tmp_path) -> None:
    """Racks of 2, 2, 2 and 1: by rack, 4 copies, the single server keeps 7/4 of the mean; 55 % are 96 % there."""
    disks = [{"class": "hdd", "count": 6, "size": "20 TB"}]
    keys = {"replication": 4, "failure_domain": "rack", "stored": "115 TB", "devices": disks, "recovery": None}
    text = lake_text(servers=7, **keys)
    (tmp_path / "uneven.yaml").write_text(text)
    found = answer_of(run_scenario(load_scenario(tmp_path / "uneven.yaml"), RouteRequest()))
    by_name = {one.name: one for one in found.layouts}
    rack = by_name["rack, primary"]
    assert rack.balance == pytest.approx(7 / 4)
    assert found.cluster.filled(found.cluster.devices[0], rack.balance) == pytest.approx(115 / 120)
    assert chosen_devices(found.cluster, rack) is None
    assert chosen_devices(found.cluster, by_name["host, primary"]) is found.cluster.devices[0]


def test_an_export_says_when_the_fullest_server_is_too_full(tmp_path, capfd) -> None:
    """The same: 96 % of osd6."""
    disks = [{"class": "hdd", "count": 6, "size": "20 TB"}]
    keys = {"replication": 4, "failure_domain": "rack", "stored": "115 TB", "devices": disks, "recovery": None}
    (tmp_path / "uneven.yaml").write_text(lake_text(servers=7, **keys))
    assert run(["export", "crush", str(tmp_path / "uneven.yaml"), "-o", str(tmp_path / "x"), "-q"]) == 0
    assert "the fullest server is 95.8 % full" in capfd.readouterr().out
    (tmp_path / "full.yaml").write_text(lake_text(servers=7, **{**keys, "stored": "125 TB"}))
    assert run(["export", "crush", str(tmp_path / "full.yaml"), "-o", str(tmp_path / "y"), "-q"]) == 3
    assert "FP4093" in capfd.readouterr().err
    assert not (tmp_path / "y").exists()


def test_racks_that_are_too_few_are_said_and_the_host_is_left(tmp_path) -> None:
    """Five chunks, four racks."""
    found = answer_of(lake(tmp_path, replication=None, erasure={"k": 3, "m": 2}))
    assert [(one.name, bool(one.refused)) for one in found.layouts] == [
        ("host, primary", False),
        ("rack, primary", True),
    ]
    assert "there are 4" in found.layouts[1].refused


def test_data_that_no_disks_hold_is_refused(tmp_path) -> None:
    with pytest.raises(FabricError, match="do not fit on devices") as raised:
        lake(tmp_path, stored="1 EB")
    assert raised.value.problems[0].code == "FP4093"


def test_a_workload_that_is_none_is_refused_with_those_there_are(tmp_path) -> None:
    with pytest.raises(FabricError, match="'lak' is not a workload of kind storage") as raised:
        storage_workload(lake(tmp_path).loaded.scenario.workloads, "lak")
    assert (raised.value.problems[0].code, raised.value.problems[0].hint) == ("FP9760", "did you mean 'lake'?")


def test_a_map_of_ceph_leaves_nothing_to_choose(tmp_path) -> None:
    run = lake(tmp_path)
    spec = run.loaded.scenario.workloads[0]
    given = spec.model_copy(update={"spec": spec.spec.model_copy(update={"crush_map": "map.bin"})})
    with pytest.raises(FabricError, match="nothing to choose"):
        place_storage(run, given)


def test_racks_of_hdfs_are_read_back_and_its_script_says_the_same(answer: StorageAnswer, tmp_path) -> None:
    """Our reader of printTopology gives the racks of the plan; sh answers rack by rack, all of one depth."""
    files = dict(hdfs_files(answer.cluster))
    racks = read_racks(files["print-topology.txt"], "print-topology.txt", answer.cluster.hosts)
    assert racks.tolist() == [at // 2 for at in range(8)]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    addresses = [one for (one,) in answer.cluster.find_addresses()]
    by_address = subprocess.run(
        ["sh", str(tmp_path / "topology.sh"), *addresses], capture_output=True, text=True, check=True
    ).stdout.split()
    asked = [*answer.cluster.hosts, "stranger"]
    done = subprocess.run(["sh", str(tmp_path / "topology.sh"), *asked], capture_output=True, text=True, check=True)
    paths = done.stdout.split()
    assert by_address == paths[:-1]
    table = dict(line.split("\t") for line in files["topology.map"].splitlines())
    assert table == dict(zip([*asked[:-1], *addresses], [*by_address, *by_address], strict=True))
    assert paths[-1].endswith("/default-rack")
    assert len(paths) == len(asked)
    assert len({path.count("/") for path in paths}) == 1
    assert [len(set(paths[at : at + 2])) for at in range(0, 8, 2)] == [1, 1, 1, 1]


def test_addresses_of_hdfs_are_those_that_are_exported(answer: StorageAnswer, tmp_path, capfd) -> None:
    """Hadoop asks by address: the plan of the fabric, as ``export addresses`` prints it."""
    (tmp_path / "lake.yaml").write_text(lake_text())
    assert run(["export", "addresses", str(tmp_path / "lake.yaml"), "-f", "json", "-q"]) == 0
    rows = json.loads(capfd.readouterr().out)["items"]
    planned = {row["node"]: row["ipv4"] for row in rows if row["kind"] == "endpoint"}
    found = {host: one for host, (one,) in zip(answer.cluster.hosts, answer.cluster.find_addresses(), strict=True)}
    assert found == {host: planned[host] for host in answer.cluster.hosts}


def test_volumes_are_valid_manifests_on_the_host_and_under_its_leaf(answer: StorageAnswer) -> None:
    """A class a device class, a volume a device: 8 x (2 + 6), held to the schema of Kubernetes."""
    validate = pytest.importorskip("kubernetes_validate").validate
    documents = list(manifests(answer.cluster))
    for document in documents:
        validate(document, "1.31", strict=True)
    classes = [one for one in documents if one["kind"] == "StorageClass"]
    volumes = [one for one in documents if one["kind"] == "PersistentVolume"]
    assert [one["metadata"]["name"] for one in classes] == ["lake-nvme", "lake-hdd"]
    assert {one["volumeBindingMode"] for one in classes} == {"WaitForFirstConsumer"}
    assert len({one["metadata"]["name"] for one in volumes}) == len(volumes) == 64
    terms = volumes[-1]["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"]
    assert [(one["key"], one["values"]) for one in terms] == [
        ("kubernetes.io/hostname", ["osd7"]),
        ("fabric-planner/front.leaf", ["leaf3"]),
    ]
    assert volumes[-1]["spec"]["capacity"] == {"storage": f"{int(22e12 // 2**30)}Gi"}


def test_the_folder_holds_all_files_and_the_volumes_as_documents(answer: StorageAnswer, tmp_path) -> None:
    made = answer.cluster
    names, _ = write_storage(made, "rack", tmp_path / "out", forms=possible_forms(made), force=False)
    assert sorted(names) == [
        "crush-map.txt", "hdfs/print-topology.txt", "hdfs/topology.map", "hdfs/topology.sh", "kubernetes/volumes.yaml",
    ]  # fmt: skip
    text = (tmp_path / "out" / "kubernetes" / "volumes.yaml").read_text()
    assert [json.loads(one) for one in text.split("---\n")[1:]] == list(manifests(answer.cluster))
    assert (tmp_path / "out" / "hdfs" / "topology.sh").stat().st_mode & 0o111
    assert storage_files(made, "rack", ["crush"]) == {"crush-map.txt": crush_text(made, "rack")}


@pytest.mark.parametrize("form", ["crush", "hdfs", "volumes"])
def test_export_writes_what_the_scenario_has(tmp_path, capfd, form) -> None:
    """The workload's own failure domain, not the one that would be chosen."""
    (tmp_path / "lake.yaml").write_text(lake_text(failure_domain="host"))
    words = ["export", form, str(tmp_path / "lake.yaml"), "-o", str(tmp_path / form), "-f", "json", "-q"]
    assert run(words) == 0
    rows = json.loads(capfd.readouterr().out)["items"]
    assert all((tmp_path / form / name).is_file() for name in ("files.json",))
    assert {(row["format"], row["failure_domain"], row["servers"], row["racks"]) for row in rows} == {
        (form, "host", 8, 4)
    }
    assert run(words) == 3


def test_racks_of_a_workload_of_hdfs_are_exported(tmp_path, capfd) -> None:
    """The feature store of a use case: 24 servers in 3 racks."""
    scenario = Path(__file__).parents[2] / "examples" / "use-cases" / "internet.fabric.yaml"
    assert run(["export", "hdfs", str(scenario), "-o", str(tmp_path / "x"), "-q"]) == 0
    lines = (tmp_path / "x" / "hdfs" / "topology.map").read_text().splitlines()
    assert len(lines) == 2 * 24  # a name and an address each
    assert len({line.split("\t")[1] for line in lines}) == 3


def test_export_of_racks_that_are_not_known_is_refused(tmp_path, capfd) -> None:
    (tmp_path / "lake.yaml").write_text(lake_text().replace("  per_rack: 2\n", ""))
    assert run(["export", "hdfs", str(tmp_path / "lake.yaml"), "-o", str(tmp_path / "x"), "-q"]) == 3
    assert "FP9764" in capfd.readouterr().err


def test_weights_of_the_map_add_up_from_the_disks() -> None:
    """Of every bucket, the weight above is the sum of what is in it, in TiB."""
    from fabric.share.storage.cluster import Devices, StorageCluster

    hosts = ("a", "b", "c", "d")
    none: tuple[dict[str, str], ...] = ({},) * 4
    pods = ("pod0", "pod0", "pod1", "pod1")
    disks = (Devices("nvme", 2, 8e12), Devices("hdd", 1, 20e12))
    cluster = StorageCluster("s", "f", hosts, ("r0", "r0", "r1", "r1"), pods, none, disks, 1, 1, False, None)
    items = [line.split()[1::2] for line in crush_text(cluster, "rack").splitlines() if line.startswith("\titem")]
    weight = {name: float(size) for name, size in items}
    assert weight["a"] == pytest.approx(36e12 / 2**40, abs=1e-4)
    np.testing.assert_allclose([weight["r0"], weight["pod0"]], 2 * 36e12 / 2**40, atol=1e-4)
