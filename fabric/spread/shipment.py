"""A scenario with the content of all files that it is made of, to be read where those files are not."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from fabric.scenario.live_keys import refuse_live
from fabric.scenario.load import STDIN, LoadedScenario, load_scenario
from topologies.errors import FabricError

_ABOVE = "above"  # folder that stands for one step up
_LONGEST_NAME = 4096
_MOST_SCRIPT_BYTES = 2**20
_WORDS = re.compile(rb"[\w.][\w./-]*")
MOST_BYTES = 256 * 2**20  # of all files together

E = TypeVar("E", bound=FabricError)


@dataclass(frozen=True, eq=False)
class Shipment:
    """What a scenario is read from.

    Attributes
    ----------
    path : str
        Of the scenario, as it was given.
    files : mapping of str to bytes
        Content by path, relative to where the command was given.
    overrides : tuple of str
        ``PATH=VALUE`` texts.
    """

    path: str
    files: Mapping[str, bytes]
    overrides: tuple[str, ...]
    strict: bool = False

    @staticmethod
    def of(loaded: LoadedScenario, texts: Iterable[str] = ()) -> Shipment:
        """A loaded scenario: its text, what it includes, and every file and folder that it or ``texts`` name.

        Files named by an absolute path are not among them: workers read their own.

        Raises
        ------
        FabricError
            FP9510 where they are too large together; FP6285 where it reads a running cluster.
        """
        refuse_live(loaded.tree.plain(), "work in several processes")
        files = {name: text.encode() for name, text in loaded.sources.items()}
        for name, path in _named_files(loaded, texts):
            files.setdefault(name, path.read_bytes())
            if sum(map(len, files.values())) > MOST_BYTES:
                from topologies.units import format_bytes

                raise FabricError(
                    f"the files of {loaded.path} have more than {format_bytes(MOST_BYTES)} together, which is too much "
                    "to be sent to workers",
                    hint="name large files by an absolute path that all workers can read, or give --workers 1",
                    code="FP9510",
                )
        overrides = tuple(f"{override.path}={override.value}" for override in loaded.overrides)
        return Shipment(loaded.path, files, overrides, loaded.strict)

    @property
    def identity(self) -> dict[str, str]:
        """Part -> text: a hash of every file, and the overrides."""
        above = os.path.dirname(self.path)  # noqa: PTH120 - of a text, not of a place
        hashes = {
            f"file {os.path.relpath(name, above or '.')}": hashlib.sha256(data).hexdigest()
            for name, data in sorted(self.files.items())
        }
        return {**hashes, "overrides": " ".join(self.overrides), "strict": str(self.strict)}

    def unpack(self, folder: Path) -> LoadedScenario:
        """Write all files below a folder, and load the scenario from there."""
        for name, data in self.files.items():
            place = folder / _inside(name)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        start = folder / _inside(STDIN if self.path == "-" else self.path)
        try:
            return replace(load_scenario(start, overrides=self.overrides), strict=self.strict)
        except FabricError as error:
            raise self.named(error, folder) from None

    def named(self, error: E, folder: Path) -> E:
        """An error about unpacked files, with the names that they had."""
        names = {str(folder / _inside(name)): name for name in self.files}
        prefix = f"{folder}{os.sep}"
        moved = type(error)(
            replace(
                problem,
                file=names.get(problem.file, problem.file) if problem.file else None,
                message=_without(problem.message, names, prefix),
                hint=_without(problem.hint, names, prefix),
            )
            for problem in error.problems
        )
        vars(moved)["sources"] = {names.get(file, file): text for file, text in getattr(error, "sources", {}).items()}
        return moved


def _inside(name: str) -> Path:
    """A relative path that stays inside of the folder it is written to; of an absolute one its own."""
    parts = Path(os.path.normpath(name)).parts
    return Path(*(_ABOVE if part == ".." else part for part in parts if part != os.sep))


def _without(text: str, names: Mapping[str, str], prefix: str) -> str:
    for place, name in names.items():
        text = text.replace(place, name)
    return text.replace(prefix, "")


def _named_files(loaded: LoadedScenario, more: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Files that texts of the scenario name, by relative paths; those in folders, and those that scripts name."""
    for text in dict.fromkeys([*_texts(loaded.tree.plain()), *more]):
        if len(text) >= _LONGEST_NAME or "\0" in text or Path(text).is_absolute():
            continue
        place = loaded.directory / text
        try:
            if place.is_file():
                yield from _with_includes(place, set())
            elif text.strip("./") and place.is_dir():
                yield from ((str(path), path) for path in sorted(place.rglob("*")) if path.is_file())
        except OSError:
            continue


def _with_includes(path: Path, seen: set[Path]) -> Iterator[tuple[str, Path]]:
    """A file, and what it reads where it is a script: whatever of its words is a file beside it."""
    if path in seen:
        return
    seen.add(path)
    yield str(path), path
    if path.stat().st_size > _MOST_SCRIPT_BYTES:
        return
    content = path.read_bytes()
    if not (content.startswith(b"#!") or path.suffix == ".sh"):
        return
    for word in dict.fromkeys(os.fsdecode(word) for word in _WORDS.findall(content)):
        for beside in dict.fromkeys((path.parent / word, path.parent / Path(word).name)):
            if beside.is_file():
                yield from _with_includes(beside, seen)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for entry in value.values():
            yield from _texts(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _texts(entry)
