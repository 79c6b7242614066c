"""Keys by which a scenario reads a running cluster, where an answer has to be the same when it is read again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from topologies.errors import FormatError


def refuse_live(data: Any, what: str) -> None:
    """Refuse a scenario whose answer depends on when it is read.

    Raises
    ------
    FormatError
        FP6285, with the key.
    """
    live = live_keys(data)
    if live:
        raise FormatError(
            f"{live[0]} reads a running cluster, which {what} would read again, perhaps differently",
            hint="fabric nodes --snapshot FILE keeps what is there now; path: FILE in its place",
            code="FP6285",
        )


def live_keys(data: Any) -> list[str]:
    """Keys of a scenario by which something is read from a running cluster, dotted."""
    return list(_live_keys(data, ()))


def _live_keys(value: Any, where: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, Mapping):
        scheduler = value.get("from") or value.get("order")
        key = {"kubernetes": "context", "slurm": "live"}.get(scheduler) if isinstance(scheduler, str) else None
        if key is not None and value.get(key) is not None:
            yield ".".join((*where, key))
        for name, child in value.items():
            yield from _live_keys(child, (*where, str(name)))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            named = child.get("group") or child.get("id") if isinstance(child, Mapping) else None
            yield from _live_keys(child, (*where, str(named or index)))
