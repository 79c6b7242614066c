"""Processors, memory and local storage of nodes, and what the pieces of a job request of them.

Inside, processors are thousandths of a core and the others bytes, as whole numbers: a node that is exactly full is
full, whatever floating point makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema, model_validator

from topologies.registry import Spec
from topologies.units import Count, format_bytes, parse_bytes

KINDS = ("cpu", "memory", "storage")
GPUS = "gpus"
_MOST = 2**60


def parse_cores(value: object) -> float:
    """Cores: ``64``, ``0.5``, or thousandths as Kubernetes writes them, ``500m``.

    >>> parse_cores("500m"), parse_cores(64)
    (0.5, 64.0)
    """
    text = str(value).strip()
    number, scale = (text[:-1], 1000.0) if text.endswith("m") else (text, 1.0)
    try:
        if isinstance(value, bool):
            raise ValueError
        cores = float(number) / scale
    except ValueError:
        raise ValueError(f"{value!r} is not a number of cores; write for example 64 or 500m") from None
    return cores


def _checked(amount: float, value: object) -> float:
    if not 0 <= amount < _MOST:
        raise ValueError(f"{value!r} is not an amount that a node can have")
    return amount


def _cores(value: object) -> int:
    return ceil(round(_checked(parse_cores(value), value) * 1000, 6))


def _bytes(value: object) -> int:
    return ceil(_checked(parse_bytes(value), value))


def _few_cores(value: object) -> int:
    return floor(round(_checked(parse_cores(value), value) * 1000, 6))


def _few_bytes(value: object) -> int:
    return floor(_checked(parse_bytes(value), value))


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST:
        raise ValueError(f"{value!r} is not a number of GPUs")
    return value


_TEXT = {"type": "string"}
_CORES = {"anyOf": [{"type": "number", "minimum": 0}, {**_TEXT, "pattern": r"^\s*[\d.]+\s*m?\s*$"}], "examples": [64]}
_VOLUME = {**_TEXT, "pattern": r"^\s*[\d._]+\s*([kKMGTPE]i?)?B\s*$", "examples": ["1 TiB"]}


def _requested(parse: Any, schema: dict[str, Any]) -> Any:
    return (BeforeValidator(parse), WithJsonSchema(schema))


def _of_nodes(parse: Any, schema: dict[str, Any]) -> Any:
    """Metadata of an amount that all nodes have alike, or of a list with one for each."""

    def amounts(value: object) -> tuple[int, ...]:
        return tuple(map(parse, value)) if isinstance(value, list | tuple) else (parse(value),)

    both = {"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}], "examples": schema["examples"]}
    return (PlainValidator(amounts), WithJsonSchema(both))


Cores = Annotated[int, *_requested(_cores, _CORES)]
Volume = Annotated[int, *_requested(_bytes, _VOLUME)]
CountOfNodes = Annotated[tuple[int, ...], *_of_nodes(_whole, {"type": "integer", "minimum": 0, "examples": [8]})]
CoresOfNodes = Annotated[tuple[int, ...], *_of_nodes(_few_cores, _CORES)]
VolumeOfNodes = Annotated[tuple[int, ...], *_of_nodes(_few_bytes, _VOLUME)]


class NodeResources(Spec):
    """What nodes have for jobs; an amount for all of them, or a list of one for each."""

    cpu: CoresOfNodes | None = Field(default=None, description="Cores that jobs may have", examples=[96])
    memory: VolumeOfNodes | None = Field(default=None, description="Memory that jobs may have", examples=["1 TiB"])
    storage: VolumeOfNodes | None = Field(
        default=None, description="Local storage that jobs may have", examples=["3.5 TB"]
    )
    gpus: CountOfNodes | None = Field(
        default=None,
        description="GPUs of a node that jobs with requests may have, its first; default: all of them",
        examples=[8],
    )

    def by_node(self, nodes: int) -> dict[str, tuple[int, ...]]:
        """Amounts of every node, by kind; kinds of which nothing is said are not there.

        Raises
        ------
        ValueError
            When a list is not as long as there are nodes.
        """
        found = {}
        for kind in (*KINDS, GPUS):
            amounts = getattr(self, kind)
            if amounts is None:
                continue
            if len(amounts) not in (1, nodes):
                raise ValueError(f"resources.{kind} lists {len(amounts):,} amounts for {nodes:,} nodes")
            found[kind] = amounts if len(amounts) == nodes else amounts * nodes
        return found


class ResourceRequests(Spec):
    """What one piece of a job (a pod, a task) requests of its node, beside a GPU for every rank."""

    ranks: Count = Field(
        default=1, description="Ranks of a piece, which are on one node; requests are of one piece", examples=[8]
    )
    cpu: Cores | None = Field(default=None, description="Cores of a piece", examples=[16])
    memory: Volume | None = Field(default=None, description="Memory of a piece", examples=["128 GiB"])
    storage: Volume | None = Field(default=None, description="Local storage of a piece", examples=["500 GB"])

    @model_validator(mode="after")
    def _something(self) -> ResourceRequests:
        if not self.amounts:
            raise ValueError("nothing is requested; write for example cpu: 16, memory: 128 GiB or storage: 500 GB")
        return self

    @property
    def amounts(self) -> Mapping[str, int]:
        """What is requested, by kind: thousandths of cores, bytes."""
        return {kind: getattr(self, kind) for kind in KINDS if getattr(self, kind)}


def amount_words(kind: str, amount: int) -> str:
    """An amount for people.

    >>> amount_words("cpu", 16_000), amount_words("cpu", 500), amount_words("memory", 2**30)
    ('16 cores', '0.5 cores', 'memory of 1.07 GB')
    """
    if kind == "cpu":
        return f"{amount / 1000:,.12g} cores"
    return f"{kind} of {format_bytes(amount)}"
