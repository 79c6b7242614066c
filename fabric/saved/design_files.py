"""Scenario files of designs: written beside the requirement, and never over what somebody else wrote or changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from fabric.design.result import Design
from topologies.errors import FormatError
from topologies.whole_file import whole_file

SUFFIX = ".fabric.yaml"
_MARK = "# fabric design wrote the lines above: "


def signed(text: str) -> str:
    """A scenario with a last line that tells whether it was changed since."""
    return f"{text}{_MARK}{_digest(text)}\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_ours(text: str) -> bool:
    """Whether a file is as :func:`signed` made it."""
    body, mark, digest = text.rpartition(_MARK)
    return bool(mark) and digest.strip() == _digest(body)


def scenario_paths(name: str, designs: Sequence[Design], folder: Path, chosen: Path | None = None) -> dict[str, Path]:
    """A file for every design, by its name: ``NAME.KIND.fabric.yaml``; ``chosen`` for the chosen one."""
    paths: dict[str, Path] = {}
    for one in designs:
        kind = "-".join(dict.fromkeys(counted.kind for counted in one.fabrics.values()))
        stem = f"{_safe(name)}.{_safe(kind)}"
        taken = {str(path) for path in paths.values()}
        numbered = [stem, *(f"{stem}-{number}" for number in range(2, len(designs) + 2))]
        free = next(one for one in numbered if str(folder / f"{one}{SUFFIX}") not in taken)
        paths[one.name] = chosen if one.chosen and chosen is not None else folder / f"{free}{SUFFIX}"
    return paths


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "design"


def write_scenarios(texts: Mapping[Path, str], *, force: bool = False) -> None:
    """Write scenarios, all or, where one may not be overwritten, none.

    Raises
    ------
    FormatError
        Where a file is not ours, or was changed (FP9601), or cannot be written (FP9602).
    """
    for path in texts:
        if path.exists() and not force and not _may_replace(path):
            raise FormatError(
                f"{path} exists, and is not as fabric design wrote it",
                hint="--force overwrites it; -o DIR writes elsewhere",
                code="FP9601",
            )
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as place:
                place.write_text(signed(text), encoding="utf-8")
        except OSError as error:
            raise FormatError(
                f"cannot write {path}: {error.strerror or error}", hint="-o DIR writes elsewhere", code="FP9602"
            ) from None


def _may_replace(path: Path) -> bool:
    try:
        return path.is_file() and is_ours(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return False
