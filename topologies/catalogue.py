"""The catalogue: models of switches, NICs, nodes, optics and cables; ours, and those of the user laid over them."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from topologies.errors import TopologyError, nearest, nearest_hint
from topologies.registry import Spec
from topologies.units import Count, CountOrZero, LengthM, RateGbps, Ratio, SpeedGbps, VolumeBytes, precise_gbps


class CatalogueRow(Spec):
    """What every model has."""

    model: str = Field(min_length=1, description="Name in scenarios", examples=["eth-64x400"])
    product: str | None = Field(default=None, description="Product it stands for", examples=["NVIDIA SN5400"])
    estimate: bool = Field(default=False, description="Figures are estimates, not published")
    source: str = Field(description="Where the figures are from", examples=["data sheet"])


class SwitchModel(CatalogueRow):
    """A switch one can buy."""

    ports: Count = Field(description="Ports at full speed")
    speed: SpeedGbps = Field(description="Speed of a port", examples=["400G"])
    protocol: Literal["ethernet", "infiniband"] = Field(
        default="ethernet", description="What its links speak: switches of two protocols do not meet in one design"
    )
    ports_per_card: Count | None = Field(default=None, description="Ports of a line card, where it is a chassis")
    breakouts: tuple[str, ...] | None = Field(
        default=None, description="How its ports can be split; any that fits the speed if absent", examples=[["2x200"]]
    )
    tcam_entries: Count | None = Field(default=None, description="Rules of a flow or route table")
    groups: Count | None = Field(default=None, description="Select (ECMP) groups")
    group_members: Count | None = Field(default=None, description="Members of all groups; weight w takes w")
    typical_w: float | None = Field(default=None, ge=0, description="Typical power, W")
    max_w: float | None = Field(default=None, ge=0, description="Largest power, W, with optics")
    optics_in_max_w: bool = Field(
        default=True, description="Whether max_w has in it what is plugged into all its cages; false: that is added"
    )
    usd: float | None = Field(default=None, ge=0, description="Price, US$")
    licence_usd: float | None = Field(default=None, ge=0, description="Licences of a switch, US$")
    ports_per_cage: Count = Field(
        default=1, description="Ports that share a cage, and the pluggable in it: 2 where cages are twin-port"
    )
    port_name: str | None = Field(
        default=None,
        description="Template of the vendor's port names: {port} and {cage} count from 1, {split} ports of a cage or a "
        "breakout, from 1 ({split0}: from 0); {lane} is the first lane of a port, from 0",
        examples=["{cage}/{split}"],
    )
    split_name: str | None = Field(
        default=None,
        description="Template of the names that ports have when they are broken out, where it is another",
        examples=["swp{port}s{split0}"],
    )
    lanes: Count = Field(default=8, description="Lanes of a port, for names that count lanes")
    rack_units: Count = Field(default=2, description="Height in a rack, rack units")
    depth: LengthM | None = Field(default=None, description="Depth in a rack", examples=["0.7 m"])
    lead_days: Count | None = Field(default=None, description="Days from order to delivery")
    carbon_kg: float | None = Field(default=None, ge=0, description="Carbon of making it, kg of CO2 equivalent")

    @field_validator("port_name", "split_name")
    @classmethod
    def _template(cls, template: str | None) -> str | None:
        if template is not None:
            _check_port_template(template)
        return template

    def port_label(self, port: int, way: int = 1, ways: int = 1) -> str:
        """The vendor's name of a port, or of a part of it when it is broken out.

        Parameters
        ----------
        port : int
            Port at full speed, from 1.
        way, ways : int
            Which part of the port it is, from 1, and how many there are.

        >>> row = builtin().switches["eth-64x800"]
        >>> row.port_label(3), row.port_label(3, 2, 2), builtin().switches["ib-64x400"].port_label(4)
        ('swp3', 'swp3s1', '2/2')
        >>> builtin().switches["eth-128x400"].port_label(2), builtin().switches["eth-128x400"].port_label(2, 2, 2)
        ('Ethernet4', 'Ethernet6')
        """
        template = (self.split_name if ways > 1 else None) or self.port_name or "{port}"
        if ways > 1 and not self.split_name and "{split" not in template and "{lane" not in template:
            template += "/{split}"
        cage, at = divmod(port - 1, self.ports_per_cage)
        split = at * ways + way
        lane = (port - 1) * self.lanes + (way - 1) * self.lanes // ways
        return template.format(port=port, cage=cage + 1, split=split, split0=split - 1, lane=lane)


_PORT_FIELDS = ("port", "cage", "split", "split0", "lane")


def _check_port_template(template: str) -> None:
    """Refuse what is not a template of port names, or gives two ports of a switch one name."""
    try:
        fields = [(name, spec) for _, name, spec, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise ValueError(f"bad template of port names {template!r}: {error}") from None
    for name, spec in fields:
        if name not in _PORT_FIELDS or not re.fullmatch(r"(0?\d)?d?", spec or ""):
            wanted = ", ".join("{" + field + "}" for field in _PORT_FIELDS)
            raise ValueError(f"{template!r} has {{{name}}}; templates of port names take {wanted}")
    if not {name for name, _ in fields} & {"port", "cage", "lane"}:
        raise ValueError(f"{template!r} gives all ports one name; include {{port}}, {{cage}} or {{lane}}")


class NicModel(CatalogueRow):
    """A network card."""

    speed: SpeedGbps = Field(description="Speed of a port", examples=["400G"])
    ports: Count = Field(default=1, description="Ports of a card")
    nics_per_cage: Count = Field(
        default=1, description="NICs of a node that share a cage, and the pluggable in it: 2 where cages are twin-port"
    )
    typical_w: float | None = Field(default=None, ge=0, description="Typical power, W")
    max_w: float | None = Field(default=None, ge=0, description="Largest power, W")
    usd: float | None = Field(default=None, ge=0, description="Price, US$")
    lead_days: Count | None = Field(default=None, description="Days from order to delivery")
    carbon_kg: float | None = Field(default=None, ge=0, description="Carbon of making it, kg of CO2 equivalent")


class ScaleUpModel(Spec):
    """The network between the GPUs of one domain, such as NVLink: full speed between any two, apart from the NICs."""

    speed: RateGbps = Field(gt=0, description="Of one GPU, in one direction", examples=["450 GB/s"])
    domain: Count = Field(
        description="GPUs that reach each other over it. More than a node has: whole nodes, in the order of their "
        "group, make a domain, and what they exchange crosses no fabric",
        examples=[8],
    )
    efficiency: Ratio = Field(
        default=0.8,
        gt=0,
        le=1,
        description="Share of the speed that collectives reach: protocol and flow control take the rest",
        examples=[0.82],
    )
    reduces: bool = Field(
        default=False,
        description="Its switches add up what passes, as NVLS does: an all-reduce inside a domain sends S (n+1)/n "
        "instead of 2 S (n-1)/n",
    )
    reduction_efficiency: Ratio = Field(
        default=0.7, gt=0, le=1, description="Share of the speed that such an all-reduce reaches", examples=[0.6]
    )
    mesh: bool = Field(
        default=False,
        description="No switch: every two GPUs of a domain share a link of their own, and fewer than all use only "
        "the links between them",
    )

    def as_written(self) -> dict[str, Any]:
        """Its keys as one writes them in a file, without those at their defaults."""
        return {**self.model_dump(exclude_defaults=True), "speed": precise_gbps(self.speed)}


class GpuModel(Spec):
    """A GPU, as far as the time of a step depends on it."""

    product: str | None = Field(default=None, description="Its name", examples=["NVIDIA H100 SXM5 80 GB"])
    memory: VolumeBytes = Field(description="Memory", examples=["80 GB"])
    memory_rate: RateGbps = Field(description="Rate of its memory", examples=["3.35 TB/s"])
    processors: Count | None = Field(
        default=None, description="Multiprocessors that tiles of a product are spread over", examples=[132]
    )


class NodeModel(CatalogueRow):
    """A server."""

    gpus: CountOrZero = Field(description="GPUs of a node")
    gpu: GpuModel | None = Field(default=None, description="What its GPUs are")
    scale_up: ScaleUpModel | None = Field(default=None, description="What joins its GPUs beside the NICs")
    typical_w: float | None = Field(default=None, ge=0, description="Typical power, W")
    max_w: float | None = Field(default=None, ge=0, description="Largest power, W")
    usd: float | None = Field(default=None, ge=0, description="Price, US$")
    with_nics: bool = Field(
        default=True, description="Whether its price and power have its NICs in them; false: they are added"
    )
    rack_units: Count = Field(default=8, description="Height in a rack, rack units")
    depth: LengthM | None = Field(default=None, description="Depth in a rack", examples=["0.9 m"])
    lead_days: Count | None = Field(default=None, description="Days from order to delivery")
    carbon_kg: float | None = Field(default=None, ge=0, description="Carbon of making it, kg of CO2 equivalent")


class OpticModel(CatalogueRow):
    """A pluggable transceiver, for one end of a fibre."""

    speed: SpeedGbps = Field(description="Speed of all its lanes", examples=["800G"])
    links: Count = Field(default=1, description="Links it carries: 2 for a twin-port module")
    reach_m: LengthM = Field(description="Longest fibre", examples=["500 m"])
    medium: Literal["mmf", "smf"] = Field(default="smf", description="Fibre it takes: multimode or single-mode")
    standard: str | None = Field(
        default=None,
        description="Standard of each link; both ends of a fibre need the same, where both say",
        examples=["400GBASE-DR4"],
    )
    typical_w: float | None = Field(default=None, ge=0, description="Typical power, W")
    max_w: float | None = Field(default=None, ge=0, description="Largest power, W")
    usd: float | None = Field(default=None, ge=0, description="Price, US$")
    lead_days: Count | None = Field(default=None, description="Days from order to delivery")
    carbon_kg: float | None = Field(default=None, ge=0, description="Carbon of making it, kg of CO2 equivalent")


MEDIA = ("dac", "aec", "aoc", "mmf", "smf")
"""What cables are: copper, copper with retimers, optics with the fibre on, multimode and single-mode fibre."""


class CableModel(CatalogueRow):
    """A cable: copper or active with its ends on, or a fibre that optics plug onto."""

    speed: SpeedGbps = Field(description="Speed; of a cable that splits, at its one end", examples=["800G"])
    medium: Literal["dac", "aec", "aoc", "mmf", "smf"] = Field(
        description="dac, aec, aoc; mmf or smf: fibre", examples=["dac"]
    )
    length: LengthM = Field(description="Longest length", examples=["2 m"])
    ends: Count = Field(default=1, description="Ends that its other end splits into: 2 for a 2x400G splitter")
    stock: tuple[LengthM, ...] = Field(
        default=(), description="Lengths sold; none: cut to any length", examples=[["1 m", "2 m"]]
    )
    usd_per_m: float = Field(default=0, ge=0, description="Price of a metre beside the price of the cable, US$")
    diameter_mm: float | None = Field(default=None, gt=0, description="Outer diameter, for the fill of trays, mm")
    typical_w: float | None = Field(default=None, ge=0, description="Typical power of an end, W")
    max_w: float | None = Field(default=None, ge=0, description="Largest power of an end, W")
    usd: float | None = Field(default=None, ge=0, description="Price, US$")
    lead_days: Count | None = Field(default=None, description="Days from order to delivery")
    carbon_kg: float | None = Field(default=None, ge=0, description="Carbon of making it, kg of CO2 equivalent")


SECTIONS: dict[str, type[CatalogueRow]] = {
    "switches": SwitchModel,
    "nics": NicModel,
    "nodes": NodeModel,
    "optics": OpticModel,
    "cables": CableModel,
}


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Models by name, section by section."""

    switches: Mapping[str, SwitchModel] = field(default_factory=dict)
    nics: Mapping[str, NicModel] = field(default_factory=dict)
    nodes: Mapping[str, NodeModel] = field(default_factory=dict)
    optics: Mapping[str, OpticModel] = field(default_factory=dict)
    cables: Mapping[str, CableModel] = field(default_factory=dict)
    said: tuple[str, ...] = ()  # what files of others were taken for

    def with_rows(self, section: str, rows: Mapping[str, CatalogueRow]) -> Catalogue:
        """The catalogue with more rows; a row takes the place of one of its name."""
        changed: Any = {section: {**getattr(self, section), **rows}}
        return replace(self, **changed)

    def find(self, name: str) -> tuple[str, CatalogueRow]:
        """Section and row of a model, by its name or its product's.

        Raises
        ------
        TopologyError
            When no section has it (FP2104).
        """
        known: dict[str, tuple[str, CatalogueRow]] = {}
        for section in SECTIONS:
            for row in getattr(self, section).values():
                known.setdefault(row.model.lower(), (section, row))
                if row.product:
                    known.setdefault(row.product.lower(), (section, row))
                    known.setdefault(row.product.lower().split(" ")[-1], (section, row))
        if name.lower() in known:
            return known[name.lower()]
        close = nearest(name.lower(), known)
        hint = f"did you mean {known[close][1].model!r}?" if close else "fabric catalog list shows all models"
        raise TopologyError(f"no model is called {name!r}", hint=hint, code="FP2104")


@cache
def builtin() -> Catalogue:
    """The catalogue that comes with the tool."""
    found = Catalogue()
    folder = resources.files("topologies").joinpath("data")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for section, kind in SECTIONS.items():
        text = folder.joinpath(f"{section}.yaml").read_text(encoding="utf-8")
        rows = [kind.model_validate(row) for row in yaml.load(text, Loader=loader)]
        found = found.with_rows(section, {row.model: row for row in rows})
    return found


def catalogue_of(context: object = None) -> Catalogue:
    """The catalogue of a validation context; ours where it has none."""
    found = getattr(context, "catalogue", None)
    return found if isinstance(found, Catalogue) else builtin()


def known_model(what: str, rows: Mapping[str, CatalogueRow], model: str | None) -> str | None:
    """``model``, if it is the name of a row; a schema error with the nearest name where it is none."""
    if model is not None and model not in rows:
        hint = nearest_hint(model, rows)
        text = f"unknown {what} model {model!r}"
        raise PydanticCustomError("unknown_choice", "{text}", {"text": text, "hint": hint})
    return model
