"""What a format for schedulers is, what it is given, and all that there are.

One file of ``fabric/share/schedulers/formats/`` is one format, and declares ``SUMMARY``, ``ORDER`` and ``FORMAT``. It
writes files, reads them back without knowing what was written, and says of the trees themselves, not of its files, what
a reader has to find: ``export --check`` compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from fabric.share.schedulers.blocks import HostBlocks
from fabric.share.schedulers.label_keys import LabelKeys
from fabric.share.schedulers.names import Mapped
from fabric.share.schedulers.switch_tree import SwitchTree
from topologies.columns import Ints
from topologies.plugin_folder import PluginFolder
from traffic.inventory import Inventory


class TextFile(NamedTuple):
    """A file of an export, by its path inside the folder."""

    path: str
    text: str


@dataclass(frozen=True)
class ExportOptions:
    """What the command line says of an export for schedulers."""

    style: str | None = None  # of Slurm: tree, block or yaml
    block_by: str | None = None
    labels: str | None = None
    pci: Path | None = None


@dataclass(frozen=True, eq=False)
class JobSeats:
    """Where the ranks of a job run."""

    id: str
    hosts: tuple[str, ...]  # shape (ranks,)
    gpus: Ints  # shape (ranks,), GPU of each on its host


@dataclass(frozen=True, eq=False)
class SchedulerPlan:
    """What is exported: trees, blocks, labels, jobs; one entry a fabric, and no fabric knows of another.

    Attributes
    ----------
    blocks : mapping
        By fabric, where hosts form blocks: by the command line, else scale-up domains of several hosts.
    primary : str
        The fabric that collectives of GPUs use, for formats that have a default.
    """

    scenario: str
    inventory: Inventory
    trees: Mapping[str, SwitchTree]
    blocks: Mapping[str, HostBlocks]
    primary: str
    options: ExportOptions
    labels: LabelKeys | None = None
    jobs: tuple[JobSeats, ...] = ()
    products: Mapping[str, str] = field(default_factory=dict)  # of node groups whose model has one

    def folder(self, fabric: str) -> str:
        """Where files of a fabric go: a folder of each where there are several."""
        return f"{fabric}/" if len(self.trees) > 1 else ""


Facts = Mapping[str, tuple[str, ...]]  # by what is said of, such as "backend unit0": hosts, or label values


@dataclass(frozen=True)
class SchedulerFormat:
    """One format.

    Attributes
    ----------
    write : callable
        Files, in order. Raises FabricError for what the format cannot express.
    facts : callable
        What a reader of the files has to find, from the trees.
    read : callable
        What the files of a folder say. Raises FormatError with file and line.
    names : callable
        Names that are written differently.
    of : str
        What there is one of: ``fabric``, ``job`` or ``node group``.
    takes : tuple of str
        Names of the options it takes.
    read_by : str
        What takes it, with the version or page that says how.
    notes : callable
        What it cannot say, or says differently.
    """

    write: Callable[[SchedulerPlan], Iterable[TextFile]]
    facts: Callable[[SchedulerPlan], Facts]
    read: Callable[[SchedulerPlan, Path], Facts]
    names: Callable[[SchedulerPlan], Iterable[Mapped]]
    read_by: str
    of: str = "fabric"
    takes: tuple[str, ...] = ()
    notes: Callable[[SchedulerPlan], Iterable[str]] = field(default=lambda _: ())


SCHEDULER_FORMATS = PluginFolder("format for schedulers", "fabric.share.schedulers.formats", "FORMAT", SchedulerFormat)
