"""Tenants: who they are, how many endpoints of every fabric are theirs, and whom they serve by design."""

from __future__ import annotations

from collections.abc import Mapping

from fabric.output.columns import Special, counts, from_records, named
from fabric.output.table import Table
from fabric.rules.tenancy import Tenancy

TENANT_COLUMNS = ("tenant", "fabric", "endpoints", "key", "shared_with")
_SPECIAL: dict[str, Special] = {
    "endpoints": (counts, "endpoints", {}),
    "key": (named, "partition key", {"text": str}),
    "shared_with": (named, "shared by design with", {"flexible": True}),
}


def tenant_table(tenancies: Mapping[str, Tenancy]) -> Table:
    """A row for every tenant and fabric on which it has endpoints."""
    rows = [
        {
            "tenant": name,
            "fabric": fabric,
            "endpoints": size,
            "key": f"{tenancy.keys[at]:#06x}",
            "shared_with": ", ".join(tenancy.names[one] for one in tenancy.shared_with[at]),
        }
        for fabric, tenancy in tenancies.items()
        for at, (name, size) in enumerate(zip(tenancy.names, tenancy.sizes, strict=True))
        if size
    ]
    return Table.of(from_records(rows, TENANT_COLUMNS, _SPECIAL), len(rows), title="tenants")
