"""Commands that look at an export folder: its scenario loaded with the overrides of the export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fabric.cli.answer import load, located, note
from fabric.cli.options import Settings

if TYPE_CHECKING:
    from fabric.rules.export_baseline import ExportBaseline
    from fabric.scenario.load import LoadedScenario


def load_exported(scenario: str, folder: Path, settings: Settings) -> tuple[LoadedScenario, ExportBaseline]:
    """The scenario, and the fabric of the export in ``folder``; a changed scenario is reported on stderr."""
    from fabric.pipeline.tables import export_baseline, what_if
    from fabric.rules.manifest import read_manifest

    manifest = read_manifest(folder)
    if not settings.overrides:
        settings = replace(settings, sets=what_if(manifest, "set"))
    loaded = load(scenario, settings)
    if loaded.sha256 != manifest.sha256:
        note("the scenario has changed since the export", settings)
    with located(loaded, settings):
        return loaded, export_baseline(folder, loaded, down=settings.down, up=settings.up, slow=settings.slow)
