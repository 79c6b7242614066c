"""What differs: the figures of two results side by side, the links that changed most, the changes that were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.evaluation.limits import limit_text
from fabric.faces.views.draws import change_band_text, noise_text
from fabric.faces.views.limits import VERDICTS, change_mark
from fabric.failures.differences import GPU_HOURS
from fabric.output.columns import (
    amount_text,
    count_text,
    counts,
    endings,
    named,
    optional,
    points,
    points_text,
    rates,
    ratio_text,
    ratios,
    relatives,
    seconds_text,
)
from fabric.output.table import Column, Mark, Table
from fabric.result import Band, JobTime, LimitVerdict, PhaseRoute, RouteResult
from fabric.routing.router import router_label
from fabric.whatif.changes import ChangeSet
from fabric.whatif.differences import Row, figure_row
from fabric.whatif.effect import LinkChange, effect
from fabric.whatif.noise import ChangeBand, change_band
from topologies.units import format_bytes, format_gbps, format_seconds

_SAME = 1e-9  # relative: two figures closer than this are one
_EFFECT_SHOWN = ("what", "a", "b", "change", "noise", "band", "limit", "verdict")
_LINKS_SHOWN = ("link", "a", "b", "change", "a_gbps", "b_gbps")


def change_table(changes: ChangeSet) -> Table:
    """One row per change that is tried."""
    rows = changes.changes
    flags = [
        " ".join(
            [
                *(f"--set {text}" for text in row.sets),
                *(f"--down {text}" for text in row.down),
                *(f"--slow {text}" for text in row.slowed),
            ]
        )
        or f"--scale {row.scale:g}"
        for row in rows
    ]
    columns = (
        Column("enabled", "", ["[x]" if row.enabled else "[ ]" for row in rows], width=3),
        named("change", "change", [row.text for row in rows], width=34),
        named("flags", "on the command line", flags, width=40, priority=1),
    )
    return Table.of(columns, len(rows), title="changes")


# ---- figures ---------------------------------------------------------------------------------------------------------


def is_same(a: float | None, b: float | None) -> bool:
    """Whether two figures are one, to nine digits.

    >>> is_same(1.0, 1.0 + 1e-12), is_same(1.0, None), is_same(None, None)
    (True, False, True)
    """
    if a is None or b is None:
        return a is b
    return a == b or abs(b - a) <= _SAME * max(abs(a), abs(b)) + 1e-12


def figure_text(value: float | None, unit: str) -> str:
    """A figure with its unit."""
    if value is None:
        return "-"
    if unit == "ratio":
        return ratio_text(value)
    if unit == "s":
        return format_seconds(value)
    if unit == "bytes":
        return format_bytes(value)
    if unit == GPU_HOURS:
        return f"{amount_text(value)} {GPU_HOURS}"
    if unit == "Gbps":
        return format_gbps(value)
    return f"{count_text(value)} {unit}".rstrip()


def difference_text(a: float | None, b: float | None, unit: str) -> str:
    """B less A in the unit of both; ``=`` where they are one, ``gained`` or ``lost`` where one side has nothing.

    >>> difference_text(1.0, 1.25, "ratio"), difference_text(2.0, 1.0, "s"), difference_text(None, 3, "")
    ('+25.0 pt', '-1 s', 'gained')
    """
    if is_same(a, b):
        return "="
    if a is None or b is None:
        return "lost" if b is None else "gained"
    change = b - a
    if unit == "ratio":
        return points_text(change)
    if unit == "s":
        return ("-" if change < 0 else "+") + format_seconds(abs(change))
    if unit == "bytes":
        return ("-" if change < 0 else "+") + format_bytes(abs(change))
    if unit == GPU_HOURS:
        return ("-" if change < 0 else "+") + amount_text(abs(change))
    return f"{change:+,.0f}"


def figure_table(
    rows: Sequence[Row], *, sides: tuple[str, str] = ("A", "B"), title: str = "", tolerance: float = 0.0
) -> Table:
    """Figures of two sides, row by row; a limit is judged on both."""
    one, other = sides
    columns = (
        named("subject", "subject", [row.subject for row in rows], priority=3),
        Column("what", "", [row.what for row in rows], width=30),
        _figures("a", one, [row.a for row in rows], rows),
        _figures("b", other, [row.b for row in rows], rows),
        Column(
            "change",
            f"{other} - {one}",
            [row.change for row in rows],
            numeric=True,
            width=11,
            texts=[difference_text(row.a, row.b, row.unit) for row in rows],
        ),
        relatives("relative", "change", [row.relative for row in rows]),
        *_noise_columns(rows),
        named("unit", "unit", [row.unit for row in rows], width=6, priority=3),
        named("a_ok", f"{one} ok", [row.a_ok for row in rows], width=5, priority=3),
        named("b_ok", f"{other} ok", [row.b_ok for row in rows], width=5, priority=3),
        Column(
            "limit",
            "allowed",
            [row.limit for row in rows],
            numeric=True,
            width=9,
            priority=1,
            texts=["" if row.limit is None else limit_text(row.limit, row.unit) for row in rows],
        ),
        Column("verdict", "verdict", [_verdict(row, sides) for row in rows], width=18, priority=1),
        named("differs", "differs", [row.differs(tolerance) for row in rows], width=7, priority=3),
    )
    return Table.of(columns, len(rows), title=title, marks=[change_mark(row.a_ok, row.b_ok) for row in rows])


def _noise_columns(rows: Sequence[Row]) -> tuple[Column, ...]:
    """What the change is over draws of the hash, and whether it is within their noise."""
    bands = [row.band for row in rows]
    texts = [noise_text(band, row.change) for band, row in zip(bands, rows, strict=True)]
    between = [change_band_text(band, row.unit) for band, row in zip(bands, rows, strict=True)]
    return (
        Column("noise", "hash noise", [row.is_noise for row in rows], texts=texts, width=12),
        named("band", "change, p5 to p95", between, text=str, width=22, priority=1),
        named("change_p5", "change p5", [band.p5 if band else None for band in bands], priority=3),
        named("change_p95", "change p95", [band.p95 if band else None for band in bands], priority=3),
        counts("draws", "draws", [band.draws if band else None for band in bands], priority=3),
    )


def _figures(name: str, header: str, values: list[float | None], rows: Sequence[Row]) -> Column:
    texts = [figure_text(value, row.unit) for value, row in zip(values, rows, strict=True)]
    return Column(name, header, values, numeric=True, texts=texts, width=8)


def _verdict(row: Row, sides: tuple[str, str]) -> str:
    judged = zip(sides, (row.a_ok, row.b_ok), strict=True)
    return "" if row.limit is None else ", ".join(f"{side} {VERDICTS[ok]}" for side, ok in judged)


def effect_table(base: RouteResult, now: RouteResult, *, changed_only: bool = False) -> Table:
    """Figures before and now; what changed first, in its own order."""
    figures = sorted(effect(base, now), key=lambda row: row.is_equal)
    rows = [figure_row(row, "load", row.metric) for row in figures if not (changed_only and row.is_equal)]
    return figure_table(rows, sides=("base", "now")).only(*_EFFECT_SHOWN).without_empty("noise", "band")


# ---- links -----------------------------------------------------------------------------------------------------------


def changed_link_table(changed: Sequence[LinkChange]) -> Table:
    """Links of one phase whose load changed most."""
    return moved_link_table([("", "", each) for each in changed], sides=("base", "now")).only(*_LINKS_SHOWN)


def moved_link_table(changed: Sequence[tuple[str, str, LinkChange]], *, sides: tuple[str, str] = ("A", "B")) -> Table:
    """Links with their load on both sides, by fabric and phase."""
    one, other = sides
    links = [each for _, _, each in changed]
    columns = (
        named("fabric", "fabric", [fabric for fabric, _, _ in changed], width=8, priority=1),
        named("phase", "phase", [phase for _, phase, _ in changed], width=16),
        named("link", "link", [each.link for each in links], width=24),
        ratios("a", one, [each.base for each in links], text=_or_down, width=10),
        ratios("b", other, [each.now for each in links], text=_or_down, width=10),
        points("change", "change", [each.change for each in links]),
        rates("a_gbps", f"{one} Gb/s", [each.base_gbps for each in links], width=10, priority=1),
        rates("b_gbps", f"{other} Gb/s", [each.now_gbps for each in links], width=10, priority=1),
    )
    return Table.of(columns, len(links), title="links that changed most")


def _or_down(utilisation: float | None) -> str:
    return "down" if utilisation is None else ratio_text(utilisation)


def key_table(keys: Sequence[tuple[str, Any, Any]]) -> Table:
    """Keys of the scenario that differ, with both values."""
    columns = (
        named("key", "key", [key for key, _, _ in keys], width=30),
        named("a", "A", [a for _, a, _ in keys], text=optional(str), width=20, flexible=True),
        named("b", "B", [b for _, _, b in keys], text=optional(str), width=20, flexible=True),
    )
    return Table.of(columns, len(keys), title="what was changed")


# ---- against a base --------------------------------------------------------------------------------------------------


def _change(before: float | None, after: float | None) -> float | None:
    """After less before; 0 where they are one to nine digits, None where one is unknown or infinite."""
    if before is None or after is None or float("inf") in (before, after):
        return None
    return 0.0 if is_same(before, after) else after - before


def _noise_column(change: Sequence[float | None], bands: Sequence[ChangeBand | None]) -> Column:
    """Whether changes are within the noise of the hash."""
    texts = [noise_text(band, each) for band, each in zip(bands, change, strict=True)]
    return named("noise", "hash noise", texts, width=12)


def _more_mark(change: float | None, band: ChangeBand | None) -> Mark:
    """More load, more time: worse, unless another draw of the hash may turn it round."""
    return "" if not change or (band is not None and band.is_noise(change)) else ("bad" if change > 0 else "good")


def limits_since(base: Sequence[LimitVerdict], now: Sequence[LimitVerdict]) -> Table:
    """Verdicts against those of a base, matched by their words."""
    old, new = ({limit.text: limit for limit in limits} for limits in (base, now))
    rows = [(text, old.get(text), new.get(text)) for text in dict.fromkeys([*new, *old])]
    allowed = [after or before for _, before, after in rows]

    def verdicts(name: str, header: str, limits: list[LimitVerdict | None]) -> Column:
        texts = ["-" if limit is None else VERDICTS[limit.ok] for limit in limits]
        return Column(name, header, [limit.ok if limit else None for limit in limits], texts=texts)

    def values(name: str, header: str, limits: list[LimitVerdict | None], key: str) -> Column:
        texts = ["-" if limit is None else limit_text(getattr(limit, key), limit.unit) for limit in limits]
        figures = [getattr(limit, key) if limit else None for limit in limits]
        return Column(name, header, figures, numeric=True, texts=texts)

    before, after = [row[1] for row in rows], [row[2] for row in rows]
    columns = (
        named("text", "limit", [row[0] for row in rows], width=26),
        verdicts("base_ok", "base", before),
        verdicts("ok", "now", after),
        values("base_value", "value, base", before, "value"),
        values("value", "value, now", after, "value"),
        values("max", "allowed", allowed, "max"),
    )
    marks = [change_mark(one.ok if one else None, other.ok if other else None) for _, one, other in rows]
    return Table.of(columns, len(rows), title="limits", marks=marks)


def phases_since(base: Sequence[PhaseRoute], now: Sequence[PhaseRoute]) -> Table:
    """The fullest link of every phase against that of a base, matched by name."""
    old, new = ({(entry.fabric, entry.phase): entry for entry in routes} for routes in (base, now))
    keys = list(dict.fromkeys([*new, *old]))
    before, after = [old.get(key) for key in keys], [new.get(key) for key in keys]
    peaks = [[entry.max_utilisation if entry else None for entry in side] for side in (before, after)]
    over = [[entry.links_over_capacity if entry else None for entry in side] for side in (before, after)]
    drawn = [
        [entry.draws.max_utilisation if entry and entry.draws else None for entry in side] for side in (before, after)
    ]
    bands = [change_band(*figures) for figures in zip(*peaks, *drawn, strict=True)]
    change = [_change(*pair) for pair in zip(*peaks, strict=True)]
    columns = (
        named("fabric", "fabric", [fabric for fabric, _ in keys], width=8),
        named("phase", "phase", [phase for _, phase in keys], width=18),
        named(
            "base_router",
            "router, base",
            [entry.router if entry else None for entry in before],
            text=optional(router_label),
        ),
        named(
            "router", "router, now", [entry.router if entry else None for entry in after], text=optional(router_label)
        ),
        ratios("base_max_utilisation", "max offered, base", peaks[0]),
        ratios("max_utilisation", "max offered, now", peaks[1]),
        points("change", "change", change),
        _noise_column(change, bands),
        counts("base_links_over", "links over, base", over[0]),
        counts("links_over", "links over, now", over[1]),
    )
    marks = [_more_mark(each, band) for each, band in zip(change, bands, strict=True)]
    return Table.of(columns, len(keys), title="phases", marks=marks).without_empty("noise")


def times_since(base: Sequence[JobTime], now: Sequence[JobTime]) -> Table:
    """Times of steps and phases against those of a base, matched by name."""
    old, new = _times(base), _times(now)
    keys = list(dict.fromkeys([*new, *old]))
    before, after = [old.get(key) for key in keys], [new.get(key) for key in keys]
    drawn = [_time_bands(jobs) for jobs in (base, now)]
    bands = [
        change_band(one, other, drawn[0].get(key), drawn[1].get(key))
        for key, one, other in zip(keys, before, after, strict=True)
    ]
    change = [_change(*pair) for pair in zip(before, after, strict=True)]
    relative = [
        each / value if each is not None and value else None for each, value in zip(change, before, strict=True)
    ]

    def texts(values: list[float | None], side: dict[tuple[str, str], float | None]) -> list[str]:
        return [
            "never" if value is None and key in side else seconds_text(value)
            for key, value in zip(keys, values, strict=True)
        ]

    columns = (
        named("job", "job", [job for job, _ in keys], width=12),
        named("time", "time", [what for _, what in keys], width=18),
        endings("base_s", "base", before, texts=texts(before, old)),
        endings("here_s", "now", after, texts=texts(after, new)),
        Column(
            "change_s",
            "change",
            change,
            numeric=True,
            unit="s",
            texts=[
                "-" if each is None else difference_text(one, other, "s")
                for each, one, other in zip(change, before, after, strict=True)
            ],
        ),
        relatives("relative", "relative", relative),
        _noise_column(change, bands),
    )
    marks = [_more_mark(each, band) for each, band in zip(change, bands, strict=True)]
    return Table.of(columns, len(keys), title="times of jobs", marks=marks).without_empty("noise")


def _times(jobs: Sequence[JobTime]) -> dict[tuple[str, str], float | None]:
    """Step times, and that of every phase on a fabric; None where it never ends."""
    times: dict[tuple[str, str], float | None] = {}
    for job in jobs:
        if job.step_time_ideal_s is not None:
            times[job.id, "step"] = job.step_time_s
        for phase in job.phases:
            if phase.fabric is not None:
                times[job.id, phase.name] = phase.predicted_s
    return times


def _time_bands(jobs: Sequence[JobTime]) -> dict[tuple[str, str], Band | None]:
    """Draws of the times, as ``_times`` names them."""
    bands = {(job.id, "step"): job.draws for job in jobs}
    return bands | {(job.id, phase.name): phase.draws for job in jobs for phase in job.phases}
