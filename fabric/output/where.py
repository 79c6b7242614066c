"""Filters of rows: comparisons of columns with numbers and texts, as after ``--where``."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from topologies.errors import ScenarioError, nearest_hint

Row = Mapping[str, Any]

_MOST_DEPTH = 100  # of brackets, nots and the like in each other
_MOST_SHOWN = 60  # characters of a filter in a message

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


def compile_where(expression: str, columns: Sequence[str]) -> Callable[[Row], bool]:
    """A filter such as ``utilisation > 0.9 and tier == "leaf-spine"``; nothing is ever evaluated as code.

    Raises
    ------
    ScenarioError
        When the expression does not parse, uses something else than comparisons, or names an unknown column.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise _bad_where(expression, str(error)) from None
    except (RecursionError, MemoryError):  # how Python's parser says that its stack is full
        raise _too_deep(expression) from None
    if _depth(tree) > _MOST_DEPTH:
        raise _too_deep(expression)

    def value(node: ast.expr, row: Row) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return row.get(node.id)
        if isinstance(node, ast.Tuple | ast.List):
            return [value(item, row) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -value(node.operand, row)
        raise _bad_where(expression, "only columns, numbers, texts and comparisons")

    def holds(node: ast.expr, row: Row) -> bool:
        if isinstance(node, ast.BoolOp):
            results = (holds(item, row) for item in node.values)
            return all(results) if isinstance(node.op, ast.And) else any(results)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not holds(node.operand, row)
        if isinstance(node, ast.Compare):
            left = value(node.left, row)
            for how, right_node in zip(node.ops, node.comparators, strict=True):
                right = value(right_node, row)
                if type(how) not in _COMPARE:
                    raise _bad_where(expression, "only ==, !=, <, <=, >, >=, in and not in")
                try:
                    if left is None or not _COMPARE[type(how)](left, right):
                        return False
                except TypeError:
                    raise _bad_where(expression, f"{left!r} and {right!r} do not compare") from None
                left = right
            return True
        return bool(value(node, row))

    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for name in sorted(names - set(columns)):
        raise unknown_column("--where", name, columns)
    holds(tree, {})  # refuses calls, attributes and the like before any row is seen
    return lambda row: holds(tree, row)


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
        hint="for example --where 'utilisation > 0.9 and tier == \"leaf-spine\"'",
        code="FP2201",
    )


def unknown_column(flag: str, name: str, columns: Sequence[str]) -> ScenarioError:
    """The error of a flag that names a column that is not there."""
    hint = nearest_hint(name, columns, "columns")
    return ScenarioError(f"{flag}: no column {name!r}", hint=hint, code="FP2202")
