"""Who shares the fabrics, and what keeps them apart."""

from __future__ import annotations

from fabric.faces.report.content import Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.tenants import tenant_table
from fabric.pipeline.tenants import tenancies, tenant_words

_HOW = (
    "A tenant's hosts may meet each other, and those of a service that is shared with it by design. No workload of "
    "this scenario sends between tenants that may not meet. Whether switches keep them apart is proved of exported "
    "tables by fabric verify rules, which follows every packet that a host can send, forged sources "
    "included; this report says nothing of switches that have no such tables."
)


def tenants_section(source: ReportSource) -> Section | None:
    """Tenants, their endpoints, and what they share; None for a scenario without tenants."""
    loaded = source.loaded
    if not loaded.scenario.tenants:
        return None
    inventory = source.network.inventory
    words = [Words(f"{text[0].upper()}{text[1:]}.") for text in tenant_words(loaded, inventory)]
    return Section(
        "tenants",
        "Tenants",
        _HOW,
        (tenant_table(tenancies(loaded, inventory)).titled("Who shares the fabrics"), *words),
    )


SUMMARY = "who shares the fabrics, and what they share by design"
ORDER = 37
SECTION = ReportSection(tenants_section)
