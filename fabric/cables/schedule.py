"""The cable schedule as values: one row a cable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CableEnd:
    """One end of a cable."""

    node: str  # the device
    port: str  # in the vendor's name
    rack: str  # empty where the scenario does not say
    unit: int | None


@dataclass(frozen=True)
class CableRow:
    """One physical cable; a splitter or twin-port cable carries several links."""

    label: str
    fabric: str
    tier: str
    links: tuple[int, ...]  # directed links it carries, one direction each, of the fabric's topology
    a: CableEnd
    b: CableEnd
    run_m: float  # as routed, with slack and service loops
    length_m: float  # as bought
    medium: str
    model: str  # of the cable
    optics: tuple[str, ...]  # at end a, then at end b
    route: tuple[str, ...]  # trays, in order
    colour: str
    bundle: str
    pull_order: int


@dataclass(frozen=True, eq=False)
class CableSchedule:
    """All cables of a scenario, in the order they are pulled in."""

    cables: tuple[CableRow, ...]
    total_m: float
    bound_m: float
    notes: tuple[str, ...] = ()
