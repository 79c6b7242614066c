"""The keys of the terminal screens in ``docs/tui.md``, from the registry of keys."""

from __future__ import annotations

from tui.keys import KEYS


def page(text: str) -> str:
    """The page with one row per key, in order, in place of the rows it has."""
    lines = text.splitlines(keepends=True)
    old = [number for number, line in enumerate(lines) if line.startswith("| `")]
    rows = [f"| `{key.shown}` | {key.words} | {', '.join(key.screens)} |\n" for key in KEYS]
    return "".join([*lines[: old[0]], *rows, *lines[old[-1] + 1 :]])
