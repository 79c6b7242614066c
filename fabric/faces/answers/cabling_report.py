"""What ``fabric verify cabling`` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.faces.views.cabling import SLOW_SHOWN, move_table, name_table, slow_table
from fabric.faces.views.row_kinds import MOVES
from fabric.operate.cabling.planned import Port
from fabric.operate.cabling.renaming import Renaming
from fabric.operate.cabling.result import CablingResult, Cost, Move
from fabric.output.columns import ending_text, load_text
from fabric.output.document import Document, Line
from fabric.scenario.load import LoadedScenario
from fabric.scenario.provenance import envelope

_SHOWN = 5


def cabling_record(loaded: LoadedScenario, result: CablingResult) -> dict[str, Any]:
    """What JSON says besides the moves."""
    return {
        **envelope("CablingResult", loaded),
        "observed": result.source,
        "holds": result.is_right,
        "ends": result.ends,
        "seen": result.seen,
        "right": result.right,
        "both_sides": result.both_sides,
        "one_side": result.one_side,
        "known_part": result.known_part,
        "outside": result.outside,
        "actions": result.actions,
        "missing": [_pair(one, other) for one, other in result.missing],
        "extra": [_pair(one, other) for one, other in result.extra],
        "slow": [
            {**_pair(cable.one, cable.other), "gbps": cable.gbps, "planned_gbps": cable.planned_gbps}
            for cable in result.slow
        ],
        "unseen": [_pair(one, other) for one, other in result.unseen],
        "conflicts": [{"port": _port(one.port), "told": list(one.told)} for one in result.conflicts],
        "renaming": None if result.renaming is None else _renaming(result.renaming),
        "planned": _cost(result.planned),
        "now": _cost(result.now),
        "notes": list(result.notes),
    }


def cabling_entry(move: Move) -> dict[str, Any]:
    """All that JSON says of a move."""
    return {
        "kind": move.kind,
        "fabric": move.fabric,
        "unit": move.unit or None,
        "ends": [
            {
                "action": step.action,
                "from": _port(step.source),
                "to": _port(step.target),
                "other": None if step.stays is None else _port(step.stays),
            }
            for step in move.steps
        ],
        "harmless": bool(move.harmless),
        "why_harmless": move.harmless or None,
        "cost": _cost(move.cost),
    }


def _renaming(renaming: Renaming) -> dict[str, Any]:
    return {
        "names": name_table(renaming).records(),
        "words": list(renaming.words),
        "right_by_the_plans_names": renaming.right_before,
        "right": renaming.right,
        "cables": renaming.cables,
    }


def _pair(one: Port, other: Port) -> dict[str, Any]:
    return {"a": _port(one), "b": _port(other)}


def _port(port: Port) -> dict[str, Any]:
    return {"device": port.device, "port": port.port, "rack": port.rack or None, "unit": port.unit}


def _cost(cost: Cost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    return {
        "max_utilisation": cost.max_utilisation,
        "step_time_s": cost.step_time_s,
        "job": cost.job or None,
        "pairs_without_path": cost.cut,
    }


def cabling_summary(loaded: LoadedScenario, result: CablingResult) -> list[Line]:
    """How much was seen and is right, what is found, and what it costs now."""
    cables = result.both_sides + result.one_side
    lines = [
        Line(
            f"{loaded.scenario.name}: {result.ends:,} ends planned, {result.seen:,} known, {result.right:,} right; "
            f"{cables:,} cables seen, {result.both_sides:,} by both ends, {result.one_side:,} by one"
        )
    ]
    if result.renaming is not None:
        lines += _renamed(result.renaming)
    if result.is_right:
        lines.append(_verdict(result))
    if result.moves:
        harmless = sum(bool(move.harmless) for move in result.moves)
        text = f"{len(result.moves):,} findings, put right by {result.actions:,} actions"
        text += f"; {harmless:,} change nothing" if harmless else ""
        lines.append(Line(text, "bad" if harmless < len(result.moves) else "warn"))
        lines += _now(result)
    return lines


def _renamed(renaming: Renaming) -> list[Line]:
    """Names that were taken for others, and what else it may be."""
    right = f"{renaming.right:,} of {renaming.cables:,} cables are right by these names, by the plan's"
    return [
        *(Line(words, "bad") for words in renaming.words),
        Line(f"{right} {renaming.right_before:,}: what follows goes by these names", "bad"),
        Line(
            "names, or cables all plugged the same way off? --write-names FILE, then --names FILE, says names", "warn"
        ),
    ]


def cabling_document(loaded: LoadedScenario, result: CablingResult) -> Document:
    """How much was seen and is right, what it costs now, what to do, and what is not known."""
    parts: list[Any] = cabling_summary(loaded, result)
    if result.moves:
        most = MOVES.most or len(result.moves)
        table = move_table(result).only(*MOVES.shown).without_empty("places", "harmless", "fabric")
        parts.append(table.first(most).as_rows())
        if len(result.moves) > most:
            parts.append(
                Line(f"and {len(result.moves) - most:,} more; --limit, --json and csv have them", is_rows=True)
            )
        reasons = dict.fromkeys(move.harmless for move in result.moves if move.harmless)
        parts += [Line(f"nothing changes where {reason}") for reason in reasons]
    if result.slow:
        parts += [] if result.moves else _now(result)
        table = slow_table(result)
        more = f", {SLOW_SHOWN} of {len(table):,}" if len(table) > SLOW_SHOWN else ""
        parts.append(table.first(SLOW_SHOWN).titled(table.title + more))
    return [*parts, *_unsure(result), *(Line(f"note: {text}") for text in result.notes)]


def _verdict(result: CablingResult) -> Line:
    """Where nothing is wrong: of all, or of what was seen."""
    if not result.unseen:
        return Line("cabling is as planned", "good")
    count = result.ends // 2
    return Line(f"what is seen is as planned; {len(result.unseen):,} of {count:,} cables were not seen", "warn")


def _now(result: CablingResult) -> list[Line]:
    """What all of it costs."""
    planned, now = result.planned, result.now
    if planned is None or now is None:
        return []
    text = f"as it is: fullest link {load_text(planned.max_utilisation)} planned, {load_text(now.max_utilisation)} now"
    if now.job:
        text += f"; step of {now.job} {ending_text(now.step_time_s)} now"
        text += f", {ending_text(planned.step_time_s)} planned" if planned.job == now.job else ""
    if now.cut > planned.cut:
        text += f"; {now.cut:,} pairs have no path"
    return [Line(text)]


def _unsure(result: CablingResult) -> list[Line]:
    """Ports of which two things are told, and cables that nobody saw."""
    parts = [
        Line(f"{one.port}: two cables are told of, {' and '.join(one.told)}", "warn")
        for one in result.conflicts[:_SHOWN]
    ]
    if len(result.conflicts) > _SHOWN:
        parts.append(Line(f"and {len(result.conflicts) - _SHOWN:,} more ports; --json has them", "warn"))
    if result.unseen:
        text = f"not seen: {len(result.unseen):,} cables, such as {_words(result.unseen)}"
        parts.append(Line(text + (" (--strict)" if result.strict else ""), "bad" if result.strict else ""))
    return parts


def _words(cables: Sequence[tuple[Port, Port]]) -> str:
    one, other = cables[0]
    return f"{one} to {other}"
