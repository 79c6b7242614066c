"""Sizing and cabling of the upper tiers of a folded Clos: pods of leaves and spines that meet in planes of cores."""

from __future__ import annotations

from dataclasses import dataclass

from topologies.divisors import divisors
from topologies.errors import TopologyError


def down_ports(radix: int, oversubscription: float) -> int:
    """Most ports that may point down so that down / up is at most ``oversubscription``.

    >>> down_ports(64, 1.0), down_ports(64, 3.0), down_ports(36, 2.0)
    (32, 48, 24)
    """
    down = min(int((oversubscription * radix + 1e-9) / (1 + oversubscription)) + 1, radix - 1)
    while down > 1 and down > oversubscription * (radix - down) + 1e-9:
        down -= 1
    return down


def up_ports(down: int, oversubscription: float) -> int:
    """Fewest uplinks that keep ``down`` ports within the oversubscription."""
    whole = int(down / oversubscription + 1e-9)
    return whole if whole * oversubscription >= down - 1e-9 else whole + 1


def smallest_divisor(number: int, at_least: float) -> int | None:
    """Smallest divisor of ``number`` that is not below ``at_least``; None when there is none."""
    return next((size for size in divisors(number) if size >= at_least - 1e-9), None)


@dataclass(frozen=True)
class CorePlane:
    """Cores above the spines of one position: ``cores`` of them, ``parallel`` cables from each spine to each."""

    cores: int
    parallel: int


def core_plane(spines: int, uplinks: int, radix: int, *, where: str) -> CorePlane:
    """Fewest cores for one plane: ``spines`` spines of ``uplinks`` uplinks each, spread evenly.

    Raises
    ------
    TopologyError
        When even one cable per spine and core does not fit the radix.
    """
    cores = smallest_divisor(uplinks, spines * uplinks / radix if radix else 1)
    if cores is None:
        raise TopologyError(
            f"{spines} spines meet on a core but a core has {radix} ports",
            where=where,
            hint=f"at most {radix} pods fit; use larger pods or a larger radix",
            code="FP3026",
        )
    return CorePlane(cores, uplinks // cores)
