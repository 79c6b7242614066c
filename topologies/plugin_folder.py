"""The files of a folder as plug-ins, one file an entry: what a command names is found by the name of its file.

A file of the folder declares, each on a line of its own:

- ``SUMMARY = "..."``, one line that lists and help show;
- ``ORDER = 10``, where the kind is listed in an order; without it entries go by name;
- one object under the name that the kind asks for, such as ``DIALECT``.

Names, summaries and order are read from the text of the files; a file is imported when its entry is first asked for, so
that ``fabric --help`` loads none of them. The name is that of the file, with ``-`` for ``_``; files that begin with
``_`` are none. What a scenario names has keys as well, and is in a ``topologies.registry.Registry`` instead.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

from topologies.errors import ScenarioError, nearest_hint

E = TypeVar("E")
_DECLARED = re.compile(r"^(SUMMARY|ORDER)(?:\s*:\s*\w+)?\s*=(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Declared:
    """What a file says of its entry without being imported."""

    path: Path
    module: str
    summary: str
    order: int


class PluginFolder(Mapping[str, E]):
    """Entries of one kind by name, in their order.

    Parameters
    ----------
    what : str
        The kind in words, such as ``dialect``.
    package : str
        The package whose files are the entries.
    declares : str
        Name of the object that every file has.
    kind : type
        Class of that object; ``type`` where the object is a class itself. Where it has a ``name``, that is the name of
        the entry.
    """

    def __init__(self, what: str, package: str, declares: str, kind: type[E]) -> None:
        self.what = what
        self.package = package
        self.declares = declares
        self.kind = kind
        self._loaded: dict[str, E] = {}

    @cached_property
    def declared(self) -> dict[str, Declared]:
        """What every file says, by name.

        Raises
        ------
        ValueError
            When a file has no summary, or two files have one name.
        """
        entries: dict[str, Declared] = {}
        for path in _files(self.package):
            name = path.stem.replace("_", "-")
            if name in entries:
                raise ValueError(f"{self.what} {name!r} is declared twice: {entries[name].path} and {path}")
            entries[name] = read_declared(path, f"{self.package}.{path.stem}")
        return dict(sorted(entries.items(), key=_place))

    def names(self) -> list[str]:
        """All names in order; imports nothing."""
        return list(self.declared)

    def summary(self, name: str) -> str:
        """The one line of an entry; imports nothing."""
        return self.declared[name].summary

    def find(self, name: str) -> E:
        """The entry called ``name``.

        Raises
        ------
        ScenarioError
            With the nearest name when there is none.
        """
        if name not in self:
            hint = nearest_hint(name, self, "known")
            raise ScenarioError(f"unknown {self.what} {name!r}", hint=hint, code="FP2104")
        return self[name]

    @contextmanager
    def with_entry(self, name: str, entry: E, *, summary: str, order: int = 0) -> Iterator[E]:
        """One more entry for as long as the block runs; for tests.

        Raises
        ------
        ValueError
            When the name is taken.
        """
        if name in self.declared:
            raise ValueError(f"{self.what} {name!r} is declared twice: {self.declared[name].path} and with_entry")
        before = self.declared
        more = {**before, name: Declared(Path(), "", summary, order)}
        self.__dict__["declared"] = dict(sorted(more.items(), key=_place))
        self._loaded[name] = entry
        try:
            yield entry
        finally:
            self.__dict__["declared"] = before
            del self._loaded[name]

    def __getitem__(self, name: str) -> E:
        if name not in self._loaded:
            self._loaded[name] = self._load(name, self.declared[name])
        return self._loaded[name]

    def _load(self, name: str, declared: Declared) -> E:
        entry = getattr(importlib.import_module(declared.module), self.declares, None)
        if not isinstance(entry, self.kind):
            raise ValueError(
                f"{declared.path} declares no {self.declares}: every {self.what} is a {self.kind.__name__} of that name"
            )
        own = getattr(entry, "name", name)
        if isinstance(own, str) and own != name:
            raise ValueError(f"{declared.path} calls its {self.what} {own!r}; by the name of the file it is {name!r}")
        return entry

    def __contains__(self, name: object) -> bool:
        return name in self.declared

    def __iter__(self) -> Iterator[str]:
        return iter(self.declared)

    def __len__(self) -> int:
        return len(self.declared)


def _place(entry: tuple[str, Declared]) -> tuple[int, str]:
    """Where an entry stands."""
    return entry[1].order, entry[0]


def file_names(package: str) -> tuple[str, ...]:
    """Names of the files of a package as people write them, sorted; imports nothing."""
    return tuple(sorted(path.stem.replace("_", "-") for path in _files(package)))


def read_declared(path: Path, module: str) -> Declared:
    """``SUMMARY`` and ``ORDER`` of a file, from its text.

    Raises
    ------
    ValueError
        When there is no summary, or one of them is not a literal on one line.
    """
    values: dict[str, object] = {"ORDER": 0}
    for key, text in _DECLARED.findall(path.read_text(encoding="utf-8")):
        try:
            values[key] = ast.literal_eval(text.strip())
        except (SyntaxError, ValueError):
            raise ValueError(
                f"{path}: {key} is not a literal on one line; it is read without running the file"
            ) from None
    summary, order = values.get("SUMMARY"), values["ORDER"]
    if not isinstance(summary, str) or not summary or not isinstance(order, int):
        raise ValueError(f'{path} declares no SUMMARY = "..." on one line, or an ORDER that is not a whole number')
    return Declared(path, module, summary, order)


def module_path(module: str) -> Path:
    """The file of a module, found without importing the packages that it is in.

    Raises
    ------
    ModuleNotFoundError
        When its top-level package is not installed.
    """
    *packages, stem = module.split(".")
    for folder in _folders(".".join(packages)):
        if (folder / f"{stem}.py").is_file():
            return folder / f"{stem}.py"
    raise ModuleNotFoundError(f"no module {module}", name=module)


def _files(package: str) -> list[Path]:
    """The modules of a package, sorted by folder and name."""
    return [path for folder in _folders(package) for path in sorted(folder.glob("*.py")) if path.stem[0] != "_"]


def _folders(package: str) -> list[Path]:
    """Folders of a package; its parents are not imported, since that may load what they re-export."""
    if package in sys.modules:
        return [Path(folder) for folder in sys.modules[package].__path__]
    top, *rest = package.split(".")
    spec = find_spec(top)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"no package {top}", name=top)
    return [Path(folder, *rest) for folder in spec.submodule_search_locations]
