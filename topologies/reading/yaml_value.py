"""YAML of others: read by the guard that scenarios have, and then by the accessors that JSON of others has.

Unlike a scenario, such a file is taken with what YAML makes easy to get wrong: keys are text whatever they look like,
and plain words are true, false, null and numbers as in YAML 1.2, and text otherwise (``no``, ``12:30`` and ``010`` are
text). Unknown tags are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from topologies.errors import FormatError, Problem
from topologies.reading.json_value import JsonValue
from topologies.reading.text_input import read_text
from topologies.reading.yaml_guard import LOADER, Expansion, depth_problem, syntax_problem, too_deep

_MERGE = "tag:yaml.org,2002:merge"
_WHOLE = re.compile(r"[-+]?(?:0|[1-9]\d{0,18})")
_REAL = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d{1,3})?|[-+]?\d+[eE][-+]?\d{1,3}")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _Placed(dict[str, Any]):
    """A mapping that knows the line of each of its keys."""

    lines: dict[str, int]


class _Rows(list[Any]):
    """A list that knows the line of each of its items."""

    lines: list[int]


@dataclass(frozen=True)
class YamlValue(JsonValue):
    """A value, the file it is in, and where in it, with its line."""

    line: int | None = None

    def wrong(self, message: str, *, hint: str = "", code: str | None = None) -> FormatError:
        """An error about this value."""
        return FormatError(
            replace(problem, line=self.line) for problem in super().wrong(message, hint=hint, code=code).problems
        )

    def get(self, key: str) -> YamlValue:
        """The value of a key of a mapping; absent where there is none."""
        plain = super().get(key)
        lines = self.value.lines if isinstance(self.value, _Placed) else {}
        return YamlValue(plain.value, plain.file, plain.path, plain.code, lines.get(key, self.line))

    def items(self) -> Iterator[tuple[str, YamlValue]]:
        """Keys and values of a mapping."""
        for key in self.keys:
            yield key, self.get(key)

    def each(self) -> Iterator[YamlValue]:
        """Values of a list, none where absent."""
        lines = self.value.lines if isinstance(self.value, _Rows) else []
        for index, plain in enumerate(super().each()):
            yield YamlValue(plain.value, plain.file, plain.path, plain.code, lines[index] if lines else self.line)


def read_yaml_value(path: Path, *, syntax_code: str = "FP6003") -> YamlValue:
    """The value of a YAML file of one document.

    Raises
    ------
    FormatError
        When it is not YAML, is nested more than 100 deep (FP1008), or its aliases stand for themselves or for more
        than 100,000 values (FP1005), each before anything is expanded.
    """
    return parse_yaml_value(read_text(path), str(path), syntax_code=syntax_code)


def parse_yaml_value(text: str, file: str, *, syntax_code: str = "FP6003") -> YamlValue:
    """The value of a YAML text; see :func:`read_yaml_value`."""
    try:
        deep = depth_problem(text, file)
        if deep is not None:
            raise FormatError([deep])
        root = yaml.compose(text, Loader=LOADER)
    except yaml.YAMLError as error:
        raise FormatError([syntax_problem(text, file, error, syntax_code)]) from None
    if root is None:
        return YamlValue(None, file, line=1)
    return YamlValue(_Construction(file).value(root, 0), file, line=root.start_mark.line + 1)


class _Construction:
    """Plain values of nodes; what aliases repeat is made once, and counted as often as it appears."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.expansion = Expansion()
        self.done: dict[int, Any] = {}
        self.active: set[int] = set()

    def value(self, node: yaml.Node, depth: int) -> Any:
        """The value of a node at a depth."""
        if id(node) in self.active:
            raise self._refuse(node, Expansion.CONTAINS_ITSELF, Expansion.REMOVE_ALIAS)
        if self.expansion.too_deep(id(node), depth):
            mark = node.start_mark
            raise FormatError([too_deep(self.file, mark.line + 1, mark.column + 1)])
        if id(node) in self.done:
            return self.done[id(node)]
        self.active.add(id(node))
        made: Any
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            made, children = self._mapping(node, depth)
        elif isinstance(node, yaml.SequenceNode):
            made, children = self._rows(node, depth), list(node.value)
        else:
            made = _scalar(node)
        self.active.discard(id(node))
        if not self.expansion.fits((id(node),), map(id, children)):
            raise self._refuse(node, Expansion.TOO_LARGE, Expansion.FEWER)
        self.done[id(node)] = made
        return made

    def _rows(self, node: yaml.SequenceNode, depth: int) -> _Rows:
        rows = _Rows(self.value(item, depth + 1) for item in node.value)
        rows.lines = [item.start_mark.line + 1 for item in node.value]
        return rows

    def _mapping(self, node: yaml.MappingNode, depth: int) -> tuple[_Placed, list[yaml.Node]]:
        entries, bases, children = _Placed(), [], []
        entries.lines = {}
        for key_node, value_node in node.value:
            children.append(value_node)
            if key_node.tag == _MERGE:
                parts = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                bases += [self.value(part, depth + 1) for part in parts]
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise self._refuse(key_node, "a key has to be text", "write a name, then ': '", code="FP6250")
            key = str(key_node.value)
            if key in entries:
                raise self._refuse(key_node, f"duplicate key {key!r}", "keep one", code="FP6250")
            entries[key] = self.value(value_node, depth + 1)
            entries.lines[key] = key_node.start_mark.line + 1
        for base in bases:
            for key, value in base.items() if isinstance(base, _Placed) else ():
                if key not in entries:
                    entries[key], entries.lines[key] = value, base.lines[key]
        return entries, children

    def _refuse(self, node: yaml.Node, message: str, hint: str, code: str = Expansion.CODE) -> FormatError:
        mark = node.start_mark
        return FormatError(
            [Problem(message, code=code, file=self.file, line=mark.line + 1, column=mark.column + 1, hint=hint)]
        )


def _scalar(node: Any) -> Any:
    """A plain word's value; quoted ones and blocks are text."""
    text = str(node.value)
    if node.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text
