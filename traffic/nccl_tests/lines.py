"""Lines of a log as the program printed them: without colours, and out of the wrapping of a container's log."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from topologies.budget import free_bytes, memory_limit
from topologies.errors import FormatError
from topologies.reading.file_bytes import TEXT_BYTES
from topologies.reading.json_value import parse_json
from topologies.reading.text_input import read_bytes
from topologies.units import format_bytes

_GZIP = b"\x1f\x8b"
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_DOCKER = re.compile(r'\s*\{"log"\s*:\s*"')
_PARTS = re.compile(r"\r\n|\r|\n")


def log_text(path: str | Path) -> str:
    """The text of a log, also gzipped, and also with bytes that are no UTF-8: names of hosts may have some.

    Raises
    ------
    FormatError
        When the file cannot be read or unpacked, or has more text than there is memory for.
    """
    data = read_bytes(path)
    if data[:2] == _GZIP:
        data = _unpacked(data, str(path))
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    return data.decode("utf-8-sig", "replace")


def lines_of(text: str, file: str) -> Iterator[tuple[int, str]]:
    """Every line with its number, from 1; one that a carriage return overwrites in part is given in its parts."""
    for number, whole in enumerate(text.split("\n"), 1):
        line = whole
        if _DOCKER.match(line):
            line = _docker_line(line, file)
        for part in _PARTS.split(line.rstrip("\r\n")):
            yield number, _ESCAPES.sub("", part).replace("\0", "")


def _docker_line(line: str, file: str) -> str:
    """What a line of Docker's json-file driver holds; the line itself where it is cut."""
    try:
        return parse_json(line, file).get("log").text(line).rstrip("\r\n")
    except FormatError:
        return line


def _unpacked(data: bytes, file: str) -> bytes:
    """All of a gzip file, or as much of it as is whole."""
    most = int(free_bytes(memory_limit()) / TEXT_BYTES)
    parts: list[bytes] = []
    size = 0
    while data[:2] == _GZIP:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(data, most - size + 1)
        except zlib.error as error:
            if size:
                break
            raise FormatError(f"cannot unpack it: {error}", file=file, hint="gzip -t FILE", code="FP6270") from error
        parts.append(part)
        size += len(part)
        if size > most:
            raise FormatError(f"it unpacks to more than {format_bytes(most)}", file=file, code="FP6270")
        data = unpacker.unused_data
    return b"".join(parts)
