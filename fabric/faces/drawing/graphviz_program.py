"""Rendering DOT: the system's ``dot`` when there is one, else the program of the package ``graphviz-pure``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from topologies.errors import FormatError, MissingProgramError
from topologies.whole_file import whole_file

FORMATS = ("svg", "png", "dot")
_PURE = "graphviz-pure"
_LARGEST_PNG_PX = 32767  # Cairo's limit; older versions of dot cut a larger picture off without an error


def render_dot(dot: str, output: Path, format: str) -> None:  # noqa: A002 - the word of Graphviz
    """Write a picture of ``dot`` to ``output``, whole or not at all; missing folders are made.

    Parameters
    ----------
    format : {"svg", "png", "dot"}
        ``dot`` writes the text itself and needs no program.

    Raises
    ------
    MissingProgramError
        When no Graphviz is found, or it refuses.
    FormatError
        For another format, or a place that cannot be written.
    """
    if format not in FORMATS:
        raise FormatError(f"no picture format {format!r}", hint=f"formats: {', '.join(FORMATS)}", code="FP6230")
    picture = dot.encode() if format == "dot" else _picture(dot, format)
    try:
        _write(picture, output)
    except OSError as error:
        reason = error.strerror or str(error)
        raise FormatError(f"cannot write {output}: {reason}", hint="give another --output", code="FP6231") from error


def _write(content: bytes, output: Path) -> None:
    """Write beside, then rename: a reader sees the old file or the new one."""
    output.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(output) as place:
        place.write_bytes(content)


def _picture(dot: str, kind: str) -> bytes:
    system = shutil.which("dot")
    pure = shutil.which(_PURE, path=str(Path(sys.executable).parent)) or shutil.which(_PURE)
    if system is None and pure is None:
        raise MissingProgramError(
            f"drawing {kind} needs Graphviz, and no program dot or {_PURE} is here",
            hint=f"pip install {_PURE}, or apt install graphviz; --picture dot needs neither",
            code="FP7001",
        )
    try:
        picture = _by_system(dot, kind) if system is not None else _by_pure(str(pure), dot, kind)
        if system is not None and pure is not None and kind == "png" and _is_cut_off(picture):
            picture = _by_pure(pure, dot, kind)
    except (subprocess.CalledProcessError, OSError) as error:
        reason = getattr(error, "stderr", None) or str(error)
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        lines = text.strip().splitlines() or ["no reason given"]
        raise MissingProgramError(
            f"Graphviz refused the drawing: {lines[-1]}",
            hint="--picture dot writes what it was given",
            code="FP7002",
        ) from error
    if kind == "png" and _is_cut_off(picture):
        raise MissingProgramError(
            f"the picture is wider or higher than the {_LARGEST_PNG_PX:,} pixels a PNG of Graphviz holds",
            hint="--picture svg has no limit",
            code="FP7003",
        )
    return picture


def _by_system(dot: str, kind: str) -> bytes:
    """Rendering by the system's dot, through the package that knows its habits; nothing reaches stdout or stderr."""
    import graphviz

    return bytes(graphviz.Source(dot, engine="dot").pipe(format=kind, quiet=True))


def _by_pure(program: str, dot: str, kind: str) -> bytes:
    return subprocess.run([program, f"-T{kind}"], input=dot.encode(), capture_output=True, check=True).stdout


def _is_cut_off(png: bytes) -> bool:
    """Whether a side has the largest size there is; width and height stand at fixed places of the header."""
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    return max(width, height) >= _LARGEST_PNG_PX
