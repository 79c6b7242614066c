"""The README: every command runs and exits as it says, its scenario routes, its sample is what the command prints."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.cli.main import run as run_fabric

ROOT = Path(__file__).resolve().parents[2]
RULES = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
FABRIC = Path(sys.executable).with_name("fabric")


def console_commands(text: str) -> list[tuple[str, int]]:
    """Lines ``$ command   # exit N: …`` of console and bash blocks; 0 where no exit code is said."""
    found = []
    for block in re.findall(r"```(?:console|bash)\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, said = line[2:].partition("   # ")
                code = re.match(r"exit (\d+)", said)
                found.append((command.strip(), int(code[1]) if code else 0))
    return found


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line: ours in this process, which has loaded everything; others by the shell."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    if words[0] != "fabric" or any(set(word) <= set("();<>|&") for word in words) or "$" in command:
        return run_by_shell(command, folder)
    out, err = io.StringIO(), io.StringIO()
    given = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("FABRIC_")}
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(folder):
            code = run_fabric(words[1:])
    finally:
        os.environ.update(given)
    return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())


def run_by_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a shell command with our ``fabric`` first on the path."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FABRIC_")}
    environment["PATH"] = f"{FABRIC.parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def with_examples(folder: Path) -> Path:
    """A folder with the examples, as the repository root has them; commands may write into it."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands of the README run."""
    return with_examples(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def tables_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands of the page on tables run."""
    return with_examples(tmp_path_factory.mktemp("tables"))


def test_the_readme_begins_with_the_two_make_targets() -> None:
    """A reader sees first what to type."""
    first = README.split("```")[1].splitlines()
    assert first[1].startswith("make route")
    assert first[2].startswith("make test")


@pytest.mark.parametrize(("command", "code"), console_commands(RULES))
def test_every_command_of_the_page_on_tables_exits_as_it_says(command: str, code: int, tables_clone: Path) -> None:
    """They build on each other, so they run in order in one folder."""
    done = run(command, tables_clone)
    assert done.returncode == code, done.stdout[-500:] + done.stderr[-1500:]


@pytest.mark.parametrize(("command", "code"), console_commands(README))
def test_every_command_exits_as_the_readme_says(command: str, code: int, clone: Path) -> None:
    """No command of the README fails in another way than it announces."""
    done = run(command, clone)
    assert done.returncode == code, done.stdout[-500:] + done.stderr[-1500:]


def test_the_scenario_of_the_readme_meets_its_limits(tmp_path: Path) -> None:
    """It is copied as it stands, so it has to route as it stands."""
    (scenario,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert len(scenario.splitlines()) <= 20
    (tmp_path / "pod.fabric.yaml").write_text(scenario, encoding="utf-8")
    done = run("fabric validate pod.fabric.yaml && fabric route pod.fabric.yaml", tmp_path)
    assert done.returncode == 0, done.stderr


def test_every_command_of_the_program_is_in_the_readme() -> None:
    """The table of commands is complete."""
    import click

    from fabric.cli.main import cli

    rows = set(re.findall(r"^\| `([\w-]+)` \|", README, re.MULTILINE))
    assert rows == set(cli.list_commands(click.Context(cli)))


def test_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    """The table has every code of fabric.cli.exit_codes once."""
    from fabric.cli import exit_codes

    named = {name: value for name, value in vars(exit_codes).items() if name.isupper()}
    by_signal = named.pop("BY_SIGNAL")
    signals = {by_signal + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    codes = {*named.values(), *signals}
    for text in (README, (ROOT / "docs" / "output.md").read_text(encoding="utf-8")):
        table = text.split("| code | meaning |\n| ---: | --- |\n")[1].split("\n\n")[0]
        said = {int(code) for row in table.splitlines() for code in re.findall(r"\d+", row.split("|")[1])}
        assert said == codes
