"""Numbers for people are written by ``topologies.units`` alone, so that one line never has two formats."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("topologies", "traffic", "fabric", "tui")
HOME = ROOT / "topologies" / "units.py"
APART = ROOT / "fabric" / "certificate_check"  # shares nothing with what it checks
_PERCENT_FIELD = re.compile(r"\{[^{}]*%\}")
_UNIT_AFTER_FIELD = re.compile(r"^ ?(%|[KMGT]?b/s)(?![\w/])")


def own_formats(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and kind of every number that a module writes in a format of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            if ast.unparse(node.format_spec).rstrip("'\"").endswith("%"):
                yield node.lineno, "percent by format specification"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            if any(isinstance(side, ast.Constant) and side.value in (100, 100.0) for side in (node.left, node.right)):
                yield node.lineno, "percent by multiplication"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _PERCENT_FIELD.search(node.value):
            yield node.lineno, "percent by str.format"
        elif isinstance(node, ast.JoinedStr):
            for field, text in zip(node.values, node.values[1:], strict=False):
                formatted = isinstance(field, ast.FormattedValue) and field.format_spec is not None
                if formatted and isinstance(text, ast.Constant) and _UNIT_AFTER_FIELD.match(str(text.value)):
                    yield node.lineno, "unit after a formatted number"


@pytest.mark.parametrize("package", PACKAGES)
def test_numbers_are_written_in_one_place(package: str) -> None:
    """No module but ``topologies.units`` makes percents or rates out of numbers."""
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {kind}"
        for path in sorted((ROOT / package).rglob("*.py"))
        if path != HOME and not path.is_relative_to(APART)
        for line, kind in own_formats(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "code",
    [
        'f"{x:.1%}"',
        'f"{x * 100:.1f}"',
        "100 * x",
        '"{:.2%}".format(x)',
        'f"{x:g} Gb/s"',
        'f"{x:,.1f} %"',
        'f"{x:.0f}%"',
    ],
)
def test_every_own_format_is_seen(code: str) -> None:
    """The ways of writing a percent or a rate by hand."""
    assert list(own_formats(ast.parse(code)))


def test_what_is_no_number_format_is_not_seen() -> None:
    """Names before a unit, texts that people type, and the functions themselves."""
    for code in ('f"{percent(x)}"', '"100%"', 'f"{name} %"', 'f"{x:,} cables"', "x * 1000"):
        assert not list(own_formats(ast.parse(code)))
