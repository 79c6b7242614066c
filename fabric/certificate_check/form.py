"""The two kinds of things in a certificate file, read with suspicion: objects of the manifest, and columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fabric.certificate_check.columns import Bools, Floats, Ints
from topologies.errors import FormatError
from topologies.reading.zip_columns import BadZipError, BoundedZip, column_of

_MOST = 1e300  # no ratio or rate is larger
HINT = "write it again: fabric route SCENARIO --certificate FILE"


class Entry:
    """An object of the manifest; knows where it stands, for messages."""

    def __init__(self, value: object, place: str) -> None:
        if not isinstance(value, dict):
            raise bad_manifest(f"{place} is not an object")
        self._value: dict[str, Any] = value
        self.place = place

    def _get(self, key: str) -> object:
        if key not in self._value:
            raise bad_manifest(f"{self.place} has no {key!r}")
        return self._value[key]

    def text(self, key: str, among: tuple[str, ...] | None = None) -> str:
        """Text under a key, one of ``among`` where that is given."""
        value = self._get(key)
        if not isinstance(value, str):
            raise bad_manifest(f"{self.place}.{key} is {value!r}, not text")
        if among is not None and value not in among:
            raise bad_manifest(f"{self.place}.{key} is {value!r}, not one of {', '.join(among)}")
        return value

    def count(self, key: str) -> int:
        """A whole number from 0."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise bad_manifest(f"{self.place}.{key} is {value!r}, not a count")
        return value

    def number(self, key: str) -> float | None:
        """A finite number from 0, or None for null."""
        value = self._get(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _MOST:
            raise bad_manifest(f"{self.place}.{key} is {value!r}, not a number from 0")
        return float(value)

    def has(self, key: str) -> bool:
        """Whether there is more than null under a key: what older files do not say is not claimed."""
        return self._value.get(key) is not None

    def needed(self, key: str) -> float:
        """A finite number from 0."""
        value = self.number(key)
        if value is None:
            raise bad_manifest(f"{self.place}.{key} is null")
        return value

    def entry(self, key: str) -> Entry:
        """An object under a key."""
        return Entry(self._get(key), f"{self.place}.{key}")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts under a key."""
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise bad_manifest(f"{self.place}.{key} is not a list of texts")
        return tuple(value)

    def entries(self, key: str) -> list[Entry]:
        """A list of objects under a key."""
        value = self._get(key)
        if not isinstance(value, list):
            raise bad_manifest(f"{self.place}.{key} is not a list")
        return [Entry(item, f"{self.place}.{key}[{index}]") for index, item in enumerate(value)]


def bad_manifest(text: str) -> FormatError:
    """The error of a manifest that says something impossible."""
    return FormatError(f"manifest.json: {text}", hint=HINT, code="FP6041")


class Columns:
    """The ``.npy`` members of one folder of the archive."""

    def __init__(self, archive: BoundedZip, folder: str) -> None:
        self._archive = archive
        self._folder = folder

    def has(self, name: str) -> bool:
        """Whether the column is there."""
        return f"{self._folder}/{name}.npy" in self._archive.names

    def ints(self, name: str, length: int | None = None, *, below: int | None = None, least: int = 0) -> Ints:
        """A column of integers from ``least``, all ``below`` a count."""
        raw = self._read(name, "iu", length)
        values = raw.astype(np.int64)
        bad = (values < least) if below is None else (values < least) | (values >= below)
        if bad.any():
            row = int(np.argmax(bad))
            upper = "up" if below is None else f"below {below}"
            raise self._bad_value(name, row, f"is {raw[row]}, not an index from {least} {upper}")
        return values

    def starts(self, name: str, total: int, rows: int | None = None) -> Ints:
        """Where rows begin in columns of ``total`` entries, and the end; shape (rows + 1,)."""
        values = self.ints(name, None if rows is None else rows + 1)
        if not len(values) or values[0] != 0 or values[-1] != total or (np.diff(values) < 0).any():
            raise FormatError(
                f"{self._folder}/{name}.npy does not rise from 0 to {total}, the entries it cuts into rows",
                hint=HINT,
                code="FP6043",
            )
        return values

    def floats(self, name: str, length: int | None = None, *, positive: bool = False, most: float = np.inf) -> Floats:
        """A column of finite numbers, none negative."""
        values = self._read(name, "f", length).astype(np.float64)
        low = values <= 0 if positive else values < 0
        bad = ~np.isfinite(values) | low | (values > most)
        if bad.any():
            row = int(np.argmax(bad))
            wanted = "above 0" if positive else "from 0" if np.isinf(most) else f"from 0 to {most:g}"
            raise self._bad_value(name, row, f"is {values[row]}, not a number {wanted}")
        return values

    def bools(self, name: str, length: int) -> Bools:
        """A column of truth values."""
        return self._read(name, "b", length).astype(np.bool_)

    def texts(self, name: str) -> NDArray[np.str_]:
        """A column of text."""
        return self._read(name, "U", None).astype(np.str_)

    def _read(self, name: str, kinds: str, length: int | None) -> NDArray[Any]:
        member = f"{self._folder}/{name}.npy"
        if member not in self._archive.names:
            raise FormatError(f"the column {member} is missing", hint=HINT, code="FP6042")
        try:
            array = column_of(self._archive.read(member), kinds)
        except BadZipError as error:
            raise FormatError(f"{member}: {error}", hint=HINT, code="FP6042") from None
        if array.ndim != 1:
            raise FormatError(f"{member} has shape {array.shape}, not one column", hint=HINT, code="FP6042")
        if length is not None and len(array) != length:
            raise FormatError(f"{member} has {len(array)} rows; {length} are needed", hint=HINT, code="FP6042")
        return array

    def _bad_value(self, name: str, row: int, words: str) -> FormatError:
        return FormatError(f"{self._folder}/{name}.npy: row {row} {words}", hint=HINT, code="FP6043")
