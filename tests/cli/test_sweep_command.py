"""``fabric sweep``: each point is what ``fabric route --set`` says; wrong points are rows; interrupted ones go on."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fabric.cli.main import run

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = """\
version: 1
name: small
nodes:
  - {group: gpu, count: 8, gpus: 2, nics: {main: {count: 2, speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
limits:
  - {fabric: main, metric: utilisation, stat: max, max: 150%}
"""
ROUTER, UPLINK = "fabrics.main.routing.router", "fabrics.main.topology.uplink_speed"


@pytest.fixture
def scenario(tmp_path: Path) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    return str(path)


def answer(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*words, "--json", "-q"]) == code
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    return record


def test_every_point_is_what_route_says_with_the_same_overrides(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two routers, three speeds, one spine down: six points, the last axis first."""
    grid = ["--vary", f"{ROUTER}=ecmp-hash,optimal", "--vary", f"{UPLINK}=50G,100G,400G"]
    found = answer(capsys, "sweep", scenario, *grid, "--down", "spine1")
    assert [(point["router"], point["uplink_speed"]) for point in found["points"]] == [
        (router, speed) for router in ("ecmp-hash", "optimal") for speed in ("50G", "100G", "400G")
    ]
    for point in found["points"]:
        sets = [word for override in point["set"] for word in ("--set", override)]
        capsys.readouterr()
        assert run(["route", scenario, *sets, "--down", "spine1", "--json", "-q"]) in (0, 1)
        routed = json.loads(capsys.readouterr().out)
        worst = max(routed["routes"], key=lambda route: route["max_utilisation"])
        assert point["max_utilisation"] == worst["max_utilisation"]
        assert point["hottest_link"] == worst["hottest_link"]
        assert point["time_s"] == routed["jobs"][0]["step_time_s"]
        assert point["stretch"] == routed["jobs"][0]["stretch"]
        assert [limit["ok"] for limit in point["limits"]] == [limit["ok"] for limit in routed["limits"]]


def test_best_and_worst_are_those_of_the_closed_form(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """12 of the 14 ranks that a rank sends to are on other leaves: 4 NICs x 100G x 12/14 over two uplinks."""
    found = answer(capsys, "sweep", scenario, "--vary", f"{UPLINK}=50G,100G,200G,400G")
    full = [point["max_utilisation"] for point in found["points"]]
    assert full == pytest.approx([max(400 * 12 / 14 / (2 * speed), 1.0) for speed in (50, 100, 200, 400)])
    assert (found["best"], found["worst"]) == ([3, 4], [1])
    assert found["limits_fail_at"] == 2


def test_a_point_that_cannot_be_routed_is_a_row_with_its_reason(
    scenario: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 6, 3 where there is no other."""
    found = answer(capsys, "sweep", scenario, "--vary", "nodes.gpu.count=8,9000,many", code=6)
    assert [point["code"] for point in found["points"]][1:] == ["FP3022", "FP2102"] or all(
        point["error"] for point in found["points"][1:]
    )
    assert found["points"][0]["error"] is None
    assert (found["grid"], found["routed"], found["refused"]) == (3, 1, 2)
    assert answer(capsys, "sweep", scenario, "--vary", "nodes.gpu.count=many", code=3)["routed"] == 0


@pytest.mark.parametrize(
    ("flags", "code", "text"),
    [
        (["--vary", "fabrics.main.routing.routr=ecmp"], 3, "did you mean 'router'?"),
        (["--vary", f"{ROUTER}=ecmp", "--vary", f"{ROUTER}=wcmp"], 3, "is varied twice"),
        (["--vary", f"{ROUTER}=ecmp,ecmp"], 3, "ecmp stands in it twice"),
        (["--vary", f"{ROUTER}=ecmp,,wcmp"], 3, "one of its values is empty"),
        (["--vary", f"{ROUTER}="], 3, "one of its values is empty"),
        (["--vary", ROUTER], 3, "it is not KEY=A,B,C"),
        (["--vary", "seed=1,2", "--seed", "3"], 3, "seed is set too"),
        (["--vary", f"{ROUTER}=ecmp,wcmp", "--set", "fabrics.main.routing={router: wcmp}"], 3, "is set too"),
        (["--vary", f"fabrics.main.routing={{router: ecmp}}", "--vary", f"{ROUTER}=wcmp"], 3, "part of another key"),
        (["--vary", f"seed={','.join(map(str, range(400)))}", "--vary",
          f"scale={','.join(map(str, range(1, 400)))}"], 3, "400 x 399 = 159,600 points"),
        ([], 2, "--vary"),
        (["--vary", "seed=1,2", "--resume"], 2, "--resume needs --checkpoint"),
        (["--vary", "seed=1,2", "--backend", "dask"], 2, "--scheduler"),
        (["--vary", "seed=1,2", "--scheduler", "tcp://a:1"], 2, "--scheduler does nothing"),
        (["--vary", "seed=1,2", "--backend", "dask", "--scheduler", "tcp://a:1", "--workers", "2"], 2, "--workers"),
        (["--vary", "seed=1,2", "--checkpoint", "/no/such/folder/c"], 2, "does not exist"),
        (["--vary", "seed=1,2", "--router", "ecpm"], 2, "did you mean 'ecmp'?"),
    ],
)  # fmt: skip
def test_a_grid_that_is_none_is_refused_before_any_work(
    scenario: str, capsys: pytest.CaptureFixture[str], flags: list[str], code: int, text: str
) -> None:
    assert run(["sweep", scenario, *flags]) == code
    said = capsys.readouterr()
    assert text in said.err
    assert said.out == ""


def test_varied_keys_are_columns(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers sort as numbers; two keys of one ending have longer names."""
    line = ["sweep", scenario, "--vary", "workloads.shuffle.size=1 GB,2 GB", "--vary", "seed=2,10", "-q", "-f", "csv"]
    capsys.readouterr()
    assert run([*line, "--sort", "seed", "--where", "size == '1 GB'", "--columns", "point,size,seed"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["point", "size", "seed"], ["1", "1 GB", "2"], ["2", "1 GB", "10"]]


def test_two_processes_answer_as_one(scenario: str, capsys: pytest.CaptureFixture[str]) -> None:
    """To the byte; with a checkpoint, and from it without any work."""
    line = ["sweep", scenario, "--vary", f"{ROUTER}=ecmp,ecmp-hash", "--vary", "seed=1,2,3"]
    one = answer(capsys, *line, "--workers", "1")
    kept = str(Path(scenario).with_name("c"))
    assert answer(capsys, *line, "--workers", "2", "--checkpoint", kept) == one
    assert answer(capsys, *line, "--checkpoint", kept, "--resume") == one
    assert run([*line, "--checkpoint", kept]) == 3
    assert "--resume goes on with it; --force starts again" in capsys.readouterr().err
    assert run([*line[:-1], "seed=1,2", "--checkpoint", kept, "--resume"]) == 3
    assert "another request: vary" in capsys.readouterr().err


def test_a_sweep_from_standard_input_is_that_of_the_file(
    scenario: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Standard:
        buffer = io.BytesIO(SCENARIO.encode())

    line = ["--vary", "seed=1,2"]
    file = answer(capsys, "sweep", scenario, *line)
    monkeypatch.setattr(sys, "stdin", Standard())
    assert answer(capsys, "sweep", "-", *line)["points"] == file["points"]


def test_ctrl_c_says_how_to_go_on_and_the_rest_is_done_then(scenario: str) -> None:
    """A real process and a real signal: exit code 130, and --resume gives what one run gives."""
    kept = Path(scenario).with_name("c")
    command = [
        sys.executable, "-c", "from fabric.cli.main import main; main()", "sweep", scenario, "--vary",
        f"seed={','.join(map(str, range(3000)))}", "--vary", f"{ROUTER}=ecmp-hash,optimal", "--checkpoint", str(kept),
        "--workers", "1", "-f", "csv", "--columns", "point",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    )
    until = time.monotonic() + 120
    while not kept.exists() or kept.stat().st_size < 5_000:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert "of 6,000 points are done and kept in" in err
    assert "the same command with --resume goes on" in err
    assert "interrupted" in err
