"""What a user says beside a file that the file itself leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from topologies.registry import Spec
from topologies.units import unit_gbps

Directions = Literal["both", "as-written"]


def _known_unit(text: str) -> str:
    if unit_gbps(text) is None:
        raise ValueError(f"{text!r} is not a unit of capacity; write for example Mbps, Gb/s or GB/s")
    return text


class CapacityAttribute(Spec):
    """The attribute that holds the capacity of a link, one direction."""

    attribute: str = Field(min_length=1, description="Its name in the file", examples=["bw"])
    unit: Annotated[str, AfterValidator(_known_unit)] = Field(
        description="Unit of its numbers: bps, kbps, Mbps, Gbps, Tbps, or MB/s, GB/s", examples=["Mbps"]
    )

    @property
    def gbps(self) -> float:
        """Gbps of one unit."""
        return unit_gbps(self.unit) or 0.0


@dataclass(frozen=True)
class Asked:
    """Keys of a file topology, and flags of ``convert`` and ``validate``, that say how a file is read."""

    capacity: CapacityAttribute | None = None
    directions: Directions | None = None


NOTHING_ASKED = Asked()


@dataclass(frozen=True)
class Untold:
    """Capacities that a file does not tell: where the first is, and what the file has in its place."""

    line: int | None = None
    instead: str = ""
