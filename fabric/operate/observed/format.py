"""What a format of observed neighbours is, and all that there are.

One file of ``fabric/operate/observed/formats/`` is one format, and declares ``SUMMARY``, ``ORDER`` and ``FORMAT``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fabric.operate.observed.neighbours import Neighbours
from topologies.plugin_folder import PluginFolder


@dataclass(frozen=True)
class NeighbourFormat:
    """One format.

    Attributes
    ----------
    suffixes : tuple of str
        Endings of its files in a folder.
    read : callable
        ``read(text, device, file, into)`` adds what a text says. ``device`` is the name of the file without its ending,
        which is that of the device where the text does not say. Raises FormatError with file, line and column.
    source : str
        The command that prints it.
    """

    suffixes: tuple[str, ...]
    read: Callable[[str, str, str, Neighbours], None]
    source: str


NEIGHBOUR_FORMATS = PluginFolder("format of neighbours", "fabric.operate.observed.formats", "FORMAT", NeighbourFormat)
