"""Members of a saved result in a zip or a folder: written whole, read back checked against their hashes.

A member name is a plain relative path. What a file says about itself is not trusted: sizes are bounded before anything
is unpacked, and arrays are read without pickles.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fabric.output.whole_folder import FolderKind, whole_folder
from topologies.errors import FormatError
from topologies.reading.json_value import parse_json
from topologies.reading.zip_columns import MOST_BYTES, BadZipError, BoundedZip, column_of
from topologies.whole_file import whole_file

MANIFEST = "manifest.json"
MOST_MANIFEST_BYTES = 256 * 2**20
_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_.-]+)*(\.[a-z]+)?")
_WHEN = (1980, 1, 1, 0, 0, 0)  # the same result gives the same bytes

Members = Mapping[str, bytes]
SAVED_RESULT = FolderKind("a saved result", FormatError, "FP9101")


def bad(path: Path, words: str, hint: str = "save the result again") -> FormatError:
    """A file that is not a saved result, or a damaged one."""
    return FormatError(f"{path}: {words}", hint=hint, code="FP9102")


def array_bytes(values: NDArray[Any]) -> bytes:
    """One column as an ``.npy`` member."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(values), allow_pickle=False)
    return buffer.getvalue()


def write_archive(path: Path, manifest: Mapping[str, Any], members: Members, *, force: bool = False) -> None:
    """Write a zip, or a folder where ``path`` is one that exists.

    Raises
    ------
    FormatError
        FP9101 where it cannot be written.
    """
    listed = {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for name, data in members.items()}
    text = json.dumps({**manifest, "members": listed}, indent=1, ensure_ascii=False, allow_nan=False)
    whole = {MANIFEST: text.encode(), **members}
    try:
        if path.is_dir():
            _write_folder(path, whole, force=force)
        else:
            with whole_file(path) as place, zipfile.ZipFile(place, "w") as archive:
                for name, data in whole.items():
                    archive.writestr(_info(name), data, compresslevel=1)
    except OSError as error:
        raise FormatError(f"cannot write {path}: {error.strerror or error}", code="FP9101") from None


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _WHEN)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _write_folder(path: Path, whole: Members, *, force: bool) -> None:
    with whole_folder(path, SAVED_RESULT, force=force, flag="--save") as folder:
        for name, data in whole.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def is_archive(path: Path) -> bool:
    """Whether a path looks like a saved result rather than a scenario."""
    if path.is_dir():
        return (path / MANIFEST).is_file()
    try:
        with path.open("rb") as file:
            return file.read(4) == b"PK\x03\x04" or path.suffix == ".fpr"
    except OSError:
        return path.suffix == ".fpr"


class Archive:
    """A saved result opened for reading; every member is checked when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.is_dir():
            self._read: Callable[..., bytes] = self._from_folder
            self._zip = None
        else:
            try:
                self._zip = BoundedZip(path)
            except FileNotFoundError:
                raise bad(path, "no such file", "fabric route SCENARIO --save FILE.fpr makes one") from None
            except (OSError, BadZipError) as error:
                raise bad(path, f"not a whole saved result: {error}") from None
            self._read = self._from_zip
        manifest = _json(path, MANIFEST, self._read(MANIFEST, MOST_MANIFEST_BYTES))
        if not isinstance(manifest, dict) or not isinstance(manifest.get("members", {}), dict):
            raise bad(path, f"its {MANIFEST} says nothing about members")
        self.manifest: dict[str, Any] = manifest

    def _from_folder(self, name: str, most: int | None = None) -> bytes:
        place = self.path / name
        try:
            if not place.is_file() or place.stat().st_size > (most or MOST_BYTES):
                raise bad(self.path, f"{name} is too large" if place.is_file() else f"{name} is missing")
            return place.read_bytes()
        except OSError as error:
            raise bad(self.path, f"{name} cannot be read: {error.strerror}") from None

    def _from_zip(self, name: str, most: int | None = None) -> bytes:
        assert self._zip is not None
        try:
            return self._zip.read(name, most=most)
        except KeyError:
            raise bad(self.path, f"{name} is missing") from None
        except BadZipError as error:
            raise bad(self.path, str(error)) from None

    def member(self, name: str) -> bytes:
        """Bytes of a member, as they were written.

        Raises
        ------
        FormatError
            FP9102 where it is missing, not listed or not what was written.
        """
        listed = self.manifest.get("members", {}).get(name)
        if not isinstance(listed, dict) or not _NAME.fullmatch(name) or ".." in name:
            raise bad(self.path, f"{name} is not in its list of members")
        data = self._read(name)
        if hashlib.sha256(data).hexdigest() != listed.get("sha256"):
            raise bad(self.path, f"{name} is not what was written: its hash differs")
        return data

    def array(self, name: str, kinds: str, shape: tuple[int, ...]) -> NDArray[Any]:
        """A column of a kind (see ``column_of``); refused when it has another shape."""
        try:
            values = column_of(self.member(name), kinds)
        except BadZipError as error:
            raise bad(self.path, f"{name}: {error}") from None
        if values.shape != shape:
            raise bad(self.path, f"{name} has shape {values.shape}, not {shape}")
        return values

    def record(self, name: str) -> Any:
        """A member that is JSON."""
        return _json(self.path, name, self.member(name))


def _json(path: Path, name: str, data: bytes) -> Any:
    try:
        return parse_json(data.decode(), name).value
    except (FormatError, UnicodeDecodeError) as error:
        raise bad(path, f"its {name} is not JSON that we read: {error}") from None
