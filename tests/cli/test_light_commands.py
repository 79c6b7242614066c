"""What is loaded for a tab of the shell, for ``--help`` and for everyday answers: what they need, and no more."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.routing.kept_loops import processor
from fabric.routing.linked import is_possible

PROGRAM = """
import atexit, sys
heavy = {"numpy", "scipy", "numba", "networkx", "rich", "yaml", "ortools", "pydantic"}
atexit.register(lambda: print("LOADED", sorted(heavy & set(sys.modules))))
from fabric.cli.main import main
main(sys.argv[1:])
"""
WORDS = ["fabric ro", "fabric route --", "fabric route x --router opt", "fabric draw --", "fabric sweep --"]


def loaded(arguments: list[str], **environment: str) -> str:
    """Heavy packages that a process has loaded when it ends."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("words", WORDS)
def test_completing_a_word_loads_nothing_heavy(words: str) -> None:
    """As bash asks for completions of the last word."""
    place = str(len(words.split()) - 1)
    assert loaded([], _FABRIC_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=place) == "LOADED []"


@pytest.mark.parametrize("command", ["route", "build", "traffic", "export", "report"])
def test_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    """Flags and their choices are known without the packages that compute."""
    assert loaded([command, "--help"]) == "LOADED []"


EVERYDAY = """
import sys
from fabric.cli.main import run
scenario = sys.argv[1]
seen = {}
for command in ("build", "validate", "traffic", "route"):
    code = run([command, scenario, "--force", "--output", f"{sys.argv[2]}/{command}.txt"])
    assert code in (0, 1), (command, code)
    seen[command] = sorted(set(sys.argv[3].split(",")) & set(sys.modules))
print(seen)
"""
HEAVY = (
    *("scipy", "networkx", "ortools", "highspy", "pandas", "rich", "graphviz", "scapy", "distributed"),
    *("fabric.design.requirement", "topologies.formats.graphml"),
)
SCENARIO = Path(__file__).parents[2] / "examples" / "train-2k.fabric.yaml"


def test_everyday_answers_load_no_solvers(tmp_path: Path) -> None:
    """Build, validate, traffic and route of hosts on a floor plan, with suggestions and a limit over failures.

    Switches are placed by an assignment, distances are counted and a bound is taken: none of it loads SciPy.
    """
    command = [sys.executable, "-c", EVERYDAY, str(SCENARIO), str(tmp_path), ",".join((*HEAVY, "numba"))]
    for _ in range(2):  # loops that are not kept yet are compiled in the first run, by numba, which loads SciPy
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        found = ast.literal_eval(done.stdout)
        if "numba" not in found["route"]:
            break
    if not is_possible() or processor() is None:  # loops are not linked here
        found["route"] = []
    assert found == {"build": [], "validate": [], "traffic": [], "route": []}
