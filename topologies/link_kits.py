"""What a link is made of: the cable, and the pluggables at both ends, from the catalogue.

A switch port may be broken out, and several ports may share a cage (twin-port modules): then one pluggable serves
several links. Parts of a link are therefore fractions: half a twin-port module, half a splitter cable.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from topologies.catalogue import CableModel, Catalogue, OpticModel

FIBRES = ("mmf", "smf")


@dataclass(frozen=True, order=True)
class LinkEnd:
    """What one end of a link plugs into.

    Attributes
    ----------
    links : int
        Links of the same speed that share the cage: ports of a cage times the ways of their breakout.
    """

    links: int = 1


@dataclass(frozen=True)
class LinkKit:
    """One way to make a link of some speed between two ends.

    Attributes
    ----------
    parts : tuple
        Model and number per link: the cable first, then the optic of the lower end, then that of the upper end.
    reach_m : float
        Longest run, metres.
    usd, usd_per_m : float, optional
        Price of a link, and of a metre of it; None where a part has no price.
    typical_w, max_w : float, optional
        Power of both ends of a link; None where a part has none.
    """

    medium: str
    reach_m: float
    parts: tuple[tuple[str, Fraction], ...]
    usd: float | None
    usd_per_m: float
    typical_w: float | None
    max_w: float | None
    carbon_kg: float | None
    estimate: bool

    def cost_usd(self, length_m: float) -> float | None:
        """Price of a link of this length, US$."""
        return None if self.usd is None else self.usd + self.usd_per_m * length_m


def kits(
    catalogue: Catalogue, gbps: float, lower: LinkEnd, upper: LinkEnd, *, parallel: int | None = None
) -> tuple[LinkKit, ...]:
    """All ways to make a link of ``gbps`` between two ends, cheapest first, those without a price last.

    A copper or active cable joins cages of one size, or splits the larger into several of the smaller; a fibre joins
    two optics of its medium and standard, each of the speed of its cage.

    Parameters
    ----------
    parallel : int, optional
        Links between the same two devices, which a cable that fills shared cages at both ends has to carry. None: as
        many as it takes, so that no way is left out.
    """
    ways = [*_cabled(catalogue, gbps, lower, upper, parallel), *_optical(catalogue, gbps, lower, upper)]
    return tuple(sorted(ways, key=lambda kit: (kit.usd is None, kit.usd or 0.0, kit.max_w or 0.0, kit.parts)))


def cheapest_kit(
    catalogue: Catalogue,
    gbps: float,
    lower: LinkEnd,
    upper: LinkEnd,
    length_m: float,
    *,
    parallel: int | None = None,
) -> LinkKit | None:
    """The cheapest way that reaches ``length_m``; None where none does."""
    reaching = [kit for kit in kits(catalogue, gbps, lower, upper, parallel=parallel) if kit.reach_m >= length_m]
    return min(reaching, key=lambda kit: (kit.usd is None, kit.cost_usd(length_m) or 0.0, kit.parts), default=None)


def _cabled(
    catalogue: Catalogue, gbps: float, lower: LinkEnd, upper: LinkEnd, parallel: int | None
) -> Iterator[LinkKit]:
    """Cables with their ends on."""
    many, few = max(lower.links, upper.links), min(lower.links, upper.links)
    if parallel is not None and parallel % few:
        return
    for name in sorted(catalogue.cables):
        cable = catalogue.cables[name]
        if cable.medium in FIBRES or cable.speed != gbps * many or cable.ends * few != many:
            continue
        share = Fraction(1, many)
        yield _kit(cable, cable.length, ((cable, share),), ends=1 + cable.ends)


def _optical(catalogue: Catalogue, gbps: float, lower: LinkEnd, upper: LinkEnd) -> Iterator[LinkKit]:
    """Fibres between two optics."""
    fitting = {end: _modules(catalogue, gbps, end) for end in (lower, upper)}
    for name in sorted(catalogue.cables):
        cable = catalogue.cables[name]
        if cable.medium not in FIBRES or cable.speed < gbps:
            continue
        for low in fitting[lower]:
            for high in fitting[upper]:
                if low.medium == high.medium == cable.medium and _speaks(low, high):
                    reach = min(cable.length, low.reach_m, high.reach_m)
                    ends = ((low, Fraction(1, lower.links)), (high, Fraction(1, upper.links)))
                    yield _kit(cable, reach, ((cable, Fraction(1)), *ends), ends=0)


def _speaks(low: OpticModel, high: OpticModel) -> bool:
    """Whether two optics are of one standard, as far as both say."""
    return low.standard is None or high.standard is None or low.standard == high.standard


def _modules(catalogue: Catalogue, gbps: float, end: LinkEnd) -> list[OpticModel]:
    """Optics that fill a cage with links of this speed."""
    rows = (catalogue.optics[name] for name in sorted(catalogue.optics))
    return [row for row in rows if row.links == end.links and row.speed == gbps * end.links]


def _kit(
    cable: CableModel, reach_m: float, parts: tuple[tuple[CableModel | OpticModel, Fraction], ...], *, ends: int
) -> LinkKit:
    """Sums over the parts; ``ends`` of a cable draw its power, each as stated."""

    def total(name: str, times: int = 1) -> float | None:
        values = [(getattr(part, name), share * (times if part is cable else 1)) for part, share in parts]
        if any(value is None for value, share in values if share):
            return None
        return float(sum(value * share for value, share in values if share))

    return LinkKit(
        cable.medium,
        reach_m,
        tuple((part.model, share) for part, share in parts),
        total("usd"),
        cable.usd_per_m * float(parts[0][1]),
        total("typical_w", ends),
        total("max_w", ends),
        total("carbon_kg"),
        any(part.estimate for part, _ in parts),
    )
