"""How the ports of a switch model can be used in a tier: whole, or each broken out into slower ones.

Switches that face each other use the speed of the lower one's ports: the ports of the upper one are broken out as far
as that does not slow the link, and a slower upper switch slows it. Switches of two protocols never meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue, SwitchModel
from topologies.link_kits import LinkEnd

_WAYS = (2, 4, 8)  # that a port splits into where its model lists no breakouts


@dataclass(frozen=True, order=True)
class PortOption:
    """One way of using all ports of a switch model.

    Attributes
    ----------
    ports, gbps : int, float
        Ports, and the speed of one, after the breakout.
    ways : int
        Ports that each port of the model is broken out into.
    cage_ports : int
        Ports of the model that share a cage.
    splits : tuple of (int, float)
        Further breakouts that its ports have for slower hosts: ways, and speed of each.
    """

    model: str
    ways: int
    gbps: float
    ports: int
    cage_ports: int
    protocol: str
    splits: tuple[tuple[int, float], ...]

    @property
    def label(self) -> str:
        """Short name, for names of variants."""
        return self.model if self.ways == 1 else f"{self.model}/{self.breakout}"

    @property
    def breakout(self) -> str:
        """The breakout as scenarios write it."""
        return f"{self.ways}x{self.gbps:g}"

    def end(self, ways: int = 1) -> LinkEnd:
        """End of a link on a port; ``ways``: links that the port is broken out into further."""
        return LinkEnd(self.cage_ports * self.ways * ways)

    def spec(self, **keys: Any) -> dict[str, Any]:
        """The switch as a scenario describes it."""
        return {"model": self.model} | ({"breakout": self.breakout} if self.ways > 1 else {}) | keys

    def whole_ports(self, links: int) -> int:
        """Ports of the model that so many ports take."""
        return -(-links // self.ways)


def _breakouts(row: SwitchModel) -> Iterator[tuple[int, float]]:
    """Ways and speed of every breakout of a model, and of none."""
    yield 1, row.speed
    if row.breakouts is None:
        yield from ((ways, row.speed / ways) for ways in _WAYS)
        return
    for text in sorted(set(row.breakouts)):
        ways, gbps = text.removesuffix("G").split("x")
        if int(ways) > 1 and 0 < int(ways) * float(gbps) <= row.speed:
            yield int(ways), float(gbps)


def _option(row: SwitchModel, ways: int, gbps: float) -> PortOption:
    splits = tuple((parts, each) for parts, each in _breakouts(row) if parts > 1) if ways == 1 else ()
    return PortOption(row.model, ways, gbps, row.ports * ways, row.ports_per_cage, row.protocol, splits)


def _rows(need: FabricNeed, catalogue: Catalogue, tier: tuple[str, ...]) -> list[SwitchModel]:
    """Models that a design may use in a tier, by name."""
    names = sorted(catalogue.switches)
    allowed = [set(models) for models in (need.switches, tier) if models]
    return [catalogue.switches[name] for name in names if all(name in models for models in allowed)]


def host_options(need: FabricNeed, catalogue: Catalogue, gbps: float) -> list[PortOption]:
    """Ways of using a model for hosts of this speed: every breakout whose ports are fast enough."""
    rows = _rows(need, catalogue, need.leaf_switches)
    return sorted(_option(row, ways, each) for row in rows for ways, each in set(_breakouts(row)) if each >= gbps)


def equal_options(need: FabricNeed, catalogue: Catalogue, gbps: float) -> list[PortOption]:
    """The same where all tiers are of one model."""
    options = host_options(need, catalogue, gbps)
    return [option for option in options if not need.upper_switches or option.model in need.upper_switches]


def upper_options(need: FabricNeed, catalogue: Catalogue, below: PortOption) -> list[PortOption]:
    """Every model of the protocol above ports of ``below``, broken out as far as that does not slow the links."""
    options = []
    for row in _rows(need, catalogue, need.upper_switches):
        if row.protocol == below.protocol:
            fitting = [(ways, -gbps) for ways, gbps in _breakouts(row) if gbps >= below.gbps]
            ways, slow = max(fitting, default=(1, -row.speed))
            options.append(_option(row, ways, -slow))
    return sorted(options)


def host_splits(option: PortOption, gbps: float) -> list[tuple[int, str | None]]:
    """Ways, and breakout as scenarios write it, of single ports for hosts of this speed; none first."""
    slowest: dict[int, float] = {}
    for ways, each in option.splits:
        if each >= gbps:
            slowest[ways] = min(each, slowest.get(ways, each))
    return [(1, None), *((ways, f"{ways}x{each:g}") for ways, each in sorted(slowest.items()))]
