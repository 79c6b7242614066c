"""Writing a scenario that does not exist yet; a file that does is left alone."""

from __future__ import annotations

from pathlib import Path

from tui.shell import Shell


def written(shell: Shell, path: str | None, text: str) -> bool:
    """Whether a new file was written; says why where it could not be."""
    if not path:
        return False
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        reason = "it exists" if isinstance(error, FileExistsError) else error.strerror
        shell.notify(f"cannot write {path}: {reason}", severity="error", markup=False)
        return False
    return True
