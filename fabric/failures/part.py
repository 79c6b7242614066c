"""Things that fail as one: a link, a switch, a NIC, a rack, everything on a power feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fabric.scenario.failure_schema import PART_KINDS, PartKind
from topologies.columns import Floats, Ints

__all__ = ["PART_KINDS", "Part", "PartKind"]


@dataclass(frozen=True, eq=False)
class Part:
    """What is lost with it, in every fabric; a switch or host loses all its links.

    Attributes
    ----------
    kind : str
        One of ``PART_KINDS``.
    name : str
        As people read it, and as ``--down`` takes it where one text says it: ``spine07``, ``su0-r0-leaf -> spine00``.
    links : mapping of str to ndarray of int
        By fabric: ids of directed links that carry nothing any more, both directions of a cable, ascending.
    slowed : mapping of str to (ndarray of int, ndarray of float)
        By fabric: ids of directed links that stay up with a part of their capacity, and that part.
    selectors : tuple of str
        What ``--down`` takes to do the same.
    slow_selectors : tuple of str
        What ``--slow`` takes besides, of degraded parts: ``SELECTOR=50%``.
    hosts : tuple of str
        Hosts that are gone with it: their GPUs stop, whatever the network does.
    role : str
        Of a switch its role, of a link its tier; what rates are looked up by beside the kind.
    """

    kind: PartKind
    name: str
    links: Mapping[str, Ints] = field(default_factory=dict)
    slowed: Mapping[str, tuple[Ints, Floats]] = field(default_factory=dict)
    selectors: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    role: str = ""
    fabric: str = ""  # the one fabric it is of; empty where it is of several
    slow_selectors: tuple[str, ...] = ()
    drained: bool = False  # taken out on purpose: nothing is lost while routes change
    time_down: float = 1.0  # part of the time that it is down while it is broken; less for what flaps
