"""Folders of exports and probes: complete or not there at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from fabric.output.whole_folder import FolderKind, whole_folder
from fabric.rules.dialect import File
from fabric.rules.errors import RuleError
from fabric.rules.manifest import VERIFIED
from topologies.errors import FormatError
from topologies.reading.json_value import read_json


def _is_stamp(path: Path) -> bool:
    """Whether a file says that the verifier has passed the others, which it may do again after the export."""
    try:
        return path.name == VERIFIED and read_json(path).get("kind").text("") == "RulesVerified"
    except FormatError:
        return False


EXPORT = FolderKind("an export", RuleError, "FP8012", _is_stamp)
PROBES = FolderKind("probes", RuleError, "FP8012")


def write_folder(
    folder: Path,
    files: Iterable[File],
    *,
    force: bool,
    check: Callable[[Path], None] = lambda _: None,
    kind: FolderKind = EXPORT,
) -> None:
    """Write all files into a new folder beside ``folder``, then put it in its place.

    ``check`` gets the new folder before that; what it raises leaves things as they were.

    Paths of files that would leave the folder are refused; they cannot come from a scenario, whose names are made safe.
    """
    with whole_folder(folder, kind, force=force) as beside:
        made: set[Path] = set()
        for path, content in files:
            target = beside / path
            if ".." in target.relative_to(beside).parts or Path(path).is_absolute():
                raise ValueError(f"{path!r} leaves the folder")
            if target.parent not in made:
                target.parent.mkdir(parents=True, exist_ok=True)
                made.add(target.parent)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                target.write_text(content, encoding="utf-8")
            if path.endswith(".sh"):
                target.chmod(0o755)
        check(beside)
