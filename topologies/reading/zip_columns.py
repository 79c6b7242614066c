"""Zip files of columns, as somebody else may have written them: sizes are judged before anything is unpacked.

What the directory of a zip says is not believed either: a member is read up to the size it states, and no further. Of
``.npy`` columns the header is checked against the bytes that follow it before an array is made.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 16 * 2**30  # of all members unpacked
MOST_RATIO = 200  # unpacked over packed, of files that unpack to more than this:
FREE_BYTES = 256 * 2**20
_KINDS = {"b": "truth values", "iu": "whole numbers", "f": "numbers", "U": "text"}


class BadZipError(Exception):
    """What is wrong with a zip file or a column, in words; readers make their own error of it."""


class BoundedZip:
    """A zip file opened for reading.

    Raises
    ------
    BadZipError
        When it is not a whole zip file, or would unpack to more than 16 GiB, or to more than 200 times its size.
    OSError
        When it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError:
            raise
        except Exception as error:  # structures of a broken directory fail in many ways
            raise BadZipError(f"it is not a whole zip file: {error}") from None
        packed = max(path.stat().st_size, 1)
        unpacked = sum(entry.file_size for entry in self._zip.infolist())
        if unpacked > MOST_BYTES or unpacked > max(FREE_BYTES, MOST_RATIO * packed):
            raise BadZipError(f"its {packed:,} bytes would unpack to {unpacked:,}")
        self._size = {entry.filename: entry.file_size for entry in self._zip.infolist()}

    @property
    def names(self) -> frozenset[str]:
        """Names of the members."""
        return frozenset(self._size)

    def size(self, name: str) -> int:
        """Bytes of a member, as the directory states them."""
        return self._size[name]

    def read(self, name: str, *, most: int | None = None) -> bytes:
        """Bytes of a member.

        Raises
        ------
        KeyError
            When there is no such member.
        BadZipError
            When it is damaged, or larger than ``most``.
        """
        size = self._size[name]
        if most is not None and size > most:
            raise BadZipError(f"{name} has {size:,} bytes, more than {most:,}")
        try:
            with self._zip.open(name) as stream:
                data = stream.read(size + 1)
        except Exception as error:  # zlib, structures and checksums fail in many ways
            raise BadZipError(f"{name} is damaged: {error}") from None
        if len(data) != size:
            raise BadZipError(f"{name} is damaged: it has not the {size:,} bytes that are stated")
        return data

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __enter__(self) -> BoundedZip:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def column_of(data: bytes, kinds: str) -> NDArray[Any]:
    """The array of an ``.npy`` member.

    Parameters
    ----------
    data : bytes
    kinds : {'b', 'iu', 'f', 'U'}
        What it has to hold, as letters of ``numpy.dtype.kind``.

    Raises
    ------
    BadZipError
        When the header does not parse, says something else than the bytes behind it, or another type.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_column, dtype = header(stream)
    except Exception as error:  # the header is read as Python text, which fails in many ways
        raise BadZipError(f"it is not a column: {type(error).__name__}: {error}"[:200]) from None
    if dtype.kind not in kinds or dtype.hasobject:
        raise BadZipError(f"it holds {dtype}, not {_KINDS[kinds]}")
    count = 1
    for size in shape:
        count *= int(size)
    rest = len(data) - stream.tell()
    if count * dtype.itemsize != rest or any(size < 0 for size in shape):
        raise BadZipError(f"its header says {shape} of {dtype}, and {rest:,} bytes follow")
    values: NDArray[Any] = np.frombuffer(data, dtype, count, stream.tell()) if count else np.empty(0, dtype)
    return values.reshape(shape, order="F" if by_column else "C").copy()
