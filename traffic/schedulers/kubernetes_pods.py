"""What pods hold of their nodes, as the scheduler of Kubernetes counts it.

A pod holds the requests of its containers together; or of one of those that run before them, if that asks for more.
What runs beside them from the start (an init container that restarts always) counts in both. A request that is absent
is the limit; a pod's own request stands for its containers'; overhead comes on top.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from topologies.reading.json_value import JsonValue

CLAIMS = "Pod.spec.resourceClaims"
PODS_COUNTED = "fabric-planner/pods"  # annotation of a list that has all pods of its nodes, be they none
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)")
_DECIMAL = dict(zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True))
_BINARY = "KMGTPE"

Held = Mapping[str, Decimal]


def quantity(value: JsonValue) -> Decimal:
    """A quantity of Kubernetes: ``500m``, ``1Gi``, ``2e3``.

    Raises
    ------
    FormatError
        When it is none (FP6250).
    """
    if value.absent:
        return Decimal(0)
    found = _QUANTITY.fullmatch(value.text())
    if not found:
        raise value.wrong(f"{value.text()[:40]!r} is not a quantity such as 500m or 1Gi")
    number = Decimal(found[1] + (found[2] or ""))
    if number < 0:
        raise value.wrong(f"{value.text()[:40]} is below 0, and an amount of a node or a pod is not")
    suffix = found[3] or ""
    if suffix.endswith("i"):
        return number * Decimal(1024 ** (_BINARY.index(suffix[0]) + 1))
    return number.scaleb(_DECIMAL.get(suffix, 0))


def counts(pod: JsonValue) -> bool:
    """Whether a pod is on a node and has not ended."""
    phase = pod.get("status").get("phase").text("Pending")
    return not pod.get("spec").get("nodeName").absent and phase not in ("Succeeded", "Failed")


def held_by(pod: JsonValue) -> dict[str, Decimal]:
    """What one pod holds, by the name of the resource."""
    spec = pod.get("spec")
    beside: dict[str, Decimal] = {}  # from the start to the end
    before: dict[str, Decimal] = {}  # the most of what runs before the containers
    for container in spec.get("initContainers").each():
        asked = _asked(container)
        if container.get("restartPolicy").text("") == "Always":
            _add(beside, asked)
            asked = {}
        for name in {**asked, **beside}:
            before[name] = max(before.get(name, Decimal(0)), asked.get(name, Decimal(0)) + beside.get(name, Decimal(0)))
    together = dict(beside)
    for container in spec.get("containers").each():
        _add(together, _asked(container))
    held = {name: max(together.get(name, Decimal(0)), before.get(name, Decimal(0))) for name in {**together, **before}}
    held.update(_asked(spec))
    _add(held, {name: quantity(amount) for name, amount in spec.get("overhead").items()})
    return held


def _asked(holder: JsonValue) -> dict[str, Decimal]:
    """Requests of a container or of a pod; limits where there is no request."""
    resources = holder.get("resources")
    asked = {name: quantity(amount) for name, amount in resources.get("limits").items()}
    return asked | {name: quantity(amount) for name, amount in resources.get("requests").items()}


def _add(sums: dict[str, Decimal], more: Held) -> None:
    for name, amount in more.items():
        sums[name] = sums.get(name, Decimal(0)) + amount


def held_on_nodes(pods: list[JsonValue]) -> tuple[dict[str, dict[str, Decimal]], tuple[str, ...]]:
    """What pods hold, by node and resource; and the fields they have that are declared."""
    held: dict[str, dict[str, Decimal]] = {}
    fields: dict[str, None] = {}
    for pod in pods:
        if counts(pod):
            _add(held.setdefault(pod.get("spec").get("nodeName").text(), {}), held_by(pod))
            if list(pod.get("spec").get("resourceClaims").each()):
                fields[CLAIMS] = None
    return held, tuple(fields)
