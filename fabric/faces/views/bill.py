"""What is bought, what it draws and what it weighs on the climate: rows of the bill, and sums by item."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fabric.bill.bill import ITEMS, Bill, BillRow
from fabric.faces.views.tornado import Bar, Tornado, round_up
from fabric.output.columns import count_text, counts, named, ratios
from fabric.output.document import Line
from fabric.output.table import Column, Mark, Table
from topologies.units import format_watts, percent

PART_NAMES: Mapping[str, str] = {
    "switch": "switches",
    "licence": "licences",
    "nic": "NICs",
    "optic": "optics",
    "cable": "cables",
    "spare": "spares",
    "node": "servers",
}
MONEY_SHOWN = ("item", "model", "count", "usd", "cost", "power_w", "lead_days", "estimate", "fabric")
_TICKS = 5  # of the axis of bars
POWER_SHOWN = ("item", "model", "count", "power_w", "max_power_w", "embodied_kg", "estimate", "fabric")


def plain(value: float | None) -> float | None:
    """Without the last bits of sums: 19660.8 for 19660.800000000003."""
    return None if value is None else float(f"{value:.12g}")


def bill_table(bill: Bill) -> Table:
    """Every row of a bill; those without a price or watts are marked."""
    rows = bill.rows

    def values(name: str) -> list[Any]:
        return [plain(getattr(row, name)) for row in rows]

    columns: tuple[Column, ...] = (
        named("item", "item", [row.item for row in rows], width=8),
        named("model", "model", [row.model for row in rows], width=20),
        counts("count", "count", [row.count for row in rows], width=9),
        counts("usd", "US$ each", values("each_usd"), width=9, priority=1, unit="US$", text=_money),
        counts("cost", "US$", values("cost_usd"), width=12, text=_money, unit="US$"),
        counts("power_w", "W, typical", values("power_w"), width=10, unit="W"),
        counts("max_power_w", "W, largest", values("max_power_w"), width=10, unit="W", priority=1),
        counts("embodied_kg", "kg CO2, making", values("embodied_kg"), width=14, unit="kg", priority=2),
        counts("lead_days", "days to delivery", [row.lead_days for row in rows], width=16, priority=2),
        counts("cable_m", "m", [plain(row.metres) or None for row in rows], width=9, unit="m", priority=2),
        named(
            "estimate",
            "figures",
            [row.estimate for row in rows],
            texts=[_figures(row) for row in rows],
            width=9,
            priority=1,
        ),
        named("fabric", "fabric", [row.fabric for row in rows], width=8, priority=2),
        named("source", "source", [row.source for row in rows], width=30, priority=3, flexible=True),
    )
    marks: list[Mark] = ["warn" if row.cost_usd is None or row.power_w is None else "" for row in rows]
    return Table.of(columns, len(rows), title="bill of materials", marks=marks)


def _money(value: float | None) -> str:
    """US$, whole where they are many."""
    return count_text(value) if value is None or value >= 100 or value == int(value) else f"{value:,.2f}"


def _figures(row: BillRow) -> str:
    missing = [row.cost_usd, row.power_w].count(None)
    if missing:
        return "none" if missing == 2 else "incomplete"
    return "estimate" if row.estimate else ""


def headline(bill: Bill) -> list[Line]:
    """What all of it costs and draws, what part of that is estimated or not known, and how long it takes to come."""
    totals = bill.totals
    least = "at least " if totals.missing_prices else ""
    power = f"{format_watts(totals.typical_w)} typically, {format_watts(totals.max_w)} at most"
    lines = [Line(f"{least}US$ {count_text(totals.cost_usd)}; {power}", "warn" if totals.missing else "")]
    if totals.estimated_usd:
        lines.append(Line(f"{percent(totals.estimated_usd / totals.cost_usd)} of the cost is by estimated prices"))
    if totals.missing:
        lines.append(Line(f"no price, watts or carbon for {_some(totals.missing)}: sums are without them", "warn"))
    if totals.lead_days is not None:
        lines.append(Line(f"longest delivery: {totals.lead_days} days, {totals.lead_model}"))
    return lines


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(names[:4]) + more


def part_records(bill: Bill) -> list[dict[str, Any]]:
    """Cost, power and carbon of every item."""
    records = []
    for item in ITEMS:
        rows = bill.of(item)
        if rows:
            records.append(
                {
                    "part": PART_NAMES[item],
                    "count": sum(row.count for row in rows),
                    "cost": plain(sum(row.cost_usd or 0.0 for row in rows)),
                    "power_w": plain(sum(row.power_w or 0.0 for row in rows)),
                    "max_power_w": plain(sum(row.max_power_w or 0.0 for row in rows)),
                    "embodied_kg": plain(sum(row.embodied_kg or 0.0 for row in rows)),
                    "missing": len([row for row in rows if row.cost_usd is None or row.power_w is None]),
                }
            )
    return records


def part_table(bill: Bill) -> Table:
    """Cost and power by item, and their parts of the whole; what has no figures counts as nothing there."""
    records = part_records(bill)

    def values(key: str) -> list[Any]:
        return [record[key] for record in records]

    columns = (
        named("part", "part", values("part"), width=9),
        counts("count", "count", values("count"), width=9),
        counts("cost", "US$", values("cost"), width=12, unit="US$"),
        ratios("cost_share", "of US$", _shares(values("cost")), width=8),
        counts("power_w", "W, typical", values("power_w"), width=10, unit="W"),
        ratios("power_share", "of W", _shares(values("power_w")), width=8),
        counts("max_power_w", "W, largest", values("max_power_w"), width=10, unit="W"),
        counts("embodied_kg", "kg CO2, making", values("embodied_kg"), width=14, unit="kg", priority=1),
        counts("missing", "rows without figures", [value or None for value in values("missing")], priority=1),
    )
    return Table.of(columns, len(records), title="cost and power by part")


def _shares(values: Sequence[float]) -> list[float | None]:
    whole = sum(values)
    return [value / whole if whole else None for value in values]


def part_bars(bill: Bill) -> tuple[Tornado, Tornado]:
    """Cost and typical power by item, the largest first."""
    records = part_records(bill)
    missing = {record["part"] for record in records if record["missing"]}
    return (
        _bars("cost by part", "US$", [(one["part"], one["cost"]) for one in records], missing, "no part has a price"),
        _bars(
            "typical power by part",
            "W",
            [(one["part"], one["power_w"]) for one in records],
            missing,
            "nothing draws power that is known",
        ),
    )


def _bars(title: str, unit: str, parts: Sequence[tuple[str, float]], missing: Collection[str], empty: str) -> Tornado:
    whole = sum(value for _, value in parts)
    bars = (
        [
            Bar(
                part,
                value,
                f"{count_text(value)} ({percent(value / whole)})"
                + (", some without figures" if part in missing else ""),
                "warn" if part in missing else "",
            )
            for part, value in sorted(parts, key=lambda entry: (-entry[1], entry[0]))
            if value or part in missing
        ]
        if whole
        else []
    )
    most = round_up(max((value for _, value in parts), default=0.0))
    ticks = tuple((step / _TICKS, count_text(most * step / _TICKS)) for step in range(_TICKS + 1))
    return Tornado(title, unit, tuple(bars), 0.0, most, ticks, empty=empty)


def total_records(bill: Bill) -> list[dict[str, Any]]:
    """The totals one by one: what it is, its value and unit, the same per GPU, and what it is made of."""
    totals = bill.totals
    heads = totals.gpus or totals.endpoints

    def entry(name: str, value: float, unit: str, note: str = "") -> dict[str, Any]:
        per = plain(value / heads) if heads else None
        return {"total": name, "value": plain(value), "unit": unit, "each": per, "note": note}

    grid, pue, years = bill.factors
    watts = totals.missing_watts
    return [
        entry("cost", totals.cost_usd, "US$", _estimated(totals.estimated_usd, totals.cost_usd, totals.missing_prices)),
        entry("power, typical", totals.typical_w, "W", _without(totals.missing_watts)),
        entry("power, largest", totals.max_w, "W", _estimated(totals.estimated_w, totals.max_w, totals.missing_watts)),
        entry("heat, typical", totals.heat_w, "W", _said("all that the equipment draws", watts)),
        entry("power of the building", totals.facility_w, "W", _said(f"PUE {pue.value:g}: {pue.source}", watts)),
        entry("carbon of making", totals.carbon_kg, "kg", _without(totals.missing_carbon)),
        entry(
            f"carbon of {years.value:g} years",
            totals.operation_kg,
            "kg",
            _said(f"{grid.value:g} {grid.unit}: {grid.source}; years: {years.source}", watts),
        ),
    ]


def total_table(bill: Bill) -> Table:
    """Totals with their shares of estimates, what is missing of them, and the sources of factors."""
    records = total_records(bill)
    per = "per GPU" if bill.totals.gpus else "per endpoint"
    columns = (
        named("total", "total", [record["total"] for record in records], width=22),
        counts("value", "value", [record["value"] for record in records], width=14),
        named("unit", "unit", [record["unit"] for record in records], width=4),
        counts("each", per, [record["each"] for record in records], width=12, text=_money),
        named("note", "of that", [record["note"] for record in records], width=40, priority=1, flexible=True),
    )
    marks: list[Mark] = ["warn" if "without" in record["note"] else "" for record in records]
    return Table.of(columns, len(records), title="totals", marks=marks)


def _said(text: str, missing: Sequence[str]) -> str:
    """A note, and what the figure is without."""
    return "; ".join(one for one in (text, _without(missing)) if one)


def _estimated(part: float, whole: float, missing: Sequence[str]) -> str:
    share = f"{percent(part / whole)} by estimates" if part and whole else "no estimates" if whole else ""
    return _said(share, missing)


def _without(missing: Sequence[str]) -> str:
    """What a sum does not have."""
    if not missing:
        return ""
    more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
    return f"without {', '.join(missing[:3])}{more}, which have no figure: the true total is higher"
