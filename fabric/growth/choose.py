"""The fabric of the next stage: of those that its kind could become, the cheapest that re-wires little."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from fabric.growth.rewiring import Rewiring, rewire
from fabric.growth.rule import RULES, BuiltFabric, Keys
from fabric.scenario.registries import Registries
from topologies.builder import TOPOLOGIES
from topologies.errors import FabricError, ScenarioError
from topologies.hosts import HostGroup
from topologies.topology import Topology
from topologies.validate import validate

MOST_TOUCHED = 0.25  # of the cables between switches; what minimal re-wiring never exceeds in two tiers
_TRIED = 8  # fabrics that are built of those that could be


@dataclass(frozen=True, eq=False)
class NextFabric:
    """A fabric of the next stage, built, and how it comes from the present one."""

    built: BuiltFabric
    rewiring: Rewiring


def next_fabric(
    present: BuiltFabric, hosts: Sequence[HostGroup], registries: Registries, *, where: tuple[str, ...]
) -> NextFabric:
    """The fabric that takes ``hosts`` and follows the present one.

    Raises
    ------
    ScenarioError
        When its kind does not grow so far (FP9704), with why and what would.
    """
    fitting = fitting_fabrics(present, hosts, registries, where=where, until_untouched=True)
    return min(fitting, key=_order)


def fitting_fabrics(
    present: BuiltFabric,
    hosts: Sequence[HostGroup],
    registries: Registries,
    *,
    where: tuple[str, ...],
    until_untouched: bool = False,
) -> list[NextFabric]:
    """Fabrics that take ``hosts`` and could follow the present one, up to the first that touches nothing.

    Raises
    ------
    ScenarioError
        When there is none (FP9704).
    """
    reasons: list[str] = []
    fitting: list[NextFabric] = []
    for keys in _candidates(present, hosts):
        try:
            topology = build_keys(keys, hosts, registries)
        except FabricError as error:
            reasons.append(error.problems[0].message)
            continue
        fitting.append(NextFabric(BuiltFabric(keys, topology, tuple(hosts)), rewire(present.topology, topology)))
        if len(fitting) == _TRIED or (until_untouched and fitting[-1].rewiring.touched == 0):
            break
    if not fitting:
        raise _refusal(str(present.keys["kind"]), hosts, reasons, where)
    return fitting


def _order(option: NextFabric) -> tuple[int, bool, float, int, int]:
    """Few tiers first, then little re-wiring, then few ports of switches, then the least re-wiring."""
    ports = switch_ports(option.built)
    part = option.rewiring.touched_part
    much = part > MOST_TOUCHED + 1e-12
    return option.built.tiers, much, part if much else 0.0, ports, option.rewiring.touched


def switch_ports(fabric: BuiltFabric) -> int:
    """Ports of all its switches; a stand-in for their price."""
    return int(fabric.topology.nodes.radix[fabric.topology.is_switch].sum())


def _candidates(present: BuiltFabric, hosts: Sequence[HostGroup]) -> Iterator[Keys]:
    """As it stands, then larger as its kind says."""
    yield present.keys
    rule = RULES.get(str(present.keys["kind"]))
    if rule is not None:
        yield from rule.larger(present, hosts)


def build_keys(keys: Keys, hosts: Sequence[HostGroup], registries: Registries) -> Topology:
    """Build and check a topology.

    Raises
    ------
    FabricError
        When it cannot be built so.
    """
    entry = TOPOLOGIES[str(keys["kind"])]
    try:
        spec = entry.model.model_validate(dict(keys), context=registries)
    except ValidationError as error:
        raise ScenarioError(error.errors()[0]["msg"]) from None
    topology = entry(spec, hosts=list(hosts))
    wrong = [problem for problem in validate(topology) if problem.severity == "error"]
    if wrong:
        raise ScenarioError(wrong)
    return topology


def _refusal(kind: str, hosts: Sequence[HostGroup], reasons: Sequence[str], where: tuple[str, ...]) -> ScenarioError:
    """That a kind does not take so many hosts."""
    count = sum(len(group.hosts) for group in hosts)
    rule = RULES.get(kind)
    why = rule.why_not if rule is not None else "it has the size that its keys make, and every cable depends on them"
    growing = ", ".join(RULES.names())
    return ScenarioError(
        f"a {kind} does not grow to {count:,} nodes: {reasons[-1] if reasons else why}",
        where=where,
        hint=f"{why}; kinds that grow: {growing}" if rule is None else why,
        code="FP9704",
    )


def room_for(
    last: BuiltFabric, after: BuiltFabric, hosts: Sequence[HostGroup], registries: Registries, *, where: tuple[str, ...]
) -> BuiltFabric:
    """The last stage's fabric with fewer hosts, so that the stage after it is only plugged in.

    Raises
    ------
    ScenarioError
        When the kind cannot be built so (FP9705).
    """
    kind = str(last.keys["kind"])
    rule = RULES.get(kind)
    reasons: list[str] = []
    for keys in (*(rule.with_room(last, hosts) if rule is not None else ()), last.keys):
        try:
            topology = build_keys(keys, hosts, registries)
        except FabricError as error:
            reasons.append(error.problems[0].message)
            continue
        rewiring = rewire(topology, after.topology)
        if not rewiring.touched:
            return BuiltFabric(keys, topology, tuple(hosts))
        reasons.append(
            f"{rewiring.touched:,} cables would be touched, for where they go depends on how many hosts there are"
        )
    count = sum(len(group.hosts) for group in hosts)
    raise ScenarioError(
        f"a {kind} cannot keep ports for the last stage with {count:,} nodes: {reasons[0]}",
        where=where,
        hint="grow without a reserve, which re-wires as little as can be, or take a kind whose upper tiers are "
        "counted: leaf-spine, clos, rail-optimised",
        code="FP9705",
    )
