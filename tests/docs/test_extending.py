"""The pages on extending: their files, put into a copy of the packages, pass the contract tests of their kind."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest
from test_readme import console_commands

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs" / "extending").glob("*.md"))}
COPIED = ("topologies", "traffic", "fabric", "tui", "tests/contracts", "tests/oracles", "tests/tui", "examples")
# folder of the example -> contract tests of its kind
CONTRACTS = {
    "topologies/builders": ("test_topologies", "test_plugins"),
    "topologies/formats": ("test_formats",),
    "traffic/workloads": ("test_plugins",),
    "traffic/collectives": ("test_plugins",),
    "fabric/routers": ("test_routers", "test_plugins"),
    "fabric/optimise/objectives": ("test_objectives",),
    "fabric/rules/dialects": ("test_dialects",),
    "fabric/cables/profiles": ("test_profiles",),
    "fabric/operate/observed/formats": ("test_neighbour_formats",),
    "fabric/share/schedulers/formats": ("test_formats_for_schedulers",),
    "fabric/faces/drawing/views": ("test_drawings",),
    "fabric/faces/report/sections": ("test_report_sections",),
    "fabric/cli/commands": ("test_commands",),
    "tui/screens": ("test_screens",),
}
MAIN = "import sys; from fabric.cli.main import main; main()"


@dataclass(frozen=True)
class Example:
    """The file of a page; ``name`` is how people write the entry."""

    page: str
    path: str
    text: str

    @property
    def name(self) -> str:
        """That of the file."""
        return Path(self.path).stem.replace("_", "-")

    @property
    def contracts(self) -> tuple[str, ...]:
        """Contract tests of the kind."""
        return CONTRACTS[str(Path(self.path).parent)]


def blocks(language: str, page: str) -> list[tuple[str, str]]:
    """Blocks that begin with a comment that names a file: the file and the text."""
    return re.findall(rf"```{language}\n# (\S+)\n(.*?)```", PAGES[page], re.DOTALL)


EXAMPLES = [Example(page, path, text) for page in PAGES for path, text in blocks("python", page)]
EVERY = pytest.mark.parametrize("example", EXAMPLES, ids=[example.page for example in EXAMPLES])


def environment(copy: Path) -> dict[str, str]:
    """Where the copy comes before what is installed."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FABRIC_")}
    return {**kept, "PYTHONPATH": str(copy), "PATH": f"{copy / 'bin'}{os.pathsep}{kept['PATH']}"}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages and contract tests, with the file of every page in its place."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for example in EXAMPLES:
        target = folder / example.path
        assert target.parent.is_dir(), example.path
        assert not target.exists(), f"{example.path} is the name of a file that there is"
        target.write_text(example.text, encoding="utf-8")
    for page in PAGES:
        for name, text in blocks("yaml", page):
            (folder / name).write_text(text, encoding="utf-8")
    program = folder / "bin" / "fabric"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{MAIN}' \"$@\"\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def outcomes(copy: Path) -> dict[tuple[str, str], str]:
    """(contract test file, test) -> what failed, or nothing, for all tests over the examples: one run for all pages."""
    files = sorted({name for example in EXAMPLES for name in example.contracts})
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--junitxml=report.xml", "-p", "no:cacheprovider"]
        + [f"tests/contracts/{name}.py" for name in files]
        + ["-k", " or ".join(example.name for example in EXAMPLES)],
        cwd=copy,
        env=environment(copy),
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert (copy / "report.xml").exists(), done.stdout + done.stderr
    tests: dict[tuple[str, str], str] = {}
    for case in ET.parse(copy / "report.xml").getroot().iter("testcase"):
        wrong = [entry.text or entry.get("message", "") for entry in case if entry.tag in ("failure", "error")]
        tests[(case.get("classname", "").rpartition(".")[2], case.get("name", ""))] = "\n".join(wrong)
    assert tests, done.stdout + done.stderr
    return tests


@pytest.mark.slow
@EVERY
def test_the_example_passes_the_contract_tests_of_its_kind(
    example: Example, outcomes: dict[tuple[str, str], str]
) -> None:
    """Every file of contract tests that the page names has tests over it, and none fails."""
    for file in example.contracts:
        ran = {test: wrong for (where, test), wrong in outcomes.items() if where == file and example.name in test}
        assert len(ran) >= 4, f"{file}: {sorted(ran)}"
        assert [f"{test}\n{wrong}" for test, wrong in ran.items() if wrong] == []
        assert f"{file}.py" in PAGES[example.page], "the page names its contract tests"


COMMANDS = [(page, *line) for page in PAGES for line in console_commands(PAGES[page])]
# Runs command lines of ours in one process, which loads everything once, and others by the shell.
DRIVER = """
import contextlib, io, json, shlex, subprocess, sys
from fabric.cli.main import run
ends = []
for command in json.load(sys.stdin):
    words = shlex.split(command)
    out, err = io.StringIO(), io.StringIO()
    if words[0] == "fabric":
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(words[1:])
        ends.append([code, out.getvalue()[-500:] + err.getvalue()[-1500:]])
    else:
        done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120)
        ends.append([done.returncode, done.stdout[-500:] + done.stderr[-1500:]])
json.dump(ends, sys.stdout)
"""


@pytest.fixture(scope="module")
def ends(copy: Path) -> list[tuple[int, str]]:
    """Exit code and last words of every command, run in order in one folder."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=copy,
        env=environment(copy),
        input=json.dumps([command for _, command, _ in COMMANDS]),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [(code, words) for code, words in json.loads(done.stdout)]


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(COMMANDS)), ids=[f"{page}-{command}" for page, command, _ in COMMANDS])
def test_every_command_of_the_page_exits_as_it_says(number: int, ends: list[tuple[int, str]]) -> None:
    """With the example in its place."""
    page, _, code = COMMANDS[number]
    assert ends[number][0] == code, f"{page}: {ends[number][1]}"


def test_every_page_has_an_example_and_is_in_the_index() -> None:
    """One file per page."""
    assert [example.page for example in EXAMPLES] == sorted(set(PAGES) - {"README"})
    links = re.findall(r"^\| \[[^\]]+\]\((\S+)\.md\)", PAGES["README"], re.MULTILINE)
    assert sorted(links) == sorted(set(PAGES) - {"README"})


@EVERY
def test_an_example_is_formatted_and_clean(example: Example, tmp_path: Path) -> None:
    """As every file of the project: ruff finds nothing."""
    file = tmp_path / Path(example.path).name
    file.write_text(example.text, encoding="utf-8")
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    config = ["--config", str(ROOT / "pyproject.toml"), str(file)]
    for words in (["format", "--check", "--diff"], ["check"]):
        done = subprocess.run([*ruff, *words, *config], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
