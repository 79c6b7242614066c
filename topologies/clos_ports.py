"""Ports of a switch of a folded Clos that point down and up: exactly the oversubscription asked for, or a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from topologies.errors import TopologyError
from topologies.folded_clos import down_ports, up_ports
from topologies.oversubscription import agrees, as_written, exact, gbps_fraction, plural
from topologies.units import to_one

_TRIED = 4096  # uplinks that are tried for the nearest ratio


@dataclass(frozen=True)
class TierPorts:
    """What is known of the switches of a tier before they are counted.

    ``asked`` is their oversubscription; None is 1:1 where nothing else says. ``uplinks`` and ``parallel`` are counts
    that were asked for: ports up, and cables to each switch above.
    """

    role: str
    radix: int
    down_gbps: float
    up_gbps: float
    asked: float | None = None
    at_most: bool = False
    uplinks: int | None = None
    parallel: int | None = None
    uplinks_at: tuple[str, ...] = ("uplinks",)  # the key that counts them, before the role where there are several

    @property
    def wanted(self) -> float:
        """The oversubscription to build."""
        return 1.0 if self.asked is None else self.asked

    @property
    def port_ratio(self) -> Fraction:
        """Ports down for every port up, at the speeds of both."""
        return exact(self.wanted) * gbps_fraction(self.up_gbps) / gbps_fraction(self.down_gbps)

    def ratio(self, down: int, up: int) -> Fraction:
        """Bandwidth down over bandwidth up."""
        return gbps_fraction(self.down_gbps) * down / (gbps_fraction(self.up_gbps) * up)

    def most(self) -> tuple[int, int]:
        """The most ports down, and the ports up, within the radix.

        Raises
        ------
        TopologyError
            When the ports cannot be split so (FP3037).
        """
        if self.uplinks is not None:
            return self._down_for(self.uplinks)
        step = self.port_ratio
        times = self.radix // (step.numerator + step.denominator)
        if times:
            return times * step.numerator, times * step.denominator
        if self.at_most:
            down = down_ports(self.radix, float(step))
            if down + up_ports(down, float(step)) <= self.radix:
                return down, up_ports(down, float(step))
        raise self.refusal(self._nearest(), f"with {self.radix} ports")

    def _down_for(self, up: int) -> tuple[int, int]:
        """Ports down that given uplinks allow: all others, unless a ratio is asked for."""
        if up >= self.radix:
            raise TopologyError(
                f"{up} uplinks of a {self.role} leave no port of {self.radix} down",
                where=(*self.uplinks_at, *([self.role] if len(self.uplinks_at) == 1 else [])),
                hint=f"at most {self.radix - 1} uplinks leave one; half of the ports up is 1:1",
                code="FP3011",
            )
        if self.asked is None:
            return self.radix - up, up
        down = up * self.port_ratio
        most = self.radix - up
        if down > most and not self.at_most:
            raise self.refusal([(most, up)], f"with {up} of {self.radix} ports up")
        whole = min(floor(down), most)
        if whole >= 1 and (self.at_most or agrees(self.wanted, self.ratio(whole, up))):
            return whole, up
        near = [(count, up) for count in (floor(down), ceil(down)) if 1 <= count <= most]
        raise self.refusal(near, f"with {up} uplinks")

    def up_for(self, down: int) -> int | None:
        """Uplinks for so many ports down; None when no whole number is what was asked for."""
        if self.uplinks is not None:
            fits = self.asked is None or agrees(self.wanted, self.ratio(down, self.uplinks))
            return self.uplinks if fits or (self.at_most and self.ratio(down, self.uplinks) <= self.wanted) else None
        up = down / self.port_ratio
        for count in (floor(up), ceil(up)):
            if count >= 1 and agrees(self.wanted, self.ratio(down, count)):
                return count
        return ceil(up) if self.at_most else None

    def near(self, down: int) -> list[tuple[int, int]]:
        """Ways of pointing up next to the ratio asked for, with so many ports down."""
        if self.uplinks is not None:
            return [(down, self.uplinks)]
        up = down / self.port_ratio
        counts = dict.fromkeys((floor(up), ceil(up)))
        return [(down, count) for count in counts if count >= 1 and down + count <= self.radix]

    def _nearest(self) -> list[tuple[int, int]]:
        """The ratios next below and above the one asked for that the radix has."""
        step = self.port_ratio
        below: list[tuple[Fraction, int, int]] = []
        above: list[tuple[Fraction, int, int]] = []
        for up in range(1, min(self.radix, _TRIED)):
            for down, side in ((min(floor(up * step), self.radix - up), below), (floor(up * step) + 1, above)):
                if 1 <= down <= self.radix - up:
                    side.append((abs(Fraction(down, up) - step), -down, up))
        return [(-down, up) for _, down, up in (min(side) for side in (below, above) if side)]

    def refusal(self, near: Iterable[tuple[int, int]], why: str, others: Sequence[str] = ()) -> TopologyError:
        """The error of a ratio that cannot be built exactly, with the nearest that can."""
        options = sorted(near, key=lambda ports: abs(float(self.ratio(*ports)) - self.wanted))
        shown = [f"{down} down / {up} up is {to_one(float(self.ratio(down, up)))}" for down, up in options]
        takes = [
            f'write {self.role}: "{as_written(self.ratio(down, up))}" to take {down} down / {up} up'
            for down, up in options
        ]
        knowingly = ["at_most: true takes the nearest below"] if self.uplinks is None else []
        return TopologyError(
            f"{to_one(self.wanted)} of the {plural(self.role)} cannot be built exactly {why}"
            + (f": {', '.join(shown)}" if shown else ""),
            where=("oversubscription", self.role),
            hint="; ".join([*takes, *others, *knowingly]) or "another ratio, or switches with more ports",
            code="FP3037",
        )


def host_and_uplinks(ports: TierPorts, hosts: int | None) -> tuple[int, int]:
    """Ports of a leaf for hosts and for uplinks.

    Raises
    ------
    TopologyError
        When the leaf has fewer ports (FP3011), or not the ratio asked for (FP3037).
    """
    if hosts is None:
        return ports.most()
    up = ports.up_for(hosts)
    if up is None:
        raise ports.refusal(ports.near(hosts), f"with {hosts} host ports")
    if hosts + up > ports.radix:
        raise TopologyError(
            f"a leaf needs {hosts + up} ports but has {ports.radix}",
            where="hosts_per_leaf",
            notes=[f"{hosts} down + {up} up = {hosts + up}"],
            hint="fewer hosts_per_leaf, fewer uplinks, or a switch with more ports",
            code="FP3011",
        )
    return hosts, up
