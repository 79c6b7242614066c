"""The pages in docs/: code runs, error codes are documented, generated tables are up to date, links lead somewhere."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("topologies", "traffic", "fabric", "tui")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("examples/*.md")]
)
PROGRAMS = re.findall(r"```python\n(.*?)```", (DOCS / "extending.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.split('"""')[1] for program in PROGRAMS])
def test_a_program_of_the_extending_page_runs(program: str, tmp_path: Path) -> None:
    """Each is complete; a process of its own keeps what it registers away from other tests."""
    file = tmp_path / "program.py"
    file.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(file)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_error_code_is_documented_and_none_is_invented() -> None:
    """docs/errors.md has one row for each code in the source."""
    used = {
        code
        for package in PACKAGES
        for file in (ROOT / package).rglob("*.py")
        for code in re.findall(r"\bFP\d{4}\b", file.read_text(encoding="utf-8"))
    }
    rows = re.findall(r"^\| (FP\d{4}) \|", (DOCS / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(set(rows)) == rows, "codes are sorted, each once"
    assert set(rows) == used


def test_the_tables_of_the_scenario_page_are_those_of_the_schema() -> None:
    """Run docs/make_reference.py when a key changes."""
    page = runpy.run_path(str(DOCS / "make_reference.py"))["page"]
    written = (DOCS / "scenario.md").read_text(encoding="utf-8")
    assert page(written) == written, "run: python docs/make_reference.py"


@pytest.mark.parametrize("name", PAGES)
def test_links_between_files_lead_somewhere(name: str) -> None:
    """Relative links; what is on the web is not looked at."""
    page = ROOT / name
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", [page for page in PAGES if page.startswith("docs/changes/")])
def test_a_change_is_one_or_two_sentences(name: str) -> None:
    """The file's name says what kind of change it is."""
    assert re.fullmatch(r"docs/changes/[a-z0-9-]+\.(added|changed|fixed)\.md", name)
    text = (ROOT / name).read_text(encoding="utf-8").strip()
    assert "\n\n" not in text
    assert len(re.findall(r"[.!](?:\s|$)", text)) <= 3


@pytest.mark.parametrize("command", ["route", "build", "traffic"])
def test_csv_columns_of_the_output_page_are_those_of_the_command(command: str) -> None:
    """In the same order."""
    import importlib

    page = (DOCS / "output.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{command}` \| (.*) \|$", page, re.MULTILINE)
    assert row is not None
    columns = importlib.import_module(f"fabric.cli.commands.{command}").COLUMNS
    assert re.findall(r"`(\w+)`", row[1]) == list(columns)
