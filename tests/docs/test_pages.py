"""The pages in docs/: code runs, error codes are documented, generated tables are up to date, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from generate.pages import PAGES as GENERATED
from generate.pages import generated

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGES = ("topologies", "traffic", "fabric", "tui")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("examples/*.md")]
)


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


@pytest.mark.parametrize("name", GENERATED)
def test_what_is_generated_is_current(name: str) -> None:
    """Run make docs when a key, a summary, a column or a report changes."""
    assert generated(name) == (ROOT / name).read_text(encoding="utf-8"), "run: make docs"


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
