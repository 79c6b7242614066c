"""The cheapest fabric by trying every number there is: no solver, and no code of the families of designs.

Sizes are walked in plain loops, from the hosts of a leaf to the cores. What is left out early is only what costs more
than the best so far before it is complete. Fat trees, SuperPODs and rail-only fabrics of all rails are special cases of
the Clos and rail-optimised fabrics that are walked; a test of their own compares them with published tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, inf

from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue
from topologies.link_kits import LinkEnd, kits


@dataclass(frozen=True)
class Use:
    """A switch model with all ports broken out into ``ways``."""

    model: str
    ways: int
    gbps: float
    ports: int
    cage: int
    protocol: str
    dollars: int  # thousandths

    def end(self, further: int = 1) -> LinkEnd:
        """End of a link on one of its ports."""
        return LinkEnd(self.cage * self.ways * further)


@dataclass
class Walk:
    """A walk over all designs of one need, with the cheapest so far in thousandths of a US$."""

    need: FabricNeed
    catalogue: Catalogue
    best: float = inf
    what: str = ""
    _links: dict[tuple[float, LinkEnd, LinkEnd, str], float] = field(default_factory=dict)

    # ---- figures ------------------------------------------------------------------------------------------------

    def splits(self, model: str) -> list[tuple[int, float]]:
        """Ways of breaking a port out, and the speed of each part; whole ports first."""
        row = self.catalogue.switches[model]
        if row.breakouts is None:
            return [(1, row.speed), (2, row.speed / 2), (4, row.speed / 4), (8, row.speed / 8)]
        texts = [text.rstrip("G").split("x") for text in row.breakouts]
        return [(1, row.speed), *((int(ways), float(gbps)) for ways, gbps in texts)]

    def use(self, model: str, ways: int, gbps: float) -> Use:
        """A model with its ports broken out."""
        row = self.catalogue.switches[model]
        dollars = round(((row.usd or 0) + (row.licence_usd or 0)) * 1000)
        return Use(model, ways, gbps, row.ports * ways, row.ports_per_cage, row.protocol, dollars)

    def leaves(self, gbps: float) -> list[Use]:
        """All switches with ports for hosts of a speed."""
        return [
            self.use(model, *split)
            for model in self.catalogue.switches
            for split in self.splits(model)
            if split[1] >= gbps
        ]

    def above(self, below: Use) -> list[Use]:
        """All switches above another, as finely broken out as its speed allows."""
        options = []
        for model, row in self.catalogue.switches.items():
            if row.protocol == below.protocol:
                fast = [split for split in self.splits(model) if split[1] >= below.gbps]
                options.append(self.use(model, *(max(fast) if fast else (1, row.speed))))
        return options

    def link(self, gbps: float, lower: LinkEnd, upper: LinkEnd, run: str) -> float:
        """Price of a link, inf where nothing makes it."""
        key = (gbps, lower, upper, run)
        if key not in self._links:
            metres = self.need.length_m[run]
            prices = [kit.cost_usd(metres) for kit in kits(self.catalogue, gbps, lower, upper) if kit.reach_m >= metres]
            known = [round(price * 1000) for price in prices if price is not None]
            self._links[key] = min(known, default=inf)
        return self._links[key]

    def between(self, lower: Use, upper: Use) -> tuple[float, float]:
        """Speed and price of a link between switches."""
        gbps = min(lower.gbps, upper.gbps)
        return gbps, self.link(gbps, lower.end(), upper.end(), "upper")

    def enough_up(self, down_gbps: Fraction, up_gbps: float) -> int:
        """Fewest uplinks for so much bandwidth down."""
        if self.need.oversubscription == inf:
            return 1
        return max(ceil(down_gbps / (Fraction(self.need.oversubscription) * Fraction(up_gbps))), 1)

    def offer(self, cost: float, what: str) -> None:
        """Keep a design if it is the cheapest."""
        if cost < self.best:
            self.best, self.what = cost, what

    # ---- two tiers ------------------------------------------------------------------------------------------------

    def one_switch(self, nics: int, gbps: float, planes: int) -> None:
        """All hosts on one switch of a plane."""
        links = self.need.hosts * nics
        for leaf in self.leaves(gbps):
            if links <= leaf.ports:
                cost = leaf.dollars + links * self.link(gbps, LinkEnd(), leaf.end(), "host")
                self.offer(planes * cost, f"one switch {leaf}")

    def filled(
        self, leaf: Use, gbps: float, together: int, columns: int, nics: int, split: int, planes: int
    ) -> Iterator[tuple[int, int, float, int]]:
        """Hosts, ports for hosts, their cost so far, and leaves, of every number of hosts on a leaf."""
        cables = self.need.hosts * nics * self.link(gbps, LinkEnd(), leaf.end(split), "host")
        for hosts in range(1, self.need.hosts + 1):
            down = ceil(hosts * together / split)
            if down >= leaf.ports:
                return
            if down * split // together == hosts:
                leaves = ceil(self.need.hosts / hosts) * columns
                cost = leaves * leaf.dollars + cables
                if planes * cost < self.best:
                    yield hosts, down, cost, leaves

    def two_tiers(self, gbps: float, nics: int, together: int, planes: int, splits: bool) -> None:
        """Leaves of ``together`` NIC ports of every host, under spines."""
        columns = nics // together
        for leaf in self.leaves(gbps):
            ways = [1]
            if splits and leaf.ways == 1:
                ways += [parts for parts, each in self.splits(leaf.model) if parts > 1 and each >= gbps]
            for split in ways:
                for hosts, down, cost, leaves in self.filled(leaf, gbps, together, columns, nics, split, planes):
                    for spine in self.above(leaf):
                        up_gbps, price = self.between(leaf, spine)
                        least = self.enough_up(Fraction(hosts * together) * Fraction(gbps), up_gbps)
                        for up in range(least, leaf.ports - down + 1):
                            if planes * (cost + leaves * up * price) >= self.best:
                                break
                            for spines in range(1, up + 1):
                                if up % spines == 0 and leaves * up // spines <= spine.ports:
                                    total = cost + leaves * up * price + spines * spine.dollars
                                    self.offer(planes * total, f"{planes}x {leaf} /{split} {spine}")

    # ---- three tiers ------------------------------------------------------------------------------------------------

    def pods(
        self, leaf: Use, spine: Use, hosts: int, down: int, gbps: float, together: int
    ) -> Iterable[tuple[int, int]]:
        """Uplinks of a leaf and spines of a pod."""
        up_gbps, _ = self.between(leaf, spine)
        least = self.enough_up(Fraction(hosts * together) * Fraction(gbps), up_gbps)
        for up in range(least, leaf.ports - down + 1):
            for spines in range(1, up + 1):
                if up % spines == 0:
                    yield up, spines

    def three_tiers(self, gbps: float, nics: int, together: int, planes: int, rails: bool) -> None:
        """Pods under cores: with ``rails`` spines are of one column of leaves, and the last pod may be smaller."""
        columns = nics // together
        for leaf in self.leaves(gbps):
            for hosts, down, cost, leaves in self.filled(leaf, gbps, together, columns, nics, 1, planes):
                for spine in self.above(leaf):
                    up_gbps, price = self.between(leaf, spine)
                    for up, spines in self.pods(leaf, spine, hosts, down, gbps, together):
                        if planes * (cost + leaves * up * price + columns * spines * spine.dollars) >= self.best:
                            continue
                        units = leaves // columns
                        for size in range(1, min(units, (spine.ports - 1) // (up // spines)) + 1):
                            pods = ceil(units / size)
                            there = leaves if rails else size * pods
                            own = cost + (there - leaves) * leaf.dollars + there * up * price
                            own += pods * columns * spines * spine.dollars
                            if planes * own < self.best:
                                self.cores(
                                    planes, spine, up_gbps, size * up // spines, pods * columns, spines, own, rails
                                )

    def cores(
        self, planes: int, spine: Use, down_gbps: float, down: int, groups: int, spines: int, cost: float, rails: bool
    ) -> None:
        """Cores above ``groups`` of ``spines``, each with so many cables down."""
        for core in self.above(spine):
            gbps, price = self.between(spine, core)
            least = self.enough_up(Fraction(down) * Fraction(down_gbps), gbps)
            for up in range(least, spine.ports - down + 1):
                whole = cost + groups * spines * up * price
                if planes * whole >= self.best:
                    break
                if rails:
                    fitting = [n * spines for n in range(1, up + 1) if up % n == 0 and groups * up // n <= core.ports]
                else:
                    total = spines * up
                    fitting = [n for n in range(1, total + 1) if total % n == 0 and groups * total // n <= core.ports]
                if fitting:
                    self.offer(planes * (whole + min(fitting) * core.dollars), f"{planes}x three tiers {spine} {core}")

    # ---- planes that meet in the core ----------------------------------------------------------------------------

    def dual_planes(self, ports: int, *, cores: bool) -> None:
        """A ToR for every rail and NIC port of a segment, in planes of aggregation switches; one model."""
        gbps, nics = self.need.nic_gbps / ports, self.need.nics
        for use in self.leaves(gbps):
            split = int(use.gbps // gbps)
            if split > 1 and not (use.ways == 1 and split in [ways for ways, _ in self.splits(use.model)]):
                continue
            _, price = self.between(use, use)
            for hosts, down, cost, tors in self.filled(use, gbps, 1, nics, nics, split, ports):
                segments = tors // nics
                least = self.enough_up(Fraction(hosts) * Fraction(gbps), use.gbps)
                for up in range(least, use.ports - down + 1):
                    for aggs in (count for count in range(1, up + 1) if up % count == 0):
                        plane = cost + tors * up * price + aggs * use.dollars
                        if tors * up // aggs <= use.ports:
                            self.offer(ports * plane, f"{ports} planes {use}")
                        if cores and ports * plane < self.best:
                            self._pods_of_planes(ports, use, nics, segments, up, aggs, cost, tors, price)

    def _pods_of_planes(
        self, ports: int, use: Use, nics: int, segments: int, up: int, aggs: int, cost: float, tors: int, price: float
    ) -> None:
        for size in range(1, segments + 1):
            pods, down = ceil(segments / size), size * nics * up // aggs
            if pods < 2 or down >= use.ports:
                continue
            more = pods * size * nics - tors
            own = ports * (cost + more * use.dollars + (tors + more) * up * price + pods * aggs * use.dollars)
            for agg_up in range(self.enough_up(Fraction(down), 1.0), use.ports - down + 1):
                whole = own + ports * pods * aggs * agg_up * price
                if whole >= self.best:
                    break
                total = aggs * agg_up
                fitting = [n for n in range(1, total + 1) if total % n == 0 and ports * pods * total // n <= use.ports]
                if fitting:
                    self.offer(whole + min(fitting) * use.dollars, f"{ports} planes in pods {use}")

    # ---- all ------------------------------------------------------------------------------------------------------

    def plane(self, nics: int, gbps: float, planes: int, kinds: Sequence[str]) -> None:
        """Every network of one plane."""
        if "single-switch" in kinds:
            self.one_switch(nics, gbps, planes)
        if "leaf-spine" in kinds or "clos" in kinds:
            self.two_tiers(gbps, nics, nics, planes, splits=True)
        if "clos" in kinds:
            self.three_tiers(gbps, nics, nics, planes, rails=False)
        if "rail-optimised" in kinds:
            for together in (count for count in range(1, nics + 1) if nics % count == 0):
                self.two_tiers(gbps, nics, together, planes, splits=False)
                self.three_tiers(gbps, nics, together, planes, rails=True)


CLOS_LIKE = ("single-switch", "leaf-spine", "clos", "rail-optimised", "dual-plane", "multi-plane")


def cheapest_usd(need: FabricNeed, catalogue: Catalogue) -> float:
    """Price of switches and links of the cheapest fabric of the families asked for, US$; inf where none does.

    NICs of GPUs are on planes that all of them are on, but where a need allows ``parts``, or asks for planes alone.
    """
    walk, kinds = Walk(need, catalogue), need.kinds
    per_gpu = need.rail == "per-gpu" and need.nics > 1
    for ports in need.nic_ports:
        if ports == 1:
            walk.plane(need.nics, need.nic_gbps, 1, kinds)
        each = need.nics * ports
        for planes in (count for count in range(2, each + 1) if each % count == 0 and "multi-plane" in kinds):
            nics = each // planes
            if per_gpu and (planes % ports or (planes > ports and not need.parts and kinds != ("multi-plane",))):
                continue
            walk.plane(nics, need.nic_gbps / ports, planes, CLOS_LIKE)
        if ports > 1 and "dual-plane" in kinds:
            walk.dual_planes(ports, cores=True)
    return walk.best / 1000
