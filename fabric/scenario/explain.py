"""What pydantic found wrong with a scenario, in words a network engineer can act on, each mistake once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import ErrorDetails

from fabric.scenario.keys import Keys, near_key
from topologies.errors import Problem, Where, nearest_hint

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "mapping_type": "a mapping of keys",
    "list_type": "a list",
    "tuple_type": "a list",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


@dataclass(frozen=True)
class _Finding:
    """One pydantic error, at its place in the data."""

    type: str
    where: Where
    error: ErrorDetails
    alternative: bool  # one of several errors, one for each form the value could have had
    on_key: bool


def explain(errors: Sequence[ErrorDetails], data: Any, keys: Keys, document: str = "scenario") -> list[Problem]:
    """Turn pydantic's errors about ``data`` into problems with a code and a path.

    Tags of unions are taken out of the paths; the errors of several forms of one value become one; a missing key next
    to an unknown key of nearly that name becomes one "did you mean".
    """
    findings = _deepest([_finding(error, data) for error in errors])
    missing = {finding.where for finding in findings if finding.type == "missing"}
    problems: list[Problem] = []
    explained: set[Where] = set()
    for finding in findings:
        if finding.type == "extra_forbidden":
            problem, meant = _unknown_key(finding.where, keys, missing)
            problems.append(problem)
            explained.add((*finding.where[:-1], meant))
    by_place: dict[Where, list[_Finding]] = {}
    for finding in findings:
        if finding.type != "extra_forbidden" and not (finding.type == "missing" and finding.where in explained):
            by_place.setdefault(finding.where, []).append(finding)
    return problems + [_wrong(where, found, keys, document) for where, found in by_place.items()]


def _finding(error: ErrorDetails, data: Any) -> _Finding:
    """Walk the location along the data; what the data does not have is a tag of a union."""
    where: list[str | int] = []
    stripped = on_key = False
    location = error["loc"]
    last_names_a_key = error["type"] in ("missing", "extra_forbidden")
    for depth, part in enumerate(location):
        if _holds(data, part):
            data = data[part]
        elif part == "[key]":
            on_key = True
            continue
        elif not (last_names_a_key and depth == len(location) - 1):
            stripped = True
            continue
        where.append(part)
    return _Finding(error["type"], tuple(where), error, stripped, on_key)


def _holds(data: Any, part: str | int) -> bool:
    if isinstance(data, dict):
        return part in data
    return isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data)


def _deepest(findings: list[_Finding]) -> list[_Finding]:
    """Drop "should be text" about a value that was written as a mapping and has errors inside."""
    return [
        finding
        for finding in findings
        if not finding.alternative
        or not any(len(other.where) > len(finding.where) == _shared(other.where, finding.where) for other in findings)
    ]


def _shared(one: Where, other: Where) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _unknown_key(where: Where, keys: Keys, missing: set[Where]) -> tuple[Problem, str]:
    """The problem, and the key that was meant ("" when none is near)."""
    parent, key = where[:-1], str(where[-1])
    problem = Problem(f"unknown key {key!r}", code="FP2101", where=where, on_key=True)
    wanted = [str(place[-1]) for place in missing if place[:-1] == parent]
    here = keys.at(parent)
    place = _one_level_off(parent, key, keys)
    close = near_key(key, wanted) or (None if place else near_key(key, here))
    if close:
        return replace(problem, label=f"did you mean {close!r}?"), close
    if place:
        return replace(problem, label=place), ""
    holders = keys.holders(key)
    label = f"this belongs {' or '.join(holders)}" if holders else ""
    hint = f"keys here: {', '.join(here)}" if here else ""
    return replace(problem, label=label, hint=hint), ""


def _one_level_off(parent: Where, key: str, keys: Keys) -> str:
    """Where the key would be right: one level up or one down."""
    up = parent[:-1]
    while up and isinstance(up[-1], int):
        up = up[:-1]
    if parent and key in keys.at(up):
        owner = f"{up[-1]!r}" if up else "the top level"
        return f"this belongs one level up, in {owner}"
    holders = [name for name, below in keys.below(parent).items() if key in below]
    return f"this belongs one level down, in {' or '.join(map(repr, holders))}" if holders else ""


def _wrong(where: Where, found: list[_Finding], keys: Keys, document: str) -> Problem:
    first = found[0]
    if first.type == "missing":
        key, parent = str(where[-1]), where[:-1]
        owner = f"{_title(parent)} needs {key!r}" if parent else f"a {document} needs {key!r}"
        described = keys.describe(where)
        hint = described if key == "kind" or not described else f"{key}: {described[0].lower()}{described[1:]}"
        return Problem(f"missing key {key!r}", code="FP2103", where=where, on_key=True, label=owner, hint=hint)
    if len(found) == 1 and first.type in ("unknown_choice", "literal_error"):
        return _unknown_choice(first)
    texts = list(dict.fromkeys(_expectation(finding.error) for finding in found))
    written = _show(first.error["input"])
    own_words = [text for text in texts if text.startswith("!")]
    if own_words:
        return Problem(f"{_title(where)}: {own_words[0][1:]}", code="FP2102", where=where, on_key=first.on_key)
    message = f"{_title(where)} should be {' or '.join(texts)}, not {written}"
    hint = ""
    if texts == ["text"] and isinstance(first.error["input"], int | float):
        hint = f'write "{written}" in quotes'
    elif texts == ["a list"] and isinstance(first.error["input"], dict):
        hint = "write a list: a dash before every entry, also where there is one"
    return Problem(message, code="FP2102", where=where, on_key=first.on_key, hint=hint)


def _unknown_choice(finding: _Finding) -> Problem:
    error, name = finding.error, _title(finding.where)
    context: dict[str, Any] = error.get("ctx") or {}
    if finding.type == "unknown_choice":
        message, hint = error["msg"], str(context.get("hint", ""))
    else:
        expected = str(context.get("expected", ""))
        choices = re.findall(r"'([^']*)'", expected)
        message = f"{name} should be {expected}, not {_show(error['input'])}"
        hint = nearest_hint(str(error["input"]), choices, otherwise="")
    label = hint if hint.startswith("did you mean") else ""
    return Problem(message, code="FP2104", where=finding.where, label=label, hint="" if label else hint)


def _expectation(error: ErrorDetails) -> str:
    """What the value should be; a full sentence of the validator's own starts with ``!``."""
    kind, context = error["type"], error.get("ctx") or {}
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context.get(key)}"
    if kind == "string_pattern_mismatch":
        return f"text like {context.get('pattern')}"
    message = str(error["msg"])
    if message.startswith("Input should be "):
        return message.removeprefix("Input should be ")
    return "!" + message.removeprefix("Value error, ")


def _title(where: Where) -> str:
    """The last key of a path, with the index behind it."""
    names = [str(part) for part in where if isinstance(part, str)]
    index = "".join(f"[{part}]" for part in where[-1:] if isinstance(part, int))
    return f"'{names[-1] if names else 'the scenario'}{index}'"


def _show(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
