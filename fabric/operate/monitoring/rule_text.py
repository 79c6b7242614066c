"""Rules as text: YAML whose strings are quoted as JSON quotes them, so that nothing in a name can break out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Rule:
    """A recording rule, or with ``alert`` an alert."""

    name: str
    expr: str
    labels: Labels = field(default_factory=dict)
    alert: bool = False
    for_: str = ""
    annotations: Labels = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """As YAML, two levels in."""
        yield f"  - {'alert' if self.alert else 'record'}: {self.name}\n"
        yield f"    expr: {quoted(self.expr)}\n"
        if self.for_:
            yield f"    for: {self.for_}\n"
        for key, values in (("labels", self.labels), ("annotations", self.annotations)):
            if values:
                yield f"    {key}: {{{', '.join(f'{name}: {quoted(text)}' for name, text in values.items())}}}\n"


@dataclass(frozen=True)
class RuleGroup:
    """Rules that are worked out one after the other."""

    name: str
    rules: Iterable[Rule]
    interval: str = ""


def rule_file(head: Iterable[str], groups: Iterable[RuleGroup]) -> str:
    """A file of rules; ``head`` are lines of comment."""
    lines = [f"# {text}".rstrip() + "\n" for text in head]
    lines.append("groups:\n")
    for group in groups:
        lines.append(f"- name: {group.name}\n")
        lines += [f"  interval: {group.interval}\n"] if group.interval else []
        lines.append("  rules:\n")
        for rule in group.rules:
            lines += rule.lines()
    return "".join(lines)


def quoted(text: str) -> str:
    """A string of YAML."""
    return json.dumps(text, ensure_ascii=False)


def series(name: str, labels: Labels) -> str:
    """``name{label="value",...}`` in PromQL.

    >>> series("up", {"link": "a -> b"})
    'up{link="a -> b"}'
    """
    inside = ",".join(f"{key}={quoted(text)}" for key, text in labels.items())
    return f"{name}{{{inside}}}"


def number(value: float) -> str:
    """A value of PromQL, to six digits.

    >>> number(12500000000.4), number(0.25)
    ('1.25e+10', '0.25')
    """
    return f"{value:.6g}"
