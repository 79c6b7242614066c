"""What to add so that it holds: more or faster cables per tier, each tried on the scenario and all its cases again.

Tried are, on every fabric whose limits break: one more, two more, … uplinks of every leaf with the spines that take
them (where the scenario gives both numbers), more parallel cables of a tier, and faster cables of a tier. Of each way
the least that holds is found; what a switch has no port for, or no port fast enough, is left out. Cheapest is what
adds, or replaces, fewest cables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fabric.failures.chunks import Ground
from fabric.failures.request import FailureRequest
from fabric.failures.result import FailureLimit, Remedy
from fabric.failures.sweep import judge_limit, limit_sweep
from fabric.pipeline.phase_options import limits_of
from fabric.pipeline.run import Run, run_scenario
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.limit_schema import LimitSpec
from fabric.scenario.load import load_scenario
from topologies.budget import counted
from topologies.cabling import TierCabling
from topologies.errors import FabricError
from topologies.topology import Topology

_MORE_UPLINKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_PARALLEL = (2, 3, 4)
_SPEEDS_GBPS = (25, 50, 100, 200, 400, 800, 1600)


@dataclass(frozen=True)
class _Way:
    """One way to add, in steps from the least: what people read and the overrides of every step."""

    fabric: str
    tier: str
    steps: tuple[tuple[str, tuple[str, ...]], ...]


def remedies(
    run: Run, request: FailureRequest, limits: Sequence[FailureLimit], progress: Reporter = silent
) -> tuple[Remedy, ...]:
    """The least of every way under which all limits with ``when`` of a fabric hold, fewest cables first.

    Parameters
    ----------
    limits : sequence of FailureLimit
        As they were judged; without one that breaks there is nothing to add.

    Where no step of a way holds, its last that could be built is given, and that it does not hold.
    """
    broken = {limit.verdict.id for limit in limits if limit.verdict.ok is False}
    asked = [(place, limit) for place, limit in enumerate(limits_of(run.loaded, run.request)) if limit.when is not None]
    fabrics = [
        fabric
        for fabric in run.network.topologies
        if any(f"L{place + 1}" in broken and _is_about(run, limit, fabric) for place, limit in asked)
    ]
    found: list[Remedy] = []
    for fabric in fabrics:
        mine = [(place, limit) for place, limit in asked if _is_about(run, limit, fabric)]
        for way in _ways(run, fabric):
            progress(Progress(f"what to add to {fabric}: {way.steps[0][0]}"))
            remedy = _least(run, request, way, mine)
            if remedy is not None:
                found.append(remedy)
    return tuple(sorted(found, key=lambda remedy: (not remedy.holds, remedy.added, remedy.text)))


def _is_about(run: Run, limit: LimitSpec, fabric: str) -> bool:
    """Whether a limit is on a fabric, or on a job that sends over it."""
    if limit.fabric is not None:
        return limit.fabric == fabric
    sends = [workload for workload in run.traffic if workload.id == limit.workload]
    return any(phase.fabric == fabric for workload in sends for phase in workload.phases)


def _ways(run: Run, fabric: str) -> Iterator[_Way]:
    """Ways to add to a fabric."""
    topology, spec = run.network.topologies[fabric], run.loaded.scenario.fabrics[fabric].topology
    path = f"fabrics.{fabric}.topology"
    leaf, spine = getattr(spec, "leaf", None), getattr(spec, "spine", None)
    up, count = getattr(leaf, "up", None), getattr(spine, "count", None)
    if up and count and up % count == 0:
        steps = tuple(
            (
                f"{counted(more * (up // count), 'more uplinks')} on every leaf, {counted(more, 'more spines')}",
                (f"{path}.leaf.up={up + more * (up // count)}", f"{path}.spine.count={count + more}"),
            )
            for more in _MORE_UPLINKS
        )
        yield _Way(fabric, "leaf-spine", steps)
    if "cabling" not in type(spec).model_fields:
        return
    given = dict(getattr(spec, "cabling", None) or {})
    for code, tier in enumerate(topology.tiers):
        rows = topology.links.tier == code
        if not rows.any():
            continue
        has = getattr(given.get(tier), "parallel", None) or 1
        more = tuple(
            (f"{times} cables for every one of {tier}", _cabled(path, given, tier, f"parallel: {has * times}"))
            for times in _PARALLEL
        )
        if topology.is_switch[topology.links.src[rows]].all() and topology.is_switch[topology.links.dst[rows]].all():
            yield _Way(fabric, tier, more)
        speed = float(topology.links.capacity_gbps[rows].max())
        faster = tuple(
            (f"{tier} at {gbps}G instead of {speed:g}G", _cabled(path, given, tier, f"speed: {gbps}G"))
            for gbps in _SPEEDS_GBPS
            if speed < gbps <= 4 * speed
        )
        if faster:
            yield _Way(fabric, tier, faster)


def _cabled(path: str, given: Mapping[str, TierCabling], tier: str, key: str) -> tuple[str, ...]:
    """The override that adds a key to the cabling of a tier and leaves all else."""
    tiers = {name: _keys(cabling) for name, cabling in given.items()}
    name, _, value = key.partition(": ")
    tiers[tier] = {**tiers.get(tier, {}), name: value}
    inner = ", ".join(
        f"{each}: {{{', '.join(f'{one}: {text}' for one, text in keys.items())}}}" for each, keys in tiers.items()
    )
    return (f"{path}.cabling={{{inner}}}",)


def _keys(cabling: TierCabling) -> dict[str, str]:
    """What a scenario says of the cabling of a tier, as it may be written."""
    written = {"speed": f"{cabling.speed}G", "parallel": f"{cabling.parallel}", "length": f"{cabling.length} m"}
    return {name: text for name, text in written.items() if getattr(cabling, name) is not None}


def _least(run: Run, request: FailureRequest, way: _Way, limits: Sequence[tuple[int, LimitSpec]]) -> Remedy | None:
    """The first step of a way that holds; else the last that could be built; None where none could be."""
    last: Remedy | None = None
    for text, sets in way.steps:
        try:
            remedy = _tried(run, request, way, text, sets, limits)
        except FabricError:
            break  # no port is left, or none is fast enough: further steps need more
        last = remedy
        if remedy.holds:
            break
    return last


def _tried(
    run: Run,
    request: FailureRequest,
    way: _Way,
    text: str,
    sets: tuple[str, ...],
    limits: Sequence[tuple[int, LimitSpec]],
) -> Remedy:
    """One step, built, routed and failed.

    Raises
    ------
    FabricError
        When it cannot be built.
    """
    given = [f"{entry.path}={entry.value}" for entry in run.loaded.overrides]
    loaded = load_scenario(run.loaded.path, overrides=[*given, *sets])
    after = run_scenario(loaded, replace(run.request, draws=1))
    ground = Ground.of(after, replace(request, expected=False))
    judged = [judge_limit(limit_sweep(ground, after_limit), place)[0] for place, after_limit in _same(after, limits)]
    before, now = run.network.topologies[way.fabric], after.network.topologies[way.fabric]
    ratios = [
        limit.verdict.value for limit in judged if limit.verdict.unit == "ratio" and limit.verdict.value is not None
    ]
    return Remedy(
        text=text,
        tier=way.tier,
        added=_changed(before, now),
        sets=sets,
        worst_utilisation=max(ratios, default=float(after.result.max_utilisation or 0.0)),
        holds=all(limit.verdict.ok is not False for limit in judged),
    )


def _same(after: Run, limits: Sequence[tuple[int, LimitSpec]]) -> Iterator[tuple[int, LimitSpec]]:
    """The same limits in the scenario with the override, which has models of its own."""
    every = limits_of(after.loaded, after.request)
    return ((place, every[place]) for place, _ in limits)


def _changed(before: Topology, after: Topology) -> int:
    """Cables that are added, or replaced by faster ones."""
    rows = [each.is_cable for each in (before, after)]
    if rows[0].sum() != rows[1].sum():
        return int(rows[1].sum() - rows[0].sum())
    return int((before.links.capacity_gbps[rows[0]] != after.links.capacity_gbps[rows[1]]).sum())
