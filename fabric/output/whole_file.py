"""Files that are whole or not there: written beside and renamed. Devices and pipes are written to as they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Where to write what shall be at ``path``; it is put there when the block ends without an exception.

    A link is followed, so that it stays one. What is there and no regular file, such as ``/dev/null``, is never
    replaced.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        yield target
        return
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield beside
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
