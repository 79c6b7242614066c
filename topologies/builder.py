"""The registry of topology builders, and the parameters they share."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    Field,
    PlainValidator,
    SerializeAsAny,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from topologies.cabling import TierCabling, recabled
from topologies.divisors import divisors
from topologies.errors import TopologyError, nearest_hint
from topologies.fabric_size import check_size
from topologies.hosts import HostGroup
from topologies.node_names import check_names, check_template
from topologies.oversubscription import AskedOversubscription, plural
from topologies.registry import Injected, Registry, SharedKeys, Spec
from topologies.summary import summarise
from topologies.switches import switch_specs
from topologies.topology import Topology
from topologies.units import to_one


def _finish(built: Topology, spec: BaseModel, cabling: Mapping[str, TierCabling]) -> Topology:
    """What every builder does last: the cables as the scenario says, and the ratios that are not as asked for."""
    speeds = [switch.port_gbps for switch in switch_specs(spec).values()]
    topology = recabled(built, cabling, max((speed for speed in speeds if speed is not None), default=None))
    return replace(topology, said=(*topology.said, *_other_ratios(topology, spec)))


def _other_ratios(topology: Topology, spec: BaseModel) -> Iterator[str]:
    """Roles whose oversubscription, by the links that are there, is not the one asked for."""
    asked = getattr(spec, "oversubscription", None)
    if not isinstance(asked, AskedOversubscription):
        return
    wanted = {role: getattr(asked, role, None) for role in topology.roles}
    if all(ratio is None for ratio in wanted.values()):
        return
    for role, there in summarise(topology).oversubscription_by_role.items():
        ratio = wanted[role]
        if ratio is not None and there is not None and to_one(there) != to_one(ratio):
            most = "at most " if asked.at_most else ""
            yield f"{plural(role)} are {to_one(there)} by the links that are there; {most}{to_one(ratio)} was asked for"


_CABLING = Annotated[
    dict[str, TierCabling], Field(description="Speed, number and length of the cables, by tier, where they differ")
]
TOPOLOGIES: Registry[Topology] = Registry(
    "topology kind", "topologies.builders", SharedKeys({"cabling": (_CABLING, {})}, _finish, check_size)
)
Hosts = Injected[Sequence[HostGroup]]  # the hosts to cable; empty: the builder fills every host port


def _any_builder(value: object, info: ValidationInfo) -> Spec:
    """The parameters of any builder, by its ``kind``."""
    if isinstance(value, Spec):
        return value
    names = TOPOLOGIES.names()
    if not isinstance(value, Mapping) or not TOPOLOGIES.known(str(value.get("kind"))):
        kind = value.get("kind") if isinstance(value, Mapping) else value
        hint = nearest_hint(str(kind), names, "one of")
        raise PydanticCustomError("unknown_choice", "{text}", {"text": f"unknown topology kind {kind!r}", "hint": hint})
    return TOPOLOGIES[str(value["kind"])].model.model_validate(value, context=info.context)


AnyBuilder = Annotated[SerializeAsAny[Spec], PlainValidator(_any_builder), WithJsonSchema({"x-one-of": "topologies"})]


def names_of(template: str, count: int, *, where: str, **columns: Sequence[int] | int) -> list[str]:
    """Fill a name template for ``count`` things; ``index`` counts them.

    Raises
    ------
    TopologyError
        When the template names something that does not exist here, or gives the same name twice.

    >>> names_of("spine{index:02d}", 2, where="spine.name")
    ['spine00', 'spine01']
    """
    fields: dict[str, Any] = {"index": range(count), **columns}
    check_template(template, where=where)
    check_names(count)
    try:
        wanted = {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}
        unknown = wanted - set(fields)
        if unknown:
            raise TopologyError(
                f"name template {template!r} uses {{{sorted(unknown)[0]}}}",
                where=where,
                hint=f"available: {', '.join('{' + field + '}' for field in fields)}",
                code="FP3031",
            )
        rows = [
            template.format(**{key: value if isinstance(value, int) else value[row] for key, value in fields.items()})
            for row in range(count)
        ]
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise TopologyError(f"bad name template {template!r}: {error}", where=where, code="FP3031") from None
    if len(set(rows)) != count:
        raise TopologyError(
            f"name template {template!r} gives {len(set(rows))} names for {count} switches",
            where=where,
            hint="include {index}",
            code="FP3031",
        )
    return rows


def even_spine_count(uplinks: int, leaves: int, radix: int, *, where: str) -> int:
    """Fewest spines that have the ports and share every leaf's uplinks evenly.

    Every leaf has the same number of cables to every spine, so the count divides ``uplinks``; each spine then takes
    ``leaves * uplinks / count`` ports (0 radix: unlimited).
    """
    for count in divisors(uplinks):
        if radix == 0 or leaves * uplinks // count <= radix:
            return count
    raise TopologyError(
        f"{leaves} leaves with {uplinks} uplinks each need spines of at least {leaves} ports; these have {radix}",
        where=where,
        hint="use a third tier, or switches with more ports",
        code="FP3023",
    )


def check_even(uplinks: int, spines: int, *, where: str) -> int:
    """Parallel cables from a leaf to each spine; TopologyError when the uplinks do not divide evenly."""
    if uplinks % spines:
        close = sorted(divisors(uplinks), key=lambda count: abs(count - spines))[:2]
        raise TopologyError(
            f"{uplinks} uplinks per leaf do not spread evenly over {spines} spines",
            where=where,
            hint=f"spine counts that divide {uplinks}: {', '.join(map(str, sorted(close)))}",
            code="FP3024",
        )
    return uplinks // spines


def check_nic_speed(group: HostGroup, port_gbps: float | None, *, where: str) -> None:
    """A NIC may be slower than its switch port (the link runs at the NIC's speed), never faster."""
    if port_gbps is not None and group.nic_gbps > port_gbps:
        raise TopologyError(
            f"{group.name} has {group.nic_gbps:g}G NICs but the leaf's host ports run at {port_gbps:g}G",
            where=where,
            hint=f"use {port_gbps:g}G NICs, or a leaf with {group.nic_gbps:g}G ports",
            code="FP3025",
        )
