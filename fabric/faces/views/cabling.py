"""What is wrong with cabling: moves that put it right, their single steps, and cables that run too slow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.operate.cabling.planned import Port
from fabric.operate.cabling.renaming import Renaming
from fabric.operate.cabling.result import CablingResult, Cost, Move, SlowCable
from fabric.output.columns import counts, endings, loads, named, speeds
from fabric.output.table import Column, Mark, Table

SLOW_SHOWN = 10


def move_table(result: CablingResult) -> Table:
    """Every finding with what puts it right, worst first."""
    moves = result.moves
    first = [move.steps[0] for move in moves]
    columns = [
        counts("move", "", [at + 1 for at in range(len(moves))], width=4),
        named("kind", "kind", [move.kind for move in moves], width=6),
        named("fabric", "fabric", [move.fabric for move in moves], width=10, priority=2),
        named("what", "ends", [move_text(move) for move in moves], width=44, flexible=True),
        counts("actions", "actions", [len(move.steps) for move in moves]),
        *_ends("from", "from", [step.source for step in first]),
        *_ends("to", "to", [step.target for step in first]),
        named("places", "racks", [_places(move) for move in moves], width=16, priority=1),
        named("harmless", "changes", ["nothing" if move.harmless else "" for move in moves], width=8, priority=1),
        loads("max_utilisation", "fullest link", [_fullest(move.cost) for move in moves], width=12,
              texts=[_full_text(move.cost) for move in moves]),
        endings("step_time_s", "step", [None if move.cost is None else move.cost.step_time_s for move in moves],
                texts=[_step_text(move.cost) for move in moves]),
        named("job", "of job", [move.cost.job if move.cost is not None else "" for move in moves], priority=2),
    ]  # fmt: skip
    return Table.of(columns, len(moves), title="moves, worst first", marks=[_mark(result, move) for move in moves])


def step_table(result: CablingResult) -> Table:
    """Every single action, in the order of the work; of ends that change places, all are unplugged first."""
    rows = [(at, number, step) for at, move in enumerate(result.moves) for number, step in enumerate(move.steps)]
    steps = [step for *_, step in rows]
    columns = [
        counts("move", "move", [at + 1 for at, *_ in rows], width=4),
        counts("step", "step", [number + 1 for _, number, _ in rows], width=4),
        named("kind", "kind", [result.moves[at].kind for at, *_ in rows], width=6),
        named("action", "action", [step.action for step in steps], width=6),
        *_ends("from", "from", [step.source for step in steps]),
        *_ends("to", "to", [step.target for step in steps]),
        *_ends("other", "other end", [step.stays for step in steps]),
        named("harmless", "changes", ["nothing" if result.moves[at].harmless else "" for at, *_ in rows], width=8),
    ]
    return Table.of(columns, len(rows), title="the work, step by step")


def slow_table(result: CablingResult) -> Table:
    """Cables that run slower than planned."""
    slow: Sequence[SlowCable] = result.slow
    columns = [
        named("fabric", "fabric", [cable.fabric for cable in slow], width=10, priority=2),
        *_ends("a", "a", [cable.one for cable in slow]),
        *_ends("b", "b", [cable.other for cable in slow]),
        speeds("gbps", "is, Gb/s", [cable.gbps for cable in slow]),
        speeds("planned_gbps", "planned", [cable.planned_gbps for cable in slow]),
    ]
    return Table.of(columns, len(slow), title="at a lower speed", marks=["warn"] * len(slow))


def name_table(renaming: Renaming) -> Table:
    """Names that stand for others, as ``--names`` takes them."""
    devices, ports, aliases = zip(*renaming.rows, strict=True)
    columns = [named("device", "device", devices), named("port", "port", ports), named("alias", "alias", aliases)]
    return Table.of(columns, len(renaming.rows), title="names")


def _ends(name: str, header: str, ports: Sequence[Port | None]) -> list[Column]:
    """Device, port and place of ends."""
    parts: dict[str, list[Any]] = {
        "device": [None if port is None else port.device for port in ports],
        "port": [None if port is None else port.port for port in ports],
        "rack": [None if port is None else port.rack or None for port in ports],
        "unit": [None if port is None else port.unit for port in ports],
    }
    shown = {"device": header, "port": f"{header} port", "rack": f"{header} rack", "unit": f"{header} U"}
    return [
        named(f"{name}_{part}", shown[part], values, width=12, priority=0 if part in ("device", "port") else 1)
        for part, values in parts.items()
    ]


def place_text(port: Port) -> str:
    """Rack and unit of a port.

    >>> place_text(Port("leaf0", "swp1", "r00c03", 41)), place_text(Port("leaf0", "swp1"))
    ('r00c03/U41', '')
    """
    return f"{port.rack}/U{port.unit}" if port.rack and port.unit is not None else port.rack


def move_text(move: Move) -> str:
    """Which ends, in words; of many steps the first."""
    if move.unit:
        return f"{move.unit}; {len(move.steps):,} ends move" + (", or the names" if move.harmless else "")
    step = move.steps[0]
    if move.kind == "swap":
        return f"{step.target} and {step.source}"
    text = f"{step.source} to {step.target}"
    rest = len(move.steps) - 1
    return f"{text}, and {rest:,} more along it" if rest else text


def _places(move: Move) -> str:
    ports = [port for step in move.steps for port in (step.source, step.target)]
    return " ".join(dict.fromkeys(text for port in ports if (text := place_text(port))))


def _fullest(cost: Cost | None) -> float | None:
    return None if cost is None else cost.max_utilisation


def _full_text(cost: Cost | None) -> str:
    return "-" if cost is None else loads("", "", [cost.max_utilisation]).cell(0)


def _step_text(cost: Cost | None) -> str:
    return "-" if cost is None or not cost.job else endings("", "", [cost.step_time_s]).cell(0)


def _mark(result: CablingResult, move: Move) -> Mark:
    """Bad where a job is slower, or a link fuller, than planned."""
    if move.harmless:
        return ""
    planned, cost = result.planned, move.cost
    if planned is None or cost is None:
        return "warn"
    slower = (
        cost.cut > planned.cut or (cost.step_time_s or float("inf")) > (planned.step_time_s or float("inf")) * 1.001
    )
    return "bad" if slower else "warn"
