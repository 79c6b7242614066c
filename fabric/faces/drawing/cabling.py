"""The wrong part of cabling as a graph: racks as clusters, devices with the ports that findings are about.

A wrong cable is a red dashed line, where it belongs a green one; what changes nothing is grey. Numbers are those of
the findings, worst first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fabric.faces.answers.cabling_report import cabling_summary
from fabric.faces.drawing.dot import html, quoted
from fabric.faces.views.cabling import move_text
from fabric.operate.cabling.planned import Port
from fabric.operate.cabling.result import CablingResult, Move
from fabric.scenario.load import LoadedScenario

WRONG, RIGHT, HARMLESS = "#c1272d", "#1a7f37", "#8a8f98"
MOST_MOVES, MOST_STEPS = 12, 24
MOST_OF_UNIT = 6  # steps of a finding that is of a whole unit, which do the same
_NUMBER = re.compile(r"\d+")
_LEGEND = (
    ("wrong cable", WRONG, "dashed"),
    ("where it belongs", RIGHT, "solid"),
    ("changes nothing", HARMLESS, "dashed"),
)


def cabling_dot(loaded: LoadedScenario, result: CablingResult) -> str:
    """The worst findings in one graph; how many are left out stands in its heading."""
    moves = result.moves[:MOST_MOVES]
    cables = [(number, move, *_cables(move)) for number, move in enumerate(moves, 1)]
    ports = dict.fromkeys(
        port for *_, now, then in cables for pair in (*now, *then) for port in pair
    )  # in the order of the findings
    lines = [
        "graph cabling {",
        '  graph [rankdir=LR, ranksep=1.6, nodesep=0.35, fontname="Helvetica", fontsize=11, labelloc=t, labeljust=l,',
        f"         bgcolor=white, label=<{_heading(loaded, result)}>]",
        '  node [shape=plain, fontname="Helvetica", fontsize=10]',
        '  edge [penwidth=2, fontname="Helvetica", fontsize=10]',
        *_clusters(list(ports)),
    ]
    for number, move, now, then in cables:
        wrong, right = (HARMLESS, HARMLESS) if move.harmless else (WRONG, RIGHT)
        lines += [_edge(pair, f"{number}", right, "solid") for pair in then]
        lines += [_edge(pair, f"{number}", wrong, "dashed") for pair in now]
    return "\n".join([*lines, "}"]) + "\n"


def _heading(loaded: LoadedScenario, result: CablingResult) -> str:
    """What is found, the findings by their numbers, and what the lines are."""
    rows = [
        f"<b>{html(line.text)}</b>" if not at else html(line.text)
        for at, line in enumerate(cabling_summary(loaded, result))
    ]
    for number, move in enumerate(result.moves[:MOST_MOVES], 1):
        rest = len(move.steps) - _drawn(move)
        more = f"; {rest:,} ends more are not drawn" if rest > 0 else ""
        rows.append(
            html(f"{number}  {move.kind}: {move_text(move)}{' (changes nothing)' if move.harmless else ''}{more}")
        )
    if len(result.moves) > MOST_MOVES:
        rows.append(html(f"and {len(result.moves) - MOST_MOVES:,} more findings"))
    if result.slow:
        rows.append(html(f"{len(result.slow):,} cables at a lower speed are not drawn"))
    if result.moves:
        signs = {"dashed": "- - -", "solid": "——"}
        rows.append("   ".join(f'<font color="{ink}">{signs[style]} {words}</font>' for words, ink, style in _LEGEND))
    return '<br align="left"/>'.join([*rows, ""])


def _drawn(move: Move) -> int:
    """How many of its steps are drawn."""
    return min(len(move.steps), MOST_OF_UNIT if move.unit else MOST_STEPS)


def _cables(move: Move) -> tuple[list[tuple[Port, Port]], list[tuple[Port, Port]]]:
    """Cables as they are, and as they should be."""
    now: list[tuple[Port, Port]] = []
    then: list[tuple[Port, Port]] = []
    for step in move.steps[: _drawn(move)]:
        if step.stays is not None:
            now.append((step.stays, step.source))
            then.append((step.stays, step.target))
        elif step.action == "plug":
            then.append((step.source, step.target))
        else:
            now.append((step.source, step.target))
    return now, then


def _clusters(ports: list[Port]) -> Iterator[str]:
    """A cluster per rack; devices that stand nowhere are together by what they are called."""
    racks: dict[str, dict[str, list[Port]]] = {}
    for port in ports:
        rack = f"rack {port.rack}" if port.rack else _NUMBER.sub("*", port.device)
        racks.setdefault(rack, {}).setdefault(port.device, []).append(port)
    for number, rack in enumerate(sorted(racks, key=_natural)):
        yield f"  subgraph cluster_{number} {{"
        yield f'    label={quoted(rack)}; style=rounded; color="#888888"; labeljust=l'
        for device in sorted(racks[rack], key=_natural):
            yield f"    {quoted(device)} [label=<{_device(racks[rack][device])}>]"
        yield "  }"


def _device(ports: list[Port]) -> str:
    """A table: the device, its unit, and a row for every port."""
    first = ports[0]
    unit = f" U{first.unit}" if first.unit is not None else ""
    rows = [f'<tr><td bgcolor="#e9e9e9"><b>{html(first.device)}</b>{unit}</td></tr>']
    rows += [
        f'<tr><td port="{_port(port)}">{html(port.port)}</td></tr>'
        for port in sorted(ports, key=lambda one: _natural(one.port))
    ]
    return f'<table border="0" cellborder="1" cellspacing="0" cellpadding="4" color="#888888">{"".join(rows)}</table>'


def _edge(pair: tuple[Port, Port], words: str, ink: str, style: str) -> str:
    one, other = pair
    ends = f'{quoted(one.device)}:"{_port(one)}" -- {quoted(other.device)}:"{_port(other)}"'
    return f'  {ends} [color="{ink}", fontcolor="{ink}", style={style}, label="{words}"]'


def _port(port: Port) -> str:
    """A name for DOT: letters and digits of the port as they are, others by number."""
    return "p" + "".join(sign if sign.isalnum() and sign.isascii() else f"_{ord(sign)}_" for sign in port.port)


def _natural(name: str) -> tuple[str, tuple[int, ...], str]:
    return _NUMBER.sub("*", name), tuple(int(number) for number in _NUMBER.findall(name)), name
