"""Streams that cannot take the answer: a documented exit code and a line, never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_scenario import SCENARIO

from fabric.cli.main import run

ROOT = Path(__file__).parents[2]
FABRIC = f"{sys.executable} -c 'from fabric.cli.main import main; main()'"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "s.yaml").write_text(SCENARIO)
    (tmp_path / "loop").symlink_to("loop")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("route s.yaml > /dev/full", 3, "cannot write standard output: No space left on device"),
        ("catalog list --json > /dev/full", 3, "cannot write standard output: No space left on device"),
        ("catalog list -f table --color always > /dev/full", 3, "cannot write standard output: No space left"),
        ("--help > /dev/full", 3, "cannot write standard output: No space left on device"),
        ("catalog list >&-", 3, "cannot write standard output: Bad file descriptor"),
        ("validate nowhere.yaml 2>&-", 3, ""),
        ("validate nowhere.yaml 2>/dev/full", 3, ""),
        ("validate - <&-", 3, "FP1006"),
        ("catalog list <&- >&- 2>&-", 3, ""),
        ("schema | head -1; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)
def test_streams_that_are_full_or_closed(folder, line, code, words):
    """As ``-o`` on a full disk: the words and the exit code."""
    done = subprocess.run(
        ["bash", "-c", f"{FABRIC} {line}"], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
)
def test_streams_of_eight_bits_get_ascii_that_reads_the_same(folder, environment):
    """θ is not in Latin-1."""
    done = subprocess.run(
        ["bash", "-c", f"{FABRIC} explain FP3001 && {FABRIC} route s.yaml -f table"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert b"f  " in done.stdout


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["report", "s.yaml", "-o", "loop", "--force"], 3),
        (["route", "s.yaml", "-q", "--save", "loop", "--force"], 3),
        (["route", "s.yaml", "-q", "--certificate", "loop", "--force"], 3),
        (["export", "openflow", "s.yaml", "-o", "loop", "--force"], 3),
        (["draw", "tier", "s.yaml", "-o", "loop", "--force"], 3),
        (["convert", "s.yaml", "-o", "loop", "--to", "json", "--force"], 3),
        (["validate", "loop"], 3),
        (["report", "s.yaml", "-o", "/dev/full", "--force"], 3),
        (["catalog", "list", "-o", "/dev/full"], 3),
        (["route", "s.yaml", "-f", "csv", "--where", "not " * 3000 + "x"], 3),
        (["route", "s.yaml", "-f", "csv", "--where", "(" * 300 + "1" + ")" * 300], 3),
        (["route", "s.yaml", "-f", "csv", "--where", "-" * 500 + "1"], 3),
    ],
)
def test_places_that_cannot_be_written_and_filters_without_end(folder, argv, code, monkeypatch, capsys):
    """No usage line: the command line was right."""
    monkeypatch.chdir(folder)
    assert run(argv) == code
    said = capsys.readouterr().err
    assert "Usage" not in said
    assert "internal error" not in said


def test_a_device_is_written_to_and_not_replaced(folder, monkeypatch):
    """A topology to /dev/null, by a superuser too."""
    monkeypatch.chdir(folder)
    assert run(["convert", "s.yaml", "-o", "/dev/null", "--to", "json"]) == 0
    assert Path("/dev/null").is_char_device()
