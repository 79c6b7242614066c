"""What may fail, in the scenario file: shared-risk groups, and the sets of failure cases that are looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from fabric.scenario.field_types import Name
from topologies.registry import Spec
from topologies.units import Count, parse_ratio

PartKind = Literal[
    "link",
    "cable",
    "switch",
    "line-card",
    "nic",
    "nic-port",
    "host",
    "unit",
    "pod",
    "plane",
    "rail",
    "rack",
    "power-feed",
    "optics-batch",
    "group",
]
PART_KINDS: tuple[PartKind, ...] = get_args(PartKind)
RISK_KINDS = ("power-feed", "optics-batch", "line-card", "rack", "group")
"""Kinds that a shared-risk group may be of; the members of the others follow from the structure."""

_BUILT_IN = re.compile(r"any-(?:(?:one|single)-|(two-|double-)|(three-|triple-))?(.+)")


def built_in_set(name: str) -> tuple[int, str] | None:
    """How many of what fail at once in a set that needs no entry; None for other names.

    >>> built_in_set("any-single-spine"), built_in_set("any-spine"), built_in_set("any-two-links")
    ((1, 'spine'), (1, 'spine'), (2, 'links'))
    """
    match = _BUILT_IN.fullmatch(name)
    if match is None:
        return None
    return (2 if match[1] else 3 if match[2] else 1), match[3]


def _as_list(value: object) -> object:
    """One selector, or a list of at least one."""
    if isinstance(value, list | tuple) and not value:
        raise ValueError("the list is empty; name at least one thing, or leave the key out")
    return [value] if isinstance(value, str) else value


def _parse_part(value: object, rule: str) -> float:
    part = parse_ratio(value)
    if not 0 < part < 1:
        raise ValueError(f"{value!r} is not between 0 % and 100 %, both excluded: {rule}")
    return part


def _parse_left(value: object) -> float:
    return _parse_part(value, "what leaves nothing is down:, what leaves all is no failure")


def _parse_up(value: object) -> float:
    return _parse_part(value, "what is never up is down:, what is always up is no failure")


def _one_or_each(parse: Any) -> BeforeValidator:
    """A ratio, or one for every selector."""

    def check(value: object) -> object:
        if isinstance(value, Mapping):
            return {str(selector): parse(part) for selector, part in value.items()}
        return parse(value)

    return BeforeValidator(check)


def _part_schema(description: str, example: str) -> WithJsonSchema:
    text = {"type": "string", "pattern": r"^\s*\d+(\.\d*)?\s*%?\s*$"}
    part = {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, text], "examples": [example]}
    return WithJsonSchema(
        {
            "anyOf": [part, {"type": "object", "additionalProperties": part, "minProperties": 1}],
            "description": description,
            "examples": [example],
        }
    )


def _list_schema(item: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_TEXTS: dict[str, Any] = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]}
_KIND: dict[str, Any] = {"type": "string", "enum": list(PART_KINDS)}
Selectors = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_list), _list_schema(_TEXT)]
Left = Annotated[float, BeforeValidator(_parse_left)]
"""Part of its capacity that a degraded link has left, above 0 and below 1."""


class RiskGroupSpec(Spec):
    """Things that fail together, whatever the wiring says: on one power feed, of one batch of optics."""

    name: Name = Field(description="Name of the group, unique; `group=NAME` selects it", examples=["feed-a"])
    kind: Literal["power-feed", "optics-batch", "line-card", "rack", "group"] = Field(
        default="group",
        description="What its members share; a group of kind rack with the name of a rack adds to it, such as switches",
        examples=["power-feed"],
    )
    members: Selectors = Field(description="What is in it, as --down takes it", examples=[["unit=3", "rack=r00c03"]])


_ONE_OF = ("select", "kinds", "any_of", "down", "drain", "slow", "flap")


class FailureSpec(Spec):
    """A set of failure cases: each part of a kind or selection by itself, some at once, or one case by name."""

    name: Name = Field(description="Name of the set, unique; `when` of a limit and --named take it")
    select: Selectors | None = Field(
        default=None,
        description="Switches, links or hosts of which each may fail",
        examples=["fabric=backend role=spine"],
    )
    kinds: Annotated[tuple[PartKind, ...], BeforeValidator(_as_list), _list_schema(_KIND)] | None = Field(
        default=None, description="Kinds of part of which each may fail", examples=[["link", "switch"]]
    )
    fabric: str | None = Field(default=None, description="Only parts of these kinds that have links on this fabric")
    any_of: Annotated[tuple[Selectors, ...], BeforeValidator(_as_list), _list_schema(_TEXTS)] | None = Field(
        default=None,
        description="Parts of which each may fail, every entry as one: a selector, or a list of them",
        examples=[["unit=3", ["spine0", "spine1"]]],
    )
    choose: Count | None = Field(default=None, description="How many of them fail at once; default: 1", examples=[2])
    sample: Count | None = Field(
        default=None, description="Cases drawn, each as likely as any other; default: all", examples=[2000]
    )
    down: Selectors | None = Field(default=None, description="One case: all of this is down", examples=[["unit=3"]])
    drain: Selectors | None = Field(
        default=None,
        description="One case: all of this is taken out on purpose, with nothing lost while routes change",
        examples=[["spine0"]],
    )
    slow: Annotated[
        float | dict[str, float] | None,
        _one_or_each(_parse_left),
        _part_schema(
            "Degraded, not down: the part of its capacity that is left; by selector, in one case, or of all selected",
            "75%",
        ),
    ] = None
    flap: Annotated[
        float | dict[str, float] | None,
        _one_or_each(_parse_up),
        _part_schema(
            "Flapping: the part of the time that it is up, by selector in one case, or of what is selected. Looked "
            "at as down, and lost for the rest of the time",
            "90%",
        ),
    ] = None

    @property
    def many(self) -> bool:
        """Whether it is a set of parts to choose from, and not one case."""
        return self.select is not None or self.kinds is not None or self.any_of is not None

    @property
    def is_built_in(self) -> bool:
        """Whether only its name says what fails: that of a built-in set."""
        given = (self.select, self.kinds, self.any_of, self.down, self.drain)
        one_case = isinstance(self.slow, dict) or isinstance(self.flap, dict)
        return not one_case and all(key is None for key in given) and built_in_set(self.name) is not None

    @model_validator(mode="after")
    def _one_question(self) -> FailureSpec:
        ratio = [key for key in ("slow", "flap") if isinstance(getattr(self, key), float)]
        each = [key for key in ("down", "drain", "slow", "flap") if getattr(self, key) is not None and key not in ratio]
        if self.is_built_in:
            return self
        if not self.many and not each:
            if ratio:
                raise ValueError(f"{ratio[0]} does not say of what; add select, or write {ratio[0]}: {{SELECTOR: …}}")
            raise ValueError(f"it does not say what fails; add one of {', '.join(_ONE_OF)}")
        if self.many and each:
            raise ValueError(
                f"{each[0]} is one case, and select, kinds or any_of many; make two entries of it, or remove one"
            )
        if not self.many and (self.choose is not None or self.sample is not None):
            key = "choose" if self.choose is not None else "sample"
            raise ValueError(f"{key} has nothing to choose from: {each[0]} is one case; remove {key}, or use any_of")
        if self.fabric is not None and self.kinds is None:
            raise ValueError("fabric goes with kinds; write it into the selector instead: fabric=NAME role=spine")
        if len(ratio) > 1 or (self.flap is not None and self.slow is not None):
            raise ValueError("slow and flap exclude each other; make two entries of it")
        return self
