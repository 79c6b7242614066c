"""Sizing of a folded Clos of two to four tiers: what is asked for, exactly, in as few switches as do it.

Leaves and the spines above them form pods. With three tiers pods meet at cores; with four they meet at super-spines, in
zones, and zones meet at cores. Above the spines switches lie in **planes**: a plane holds the switches of certain
positions in every pod (or zone) and those above them, and planes meet below only. Every switch has the same number of
cables to every switch above it that it reaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, gcd, lcm, prod

from topologies.clos_counts import ROLES, ClosCounts, ClosPlan, Level
from topologies.clos_ports import TierPorts, host_and_uplinks
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.hosts import AttachOrder, HostGroup, fewest_leaves, hosts_fit
from topologies.oversubscription import as_written, plural
from topologies.units import to_one

_MORE_PODS = 64  # numbers of pods that are tried for an exact ratio
_MOST_TRIED = 4096  # sizes of a pod that are tried
_CONTAINER = {"spine": "pod", "superspine": "zone"}
_INSIDE = {2: "leaves_per_pod", 3: "pods", 4: "zones"}  # keys that count what a switch of a tier joins


@dataclass(frozen=True)
class ClosDesign:
    """A Clos of a number of tiers before it is counted: the ports of every tier, and the counts asked for."""

    tiers: Sequence[TierPorts]  # from the leaves up to those below the top
    top: TierPorts
    counts: ClosCounts = field(default_factory=ClosCounts)
    step: int = 1  # a pod holds a multiple of so many leaves, so that pairs stay in one pod

    @property
    def count(self) -> int:
        """Tiers of switches."""
        return len(self.tiers) + 1

    @cached_property
    def leaf(self) -> tuple[int, int]:
        """Ports of a leaf for hosts and for uplinks."""
        return host_and_uplinks(self.tiers[0], self.counts.hosts_per_leaf)

    # ---- one tier ----------------------------------------------------------------------------------------------

    def level(self, tier: int, members: int, below: Level) -> Level:
        """The fewest switches of a tier that join ``members`` of what is below, spread evenly.

        Raises
        ------
        TopologyError
            When the uplinks do not divide (FP3024), ports do not suffice (FP3026) or do not make the ratio (FP3037).
        """
        ports = self.top if tier == self.count else self.tiers[tier - 1]
        spreads = list(self._spreads(tier, members, below))
        if not spreads:
            raise self._uneven(tier, below)
        fitting = [spread for spread in spreads if spread.down + (tier < self.count) <= ports.radix]
        if not fitting:
            raise self._too_narrow(tier, members, ports, min(spread.down for spread in spreads))
        if tier == self.count:
            return fitting[0]
        for spread in fitting:
            up = ports.up_for(spread.down)
            if up is not None and spread.down + up <= ports.radix:
                return replace(spread, up=up)
        exact = all(ports.up_for(spread.down) is not None for spread in fitting)
        if exact or not any(ports.near(spread.down) for spread in fitting):
            raise self._too_narrow(tier, members, ports, min(spread.down for spread in fitting))
        raise self._inexact(tier, members, ports, fitting)

    def _spreads(self, tier: int, members: int, below: Level) -> Iterator[Level]:
        """Ways of spreading the uplinks of the tier below, the fewest switches first."""
        width, parallel = self.counts.width(tier, self.count), self.tiers[tier - 2].parallel
        for planes in self._planes(tier, below.width):
            for reached in [width // planes] if width is not None else divisors(below.up):
                if below.up % reached or (parallel is not None and below.up != parallel * reached):
                    continue
                each = below.up // reached
                yield Level(planes * reached, planes, each, members * (below.width // planes) * each)

    def _planes(self, tier: int, below: int) -> list[int]:
        """Numbers of planes that may be; the most that divide what is asked for come first."""
        width, asked = self.counts.width(tier, self.count), self.counts.planes
        common = divisors(gcd(below, width or below))
        if tier < self.count or asked is None or tier == 2:
            return common[::-1] if width is not None else [below if tier > 2 else 1]
        if asked not in common:
            lower = self.tiers[tier - 2].role
            cores = "" if width is None else f" and {width} cores"
            raise TopologyError(
                f"{below} {lower}s of a {_CONTAINER[lower]}{cores} do not split into {asked} planes",
                where="planes",
                hint=f"planes: {', '.join(map(str, common))} would",
                code="FP3024",
            )
        return [asked]

    # ---- refusals ----------------------------------------------------------------------------------------------

    def _uneven(self, tier: int, below: Level) -> TopologyError:
        """Uplinks that do not spread over what is above."""
        lower, role = self.tiers[tier - 2], ROLES[self.count][tier - 1]
        width, parallel = self.counts.width(tier, self.count), lower.parallel
        if width is not None and parallel is None:
            options = [count for count in divisors(below.up) if count <= max(width * 2, 8)]
            return TopologyError(
                f"{below.up} uplinks of a {lower.role} do not spread evenly over {width} {role}s",
                where=_width_key(tier, self.count),
                hint=f"{role}s that divide {below.up}: {', '.join(map(str, options))}; "
                f"or uplinks: {{{lower.role}: {-(-below.up // width) * width}}}",
                code="FP3024",
            )
        over = f"{width} {role}s" if width is not None else f"{role}s"
        options = [count for count in divisors(below.up) if width is None or count * width <= below.up]
        return TopologyError(
            f"{parallel} parallel cables do not spread {below.up} uplinks of a {lower.role} over {over}",
            where=("parallel", lower.role),
            hint=f"parallel: {', '.join(map(str, options))} would",
            code="FP3024",
        )

    def _too_narrow(self, tier: int, members: int, ports: TierPorts, down: int) -> TopologyError:
        """A switch that has too few ports for what it joins."""
        lower = self.tiers[tier - 2]
        if tier == 2 and lower.parallel is not None:
            up, options = self.leaf[1], self._parallel_options(members)
            return TopologyError(
                f"{lower.parallel} parallel cables do not spread {up} uplinks over "
                f"{up // max(options, default=1)} spines or more",
                where=("parallel", lower.role),
                hint=f"parallel: {', '.join(map(str, options))} would" if options else "fewer leaves",
                code="FP3024",
            )
        if tier < self.count and down < ports.radix:
            up = ports.up_for(down) or ceil(down / ports.port_ratio)
            most = ports.most()[0]
            message = f"a {ports.role} needs {down} ports down and {up} up, and has {ports.radix}"
            hint = f"at most {most} down; fewer {_INSIDE[tier]}, or a switch with more ports"
            return TopologyError(message, where=_INSIDE[tier], hint=hint, code="FP3026")
        what = {2: "leaves", 3: "pods", 4: "zones"}[tier]
        each = f"a {ports.role} joins {members} {what} by {down} ports or more, and has {ports.radix}"
        hint = f"at most {ports.radix} {what} fit; use larger pods or a larger radix, or more {ports.role}s"
        return TopologyError(each, where=_INSIDE[tier], hint=hint, code="FP3026")

    def _inexact(self, tier: int, members: int, ports: TierPorts, fitting: Sequence[Level]) -> TopologyError:
        """A ratio that the ports down do not make with any number of uplinks."""
        downs = sorted({spread.down for spread in fitting}, reverse=True)
        near = [option for down in downs for option in ports.near(down)]
        unique: dict[Fraction, tuple[int, int]] = {}
        for option in sorted(near, key=lambda option: abs(float(ports.ratio(*option)) - ports.wanted)):
            unique.setdefault(ports.ratio(*option), option)
        options = [*unique.values()][:2]
        others = []
        if self.counts.members(tier) is not None:
            multiple = ports.port_ratio.numerator
            larger = -(-members // multiple) * multiple
            if larger <= ports.most()[0] and larger != members:
                others.append(f"{_INSIDE[tier]}: {larger} makes {to_one(ports.wanted)}")
        return ports.refusal(options, f"with {members} {_INSIDE[tier].partition('_')[0]} below", others)

    def _parallel_options(self, leaves: int) -> list[int]:
        """Numbers of parallel cables between a leaf and each spine that join so many leaves."""
        ports = self.top if self.count == 2 else self.tiers[1]
        room = ports.radix - (self.count > 2)
        options = []
        for count in divisors(self.leaf[1]):
            design = replace(self, tiers=(replace(self.tiers[0], parallel=count), *self.tiers[1:]))
            if any(spread.down <= room for spread in design._spreads(2, leaves, Level(1, 1, 0, *self.leaf))):
                options.append(count)
        return options

    # ---- all tiers -----------------------------------------------------------------------------------------------

    def arrange(self, leaves: int) -> ClosPlan:
        """The smallest design of at least so many leaves; pods of equal size."""
        below, need = Level(1, 1, 0, self.leaf[0], self.leaf[1]), leaves
        members, levels, notes = [], [], []
        for tier in range(2, self.count):
            size, blocks, level = self._blocks(tier, need, below)
            step = self.step if tier == 2 else 1
            smallest = -(-need // (blocks * step)) * step
            if self.counts.members(tier) is None and size > smallest:
                notes.append(self._said_larger(tier, need, size, blocks, smallest, below))
            members.append(size)
            levels.append(level)
            below, need = level, blocks
        top = self._joined(self.count, need)
        return ClosPlan(*self.leaf, (*members, top), (*levels, self.level(self.count, top, below)), tuple(notes))

    def _said_larger(self, tier: int, need: int, size: int, blocks: int, smallest: int, below: Level) -> str:
        """That pods are larger than they need be, why, and the ratio that does without."""
        ports, what = self.tiers[tier - 1], {2: "leaves", 3: "pods"}[tier]
        downs = [spread.down for spread in self._spreads(tier, smallest, below) if spread.down < ports.radix]
        near = [ports.ratio(*option) for down in downs for option in ports.near(down)]
        best = min(near, key=lambda ratio: abs(float(ratio) - ports.wanted), default=None)
        other = "" if best is None else f'; {ports.role}: "{as_written(best)}" needs no more than {smallest * blocks}'
        return (
            f"{size * blocks} {what} where {need} would do: {to_one(ports.wanted)} of the {plural(ports.role)} needs "
            f"a multiple of {ports.port_ratio.numerator} {what} below each{other}"
        )

    def _joined(self, tier: int, need: int) -> int:
        """What the switches of a tier join: as many as are asked for, which must be enough."""
        asked = self.counts.members(tier)
        if asked is not None and asked < need:
            raise TopologyError(
                f"{_INSIDE[tier]} is {asked} but {need} are needed",
                where=_INSIDE[tier],
                hint=f"set {_INSIDE[tier]}: {need} or more, or leave it out",
                code="FP3022",
            )
        return asked or need

    def _blocks(self, tier: int, need: int, below: Level) -> tuple[int, int, Level]:
        """Size and number of the pods (or zones) that hold ``need`` leaves (or pods), and their spines."""
        size = self.counts.members(tier)
        if size is not None:
            return size, self._groups(tier, -(-need // size)), self.level(tier, size, below)
        step = self.step if tier == 2 else 1
        asked = self._groups(tier, 0) or None
        most = max(self._most_members(tier, below), 1)
        fewest = asked or max(-(-need // most), 1)
        refused: TopologyError | None = None
        for blocks in range(fewest, fewest + (1 if asked else _MORE_PODS)):
            smallest = max(-(-need // (blocks * step)) * step, step)
            whole = lcm(step, self.tiers[tier - 1].port_ratio.numerator)
            for members in range(smallest, max(min(-(-smallest // whole) * whole, most), smallest) + 1, step):
                try:
                    return members, blocks, self.level(tier, members, below)
                except TopologyError as error:
                    refused = refused or error
        raise refused or AssertionError("a number of pods is tried at least")

    def _groups(self, tier: int, need: int) -> int:
        """Pods (or zones): as many as are asked for, or as are needed."""
        counts = [self.counts.members(above) for above in range(tier + 1, self.count + 1)]
        known = [count for count in counts if count is not None]
        return max(prod(known), need) if len(known) == len(counts) else need

    def _most_members(self, tier: int, below: Level) -> int:
        """The most leaves of a pod (or pods of a zone); one cable to each switch above reaches the furthest."""
        most = self.top.radix if tier == self.count else self.tiers[tier - 1].most()[0]
        each = below.width // max(self._planes(tier, below.width)) * (self.tiers[tier - 2].parallel or 1)
        step = self.step if tier == 2 else 1
        start = max(most // (each * step), 1) * step
        refused: TopologyError | None = None
        for members in range(start, max(start - _MOST_TRIED * step, 0), -step):
            try:
                self.level(tier, members, below)
            except TopologyError as error:
                refused = refused or error
            else:
                return members
        raise refused or AssertionError("a size is tried at least")

    @cached_property
    def most_leaves(self) -> int:
        """The most leaves that the ports, and the counts asked for, allow."""
        below, leaves = Level(1, 1, 0, self.leaf[0], self.leaf[1]), 1
        for tier in range(2, self.count + 1):
            members = self.counts.members(tier) or self._most_members(tier, below)
            leaves *= members
            below = self.level(tier, members, below)
        return leaves


def _width_key(tier: int, tiers: int) -> str:
    """The key that counts the switches of a tier."""
    if tier == 2:
        return "spines_per_pod"
    return "cores" if tier == tiers else "superspines_per_zone"


# ---- sizing ----------------------------------------------------------------------------------------------------------


def _leaves_for(groups: Sequence[HostGroup], down: int, at_least: int, order: AttachOrder) -> int:
    """Fewest leaves that take the groups whole."""
    leaves = fewest_leaves(groups, down, at_least=at_least, order=order)
    if leaves is None:
        widest = max(groups, key=lambda group: group.leaf_ports)
        raise TopologyError(
            f"a host of {widest.name} needs {widest.leaf_ports} ports on one leaf, which has {down} for hosts",
            where="radix",
            hint="use a larger radix, or fewer NICs per host on this fabric",
            code="FP3022",
        )
    return leaves


def plan(
    design: Callable[[int], ClosDesign],
    endpoints: int | None,
    tiers: int | None,
    groups: Sequence[HostGroup] = (),
    *,
    order: AttachOrder = "fill",
) -> ClosPlan:
    """Smallest legal design: a third tier only when two do not reach, every uplink spread evenly.

    Listed groups are attached whole: a host's NICs go to one leaf, or to a pair of leaves of one pod.

    Parameters
    ----------
    design : function
        The design with so many tiers.
    endpoints : int or None
        NIC ports to attach; None: those of the groups, or as many as fit.

    Raises
    ------
    TopologyError
        When a count or a ratio cannot be built exactly (FP3024, FP3037), the endpoints exceed what the
        ports reach (FP3027; the hint says how many fit), are fewer than the NIC
        ports of the groups (FP3032), or a host exceeds a leaf (FP3022).
    """
    attached = sum(len(group.hosts) * group.nics for group in groups)
    if endpoints is not None and endpoints < attached:
        raise TopologyError(
            f"endpoints is {endpoints:,} but the hosts attached have {attached:,} NIC ports",
            where="endpoints",
            hint=f"set endpoints: {attached} or more, or leave it out to follow the hosts",
            code="FP3032",
        )
    first = design(tiers or 3)
    down = first.leaf[0]
    fixed = tiers or (first.counts.fewest_tiers if first.counts.structure and not (endpoints or attached) else 0)
    wanted = endpoints or attached or design(fixed or 3).most_leaves * down
    leaves = _leaves_for(groups, down, -(-wanted // down), order)
    while True:
        chosen = design(fixed) if fixed else _fewest_tiers(design, first.counts.fewest_tiers, leaves)
        if leaves > chosen.most_leaves and chosen.tiers[0].parallel is None:
            raise _beyond(design, chosen, wanted, leaves)
        sizes = chosen.arrange(leaves)
        if hosts_fit(groups, sizes.leaves, down, order):
            return sizes
        leaves = _leaves_for(groups, down, sizes.leaves + 1, order)


def _fewest_tiers(design: Callable[[int], ClosDesign], fewest: int, leaves: int) -> ClosDesign:
    """The design of the fewest tiers that reach so many leaves; a fourth tier only where it is asked for."""
    for count in range(fewest, max(fewest, 3)):
        chosen = design(count)
        if leaves <= chosen.most_leaves:
            return chosen
    return design(max(fewest, 3))


def _beyond(design: Callable[[int], ClosDesign], chosen: ClosDesign, wanted: int, leaves: int) -> TopologyError:
    """The error of a size beyond reach."""
    radix, down = chosen.tiers[0].radix, chosen.leaf[0]
    message = f"{wanted:,} endpoints do not fit {chosen.count} tiers of radix {radix}"
    if wanted <= chosen.most_leaves * down:
        message += f": hosts are whole, and need {leaves:,} leaves of {down} host ports"
    if chosen.counts.structure:
        hint = f"the counts asked for hold {chosen.most_leaves:,} leaves, {chosen.most_leaves * down:,} endpoints"
    else:
        two, three, four = (design(count).most_leaves * down for count in (2, 3, 4))
        hint = f"radix {radix} reaches {two:,} endpoints with two tiers and {three:,} with three (tiers: 4, {four:,})"
    return TopologyError(message, where="endpoints", hint=hint, code="FP3027")
