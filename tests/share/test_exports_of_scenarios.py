"""Exports for schedulers of the examples: one tree a fabric, blocks of racks, ranks, nodes."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from scheduler_plans import words_of_differences, written

from fabric.pipeline.prepared import build
from fabric.scenario.load import load_scenario
from fabric.share.schedulers.export import notes_of, scheduler_plan
from fabric.share.schedulers.format import SCHEDULER_FORMATS, ExportOptions, SchedulerPlan
from topologies.errors import FormatError, ScenarioError


def _plan(
    path: str, *, sets: tuple[str, ...] = (), options: ExportOptions = ExportOptions(), **keys: object
) -> SchedulerPlan:
    loaded = load_scenario(path, overrides=list(sets))
    return scheduler_plan(loaded, build(loaded), options, **keys)  # type: ignore[arg-type]


def test_compute_and_storage_are_two_trees() -> None:
    """train-2k: 8 units of 32 nodes on backend; storage has 4 pairs of leaves, with 256 nodes and 40 servers."""
    plan = _plan("examples/train-2k.fabric.yaml")
    files = {file.path: file.text.splitlines()[1:] for file in SCHEDULER_FORMATS["slurm"].write(plan)}
    assert set(files) == {"backend/topology.conf", "storage/topology.conf"}
    assert files["backend/topology.conf"][0] == "SwitchName=unit0 Nodes=n[000-031]"
    assert files["backend/topology.conf"][-1] == "SwitchName=backend Switches=unit[0-7]"
    assert not any("osd" in line or "st-leaf" in line for line in files["backend/topology.conf"])
    assert files["storage/topology.conf"][0] == "SwitchName=st-leaf00-st-leaf01 Nodes=n[000-095]"
    assert not any("unit" in line for line in files["storage/topology.conf"])
    assert plan.primary == "backend"


def test_one_topology_yaml_has_both_and_the_compute_fabric_is_the_default(tmp_path: Path) -> None:
    import yaml

    plan = _plan("examples/train-2k.fabric.yaml", options=ExportOptions(style="yaml"))
    found = yaml.safe_load((written(tmp_path, plan, "slurm") / "topology.yaml").read_text())
    assert [(one["topology"], one["cluster_default"]) for one in found] == [("backend", True), ("storage", False)]
    assert found[0]["tree"]["switches"][-1] == {"switch": "backend", "children": "unit[0-7]"}


def test_racks_of_one_scale_up_domain_are_blocks(tmp_path: Path) -> None:
    """nvl72: 4 racks of 18 trays of 4 GPUs, each rack a unit: blocks of 18, and all 4 of them, 72."""
    plan = _plan("examples/nvl72.fabric.yaml", options=ExportOptions(style="block"))
    lines = (written(tmp_path, plan, "slurm") / "topology.conf").read_text().splitlines()
    assert lines[1] == "BlockName=tray-domain0 Nodes=r[000-017]"
    assert lines[-1] == "BlockSizes=18,72"
    assert words_of_differences(tmp_path, plan, "slurm") == []
    labels = SCHEDULER_FORMATS["kueue"].facts(_plan("examples/nvl72.fabric.yaml"))
    assert labels["backend Topology backend"][-2:] == ("fabric-planner/backend.domain", "kubernetes.io/hostname")


def test_blocks_of_domains_are_refused_where_a_domain_is_a_host() -> None:
    plan = _plan("examples/train-2k.fabric.yaml", options=ExportOptions(style="block"))
    with pytest.raises(ScenarioError, match="no scale-up domain joins hosts of backend"):
        list(SCHEDULER_FORMATS["slurm"].write(plan))


def test_ranks_are_where_the_traffic_puts_them(tmp_path: Path) -> None:
    """2,048 ranks, tensor parallel 8: eight ranks in a row are one node, and every node appears once."""
    plan = _plan("examples/train-2k.fabric.yaml", jobs=True)
    folder = written(tmp_path, plan, "rankfile")
    assert words_of_differences(folder, plan, "rankfile") == []
    ranks = (folder / "ranks.hosts").read_text().split()
    assert len(ranks) == 2048
    assert all(len(set(ranks[start : start + 8])) == 1 for start in range(0, 2048, 8))
    assert len(set(ranks)) == 256
    assert (folder / "rankfile").read_text().splitlines()[9] == f"rank 9={ranks[9]} slot=1"
    assert (folder / "machinefile").read_text().splitlines()[1] == f"{ranks[8]}:8"


_SHARED_HOST = """
version: 1
name: shared
nodes:
  - {group: gpu, count: 4, gpus: 8, nics: {main: {speed: 400G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {count: 2, speed: 400G, down: 2, up: 2}, spine: {count: 2}}
workloads:
  - {id: a, kind: collective, collective: all-reduce, fabric: main, size: 1 GiB, gpus: 12}
  - {id: b, kind: collective, collective: all-reduce, fabric: main, size: 1 GiB, gpus: 4}
"""


def _shared_host(tmp_path: Path, *down: str) -> SchedulerPlan:
    (tmp_path / "s.fabric.yaml").write_text(_SHARED_HOST)
    loaded = load_scenario(tmp_path / "s.fabric.yaml")
    return scheduler_plan(loaded, build(loaded, down=down), jobs=True)


def test_rank_files_of_jobs_on_one_host_bind_to_different_processors(tmp_path: Path) -> None:
    """Job a has GPUs 0 to 3 of the second host, job b GPUs 4 to 7."""
    folder = written(tmp_path / "out", _shared_host(tmp_path), "rankfile")
    lines = [line.split("=", 1)[1] for job in "ab" for line in (folder / job / "rankfile").read_text().splitlines()]
    assert len(set(lines)) == len(lines) == 16
    assert [line for line in lines if line.startswith("gpu1 ")] == [f"gpu1 slot={gpu}" for gpu in range(8)]
    assert words_of_differences(folder, _shared_host(tmp_path), "rankfile") == []


def test_ranks_on_a_host_that_is_down_are_named(tmp_path: Path) -> None:
    chosen = SCHEDULER_FORMATS["rankfile"]
    assert not any("down" in note for note in notes_of(_shared_host(tmp_path), chosen))
    found = [note for note in notes_of(_shared_host(tmp_path, "gpu1"), chosen) if "down" in note]
    assert [note.split(";")[0] for note in found] == [
        f"{job} has ranks on 1 host that is down, and cannot start so: gpu1" for job in "ab"
    ]


@pytest.mark.parametrize("form", ["labels", "kueue"])
@pytest.mark.parametrize(
    ("lost", "count"),
    [("everything", 4), ("a line", 2), ("a host", 1), ("by a comment", 2), ("the value", 1)],
)
def test_labels_that_the_script_lost_are_found(tmp_path: Path, form: str, lost: str, count: int) -> None:
    plan = _shared_host(tmp_path)
    folder = written(tmp_path / "out", plan, form)
    script = folder / "label-nodes.sh"
    lines = script.read_text().splitlines(keepends=True)
    assert [line.split()[:3] for line in lines[-2:]] == [["label", "gpu0", "gpu1"], ["label", "gpu2", "gpu3"]]
    changed = {
        "everything": [],
        "a line": lines[:-1],
        "a host": [line.replace("gpu1 ", "") for line in lines],
        "by a comment": [*lines[:-1], "# " + lines[-1]],
        "the value": [*lines, "label gpu1 fabric-planner/main.leaf=elsewhere\n"],
    }[lost]
    script.write_text("".join(changed))
    found = words_of_differences(folder, plan, form)
    assert len(found) == count
    assert all("in label-nodes.sh" in words for words in found)
    if lost != "the value":
        assert all(words.endswith("in label-nodes.sh is not in the folder") for words in found)


def test_a_line_of_the_script_that_does_something_else_is_refused(tmp_path: Path) -> None:
    plan = _shared_host(tmp_path)
    folder = written(tmp_path / "out", plan, "labels")
    script = folder / "label-nodes.sh"
    head, _, rest = script.read_text().partition("\nlabel gpu0")
    script.write_text(f"{head}\nexit 0\nlabel gpu0{rest}")
    with pytest.raises(FormatError, match="'exit 0' is not a line that labels nodes"):
        words_of_differences(folder, plan, "labels")


def test_a_moved_rank_is_found(tmp_path: Path) -> None:
    plan = _plan("examples/train-2k.fabric.yaml", jobs=True)
    folder = written(tmp_path, plan, "rankfile")
    text = (folder / "ranks.hosts").read_text()
    (folder / "ranks.hosts").write_text(text.replace("n000\n", "n001\n", 1))
    assert [words.split(" ", 2)[1] for words in words_of_differences(folder, plan, "rankfile")] == ["ranks.hosts"]


def test_a_job_that_is_none_names_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="'llama' is not a job with ranks on GPUs") as raised:
        _plan("examples/train-2k.fabric.yaml", jobs=True, job="llama")
    assert "llama70b" in raised.value.problems[0].hint


# What NCCL 2.27 reads of an element (src/graph/topo.cc), and which it does not do without.
_NEEDED = {
    "system": {"version"},
    "cpu": {"numaid", "arch"},
    "pci": {"busid", "class", "link_speed", "link_width"},
    "gpu": {"dev", "sm", "rank", "gdr"},
    "nvlink": {"target", "count", "tclass"},
    "nic": set(),
    "net": {"name", "dev", "speed", "port", "guid", "maxconn", "gdr"},
}
_CLASSES = {"0x060400": {"pci"}, "0x030200": {"gpu"}, "0x020000": {"nic"}}
_SPEEDS = {"2.5 GT/s PCIe", "5.0 GT/s PCIe", "8.0 GT/s PCIe", "16.0 GT/s PCIe", "32.0 GT/s PCIe", "64.0 GT/s PCIe"}
_INSIDE = {"system": {"cpu"}, "cpu": {"pci", "nic"}, "gpu": {"nvlink"}, "nic": {"net"}, "nvlink": set(), "net": set()}


def _as_nccl(path: Path) -> ElementTree.Element:
    """The root of a file, looked at by the rules of NCCL's reader."""
    text = path.read_text()
    assert "  busid" not in text  # its reader takes one blank between attributes
    assert "=''" not in text
    root = ElementTree.fromstring(text)
    buses = [element.get("busid") for element in root.iter("pci")]
    assert len(set(buses)) == len(buses)
    for element in root.iter():
        assert _NEEDED[element.tag] <= set(element.attrib)
        assert len(element.attrib) <= 16
        assert all(len(value) <= 255 for value in element.attrib.values())
        children = {child.tag for child in element}
        if element.tag == "pci":
            assert children == _CLASSES[element.get("class", "")]
            assert element.get("link_speed") in _SPEEDS
        else:
            assert children <= _INSIDE[element.tag]
    assert root.get("version") == "1"
    return root


def test_a_node_is_as_nccl_reads_it(tmp_path: Path) -> None:
    """H100: 18 NVLinks of 25 GB/s make 450 GB/s; 8 GPUs, each behind a switch with one NIC of 400 Gb/s."""
    plan = _plan("examples/train-2k.fabric.yaml")
    root = _as_nccl(written(tmp_path, plan, "nccl") / "gpu.topo.xml")
    assert [gpu.get("dev") for gpu in root.iter("gpu")] == [str(gpu) for gpu in range(8)]
    assert {(gpu.get("sm"), gpu[0].get("count")) for gpu in root.iter("gpu")} == {("90", "18")}
    assert [net.get("speed") for net in root.iter("net")] == ["400000"] * 8
    assert [len(list(cpu.iter("gpu"))) for cpu in root] == [4, 4]
    assert words_of_differences(tmp_path, plan, "nccl") == []


def test_addresses_of_a_file_are_taken(tmp_path: Path) -> None:
    lines = ["device,busid,switch,numa,name"]
    lines += [f"gpu{gpu},0000:{0x1B + gpu:02x}:00.0,0000:{0xA0 + gpu // 4:02x}:00.0,{gpu // 4}," for gpu in range(8)]
    lines += [f"nic{nic},0000:{0x5D + nic:02x}:00.0,,{nic // 4},mlx5_{nic}" for nic in range(8)]
    (tmp_path / "pci.csv").write_text("\n".join(lines) + "\n")
    plan = _plan("examples/train-2k.fabric.yaml", options=ExportOptions(pci=tmp_path / "pci.csv"))
    root = _as_nccl(written(tmp_path / "out", plan, "nccl") / "gpu.topo.xml")
    first = next(root.iter("net"))
    assert first.get("name") == "mlx5_0"
    assert [pci.get("busid") for pci in root[0]] == [
        "0000:a0:00.0",
        *(f"0000:{0x5D + nic:02x}:00.0" for nic in range(4)),
    ]
    assert words_of_differences(tmp_path / "out", plan, "nccl") == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("gpu0,1b:00.0", "'1b:00.0' is not a PCI address"),
        ("card0,0000:1b:00.0", "is neither gpuN nor nicN"),
        ("gpu0,0000:1b:00.0", "gpu1 is missing: a node has 8 GPUs and 8 NICs"),
    ],
)
def test_addresses_that_are_none_are_refused_with_their_line(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "pci.csv").write_text(f"device,busid\n{line}\n")
    plan = _plan("examples/train-2k.fabric.yaml", options=ExportOptions(pci=tmp_path / "pci.csv"))
    with pytest.raises(FormatError, match=said):
        list(SCHEDULER_FORMATS["nccl"].write(plan))


def test_gpus_that_nothing_describes_are_refused() -> None:
    plan = _plan("examples/train-2k.fabric.yaml", sets=("nodes.gpu.model=mi300x-8",))
    with pytest.raises(ScenarioError, match="NCCL needs their compute capability"):
        list(SCHEDULER_FORMATS["nccl"].write(plan))
