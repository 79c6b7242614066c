"""Things that fail as one: a link, a switch, a NIC, a rack, everything on a power feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from topologies.columns import Floats, Ints

PartKind = Literal[
    "link",
    "cable",
    "switch",
    "line-card",
    "nic",
    "nic-port",
    "host",
    "unit",
    "pod",
    "plane",
    "rail",
    "rack",
    "power-feed",
    "optics-batch",
    "group",  # a shared-risk group or a named case of the scenario
]
PART_KINDS: tuple[PartKind, ...] = get_args(PartKind)


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
        What ``--down`` (and ``--slow``, for degraded parts) takes to do the same.
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
