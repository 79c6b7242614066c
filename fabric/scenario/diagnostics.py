"""Problems, put at their place in the text and printed with the line they are about."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from topologies.errors import Problem
from topologies.printable import printable

if TYPE_CHECKING:
    from fabric.scenario.tree import Place, Tree

MAX_ERRORS = 20
_WIDTH = 100  # cells of source shown
_TAB = "    "


def locate(problems: Iterable[Problem], tree: Tree) -> list[Problem]:
    """Fill in file, line, column and length of the problems that have none, from their path in the scenario.

    A path the text does not have stands for its nearest existing ancestor.
    """
    return [problem if problem.file is not None else _at(problem, _place(problem, tree)) for problem in problems]


def _place(problem: Problem, tree: Tree) -> Place:
    found, depth = tree.find(problem.where)
    exact = depth == len(problem.where)
    if found.key is None:
        return found.place
    spans_lines = bool(found.place.line != found.key.line and not isinstance(found.value, str | int | float))
    use_key = problem.on_key or not exact or found.place.length == 0 or spans_lines
    return found.key if use_key else found.place


def _at(problem: Problem, place: Place) -> Problem:
    return replace(problem, file=place.file, line=place.line, column=place.column, length=max(place.length, 1))


def render(
    problems: Sequence[Problem],
    sources: Mapping[str, str],
    *,
    name: str | None = None,
    exit_code: int = 3,
    max_errors: int = MAX_ERRORS,
) -> str:
    """The problems as text for a terminal, with a closing count.

    Parameters
    ----------
    problems
        Located or not; printed in the order of files, lines and columns.
    sources
        Text of each file by the name that the problems use.
    name
        What the count line calls the input; default: the files that have problems.
    exit_code
        Announced when there are errors.
    max_errors
        Errors printed in full; the rest is counted.
    """
    files = list(dict.fromkeys([*sources, *(problem.file or "" for problem in problems)]))
    ordered = sorted(problems, key=lambda one: (files.index(one.file or ""), one.line or 0, one.column or 0))
    errors = [problem for problem in ordered if problem.severity == "error"]
    hidden = set(map(id, errors[max_errors:]))
    blocks = [_block(problem, sources) for problem in ordered if id(problem) not in hidden]
    if hidden:
        blocks.append(f"{_count(len(hidden), 'more error')}; --max-errors {len(errors)} shows all")
    named = name or ", ".join(dict.fromkeys(_clean(one.file) for one in ordered if one.file)) or "the input"
    return "\n\n".join([*blocks, _closing(len(errors), len(ordered) - len(errors), named, exit_code)]) + "\n"


def _closing(errors: int, warnings: int, name: str, exit_code: int) -> str:
    counts = [_count(errors, "error")] if errors else []
    counts += [_count(warnings, "warning")] if warnings else []
    return f"{', '.join(counts) or 'no errors'} in {name}" + (f" (exit {exit_code})" if errors else "")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _block(problem: Problem, sources: Mapping[str, str]) -> str:
    lines = [f"{problem.severity}[{problem.code}]: {_shorten(_clean(problem.message))}"]
    gutter = max(len(str(problem.line or 0)), 2)
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part is not None)
    place = place or ".".join(map(str, problem.where))
    if place:
        lines.append(f"{' ' * gutter}--> {_clean(place)}")
    excerpt = _excerpt(problem, sources, gutter)
    lines += excerpt
    notes = list(problem.notes) if excerpt or not problem.label else [problem.label, *problem.notes]
    lines += [f"{' ' * gutter} = note: {_clean(note)}" for note in notes]
    lines += [f"{' ' * gutter} = help: {_clean(problem.hint)}"] if problem.hint else []
    return "\n".join(lines)


def _excerpt(problem: Problem, sources: Mapping[str, str], gutter: int) -> list[str]:
    """The line before, the line, and carets under the place; nothing when the text is not there."""
    if problem.line is None or problem.file is None or problem.file not in sources:
        return []
    from topologies.reading.yaml_guard import split_lines

    source = split_lines(sources[problem.file])
    if not 0 < problem.line <= len(source):
        return []
    line, column = source[problem.line - 1], max(problem.column or 1, 1) - 1
    start, stop = _window(line, column, problem.length)
    shown = _cells(line[start:stop])
    lead = "…" if start else ""
    tail = "…" if stop < len(line) else ""
    before = _cells(source[problem.line - 2]).rstrip() if problem.line > 1 else ""
    margin = " " * (gutter + 1)
    lines = [f"{margin}|"]
    if before.strip() and start == 0 and _width(before) <= _WIDTH:
        lines.append(f"{problem.line - 1:>{gutter}} | {before}")
    lines.append(f"{problem.line:>{gutter}} | {lead}{shown}{tail}".rstrip())
    offset = len(lead) + _width(_cells(line[start:column])) + max(column - len(line), 0)
    marked = _cells(line[column : min(column + problem.length, stop)])
    carets = "^" * max(_width(marked), 1)
    lines.append(f"{margin}| {' ' * offset}{carets} {_clean(problem.label)}".rstrip())
    return lines


def _window(line: str, column: int, length: int) -> tuple[int, int]:
    """The part of a long line to show: the place, half of what room is left before it, the rest behind it."""
    cells = [_width(_cells(char)) for char in line]
    if sum(cells) <= _WIDTH:
        return 0, len(line)
    start = min(column, len(line))
    stop, left = _extend(cells, start, min(column + length, len(line)), _WIDTH)
    before = cells[:start][::-1]
    room = max(left // 2, left - sum(cells[stop:]))
    taken, unused = _extend(before, 0, len(before), room)
    stop, _ = _extend(cells, stop, len(line), left - room + unused)
    return start - taken, stop


def _extend(cells: Sequence[int], position: int, end: int, room: int) -> tuple[int, int]:
    """How far one gets from ``position`` towards ``end`` with ``room`` cells, and what room remains."""
    while position < end and cells[position] <= room:
        room -= cells[position]
        position += 1
    return position, room


def _cells(text: str) -> str:
    """Text as a terminal may safely show it: tabs widened, control characters replaced."""
    return printable(text.replace("\t", _TAB))


def _clean(text: str | None) -> str:
    return printable(text or "")


def _shorten(text: str) -> str:
    return text if len(text) <= 2 * _WIDTH else f"{text[: 2 * _WIDTH]}…"


def _width(text: str) -> int:
    """Terminal cells: two for wide characters, none for combining marks."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
