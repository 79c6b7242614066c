"""What an export is verified against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fabric.routing.router import PairTraffic
from fabric.rules.addressing import AddressPlan
from fabric.rules.changes import read_tables_of
from fabric.rules.manifest import Manifest
from fabric.rules.table import SwitchTable
from fabric.rules.tenancy import Tenancy


@dataclass(frozen=True, eq=False)
class ExportBaseline:
    """What an export is verified against: its manifest, the address plan, what its phase sends, its tenants."""

    manifest: Manifest
    plan: AddressPlan
    pairs: tuple[PairTraffic, ...]
    tenancy: Tenancy | None = None

    def tables(self, folder: Path) -> dict[str, SwitchTable]:
        """Tables of the folder by name of the switch."""
        return read_tables_of(folder)
