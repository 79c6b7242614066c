"""Reading what is observed: a file, or a folder with one file per device."""

from __future__ import annotations

import os
from pathlib import Path

from fabric.operate.observed.format import NEIGHBOUR_FORMATS, NeighbourFormat
from fabric.operate.observed.json_shapes import UNREADABLE
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError, Problem
from topologies.reading.text_input import read_text

_MOST_NAMED = 3


def observed_source(text: str) -> tuple[str, Path]:
    """Format and path of ``lldp:DIR``.

    Raises
    ------
    ValueError
        Where it is not a format and a path.

    >>> observed_source("lldp:./room")
    ('lldp', PosixPath('room'))
    """
    name, colon, where = text.partition(":")
    if not colon or not where or name not in NEIGHBOUR_FORMATS:
        raise ValueError(f"{text!r}: write FORMAT:PATH, such as lldp:DIR; formats: {', '.join(NEIGHBOUR_FORMATS)}")
    return name, Path(where)


def read_neighbours(name: str, path: Path) -> Neighbours:
    """All neighbours that a file, or the files of a folder, tell of.

    Raises
    ------
    FormatError
        With the problems of all files: nothing to read (FP6603), a text that is none of the format's (FP6601), a device
        that two files tell of (FP6602).
    """
    form = NEIGHBOUR_FORMATS[name]
    into = Neighbours()
    problems: list[Problem] = []
    for file in _files(form, path, into):
        into.files.append(file)
        try:
            text = read_text(file)
            if not text.strip():
                hint = f"write it again with {form.source}; a device without neighbours prints an empty answer"
                raise FormatError("the file is empty", file=str(file), line=1, column=1, code=UNREADABLE, hint=hint)
            form.read(text, file.stem, str(file), into)
        except FormatError as error:
            problems += error.problems
    if problems:
        raise FormatError(problems)
    if not len(into):
        raise FormatError(
            f"{len(into.files):,} files, and no neighbour in any of them",
            file=str(path),
            hint=f"is LLDP running? {form.source} shows neighbours within half a minute",
            code="FP6603",
        )
    return into


def _files(form: NeighbourFormat, path: Path, into: Neighbours) -> list[Path]:
    """Files to read; others of the folder are said."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FormatError("no such file or folder", file=str(path), hint=f"save {form.source} there", code="FP6603")
    with os.scandir(path) as entries:
        every = sorted(entry.name for entry in entries if entry.is_file() and not entry.name.startswith("."))
    chosen = [path / name for name in every if os.path.splitext(name)[1].lower() in form.suffixes]  # noqa: PTH122
    if not chosen:
        hint = f"one file per device, {form.source} > NAME{form.suffixes[0]}"
        endings = " or ".join(form.suffixes)
        raise FormatError(f"no file that ends in {endings} in the folder", file=str(path), hint=hint, code="FP6603")
    others = [name for name in every if os.path.splitext(name)[1].lower() not in form.suffixes]  # noqa: PTH122
    if others:
        some = ", ".join(others[:_MOST_NAMED]) + (", …" if len(others) > _MOST_NAMED else "")
        into.notes.append(f"{len(others):,} files of other endings are left out: {some}")
    return chosen
