"""Names of plug-ins, read without importing one: the files of their folder, and what registered elsewhere."""

from __future__ import annotations

from pathlib import Path


class PluginNames:
    """Names of one kind of plug-in, as people write them; a new file is a new name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._registered: set[str] = set()

    def add(self, name: str) -> None:
        """A plug-in has registered, from wherever its module stands."""
        self._registered.add(name)

    def remove(self, name: str) -> None:
        """A plug-in is gone again."""
        self._registered.discard(name)

    def all(self) -> tuple[str, ...]:
        """All names, sorted."""
        stems = (file.stem for file in self._folder.glob("*.py") if not file.stem.startswith("_"))
        return tuple(sorted({*self._registered, *(stem.replace("_", "-") for stem in stems)}))
