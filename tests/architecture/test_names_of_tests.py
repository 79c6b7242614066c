"""Modules of tests are imported by their bare names, so that no two of them may have one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_no_two_modules_of_tests_have_one_name() -> None:
    """What they share counts too: the second of two is never loaded."""
    count = Counter(path.stem for path in TESTS.rglob("*.py") if path.name not in ("conftest.py", "__init__.py"))
    assert [name for name, times in count.items() if times > 1] == []
