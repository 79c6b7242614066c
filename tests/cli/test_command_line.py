"""The command line as scripts use it: exit codes, streams, files, formats."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.cli.main import run

OVERSUBSCRIBED = """\
version: 1
name: small
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: shuffle, kind: all-to-all, size: 1 GB}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Four leaves of four hosts, two uplinks each: 2:1 oversubscribed."""
    path = tmp_path / "small.fabric.yaml"
    path.write_text(OVERSUBSCRIBED)
    return path


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """The JSON answer of a command line."""
    run([*words, "--json"])
    result: dict[str, object] = json.loads(capsys.readouterr().out)
    return result


def test_a_route_without_limits_succeeds_although_it_is_congested(scenario, capsys):
    """16 hosts at 100 Gb/s; 12 of 15 peers are behind other leaves: 4 x 100 x 12/15 / 200 = 160 %."""
    assert run(["route", str(scenario)]) == 0
    capsys.readouterr()
    found = answer(capsys, "route", str(scenario))
    (route,) = found["routes"]
    assert route["max_utilisation"] == pytest.approx(1.6)
    assert route["throughput"] == pytest.approx(1 / 1.6)
    assert route["links_over_capacity"] == 16
    assert (route["lower_bound"], route["gap"]) == (None, None)


def test_a_missed_limit_gives_exit_code_1(scenario, capsys):
    """160 % is more than 100 %."""
    with scenario.open("a") as file:
        file.write("limits:\n  - {fabric: main, metric: offered, max: 100%}\n")
    assert run(["route", str(scenario), "-q"]) == 1
    assert "FAIL" in capsys.readouterr().out


def test_demand_without_a_path_gives_exit_code_4_with_its_pairs(scenario, capsys):
    """Without both uplinks of leaf0 its 4 hosts cannot reach the other 12, nor they it: 2 x 48 pairs."""
    words = ["route", str(scenario), "-q", "--down", "link=leaf0:spine0", "--down", "link=leaf0:spine1"]
    assert run(words) == 4
    assert "96 pairs have no path" in capsys.readouterr().out
    assert run([*words, "--allow-unreachable"]) == 0
    capsys.readouterr()
    (route,) = answer(capsys, *words)["routes"]
    assert route["unreachable_pairs"] == 96
    assert route["unreachable"][0]["job"] == "shuffle"


def test_optimal_carries_its_certificate(scenario, capsys):
    """The leaf cut proves 160 %."""
    (route,) = answer(capsys, "route", str(scenario), "--router", "optimal")["routes"]
    assert route["lower_bound"] == pytest.approx(1.6)
    assert route["gap"] == pytest.approx(0, abs=1e-9)
    assert "live links" in route["bottleneck"]


def test_a_stopped_solve_exits_6_with_a_bound(tmp_path, capsys):
    """A triangle in which splitting helps needs a programme; a time limit of 0 stops it before it starts."""
    (tmp_path / "net.csv").write_text("a,b,gbps,weight\nx,y,10,1\nx,z,10,1\nz,y,10,1\n")
    (tmp_path / "demand.csv").write_text("src,dst,gbps\nx,y,15\n")
    scenario = tmp_path / "wan.fabric.yaml"
    scenario.write_text(
        "version: 1\nname: wan\nfabrics:\n  wan: {topology: {kind: file, format: csv, path: net.csv}}\n"
        "workloads:\n  - {id: tm, kind: matrix, fabric: wan, format: csv, path: demand.csv}\n"
    )
    words = ["route", str(scenario), "--router", "optimal", "-q"]
    assert run([*words, "--time-limit", "0"]) == 6
    capsys.readouterr()
    found = answer(capsys, *words, "--time-limit", "0")
    assert found["partial"] is True
    assert found["routes"][0]["lower_bound"] == pytest.approx(0.75)
    assert run(words) == 0
    capsys.readouterr()
    assert answer(capsys, *words)["routes"][0]["max_utilisation"] == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["route"], 2),
        (["route", "missing.yaml"], 3),
        (["route", "--router", "magic", "x.yaml"], 2),
        (["--version"], 0),
        (["--help"], 0),
        (["init", "--list"], 0),
        (["init", "no-such-template"], 2),
        (["schema"], 0),
    ],
)
def test_exit_codes(words, code):
    """The codes of the manual."""
    assert run(words) == code


def test_flags_work_before_and_after_the_verb(scenario, capsys):
    """--json and --set on either side."""
    run(["--json", "--set", "name=other", "build", str(scenario)])
    before = json.loads(capsys.readouterr().out)
    run(["build", str(scenario), "--json", "--set", "name=other"])
    after = json.loads(capsys.readouterr().out)
    assert before["name"] == after["name"] == "other"
    assert before["overrides"] == [{"set": "name", "value": "other"}]


def test_flags_come_from_the_environment(scenario, capsys, monkeypatch):
    """FABRIC_FORMAT is --format."""
    monkeypatch.setenv("FABRIC_FORMAT", "json")
    run(["build", str(scenario)])
    assert json.loads(capsys.readouterr().out)["kind"] == "BuildResult"


def test_answers_go_to_stdout_and_chatter_to_stderr(scenario, capsys):
    """A key that changes nothing yet is said on stderr, once."""
    with scenario.open("a") as file:
        file.write("defaults: {units: {rate: Gb/s}}\n")
    run(["route", str(scenario), "-f", "csv"])
    out, err = capsys.readouterr()
    assert err.count("not yet modelled") == 1
    assert "defaults.units" in err
    rows = list(csv.DictReader(io.StringIO(out)))
    assert float(rows[0]["utilisation"]) == pytest.approx(1.6)


def test_rows_can_be_filtered_sorted_and_cut(scenario, capsys):
    """--where keeps links to spine0; --sort, --limit and --columns shape the rest."""
    words = ["route", str(scenario), "-f", "csv", "--where", "b == 'spine0' and utilisation > 1"]
    run([*words, "--sort", "a", "--reverse", "--limit", "2", "--columns", "a,b"])
    assert capsys.readouterr().out == "a,b\nleaf3,spine0\nleaf2,spine0\n"


def test_ndjson_starts_with_the_envelope(scenario, capsys):
    """First line: the answer without items; then an item a line."""
    run(["route", str(scenario), "-f", "ndjson", "--top", "3"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["kind"] == "RouteResult"
    assert "items" not in lines[0]
    assert [line["tier"] for line in lines[1:]] == ["leaf-spine"] * 3


def test_an_output_file_is_never_overwritten_unless_forced(scenario, tmp_path, capsys):
    """--force is needed, and the folder must exist."""
    target = tmp_path / "loads.json"
    assert run(["route", str(scenario), "-o", str(target)]) == 0
    assert json.loads(target.read_text())["kind"] == "RouteResult"
    before = target.read_text()
    assert run(["route", str(scenario), "-o", str(target)]) == 2
    assert target.read_text() == before
    assert "--force" in capsys.readouterr().err
    assert run(["route", str(scenario), "-o", str(target), "--force"]) == 0
    assert run(["route", str(scenario), "-o", str(tmp_path / "no" / "x.json")]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loads.json", "small.fabric.yaml"]


def test_the_same_scenario_and_seed_give_the_same_bytes(scenario, capsys, monkeypatch):
    """No clock and no measured time is in an answer."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    texts = [json.dumps(answer(capsys, "route", str(scenario), "--router", "ecmp-hash")) for _ in range(2)]
    assert texts[0] == texts[1]


def test_a_bug_of_ours_asks_for_a_report(monkeypatch, scenario, capsys):
    """Exit code 70, no traceback."""

    def broken(*_args, **_keys):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("fabric.pipeline.prepared.build", broken)
    assert run(["build", str(scenario)]) == 70
    assert "this is a bug of fabric" in capsys.readouterr().err


def test_a_closed_pipe_is_quiet(scenario):
    """``fabric … | head -1`` ends with 141 and says nothing."""
    fabric = Path(sys.executable).with_name("fabric")
    command = f"set -o pipefail; {fabric} schema | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=os.environ)
    assert done.stdout.strip() in ("0", "141")
    assert done.stderr == ""


def test_validate_reports_every_problem_as_json(tmp_path, capsys):
    """Two mistakes, both located, exit code 3."""
    bad = tmp_path / "bad.yaml"
    bad.write_text("version: 1\nname: x\nfabrics:\n  a: {topology: {kind: fat-tree, radix: 7, speed: 1G}}\nsead: 1\n")
    assert run(["validate", str(bad), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["ok"] is False
    assert found["items"][0]["code"] == "FP2101"
    assert found["items"][0]["line"] == 5
    good = tmp_path / "good.yaml"
    good.write_text(OVERSUBSCRIBED)
    assert run(["validate", str(good), str(bad)]) == 3
    assert "good.yaml: ok" in capsys.readouterr().out


def test_init_templates_validate_and_route(tmp_path, capsys):
    """Every starter scenario runs as written."""
    run(["init", "--list"])
    for name in capsys.readouterr().out.split():
        path = tmp_path / f"{name}.fabric.yaml"
        assert run(["init", name, "-o", str(path)]) == 0
        assert run(["validate", str(path)]) == 0
        assert run(["route", str(path), "-q"]) in (0, 1)


def test_devices_are_written_to_and_never_replaced(tmp_path: Path) -> None:
    """A pipe stays a pipe and gets the answer, a link stays a link; what is beside is taken away again."""
    import threading

    pipe, link, target = tmp_path / "pipe", tmp_path / "link", tmp_path / "target.json"
    os.mkfifo(pipe)
    link.symlink_to(target)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text(encoding="utf-8")))
    reader.start()
    assert run(["schema", "-o", str(pipe)]) == 0
    reader.join(timeout=10)
    assert json.loads(read[0])
    assert pipe.is_fifo()
    assert run(["schema", "-o", str(link)]) == 0
    assert link.is_symlink()
    assert target.is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe", "target.json"]
