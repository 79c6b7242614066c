"""Nodes as the Kubernetes API gives them: a list, or one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pydantic import Field, model_validator

from topologies.errors import FormatError
from topologies.reading.fields import REFUSED
from topologies.reading.json_value import JsonValue, parse_json
from topologies.registry import Spec
from traffic.schedulers.kubernetes_fields import CONDITIONS, CORDONED, FIELDS, NOT_READY
from traffic.schedulers.kubernetes_pods import PODS_COUNTED, Held, held_on_nodes, quantity

_WAY = "write it by: kubectl get nodes -o json; with what pods hold: kubectl get nodes,pods -A -o json"
_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


class TolerationSpec(Spec):
    """A toleration as a pod has it."""

    key: str = Field(default="", description="Key of the taint; any key if absent")
    operator: str = Field(default="Equal", pattern="^(Equal|Exists)$", description="Equal or Exists")
    value: str = Field(default="", description="Value of the taint, for Equal")
    effect: str = Field(default="", description="Effect of the taint; any if absent")

    @model_validator(mode="after")
    def _complete(self) -> TolerationSpec:
        if not self.key and self.operator != "Exists":
            raise ValueError("a toleration without a key needs operator: Exists")
        if self.effect and self.effect not in _EFFECTS:
            raise ValueError(f"effect {self.effect!r} is none of {', '.join(_EFFECTS)}")
        return self

    @staticmethod
    def of(text: str) -> TolerationSpec:
        """A toleration as kubectl writes a taint: ``key``, ``key=value``, each also with ``:effect``.

        Raises
        ------
        ValueError
            When it is none.
        """
        rest, colon, effect = text.partition(":")
        key, equals, value = rest.partition("=")
        if not key or (colon and effect not in _EFFECTS):
            raise ValueError(f"{text!r} is not key, key=value, key:effect or key=value:effect")
        return TolerationSpec(key=key, operator="Equal" if equals else "Exists", value=value, effect=effect)

    def matches(self, taint: Taint) -> bool:
        """Whether it tolerates a taint."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        return self.operator == "Exists" or self.value == taint.value


@dataclass(frozen=True)
class Taint:
    """What keeps pods away from a node."""

    key: str
    value: str
    effect: str
    why: str = ""  # what it stands for, where the node has no such taint

    def __str__(self) -> str:
        return self.why or f"taint {self.key}{f'={self.value}' if self.value else ''}:{self.effect}"


@dataclass(frozen=True, eq=False)
class KubernetesNode:
    """One node."""

    entry: JsonValue
    name: str
    labels: JsonValue
    taints: tuple[Taint, ...]  # what unschedulable and conditions stand for among them
    deleted: bool
    ready: bool | None  # None where it is not said
    held: Held | None = None  # by pods; None where the document has no pods

    @property
    def reports(self) -> bool:
        """Whether it has a status; a node without one never joined."""
        return not self.entry.get("status").absent

    def taken(self, resource: str) -> int:
        """How many of its GPUs pods hold."""
        return int((self.held or {}).get(resource, 0))

    def free(self, resource: str) -> Decimal | None:
        """What pods leave of a resource; None where the node does not say how much it gives."""
        given = self._given.get(resource)
        return None if given.absent else quantity(given) - (self.held or {}).get(resource, Decimal(0))

    def gpus(self, resource: str) -> tuple[int, int]:
        """How many the node gives, and how many it has."""
        has = self.entry.get("status").get("capacity").get(resource).whole(0)
        given = self._given.get(resource).whole(0)
        return given, max(has, given)

    @property
    def _given(self) -> JsonValue:
        """Resources for pods: where they are not said they are all that the node has."""
        status = self.entry.get("status")
        return status.get("capacity") if status.get("allocatable").absent else status.get("allocatable")

    def accelerators(self, resource: str) -> list[str]:
        """Other resources it gives that are declared as accelerators."""
        return [
            name
            for name, count in self._given.items()
            if name != resource and name in FIELDS and FIELDS.treatment(name) == REFUSED and count.text("0") != "0"
        ]


def read_kubernetes_nodes(text: str, path: str) -> tuple[list[KubernetesNode], tuple[str, ...]]:
    """The nodes of a document, and what is to be said of its fields.

    Raises
    ------
    FormatError
        When it is not such a document (FP6211), or has something else at a place (FP6250).
    """
    if text.lstrip()[:1] not in ("{", "["):
        what = (
            "this is YAML" if "kind:" in text else "this is a table" if text.lstrip().startswith("NAME") else "no JSON"
        )
        raise FormatError(f"no list of nodes: {what}", file=path, line=1, hint=_WAY, code="FP6211")
    document = parse_json(text, path, hint=_WAY)
    if not isinstance(document.value, dict):
        raise document.wrong("no list of nodes", hint=_WAY, code="FP6211")
    kind = document.get("kind").text("List" if "items" in document.keys else "Node")
    if kind not in ("List", "NodeList", "Node"):
        raise document.wrong(f"kind is {kind}, not a list of nodes", hint=_WAY, code="FP6211")
    entries = [document] if kind == "Node" else list(document.get("items").each())
    pods = [entry for entry in entries if entry.get("kind").text("Node") == "Pod"]
    if pods and len(entries) == len(pods):
        raise pods[0].wrong("kind is Pod, not Node, and there is no Node", hint=_WAY, code="FP6211")
    if not entries:
        raise document.wrong("no list of nodes: it is empty", hint=_WAY, code="FP6211")
    present = dict.fromkeys(() if kind == "Node" else document.keys)
    counted = bool(pods) or not document.get("metadata").get("annotations").get(PODS_COUNTED).absent
    held, fields = held_on_nodes(pods)
    present |= dict.fromkeys([*(["Pod"] if pods else []), *fields])
    nodes: dict[str, KubernetesNode] = {}
    for entry in entries:
        inner = entry.get("kind").text("Node")
        if inner not in ("Node", "Pod"):
            raise entry.wrong(f"kind is {inner}, not Node", hint=_WAY, code="FP6211")
        if inner == "Node":
            present |= dict.fromkeys(_fields(entry))
            node = _node(entry, held if counted else None)
            if node.name in nodes:
                first = nodes[node.name].entry.path
                raise entry.wrong(f"{node.name!r} is listed a second time; {first} is it too", hint=_WAY, code="FP6211")
            nodes[node.name] = node
    return list(nodes.values()), FIELDS.notes(present)


def _fields(entry: JsonValue) -> Iterable[str]:
    """Names of what a node has, as they are declared."""
    for key in entry.keys:
        if key in ("metadata", "spec", "status"):
            yield from (f"{key}.{name}" for name in entry.get(key).keys)
        else:
            yield key
    for condition in entry.get("status").get("conditions").each():
        if condition.get("status").text("") == "True":
            yield condition.get("type").text("")


def _node(entry: JsonValue, held: Mapping[str, Held] | None) -> KubernetesNode:
    metadata, spec, status = entry.need("metadata"), entry.get("spec"), entry.get("status")
    taints = [
        Taint(taint.need("key").text(), taint.get("value").text(""), taint.need("effect").text())
        for taint in spec.get("taints").each()
    ]
    for taint, place in zip(taints, spec.get("taints").each(), strict=True):
        if taint.effect not in _EFFECTS:
            raise place.get("effect").wrong(f"{taint.effect!r} is none of {', '.join(_EFFECTS)}")
    if spec.get("unschedulable").flag():
        taints.append(Taint(CORDONED, "", "NoSchedule", "cordoned"))
    conditions = {
        condition.need("type").text(): condition.get("status").text("Unknown")
        for condition in status.get("conditions").each()
    }
    ready = conditions.get("Ready")
    if ready not in (None, "True"):
        taints.append(Taint(NOT_READY, "", "NoSchedule", f"Ready is {ready}"))
    for name, key in CONDITIONS.items():
        if conditions.get(name) == "True":
            taints.append(Taint(key, "", "NoSchedule", name))
    return KubernetesNode(
        entry,
        metadata.need("name").text(),
        metadata.get("labels"),
        tuple(taints),
        not metadata.get("deletionTimestamp").absent,
        None if ready is None else ready == "True",
        None if held is None else held.get(metadata.need("name").text(), {}),
    )
