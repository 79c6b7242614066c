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


EXAMPLES = Path(__file__).parents[2] / "examples"
OBSERVED = ["--observed", f"lldp:{EXAMPLES / 'cabling' / 'lldp'}"]
OF_EXAMPLES = {  # the words of a command, and the scenario
    "room.verify-cabling": (["verify", "cabling", *OBSERVED], "cabling/room.fabric.yaml"),
    "room.verify-cabling-steps": (["verify", "cabling", *OBSERVED, "--fix-list", "csv"], "cabling/room.fabric.yaml"),
}


@pytest.mark.parametrize("command", sorted(COMMANDS))
@pytest.mark.parametrize("case", sorted(path.name.removesuffix(".fabric.yaml") for path in CASES.glob("*.fabric.yaml")))
def test_the_report_is_as_recorded(case: str, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The plain report of every recorded scenario and command."""
    scenario = CASES / f"{case}.fabric.yaml"
    format_flag = [] if "-f" in COMMANDS[command] else ["-f", "plain"]
    run([*COMMANDS[command], *format_flag, "--quiet", str(scenario)])
    printed = capsys.readouterr().out.replace(str(CASES), "cases")  # suggested commands name the scenario
    _compare(printed, f"{case}.{command}")


@pytest.mark.parametrize("name", sorted(OF_EXAMPLES))
def test_the_answer_about_an_example_is_as_recorded(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What people see of what the examples are for."""
    words, scenario = OF_EXAMPLES[name]
    format_flag = [] if "--fix-list" in words else ["-f", "plain"]
    assert run([*words, *format_flag, "--quiet", str(EXAMPLES / scenario)]) == 1
    _compare(capsys.readouterr().out.replace(str(EXAMPLES), "examples"), name)


def _compare(printed: str, name: str) -> None:
    expected = CASES / f"{name}.txt"
    if os.environ.get("FABRIC_UPDATE_GOLDENS"):
        expected.write_text(printed, encoding="utf-8")
    assert printed == expected.read_text(encoding="utf-8")
