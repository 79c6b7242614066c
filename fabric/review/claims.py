"""The counts of a slide or a sizing page: which there can be, and reading them with every mistake at its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from fabric.review.written import Written, WrittenRate, WrittenRatio, exactly
from fabric.scenario.diagnostics import locate
from fabric.scenario.explain import explain
from fabric.scenario.keys import Keys
from fabric.scenario.tree import Tree
from topologies.catalogue import Catalogue, builtin, catalogue_of, known_model
from topologies.errors import Problem, ScenarioError
from topologies.registry import Spec
from topologies.units import Count, CountOrZero, SpeedGbps, precise_gbps

Kind = Literal["leaf-spine", "fat-tree", "clos", "rail-optimised", "rail-only", "single-switch"]
MOST = 10_000_000  # of anything: beyond every network there is

Many = Annotated[Count, Field(le=MOST)]
ManyOrNone = Annotated[CountOrZero, Field(le=MOST)]


def _count(text: str, example: int) -> Any:
    return Field(default=None, description=text, examples=[example])


class CountsSpec(Spec):
    """Counts as somebody wrote them down; all are optional, and what they say of each other is reviewed."""

    version: Literal[1] = 1
    name: str = Field(default="counts", description="What they are called in the answer", examples=["sizing-slide"])
    kind: Kind | None = Field(default=None, description="Kind of fabric; default: by the tiers", examples=["fat-tree"])
    gpus: Many | None = _count("GPUs in all", 512)
    hosts: Many | None = _count("Hosts (servers, nodes) in all", 64)
    gpus_per_host: Many | None = _count("GPUs of a host", 8)
    nics: Many | None = _count("NICs on this fabric in all", 512)
    nics_per_host: Many | None = _count("NICs of a host on this fabric; default: one a GPU", 8)
    nic_ports: Many | None = _count("Ports of a NIC, each with a cable; default: 1", 2)
    tiers: Annotated[int, Field(ge=1, le=3)] | None = _count("Tiers of switches", 2)
    planes: Many | None = _count("Planes that meet nowhere, each with switches of its own", 2)
    pods: Many | None = _count("Pods: leaves that share spines, below cores", 4)
    rails: Many | None = _count("Rails: NIC i of every host of a unit on leaf i", 8)
    leaves: Many | None = _count("Leaves (ToRs, edge switches) in all", 16)
    spines: ManyOrNone | None = _count("Spines (aggregation switches) in all; 0: none", 8)
    cores: ManyOrNone | None = _count("Cores (super-spines) in all; 0: none", 16)
    switches: Many | None = _count("Switches of all roles", 24)
    leaves_per_pod: Many | None = _count("Leaves of a pod", 32)
    spines_per_pod: Many | None = _count("Spines of a pod", 32)
    hosts_per_pod: Many | None = _count("Hosts of a pod or unit", 128)
    gpus_per_pod: Many | None = _count("GPUs of a pod or unit", 1024)
    racks: Many | None = _count("Racks of hosts", 16)
    hosts_per_rack: Many | None = _count("Hosts of a rack", 4)
    host_ports: Many | None = _count("Links to hosts of a leaf (ports down)", 32)
    uplinks: ManyOrNone | None = _count("Links up of a leaf, to all spines together", 32)
    spine_down: Many | None = _count("Links of a spine down to leaves", 64)
    spine_uplinks: ManyOrNone | None = _count("Links up of a spine, to all cores together", 32)
    core_down: Many | None = _count("Links of a core down to spines", 64)
    radix: Many | None = _count("Ports of every switch", 64)
    leaf_radix: Many | None = _count("Ports of a leaf, where they differ", 64)
    spine_radix: Many | None = _count("Ports of a spine, where they differ", 64)
    core_radix: Many | None = _count("Ports of a core, where they differ", 64)
    ports: Many | None = _count("Ports of all switches together", 1536)
    model: str | None = Field(default=None, description="Switch model of the catalogue", examples=["eth-64x400"])
    leaf_model: str | None = Field(default=None, description="Model of the leaves", examples=["eth-64x800"])
    spine_model: str | None = Field(default=None, description="Model of the spines", examples=["eth-64x800"])
    core_model: str | None = Field(default=None, description="Model of the cores", examples=["eth-64x800"])
    speed: SpeedGbps | None = Field(default=None, description="Speed of every link", examples=["400G"])
    nic_speed: SpeedGbps | None = Field(default=None, description="Speed of a NIC, all its ports", examples=["400G"])
    uplink_speed: SpeedGbps | None = Field(default=None, description="Of leaf-spine links", examples=["800G"])
    core_speed: SpeedGbps | None = Field(default=None, description="Of spine-core links", examples=["800G"])
    port_speed: SpeedGbps | None = Field(
        default=None, description="Of a switch port; slower links break it out", examples=["800G"]
    )
    oversubscription: WrittenRatio | None = Field(default=None, description="Of leaves, down over up; 1:1 of all tiers")
    spine_oversubscription: WrittenRatio | None = Field(default=None, description="Of spines, down over up")
    bisection: WrittenRate | None = Field(default=None, description="Bisection bandwidth, one direction")
    host_bandwidth: WrittenRate | None = Field(default=None, description="Of all NICs together, one direction")
    switch_capacity: WrittenRate | None = Field(default=None, description="Of a switch: ports times speed")
    host_cables: Many | None = _count("Cables between hosts and leaves", 512)
    leaf_spine_cables: ManyOrNone | None = _count("Cables between leaves and spines", 512)
    spine_core_cables: ManyOrNone | None = _count("Cables between spines and cores", 512)
    fabric_cables: ManyOrNone | None = _count("Cables between switches", 512)
    cables: Many | None = _count("Cables in all", 1024)
    optics: ManyOrNone | None = _count("Pluggable optics in all, both ends", 2048)
    cost: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Cost of the network, US$")
    switch_price: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Price of a switch, US$")
    cable_price: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Price of a cable, US$")
    optic_price: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Price of an optic, US$")
    power: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Power of the network, W")
    switch_power: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Power of a switch, W")
    hops: Many | None = _count("Switches on the longest way between two hosts", 3)

    @field_validator("model", "leaf_model", "spine_model", "core_model")
    @classmethod
    def _known_model(cls, model: str | None, info: ValidationInfo) -> str | None:
        return known_model("switch", catalogue_of(info.context).switches, model)


_SETTINGS = ("version", "name")
_WORDS = ("kind", "model", "leaf_model", "spine_model", "core_model")
CLAIM_KEYS = tuple(name for name in CountsSpec.model_fields if name not in _SETTINGS)
_SPEEDS = ("speed", "nic_speed", "uplink_speed", "core_speed", "port_speed")


@dataclass(frozen=True, eq=False)
class Claims:
    """What was claimed, by key: numbers as written, words as text."""

    name: str
    path: str
    numbers: Mapping[str, Written]
    words: Mapping[str, str] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=builtin)

    def __contains__(self, key: str) -> bool:
        return key in self.numbers or key in self.words

    @property
    def keys(self) -> tuple[str, ...]:
        """All that were given, in the order of the schema."""
        return tuple(key for key in CLAIM_KEYS if key in self)

    def without(self, *keys: str) -> Claims:
        """The same without some of them."""
        numbers = {key: value for key, value in self.numbers.items() if key not in keys}
        words = {key: value for key, value in self.words.items() if key not in keys}
        return Claims(self.name, self.path, numbers, words, self.catalogue)

    def only(self, keys: frozenset[str]) -> Claims:
        """Only these of them."""
        return self.without(*(key for key in self.keys if key not in keys))

    def with_others(self, over: Claims) -> Claims:
        """With those of another laid over them."""
        return Claims(
            self.name, self.path, {**self.numbers, **over.numbers}, {**self.words, **over.words}, self.catalogue
        )

    def value(self, key: str) -> Fraction | None:
        """A number as it is written; None where it is not claimed."""
        return self.numbers[key].value if key in self.numbers else None

    def shown(self, key: str) -> str:
        """Key and value for people."""
        text = self.words[key] if key in self.words else self.numbers[key].text
        return f"{key.replace('_', ' ')} {text}"


def claims_of(spec: CountsSpec, path: str, catalogue: Catalogue) -> Claims:
    """The claims of a checked file or of flags."""
    numbers: dict[str, Written] = {}
    words: dict[str, str] = {}
    for key in CLAIM_KEYS:
        value = getattr(spec, key)
        if value is None:
            continue
        if key in _WORDS:
            words[key] = value
        elif isinstance(value, Written):
            numbers[key] = value
        else:
            numbers[key] = exactly(value, precise_gbps(value) if key in _SPEEDS else "")
    return Claims(spec.name, path, numbers, words, catalogue)


@cache
def counts_schema() -> dict[str, Any]:
    """JSON Schema of a file of counts."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **CountsSpec.model_json_schema(),
        "title": "fabric counts",
    }


def is_scenario(data: object) -> bool:
    """Whether a document is a scenario rather than counts."""
    return isinstance(data, Mapping) and bool({"fabrics", "include", "nodes", "workloads"} & set(data))


def read_claims(tree: Tree, catalogue: Catalogue) -> Claims:
    """Claims of a document.

    Raises
    ------
    ScenarioError
        With every problem, located.
    """
    data, place = tree.plain(), tree.place
    if not isinstance(data, Mapping):
        raise ScenarioError(
            "counts are a mapping of keys",
            code="FP1006",
            file=place.file,
            line=place.line,
            column=place.column,
            hint="for example gpus: 512, leaves: 16, spines: 8, radix: 64",
        )
    claims = claims_of(_checked(data, tree, catalogue), place.file or "", catalogue)
    if not claims.keys:
        raise ScenarioError(
            "nothing is claimed", code="FP2301", file=place.file, line=place.line, column=place.column,
            hint="for example gpus: 512, leaves: 16, spines: 8, radix: 64",
        )  # fmt: skip
    return claims


def flag_claims(values: Mapping[str, Any], catalogue: Catalogue) -> Claims:
    """Claims of a command line.

    Raises
    ------
    ScenarioError
        FP2302 with every value that is wrong, by its flag.
    """
    try:
        spec = CountsSpec.model_validate(dict(values), context=_Context(catalogue))
    except ValidationError as error:
        problems = []
        for problem in explain(error.errors(include_url=False), dict(values), Keys(counts_schema, dict(values))):
            flag = "--" + str(problem.where[0] if problem.where else "").replace("_", "-")
            problems.append(Problem(f"{flag}: {problem.message}", code="FP2302", hint=problem.hint or problem.label))
        raise ScenarioError(problems) from None
    return claims_of(spec, "the command line", catalogue)


@dataclass(frozen=True)
class _Context:
    catalogue: Catalogue


def _checked(data: Mapping[str, Any], tree: Tree, catalogue: Catalogue) -> CountsSpec:
    try:
        return CountsSpec.model_validate(data, context=_Context(catalogue))
    except ValidationError as error:
        problems = explain(error.errors(include_url=False), data, Keys(counts_schema, data))
        raise ScenarioError(locate(problems, tree)) from None


def read_tree(path: str | Path) -> tuple[Tree, str]:
    """The document of a file, and its text; ``-`` is standard input.

    Raises
    ------
    FabricError
        When it cannot be read, or is not YAML.
    """
    from fabric.scenario.positions import MOST_BYTES, decode, read_yaml
    from topologies.errors import FormatError
    from topologies.reading.file_bytes import file_bytes, stdin_bytes

    name = str(path)
    try:
        content = stdin_bytes(MOST_BYTES) if name == "-" else file_bytes(name, MOST_BYTES)
    except OSError as error:
        raise FormatError(
            f"cannot read the file: {error.strerror or error}", file=name, code="FP6001",
            hint="give a file of counts, a scenario, a saved result, or counts as flags",
        ) from None  # fmt: skip
    shown = "<stdin>" if name == "-" else name
    text = decode(content, shown)
    return read_yaml(text, shown), text
