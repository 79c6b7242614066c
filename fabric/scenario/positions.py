"""YAML text to a tree that knows its places, refusing what YAML makes easy to get wrong.

Text is read as YAML 1.1, which is what PyYAML does, but a plain scalar that YAML 1.1 and a person read differently
(``no``, ``010``, ``1e9``, a date) is an error, and so are duplicate keys, tags, keys that are not text, ``x-`` keys
excepted, which are dropped unread. Numbers of base 60 are none: ``7:1`` is the text it is in YAML 1.2, and what expects
a ratio reads it as one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from fabric.scenario.tree import Place, Scalar, Tree
from topologies.errors import Problem, ScenarioError
from topologies.reading.yaml_guard import LOADER, Expansion, depth_problem, split_lines, syntax_problem, too_deep

MOST_BYTES = 64e6  # of a YAML file: more than so many values need
_MAX_INTEGER = 2**63 - 1

_Loader: Any = LOADER
_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ACTING_IN_TEXT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")  # breaks may stand
_TAG = "tag:yaml.org,2002:"
_TAGS = {
    yaml.ScalarNode: {"str", "int", "float", "bool", "null", "timestamp", "value", "merge"},
    yaml.MappingNode: {"map"},
    yaml.SequenceNode: {"seq"},
}
_EXPONENT = re.compile(r"[-+]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)[eE][-+]?\d+")
_LEADING_ZERO = re.compile(r"[-+]?0o?[0-9_]*[0-9]")


def decode(content: bytes, file: str) -> str:
    """UTF-8 bytes to text, a byte-order mark dropped.

    Raises
    ------
    ScenarioError
        FP1007, at the first byte that is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = split_lines(content[: error.start].decode("utf-8", errors="replace"))
        raise ScenarioError(
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            code="FP1007",
            file=file,
            line=len(before),
            column=len(before[-1]) + 1,
            hint="save the file as UTF-8",
        ) from None


def read_yaml(text: str, file: str) -> Tree:
    """Parse one YAML document.

    Raises
    ------
    ScenarioError
        With every problem of the text that can be distinguished; a syntax error hides what follows it.
    """
    _check_characters(text, file)
    try:
        deep = depth_problem(text, file, _Loader)
        if deep is not None:
            raise ScenarioError([deep])
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ScenarioError([syntax_problem(text, file, error)]) from None
    if node is None:
        raise ScenarioError(
            "the file is empty", code="FP1006", file=file, hint="fabric init leaf-spine writes a first one"
        )
    reader = _Reader(file, split_lines(text))
    tree = reader.convert(node, 0)
    if reader.problems:
        raise ScenarioError(reader.problems)
    return tree


def _check_characters(text: str, file: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ScenarioError("the text is not UTF-8", code="FP1007", file=file, hint="save it as UTF-8") from None


def _problem(code: str, message: str, place: Place, **more: Any) -> Problem:
    return Problem(
        message, code=code, file=place.file, line=place.line, column=place.column, length=max(place.length, 1), **more
    )


class _Reader:
    """Turns nodes into trees; collects problems on the way."""

    def __init__(self, file: str, lines: list[str]) -> None:
        self.file = file
        self.lines = lines
        self.problems: list[Problem] = []
        self.expansion = Expansion()
        self.done: dict[int, Tree] = {}
        self.active: set[int] = set()

    def convert(self, node: yaml.Node, depth: int) -> Tree:
        """The tree of a node; nodes that aliases repeat are converted once."""
        place = self.place(node)
        if id(node) in self.active:
            return self._refuse(Expansion.CODE, Expansion.CONTAINS_ITSELF, place, hint=Expansion.REMOVE_ALIAS)
        if self.expansion.too_deep(id(node), depth):
            self.problems.append(too_deep(place.file, place.line, place.column, place.length))
            return Tree(None, place)
        if id(node) in self.done:
            return self.done[id(node)]
        self.active.add(id(node))
        tree = self._convert(node, place, depth)
        self.active.discard(id(node))
        self.done[id(node)] = tree
        return self._bound(node, tree)

    def _bound(self, node: yaml.Node, tree: Tree) -> Tree:
        """Note size and height; refuse what aliases blow up."""
        children = list(tree.value.values()) if isinstance(tree.value, Mapping) else list(tree.items)
        keys = (id(node), id(tree.value))
        if not self.expansion.fits(keys, (id(child.value) for child in children)):
            tree = self._refuse(Expansion.CODE, Expansion.TOO_LARGE, tree.place, hint=Expansion.FEWER)
            self.done[id(node)] = tree
        return tree

    def _convert(self, node: yaml.Node, place: Place, depth: int) -> Tree:
        if node.tag.removeprefix(_TAG) not in _TAGS[type(node)] and node.tag != "!":
            tag = node.tag.replace(_TAG, "!!")
            return self._refuse("FP1004", f"tag {tag} is not allowed", place, hint="write the plain value")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place, depth)
        if isinstance(node, yaml.SequenceNode):
            return Tree([self.convert(item, depth + 1) for item in node.value], place)
        style = getattr(node, "style", None)
        return Tree(self._scalar(node.value, node.tag.removeprefix(_TAG), style, place), place)

    def _mapping(self, node: yaml.MappingNode, place: Place, depth: int) -> Tree:
        entries: dict[str, Tree] = {}
        merged: list[Mapping[str, Tree]] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged += self._merged(value_node, depth)
                continue
            key = self._key(key_node)
            if key is None:
                self.convert(value_node, depth + 1)  # for the problems in it
            if key is None or key.startswith("x-"):
                continue
            key_place = self.place(key_node)
            first = entries.get(key)
            if first is not None and first.key is not None:
                note = f"first given on line {first.key.line}, column {first.key.column}"
                self.problems.append(
                    _problem(
                        "FP1002",
                        f"duplicate key {key!r}",
                        key_place,
                        label="given again",
                        notes=(note,),
                        hint="keep one",
                    )
                )
            entries[key] = replace(self.convert(value_node, depth + 1), key=key_place)
        for base in merged:
            entries = {**base, **entries}
        return Tree(entries, place)

    def _merged(self, node: yaml.Node, depth: int) -> list[Mapping[str, Tree]]:
        """The mappings a ``<<`` key names; of several, the first wins."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        values = [self.convert(part, depth + 1).value for part in parts]
        mappings = [value for value in values if isinstance(value, Mapping)]
        if len(mappings) < len(values):
            self._refuse("FP1006", "<< takes a mapping", self.place(node), hint="name one with *alias")
        return mappings

    def _key(self, node: yaml.Node) -> str | None:
        place = self.place(node)
        if not isinstance(node, yaml.ScalarNode):
            self._refuse("FP1006", "a key has to be text", place, hint="write a name, then ': '")
            return None
        if node.tag in (_TAG + "str", _TAG + "value") or _is_base_60(
            node.value, node.tag.removeprefix(_TAG), node.style
        ):
            self._check_controls(str(node.value), place, _ACTING)
            return str(node.value)
        if not node.style and (way_out := _trap(node.value, node.tag.removeprefix(_TAG))):
            self._refuse("FP1003", way_out[0], place, hint=way_out[1].split(", or ")[0])
        else:
            self._refuse("FP1006", f"key {node.value} is not text", place, hint=f'write "{node.value}" in quotes')
        return None

    def _check_controls(self, text: str, place: Place, acting: re.Pattern[str]) -> None:
        """Refuse what a terminal would act on; names end up on one."""
        control = acting.search(text)
        if control:
            self._refuse(
                "FP1007", f"character U+{ord(control.group()):04X} acts on terminals", place, hint="leave it out"
            )

    def _scalar(self, text: str, kind: str, style: str | None, place: Place) -> Scalar:
        self._check_controls(text, place, _ACTING_IN_TEXT)
        if _is_base_60(text, kind, style):
            return text
        if not style:
            way_out = _trap(text, kind)
            if way_out is None and kind == "str" and text in ("y", "n", "Y", "N"):
                way_out = _bool_trap(text)
            if way_out is not None:
                self._refuse("FP1003", way_out[0], place, hint=way_out[1])
                return None
        try:
            return _construct(text, kind)
        except (ValueError, OverflowError):
            short = text if len(text) < 40 else text[:40] + "…"
            self._refuse(
                "FP1003", f"{short} is not a number that can be used here", place, hint="write an ordinary number"
            )
            return None

    def _refuse(self, code: str, message: str, place: Place, *, hint: str) -> Tree:
        self.problems.append(_problem(code, message, place, hint=hint))
        return Tree(None, place)

    def place(self, node: yaml.Node) -> Place:
        """Where a node is written: to its end, or to the end of its first line."""
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column
        if end.line != start.line:
            line = self.lines[start.line] if start.line < len(self.lines) else ""
            length = max(len(line.rstrip()) - start.column, 0)
        return Place(self.file, start.line + 1, start.column + 1, length)


def _bool_trap(text: str) -> tuple[str, str]:
    meaning = "true" if text.lower() in ("yes", "on", "y") else "false"
    return f"{text} means {meaning} in YAML 1.1 and text in YAML 1.2", f'write "{text}" in quotes, or {meaning}'


def _is_base_60(text: str, kind: str, style: str | None) -> bool:
    """Whether a plain scalar such as ``7:1`` is a number in YAML 1.1 and text in YAML 1.2."""
    return not style and kind in ("int", "float") and ":" in text


def _trap(text: str, kind: str) -> tuple[str, str] | None:
    """What is wrong with a plain scalar that YAML reads in another way than people do, and the way out."""
    quoted = f'write "{text}" in quotes'
    if kind == "bool" and text.lower() in ("yes", "no", "on", "off"):
        return _bool_trap(text)
    if kind in ("int", "str") and _LEADING_ZERO.fullmatch(text):
        return f"{text} has a leading zero, which YAML 1.1 reads as octal", f"{quoted}, or the number without the zero"
    if kind == "str" and _EXPONENT.fullmatch(text):
        return f"{text} is text in YAML 1.1", f"write {_with_dot_and_sign(text)}, or {_plain_number(text)}"
    if kind == "timestamp":
        return f"{text} is a date in YAML", quoted
    if kind == "float" and text.lower().lstrip("+-") in (".inf", ".nan"):
        return f"{text} is not a number to plan with", "write a finite number, or leave the key out"
    return None


def _with_dot_and_sign(text: str) -> str:
    mantissa, exponent = text.lower().split("e")
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent if exponent[0] in '+-' else '+' + exponent}"


def _plain_number(text: str) -> str:
    value = float(text.replace("_", ""))
    return f"{int(value)}" if value.is_integer() and abs(value) < 1e15 else f'"{text}" in quotes'


def _construct(text: str, kind: str) -> Scalar:
    """The value of a scalar; ValueError when it does not fit its tag."""
    if kind == "null":
        return None
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if kind == "int":
        number = int(text.replace("_", ""), 0)
        if abs(number) > _MAX_INTEGER:
            raise OverflowError(text)
        return number
    if kind == "float":
        value = float(text.replace("_", ""))
        if not math.isfinite(value):
            raise OverflowError(text)
        return value
    return text
