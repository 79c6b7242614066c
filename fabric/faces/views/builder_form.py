"""A form made from a builder's parameters: its fields, what their values come to, and the scenario they make."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric.scenario.load import load_scenario
from fabric.scenario.positions import read_yaml
from topologies.builder import TOPOLOGIES
from topologies.errors import FabricError
from topologies.summary import summarise
from topologies.units import to_one


@dataclass(frozen=True)
class FormField:
    """One parameter of a builder."""

    name: str
    default: str  # as YAML, empty where it may be left out
    required: bool
    words: str


def form_fields(kind: str) -> list[FormField]:
    """Fields of a kind of topology, with the values of its example."""
    entry = TOPOLOGIES[kind]
    fields = []
    for name, field in entry.model.model_fields.items():
        if name == "kind":
            continue
        given = entry.example.get(name)
        text = "" if given is None else _yaml(given)
        fields.append(FormField(name, text, field.is_required(), field.description or ""))
    return fields


def _yaml(value: Any) -> str:
    import yaml

    return str(yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=200)).removesuffix("...\n").strip()


def scenario_text(kind: str, values: dict[str, str], name: str) -> str:
    """A scenario with one fabric and all-to-all traffic.

    Raises
    ------
    FabricError
        Where a value is not YAML.
    """
    import yaml

    topology: dict[str, Any] = {"kind": kind}
    for key, text in values.items():
        if text.strip():
            topology[key] = read_yaml(text, key).plain()
    document = {
        "version": 1,
        "name": name,
        "fabrics": {"main": {"topology": topology}},
        "workloads": [{"id": "shuffle", "kind": "all-to-all", "fabric": "main", "size": "1 GiB"}],
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def facts(text: str) -> str:
    """What a scenario builds, in one line.

    Raises
    ------
    FabricError
        With everything wrong with it.
    """
    from fabric.pipeline.prepared import build

    parts = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "form.fabric.yaml"
        path.write_text(text, encoding="utf-8")
        for name, topology in build(load_scenario(path)).topologies.items():
            summary = summarise(topology)
            nodes = ", ".join(f"{count:,} {role}" for role, count in summary.nodes_by_role.items())
            over = [value for value in summary.oversubscription_by_role.values() if value is not None]
            worst = f", oversubscribed {to_one(max(over), places=2)}" if over else ""
            parts.append(f"{name}: {nodes}; {summary.cables:,} cables, {summary.endpoints:,} endpoints{worst}")
    return "; ".join(parts)


def problems_of(error: FabricError) -> str:
    """What is wrong, one line per problem."""
    return "\n".join(f"{problem.message}{f' ({problem.hint})' if problem.hint else ''}" for problem in error.problems)
