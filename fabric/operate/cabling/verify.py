"""Cabling verified: names matched, differences taken apart, each with its shortest way back and what it costs now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fabric.operate.cabling.aliases import read_aliases
from fabric.operate.cabling.as_plugged import changed_topologies
from fabric.operate.cabling.components import Difference
from fabric.operate.cabling.cost import cost_of, routed, worse_by
from fabric.operate.cabling.harmless import Nodes, harmless
from fabric.operate.cabling.planned import PlannedEnds, Port, planned_ends
from fabric.operate.cabling.renaming import compared
from fabric.operate.cabling.result import CablingResult, Cost, Kind, Move, MoveStep, SlowCable
from fabric.operate.cabling.seen import Seen
from fabric.operate.cabling.units import Group, Unit, grouped
from fabric.operate.observed.neighbours import Neighbours
from fabric.pipeline.run import Run
from fabric.routing.progress import Progress, Reporter, silent
from topologies.errors import FabricError
from topologies.units import percent

LEAST_PART = 1 - 1e-3  # of the planned speed, below which a cable is slow
ROUTED_ALONE = 20  # moves whose own cost is found unless more are asked for
_LEAST_FILES = 1.0


@dataclass(frozen=True)
class CablingRequest:
    """What is asked: where it was observed, names beside the plan's, moves to route alone, whether unseen is wrong."""

    source: str
    names: Path | None = None
    routed_alone: int = ROUTED_ALONE
    strict: bool = False


def verify_cabling(
    run: Run, heard: Neighbours, request: CablingRequest, *, progress: Reporter = silent
) -> CablingResult:
    """Hold what was heard against the plan of a run.

    Raises
    ------
    FormatError
        Names that do not fit the plan (FP6604), data of another fabric (FP6605), a name of several devices (FP6606).
    """
    progress(Progress("matching names"))
    ends = planned_ends(run.loaded, run.network)
    aliases = read_aliases(request.names) if request.names is not None else []
    difference, renaming = compared(ends, heard, aliases, request.names)
    seen = difference.seen
    progress(Progress("comparing cables"))
    slow = slow_cables(difference)
    nodes = Nodes(seen)
    groups = grouped(difference)
    found = [(group, _move(difference, group, harmless(difference, group, nodes))) for group in groups]
    planned, now, moves, notes = _costs(run, difference, nodes, found, slow, request, progress)
    result = _result(difference, slow, moves, request, planned, now, (*seen.notes, *_told(seen), *notes))
    return replace(result, renaming=renaming)


def slow_cables(difference: Difference) -> dict[int, float]:
    """Cables that are right and run slower than planned: cable -> Gbps."""
    seen, ends = difference.seen, difference.seen.ends
    rows = np.flatnonzero(difference.right)
    cable = np.minimum(seen.one[rows], seen.other[rows]) // 2
    lower = seen.gbps[rows] < ends.gbps[2 * cable] * LEAST_PART
    return dict(zip(cable[lower].tolist(), seen.gbps[rows][lower].tolist(), strict=True))


# ---- findings --------------------------------------------------------------------------------------------------------


def _move(difference: Difference, group: Group, why: str) -> Move:
    """A group as people read it."""
    seen = difference.seen
    steps: list[MoveStep] = []
    for way in group.ways:
        if way.unplug is not None:
            steps.append(MoveStep("unplug", *(seen.port(end) for end in way.unplug)))
        for step in way.steps:
            steps.append(MoveStep("move", seen.port(step.source), seen.port(step.target), seen.port(step.stays)))
        if way.plug is not None:
            steps.append(MoveStep("plug", *(seen.port(end) for end in way.plug)))
    words = "" if group.unit is None else _unit_words(seen.ends, group.unit)
    return Move(_kind(group), _fabric(seen, group), tuple(steps), words, why)


def _kind(group: Group) -> Kind:
    first = group.components[0]
    if group.unit is not None and group.unit.kind == "exchanged":
        return "swap"
    if all(one.is_cycle for one in group.components):
        return "swap" if len(first.plugged) == 2 else "cycle"
    if not group.steps:
        return "plug" if group.ways[0].plug is not None else "unplug"
    return "move"


def _fabric(seen: Seen, group: Group) -> str:
    """The fabric that a finding is of: that of its first end that is planned."""
    every = (end for one in group.components for end in one.ends if end < len(seen.ends))
    end = next(every, None)
    return "" if end is None else seen.ends.fabrics[int(seen.ends.fabric[end])]


def _unit_words(ends: PlannedEnds, unit: Unit) -> str:
    names = [ends.devices[device] for device in unit.devices]
    if unit.kind == "exchanged":
        return f"{names[0]} and {names[1]} are exchanged, {unit.ends // 2:,} cables each"
    way = "further" if unit.by > 0 else "before"
    ports = "port" if abs(unit.by) == 1 else "ports"
    return f"{unit.ends:,} cables of {names[0]} are {abs(unit.by)} {ports} {way}"


# ---- costs -----------------------------------------------------------------------------------------------------------

Found = Sequence[tuple[Group, Move]]


def _costs(
    run: Run,
    difference: Difference,
    nodes: Nodes,
    found: Found,
    slow: dict[int, float],
    request: CablingRequest,
    progress: Reporter,
) -> tuple[Cost | None, Cost | None, list[Move], list[str]]:
    """Jobs as planned, as plugged, and with each move alone; moves, worst first; what is to be said."""
    moves = [move for _, move in found]
    if not run.result.routes:
        return None, None, sorted(moves, key=_plain_order), ["nothing is sent in this scenario: no costs"]
    planned = cost_of(run.result, run.result)
    notes: list[str] = []
    every = [group for group, _ in found]
    if not (found or slow):
        return planned, planned, [], notes
    progress(Progress("routing the fabric as it is plugged"))
    now = _cost(run, difference, nodes, every, slow, notes)
    costly = sorted((at for at, move in enumerate(moves) if not move.harmless), key=lambda at: _plain_order(moves[at]))
    chosen = costly[: request.routed_alone]
    for number, at in enumerate(chosen, 1):
        progress(Progress(f"routing with move {number} of {len(chosen)} alone"))
        alone = len(found) == 1 and not slow
        cost = now if alone else _cost(run, difference, nodes, [every[at]], {}, notes)
        moves[at] = replace(moves[at], cost=cost)
    if len(costly) > len(chosen):
        notes.append(
            f"{len(chosen):,} of {len(costly):,} moves were routed alone, those of the most cables first; --alone says "
            "how many"
        )
    moves = [replace(move, cost=planned) if move.harmless else move for move in moves]
    return planned, now, sorted(moves, key=lambda move: _order(move, planned)), list(dict.fromkeys(notes))


def _cost(
    run: Run,
    difference: Difference,
    nodes: Nodes,
    groups: Sequence[Group],
    slow: dict[int, float],
    notes: list[str],
) -> Cost | None:
    """Jobs with some groups left as they are and all else right; None where that cannot be routed, which is said."""
    components = [component for group in groups for component in group.components]
    plugged = [cable for component in components for cable in component.plugged]
    planned = [cable for component in components for cable in component.planned]
    topologies = changed_topologies(difference.seen.ends, nodes, plugged, planned, slow)
    try:
        return cost_of(routed(run, topologies), run.result)
    except FabricError as error:
        notes.append(f"the fabric as plugged cannot be routed as the scenario asks: {error}")
        return None


def _plain_order(move: Move) -> tuple[int, str]:
    """The largest first, then by name."""
    return -len(move.steps), str(move.steps[0].source)


def _order(move: Move, planned: Cost) -> tuple[float, float, float, int, str]:
    """Worst first; what was not routed after what was; harmless last."""
    rank = 2.0 if move.harmless else 0.0 if move.cost is not None else 1.0
    longer, fuller = worse_by(move.cost, planned) if move.cost is not None else (0.0, 0.0)
    return rank, -longer, -fuller, *_plain_order(move)


# ---- the answer ------------------------------------------------------------------------------------------------------


def _told(seen: Seen) -> list[str]:
    """What is to be said of who told."""
    ends, notes = seen.ends, []
    switches = np.unique(ends.device[ends.is_switch])
    silent = switches[~seen.tells[switches]]
    if len(silent) and not seen.whole:
        some = ", ".join(ends.devices[device] for device in silent[:3].tolist()) + (", …" if len(silent) > 3 else "")
        notes.append(f"{len(silent):,} of {len(switches):,} switches tell nothing: {some}")
    if seen.known_part < _LEAST_FILES:
        notes.append(f"{percent(seen.known_part, 0)} of the devices told of are in the plan")
    return notes


def _result(
    difference: Difference,
    slow: dict[int, float],
    moves: Sequence[Move],
    request: CablingRequest,
    planned: Cost | None,
    now: Cost | None,
    notes: tuple[str, ...],
) -> CablingResult:
    seen, ends = difference.seen, difference.seen.ends

    def cable(number: int) -> tuple[Port, Port]:
        return ends.at(2 * number), ends.at(2 * number + 1)

    def whole(action: str) -> tuple[tuple[Port, Port], ...]:
        return tuple((s.source, s.target) for move in moves for s in move.steps if s.action == action)

    unseen = np.flatnonzero(difference.unseen)
    inside = (seen.one < len(ends)) | (seen.other < len(ends))
    return CablingResult(
        source=request.source,
        ends=len(ends),
        seen=len(ends) - 2 * len(unseen),
        right=2 * int(difference.right.sum()),
        both_sides=int((seen.sides[inside] == 2).sum()),
        one_side=int((seen.sides[inside] == 1).sum()),
        missing=whole("plug"),
        extra=whole("unplug"),
        slow=tuple(
            SlowCable(ends.fabrics[int(ends.fabric[2 * at])], *cable(at), gbps, float(ends.gbps[2 * at]))
            for at, gbps in slow.items()
        ),
        moves=tuple(moves),
        unseen=tuple(cable(at) for at in unseen.tolist()),
        conflicts=seen.conflicts,
        known_part=seen.known_part,
        outside=seen.outside,
        planned=planned,
        now=now,
        notes=notes,
        difference=difference,
        strict=request.strict,
    )
