"""Hostile versions of documents: of text, of bytes, of nested values; the same seed gives the same one."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

NUMBERS = [b"0", b"-1", b"1e999", b"-1e-300", b"nan", b"9223372036854775808", b"1000000000000", b"0x10", b"1_0", b"00"]
WORDS = [b"null", b"true", b"[]", b"{}", b'""', b"~", b"*a", b"&a", b"!!python/object:x", b"\x1b[31m", b"=1+1", b"\xff"]
VALUES: list[Any] = [
    None, True, [], {}, "", "x", 0, -1, 1, 1.5, 2**31, 2**62, 1e12, 1e308, float("nan"), float("inf"), [[]], [None],
    {"": None}, "\x00", "\x1b[31m", "a\nb", "9" * 30, "x" * 5000, "../../etc/passwd", "=1", [1] * 2000,
]  # fmt: skip
_NUMBER = re.compile(rb"\d+(\.\d+)?")
_WORD = re.compile(rb"[A-Za-z_][\w.-]*|\"[^\"\n]*\"")


def mangled(data: bytes, rng: random.Random) -> bytes:
    """Bytes with one to three faults."""
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        data = rng.choice(_BYTES)(data, rng)
    return data


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _flip(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return b"\x00"
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def _lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(3)
    if what == 0:
        del lines[at]
    elif what == 1:
        lines.insert(other, lines[at])
    else:
        lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def _swap(pattern: re.Pattern[bytes], pool: list[bytes]) -> Any:
    def change(data: bytes, rng: random.Random) -> bytes:
        places = list(pattern.finditer(data[:200_000]))
        if not places:
            return data + rng.choice(pool)
        found = rng.choice(places)
        return data[: found.start()] + rng.choice(pool) + data[found.end() :]

    return change


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice([*WORDS, b"[" * 2000, b"{" * 300, b"\x00", b"\n" * 50, b"\xef\xbb\xbf"]) + data[at:]


_BYTES = [
    _cut,
    _flip,
    _flip,
    _lines,
    _lines,
    _swap(_NUMBER, NUMBERS),
    _swap(_NUMBER, NUMBERS),
    _swap(_WORD, WORDS),
    _insert,
]


def bent(value: Any, rng: random.Random) -> Any:
    """A nested value with another value, or none, at one place."""
    paths = _paths(value)
    path = rng.choice(paths)
    return _at(value, path, rng)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below: list[tuple[Any, ...]] = [path]
    if isinstance(value, Mapping):
        for key, entry in value.items():
            below += _paths(entry, (*path, key))
    elif isinstance(value, list):
        for index, entry in enumerate(value[:50]):
            below += _paths(entry, (*path, index))
    return below


def _at(value: Any, path: tuple[Any, ...], rng: random.Random) -> Any:
    if not path:
        return rng.choice(VALUES)
    key, rest = path[0], path[1:]
    copy = dict(value) if isinstance(value, Mapping) else list(value)
    if not rest and rng.random() < 0.25:
        del copy[key]
    else:
        copy[key] = _at(copy[key], rest, rng)
    return copy


def hostile(document: Any, rng: random.Random) -> Any:
    """A document as a reader's feeds have it, with a fault in one of its parts."""
    if isinstance(document, bytes):
        return mangled(document, rng)
    if isinstance(document, str):
        return _text(document, rng)
    if is_dataclass(document) and not isinstance(document, type):
        names = [f.name for f in fields(document) if _bendable(getattr(document, f.name))]
        if not names:
            return document
        name = rng.choice(names)
        return replace(document, **{name: hostile(getattr(document, name), rng)})
    if isinstance(document, Mapping) and document:
        if all(isinstance(part, str | bytes) for part in document.values()):
            key = rng.choice(list(document))
            return {**document, key: hostile(document[key], rng)}
        return bent(document, rng)
    if isinstance(document, tuple) and document:
        at = rng.randrange(len(document))
        return (*document[:at], hostile(document[at], rng), *document[at + 1 :])
    if isinstance(document, list) and document:
        return bent(document, rng)
    return document


def _bendable(value: Any) -> bool:
    return isinstance(value, str | bytes | Mapping | tuple | list) and bool(value)


def _text(text: str, rng: random.Random) -> str:
    if text[:1] in "[{" and rng.random() < 0.6:
        try:
            return json.dumps(bent(json.loads(text), rng))
        except ValueError:
            pass
    # Text stays text: a byte that is not UTF-8 becomes a surrogate that writing it refuses, so it is replaced.
    return mangled(text.encode(), rng).decode("utf-8", "replace")
