"""The page on the terminal UI lists the screens and keys there are."""

from __future__ import annotations

import re
from pathlib import Path

from tui.keys import SHELL_KEYS
from tui.views import views

PAGE = Path("docs/tui.md")


def test_the_page_lists_every_key_once_and_no_other() -> None:
    """The keys of the shell in order, then those of screens with the titles of the screens that declare them."""
    rows = re.findall(r"^\| `(.+)` \| (.+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    declared = [screen.view for screen in views().values()]
    own = {(key.shown, key.help) for view in declared for key in view.keys}
    screens, keys = rows[: len(declared)], rows[len(declared) :]
    assert screens == [(view.key, view.title, view.help) for view in declared]
    assert keys[: len(SHELL_KEYS)] == [(key.shown, key.help, "") for key in SHELL_KEYS]
    assert sorted((shown, text) for shown, text, _ in keys[len(SHELL_KEYS) :]) == sorted(own)
    for shown, text, titles in keys[len(SHELL_KEYS) :]:
        where = [view.title for view in declared if (shown, text) in [(key.shown, key.help) for key in view.keys]]
        assert titles == ", ".join(where)
