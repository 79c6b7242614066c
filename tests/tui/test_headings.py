"""Every screen as text: no character that stands for another, and nothing cut off that does not say so."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from pilot import QUICKSTART, TRAIN, drive, press, screen_lines
from rich.cells import cell_len
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import Static

from fabric.faces.views.headline import verdict
from tui.app import FabricApp
from tui.key_list import keys_on
from tui.view_screen import ViewScreen
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

WAYS = {
    "overview": ["1"],
    "heat": ["2"],
    "topology": ["3"],
    "links": ["4"],
    "flows": ["4", "enter"],
    "host": ["4", "enter", "enter"],
    "phases": ["5"],
    "what-if": ["6"],
    "compare": ["7"],
    "rules": ["9"],
    "rules of one": ["9", "down", "tab"],
}


def check_characters(lines: list[str]) -> None:
    """Nothing but characters that a terminal has a picture for."""
    for line in lines:
        for char in line:
            assert char != "\N{REPLACEMENT CHARACTER}", line
            assert unicodedata.category(char) not in ("Cc", "Cf", "Cn", "Co", "Cs"), (line, char)


def check_lines(view: ViewScreen, lines: list[str]) -> None:
    """Heading and keys: whole words, or an ellipsis where something is left out."""
    entry = view.session.entry
    assert entry is not None
    parts = [part.strip() for part in view.path_text().split("│")]
    for part in lines[0].split("│"):
        assert part.strip() in parts or part.rstrip().endswith("…"), lines[0]
    state = lines[1].rstrip()
    assert state.endswith((verdict(entry).text, verdict(entry, short=True).text, "…")), state
    assert view.session.phase in state
    rest = lines[-1]
    for listed in keys_on(view.view, view.shell.views):
        for label in (listed.key.label, "clear"):
            rest = rest.replace(f" {listed.key.shown} {label} ", " ", 1)
    assert not rest.strip(), rest


def check_frames(view: ViewScreen, lines: list[str]) -> None:
    """Titles and notes of panes are whole, or end with an ellipsis."""
    for pane in view.query(Pane):
        if not pane.region.height:
            continue
        for markup, row in ((pane.border_title, pane.region.y), (pane.border_subtitle, pane.region.bottom - 1)):
            words = Text.from_markup(markup or "").plain.strip()
            shown = lines[row][pane.region.x : pane.region.right]
            assert words in shown or "…" in shown, (words, shown)


def check_tables(view: ViewScreen) -> None:
    """Headers and numbers of tables are never cut; words may be, with an ellipsis."""
    for table in view.query(LineTable):
        width = table.scrollable_content_region.width
        rows = table.table.order[: table.size.height].tolist()
        for column, size in table.shown_columns(width) if table.region.height else ():
            assert cell_len(column.header) <= size, column.header
            for row in rows if column.numeric else ():
                assert cell_len(column.cell(row)) <= size, (column.name, column.cell(row))


def check_words(view: ViewScreen) -> None:
    """Words beside tables have the height they need, or scroll."""
    for words in view.query("#about, #link"):
        assert isinstance(words, Static)
        needed = words.get_content_height(words.size, view.app.size, words.size.width) if words.size.width else 0
        assert needed <= words.size.height or (words.parent is not None and words.parent.id == "detail"), words.id


@pytest.mark.parametrize(
    ("path", "size"), [(QUICKSTART, (80, 24)), (QUICKSTART, (120, 40)), (TRAIN, (80, 24))], ids=str
)
def test_every_screen_is_whole_and_has_no_replacement_character(path: str, size: tuple[int, int]) -> None:
    """All ways, in colour and with ASCII digits."""

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        for name, keys in WAYS.items():
            await press(app, pilot, *keys)
            lines, view = screen_lines(app), app.screen
            assert isinstance(view, ViewScreen), name
            check_characters(lines)
            check_lines(view, lines)
            check_frames(view, lines)
            check_tables(view)
            check_words(view)
        await press(app, pilot, "A")
        check_characters(screen_lines(app))

    drive(steps, path, size=size)


def test_what_fails_stands_first_where_there_is_little_room() -> None:
    """At 80x24 the overview has two lines under the tiers: the limits, then the step; all tiers are above."""

    async def steps(app: FabricApp, pilot: Pilot[Any]) -> None:
        text = "\n".join(screen_lines(app))
        assert "2 of 5 limits FAIL" in text
        assert "step 5.05 s" in text
        assert "CONGESTED 1,123 over, worst 291.3 %" in text
        tiers = app.screen.query_one("#tiers", LineTable)
        assert tiers.size.height > len(tiers.table)

    drive(steps, TRAIN, size=(80, 24))
