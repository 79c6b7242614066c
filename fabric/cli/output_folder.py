"""Commands whose ``-o`` is a folder where its name is not that of a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fabric.cli.options import Settings

_FILES = (".json", ".ndjson", ".csv", ".md", ".txt", ".tsv", ".parquet")


def asked_folder(settings: Settings, check: Callable[..., None]) -> Path | None:
    """The folder of ``-o``, refused by ``check(folder, force=...)`` before the work; None for a file or the screen."""
    if settings.output == "-" or Path(settings.output).suffix.lower() in _FILES:
        return None
    check(Path(settings.output), force=settings.force)
    return Path(settings.output)
