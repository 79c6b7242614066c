"""Shell completion: names of commands come from what files declare, so that a tab imports none of them."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import sys
from fabric.cli.main import main
try:
    main([])
finally:
    print(*sorted(name for name in sys.modules if name.startswith("fabric.cli.commands.")), file=sys.stderr)
"""


def completed(words: str) -> tuple[list[str], list[str]]:
    """Completions of the last word, and the files of commands that were imported for them."""
    asked = {
        "_FABRIC_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    return [line.partition(",")[2] for line in done.stdout.splitlines()], done.stderr.split()


def test_a_command_is_completed_without_importing_one() -> None:
    """``fabric bu``: build; the file that it is in is not read as code."""
    assert completed("fabric bu") == (["build"], [])


def test_all_commands_and_no_file_of_any() -> None:
    """``fabric`` and a tab: every command that help lists, those of other packages too."""
    names, imported = completed("fabric ")
    assert {"build", "route", "tui", "validate"} <= set(names)
    assert imported == []


def test_options_of_a_command_are_still_completed() -> None:
    """``fabric build --fo``: its own options need its file."""
    names, imported = completed("fabric build --fo")
    assert "--format" in names
    assert imported == ["fabric.cli.commands.build"]


def test_names_of_files_are_left_to_the_shell() -> None:
    """A scenario and the file of ``--output`` are files; a router is not, and is one of those there are."""
    asked = {"_FABRIC_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    kinds = []
    for words in ("fabric route exam", "fabric route --output=a", "fabric route --ro"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, **asked, "COMP_WORDS": words},
            capture_output=True,
            text=True,
            check=True,
        )
        kinds.append({line.partition(",")[0] for line in done.stdout.splitlines()})
    assert kinds == [{"file"}, {"file"}, {"plain"}]
