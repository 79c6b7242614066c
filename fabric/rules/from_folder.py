"""Tables, addresses and demand of an export folder, with the scenario it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fabric.rules.addressing import AddressPlan
from fabric.rules.changes import read_tables_of
from fabric.rules.manifest import Manifest, read_manifest
from fabric.rules.table import SwitchTable

if TYPE_CHECKING:
    from fabric.routing.router import PairTraffic
    from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True, eq=False)
class Ground:
    """What exported tables are looked at with."""

    manifest: Manifest
    plan: AddressPlan
    pairs: tuple[PairTraffic, ...]

    def tables(self, folder: Path) -> dict[str, SwitchTable]:
        """Tables of the folder by name of the switch."""
        return read_tables_of(folder)


def what_if(manifest: Manifest, key: str) -> tuple[str, ...]:
    """Failures (``down``, ``up``) or overrides (``set``) that an export was made with."""
    found = manifest.record.get("what_if", {})
    return tuple(str(item) for item in found.get(key, ())) if isinstance(found, dict) else ()


def ground_of(folder: Path, loaded: LoadedScenario, *, down: tuple[str, ...] = (), up: tuple[str, ...] = ()) -> Ground:
    """The fabric that an export is for; failures are its own unless given."""
    from fabric.pipeline.stages import tables_ground

    manifest = read_manifest(folder)
    plan, pairs = tables_ground(
        loaded, manifest.fabric, manifest.phase, manifest.number,
        down=down or what_if(manifest, "down"), up=up or what_if(manifest, "up"),
    )  # fmt: skip
    return Ground(manifest, plan, pairs)
