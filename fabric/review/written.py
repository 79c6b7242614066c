"""Quantities of a slide as they are written: a rounded number stands for all that round to it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from topologies.units import parse_rate_gbps

_NON_BLOCKING = ("non-blocking", "nonblocking", "non blocking", "full bisection", "none")
_RATIO = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?::\s*(\d+(?:\.\d+)?))?\s*")


@dataclass(frozen=True)
class Written:
    """A number, and between which numbers it may lie by the digits that it is written with."""

    value: Fraction
    low: Fraction
    high: Fraction
    text: str


def exactly(value: float | Fraction, text: str = "") -> Written:
    """A number that is what it is."""
    exact = value if isinstance(value, Fraction) else Fraction(str(value))
    return Written(exact, exact, exact, text or f"{float(exact):,.12g}")


def _half_digit(number: str) -> Fraction:
    """Half a unit of the last decimal; 0 without decimals."""
    decimals = len(number.partition(".")[2])
    return Fraction(1, 2 * 10**decimals) if decimals else Fraction(0)


def parse_written_ratio(value: object) -> Written:
    """Oversubscription, bandwidth down over bandwidth up: ``3:1``, ``1.33:1``, ``2``, or ``non-blocking``.

    >>> parse_written_ratio("1.33:1").low, parse_written_ratio("non-blocking").value
    (Fraction(53, 40), Fraction(1, 1))
    """
    if isinstance(value, Written):
        return value
    text = str(value).strip()
    if text.lower() in _NON_BLOCKING:
        return Written(Fraction(1), Fraction(1), Fraction(1), "1:1")
    parts = _RATIO.fullmatch(text)
    if isinstance(value, bool) or parts is None:
        raise ValueError(f"{value!r} is not a ratio; write for example '3:1', 1.5 or non-blocking")
    below = Fraction(parts[2] or 1)
    above = Fraction(parts[1])
    if not below or not above:
        raise ValueError(f"{value!r} has a side without bandwidth; write for example '3:1'")
    ratio = above / below
    low, high = (above - _half_digit(parts[1])) / below, (above + _half_digit(parts[1])) / below
    if parts[2] and _half_digit(parts[2]):
        half = _half_digit(parts[2])
        low, high = min(low, above / (below + half)), max(high, above / (below - half))
    return Written(ratio, low, high, text if parts[2] else f"{text}:1")


def parse_written_rate(value: object) -> Written:
    """A bandwidth in Gbps, one direction or whatever it was meant as: ``25.6 Tb/s``; the last digit may be rounded.

    >>> rate = parse_written_rate("102 Tb/s")
    >>> float(rate.low), float(rate.high)
    (101500.0, 102500.0)
    """
    if isinstance(value, Written):
        return value
    text = str(value).strip()
    gbps = Fraction(str(parse_rate_gbps(value)))
    if gbps <= 0:
        raise ValueError(f"{value!r} is no bandwidth; write for example '25.6 Tb/s'")
    number = re.match(r"[\d_]*\.?\d*", text)
    digits = number[0].replace("_", "") if number else ""
    if not digits or not float(digits) or "e" in text.lower().split("b")[0]:
        return Written(gbps, gbps, gbps, text)
    unit = gbps / Fraction(digits)
    half = (_half_digit(digits) or Fraction(1, 2)) * unit
    return Written(gbps, gbps - half, gbps + half, text)


def _schema(description: str, examples: list[Any], numbers: bool) -> Any:
    text: dict[str, Any] = {"type": "string"}
    schema: dict[str, Any] = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, text]} if numbers else dict(text)
    return WithJsonSchema({**schema, "description": description, "examples": examples})


WrittenRatio = Annotated[
    Written,
    BeforeValidator(parse_written_ratio),
    _schema("Bandwidth down over bandwidth up of a switch, or non-blocking", ["1:1", "3:1", "non-blocking"], True),
]
WrittenRate = Annotated[
    Written, BeforeValidator(parse_written_rate), _schema("A bandwidth", ["25.6 Tb/s", "204.8 Tb/s"], False)
]
