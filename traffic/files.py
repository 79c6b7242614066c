"""Files beside the scenario that its workloads name."""

from __future__ import annotations

from pathlib import Path

from topologies.errors import TrafficError
from topologies.reading.file_bytes import file_bytes


def read_beside(directory: Path, path: str, key: str) -> str:
    """Text of a file named by a key of the workload.

    Raises
    ------
    TrafficError
        When it cannot be read (FP4025).
    """
    try:
        return file_bytes(directory / path).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise TrafficError(
            f"cannot read {path}: {reason}", where=key, hint="paths are relative to the scenario", code="FP4025"
        ) from error
