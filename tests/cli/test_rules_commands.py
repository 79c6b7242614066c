"""``rules trace``, ``rules probes`` and ``verify routes`` as people call them."""

from __future__ import annotations

import json
import re

import pytest
from rule_cases import exported, scenario_file

from fabric.cli.main import run
from fabric.rules.manifest import read_manifest


def test_a_trace_says_the_path_and_how_likely_it_is(tmp_path, capsys):
    """Pod 0 to pod 3 of a k = 4 fat tree: five switches, two choices of two, 25 %."""
    scenario, folder = exported(tmp_path, "fat-tree")
    capsys.readouterr()
    assert run(["rules", "trace", str(scenario), str(folder), "pod0/edge0/h0", "pod3/edge1/h1", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [item["switch"].split("/")[0] for item in record["items"]][0::4] == ["pod0", "pod3"]
    assert len(record["items"]) == 5
    assert record["paths"] == [{"end": "delivered", "at": "pod3/edge1/h1", "probability": 0.25}]


def test_all_paths_together_are_certain(tmp_path, capsys):
    """Four of them."""
    scenario, folder = exported(tmp_path, "fat-tree")
    capsys.readouterr()
    flags = ["--all", "--json"]
    assert run(["rules", "trace", str(scenario), str(folder), "pod0/edge0/h0", "pod3/edge1/h1", *flags]) == 0
    paths = json.loads(capsys.readouterr().out)["paths"]
    assert len(paths) == 4
    assert sum(path["probability"] for path in paths) == pytest.approx(1)


def test_a_packet_for_nobody_is_dropped(tmp_path, capsys):
    """Exit code 1; and a name that is not there is refused."""
    scenario, folder = exported(tmp_path, "fat-tree")
    assert run(["rules", "trace", str(scenario), str(folder), "pod0/edge0/h0", "10.64.0.6"]) == 1
    assert "dropped at pod0/edge0" in capsys.readouterr().out
    assert run(["rules", "trace", str(scenario), str(folder), "pod0/edge0/h0", "nobody"]) == 3
    assert "FP8051" in capsys.readouterr().err


def test_probes_are_written_for_every_rule(tmp_path, capsys):
    """An edge switch of five rules: five probes and a table of them."""
    scenario, folder = exported(tmp_path, "fat-tree")
    target = tmp_path / "probes"
    assert run(["rules", "probes", str(scenario), str(folder), "pod0/edge0", "-o", str(target)]) == 0
    (table,) = target.glob("*.csv")
    assert len(table.read_text().splitlines()) == 1 + 5
    assert run(["rules", "probes", str(scenario), str(folder), "pod0/edge9", "-o", str(tmp_path / "x")]) == 3
    assert "did you mean" in capsys.readouterr().err


def test_what_runs_is_compared_with_what_was_exported(tmp_path, capsys):
    """The same files: no difference. One rule elsewhere: exit code 1, with both sides."""
    scenario, folder = exported(tmp_path, "fat-tree")
    running = tmp_path / "running"
    running.mkdir()
    for path in (folder / "switches").iterdir():
        (running / path.name).write_bytes(path.read_bytes())
    observed = ["--observed", f"ovs:{running}"]
    assert run(["verify", "routes", str(scenario), str(folder), *observed]) == 0
    stem = next(entry.file for entry in read_manifest(folder).switches if entry.name == "pod0/edge0")
    path = running / f"{stem}.flows"
    path.write_text(
        re.sub(r"nw_dst=10\.64\.0\.2,actions=output:1", "nw_dst=10.64.0.2,actions=output:2", path.read_text())
    )
    capsys.readouterr()
    assert run(["verify", "routes", str(scenario), str(folder), *observed, "--json"]) == 1
    items = json.loads(capsys.readouterr().out)["items"]
    assert {item["switch"] for item in items} == {"pod0/edge0"}
    assert {(item["ours"], item["theirs"]) for item in items if item["kind"] == "different"} == {("port 1", "port 2")}


def test_bad_ways_of_asking_are_refused(tmp_path, capsys):
    """A kind of observation that is none is a usage error, files that are not there are input."""
    scenario, folder = exported(tmp_path, "fat-tree")
    assert run(["verify", "routes", str(scenario), str(folder), "--observed", "snmp:x"]) == 2
    assert run(["verify", "routes", str(scenario), str(folder), "--observed", f"ovs:{tmp_path}"]) == 3
    assert "FP8025" in capsys.readouterr().err
    assert run(["export", "openflow", str(scenario_file(tmp_path, "rails"))]) == 2
