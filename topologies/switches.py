"""What a scenario says about switches: a model of the catalogue, or ports and speed; and what their ports can do."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from topologies.catalogue import SwitchModel, catalogue_of, known_model
from topologies.errors import TopologyError
from topologies.registry import Spec
from topologies.units import Count, SpeedGbps

Breakout = Annotated[str, Field(pattern=r"^\d+x\d+G?$", examples=["2x200"])]


def _parts(breakout: str) -> tuple[int, float]:
    """Links per port and the speed of each, Gbps."""
    ways, gbps = breakout.removesuffix("G").split("x")
    return int(ways), float(gbps)


class SwitchPorts(Spec):
    """Switches that are equal: a catalogue model, or radix and speed; how many there are follows from other keys."""

    model: str | None = Field(default=None, description="Switch model of the catalogue", examples=["eth-64x400"])
    radix: Count | None = Field(default=None, description="Ports per switch, where no model is given")
    speed: SpeedGbps | None = Field(default=None, description="Port speed, where no model is given")
    breakout: Breakout | None = Field(default=None, description="How every port is broken out into slower ones")
    ports_per_card: Count | None = Field(
        default=None, description="Ports of a line card of a chassis, which fail as one; default: the model's"
    )
    _row: SwitchModel | None = PrivateAttr(default=None)

    @field_validator("model")
    @classmethod
    def _known_model(cls, model: str | None, info: ValidationInfo) -> str | None:
        return known_model("switch", catalogue_of(info.context).switches, model)

    @model_validator(mode="after")
    def _find_row(self, info: ValidationInfo) -> SwitchPorts:
        self._row = catalogue_of(info.context).switches[self.model] if self.model else None
        return self

    @property
    def row(self) -> SwitchModel | None:
        """The catalogue's row of the model."""
        return self._row

    @property
    def ports(self) -> int:
        """Ports per switch, broken out; 0 when neither model nor radix says."""
        physical = self._row.ports if self._row else (self.radix or 0)
        return physical * (_parts(self.breakout)[0] if self.breakout else 1)

    @property
    def links_per_card(self) -> int | None:
        """Ports of a line card, broken out; None where the switch has none."""
        per_card = self.ports_per_card or (self._row.ports_per_card if self._row else None)
        return per_card and per_card * (_parts(self.breakout)[0] if self.breakout else 1)

    @property
    def port_gbps(self) -> float | None:
        """Speed of a port, broken out, when model or speed says."""
        if self.breakout:
            return _parts(self.breakout)[1]
        return self.whole_port_gbps

    @property
    def whole_port_gbps(self) -> float | None:
        """Speed of a port before breakout."""
        if self.speed is not None:
            return self.speed
        return self._row.speed if self._row else None


class SwitchSpec(SwitchPorts):
    """Switches of one role: a catalogue model, or radix and speed."""

    count: Count | None = Field(default=None, description="Number of switches")
    name: str | None = Field(default=None, description="Name template", examples=["spine{index:02d}"])


Switch = Annotated[
    SwitchPorts | None, Field(description="Model or radix of the switches; their ports are then checked")
]


def switch_specs(spec: BaseModel) -> dict[str, SwitchPorts]:
    """The switches that a builder's parameters describe, by key."""
    values = {name: getattr(spec, name) for name in type(spec).model_fields}
    return {name: value for name, value in values.items() if isinstance(value, SwitchPorts)}


def switch_of_role(spec: BaseModel, role: str) -> SwitchPorts | None:
    """What a builder's parameters say of the switches of a role: the key of its name, or ``switch`` for all."""
    specs = switch_specs(spec)
    return specs.get(role) or specs.get("switch")


class LeafSpec(SwitchSpec):
    """Leaf switches: ports down to hosts, ports up to spines."""

    down: Count | None = Field(default=None, description="Ports for hosts")
    up: Count | None = Field(default=None, description="Ports for uplinks")
    down_ports: Count | None = Field(default=None, description="Ports for hosts before breakout")
    down_breakout: Breakout | None = Field(default=None, description="How a host port is broken out")

    @property
    def host_links(self) -> tuple[int, float | None]:
        """Host links per port, and the speed of each in Gbps (None: the port's)."""
        return (1, None) if self.down_breakout is None else _parts(self.down_breakout)


def slowest_gbps(*speeds: float | None) -> float | None:
    """Speed of a link between ports of these speeds, Gbps: the slower port's; None when no speed is known.

    >>> slowest_gbps(800.0, None, 400.0)
    400.0
    """
    return min((speed for speed in speeds if speed is not None), default=None)


def agreed(key: str, value: int | None, other_key: str, other: int | None) -> int | None:
    """The value of two keys that say the same thing; TopologyError when both are given and differ."""
    if value is not None and other is not None and value != other:
        raise TopologyError(
            f"{key} is {value} but {other_key} is {other}",
            where=other_key,
            hint="they say the same thing; give one of them",
            code="FP3032",
        )
    return value if value is not None else other


def leaf_host_ports(leaf: LeafSpec) -> int | None:
    """Ports a leaf keeps for hosts, before breakout; None when neither ``down`` nor ``down_ports`` says."""
    return agreed("leaf.down_ports", leaf.down_ports, "leaf.down", leaf.down)


class SpineSpec(SwitchSpec):
    """Spine switches below cores."""

    up: Count | None = Field(default=None, description="Ports up, with three tiers; default: as many as point down")


def check_breakout(switch: SwitchPorts, *, where: str = "switch") -> None:
    """A port is broken out into at least one link with a speed, together no faster than the port."""
    asked = [("breakout", switch.breakout, switch.whole_port_gbps)]
    if isinstance(switch, LeafSpec):
        asked.append(("down_breakout", switch.down_breakout, switch.port_gbps))
    for key, breakout, port in asked:
        if breakout is None:
            continue
        ways, gbps = _parts(breakout)
        sold = switch.row.breakouts if switch.row else None
        if sold is not None and breakout.removesuffix("G") not in [kind.removesuffix("G") for kind in sold]:
            raise TopologyError(
                f"{switch.model} does not break its ports out as {breakout}",
                where=(where, key),
                hint=f"it can: {', '.join(sold) or 'nothing'}",
                code="FP3034",
            )
        if ways >= 1 and gbps > 0 and (port is None or ways * gbps <= port):
            continue
        if ways < 1 or gbps <= 0:
            message = f"{breakout} breaks a port out into nothing; it needs a link or more, each above 0 Gb/s"
            hint = "write for example 2x200: two links of 200 Gb/s"
        else:
            message = f"{breakout} is {ways * gbps:g}G on a port of {port:g}G; links share the speed of their port"
            hint = f"at most {ways}x{port / ways:g} fits" if port else ""
        raise TopologyError(message, where=(where, key), hint=hint, code="FP3034")


def switch_ports(switch: SwitchPorts | None, radix: int | None, speed: float | None) -> tuple[int, float]:
    """Ports of a switch and the speed of the links on them, Gbps, from a model or from ``radix`` and ``speed``.

    Raises
    ------
    TopologyError
        When one of them is not known (FP3035), both disagree (FP3032), or the speed exceeds the port's (FP3036).
    """
    given = switch or SwitchPorts()
    check_breakout(given)
    ports = agreed("radix", radix, "switch.model" if given.model else "switch.radix", given.ports or None)
    gbps = speed if speed is not None else given.port_gbps
    check_speed("speed", speed, given.port_gbps, port="the ports of the switch")
    for key, value, example in (("radix", ports, "radix: 64"), ("speed", gbps, "speed: 400G")):
        if value is None:
            raise TopologyError(
                f"the {key} of the switches is not known",
                where=key,
                hint=f"add {example}, or switch: {{model: …}}",
                code="FP3035",
            )
    if ports is None or gbps is None:
        raise AssertionError("what is not known was refused above")
    return ports, gbps


def check_speed(key: str, gbps: float | None, port_gbps: float | None, *, port: str) -> None:
    """A speed asked for is at most the port's; ``port`` names the port."""
    if gbps is not None and port_gbps is not None and gbps > port_gbps:
        raise TopologyError(
            f"{key} is {gbps:g}G but {port} run at {port_gbps:g}G; a link is no faster than its ports",
            where=key,
            hint=f"set {key}: {port_gbps:g}G, or use a switch with {gbps:g}G ports",
            code="FP3036",
        )


def check_leaf_ports(leaf: LeafSpec, *, up: int) -> None:
    """The ports a leaf is described with, down and up, exist on its model."""
    down_key = "down_ports" if leaf.down_ports is not None else "down"
    down = leaf.down_ports if leaf.down_ports is not None else leaf.down
    if down is None or not leaf.ports or down + up <= leaf.ports:
        return
    models = catalogue_of().switches
    larger = [name for name, row in models.items() if row.ports >= down + up and row.speed == leaf.port_gbps]
    others = f", or a model with >= {down + up} ports: {', '.join(larger)}" if larger else ""
    raise TopologyError(
        f"leaf needs {down + up} ports but {leaf.model or 'the switch'} has {leaf.ports}",
        where=("leaf", down_key),
        notes=[f"{down} down + {up} up = {down + up}"],
        hint=f"set {down_key}: {leaf.ports - up}{others}" if leaf.ports > up else f"use fewer uplinks{others}",
        code="FP3011",
    )
