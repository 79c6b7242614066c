"""Where nodes come from: a file or a running scheduler, one of them."""

from __future__ import annotations

from collections.abc import Mapping

from topologies.errors import FormatError


def check_one_source(
    scheduler: str, path: str | None, key: str, live: str | None, with_live: Mapping[str, object]
) -> None:
    """Refuse a file and a running scheduler together, or neither, and keys that only go with the latter.

    Parameters
    ----------
    key, live : str
        The key that names the running scheduler, and its value.
    with_live : mapping
        Keys that go with it, and their values; None where they are not written.

    Raises
    ------
    FormatError
        FP6289.
    """
    if path is not None and live is not None:
        raise FormatError(
            f"nodes come from {path} and live by {key}: {live}, which is it?",
            hint=f"path: reads the file, {key}: the running cluster; leave one out",
            code="FP6289",
        )
    if path is None and live is None:
        raise FormatError(
            f"{scheduler}: nothing says where nodes are read",
            hint=f"path: FILE, or {key}: for the running cluster",
            code="FP6289",
        )
    alone = [name for name, value in with_live.items() if value is not None and live is None]
    if alone:
        raise FormatError(
            f"{alone[0]} is of a running cluster, and nodes come from {path}",
            hint=f"leave {alone[0]} out, or {key}: in place of path",
            code="FP6289",
        )
