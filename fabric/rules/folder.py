"""Export folders: written beside and renamed, so that a folder is complete or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from fabric.rules.dialect import File
from fabric.rules.errors import RuleError


def check_target(folder: Path, *, force: bool) -> None:
    """Refuse a target that cannot become an export folder.

    An existing folder is replaced only when forced, and only when it is empty or holds an export of ours.
    """
    if not folder.parent.is_dir():
        raise RuleError(f"-o {folder}: the folder {folder.parent} does not exist", hint="make it first", code="FP8012")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise RuleError(f"-o {folder} is a file; an export is a folder", hint="name a new folder", code="FP8012")
    if not any(folder.iterdir()):
        return
    ours = (folder / "manifest.json").is_file() or any(folder.glob("*/manifest.json"))
    if not force or not ours:
        hint = "--force replaces it" if ours else "name a new folder; --force replaces only exports"
        raise RuleError(f"-o {folder}: the folder exists and is not empty", hint=hint, code="FP8012")


def write_folder(
    folder: Path, files: Iterable[File], *, force: bool, check: Callable[[Path], None] = lambda _: None
) -> None:
    """Write all files into a new folder beside ``folder``, then put it in its place.

    ``check`` gets the new folder before that; what it raises leaves things as they were.

    Paths of files that would leave the folder are refused; they cannot come from a scenario, whose names are made safe.
    """
    check_target(folder, force=force)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
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
        beside.chmod(0o777 & ~_umask())
        _replace(folder, beside)
    except OSError as error:
        raise RuleError(
            f"-o {folder} cannot be written: {error.strerror}; nothing was left behind",
            hint="check room and permissions",
            code="FP8012",
        ) from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _replace(folder: Path, beside: Path) -> None:
    """Rename ``beside`` to ``folder``; what was there goes only after the new one is in place."""
    if not folder.exists():
        beside.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".old", dir=folder.parent))
    try:
        folder.rename(old / folder.name)
        try:
            beside.rename(folder)
        except OSError:
            (old / folder.name).rename(folder)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
