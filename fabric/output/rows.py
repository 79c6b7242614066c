"""Rows of flat records: choosing, sorting, filtering, and writing them as CSV or NDJSON."""

from __future__ import annotations

import ast
import csv
import io
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from topologies.errors import ScenarioError, nearest_hint

Row = Mapping[str, Any]

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
        raise _unknown_column("--where", name, columns)
    holds(tree, {})  # refuses calls, attributes and the like before any row is seen
    return lambda row: holds(tree, row)


def _bad_where(expression: str, why: str) -> ScenarioError:
    return ScenarioError(
        f"--where {expression!r} is not a filter: {why}",
        hint="for example --where 'utilisation > 0.9 and tier == \"leaf-spine\"'",
        code="FP2201",
    )


def _unknown_column(flag: str, name: str, columns: Sequence[str]) -> ScenarioError:
    hint = nearest_hint(name, columns, "columns")
    return ScenarioError(f"{flag}: no column {name!r}", hint=hint, code="FP2202")


def select_columns(columns: Sequence[str], wanted: str | None) -> list[str]:
    """Apply ``--columns A,B`` (only these), ``+C`` (add) and ``-D`` (drop) to the default columns."""
    if wanted is None:
        return list(columns)
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    for word in words:
        if word.lstrip("+-") not in columns:
            raise _unknown_column("--columns", word.lstrip("+-"), columns)
    chosen = [word for word in words if word[0] not in "+-"] or list(columns)
    chosen += [word[1:] for word in words if word[0] == "+" and word[1:] not in chosen]
    return [column for column in chosen if f"-{column}" not in words]


def arrange(
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    where: str | None = None,
    sort: str | None = None,
    reverse: bool = False,
    limit: int | None = None,
) -> list[Row]:
    """Filter, sort and cut rows; missing values sort last."""
    kept = list(rows)
    if where is not None:
        keep = compile_where(where, columns)
        kept = [row for row in kept if keep(row)]
    if sort is not None:
        if sort not in columns:
            raise _unknown_column("--sort", sort, columns)
        present = [row for row in kept if row.get(sort) is not None]
        present.sort(key=lambda row: row[sort], reverse=reverse)
        kept = [*present, *(row for row in kept if row.get(sort) is None)]
    elif reverse:
        kept.reverse()
    return kept if limit is None else kept[:limit]


def to_csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    """CSV with a header; nested values as JSON text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def to_ndjson(envelope: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """The envelope without items on the first line, then one item per line."""
    head = {key: value for key, value in envelope.items() if key != "items"}
    return "".join(json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n" for line in [head, *rows])
