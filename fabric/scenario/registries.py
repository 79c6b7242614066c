"""Kinds and names that a scenario may choose from, and the error for one that does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BeforeValidator, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError

from topologies.builder import TOPOLOGIES
from topologies.catalogue import Catalogue, builtin
from topologies.errors import nearest, nearest_hint
from topologies.registry import Registry
from traffic.workload import WORKLOADS


@dataclass(frozen=True)
class Registries:
    """Where the kinds of topology and workload come from; tests pass their own."""

    topologies: Registry[Any] = TOPOLOGIES
    workloads: Registry[Any] = WORKLOADS
    catalogue: Catalogue = field(default_factory=builtin)


def registries_of(info: ValidationInfo) -> Registries:
    return info.context if isinstance(info.context, Registries) else Registries()


def unknown_choice(what: str, value: object, choices: list[str]) -> PydanticCustomError:
    hint = nearest_hint(str(value), choices, "one of")
    return PydanticCustomError("unknown_choice", "{text}", {"text": f"unknown {what} {value!r}", "hint": hint})


def kind_of(value: object, what: str, registry: Registry[Any], *more: str) -> str:
    """The ``kind`` of a raw mapping; the errors pydantic would give for a tagged union, reported once."""
    if not isinstance(value, Mapping):
        raise PydanticCustomError("dict_type", "Input should be a mapping of keys with a kind")
    kind = value.get("kind")
    if isinstance(kind, str) and (kind in more or registry.known(kind)):
        return kind
    details: list[InitErrorDetails] = []
    if kind is None:
        details.append({"type": "missing", "loc": ("kind",), "input": value})
        close = nearest("kind", [str(key) for key in value])
        if close:
            details.append({"type": "extra_forbidden", "loc": (close,), "input": value[close]})
    else:
        choices = [*_choices(registry), *more]
        details.append({"type": unknown_choice(what, kind, choices), "loc": ("kind",), "input": kind})
    raise ValidationError.from_exception_data(what, details)


def _choices(registry: Registry[Any]) -> list[str]:
    return [name for entry in registry for name in (entry.name, *entry.aliases)]


def one_of(what: str, names: tuple[str, ...] | Callable[[], tuple[str, ...]]) -> BeforeValidator:
    """Refuse other names, with the nearest one; names of plug-ins are asked for when a file is read."""

    def check(value: object) -> object:
        known = names() if callable(names) else names
        if value in known or not isinstance(value, str):
            return value
        raise unknown_choice(what, value, list(known))

    return BeforeValidator(check)
