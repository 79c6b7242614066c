"""What is selected, filtered and explained: it can be cleared, its samples hold, and other screens show the same."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pilot import QUICKSTART, TRAIN, drive, press, screen_lines, screen_text, settled
from textual.pilot import Pilot

import tui.actions.answers as answers
from fabric.faces.views.rule_tables import rule_table
from fabric.routing.progress import Progress
from fabric.rules.table import Action, Bucket, Group, Match, Rule, SwitchTable
from fabric.whatif.changes import ChangeSet, down, override
from tui.app import FabricApp
from tui.dialogues.ask import Ask
from tui.dialogues.reading import Reading
from tui.dialogues.why import Why
from tui.row_filter import FilteredView, filtered, sample_filter
from tui.samples import down_samples, set_sample
from tui.screens.rules import RulesScreen
from tui.session import Selection
from tui.widgets.line_table import LineTable

App, P = FabricApp, Pilot[Any]


def _table(app: App, name: str) -> LineTable:
    return app.screen.query_one(f"#{name}", LineTable)


def test_escape_clears_what_go_to_selected() -> None:
    """g leaf2, 4: the 64 links of leaf2; esc: all 208 again, on the same screen; esc: the overview."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        text = await press(app, pilot, "g", *"leaf2", "enter", "4")
        assert "Links of leaf2" in text
        assert "esc clear" in text.splitlines()[-1]
        assert len(_table(app, "rows").table) == 64
        text = await press(app, pilot, "escape")
        assert "esc back" in text.splitlines()[-1]
        assert "leaf2" not in text.splitlines()[0]
        assert app.session.place.screen == "flows"
        assert app.session.entry is not None
        assert len(_table(app, "rows").table) == len(app.session.entry.topology.links)
        await press(app, pilot, "escape")
        assert (app.session.place.screen, app.session.selection) == ("overview", Selection())

    drive(steps)


def test_escape_clears_the_filter_first_and_keeps_the_way() -> None:
    """Rows filtered on the links of a switch: esc shows all of them, esc again leads back."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "g", *"leaf2", "enter", "enter")
        await press(app, pilot, "slash", *"spine0", "enter")
        assert len(_table(app, "rows").table) == 8
        assert "filter spine0, esc clears it" in screen_text(app)
        await press(app, pilot, "escape")
        assert len(_table(app, "rows").table) == 64
        assert app.session.place.screen == "flows"
        await press(app, pilot, "escape")
        assert app.session.place.screen == "topology"

    drive(steps)


def test_a_filter_holds_only_for_the_columns_it_was_written_for() -> None:
    """utilisation filters links; the flows of one have no such column; on the way back the filter is there again."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "4", "slash", *"utilisation", "greater_than_sign", "2", "enter")
        view = app.screen
        assert isinstance(view, FilteredView)
        left = len(_table(app, "rows").table)
        assert 0 < left < len(view.all_rows() or ())
        await press(app, pilot, "enter")
        assert view.filter_text == ""
        assert len(_table(app, "rows").table) == len(view.all_rows() or ()) > 0
        await press(app, pilot, "escape")
        assert len(_table(app, "rows").table) == left

    drive(steps)


@pytest.mark.parametrize("path", [QUICKSTART, TRAIN], ids=["quickstart", "train-2k"])
@pytest.mark.parametrize(
    "keys",
    [["4"], ["4", "enter"], ["g", *"leaf", "enter", "4"], ["f", "4"], ["9"], ["9", "tab"]],
    ids=["links", "flows", "switch", "fabric", "switches", "rules"],
)
def test_the_sample_of_the_filter_is_taken_by_the_filter(path: str, keys: list[str]) -> None:
    """What the dialogue shows as an example, typed into it: some rows are left, and no error is said."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, *keys)
        view = app.screen
        assert isinstance(view, FilteredView)
        every = view.all_rows()
        assert every is not None
        sample = sample_filter(every)
        await press(app, pilot, "slash")
        assert isinstance(app.screen, Ask)
        assert sample in app.screen.hint
        app.screen.query_one("#answer").value = sample  # type: ignore[attr-defined]
        await press(app, pilot, "enter")
        assert not [notice for notice in app._notifications if notice.severity == "error"]
        assert view.filter_text == sample
        assert 0 < len(filtered(every, sample)) <= len(every)

    drive(steps, path)


def test_the_name_of_a_link_is_a_text_and_not_an_expression() -> None:
    """The arrow of "leaf1 -> spine0" compares nothing."""

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "4")
        view = app.screen
        assert isinstance(view, FilteredView)
        view.filter_rows("leaf1 -> spine0")
        assert len(_table(app, "rows").table) == 4

    drive(steps)


def test_rules_show_the_switch_that_is_selected_and_columns_with_whole_texts() -> None:
    """g spine1, 9: the cursor on spine1 and its rules; a match, ports, a group, a priority; enter: the raw line."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        text = await press(app, pilot, "g", *"spine1", "enter", "9")
        assert (_table(app, "switches").record() or {})["switch"] == "spine1"
        assert "spine1: 5 rules, 4 groups" in text
        header = screen_lines(app)[3]
        assert [word for word in ("prio", "match", "out of port", "group") if word in header] != []
        rules = _table(app, "rules")
        for position in range(len(rules.table)):
            assert str(rules.table.record(position)["out"]) in text
            assert str(rules.table.record(position)["group"] or "") in text
        await press(app, pilot, "up")
        assert app.session.selection.name == "spine0"  # the selection follows the cursor
        assert "spine0: " in screen_text(app)
        await press(app, pilot, "3")
        assert "spine0: 16 ports used" in screen_text(app)
        await press(app, pilot, "9", "tab", "enter")
        assert isinstance(app.screen, Reading)
        assert "priority=" in app.screen.text

    drive(steps)


def test_rules_begin_at_the_switch_under_the_cursor_and_at_that_of_a_link() -> None:
    """Without a selection: the line of the tree, then the sender of the link under the cursor."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "3", "down", "down", "down")
        assert "spine1" in str((_table(app, "tree").record() or {})["name"])
        await press(app, pilot, "9")
        assert isinstance(app.screen, RulesScreen)
        assert (_table(app, "switches").record() or {})["switch"] == "spine1"
        assert app.session.selection == Selection()
        await press(app, pilot, "4", "down", "down", "down")
        link = str((_table(app, "rows").record() or {})["link"])
        await press(app, pilot, "9")
        assert (_table(app, "switches").record() or {})["switch"] == link.partition(" -> ")[0]

    drive(steps)


def test_rows_of_a_table_tell_ports_weights_and_groups() -> None:
    """One prefix over ports 3 and 4 as 2 to 1, one straight out, the rest dropped."""
    group = Group(7, (Bucket(3, 2), Bucket(4, 1)))
    rules = (
        Rule(126, Match(4, 0x0A000300, 26), Action("group", 7), 1),
        Rule(125, Match(4, 0x0A000400, 25), Action("output", 9), 2),
        Rule(0, Match(0), Action("drop"), 3),
    )
    table = rule_table(SwitchTable("leaf0", 1, 5, (group,), rules))
    seen = [(row["priority"], row["match"], row["out"], row["group"]) for row in table.records()]
    assert seen == [
        (126, "10.0.3.0/26", "3×2 4×1", 7),
        (125, "10.0.4.0/25", "9", None),
        (0, "anything else", "drop", None),
        (None, "", "3×2 4×1", 7),
    ]
    assert all("actions=" in row["text"] for row in table.records())


def test_the_map_shows_the_very_link_that_is_selected() -> None:
    """A link down: the map turns to links down, and its cursor is on that one."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "g", *"spine1", "greater_than_sign", *"leaf3", "enter", "2")
        assert app.session.direction == "down"
        text = screen_text(app)
        assert "spine1" in text
        link = app.screen.cell_link()  # type: ignore[attr-defined]
        assert app.session.entry is not None
        assert app.session.entry.topology.link_name(link).startswith("spine1 -> leaf3")

    drive(steps)


def test_a_selection_that_is_gone_says_so() -> None:
    """Another fabric has no leaf2: nothing of the first stays selected, at any place of the way."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "g", *"su0-r0-leaf", "enter", "enter", "enter", "f")
        assert {place.selection for place in app.session.trail} == {Selection()}
        app.session.select(Selection("switch", "su0-r0-leaf"))
        text = await press(app, pilot, "4")
        assert "su0-r0-leaf is not on" in text

    drive(steps, TRAIN)


@pytest.mark.parametrize("path", [QUICKSTART, TRAIN], ids=["quickstart", "train-2k"])
def test_samples_of_what_ifs_are_taken(path: str) -> None:
    """Every name that the dialogues offer as an example is one of this scenario: it is tried, and nothing complains."""

    async def steps(app: App, pilot: P) -> None:
        session = app.session
        assert session is not None
        for sample in down_samples(session):
            assert session.live.run(ChangeSet((down(sample),))).result.routes, sample
        assert session.live.run(ChangeSet((override(set_sample(session)),))).result.routes
        text = await press(app, pilot, "6", "plus", *"setpath", "enter")
        assert set_sample(session) in text

    drive(steps, path)


# ---- why ---------------------------------------------------------------------------------------------------------


def test_why_opens_at_once_fills_in_and_stops_when_it_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The changes that help take as long as we like: the loads are there before, and esc ends the thread for good."""
    go_on, stopped = threading.Event(), threading.Event()

    def slow(run: Any, found: Any, *, progress: Any) -> Any:
        try:
            while not go_on.wait(0.01):
                progress(Progress("trying something"))
        except BaseException:
            stopped.set()
            raise
        return found

    monkeypatch.setattr(answers, "with_fixes", slow)

    async def steps(app: App, pilot: P) -> None:
        await press(app, pilot, "g", *"leaf1", "greater_than_sign", *"spine0", "enter")
        await pilot.press("e")
        await pilot.pause()
        assert isinstance(app.screen, Why)
        why = app.screen
        for _ in range(500):
            await pilot.pause(0.02)
            if "leaf1" in why.text and "trying something" in screen_text(app):
                break
        assert "esc stops" in screen_text(app)
        assert "leaf1" in why.text
        assert not app.busy
        await press(app, pilot, "escape")
        assert not isinstance(app.screen, Why)
        for _ in range(500):
            await pilot.pause(0.02)
            if stopped.is_set():
                break
        assert stopped.is_set()
        await press(app, pilot, "2")
        await settled(app, pilot)
        assert not isinstance(app.screen, Reading)

    drive(steps)
    go_on.set()


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        (["e"], "Why: leaf0 -> spine0 #1, the fullest link of leaf-spine"),
        (["2", "e"], "Why: leaf0 -> spine0 #1"),
        (["3", "down", "down", "e"], "Why: spine0"),
        (["9", "e"], "Why: leaf0"),
        (["5", "e"], "Why: phase all-to-all"),
    ],
    ids=["tier", "cell", "tree", "rules", "phase"],
)
def test_why_is_about_what_is_under_the_cursor(keys: list[str], title: str) -> None:
    """The title says what is explained; the text ends with what would help, or that nothing does."""

    async def steps(app: App, pilot: P) -> None:
        first = ["down", "down"] if keys == ["e"] else []
        await press(app, pilot, *first, *keys)
        assert isinstance(app.screen, Why)
        for _ in range(1000):
            await pilot.pause(0.02)
            if "esc closes" in screen_text(app):
                break
        assert f"─ {title} ─" in screen_text(app)
        assert "help" in app.screen.text

    drive(steps)
