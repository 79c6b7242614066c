"""The screens and keys of the terminal UI in ``docs/tui.md``, from what screens and shell declare."""

from __future__ import annotations

from tui.key_list import all_keys
from tui.views import views

MARKER = "<!-- From here on written by make docs; edit what the screens declare. -->\n"


def page(text: str) -> str:
    """The page with its tables, below the marker, as they are today."""
    declared = {name: screen.view for name, screen in views().items()}
    screens = [f"| `{view.key}` | {view.title} | {view.help} |\n" for view in declared.values()]
    openers = {view.opener for view in declared.values()}
    keys = [
        f"| `{listed.key.shown}` | {listed.key.help} | {', '.join(listed.on)} |\n"
        for listed in all_keys(declared)
        if listed.key not in openers
    ]
    return "".join(
        [
            text.split(MARKER)[0],
            MARKER,
            "\n## Screens\n\n| key | screen | what it shows |\n| --- | --- | --- |\n",
            *screens,
            "\n## Keys\n\n| key | what it does | only on |\n| --- | --- | --- |\n",
            *keys,
        ]
    )
