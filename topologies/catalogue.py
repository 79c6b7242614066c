"""Models of switches, NICs and nodes: ports, speeds, power, price, each with its source."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TypeVar

import yaml
from pydantic import Field

from topologies.errors import TopologyError, nearest
from topologies.registry import Spec
from topologies.units import Count, CountOrZero, SpeedGbps


class SwitchModel(Spec):
    """A switch one can buy."""

    model: str
    ports: Count
    speed: SpeedGbps
    tcam_entries: Count | None = Field(default=None, description="Rules of a flow or route table")
    groups: Count | None = Field(default=None, description="Select (ECMP) groups")
    group_members: Count | None = Field(default=None, description="Members of all groups; weight w takes w")
    typical_w: float | None = None
    max_w: float | None = None
    usd: float | None = None
    estimate: bool = Field(default=False, description="Figures are estimates, not published")
    source: str


class NicModel(Spec):
    """A network card."""

    model: str
    speed: SpeedGbps
    source: str


class NodeModel(Spec):
    """A server."""

    model: str
    gpus: CountOrZero
    max_w: float | None = None
    source: str


Row = TypeVar("Row", SwitchModel, NicModel, NodeModel)


def _rows(file: str, kind: type[Row]) -> dict[str, Row]:
    text = resources.files("topologies").joinpath("data", file).read_text(encoding="utf-8")
    rows = [kind.model_validate(row) for row in yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))]
    return {row.model: row for row in rows}


@cache
def switch_models() -> dict[str, SwitchModel]:
    """All switches by name."""
    return _rows("switches.yaml", SwitchModel)


@cache
def nic_models() -> dict[str, NicModel]:
    """All NICs by name."""
    return _rows("nics.yaml", NicModel)


@cache
def node_models() -> dict[str, NodeModel]:
    """All servers by name."""
    return _rows("nodes.yaml", NodeModel)


def _find(what: str, rows: dict[str, Row], model: str) -> Row:
    if model not in rows:
        close = nearest(model, rows)
        hint = f"did you mean {close!r}?" if close else f"known: {', '.join(rows)}"
        raise TopologyError(f"unknown {what} model {model!r}", where="model", hint=hint, code="FP2104")
    return rows[model]


def switch_model(model: str) -> SwitchModel:
    """The switch called ``model``; TopologyError with the nearest name when unknown."""
    return _find("switch", switch_models(), model)


def nic_model(model: str) -> NicModel:
    """The NIC called ``model``."""
    return _find("NIC", nic_models(), model)


def node_model(model: str) -> NodeModel:
    """The server called ``model``."""
    return _find("node", node_models(), model)
