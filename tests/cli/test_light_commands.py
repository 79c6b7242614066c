"""What a tab of the shell and ``--help`` load: the commands' own words, not what they compute with."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, sys
heavy = {"numpy", "scipy", "numba", "networkx", "rich", "yaml", "ortools"}
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
