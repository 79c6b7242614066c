"""Plain values as bytes and back, exactly: what workers answer, and what checkpoints keep.

A checkpoint may come from anywhere, so nothing in it is executed: values are JSON, with arrays as raw columns behind.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topologies.reading.json_value import parse_json

_ARRAY, _FLOAT = "$array", "$float"
_KINDS = "biuf"  # of arrays: flags, whole numbers, floats


class PackedError(ValueError):
    """Bytes that are no packed value."""


def pack(value: Any) -> bytes:
    """Numbers, texts, None, lists, tuples, mappings with text keys, and arrays of numbers.

    Raises
    ------
    TypeError
        For anything else.
    """
    columns: list[bytes] = []
    text = json.dumps(_plain(value, columns), allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join([struct.pack("<Q", len(text)), text, *columns])


def unpack(data: bytes) -> Any:
    """The value; tuples are lists.

    >>> unpack(pack({"a": (1, 0.1, None), "b": np.array([[1.5, np.inf]])}))
    {'a': [1, 0.1, None], 'b': array([[1.5, inf]])}

    Raises
    ------
    PackedError
        Where it is none.
    """
    try:
        (size,) = struct.unpack_from("<Q", data)
        if size > len(data) - 8:
            raise PackedError("its text is cut off")
        text = data[8 : 8 + size].decode()
        return _Unpacked(data, 8 + size).value(parse_json(text, "a packed value").value)
    except PackedError:
        raise
    except Exception as error:  # whatever the bytes are
        raise PackedError(f"not a packed value: {error}") from None


def _plain(value: Any, columns: list[bytes]) -> Any:
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in _KINDS:
            raise TypeError(f"an array of {value.dtype} is not plain")
        little = np.ascontiguousarray(value, value.dtype.newbyteorder("<")).reshape(value.shape)
        columns.append(little.tobytes())
        return {_ARRAY: [little.dtype.str, list(value.shape)]}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {_FLOAT: str(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) and not key.startswith("$") for key in value):
            raise TypeError("keys of a plain mapping are texts, without $ in front")
        return {key: _plain(entry, columns) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry, columns) for entry in value]
    raise TypeError(f"{type(value).__name__} is not plain: {value!r}"[:200])


class _Unpacked:
    """Reads columns in the order that they are named in."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data, self.at = data, start

    def value(self, value: Any) -> Any:
        """A plain value with its arrays."""
        if isinstance(value, list):
            return [self.value(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if _ARRAY in value:
            return self._array(*value[_ARRAY])
        if _FLOAT in value:
            return float(value[_FLOAT])
        return {key: self.value(entry) for key, entry in value.items()}

    def _array(self, kind: str, shape: list[int]) -> NDArray[Any]:
        dtype = np.dtype(kind)
        count = math.prod(shape)
        if dtype.kind not in _KINDS or any(size < 0 for size in shape):
            raise PackedError(f"an array of {kind} and shape {shape}")
        size = count * dtype.itemsize
        if size > len(self.data) - self.at:
            raise PackedError("an array is cut off")
        column = np.frombuffer(self.data, dtype, count, self.at).reshape(shape).astype(dtype.newbyteorder("="))
        self.at += size
        return column
