"""What a requirement asks of every fabric, with the defaults that fill its gaps, each of them said."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fabric.design.need import FabricNeed
from fabric.design.objective import STEP_TIME, Objective
from fabric.design.requirement_keys import FabricWish, NicWish, RequirementSpec
from fabric.scenario.diagnostics import locate
from fabric.scenario.fabric_schema import DEFAULT_EFFICIENCY
from fabric.scenario.load import InputFile
from fabric.scenario.tree import Place, Tree
from topologies.catalogue import Catalogue, builtin
from topologies.errors import Problem, ScenarioError, Where
from topologies.units import percent, precise_gbps, to_one

COMMAND_LINE = "<command line>"
GPU_GROUP = "gpu"
DEFAULT_GPUS_PER_NODE = 8
DEFAULT_TIERS = 3
DEFAULT_OVERSUBSCRIPTION = 1.0
FALL_INTO_PARTS = ("rail-only", "multi-plane")
"""Families that may join NICs of one rail or plane alone; who asks for one by name takes that."""
_SINGLE = "any-single-"


@dataclass(frozen=True, eq=False)
class Requirement:
    """A valid requirement, and what is needed to point into its text.

    Attributes
    ----------
    directory : Path
        Files named in the requirement are relative to it.
    raw : mapping
        As it was written, plain values; jobs of other files are among its workloads.
    catalogues : tuple of Path
        Files of the user's own.
    said : list of str
        What files were taken for, or what of them is left out.
    """

    spec: RequirementSpec
    path: str
    directory: Path
    inputs: tuple[InputFile, ...]
    sources: Mapping[str, str]
    raw: Mapping[str, Any]
    catalogue: Catalogue = field(default_factory=builtin, repr=False)
    catalogues: tuple[Path, ...] = ()
    tree: Tree = field(default_factory=lambda: Tree({}, Place("")), repr=False)
    said: list[str] = field(default_factory=list, repr=False)

    @property
    def name(self) -> str:
        """Name of what is designed."""
        return self.spec.name

    @property
    def objective(self) -> Objective:
        """What is to be least."""
        return self.spec.objective

    @property
    def defaults(self) -> tuple[str, ...]:
        """What it does not say, and what is taken for it."""
        return defaults_of(self, needs_of(self))

    def located(self, message: str, where: Where, hint: str, code: str = "FP2122") -> ScenarioError:
        """An error at the key that it is about."""
        error = ScenarioError(locate([Problem(message, code=code, where=where, hint=hint)], self.tree))
        vars(error)["sources"] = dict(self.sources)
        return error


@dataclass(frozen=True)
class Hosts:
    """The GPU nodes of a requirement."""

    count: int
    gpus_per_host: int

    @property
    def gpus(self) -> int:
        """GPUs in them."""
        return self.count * self.gpus_per_host


def hosts_of(requirement: Requirement) -> Hosts:
    """How many hosts there are, and the GPUs of each.

    Raises
    ------
    ScenarioError
        When GPUs and hosts contradict each other (FP2122).
    """
    require = requirement.spec.require
    row = requirement.catalogue.nodes.get(require.node or "")
    if require.gpus_per_node is not None:
        each = require.gpus_per_node
    elif row is not None:
        each = row.gpus
    elif require.gpus is not None and require.hosts is not None:
        each = -(-require.gpus // require.hosts)
        if require.gpus % require.hosts:
            raise requirement.located(
                f"{require.gpus:,} GPUs do not spread evenly over {require.hosts:,} hosts", ("require", "hosts"),
                f"write gpus_per_node too ({each} would do), or leave hosts out",
            )  # fmt: skip
    else:
        each = 0 if require.gpus is None else min(DEFAULT_GPUS_PER_NODE, require.gpus)
    if require.gpus is None:
        return Hosts(require.hosts or 0, each)
    if each == 0:
        raise requirement.located(
            f"{require.gpus:,} GPUs in nodes without GPUs", ("require", "gpus_per_node"),
            "write gpus_per_node: 8, or hosts in place of gpus",
        )  # fmt: skip
    fewest = -(-require.gpus // each)
    if require.hosts is not None and require.hosts * each < require.gpus:
        raise requirement.located(
            f"{require.hosts:,} hosts of {each} GPUs have {require.hosts * each:,}, not {require.gpus:,}",
            ("require", "hosts"), f"write hosts: {fewest}, or leave it out",
        )  # fmt: skip
    return Hosts(require.hosts or fewest, each)


def needs_of(requirement: Requirement) -> dict[str, FabricNeed]:
    """What every fabric has to do.

    Raises
    ------
    ScenarioError
        When keys contradict each other (FP2122), or no NIC is given for a fabric (FP2103).
    """
    spec, hosts = requirement.spec, hosts_of(requirement)
    needs = {}
    for place, (name, wish) in enumerate(spec.fabrics.items()):
        nic = nic_of(requirement, name, wish)
        count = nic.count or (max(hosts.gpus_per_host, 1) if place == 0 else 1)
        whole_gbps, ports = _speed_and_ports(requirement.catalogue, nic)
        rail: Literal["per-gpu", "shared"] = "per-gpu" if count == hosts.gpus_per_host and count > 1 else "shared"
        candidates = spec.candidates
        survive = spec.require.survive if wish.survive is None else wish.survive
        needs[name] = FabricNeed(
            name=name,
            hosts=hosts.count + wish.hosts,
            gpus_per_host=hosts.gpus_per_host,
            nics=count,
            nic_gbps=whole_gbps,
            nic_ports=ports,
            rail=nic.rail or rail,
            oversubscription=_ceiling(requirement, name, wish, count * whole_gbps, hosts),
            length_m={"host": spec.runs.host, "upper": spec.runs.upper},
            kinds=wish.kinds or candidates.kinds,
            switches=candidates.switches,
            leaf_switches=candidates.leaf,
            upper_switches=candidates.spine,
            single_failures=tuple(dict.fromkeys(one.removeprefix(_SINGLE) for one in survive)),
            max_tiers=wish.max_tiers or candidates.max_tiers or DEFAULT_TIERS,
            parts=bool(set(wish.kinds or candidates.kinds) & set(FALL_INTO_PARTS)),
            reserve_hosts=_reserve(spec, hosts),
            most=_most(requirement, wish),
        )
        if needs[name].endpoints < 2:
            raise requirement.located(
                f"{name} has a single NIC, which has nobody to exchange traffic with",
                ("require", "hosts" if spec.require.gpus is None else "gpus"),
                "ask for two hosts or more, or for several NICs in the one",
            )
    return needs


def nic_of(requirement: Requirement, name: str, wish: FabricWish) -> NicWish:
    """The NICs of a fabric, its own or the requirement's."""
    nic = wish.nic or requirement.spec.require.nic
    if nic is None:
        own = bool(requirement.spec.require.fabrics)
        where = ("require", "fabrics", name, "nic") if own else ("require", "nic")
        raise requirement.located(
            f"no NICs are given for fabric {name!r}", where, "add for example nic: 400G", "FP2103"
        )
    return nic


def _speed_and_ports(catalogue: Catalogue, nic: NicWish) -> tuple[float, tuple[int, ...]]:
    """Speed of a whole NIC, Gbps, and the numbers of ports it may be split into."""
    row = catalogue.nics.get(nic.model or "")
    whole = nic.speed if nic.speed is not None else row.speed * row.ports if row else 0.0
    return whole, tuple(sorted(set(nic.ports or ((row.ports,) if row else (1,)))))


def _ceiling(requirement: Requirement, name: str, wish: FabricWish, host_gbps: float, hosts: Hosts) -> float:
    """Most oversubscription: of the fabric, of the requirement, or what a floor of bus bandwidth leaves."""
    require = requirement.spec.require
    if wish.oversubscription is not None:
        ceiling = wish.oversubscription
    elif require.oversubscription is not None:
        ceiling = require.oversubscription
    elif require.bisection is not None:
        ceiling = 1 / require.bisection.ratio
    else:
        ceiling = math.inf if is_judged_by_limits(requirement.spec) else DEFAULT_OVERSUBSCRIPTION
    floor = require.bus_bandwidth
    if floor is None or name != next(iter(requirement.spec.fabrics)):
        return ceiling
    reached = host_gbps * DEFAULT_EFFICIENCY / floor
    if reached < 1:
        carried = f"{precise_gbps(host_gbps)} at {percent(DEFAULT_EFFICIENCY, 0)} payload"
        raise requirement.located(
            f"a bus bandwidth of {precise_gbps(floor)} is more than the NICs of a host carry: {carried} are "
            f"{precise_gbps(host_gbps * DEFAULT_EFFICIENCY)}",
            ("require", "bus_bandwidth"),
            "ask for less, or for more or faster NICs",
        )
    return min(ceiling, reached)


def is_judged_by_limits(spec: RequirementSpec) -> bool:
    """Whether limits, or a floor of bandwidth, say what is enough in place of an oversubscription."""
    require = spec.require
    return bool(require.bus_bandwidth) or any(
        limit.metric in ("step_time", "offered", "utilisation", "links_over_capacity") and limit.when is None
        for limit in require.limits
    )


def _reserve(spec: RequirementSpec, hosts: Hosts) -> int:
    """Hosts of the last stage that asks for ports kept for it."""
    sizes = [
        stage.hosts or -(-(stage.gpus or 0) // max(hosts.gpus_per_host, 1))
        for stage in spec.require.growth
        if stage.without is not None
    ]
    return max([size - hosts.count for size in sizes] or [0])


def _most(requirement: Requirement, wish: FabricWish) -> tuple[tuple[str, float], ...]:
    """The budget of a fabric, by measure; what each of several may take of one budget is nowhere said."""
    spec = requirement.spec
    whole = {"cost": spec.require.budget.cost_usd, "power": spec.require.budget.power_w}
    whole["cables"] = spec.require.budget.cables
    if len(spec.fabrics) > 1 and any(most is not None for most in whole.values()):
        raise requirement.located(
            f"one budget for {len(spec.fabrics)} fabrics does not say what each may take",
            ("require", "budget"),
            f"give each its own: fabrics: {{{next(iter(spec.fabrics))}: {{budget: {{cost_usd: …}}}}}}",
        )
    own = {"cost": wish.budget.cost_usd, "power": wish.budget.power_w, "cables": wish.budget.cables}
    given = {measure: most if most is not None else whole[measure] for measure, most in own.items()}
    return tuple((measure, float(most)) for measure, most in given.items() if most is not None)


def defaults_of(requirement: Requirement, needs: Mapping[str, FabricNeed]) -> tuple[str, ...]:
    """What the requirement does not say, and what is taken for it; a line each, with the key that says otherwise."""
    spec, hosts = requirement.spec, hosts_of(requirement)
    require, candidates = spec.require, spec.candidates
    lines = []
    if require.gpus_per_node is None and require.node is None and require.gpus is not None:
        lines.append(f"require.gpus_per_node: {hosts.gpus_per_host}")
    if require.gpus is not None and hosts.gpus != require.gpus:
        lines.append(f"require.hosts: {hosts.count:,} of {hosts.gpus_per_host} GPUs, {hosts.gpus:,} GPUs in all")
    if not require.fabrics:
        lines.append("require.fabrics: backend alone")
    for name, need in needs.items():
        nic = nic_of(requirement, name, spec.fabrics[name])
        key = "require.nic" if spec.fabrics[name].nic is None else f"require.fabrics.{name}.nic"
        if nic.count is None:
            lines.append(f"{key}.count: {need.nics}" + (", one a GPU" if need.rail == "per-gpu" else ""))
        if nic.ports is None and nic.model is None:
            lines.append(f"{key}.ports: 1, a NIC is not split over planes")
        if nic.rail is None and need.nics > 1:
            lines.append(f"{key}.rail: {need.rail}")
    lines += _ceiling_lines(spec, needs)
    if not require.survive and all(wish.survive is None for wish in spec.fabrics.values()):
        lines.append("require.survive: nothing")
    if not candidates.kinds and not any(wish.kinds for wish in spec.fabrics.values()):
        lines.append("candidates.kinds: all whose NICs reach each other; rail-only and planes by rail: where named")
    if not (candidates.switches or candidates.leaf or candidates.spine):
        lines.append(f"candidates.switches: all {len(requirement.catalogue.switches)} of the catalogue")
    if candidates.max_tiers is None:
        lines.append(f"candidates.max_tiers: {DEFAULT_TIERS}")
    if "runs" not in spec.model_fields_set:
        runs = spec.runs
        lines.append(f"runs: {runs.host:g} m to hosts, {runs.upper:g} m between switches")
    if "objective" not in spec.model_fields_set:
        lines.append("objective: cost, of switches, their licences, optics and cables")
    elif spec.objective.order[0][0][0] == STEP_TIME:
        lines.append(f"objective: of equally fast designs the least {spec.objective.counted.text}")
    return tuple(lines)


def _ceiling_lines(spec: RequirementSpec, needs: Mapping[str, FabricNeed]) -> list[str]:
    require = spec.require
    if require.oversubscription is not None or require.bisection is not None:
        return []
    unsaid = [name for name, wish in spec.fabrics.items() if wish.oversubscription is None]
    if not unsaid:
        return []
    ceilings = {needs[name].oversubscription for name in unsaid}
    texts = ["any, for limits say what is enough" if math.isinf(one) else to_one(one) for one in sorted(ceilings)]
    of = f" on {', '.join(unsaid)}" if len(unsaid) < len(needs) else ""
    return [f"require.oversubscription: {', '.join(texts)}{of}"]


def further_group(fabric: str) -> str:
    """Name of the hosts that are on one fabric alone."""
    return f"{fabric}-hosts"
