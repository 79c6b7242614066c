"""Filters of rows: comparisons of columns with numbers and texts, as after ``--where``."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from topologies.errors import ScenarioError, nearest_hint

Values = Sequence[Any]  # of one row: those of the columns that a filter names, in its order

_MOST_DEPTH = 100  # of brackets, nots and the like in each other
_MOST_SHOWN = 60  # characters of a filter in a message
_WORDS = {"true": True, "false": False, "none": None, "null": None}  # as YAML and JSON write them

_COMPARE: dict[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda value, among: value in among,
    ast.NotIn: lambda value, among: value not in among,
}
_IS_MISSING: dict[type, bool] = {ast.Eq: True, ast.Is: True, ast.NotEq: False, ast.IsNot: False}


@dataclass(frozen=True)
class Filter:
    """A filter: the columns it names, and whether a row's values of them satisfy it."""

    names: tuple[str, ...]
    holds: Callable[[Values], bool]


def compile_where(expression: str, columns: Sequence[str]) -> Filter:
    """A filter such as ``utilisation > 0.9 and tier == "leaf-spine"``; nothing is ever evaluated as code.

    A missing value compares with nothing: such a row is kept by ``gap == none`` and by no other comparison of ``gap``.

    Raises
    ------
    ScenarioError
        When the expression does not parse, uses something else than comparisons, or names an unknown column; the
        filter itself raises it where a number meets a text.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise _bad_where(expression, str(error)) from None
    except (RecursionError, MemoryError):  # how Python's parser says that its stack is full
        raise _too_deep(expression) from None
    if _depth(tree) > _MOST_DEPTH:
        raise _too_deep(expression)
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names = tuple(sorted(name for name in named if name in columns or name.lower() not in _WORDS))
    for name in names:
        if name not in columns:
            raise unknown_column("--where", name, columns, more=" (texts stand in quotes)")
    return Filter(names, _Reader(expression, names).condition(tree))


class _Reader:
    """Makes functions of a row's values from the tree of an expression."""

    def __init__(self, expression: str, names: Sequence[str]) -> None:
        self._expression = expression
        self._place = {name: place for place, name in enumerate(names)}

    def condition(self, node: ast.expr) -> Callable[[Values], bool]:
        """Whether a row satisfies a part of the expression."""
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(value) for value in node.values]
            every = all if isinstance(node.op, ast.And) else any
            return lambda row: every(part(row) for part in parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            part = self.condition(node.operand)
            return lambda row: not part(row)
        if isinstance(node, ast.Compare):
            pairs = zip([node.left, *node.comparators], node.comparators, strict=False)
            links = [self._comparison(left, how, right) for how, (left, right) in zip(node.ops, pairs, strict=True)]
            return lambda row: all(link(row) for link in links)
        value = self._value(node)
        return lambda row: bool(value(row))

    def _value(self, node: ast.expr) -> Callable[[Values], Any]:
        if isinstance(node, ast.Constant):
            constant = node.value
            return lambda row: constant
        if isinstance(node, ast.Name):
            place = self._place.get(node.id)
            if place is None:
                word = _WORDS[node.id.lower()]
                return lambda row: word
            return lambda row: row[place]
        if isinstance(node, ast.Tuple | ast.List):
            items = [self._value(item) for item in node.elts]
            return lambda row: [item(row) for item in items]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            operand = self._value(node.operand)
            return lambda row: self._negative(operand(row))
        raise _bad_where(self._expression, "only columns, numbers, texts and comparisons")

    def _negative(self, value: Any) -> Any:
        if isinstance(value, str | list | dict):
            self._refuse(f"{value!r} has no negative")
        return None if value is None else -value

    def _comparison(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> Callable[[Values], bool]:
        one, other = self._value(left), self._value(right)
        for side, value in ((right, one), (left, other)):
            if self._is_none(side) and type(how) in _IS_MISSING:
                missing = _IS_MISSING[type(how)]
                return lambda row, value=value: (value(row) is None) is missing  # type: ignore[misc]
        if type(how) not in _COMPARE:
            self._refuse("only ==, !=, <, <=, >, >=, in and not in")
        compare = _COMPARE[type(how)]
        among = isinstance(how, ast.In | ast.NotIn)

        def holds(row: Values) -> bool:
            a, b = one(row), other(row)
            if a is None or b is None:
                return False
            self._check(a, b, among=among)
            try:
                return bool(compare(a, b))
            except TypeError:
                self._refuse(f"{a!r} and {b!r} do not compare")

        return holds

    def _is_none(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return node.id not in self._place and _WORDS[node.id.lower()] is None
        return isinstance(node, ast.Constant) and node.value is None

    def _check(self, a: Any, b: Any, *, among: bool) -> None:
        """Refuse what would be false of every row, whatever its value: a number that is to equal a text."""
        if isinstance(a, dict | list) or isinstance(b, dict) or (isinstance(b, list) and not among):
            self._refuse("lists and records do not compare; name another column")
        others = [each for each in b if each is not None] if isinstance(b, list) else [b]
        for each in others:
            if isinstance(a, str) != isinstance(each, str):
                self._refuse(f"{a!r} and {each!r} do not compare")

    def _refuse(self, why: str) -> NoReturn:
        raise _bad_where(self._expression, why)


def _depth(tree: ast.expr) -> int:
    """Levels of a tree, counted level by level: a deep one must not exhaust the stack of the counting."""
    level: list[ast.AST] = [tree]
    depth = 0
    while level and depth <= _MOST_DEPTH:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth += 1
    return depth


def _too_deep(expression: str) -> ScenarioError:
    return _bad_where(expression, f"it nests deeper than {_MOST_DEPTH} levels")


def _bad_where(expression: str, why: str) -> ScenarioError:
    if len(expression) > _MOST_SHOWN:
        expression = f"{expression[:_MOST_SHOWN]}..."
    return ScenarioError(
        f"--where {expression!r} is not a filter: {why}",
        hint="for example --where 'utilisation > 0.9 and tier == \"leaf-spine\"'; ratios are plain, 1 is 100 %",
        code="FP2201",
    )


def unknown_column(flag: str, name: str, columns: Sequence[str], *, more: str = "") -> ScenarioError:
    """The error of a flag that names a column that is not there."""
    hint = nearest_hint(name, columns, "columns") + more
    return ScenarioError(f"{flag}: no column {name!r}", hint=hint, code="FP2202")
