"""What ``fabric show bom`` and ``fabric show power`` print: rows of the bill, totals, and how they were counted."""

from __future__ import annotations

from typing import Any

from fabric.bill.bill import Bill
from fabric.faces.views.bill import (
    MONEY_SHOWN,
    POWER_SHOWN,
    bill_table,
    headline,
    part_table,
    plain,
    total_table,
)
from fabric.output.document import Document, Line
from fabric.output.table import Table


def bom_document(bill: Bill) -> Document:
    """Rows with prices, totals, notes."""
    return [*headline(bill), bill_table(bill).only(*MONEY_SHOWN).as_rows(), total_table(bill), *_notes(bill)]


def power_document(bill: Bill) -> Document:
    """Power by part, rows with watts, totals, notes."""
    parts = part_table(bill).only("part", "count", "power_w", "power_share", "max_power_w", "embodied_kg")
    rows = bill_table(bill).titled("power").only(*POWER_SHOWN).as_rows()
    return [*headline(bill), parts.titled("by part"), rows, total_table(bill), *_notes(bill)]


def _notes(bill: Bill) -> list[Line]:
    unmade = [f"{row.fabric}: {row.model}: {row.source}" for row in bill.of("cable") if not row.has_model]
    return [Line(f"note: {text}") for text in (*unmade, *bill.notes)]


def bill_record(bill: Bill) -> dict[str, Any]:
    """``totals`` and what else JSON says of a bill besides its rows."""
    totals = bill.totals
    numbers = {
        "cost": totals.cost_usd,
        "power_w": totals.typical_w,
        "max_power_w": totals.max_w,
        "carbon_kg": totals.carbon_kg + totals.operation_kg,
    }
    values = {
        **numbers,
        "estimated_cost": totals.estimated_usd,
        "estimated_max_power_w": totals.estimated_w,
        "heat_w": totals.heat_w,
        "facility_w": totals.facility_w,
        "embodied_kg": totals.carbon_kg,
        "operation_kg": totals.operation_kg,
        "cable_m": totals.cable_m,
    }
    missing = {
        "cost": list(totals.missing_prices),
        "power_w": list(totals.missing_watts),
        "embodied_kg": list(totals.missing_carbon),
        "lead_days": list(totals.missing_leads),
    }
    heads = {"per_gpu": totals.gpus, "per_endpoint": totals.endpoints}
    per = {
        name: {key: plain(value / count) for key, value in numbers.items()} if count else None
        for name, count in heads.items()
    }
    return {
        "totals": {
            **{key: plain(value) for key, value in values.items()},
            "lead_days": totals.lead_days,
            "gpus": totals.gpus,
            "endpoints": totals.endpoints,
            **per,
            "missing": missing,
        },
        "factors": [
            {"name": factor.name, "value": factor.value, "unit": factor.unit, "source": factor.source}
            for factor in bill.factors
        ],
        "notes": list(bill.notes),
    }


def bill_sheets(bill: Bill) -> list[tuple[str, Table]]:
    """Tables of the workbook by the name of their sheet."""
    return [("bill", bill_table(bill)), ("totals", total_table(bill)), ("by part", part_table(bill))]
