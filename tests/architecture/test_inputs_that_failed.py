"""The page of inputs that once failed names tests that are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ROWS = re.findall(r"^\| ([\w-]+) \| (`.*`) \|$", (TESTS / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
NAMED = [(name, *text.strip("`").split("::")) for name, cell in ROWS for text in cell.split("<br>")]


def test_every_input_is_named_once() -> None:
    """32 of them."""
    names = [name for name, _ in ROWS]
    assert len(names) == len(set(names)) == 32


@pytest.mark.parametrize(("name", "file", "test"), NAMED, ids=[f"{name}-{test}" for name, _, test in NAMED])
def test_the_test_of_an_input_is_there(name: str, file: str, test: str) -> None:
    """A function of the file, which asserts something or expects an error."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == test]
    assert len(found) == 1, f"{name}: {file} has no {test}"
    assert any(isinstance(node, ast.Assert | ast.With | ast.Call) for node in ast.walk(found[0]))
