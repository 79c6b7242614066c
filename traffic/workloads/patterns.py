"""Synthetic patterns as workloads: one kind for every pattern, with the keys that all share and the pattern's own."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

from topologies.registry import Entry, Injected
from topologies.units import Count, RateGbps, VolumeBytes
from traffic.demands import Flows
from traffic.inventory import ALL
from traffic.synthetic import Level, pattern_workload
from traffic.workload import PATTERNS, WORKLOADS, WorkloadContext, WorkloadTraffic

_KEYS = """Parameters
----------
members : str
    Node group, or ``all`` endpoints of the fabric.
fabric : str, optional
    The fabric; the only one that fits the members if absent.
size, rate : float, optional
    What each member sends, S, bytes or Gbps; exactly one of them.
level : {'endpoint', 'leaf'}
    Whether a member is an endpoint, or all endpoints on one leaf together.
phase : str, optional
    Name of the phase; the kind if absent.
qps_per_connection : int, optional
    Flows that the traffic of a pair is spread over, each hashed on its own; 1 if absent.
"""


def _shared(
    members: str = ALL,
    fabric: str | None = None,
    size: VolumeBytes | None = None,
    rate: RateGbps | None = None,
    level: Level = "endpoint",
    phase: str | None = None,
    qps_per_connection: Count | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Carry the keys that all patterns share; never called."""
    raise NotImplementedError


def _workload(entry: Entry[Flows]) -> Callable[..., WorkloadTraffic]:
    """The function whose signature is the shared keys and the pattern's own."""
    own = {
        name: parameter
        for name, parameter in inspect.signature(entry.function).parameters.items()
        if name not in entry.injected
    }

    def workload(**keys: Any) -> WorkloadTraffic:
        return pattern_workload(entry.name, keys.pop("context"), **keys)

    shared = inspect.signature(_shared).parameters
    context = shared["context"]
    plain = [parameter for name, parameter in shared.items() if name != "context"]
    keyword = [parameter.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for parameter in own.values()]
    workload.__signature__ = inspect.Signature([*plain, *keyword, context])  # type: ignore[attr-defined]
    hints = get_type_hints(entry.function, include_extras=True)
    workload.__annotations__ = {
        **get_type_hints(_shared, include_extras=True),
        **{name: hints[name] for name in own},
    }
    workload.__name__ = workload.__qualname__ = entry.name.replace("-", "_")
    workload.__doc__ = f"{entry.summary}\n\n{_KEYS}{_own_keys(entry, own)}"
    return workload


def _own_keys(entry: Entry[Flows], own: dict[str, inspect.Parameter]) -> str:
    """The docstring's lines about the pattern's own keys."""
    lines = (inspect.getdoc(entry.function) or "").splitlines()
    starts = {name: at for at, line in enumerate(lines) for name in own if line.startswith(f"{name} :")}
    kept: list[str] = []
    for at in starts.values():
        kept.append(lines[at])
        for line in lines[at + 1 :]:
            if not line.startswith("    "):
                break
            kept.append(line)
    return "\n".join(kept)


for _entry in PATTERNS:
    WORKLOADS.register(_entry.name, example={"size": "1 GiB", **_entry.example}, aliases=_entry.aliases)(
        _workload(_entry)
    )
