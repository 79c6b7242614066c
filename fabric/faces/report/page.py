"""A report as one page that needs no network: styles, script and data are in it, and nothing else may run."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from fabric.faces.report.content import (
    BarsBlock,
    Block,
    Commands,
    Content,
    Folded,
    HeatBlock,
    Layer,
    Section,
    TimelineBlock,
    Words,
)
from fabric.faces.report.heat_layers import SCALE
from fabric.output.table import Column, Table
from topologies.printable import printable

_WIDTH, _LANE, _LEFT = 880, 24, 170  # of a time line, in pixels
_BAR_LEFT, _BAR_RIGHT, _BAR_LABEL = 270, 130, 40  # of bars: room for labels and figures; characters of a label


def to_page(content: Content) -> str:
    """The whole HTML file; scripts and styles are allowed by their hashes alone."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    title = f"{_text(content.name)}: {_text(content.headline)}"
    state = {True: "good", False: "bad", None: "warn"}[content.met]
    links = "".join(f'<a href="#{part.anchor}">{_text(part.title)}</a>' for part in content.sections)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style></head>\n<body><main>\n"
        f'<h1>{_text(content.name)} <span class="{state}">{_text(content.headline)}</span></h1>\n'
        f'<p class="made">{_text(content.made)}</p>\n'
        f'<nav aria-label="Sections">{links}</nav>\n'
        f"{''.join(_section(part) for part in content.sections)}</main>\n<script>{script}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    return files("fabric.faces.report").joinpath("templates", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _text(text: str) -> str:
    """Text in HTML, also inside attributes; characters that HTML forbids become visible."""
    return escape(printable(text))


def _section(part: Section) -> str:
    return (
        f'<section id="{part.anchor}"><h2>{_text(part.title)}</h2>\n{"".join(_block(block) for block in part.blocks)}'
        f"<details class=how><summary>How was this computed?</summary><p>{_text(part.how)}</p></details></section>\n"
    )


def _block(block: Block) -> str:
    if isinstance(block, Words):
        return f'<p class="words {block.mark}">{_text(block.text)}</p>\n'
    if isinstance(block, Commands):
        return "<pre>" + "\n".join(_text(line) for line in block.lines) + "</pre>\n"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Folded):
        title = _text(block.table.title)
        return f"<details><summary>Table: {title}</summary>{_table(block.table)}</details>\n"
    if isinstance(block, BarsBlock):
        return _bars(block)
    return _timeline(block) if isinstance(block, TimelineBlock) else _heat(block)


def _table(table: Table) -> str:
    """A table; the script sorts numeric columns by ``data-v``, the value without its unit."""
    table = table.repeatable
    heads = "".join(
        f'<th scope="col"{" class=n" if column.numeric else ""}>'
        f'<button type="button">{_text(column.header)}</button></th>'
        for column in table.columns
    )
    rows = "".join(
        f"<tr{f' class={table.mark(at)}' if table.mark(at) else ''}>"
        + "".join(_cell(column, row) for column in table.columns)
        + "</tr>\n"
        for at, row in enumerate(table.order.tolist())
    )
    return (
        f"<div class=wide><table><caption>{_text(table.title)}</caption><thead><tr>{heads}</tr></thead>\n"
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def _cell(column: Column, row: int) -> str:
    text = _text(column.cell(row))
    if not column.numeric:
        return f"<td>{text}</td>"
    value = column.value(row)
    figure = f' data-v="{_text(repr(value))}"' if isinstance(value, int | float) else ""
    return f"<td class=n{figure}>{text}</td>"


def _timeline(block: TimelineBlock) -> str:
    """Bars as inline SVG; the same in words under each bar, and the table of the job after it."""
    timeline = block.timeline
    scale = (_WIDTH - _LEFT - 20) / timeline.span_s
    height = _LANE * len(timeline.bars) + 30
    parts = [
        f'<figure class=wide><svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="Step of {_text(timeline.job)} in time">'
    ]
    for when, text in block.ticks:
        x = _LEFT + when * scale
        parts.append(f'<path class=tick d="M{x:.1f} 0V{height - 24}"/>')
        parts.append(f'<text class=tick x="{x:.1f}" y="{height - 8}">{_text(text)}</text>')
    for at, (bar, text) in enumerate(zip(timeline.bars, block.texts, strict=True)):
        y, x = at * _LANE + 4, _LEFT + bar.start_s * scale
        long = (_WIDTH - 20 - x) if bar.end_s is None else max((bar.end_s - bar.start_s) * scale, 1.0)
        kind = "never" if bar.end_s is None else bar.kind
        parts.append(f'<text x="0" y="{y + 12}">{_text(bar.lane)}</text><g><title>{_text(text)}</title>')
        parts.append(f'<rect class="{kind}" x="{x:.1f}" y="{y}" width="{long:.1f}" height="16"/>')
        ideal = x + bar.ideal_s * scale
        if bar.kind not in ("compute", "bubble") and ideal < x + long - 1:
            parts.append(f'<path class=ideal d="M{ideal:.1f} {y - 2}v20"/>')
        parts.append("</g>")
    job = _text(timeline.job)
    legend = (
        "solid: the step waits; pale: under compute; outlined: no part of the step; notch: where it would end ideally"
    )
    return "".join(parts) + f"</svg><figcaption>{job}: step in time ({legend})</figcaption></figure>\n"


def _bars(block: BarsBlock) -> str:
    """Bars as inline SVG, each with its figure; the table after it has the same."""
    tornado = block.tornado
    width = _WIDTH - _BAR_LEFT - _BAR_RIGHT
    height = _LANE * len(tornado.bars) + 46
    parts = [
        f'<figure class=wide><svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" '
        f'aria-label="{_text(tornado.title)}">'
    ]
    bottom = _LANE * len(tornado.bars)
    for where, text in tornado.ticks:
        x = _BAR_LEFT + where * width
        parts.append(f'<path class=tick d="M{x:.1f} 0V{bottom + 4}"/>')
        parts.append(f'<text class=tick x="{x:.1f}" y="{bottom + 20}">{_text(text)}</text>')
    for at, bar in enumerate(tornado.bars):
        y = at * _LANE + 4
        long = width + _BAR_RIGHT / 4 if bar.value is None else max(tornado.share(bar) * width, 1.0)
        label = bar.label if len(bar.label) <= _BAR_LABEL else f"{bar.label[: _BAR_LABEL - 1]}…"
        parts.append(f"<g><title>{_text(bar.label)}: {_text(bar.text)}</title>")
        parts.append(f'<text class=end x="{_BAR_LEFT - 8}" y="{y + 12}">{_text(label)}</text>')
        parts.append(f'<rect class="bar {bar.mark}" x="{_BAR_LEFT}" y="{y}" width="{long:.1f}" height="16"/>')
        parts.append(f'<text x="{_BAR_LEFT + long + 6:.1f}" y="{y + 12}">{_text(bar.text)}</text></g>')
    axis = f'<text class=tick x="{_BAR_LEFT + width / 2:.1f}" y="{bottom + 38}">{_text(tornado.axis)}</text>'
    return "".join(parts) + f"{axis}</svg><figcaption>{_text(tornado.title)}</figcaption></figure>\n"


def _heat(block: HeatBlock) -> str:
    """Controls, canvas and read-out; the script fills them from the data beside them."""
    data = {
        "phases": block.phases,
        "shown": block.shown,
        "scale": [[entry.text, entry.colour, entry.ink, entry.mark] for entry in SCALE],
        "maps": [
            {
                "label": f"{one.kind}, {one.direction}: {one.title}",
                "titles": [one.row_title, one.column_title],
                "rows": one.row_names,
                "columns": one.column_names,
                "phases": [_layer(layer) for layer in one.phases],
                "cells": _layer(one.cells),
            }
            for one in block.pictures
        ],
    }
    name = _text(block.fabric)
    return (
        f'<figure class=heat data-fabric="{name}"><figcaption>{name}: worst offered load by place</figcaption>'
        '<div class=controls><label>map <select></select></label> <label>phase <input type="range" min="0" '
        f'max="{len(block.phases) - 1}" step="1" value="{block.shown}"> <output class=phase></output></label>'
        ' <button type="button" class=cells aria-pressed="false">every cell as a table</button></div>'
        '<canvas tabindex="0" role="application" aria-roledescription="heat map" '
        f'aria-label="Heat map of {name}; arrow keys move between cells"></canvas>'
        '<p class=readout aria-live="polite">Point at a cell, or move with the arrow keys.</p><div class=legend></div>'
        "<div class=all hidden></div><noscript><p>Without a script the tables below have the worst of every row.</p>"
        f'</noscript><script type="application/json">{_json(data)}</script></figure>\n'
    )


def _layer(layer: Layer) -> dict[str, Any]:
    wide = len(layer.texts) > 256
    codes = layer.codes.astype("<u2" if wide else np.uint8).tobytes()
    packed = base64.b64encode(codes).decode()
    return {"wide": wide, "codes": packed, "texts": layer.texts, "bands": layer.bands}


def _json(data: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
