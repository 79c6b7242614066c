"""A ``config.json`` that knows other names of its keys, its family's defaults, and which of its keys were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topologies.errors import TrafficError
from topologies.reading.json_value import JsonValue
from traffic.transformer.hf.fields import ALIASES, FIELDS

_MOST = 2**40  # beyond all models by a factor of a million


class Config:
    """Keys by the names that most families use; a key that is absent has its family's default.

    Parameters
    ----------
    value : JsonValue
        The mapping that describes the decoder.
    family : str
        Its ``model_type``.
    defaults : mapping
        What the family's configuration class says of absent keys.
    names : mapping, optional
        Names of keys that only this family has.
    """

    def __init__(
        self,
        value: JsonValue,
        family: str,
        defaults: Mapping[str, Any],
        names: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.value, self.family, self._defaults, self._names = value, family, defaults, names or {}
        self.used: dict[str, str] = {}
        self.defaulted: dict[str, Any] = {}
        self.remarks: list[str] = []
        self._missing: list[str] = []
        self._inherited: dict[str, bool] = {}
        self.unread: set[str] = set()  # keys that change nothing here

    @property
    def file(self) -> str:
        """Name of the file, without folders."""
        return self.value.file.rpartition("/")[2]

    def get(self, key: str) -> JsonValue:
        """What the file says of a key under any of its names; absent where it says nothing.

        Raises
        ------
        TrafficError
            When two names of one key say different things (FP4031).
        """
        said = []
        for name in self._names_of(key):
            declared = FIELDS.of(name)
            if declared is None or declared.treatment != "modelled":
                raise KeyError(f"{name} is read, but not declared as modelled")
            one = self._at(name)
            if not one.absent:
                said.append((name, one))
        if len({repr(one.value) for _, one in said}) > 1:
            raise TrafficError(
                f"{self.file} says {' and '.join(f'{name}: {one.value!r}' for name, one in said)}, which are one key",
                where="model.path",
                hint="leave one of them out",
                code="FP4031",
            )
        for name, one in said:
            self.used[name] = str(one.value)
        return said[0][1] if said else JsonValue(None, self.value.file, key)

    def _names_of(self, key: str) -> tuple[str, ...]:
        return (key, *ALIASES.get(key, ()), *self._names.get(key, ()))

    def _at(self, name: str) -> JsonValue:
        """A key, or with a dot a key of a nested part."""
        part, _, inner = name.partition(".")
        return self.value.get(part).get(inner) if inner else self.value.get(part)

    def says_none(self, key: str) -> bool:
        """Whether the file says that there is none: the key is there, and null."""
        return any(name in self.value.keys and self._at(name).absent for name in self._names_of(key))

    def has(self, key: str) -> bool:
        """Whether the file says something of a key."""
        return not self.get(key).absent

    def default(self, key: str) -> Any:
        """The family's default of an absent key, noted; None where there is none."""
        value = self._defaults.get(key)
        if value is not None:
            self.defaulted[key] = value
        return value

    def idle(self, *keys: str) -> None:
        """Keys that change nothing, as another says already what they would."""
        for key in keys:
            self.unread.update(self._names_of(key))

    def inherit(self, key: str, value: bool) -> None:
        """What a part around the decoder says of a flag that the decoder leaves out."""
        self._inherited[key] = value
        self.used[key] = str(value)

    def whole(self, key: str, *, least: int = 1, most: int = _MOST) -> int:
        """A whole number that is needed; missing ones are collected for :meth:`check`."""
        value = self.optional(key, least=least, most=most)
        if value is None:
            self._missing.append(key)
            return 1
        return value

    def optional(self, key: str, *, least: int = 1, most: int = _MOST) -> int | None:
        """A whole number, or None where neither the file nor the family says one."""
        value = self.get(key)
        if value.absent:
            default = None if self.says_none(key) else self.default(key)
            return default if isinstance(default, int) else None
        if isinstance(value.value, list) and value.value and all(one == value.value[0] for one in value.value):
            value = JsonValue(
                value.value[0], value.file, f"{value.path}[0]", value.code
            )  # one entry a layer, all alike
        if isinstance(value.value, str):
            raise value.wrong(f"a whole number is expected, not {value.value!r}")
        return value.whole(least=least, most=most)

    def amount(self, key: str) -> int:
        """A whole number from 0; 0 where nothing is said."""
        return self.optional(key, least=0) or 0

    def flag(self, key: str, otherwise: bool = False) -> bool:
        """True or false."""
        value = self.get(key)
        if value.absent and key in self._inherited:
            return self._inherited[key]
        if value.absent:
            default = self.default(key)
            return otherwise if default is None else bool(default)
        return value.flag()

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of texts, or None."""
        value = self.get(key)
        return None if value.absent else tuple(one.text() for one in value.each())

    def wholes(self, key: str) -> tuple[int, ...] | None:
        """A list of whole numbers, or None."""
        value = self.get(key)
        return None if value.absent else tuple(one.whole() for one in value.each())

    def refuse(self, message: str, hint: str = "write the model's keys in the scenario") -> TrafficError:
        """An error about a part of the model that is not counted."""
        return TrafficError(f"{self.file} {message}", where="model.path", hint=hint, code="FP4032")

    def check(self) -> None:
        """Raise with all keys that are missing."""
        if self._missing:
            raise TrafficError(
                f"{self.file} lacks {', '.join(self._missing)}",
                where="model.path",
                hint="take the config.json as published with the weights, or write the model's keys in the scenario",
                code="FP4031",
            )
