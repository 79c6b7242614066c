"""Write the tables of ``docs/tui.md``, below a marker, from what the screens and the shell declare."""

from __future__ import annotations

from pathlib import Path

from tui.key_list import all_keys
from tui.views import views

PAGE = Path(__file__).with_name("tui.md")
MARKER = "<!-- From here on written by docs/make_tui_page.py; edit what the screens declare. -->\n"


def page(text: str) -> str:
    """The page with its tables as they are today."""
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


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
