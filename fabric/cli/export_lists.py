"""What all forms of ``fabric export`` say of where they come from, and its lists: addresses, dialects, profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fabric.cli.answer import Answer, emit, located
from fabric.cli.cables import profile_rows
from fabric.cli.exit_codes import OK
from fabric.cli.options import Settings
from fabric.faces.views.row_kinds import ADDRESSES, DIALECTS, PROFILES

if TYPE_CHECKING:
    from fabric.output.document import Document
    from fabric.request import RouteRequest
    from fabric.scenario.load import LoadedScenario


def made_from(loaded: LoadedScenario, settings: Settings) -> dict[str, Any]:
    """What a manifest says of where it comes from."""
    from fabric.scenario.provenance import version

    return {
        "tool": {"name": "fabric-planner", "version": version()},
        "scenario": loaded.scenario.name,
        "sha256": loaded.sha256,
        "seed": loaded.scenario.seed,
        "what_if": {
            "down": list(settings.down),
            "up": list(settings.up),
            "slow": list(settings.slow),
            "set": settings.overrides,
        },
    }


def export_record(loaded: LoadedScenario) -> dict[str, Any]:
    from fabric.scenario.provenance import SCHEMA, version

    return {
        "schema": SCHEMA,
        "kind": "ExportResult",
        "tool": {"name": "fabric-planner", "version": version()},
        "name": loaded.scenario.name,
        "inputs": [{"path": loaded.path, "sha256": loaded.sha256}],
        "seed": loaded.scenario.seed,
    }


def list_addresses(loaded: LoadedScenario, request: RouteRequest, settings: Settings) -> int:
    """The address plans of all fabrics, as rows."""
    from fabric.faces.views.exports import address_table
    from fabric.pipeline.tables import address_plans
    from fabric.rules.manifest import ADDRESS_COLUMNS, address_rows

    with located(loaded, settings):
        plans = address_plans(loaded, request)

    def rows() -> list[dict[str, Any]]:
        return [
            {"fabric": plan.fabric}
            | dict(zip(ADDRESS_COLUMNS, ("" if v is None else str(v) for v in row), strict=True))
            for plan in plans
            for row in address_rows(plan)
        ]

    def record() -> dict[str, Any]:
        return {**export_record(loaded), "kind": "AddressPlan"}

    def document() -> Document:
        return [address_table(rows()).only(*ADDRESSES.shown).as_rows()]

    emit(Answer(record, document, lambda: address_table(rows()), ADDRESSES), settings)
    return OK


def list_dialects(settings: Settings) -> int:
    """All dialects and what has taken their output, then all profiles of cables."""
    from fabric.faces.views.exports import dialect_table, profile_table
    from fabric.rules.dialect import DIALECTS as KNOWN

    rows = [
        {
            "format": one.format,
            "dialect": one.name,
            "summary": KNOWN.summary(one.name),
            "loses": one.loses,
            "hash_seeds": one.seeds,
            "failover": one.failover or "",
            "proof": one.proof,
            "experimental": one.experimental,
            "followed": one.read is not None,
        }
        for one in KNOWN.values()
    ]

    def document() -> Document:
        from fabric.faces.views.scheduled import scheduler_format_table

        return [
            dialect_table(rows).only(*DIALECTS.shown).as_rows(),
            profile_table(profile_rows()),
            scheduler_format_table(scheduler_format_rows()),
        ]

    def record() -> dict[str, Any]:
        from fabric.faces.views.scheduled import scheduler_format_table

        return {
            "kind": "DialectList",
            "profiles": profile_table(profile_rows()).only(*PROFILES.columns).records(),
            "for_schedulers": scheduler_format_table(scheduler_format_rows()).records(),
        }

    emit(Answer(record, document, lambda: dialect_table(rows), DIALECTS), settings)
    return OK


def scheduler_format_rows() -> list[dict[str, object]]:
    """All formats for schedulers, as ``export list`` shows them."""
    from fabric.share.schedulers.format import SCHEDULER_FORMATS

    return [
        {"format": name, "of": one.of, "summary": SCHEDULER_FORMATS.summary(name), "read_by": one.read_by}
        for name, one in SCHEDULER_FORMATS.items()
    ]
