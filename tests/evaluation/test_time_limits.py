"""Times that workloads' own keys allow become limits of their own, wherever limits are shown."""

from __future__ import annotations

import json

import pytest

from fabric.cli.main import run
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.saved.open_any import open_any
from fabric.scenario.load import load_scenario

CLUSTER = """\
version: 1
name: times
nodes:
  - {group: gpu, count: 4, gpus: 4, nics: {main: {speed: 100G}, extra: {speed: 100G}}}
  - {group: store, count: 2, nics: {main: {speed: 100G}, extra: {speed: 100G}}}
fabrics:
  main: &one
    efficiency: 100%
    topology: {kind: leaf-spine, leaves: 3, spines: 1, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
  extra: *one
workloads:
"""
# 100 GB in two copies, half to each of two servers of 100 Gb/s: 100e9 bytes x 8 / 100e9 bit/s = 8 s.
CHECKPOINT = "  - {id: save, kind: checkpoint, clients: gpu, target: store, fabric: main, size: 100 GB, replication: 2"
MIRROR = "  - {id: mirror, kind: replication, source: store, border: gpu, fabric: main, size: 90 TB"


def rows(tmp_path, text, **request):
    """The limit rows of a scenario, as text."""
    path = tmp_path / "times.yaml"
    path.write_text(CLUSTER + text + "\n")
    result = route(load_scenario(path), RouteRequest(**request))
    return {limit.text: (limit.value, limit.max, limit.ok) for limit in result.limits}


@pytest.mark.parametrize(("deadline", "ok"), [("8 s", True), ("7.9 s", False), ("1 h", True)])
def test_a_checkpoint_keeps_its_deadline_or_fails(tmp_path, deadline, ok):
    """Eight seconds at line rate, without anything else on the wire."""
    (row,) = rows(tmp_path, f"{CHECKPOINT}, deadline: {deadline}}}").items()
    assert row[0] == "save checkpoint time ≤ deadline"
    assert row[1][0] == pytest.approx(8)
    assert row[1][2] is ok


def test_checkpoints_follow_each_other_no_faster_than_they_are_written(tmp_path):
    """Every 5 s for 8 s of writing cannot be; a tighter deadline says it already, a longer one does not."""
    assert rows(tmp_path, f"{CHECKPOINT}, every: 5 s}}")["save checkpoint time ≤ every"][1:] == (5, False)
    assert [*rows(tmp_path, f"{CHECKPOINT}, every: 5 min, deadline: 10 s}}")] == ["save checkpoint time ≤ deadline"]
    both = rows(tmp_path, f"{CHECKPOINT}, every: 5 s, deadline: 10 s}}")
    assert [ok for _, _, ok in both.values()] == [True, False]


def test_a_window_is_kept_while_no_link_is_over(tmp_path):
    """90 TB in 4 h are 50 Gb/s, 25 a server; in 1 h 200, as much as two servers have; in half of it twice that."""
    assert rows(tmp_path, f"{MIRROR}, within: 4 h}}") == {
        "mirror replication time ≤ within": (pytest.approx(14400), 14400, True)
    }
    kept = rows(tmp_path, f"{MIRROR}, within: 1 h}}")["mirror replication time ≤ within"]
    late = rows(tmp_path, f"{MIRROR}, within: 30 min}}")["mirror replication time ≤ within"]
    assert late[0] == pytest.approx(kept[0])
    assert (late[1], late[2]) == (1800, False)


def test_demand_without_a_path_misses_its_deadline(tmp_path):
    """Without the spine nothing is ever written to the other leaves."""
    (limit,) = rows(tmp_path, f"{CHECKPOINT}, deadline: 1 d}}", down=("spine0",)).values()
    assert limit == (None, 86400, False)


def test_what_is_not_routed_is_open_and_not_zero_seconds(tmp_path):
    """With another fabric alone a job's limits are undecided, and its deadline on the first is out of the question."""
    text = f"{CHECKPOINT}, deadline: 10 s}}\n  - {{kind: uniform, id: other, fabric: extra, size: 1 GB}}\n"
    text += (
        "limits: [{workload: save, metric: checkpoint_time, max: 1 s}, {workload: save, metric: step_time, max: 1 s}]"
    )
    found = rows(tmp_path, text, fabric="extra")
    assert found["save checkpoint_time"] == (None, 1, None)
    assert "save checkpoint time ≤ deadline" not in found
    assert rows(tmp_path, text)["save checkpoint_time"][1:] == (1, False)


def test_a_missed_deadline_is_exit_code_one_and_stands_everywhere(tmp_path, capsys, monkeypatch):
    """One list of rows: answers, records, saved results, reports, comparisons of routers, explanations."""
    monkeypatch.chdir(tmp_path)
    name = "save checkpoint time ≤ deadline"
    path = tmp_path / "times.yaml"
    path.write_text(CLUSTER + f"{CHECKPOINT}, deadline: 1 s}}\n")

    def answer(*words):
        return run([*words, "-q"]), capsys.readouterr().out

    code, text = answer("route", str(path), "--save", "kept.fpr")
    assert (code, name in text) == (1, True)
    assert "FAIL" in next(line for line in text.splitlines() if name in line)
    code, text = answer("route", str(path), "--json")
    (row,) = json.loads(text)["limits"]
    assert (code, row["text"], row["ok"], row["id"]) == (1, name, False, "save.deadline")
    code, text = answer("route", str(path), "--router", "ecmp,wcmp")
    assert (code, name in text) == (1, True)
    assert name in answer("report", str(path), "-f", "md")[1]
    assert "FAILS: 8 s, allowed 1 s" in answer("explain", "kept.fpr", "save.deadline")[1]
    assert [limit.text for limit in open_any("kept.fpr").result.limits] == [name]
