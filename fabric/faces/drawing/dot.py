"""The DOT language: escaping, the colour scale, legend and heading, and boxes and lines put in structural order.

Colour tells bands of utilisation, blue up to 100 % and red only above. Every band is darker than the one before, so
that the order survives a monochrome print; the number is in the label as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from fabric.faces.drawing.bundles import Bundle
from fabric.faces.drawing.straight_rows import Point, label_positions
from fabric.faces.views.bands import BANDS, DOUBLE, DOWN, HOT, band
from fabric.faces.views.draws import shown_draw_words
from fabric.routing.router import router_label
from fabric.routing.utilisation import ranks
from topologies.units import percent

if TYPE_CHECKING:  # the value costs a compiled kernel's import, which a drawing without traffic does not need
    from fabric.result import PhaseRoute

_FONT = "Helvetica"
_LONGEST_NAME = 60
_NARROWEST_PT, _WIDEST_PT = 1.0, 8.0
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_FILLS = ("#ffffff", "#f3f3f3", "#e9e9e9", "#dfdfdf")  # by level: hosts, leaves, spines, cores


# ---- text ---------------------------------------------------------------------------------------------------------


def printable(text: str) -> str:
    """Text that every picture format can hold: no control characters, nothing a file cannot encode."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\t", " ").replace("\r\n", "\n"))


def quoted(text: str) -> str:
    r"""A quoted label that reads as ``text``: DOT knows backslash codes and HTML entities inside quotes.

    >>> print(quoted('a "b" & \\N'))
    "a \"b\" &amp; \\N"
    """
    plain = printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
    return '"' + plain.replace("\n", "\\n") + '"'


def html(text: str) -> str:
    """Text inside an HTML-like label, where backslash codes hold as well."""
    return escape(printable(text)).replace("\\", "\\\\").replace("\n", "<br/>")


def shortened(name: str) -> str:
    """A name cut in its middle when it is too long to draw; the ends tell names apart.

    >>> shortened("leaf3")
    'leaf3'
    """
    if len(name) <= _LONGEST_NAME:
        return name
    half = (_LONGEST_NAME - 3) // 2
    return f"{name[:half]}...{name[-half:]}"


def percent_text(utilisation: float) -> str:
    """Whole percent, finer where rounding would move the number into another band of the legend.

    >>> percent_text(2.25), percent_text(1.0004), percent_text(1.996), percent_text(0.00001)
    ('225 %', '>100 %', '199.6 %', '<0.1 %')
    """
    if math.isinf(utilisation):
        return "∞ (offered on a link without capacity)"
    if 0 < utilisation < 0.001:
        return "<0.1 %"
    fine = utilisation < 0.1 or 0.995 <= utilisation < 1.01
    for digits in (1,) if fine else (0, 1):
        rounded = round(utilisation, digits + 2)
        if band(rounded) is band(utilisation):
            return percent(rounded, digits).replace(".0 %", " %")
    return f"{'>' if utilisation > rounded else '<'}{percent(rounded, 0)}"


def speed_text(gbps: float) -> str:
    """A port speed as people write it.

    >>> speed_text(400), speed_text(9.95328), speed_text(0.155), speed_text(25600)
    ('400G', '9.953G', '155M', '25.6T')
    """
    if gbps >= 10_000:
        return f"{gbps / 1000:.4g}T"
    return f"{gbps:.4g}G" if gbps >= 1 or gbps == 0 else f"{gbps * 1000:.4g}M"


def cables_text(bundle: Bundle) -> str:
    """Count and speed of a bundle, ``256 x 400G``; what remains when there are many speeds.

    >>> cables_text(Bundle(0, 1, 256, 0, ((400.0, 400.0, 256),), 102400.0, None))
    '256 x 400G'
    """
    shown = bundle.speeds if len(bundle.speeds) <= 2 else bundle.speeds[:1]
    parts = [f"{count:,} x {_speeds_text(forth, back)}" for forth, back, count in shown]
    rest = bundle.cables - sum(count for *_, count in shown)
    return " + ".join([*parts, f"{rest:,} of other speeds"] if rest else parts)


def _speeds_text(forth_gbps: float, back_gbps: float) -> str:
    if forth_gbps == back_gbps:
        return speed_text(forth_gbps)
    if not forth_gbps or not back_gbps:
        return f"{speed_text(forth_gbps or back_gbps)} one way"
    return f"{speed_text(forth_gbps)}/{speed_text(back_gbps)}"


def load_text(bundle: Bundle) -> str:
    """Worst utilisation of a bundle in words."""
    return f"max {percent_text(bundle.utilisation)}" if bundle.utilisation > 0 else "idle"


def bundle_lines(bundle: Bundle) -> list[str]:
    """Label of a bundle: cables, worst utilisation, failures."""
    down = f"{bundle.down:,} down" if bundle.down else ""
    load = "" if bundle.down == bundle.cables and not bundle.utilisation else load_text(bundle)
    return [line for line in (cables_text(bundle), load, down) if line]


# ---- colour -------------------------------------------------------------------------------------------------------


_INK = "#111111"


def bundle_colour(bundle: Bundle) -> str:
    """Colour of a bundle's worst link; grey where nothing is left to carry it."""
    if bundle.down == bundle.cables and bundle.utilisation == 0:
        return DOWN.colour
    return band(bundle.utilisation).colour


def pen_width_pt(capacity_gbps: float, largest_gbps: float) -> float:
    """Width of a line in points: by the root of its capacity, so that a tenth is still visible."""
    share = capacity_gbps / largest_gbps if largest_gbps > 0 else 0.0
    return round(_NARROWEST_PT + (_WIDEST_PT - _NARROWEST_PT) * math.sqrt(share), 2)


# ---- the drawing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """A box of a drawing; its id is its place in the sequence.

    ``level`` is its rank, ``column`` what it stands in line with, ``inside`` the cables it hides.
    """

    lines: tuple[str, ...]
    level: int
    column: str = ""
    stacked: bool = False
    inside: Bundle | None = None


@dataclass(frozen=True)
class Drawing:
    """Heading, boxes in structural order, and the bundles between them."""

    heading: tuple[str, ...]
    warnings: tuple[str, ...]
    boxes: Sequence[Box]
    bundles: Sequence[Bundle]
    notes: tuple[str, ...] = ()
    positions: Sequence[Point] | None = None  # centres of the boxes; None: Graphviz decides


def dot_text(drawing: Drawing, *, most_labels: int | None = None) -> str:
    """The drawing in DOT.

    Parameters
    ----------
    most_labels : int, optional
        Label only that many bundles: failed ones first, then the hottest.
    """
    between = [bundle for bundle in drawing.bundles if bundle.a != bundle.b]
    chosen = _labelled(between, most_labels)
    plates: dict[int, _Plate] = {}
    if drawing.positions is not None:
        plates = _plates(drawing.positions, between, chosen)
        chosen = list(plates)
    notes = drawing.notes
    if len(chosen) < len(between):
        notes = (
            *notes,
            f"labels on {len(chosen):,} of {len(between):,} lines: the failed, then the hottest, where there is room",
        )
    if any(len(plate.lines) < len(bundle_lines(between[index])) for index, plate in plates.items()):
        notes = (*notes, "labels: worst utilisation; the tooltips of the SVG tell the cables")
    tiered = len({box.level for box in drawing.boxes if box.level > 0}) > 1
    depth = None if tiered else _depths(len(drawing.boxes), between)
    largest = max((bundle.capacity_gbps for bundle in drawing.bundles), default=0.0)
    lines = [
        "graph fabric {",
        f"  graph [{_layout(drawing, tiered=tiered)}, pad=0.2,"
        f' fontname="{_FONT}", fontsize=14, labelloc=t, labeljust=l,',
        f"    label=<{_heading_table(replace(drawing, notes=notes))}>];",
        f'  node [shape=box, style="filled,rounded", fillcolor="#ffffff", color="#555555", fontname="{_FONT}",'
        " fontsize=11, margin=0.12];",
        f'  edge [fontname="{_FONT}", fontsize=10, fontcolor="{_INK}"];',
    ]
    for index, box in enumerate(drawing.boxes):
        lines.append(_box_dot(index, box, drawing.positions[index] if drawing.positions is not None else None))
    if tiered and drawing.positions is None:
        lines += _ranks(drawing.boxes)
    inline = set() if drawing.positions is not None else set(chosen)
    for index, bundle in enumerate(between):
        lines.append(_bundle_dot(bundle, drawing.boxes, largest, depth, labelled=index in inline))
    for index, plate in sorted(plates.items()):
        x, y = plate.at
        label = f'label=<{_label_table(plate.lines, 0)}>, shape=plain, style="", fontsize=10'
        lines.append(f'  label{index} [pos="{x:.3f},{y:.3f}!", {label}, fontcolor="{_font_colour(between[index])}"];')
    return "\n".join([*lines, "}", ""])


def _layout(drawing: Drawing, *, tiered: bool) -> str:
    if drawing.positions is not None:
        return "layout=neato, splines=line, overlap=true, outputorder=edgesfirst"
    return f"rankdir={'BT' if tiered else 'TB'}, nodesep=0.3, ranksep=1.0"


@dataclass(frozen=True)
class _Plate:
    """A label that stands at a place of its own."""

    at: Point
    lines: Sequence[str]


def _plates(positions: Sequence[Point], between: Sequence[Bundle], chosen: Sequence[int]) -> dict[int, _Plate]:
    """Labels on straight lines: whole when all fit, else only the number and what is down."""
    whole = [bundle_lines(between[index]) for index in chosen]
    short = [[line.removeprefix("max ") for line in lines[1:]] or lines for lines in whole]
    for texts in (whole, short) if len(chosen) == len(between) else (short,):
        places = label_positions(positions, between, chosen, texts)
        found = {
            index: _Plate(place, text)
            for index, place, text in zip(chosen, places, texts, strict=True)
            if place is not None
        }
        if len(found) == len(between):
            break
    return found


def _labelled(between: Sequence[Bundle], most: int | None) -> list[int]:
    """Which bundles get a label, most important first."""
    load = np.array([bundle.utilisation for bundle in between])
    whole = np.array([bundle.down == 0 for bundle in between])
    order: list[int] = np.lexsort((ranks(load), whole)).tolist()
    return order if most is None else order[:most]


def _ranks(boxes: Sequence[Box]) -> list[str]:
    """One rank per level, kept in the order of the boxes by invisible lines."""
    lines = []
    for level in sorted({box.level for box in boxes}):
        members = [f"n{index}" for index, box in enumerate(boxes) if box.level == level]
        chain = f" {' -- '.join(members)} [style=invis];" if len(members) > 1 else f" {members[0]};"
        lines.append(f"  {{ rank=same;{chain} }}")
    return lines


def _depths(count: int, between: Sequence[Bundle]) -> list[int]:
    """Hops from the box with most neighbours: the rank of a network without tiers. Failures do not change it."""
    neighbours: list[list[int]] = [[] for _ in range(count)]
    for bundle in between:
        neighbours[bundle.a].append(bundle.b)
        neighbours[bundle.b].append(bundle.a)
    depth = [-1] * count
    for root in sorted(range(count), key=lambda box: (-len(neighbours[box]), box)):
        if depth[root] >= 0:
            continue
        depth[root] = 0
        queue = [root]
        for box in queue:
            for other in neighbours[box]:
                if depth[other] < 0:
                    depth[other] = depth[box] + 1
                    queue.append(other)
    return depth


def _box_dot(index: int, box: Box, position: Point | None) -> str:
    attributes = [f"label={quoted(chr(10).join(box.lines))}", f'fillcolor="{_FILLS[min(max(box.level, 0), 3)]}"']
    if position is not None:
        attributes.append(f'pos="{position[0]:.3f},{position[1]:.3f}!"')
    elif box.column:
        attributes.append(f"group={quoted(box.column)}")
    if box.stacked:
        attributes.append("peripheries=2")
    if box.inside is not None:
        style = "filled,rounded,dashed" if box.inside.down else "filled,rounded"
        attributes.append(f'color="{bundle_colour(box.inside)}", penwidth=3, style="{style}"')
    return f"  n{index} [{', '.join(attributes)}];"


def _bundle_dot(
    bundle: Bundle, boxes: Sequence[Box], largest_gbps: float, depth: Sequence[int] | None, *, labelled: bool
) -> str:
    a, b = bundle.a, bundle.b
    rank = [box.level for box in boxes] if depth is None else depth
    tail, head = (b, a) if rank[a] > rank[b] else (a, b)
    text = bundle_lines(bundle)
    width = pen_width_pt(bundle.capacity_gbps, largest_gbps)
    attributes = [f'color="{bundle_colour(bundle)}"', f"penwidth={width:g}"]
    if labelled:
        attributes.append(f"label=<{_label_table(text, width)}>")
    else:
        ends = f"{boxes[tail].lines[0]} - {boxes[head].lines[0]}"
        attributes.append(f"tooltip={quoted(chr(10).join([ends, *text]))}")
    if bundle.down:
        attributes.append("style=dashed")
    if (colour := _font_colour(bundle)) != _INK:
        attributes.append(f'fontcolor="{colour}"')
    if boxes[a].column and boxes[a].column == boxes[b].column:
        attributes.append("weight=10")
    if depth is not None and depth[a] == depth[b]:
        attributes.append("constraint=false")
    return f"  n{tail} -- n{head} [{', '.join(attributes)}];"


def _font_colour(bundle: Bundle) -> str:
    """Dark red on overload, so that the number is seen as well."""
    return DOUBLE.colour if bundle.utilisation and band(bundle.utilisation) in (HOT, DOUBLE) else _INK


def _label_table(lines: Sequence[str], width_pt: float) -> str:
    """A label on a white plate, half a pen's width away from its line: dot takes lines to be thin."""
    gap = f'<td width="{math.ceil(width_pt / 2) + 2}" fixedsize="true"></td>' if width_pt else ""
    text = "<br/>".join(html(line) for line in lines)
    return (
        '<table border="0" cellborder="0" cellspacing="0" cellpadding="1"><tr>'
        f'{gap}<td bgcolor="#ffffff">{text}</td></tr></table>'
    )


# ---- heading and legend -------------------------------------------------------------------------------------------


def _heading_table(drawing: Drawing) -> str:
    """Heading and legend as one HTML-like label of the graph: it is never clipped and moves no box."""
    first, *rest = drawing.heading
    rows = [_row(f"<b>{html(first)}</b>")]
    rows += [_row(f'<font point-size="11">{html(line)}</font>') for line in rest]
    rows += [
        _row(f'<font point-size="11" color="{DOUBLE.colour}"><b>{html(line)}</b></font>') for line in drawing.warnings
    ]
    rows.append(_row(_legend()))
    rows += [_row(f'<font point-size="10">{html(line)}</font>') for line in drawing.notes]
    return f'<table border="0" cellborder="0" cellspacing="0" cellpadding="2">{"".join(rows)}</table>'


def _row(cell: str) -> str:
    return f'<tr><td align="left">{cell}</td></tr>'


def _legend() -> str:
    def words(text: str) -> str:
        return f'<td align="left"><font point-size="10">{html(text)}</font></td>'

    cells = []
    for entry in BANDS:
        cells.append(f'<td bgcolor="{entry.colour}" width="24" height="10" fixedsize="true"></td>{words(entry.text)}')
    cells.append('<td><font point-size="10"><b>- - -</b></font></td>' + words("some links down"))
    cells.append('<td width="6"></td>' + words("width: capacity"))
    return f'<table border="0" cellborder="0" cellspacing="4" cellpadding="0"><tr>{"".join(cells)}</tr></table>'


def route_heading(route: PhaseRoute, title: str) -> tuple[str, ...]:
    """Which scenario, fabric, phase and router; the maximum, and of which draw; what no routing can undercut."""
    names = (title, route.fabric, route.phase, router_label(route.router, drawn=route.draws is not None))
    first = " · ".join(shortened(name) for name in names if name)
    where = f" on {shortened(route.hottest_link)}" if route.hottest_link else ""
    offered = _offered_text(route)
    second = f"offered load{offered}; max {percent_text(route.max_utilisation)}{where}"
    drawn = [] if route.draws is None else [shown_draw_words(route)]
    return (first, second, *drawn, *_bound_lines(route))


def _offered_text(route: PhaseRoute) -> str:
    """What all endpoints send together; unknown where endpoints forward, their links then carry transit as well."""
    from topologies.units import format_gbps

    nodes = route.topology.nodes
    ends = nodes.nics > 0
    if nodes.forwards[ends].any():
        return ""
    return f" {format_gbps(float(route.link_gbps[ends[route.topology.links.src]].sum()))}"


def _bound_lines(route: PhaseRoute) -> list[str]:
    if route.certificate is not None:
        gap = f", gap {percent(route.gap)}" if route.gap is not None else ""
        stopped = ", stopped by a limit" if route.partial else ""
        return [
            f"certified: no routing has a maximum below θ = {percent_text(route.certificate.lower_bound)}{gap}{stopped}"
        ]
    if route.best_possible.lower_bound > 0:
        return [f"no routing has a maximum below θ = {percent_text(route.best_possible.lower_bound)}"]
    return []


def route_warnings(route: PhaseRoute) -> tuple[str, ...]:
    """What the colours do not show."""
    if not route.unreachable_pairs:
        return ()
    pairs = "pair has" if route.unreachable_pairs == 1 else "pairs have"
    return (f"{route.unreachable_pairs:,} {pairs} no path; their demand is not in the picture",)


def nodes_text(counts: Iterable[tuple[str, int]]) -> str:
    """Counts of things, joined: ``8 x leaf, 2 x border``."""
    return ", ".join(f"{count:,} x {shortened(name)}" for name, count in counts)
