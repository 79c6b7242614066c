"""Scenario in, report out: what people see, byte for byte. FABRIC_UPDATE_GOLDENS=1 rewrites the expected files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fabric.cli.main import run

CASES = Path(__file__).parent / "cases"
COMMANDS = {
    "build": ["build"],
    "traffic": ["traffic"],
    "route": ["route", "--top", "4"],
    "route-optimal": ["route", "--top", "2", "--router", "optimal"],
    "compare": ["route", "--router", "ecmp,ecmp-hash,optimal"],
    "compare-csv": ["route", "--router", "ecmp,ecmp-hash,optimal", "-f", "csv"],
    "route-csv": ["route", "--top", "3", "-f", "csv"],
    "route-md": ["route", "--top", "3", "-f", "md"],
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize("case", sorted(path.name.removesuffix(".fabric.yaml") for path in CASES.glob("*.fabric.yaml")))
def test_the_report_is_as_recorded(case: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The plain report of every recorded scenario and command."""
    scenario = CASES / f"{case}.fabric.yaml"
    format_flag = [] if "-f" in COMMANDS[command] else ["-f", "plain"]
    run([*COMMANDS[command], *format_flag, "--quiet", str(scenario)])
    printed = capsys.readouterr().out.replace(str(CASES), "cases")  # suggested commands name the scenario
    expected = CASES / f"{case}.{command}.txt"
    if os.environ.get("FABRIC_UPDATE_GOLDENS"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")
