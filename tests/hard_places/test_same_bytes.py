"""One seed gives the same bytes: README's words, for every answer that is kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from small_scenario import SCENARIO

from fabric.cli.main import run

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
from fabric.cli.main import run
scenario, out = "s.yaml", sys.argv[1]
for argv in (
    ["route", scenario, "--json", "-o", f"{out}/route.json", "--save", f"{out}/r.fpr", "--certificate", f"{out}/c.zip"],
    ["route", scenario, "-f", "csv", "-o", f"{out}/loads.csv", "--router", "optimal"],
    ["route", scenario, "-f", "md", "-o", f"{out}/route.md"],
    ["route", scenario, "--router", "ecmp,ecmp-hash,optimal", "--json", "-o", f"{out}/routers.json"],
    ["route", scenario, "--router", "ecmp,optimal", "-f", "csv", "-o", f"{out}/routers.csv"],
    ["report", scenario, "-o", f"{out}/report.html"],
    ["report", scenario, "-f", "json", "-o", f"{out}/report.json"],
    ["report", f"{out}/r.fpr", "-f", "md", "-o", f"{out}/report.md"],
    ["export", "openflow", scenario, "-o", f"{out}/tables"],
    ["draw", "tier", scenario, "-o", f"{out}/picture.svg"],
):
    code = run(argv)
    assert code in (0, 1), (argv, code)
"""


def test_two_runs_with_two_hash_seeds_give_the_same_bytes(tmp_path):
    """Without SOURCE_DATE_EPOCH: nothing that is measured, and no clock, is in any of the files."""
    (tmp_path / "s.yaml").write_text(SCENARIO)
    contents = []
    for seed in ("1", "2"):
        out = tmp_path / "out"
        out.mkdir()
        environment = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
        subprocess.run(
            [sys.executable, "-c", PROGRAM, "out"], cwd=tmp_path, check=True, capture_output=True,
            env={**environment, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
        )  # fmt: skip
        contents.append({str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()})
        out.rename(tmp_path / f"run{seed}")
    assert contents[0].keys() == contents[1].keys()
    assert [name for name in contents[0] if contents[0][name] != contents[1][name]] == []
    assert not any(b"solve_time_s" in data for data in contents[0].values())


def test_times_go_to_standard_error_and_to_a_file(tmp_path, monkeypatch, capsys):
    """-v says them; --timings writes them, and '-' is standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SCENARIO)
    assert run(["route", "s.yaml", "-v", "--timings", "t.json", "--json"]) == 0
    captured = capsys.readouterr()
    assert "time: main all-to-all ecmp " in captured.err
    assert "solve_time_s" not in captured.out
    (item,) = json.loads((tmp_path / "t.json").read_text())["items"]
    assert (item["fabric"], item["phase"], item["router"]) == ("main", "all-to-all", "ecmp")
    assert item["solve_time_s"] >= 0
    assert run(["route", "s.yaml", "--timings", "t.json"]) == 2  # it is there
    capsys.readouterr()
    assert run(["route", "s.yaml", "--timings", "-", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.err)["kind"] == "Timings"
    assert json.loads(captured.out)["kind"] == "RouteResult"


def test_a_date_is_the_one_that_is_given(tmp_path, monkeypatch, capsys):
    """SOURCE_DATE_EPOCH; anything but a number is refused."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SCENARIO)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert run(["catalog", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["created"] == "1970-01-02T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert run(["catalog", "list", "--json"]) == 3
    assert "FP1012" in capsys.readouterr().err
