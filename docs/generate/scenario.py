"""The tables of ``docs/scenario.md``: every key of a scenario, from the schema, below a marker."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fabric.scenario.failure_rates import BUILT_IN
from fabric.scenario.json_schema import scenario_schema
from topologies.builder import TOPOLOGIES
from topologies.units import percent
from traffic.workload import PLACEMENTS, WORKLOADS

MARKER = "<!-- From here on written by make docs; edit the descriptions in the source. -->\n"

# Headline, and the definitions of the schema whose keys follow; None is the scenario itself. Kinds of topology and of
# workload that stand nowhere here have a section of their own at the end of theirs.
SECTIONS: tuple[tuple[str, tuple[str | None, ...]], ...] = (
    (
        "The scenario",
        (None, "CatalogInclude", "DefaultsSpec", "UnitsSpec", "SiteSpec", "TraySpec", "FixedPlace", "CostsSpec"),
    ),
    ("nodes", ("NodeSpec", "NicSpec", "ScaleUpSpec", "NodeResources")),
    (
        "fabrics",
        ("FabricSpec", "RoutingSpec", "AdaptiveSpec", "HashSpec", "FabricLatency", "AddressingSpec", "Encryption"),
    ),
    (
        "fabrics.NAME.topology",
        (
            "LeafSpine",
            "FatTree",
            "Clos",
            "RailOptimised",
            "Superpod",
            "RailOnly",
            "DualPlane",
            "MultiPlane",
            "FileTopology",
            "CapacityAttribute",
        ),
    ),
    (
        "fabrics.NAME.topology: flat networks",
        (
            "Dragonfly",
            "DragonflyPlus",
            "SlimFly",
            "Hyperx",
            "Zcube",
            "Torus",
            "Jellyfish",
            "Xpander",
            "SingleSwitch",
            "Explicit",
            "ExplicitSwitch",
            "ExplicitCable",
        ),
    ),
    ("fabrics.NAME.topology: hosts that forward", ("Bcube", "Dcell")),
    (
        "Switches and cables in a topology",
        (
            "SwitchPorts",
            "SwitchSpec",
            "LeafSpec",
            "SpineSpec",
            "AskedOversubscription",
            "TierOversubscription",
            "TierCounts",
            "LinkSpeeds",
            "TierCabling",
        ),
    ),
    ("workloads", ("Training", "Inference", "Collective", "Checkpoint", "Dataset", "Matrix")),
    (
        "workloads: storage",
        (
            "Storage",
            "Hdfs",
            "Lustre",
            "ObjectStore",
            "Tiering",
            "Replication",
            "NorthSouth",
            "ErasureSpec",
            "RecoverySpec",
            "DevicesSpec",
        ),
    ),
    (
        "workloads: synthetic patterns",
        (
            "AllToAll",
            "Uniform",
            "Permutation",
            "LongestMatching",
            "Stride",
            "BitComplement",
            "Gravity",
            "Hotspot",
            "Incast",
            "Outcast",
        ),
    ),
    (
        "The model",
        (
            "ModelShape",
            "LatentAttention",
            "SparseAttention",
            "Experts",
            "Recurrent",
            "ExtraParameters",
            "HfConfigFile",
            "MegatronArguments",
        ),
    ),
    (
        "Keys of a training workload",
        ("Parallelism", "Batch", "Precision", "Compute", "ExpertLoadFile", "Placement", "ResourceRequests"),
    ),
    (
        "More keys of a training workload",
        (
            "Collectives",
            "LibrarySpec",
            "LibraryLatency",
            "ShardingGroups",
            "Overlap",
            "Memory",
            "CheckpointSpec",
            "DatasetSpec",
        ),
    ),
    ("Keys of an inference workload", ("ServingPool", "Lengths")),
    ("tenants", ("TenantSpec",)),
    ("limits", ("LimitSpec",)),
    ("failures and risk_groups", ("FailureSpec", "RiskGroupSpec")),
    ("measured", ("MeasuredSpec",)),
    ("reliability and on_failure", ("ReliabilitySpec", "RateSpec", "OnFailure")),
)


def page(hand_written: str) -> str:
    """The whole page.

    Raises
    ------
    ValueError
        When the schema has a definition that no section names.
    """
    schema = scenario_schema()
    definitions: dict[str, Any] = schema["$defs"]
    sections = [*SECTIONS]
    left = [name for name in definitions if name not in {name for _, names in SECTIONS for name in names}]
    for title, registry in (("fabrics.NAME.topology: more kinds", TOPOLOGIES), ("workloads: more kinds", WORKLOADS)):
        kinds = {entry.model.__name__ for entry in registry}
        names = tuple(name for name in left if name in kinds)
        left = [name for name in left if name not in kinds]
        sections += [(title, names)] if names else []
    if left:
        raise ValueError(f"docs/generate/scenario.py has no section for {', '.join(sorted(left))}")
    parts = [hand_written.split(MARKER)[0], MARKER]
    documented = {"".join(word.title() for word in entry.name.split("-")): entry.function for entry in WORKLOADS}
    for title, names in sections:
        parts.append(f"\n## {title}\n")
        for name in names:
            part = schema if name is None else definitions[name]
            described = parameters(documented[name]) if name in documented else {}
            if name is not None:
                parts.append(f"\n### {heading(name, part)}\n\n{part.get('description', '').replace('``', '`')}\n")
            parts.append("\n| key | value | default | |\n| --- | --- | --- | --- |\n")
            parts += [
                row(key, value, part, described)
                for key, value in part["properties"].items()
                if key != "kind" or "default" in value
            ]
    parts.append("\n### placement.order\n\n| order | own keys | |\n| --- | --- | --- |\n")
    for entry in PLACEMENTS:
        keys = ", ".join(f"`{key}`" for key in entry.model.model_fields if key != "kind") or "none"
        parts.append(f"| `{entry.name}` | {keys} | {entry.summary.replace('``', '`').removesuffix('.')} |\n")
    parts.append("\n### reliability.rates, built in\n\n| key | rate | repair | source |\n| --- | --- | --- | --- |\n")
    for rate in BUILT_IN:
        repair = "" if rate.repair_s is None else f"{rate.repair_s / 3600:g} h ({rate.repair_source})"
        parts.append(f"| `{rate.key}` | {percent(rate.per_month, 3)} a month | {repair} | {rate.source} |\n")
    return "".join(parts)


def heading(name: str, part: Mapping[str, Any]) -> str:
    """``kind: fat-tree`` for a choice of kind, the words of the name for a part."""
    kind = part["properties"].get("kind", {})
    if "default" in kind:  # a key like any other
        kind = {}
    values = [kind["const"]] if "const" in kind else kind.get("enum", [])
    if values:
        return " or ".join(f"`kind: {value}`" for value in values)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("Spec")).capitalize()


def row(key: str, value: Mapping[str, Any], part: Mapping[str, Any], described: Mapping[str, str]) -> str:
    """One key as a line of the table."""
    required = key in part.get("required", ())
    default = "required" if required else shown(value.get("default"))
    text = described.get(key) or value.get("description") or described_inside(value)
    text = "See below" if text == "See their fields." else text.replace("``", "`").removesuffix(".")
    if value.get("x-not-yet-modelled"):
        text = f"{text}. Accepted, not yet modelled"
    cells = (f"`{key}`", kind_of(value), default, text)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |\n"


def shown(default: Any) -> str:
    """A default worth printing."""
    if default in (None, [], "") or isinstance(default, dict):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def described_inside(value: Mapping[str, Any]) -> str:
    """The description of the one alternative that has one."""
    inside = [choice["description"] for choice in value.get("anyOf", ()) if "description" in choice]
    return str(inside[0]) if inside else ""


def kind_of(value: Mapping[str, Any]) -> str:
    """What may be written, in words."""
    return " or ".join(dict.fromkeys(kinds_of(value)))


def kinds_of(value: Mapping[str, Any]) -> Iterator[str]:
    """The alternatives of a value."""
    example = [item for item in value.get("examples", ()) if isinstance(item, str)]
    if "$ref" in value:
        yield heading(value["$ref"].rsplit("/", 1)[1], {"properties": {}}).lower()
    elif "const" in value or "enum" in value:
        yield ", ".join(f"`{item}`" for item in value.get("enum", [value.get("const")]))
    elif value.get("type") == "array":
        items = value.get("items", {})
        yield "list of workloads" if len(items.get("oneOf", ())) > 5 else f"list of {kind_of(items)}"
    elif "oneOf" in value or "anyOf" in value:
        choices = value.get("oneOf", value.get("anyOf", []))
        if len(choices) > 4:
            yield "see its kinds"
        for choice in choices if len(choices) <= 4 else ():
            yield from kinds_of({**choice, **({"examples": value["examples"]} if "examples" in value else {})})
    elif value.get("type") == "string" and "pattern" in value and example:
        yield f"such as `{example[0]}`"
    elif value.get("type") == "object":
        yield "mapping"
    elif value.get("type") != "null":
        if "allOf" in value:  # one of them, with keys that it must have
            yield from kinds_of(value["allOf"][0])
            return
        if value.get("type") == "string" and example:
            yield f"text such as `{example[0]}`"
            return
        names = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`"}
        yield names.get(str(value.get("type")), "text")


def parameters(function: Any) -> dict[str, str]:
    """Descriptions in the ``Parameters`` section of a numpydoc docstring."""
    text = inspect.getdoc(function) or ""
    found = re.search(r"Parameters\n-+\n(.*?)(?:\n\n\w|\Z)", text, re.DOTALL)
    described: dict[str, str] = {}
    names: list[str] = []
    for line in found[1].splitlines() if found else ():
        if line and not line.startswith(" "):
            names = [name.strip() for name in line.split(" :")[0].split(",")]
        else:
            described.update({name: f"{described.get(name, '')} {line.strip()}".strip() for name in names})
    return described
