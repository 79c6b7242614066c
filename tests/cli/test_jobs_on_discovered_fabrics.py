"""Fabrics that devices and labs tell of carry jobs: discovered, routed, and the numbers by hand."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest

from fabric.cli.main import run

DATA = Path(__file__).parent.parent / "data" / "hosts-of-files"
JOB = """\
workloads:
  - id: j
    kind: training
    model: {layers: 32, hidden: 4096, ffn_hidden: 14336, heads: 32, kv_heads: 8, vocab: 128256}
    parallelism: {tp: 2}
    batch: {global: 256, sequence: 8192}
    compute: {peak: 989 TFLOP/s, mfu: 40%}
"""
ALL_TO_ALL = "workloads: [{id: a, kind: all-to-all, rate: %s Gb/s}]\n"
NODES = """\
nodes:
  - {group: gpu, count: 2, gpus: 2, name: "node{index}", nics: {f: {speed: 200G, count: 2, rail: per-gpu}}}
"""


def scenario(tmp_path: Path, topology: str, *parts: str) -> str:
    path = tmp_path / "s.fabric.yaml"
    head = f"version: 1\nname: s\nfabrics: {{f: {{topology: {{kind: file, {topology}}}}}}}\n"
    path.write_text(head + "".join(parts))
    return str(path)


def loads(capsys, path: str) -> tuple[dict[str, float], str]:
    """Offered Gbps by link that carries something, and what was said."""
    assert run(["route", path, "-f", "csv", "--columns", "link,offered_gbps", "--where", "offered_gbps > 0"]) == 0
    out, err = capsys.readouterr()
    return {row["link"]: float(row["offered_gbps"]) for row in csv.DictReader(io.StringIO(out))}, err


def ib_file(tmp_path: Path) -> str:
    shutil.copy(DATA / "adapters.ibnet", tmp_path / "net.ibnet")
    return "format: ibnetdiscover, path: net.ibnet"


def lldp_folder(tmp_path: Path) -> str:
    """A leaf that hears two ports of each of two servers."""
    folder = tmp_path / "lldp"
    folder.mkdir()
    interfaces = [
        {
            "name": f"swp{host * 2 + port}",
            "via": "LLDP",
            "chassis": [{"name": [{"value": f"node{host}"}], "capability": [{"type": "Station", "enabled": True}]}],
            "port": [
                {
                    "id": [{"type": "ifname", "value": f"eth{port}"}],
                    "auto-negotiation": [{"current": [{"value": "200GbaseDR4"}]}],
                }
            ],
        }
        for host in (0, 1)
        for port in (1, 0)
    ]
    (folder / "leaf1.json").write_text(json.dumps({"lldp": [{"interface": interfaces}]}))
    return "format: lldp, path: lldp"


def lab_file(tmp_path: Path) -> str:
    links = "".join(
        f'    - endpoints: ["node{host}:eth{port}", "leaf1:e{host}-{port}"]\n' for host in (0, 1) for port in (0, 1)
    )
    kinds = "    leaf1: {kind: nokia_srlinux}\n    node0: {kind: linux}\n    node1: {kind: linux}\n"
    (tmp_path / "net.clab.yml").write_text(f"name: lab\ntopology:\n  nodes:\n{kinds}  links:\n{links}")
    return "format: containerlab, path: net.clab.yml, speed: 200G"


def csv_file(tmp_path: Path) -> str:
    rows = "".join(f"node{host}-eth{port},leaf1,200\n" for host in (0, 1) for port in (1, 0))
    (tmp_path / "net.csv").write_text(f"a,b,gbps\n{rows}")
    return 'format: csv, path: net.csv, nics: "{host}-{nic}"'


@pytest.mark.parametrize("file", [ib_file, lldp_folder, lab_file, csv_file])
def test_a_training_job_runs_on_what_was_discovered(tmp_path, capsys, file):
    """Two hosts of two NICs and one leaf: data parallel groups of 2 exchange over every NIC at its line rate.

    Weights are 2 x 4.0 G per tp rank and gradients 4 bytes each: a ring of 2 sends 4 bytes a parameter, 16.1 GB a rank,
    which a NIC of 200 Gb/s at 92 % efficiency carries in 698 ms.
    """
    path = scenario(tmp_path, file(tmp_path), NODES, JOB)
    offered, said = loads(capsys, path)
    assert "NIC i of group gpu" in said
    assert len(offered) == 8
    assert list(offered.values()) == pytest.approx([200.0] * 8)
    assert run(["route", path, "-f", "plain"]) == 0
    assert "16.1 GB\t698 ms\t698 ms" in capsys.readouterr().out
    assert run(["build", path, "--json"]) == 0
    (fabric,) = json.loads(capsys.readouterr().out)["fabrics"]
    assert (fabric["endpoints"], fabric["gpus"], fabric["cables"]) == (4, 4, 4)


def test_an_aggregation_engine_gets_no_traffic(tmp_path, capsys):
    """Two members of 150 Gb/s exchange half of it each way, as of all-to-all among 2."""
    shutil.copy(DATA / "aggregation.ibnet", tmp_path)
    path = scenario(tmp_path, "format: ibnetdiscover, path: aggregation.ibnet", ALL_TO_ALL % 150)
    offered, said = loads(capsys, path)
    assert sorted(offered.values()) == [75.0] * 4
    assert not any("Aggregation" in link for link in offered)
    assert "Aggregation Node" in said


def test_clients_of_a_lab_do_not_forward(tmp_path, capsys):
    """Two clients of 10 Gb/s exchange half of it each way; client2 carries nothing of others."""
    shutil.copy(DATA / "lab.clab.yml", tmp_path)
    path = scenario(tmp_path, "format: containerlab, path: lab.clab.yml, speed: 100G", ALL_TO_ALL % 10)
    offered, said = loads(capsys, path)
    assert offered == {
        "client1 -> leaf1": 5.0, "leaf1 -> client1": 5.0, "client2 -> leaf1": 5.0, "leaf1 -> client2": 5.0,
    }  # fmt: skip
    assert "client1, client2 are taken for hosts" in said
    assert run(["build", path, "--json"]) == 0
    (fabric,) = json.loads(capsys.readouterr().out)["fabrics"]
    assert (fabric["endpoints"], fabric["switches"]) == (2, 3)


def test_a_server_with_two_uplinks_does_not_forward(tmp_path, capsys):
    """All 100 Gb/s from n001 to n002 go over the spine, none through n000."""
    for name in ("cables.csv", "demand.csv"):
        shutil.copy(DATA / name, tmp_path)
    nodes = 'nodes: [{group: gpu, count: 3, name: "n{index:03d}", nics: {f: {speed: 400G, count: 1, rail: shared}}}]\n'
    work = "workloads: [{id: m, kind: matrix, format: csv, path: demand.csv}]\n"
    path = scenario(tmp_path, "format: csv, path: cables.csv", nodes, work)
    offered, _ = loads(capsys, path)
    assert offered == {
        "n001 -> leaf1": 100.0, "leaf1 -> spine1": 100.0, "spine1 -> leaf2": 100.0, "leaf2 -> n002": 100.0,
    }  # fmt: skip


def test_hosts_and_nics_that_do_not_fit_are_refused_at_their_key(tmp_path, capsys):
    path = scenario(tmp_path, ib_file(tmp_path) + ", hosts: [nobody*]", NODES, JOB)
    assert run(["build", path]) == 3
    err = capsys.readouterr().err
    assert "FP6013" in err
    assert "nobody*" in err
    assert ":3:" in err
    path = scenario(
        tmp_path, "format: ibnetdiscover, path: net.ibnet", NODES.replace("count: 2, rail", "count: 4, rail")
    )
    assert run(["build", path]) == 3
    assert "node0 has 2" in capsys.readouterr().err


def test_a_device_type_of_the_wrong_shape_is_refused_at_its_line(capsys):
    assert run(["validate", str(DATA / "netbox-draw.yaml")]) == 3
    assert "netbox-draw.yaml:5:14" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "code"), [("alias-bomb", "FP1005"), ("alias-chain", "FP1005"), ("deep", "FP1008")])
@pytest.mark.parametrize("command", ["validate", "convert"])
def test_a_lab_that_never_ends_is_refused_by_every_command(tmp_path, capsys, name, code, command):
    file = str(DATA / f"{name}.clab.yml")
    assert run([command, file] if command == "validate" else [command, file, "-o", str(tmp_path / "o.json")]) == 3
    assert code in capsys.readouterr().err
