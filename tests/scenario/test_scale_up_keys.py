"""``nodes[].scale_up``: laid over the node model's, domains of whole nodes, rows of a catalogue that are read back."""

from __future__ import annotations

import pytest

from fabric.cli.main import run
from fabric.pipeline.network import build_network
from fabric.scenario.load import load_scenario
from topologies.errors import FabricError

HEAD = """version: 1
name: s
fabrics:
  main: {topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 32, host_speed: 100G, uplink_speed: 100G}}
nodes:
  - {group: g, count: 4, nics: {main: {speed: 100G, count: 4, rail: per-gpu}}, KEYS}
"""


def links(tmp_path, keys):
    path = tmp_path / "s.yaml"
    path.write_text(HEAD.replace("KEYS", keys), encoding="utf-8")
    return build_network(load_scenario(str(path))).inventory.scale_up("g")


@pytest.mark.parametrize(
    ("keys", "speed_gbps", "domain", "reduces"),
    [
        ("model: gb200-nvl72-tray", 7200, 72, True),
        ("model: gb200-nvl72-tray, scale_up: {domain: 32}", 7200, 32, True),
        ("model: gb200-nvl72-tray, scale_up: {speed: 100 GB/s, reduces: false}", 800, 72, False),
        ("model: hgx-h100-8, gpus: 4", 3600, 4, True),  # a domain of one node follows its GPUs
        ("model: hgx-h100-8, gpus: 4, scale_up: {efficiency: 70%}", 3600, 4, True),
        ("model: hgx-h100-8, gpus: 4, scale_up: {domain: 8}", 3600, 8, True),
        ("gpus: 4, scale_up: {speed: 64 GB/s}", 512, 4, False),
    ],
)
def test_keys_lie_over_the_models(tmp_path, keys, speed_gbps, domain, reduces):
    """What is not written is the model's; without a domain it is the node."""
    found = links(tmp_path, keys)
    assert (found.speed, found.domain, found.reduces) == (speed_gbps, domain, reduces)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            "model: gb200-nvl72-tray, scale_up: {domain: 30}",
            r"domain of 30 GPUs does not hold whole nodes of 4; .* 28 or 32",
        ),
        (
            "model: gb200-nvl72-tray, gpus: 5",
            r"domain of 72 GPUs does not hold whole nodes of 5; write domain: 70 or 75",
        ),
        ("gpus: 4, scale_up: {domain: 4}", r"missing key 'speed'"),
        ("gpus: 4, scale_up: {speed: 0 GB/s}", r"'speed' should be .* 0"),
        ("gpus: 4, scale_up: {speed: 450}", r"450 has no unit"),
        ("gpus: 4, scale_up: {speed: 64 GB/s, efficiency: 120%}", r"'efficiency' should be at most 1"),
        ("gpus: 4, scale_up: {speed: 64 GB/s, efficiency: 0}", r"'efficiency' should be .* 0"),
        ("gpus: 4, scale_up: {speed: 64 GB/s, nvls: true}", r"unknown key 'nvls'"),
        ("gpus: 0, scale_up: {speed: 64 GB/s, domain: 8}", r"the nodes have no GPUs to join"),
        ("scale_up: {speed: 64 GB/s}", r"no GPUs to join|missing key 'domain'"),
    ],
)
def test_what_makes_no_domain_is_refused_with_a_way_out(tmp_path, keys, message):
    """At the key, with what would fit."""
    with pytest.raises(FabricError, match=message):
        links(tmp_path, keys)


def test_a_row_with_links_is_written_as_it_is_read(tmp_path, capsys):
    """``catalog add`` of a node with a GPU and links gives a catalogue that shows the same."""
    own = tmp_path / "own.yaml"
    own.write_text(
        "nodes: [{model: mine, gpus: 8, gpu: {memory: 80 GB, memory_rate: 3.35 TB/s}, "
        "scale_up: {speed: 450 GB/s, domain: 8, efficiency: 82%}, source: own}]",
        encoding="utf-8",
    )
    assert run(["catalog", "add", str(own), "-o", str(tmp_path / "again.yaml")]) == 0
    for name in ("own", "again"):
        capsys.readouterr()
        assert run(["catalog", "show", "mine", "--catalog", str(tmp_path / f"{name}.yaml"), "-f", "plain"]) == 0
        shown = dict(line.split("\t") for line in capsys.readouterr().out.splitlines() if "\t" in line)
        assert (shown["scale_up.speed_gbps"], shown["scale_up.domain"]) == ("3600.0", "8")
        assert float(shown["scale_up.efficiency"]) == pytest.approx(0.82)
        assert shown["gpu.memory_bytes"] == "80000000000.0"


def test_a_build_says_its_domains(tmp_path, capsys):
    """72 GPUs over 18 trays; 16 GPUs of them are a domain that is not full."""
    links(tmp_path, "model: gb200-nvl72-tray")
    assert run(["build", str(tmp_path / "s.yaml"), "-f", "plain"]) == 0
    assert "g: 16 GPUs in 1 scale-up domain of 72 (18 hosts), 4 in the last, 900 GB/s a GPU" in capsys.readouterr().out
