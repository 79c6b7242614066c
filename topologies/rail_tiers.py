"""Spines and cores above the leaves of rails, with three tiers: pods of units, and as many uplinks as are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from topologies.builder import check_even
from topologies.clos_ports import TierPorts
from topologies.divisors import divisors
from topologies.errors import TopologyError
from topologies.folded_clos import CorePlane, core_plane, smallest_divisor
from topologies.switches import SwitchSpec
from topologies.units import to_one

UNLIMITED = 2**31 - 1  # ports of a switch whose radix nobody says


@dataclass(frozen=True)
class RailPods:
    """Pods of units that share spines."""

    count: int
    units: int  # units per pod; the last pod may have fewer


@dataclass(frozen=True)
class UpperTiers:
    """Counts above the leaves: spines of one pod and rail, and cores of one plane."""

    pods: RailPods
    groups: int  # of spines: pods x rails
    spines: int
    parallel: int
    spine_up: int
    plane: CorePlane

    @property
    def switches(self) -> int:
        """Spines and cores in all."""
        return self.spines * (self.groups + self.plane.cores)

    @property
    def cables(self) -> int:
        """Cables between spines and cores."""
        return self.groups * self.spines * self.spine_up


def spine_ports(
    spine: SwitchSpec, up: int | None, asked: float | None, *, at_most: bool, down_gbps: float, up_gbps: float
) -> TierPorts:
    """The ports of a spine; without a ratio asked for, as many up as down whatever the speeds."""
    speeds = (down_gbps, up_gbps) if asked is not None else (1.0, 1.0)
    return TierPorts("spine", spine.ports or UNLIMITED, *speeds, asked, at_most, up, uplinks_at=("spine", "up"))


def plan_upper(
    units: int,
    rails: int,
    up: int,
    ports: TierPorts,
    core: SwitchSpec,
    *,
    units_per_pod: int | None = None,
    spines: int | None = None,
    at_least: bool = False,
) -> UpperTiers:
    """Pods of equal size, as few as the spines allow; the fewest spines and cores that take the uplinks evenly.

    Parameters
    ----------
    rails : int
        Leaves of a unit, each with spines of its own in every pod.
    up : int
        Uplinks of a leaf.
    at_least : bool
        Whether cores may be counted that have too few ports: a count from below.

    Raises
    ------
    TopologyError
        When a pod has too many units (FP3026), the ratio cannot be built (FP3037) or cables do not spread (FP3024).
    """
    pods, group = _pods(units, up, ports, units_per_pod, spines)
    plane = _plane(pods.count * rails, group.spines, group.spine_up, core, at_least=at_least)
    return UpperTiers(pods, pods.count * rails, group.spines, up // group.spines, group.spine_up, plane)


@dataclass(frozen=True)
class _Group:
    """The spines of one rail in one pod."""

    spines: int
    spine_up: int


def _pods(units: int, up: int, ports: TierPorts, asked: int | None, spines: int | None) -> tuple[RailPods, _Group]:
    """The pods, and the spines that one rail has in each."""
    if asked is not None:
        return RailPods(-(-units // asked), asked), _spines(asked, up, ports, spines, units)
    most = max(ports.most()[0], 1)
    count = -(-units // most)
    refused: TopologyError | None = None
    for size in range(-(-units // count), min(most, units) + 1):
        try:
            return RailPods(-(-units // size), size), _spines(size, up, ports, spines, units)
        except TopologyError as error:
            refused = refused or error
    raise refused or AssertionError("a size is tried at least")


def _spines(units: int, up: int, ports: TierPorts, asked: int | None, whole: int) -> _Group:
    """The fewest spines that a pod's leaves of one rail spread over, with ports for the uplinks asked for."""
    if asked is not None:
        check_even(up, asked, where="leaf.up")
    downs = {count: units * (up // count) for count in ([asked] if asked is not None else divisors(up))}
    fitting = {count: down for count, down in downs.items() if down + 1 <= ports.radix}
    for count, down in fitting.items():
        spine_up = ports.up_for(down)
        if spine_up is not None and down + spine_up <= ports.radix:
            return _Group(count, spine_up)
    if not fitting or any(ports.up_for(down) is not None for down in fitting.values()):
        least = min(downs.values())
        most = ports.most()[0]
        half = f"half of {ports.radix} is {most}"
        where = half if ports.asked is None and ports.uplinks is None else f"{most} of {ports.radix} may point down"
        raise TopologyError(
            f"a pod of {units} units needs {least} ports down on each spine; {where}",
            where="units_per_pod",
            hint=f"units_per_pod: {max(most * units // least, 1)} is the most",
            code="FP3026",
        )
    near = {ports.ratio(*option): option for down in sorted(fitting.values()) for option in ports.near(down)}
    best = sorted(near, key=lambda ratio: abs(float(ratio) - ports.wanted))[:2]
    multiple = ports.port_ratio.numerator
    larger = -(-units // multiple) * multiple
    key = "units" if units == whole else "units_per_pod"
    fits = ports.uplinks is None and larger <= (ports.most()[0] if key == "units" else min(ports.most()[0], whole))
    others = [f"{key}: {larger} makes {to_one(ports.wanted)}"] if fits else []
    raise ports.refusal([near[ratio] for ratio in best], f"with {units} units in a pod", others)


def _plane(groups: int, spines: int, spine_up: int, core: SwitchSpec, *, at_least: bool) -> CorePlane:
    """Cores above spine i of every group."""
    if at_least and core.count is None:
        fewest = smallest_divisor(spine_up, groups * spine_up / core.ports if core.ports else 1) or spine_up
        return CorePlane(fewest, spine_up // fewest)
    if core.count is None:
        return core_plane(groups, spine_up, core.ports, where="core")
    if core.count % spines:
        hint = f"{core_plane(groups, spine_up, core.ports, where='core').cores * spines} cores suffice"
        raise TopologyError(
            f"{core.count} cores do not split into {spines} planes, one per spine of a group",
            where="core.count",
            hint=hint,
            code="FP3024",
        )
    each = core.count // spines
    return CorePlane(each, check_even(spine_up, each, where="core.count"))


def uneven_pods(upper: UpperTiers, units: int, ports: TierPorts) -> Iterator[str]:
    """That the last pod has fewer units, and so less below its spines than the others."""
    last = units - (upper.pods.count - 1) * upper.pods.units
    if last != upper.pods.units:
        full, left = (ports.ratio(upper.parallel * count, upper.spine_up) for count in (upper.pods.units, last))
        if upper.pods.count == 1:
            yield (
                f"the pod has {last} of {upper.pods.units} units: its spines are {to_one(float(left))}, full ones "
                + (to_one(float(full)))
            )
        else:
            yield (
                f"the last of {upper.pods.count} pods has {last} of {upper.pods.units} units: its spines are "
                f"{to_one(float(left))} where others are {to_one(float(full))}"
            )
