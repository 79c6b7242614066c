"""Formulae computed and shown from one text: what ``fabric traffic --explain`` prints is what was calculated."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_OPERATORS: dict[type[ast.AST], Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "C": lambda total, chosen: math.comb(round(total), round(chosen)),  # ways to choose
}


@dataclass(frozen=True)
class Term:
    """One symbol of a formula."""

    symbol: str
    value: float
    meaning: str


@dataclass(frozen=True)
class Formula:
    """An arithmetic expression over named terms, such as ``2 * S * (n - 1) / n``.

    Examples
    --------
    >>> Formula("2 * S * (n - 1) / n", (Term("S", 8.0, "buffer, bytes"), Term("n", 4, "ranks")), "nccl-tests").value
    12.0
    """

    expression: str
    terms: tuple[Term, ...]
    source: str  # paper and section, or document
    unit: str = "bytes"

    @property
    def value(self) -> float:
        """The expression with the terms put in."""
        values = {term.symbol: term.value for term in self.terms}
        return float(_evaluate(ast.parse(self.expression, mode="eval").body, values))

    @property
    def with_numbers(self) -> str:
        """The expression with every symbol replaced by its value.

        >>> Formula("S / n", (Term("S", 8e9, ""), Term("n", 4, "")), "").with_numbers
        '8,000,000,000 / 4'
        """
        values = {term.symbol: number_text(term.value) for term in self.terms}

        class Put(ast.NodeTransformer):
            def visit_Name(self, node: ast.Name) -> ast.Name:
                return ast.Name(values.get(node.id, node.id), node.ctx)

        return ast.unparse(Put().visit(ast.parse(self.expression, mode="eval")))


def formula(expression: str, source: str, unit: str = "bytes", /, **terms: tuple[float, str]) -> Formula:
    """A formula from keyword terms, each a value and its meaning."""
    return Formula(
        expression, tuple(Term(name, value, meaning) for name, (value, meaning) in terms.items()), source, unit
    )


def number_text(value: float) -> str:
    """A number for people: whole numbers with thousands, others with six digits.

    >>> number_text(70553706496), number_text(0.125)
    ('70,553,706,496', '0.125')
    """
    return f"{value:,.0f}" if value == int(value) else f"{value:,.6g}"


def _evaluate(node: ast.AST, values: dict[str, float]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_evaluate(node.left, values), _evaluate(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_evaluate(node.operand, values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _FUNCTIONS[node.func.id](*(_evaluate(argument, values) for argument in node.args))
    raise ValueError(f"{ast.unparse(node)!r} is not arithmetic")
