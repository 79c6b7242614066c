"""``verified.json``: the digests of an export's files after the verifier has passed them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from fabric.output.whole_folder import LIST
from fabric.rules.manifest import SCHEMA, VERIFIED, Manifest
from topologies.whole_file import whole_file


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of an export, by relative path; the stamp itself and the list of files left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (VERIFIED, LIST)
    }


def write_stamp(folder: Path, manifest: Manifest) -> None:
    """Say that the verifier has passed the files as they are; written beside and renamed."""
    record = {"schema": SCHEMA, "kind": "RulesVerified", "fabric": manifest.fabric, "files": digests(folder)}
    with whole_file(folder / VERIFIED) as place:
        place.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
