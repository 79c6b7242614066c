"""The work in words: what a technician does in every step, and how it is undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fabric.growth.live import LiveStep, LiveWork
from topologies.budget import counted

_NAMED = 4  # devices that a text names


@dataclass(frozen=True)
class WorkStep:
    """One step of the work as people read it."""

    number: int
    action: str  # plug, or move
    drained: int
    moved: int
    plugged: int
    least_capacity: float
    capacity_after: float
    text: str
    roll_back: str


def orders(work: LiveWork) -> Iterator[WorkStep]:
    """Every step in order."""
    for number, live in enumerate(work.steps, 1):
        step = live.step
        yield WorkStep(
            number,
            "move" if len(step.drained) else "plug",
            len(step.drained),
            len(step.moved_to),
            len(step.plugged),
            min(live.capacity_during, live.capacity_after),
            live.capacity_after,
            _text(work, live),
            _roll_back(live),
        )


def moves_of(work: LiveWork, live: LiveStep) -> list[tuple[str, str, str]]:
    """Fixed end, the end that a cable leaves, and the end it goes to (empty: it is removed), one a cable."""
    ends, names = work.fabric.ends, work.fabric.topology.nodes.name
    later = dict(work.fabric.moves.tolist())
    rows = []
    for row in live.step.drained.tolist():
        low, high = int(ends.lower[row]), int(ends.upper[row])
        if row not in later:
            rows.append((names[low], names[high], ""))
            continue
        new_low, new_high = int(ends.lower[later[row]]), int(ends.upper[later[row]])
        if low == new_low:
            rows.append((names[low], names[high], names[new_high]))
        else:
            rows.append((names[high], names[low], names[new_low]))
    return rows


def _text(work: LiveWork, live: LiveStep) -> str:
    """What to do."""
    texts = []
    moves = Counter((source, target) for _, source, target in moves_of(work, live))
    if moves:
        shown = [
            f"{counted(count, 'cables')} from {source} to {target}"
            if target
            else f"{counted(count, 'cables')} off {source}"
            for (source, target), count in list(moves.items())[:_NAMED]
        ]
        more = f" and {len(moves) - _NAMED} more pairs of switches" if len(moves) > _NAMED else ""
        texts.append(f"drain and move {', '.join(shown)}{more}, then undrain")
    if len(live.step.plugged):
        texts.append(f"plug {counted(len(live.step.plugged), 'new cables')} into free ports")
    return "; ".join(texts)


def _roll_back(live: LiveStep) -> str:
    if not len(live.step.drained):
        return "unplug the new cables; nothing else was changed"
    first = "unplug the new cables, " if len(live.step.plugged) else ""
    return f"{first}put the {counted(len(live.step.drained), 'cables')} back where they were, then undrain"
