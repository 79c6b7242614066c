"""Which keys a place of the scenario may have: a walk through its JSON Schema along the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from topologies.errors import Where, nearest

_ALIKE = 0.8  # spelling of a name that begins with another letter than the one that is meant
_MOST_PLACES = 3  # that a hint names


class Keys:
    """Valid keys by place; the schema is made on first use, for it is only needed where something is wrong."""

    def __init__(self, schema: Callable[[], dict[str, Any]], data: Any) -> None:
        self._make = schema
        self._data = data

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return self._make()

    def at(self, where: Where) -> list[str]:
        """Keys that the mapping at ``where`` may have; empty where any name goes, or nothing is known."""
        return list(dict.fromkeys(key for part in self._parts(where) for key in part.get("properties", {})))

    def open(self, where: Where) -> bool:
        """Whether the mapping at ``where`` takes names of the user's choice."""
        return any(part.get("additionalProperties", False) is not False for part in self._parts(where))

    def below(self, where: Where) -> dict[str, list[str]]:
        """Keys one level down, by the key they stand under."""
        return {key: self.at((*where, key)) for key in self.at(where)}

    def holders(self, key: str) -> list[str]:
        """Places of the document whose mappings may have a key, the highest first; none where there are many.

        Each as a sentence goes on: ``at the top level``, ``in workloads.NAME (kind training)``.
        """
        kinds: dict[str, list[tuple[str, bool]]] = {}  # place -> kinds of it, and whether they have the key
        for place, part in self._mappings(self._schema, "", ()):
            kind = next(iter(_kinds(part)), "")
            kinds.setdefault(place, []).append((str(kind), key in part["properties"]))
        kinds = {place: of for place, of in kinds.items() if kinds.get(f"{place}.NAME") != of}  # one entry, or a list
        having = {place: [kind for kind, has in of if has] for place, of in kinds.items() if any(has for _, has in of)}
        having = {
            place: of for place, of in having.items() if not any(place.startswith(f"{up}.") for up in having if up)
        }
        if len(having) > _MOST_PLACES:
            return []
        return [
            (f"in {place}" if place else "at the top level")
            + ("" if len(having[place]) == len(kinds[place]) else _of_kinds(having[place]))
            for place in sorted(having, key=lambda place: place.count(".") + bool(place))
        ]

    def _mappings(
        self, part: dict[str, Any], place: str, inside: tuple[str, ...]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every mapping of the document with keys of its own, below ``inside`` definitions, by its place."""
        name = part.get("$ref", "").rsplit("/", 1)[-1]
        if name in inside:
            return
        if name:
            part, inside = self._schema["$defs"][name], (*inside, name)
        if "properties" in part:
            yield place, part
        for word in ("anyOf", "oneOf", "allOf"):
            for branch in part.get(word, ()):
                yield from self._mappings(branch, place, inside)
        below = list(part.get("properties", {}).items())
        below += [("NAME", part.get(word)) for word in ("items", "additionalProperties")]
        for key, child in below:
            if isinstance(child, dict):
                yield from self._mappings(child, f"{place}.{key}".removeprefix("."), inside)

    def describe(self, where: Where) -> str:
        """What belongs at ``where``: the kinds to choose from, or the description."""
        parts = self._parts(where)
        kinds = sorted({kind for part in parts for kind in (*part.get("enum", []), part.get("const")) if kind})
        if where and where[-1] == "kind" and kinds:
            return f"kinds: {', '.join(map(str, kinds))}"
        return next((str(part["description"]) for part in parts if "description" in part), "")

    def _parts(self, where: Where) -> list[dict[str, Any]]:
        data = self._data
        parts = list(self._expand(self._schema, data))
        for key in where:
            data = _child(data, key)
            parts = [leaf for part in parts for below in _step(part, key) for leaf in self._expand(below, data)]
        return parts

    def _expand(self, part: dict[str, Any], data: Any) -> Iterator[dict[str, Any]]:
        """Follow references and choices; of a tagged choice only the branch whose ``kind`` the data has."""
        while "$ref" in part:
            part = self._schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
        yield part
        for word in ("anyOf", "oneOf", "allOf"):
            branches = [leaf for branch in part.get(word, []) for leaf in self._expand(branch, data)]
            kind = data.get("kind") if isinstance(data, dict) else None
            chosen = [branch for branch in branches if kind is not None and kind in _kinds(branch)]
            yield from chosen or branches


def near_key(key: str, choices: Iterable[str]) -> str | None:
    """The name that was meant: slips of the hand seldom change the first letter.

    >>> near_key("leafs", ["leaves", "spines"]), near_key("description", ["encryption"])
    ('leaves', None)
    """
    names = list(choices)
    return nearest(key, names, likeness=_ALIKE) or nearest(key, [name for name in names if name[:1] == key[:1]])


def _of_kinds(kinds: list[str]) -> str:
    named = [kind for kind in kinds if kind]
    return f" (kind {' or '.join(named)})" if 0 < len(named) <= _MOST_PLACES else " (some kinds)" if named else ""


def _kinds(part: dict[str, Any]) -> list[Any]:
    kind = part.get("properties", {}).get("kind", {})
    return [kind["const"]] if "const" in kind else list(kind.get("enum", []))


def _step(part: dict[str, Any], key: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(key, int):
        below = part.get("items")
    else:
        below = part.get("properties", {}).get(key) or part.get("additionalProperties")
    if isinstance(below, dict):
        yield below


def _child(data: Any, key: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(key)
    if isinstance(data, list) and isinstance(key, int) and 0 <= key < len(data):
        return data[key]
    return None
