"""Zips of columns from elsewhere: bombs are refused from their directory, headers against the bytes behind them."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from topologies.reading.zip_columns import BadZipError, BoundedZip, column_of


def npy(values: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


def npy_with(header: str, rest: bytes = b"") -> bytes:
    """A column whose header is some text."""
    text = header.encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + rest


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (np.arange(5, dtype=np.int32), "iu"),
        (np.array([True, False]), "b"),
        (np.array([1.5, np.nan]), "f"),
        (np.array(["leaf0", "spine1"]), "U"),
        (np.arange(6.0).reshape(2, 3), "f"),
        (np.asfortranarray(np.arange(6.0).reshape(2, 3)), "f"),
        (np.empty(0), "f"),
    ],
)
def test_columns_are_what_numpy_reads(values: np.ndarray, kinds: str) -> None:
    column = column_of(npy(values), kinds)
    assert column.dtype == values.dtype
    np.testing.assert_array_equal(column, values)


@pytest.mark.parametrize(
    ("data", "kinds", "words"),
    [
        (npy(np.arange(3)), "f", "holds int64, not numbers"),
        (npy(np.array(["1", "2"])), "iu", "not whole numbers"),
        (npy(np.array(["2020-01-01"], dtype="M8[D]")), "iu", "not whole numbers"),
        (npy(np.array([{}], dtype=object)), "f", "holds object"),
        (npy(np.arange(3.0))[:-1], "f", "23 bytes follow"),
        (npy_with("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"), "f", "0 bytes follow"),
        (npy_with("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }"), "f", "bytes follow"),
        (npy_with("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (0,), }"), "f", "not numbers"),
        (npy_with("["), "f", "not a column"),
        (npy_with("[" * 3000), "f", "not a column"),
        (b"", "f", "not a column"),
        (b"\x93NUMPY\x09\x00", "f", "not a column"),
    ],
    ids=range(12),
)
def test_a_column_that_is_none_is_refused_in_words(data: bytes, kinds: str, words: str) -> None:
    with pytest.raises(BadZipError, match=words):
        column_of(data, kinds)


def bomb(path: Path, mebibytes: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("manifest.json", "w") as member:
        for _ in range(mebibytes):
            member.write(b" " * (1 << 20))
    return path


def test_a_bomb_is_refused_before_anything_is_unpacked(tmp_path: Path) -> None:
    path = bomb(tmp_path / "bomb.zip", 300)
    tracemalloc.start()
    with pytest.raises(BadZipError, match="would unpack to 314,572,800"):
        BoundedZip(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_many_equal_rows_are_no_bomb(tmp_path: Path) -> None:
    """Columns of zeros pack a thousand times smaller, and are what an idle fabric has."""
    path = tmp_path / "zeros.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.npy", npy(np.zeros(2_000_000)))
    with BoundedZip(path) as archive:
        assert len(column_of(archive.read("zeros.npy"), "f")) == 2_000_000


def test_a_member_that_is_longer_than_stated_is_damaged(tmp_path: Path) -> None:
    """The size in the directory is changed to one byte less."""
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"0123456789")
    data = path.read_bytes()
    at = data.rindex(b"PK\x01\x02")
    path.write_bytes(data[: at + 24] + (9).to_bytes(4, "little") + data[at + 28 :])
    with BoundedZip(path) as archive, pytest.raises(BadZipError, match="damaged"):
        archive.read("a")
