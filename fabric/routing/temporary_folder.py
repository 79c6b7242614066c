"""A folder for compiled loops of the user's own under the temporary directory, where no other place can be written."""

from __future__ import annotations

import os
import stat
import tempfile
from functools import cache
from pathlib import Path


@cache
def temporary_folder() -> Path | None:
    """The user's own folder under the temporary directory; None where there can be none.

    What lies in it is run as code. So it is used only when it is a folder, no link, that belongs to this user and that
    nobody else may enter.
    """
    try:
        above = Path(tempfile.gettempdir())
        if above == Path.cwd():  # what Python takes when there is no temporary directory
            return None
        folder = above / f"fabric-kernels-{os.geteuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return folder if private else None
