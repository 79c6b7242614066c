"""Grids of overrides: ``key=a,b,c`` for each axis, every combination a point."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fabric.scenario.overrides import parse_override
from fabric.scenario.positions import read_yaml
from topologies.errors import FabricError, ScenarioError

MOST_POINTS = 100_000
_OPENING, _CLOSING = "[{(", "]})"


@dataclass(frozen=True)
class Axis:
    """A key of the scenario and the values it takes, as texts."""

    key: str
    values: tuple[str, ...]

    @property
    def overrides(self) -> tuple[str, ...]:
        """What ``--set`` takes, value by value."""
        return tuple(f"{self.key}={value}" for value in self.values)


@dataclass(frozen=True)
class Grid:
    """Every combination of the values of some axes; the last axis changes first."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        return math.prod(len(axis.values) for axis in self.axes)

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return (self.values_at(point) for point in range(len(self)))

    def values_at(self, point: int) -> tuple[str, ...]:
        """A value of every axis, as text.

        >>> Grid((Axis("a", ("1", "2")), Axis("b", ("x", "y")))).values_at(2)
        ('2', 'x')
        """
        values: list[str] = []
        for axis in reversed(self.axes):
            point, at = divmod(point, len(axis.values))
            values.append(axis.values[at])
        return tuple(reversed(values))

    def overrides_at(self, point: int) -> tuple[str, ...]:
        """What ``--set`` takes to be at a point."""
        return tuple(f"{axis.key}={value}" for axis, value in zip(self.axes, self.values_at(point), strict=True))

    @property
    def names(self) -> tuple[str, ...]:
        """A short name for every axis: as much of the end of its key as tells it from the others.

        >>> Grid((Axis("nodes.gpu.count", ("1",)), Axis("nodes.cpu.count", ("1",)), Axis("seed", ("1",)))).names
        ('gpu_count', 'cpu_count', 'seed')
        """
        parts = [axis.key.split(".") for axis in self.axes]
        names = []
        for own in parts:
            length = 1
            while length < len(own) and sum(other[-length:] == own[-length:] for other in parts) > 1:
                length += 1
            names.append(_as_name("_".join(own[-length:])))
        return tuple(name if names.count(name) == 1 else f"{name}_{at + 1}" for at, name in enumerate(names))


def _as_name(text: str) -> str:
    name = re.sub(r"\W", "_", text)
    return f"key_{name}" if name[:1].isdigit() else name


def parse_axis(text: str) -> Axis:
    """``key=a,b,c``; a comma inside brackets or quotes divides nothing.

    >>> parse_axis("fabrics.main.routing.router=ecmp,ecmp-hash").values
    ('ecmp', 'ecmp-hash')
    >>> parse_axis("fabrics.main.topology={kind: fat-tree, radix: 4},{kind: fat-tree, radix: 8}").values
    ('{kind: fat-tree, radix: 4}', '{kind: fat-tree, radix: 8}')

    Raises
    ------
    ScenarioError
        FP1013.
    """
    override = parse_override(text) if "=" in text else None
    values = [] if override is None else [part.strip() for part in _divided(override.value)]
    if override is None or not all(override.path.split(".")) or not values:
        raise _refused(text, "it is not KEY=A,B,C")
    if not all(values):
        raise _refused(text, "one of its values is empty; null is written as null")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise _refused(text, f"{twice} stands in it twice")
    return Axis(override.path, tuple(values))


def grid_of(texts: Sequence[str], fixed: Sequence[str] = ()) -> Grid:
    """All axes together.

    Parameters
    ----------
    fixed : sequence of str
        Overrides of every point, ``PATH=VALUE``.

    Raises
    ------
    ScenarioError
        FP1013: an axis that is none, a key that is varied twice or is fixed, or more points than can be routed.
    """
    axes = tuple(map(parse_axis, texts))
    keys = [axis.key for axis in axes]
    for axis, text in zip(axes, texts, strict=True):
        if keys.count(axis.key) > 1:
            raise _refused(text, f"{axis.key} is varied twice; all its values go into one --vary")
        if any(_inside(axis.key, other) for other in keys if other != axis.key):
            raise _refused(text, f"{axis.key} is a part of another key that is varied")
        for override in fixed:
            key = override.partition("=")[0].strip()
            if key == axis.key or _inside(key, axis.key) or _inside(axis.key, key):
                raise _refused(text, f"{key} is set too, by --set or --seed")
    grid = Grid(axes)
    if len(grid) > MOST_POINTS:
        product = " x ".join(f"{len(axis.values):,}" for axis in axes)
        raise ScenarioError(
            f"--vary: {product} = {len(grid):,} points; at most {MOST_POINTS:,} are routed",
            hint="fewer values of an axis, or a sweep for each",
            code="FP1013",
        )
    return grid


def plain_value(text: str) -> Any:
    """A value as YAML reads it, for sorting and filters; the text itself where it is not one number or word.

    >>> plain_value("16"), plain_value("400G"), plain_value("[1, 2]")
    (16, '400G', '[1, 2]')
    """
    try:
        value = read_yaml(text, "--vary").plain()
    except FabricError:
        return text
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else text


def _inside(key: str, other: str) -> bool:
    return key.startswith(f"{other}.")


def _refused(text: str, why: str) -> ScenarioError:
    return ScenarioError(
        f"--vary {text}: {why}", hint="for example --vary fabrics.main.routing.router=ecmp,optimal", code="FP1013"
    )


def _divided(text: str) -> list[str]:
    """Parts between commas that stand in no brackets and no quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]
