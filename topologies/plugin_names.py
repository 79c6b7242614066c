"""Names of plug-ins, read without importing one: the files of their folder, and what registered elsewhere."""

from __future__ import annotations

from topologies.plugin_folder import file_names


class PluginNames:
    """Names of one kind of plug-in, as people write them; a new file is a new name.

    Parameters
    ----------
    package : str
        The folder of the plug-ins, as a dotted name.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._registered: set[str] = set()

    def add(self, name: str) -> None:
        """A plug-in has registered, from wherever its module stands."""
        self._registered.add(name)

    def remove(self, name: str) -> None:
        """A plug-in is gone again."""
        self._registered.discard(name)

    def all(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted({*self._registered, *file_names(self._package)}))
