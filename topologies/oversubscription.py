"""Oversubscription as it is asked for: a ratio of bandwidths for every tier, and what of it ports can be."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from topologies.registry import Spec

_ROUNDED = 3  # decimals from which on a number is taken for a rounded one: 6.857 is 48:7
_SMALLEST, _LARGEST = 1 / 256, 256.0


def _ratio(value: object) -> float:
    """``"3:1"``, ``"1:1.125"`` or a number, as downlink over uplink bandwidth."""
    found = re.fullmatch(r"\s*([\d.]+)\s*:\s*([\d.]+)\s*", str(value))
    try:
        ratio = float(found[1]) / float(found[2]) if found else float(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{value!r} is not a ratio; write for example '3:1', '1:1.125', '48:7' or 0.888") from None
    if not _SMALLEST <= ratio <= _LARGEST:
        raise ValueError(f"{value!r} is not between 1:{_LARGEST:g} and {_LARGEST:g}:1")
    return ratio


Oversubscription = Annotated[
    float,
    BeforeValidator(_ratio),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": _SMALLEST, "maximum": _LARGEST},
                {"type": "string", "pattern": r"^\s*[\d.]+\s*(:\s*[\d.]+\s*)?$"},
            ],
            "description": "Downlink over uplink bandwidth of a switch; below 1 it has more uplinks",
            "examples": ["3:1", "1:1.125", "48:7", 0.888],
        }
    ),
]


class AskedOversubscription(Spec):
    """Ratios that are asked for; what cannot be built exactly is refused."""

    leaf: Oversubscription | None = Field(
        default=None, description="Of leaves: bandwidth of hosts over bandwidth up", examples=["3:1"]
    )
    spine: Oversubscription | None = Field(
        default=None, description="Of spines below cores: bandwidth down over bandwidth up", examples=["7:1"]
    )
    at_most: bool = Field(
        default=False, description="True: where a ratio cannot be built exactly, the nearest below it is, and said"
    )


class TierOversubscription(AskedOversubscription):
    """Oversubscription where switches point up; what cannot be built exactly is refused."""

    superspine: Oversubscription | None = Field(default=None, description="Of super-spines, with four tiers")


@lru_cache(maxsize=1024)
def exact(asked: float) -> Fraction:
    """The simplest fraction that a ratio may be meant as; decimals from the third on are taken for rounded.

    >>> exact(7.0), exact(48 / 7), exact(6.857), exact(0.888), exact(2.7)
    (Fraction(7, 1), Fraction(48, 7), Fraction(48, 7), Fraction(8, 9), Fraction(27, 10))
    """
    near = (Fraction(asked).limit_denominator(most) for most in range(1, 4096))
    return next((ratio for ratio in near if agrees(asked, ratio)), Fraction(asked).limit_denominator(1_000_000))


def agrees(asked: float, built: Fraction) -> bool:
    """Whether a ratio is the one asked for, as far as its digits say.

    >>> agrees(0.888, Fraction(8, 9)), agrees(7.0, Fraction(48, 7))
    (True, False)
    """
    decimals = len(repr(asked).partition(".")[2]) if "e" not in repr(asked) else 0
    tolerance = 10.0**-decimals if decimals >= _ROUNDED else 0.0
    return abs(float(built) - asked) <= max(tolerance, 1e-9 * asked)


def as_written(ratio: Fraction) -> str:
    """A ratio as a scenario says it exactly.

    >>> as_written(Fraction(48, 7)), as_written(Fraction(7)), as_written(Fraction(8, 9))
    ('48:7', '7:1', '8:9')
    """
    return f"{ratio.numerator}:{ratio.denominator}"


def gbps_fraction(gbps: float) -> Fraction:
    """A speed as an exact number."""
    return Fraction(gbps).limit_denominator(1_000_000)


def plural(role: str) -> str:
    """Switches of a role.

    >>> plural("leaf"), plural("superspine")
    ('leaves', 'superspines')
    """
    return "leaves" if role == "leaf" else f"{role}s"
