"""The page on the terminal UI lists the keys there are."""

from __future__ import annotations

from pathlib import Path

from tui.keys import KEYS


def test_the_page_lists_every_key_as_the_registry_has_it() -> None:
    """One row per entry, in order, and no other."""
    text = Path("docs/tui.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [f"| `{key.shown}` | {key.words} | {', '.join(key.screens)} |" for key in KEYS]
