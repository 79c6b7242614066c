"""The shell of the terminal UI: opening, keys that hold everywhere, the way down and back, sizes, storms."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from pilot import QUICKSTART, TRAIN, drive, press, screen_lines, screen_text, settled
from rich.style import Style
from textual.pilot import Pilot

from tui.app import FabricApp
from tui.keys import SHELL_KEYS
from tui.options import Start
from tui.start.error import ErrorScreen
from tui.views import views

App, P = FabricApp, Pilot[Any]


def test_the_first_screen_says_that_the_cluster_is_congested_and_where() -> None:
    """train-2k hashes 4 queue pairs: the command line says 291 % on the leaf-spine tier, so does the screen."""

    async def steps(app: App, pilot: P) -> None:
        text = screen_text(app)
        assert "CONGESTED" in text
        assert "worst 291.3 %" in text
        assert re.search(r"leaf-spine +down.*291\.3 %", text)
        assert "spine18 -> su1-r1-leaf" in text
        assert "limits FAIL" in text

    drive(steps, TRAIN)


def test_four_keys_lead_from_the_tier_to_the_flows_of_its_hottest_link() -> None:
    """Three rows down to leaf-spine down, enter: its map with the cursor on the worst cell, enter: who loads it."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "down", "down", "down", "enter")
        assert app.session.place.screen == "heat"
        assert "spine18 port10" in screen_text(app)
        await press(app, pilot, "enter")
        assert app.session.place.screen == "flows"
        assert app.session.selection.name == "spine18 -> su1-r1-leaf"
        text = screen_text(app)
        assert "llama70b" in text

    drive(steps, TRAIN)


def test_escape_leads_back_the_same_way() -> None:
    """Down twice and up twice ends where it began; up from there does nothing."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "enter", "enter")
        ways = [len(app.session.trail)]
        for _ in range(4):
            await press(app, pilot, "escape")
            ways.append(len(app.session.trail))
        assert ways == [3, 2, 1, 1, 1]
        assert app.session.place.screen == "overview"

    drive(steps)


@pytest.mark.parametrize(("name", "key"), [(name, screen.view.key) for name, screen in views().items()])
def test_every_screen_has_its_number(name: str, key: str) -> None:
    """The digit of the registry opens the screen, its title stands on the second line, and escape leads back."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, key)
        assert app.session.place.screen == name
        assert views()[name].view.title.upper() in screen_lines(app)[1]
        await press(app, pilot, "escape")
        assert app.session.place.screen == "overview"

    drive(steps)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20), (40, 12), (200, 60), (20, 5)])
def test_no_line_is_wider_than_the_terminal_at_any_size(size: tuple[int, int]) -> None:
    """Every screen at every size: as many lines as rows, each of the width; small ones say so."""

    async def steps(app: App, pilot: P) -> None:
        for key in [screen.view.key for screen in views().values()]:
            await press(app, pilot, key)
            lines = screen_lines(app)
            assert len(lines) == size[1]
            assert {len(line) for line in lines} == {size[0]}
        assert ("small terminal" in screen_text(app)) == (size[0] == 60)
        if size[0] >= 40:  # whatever there is room for, the verdict is said
            assert "worst 227.4 %" in screen_lines(app)[1]

    drive(steps, size=size)


def test_phase_keys_go_round_and_change_what_is_shown() -> None:
    """Three phases on the backend: ] three times is where it began, [ once is the last."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        first = app.session.phase
        names = app.session.phases
        seen = []
        for _ in names:
            await press(app, pilot, "right_square_bracket")
            seen.append(app.session.phase)
            assert app.session.phase in screen_lines(app)[1]
        assert seen[-1] == first
        assert sorted(seen) == sorted(names)
        await press(app, pilot, "left_square_bracket")
        assert app.session.phase == seen[-2]

    drive(steps, TRAIN)


def test_fabric_direction_and_metric_follow_to_other_screens() -> None:
    """f changes to storage, d to down-links, m to carried; the heat map then says all three."""

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "f", "d", "m", "2")
        assert "storage" in text.splitlines()[0]
        assert "carried" in text
        assert "st-leaf" in text
        assert "leaf → host" in text  # the fullest tier
        worst = [int(found) for found in re.findall(r"(\d+) %", text)]
        assert worst
        assert max(worst) <= 100

    drive(steps, TRAIN)


def test_tab_goes_round_the_panes_and_small_terminals_show_one() -> None:
    """At 60x20 only the pane in front is drawn; five tabs are once round."""

    async def steps(app: App, pilot: P) -> None:
        seen = []
        for _ in range(5):
            text = await press(app, pilot, "tab")
            titles = re.findall(r"┌─ (\w+)", text)
            assert len(titles) == 1
            seen.append(titles[0])
        assert sorted(seen) == ["Heat", "Hottest", "Jobs", "Step", "Tiers"]

    drive(steps, size=(60, 20))


def test_go_to_finds_a_switch_by_a_few_letters() -> None:
    """g, "leaf3", enter: the topology screen on leaf3."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "g", *"leaf3", "enter")
        assert app.session.selection.name.endswith("leaf3")
        assert app.session.selection.kind == "switch"

    drive(steps)


def test_go_to_finds_a_link_by_both_ends() -> None:
    """ "leaf1>spine0" is one link of 4 x 2."""

    async def steps(app: App, pilot: P) -> None:
        assert app.session is not None
        await press(app, pilot, "g", *"leaf1", "greater_than_sign", *"spine0")
        await press(app, pilot, "enter")
        found = app.session.selection
        assert found.kind == "link"
        assert "leaf1 -> " in found.name
        assert "spine0" in found.name

    drive(steps)


def test_help_lists_every_key_and_runs_the_one_chosen() -> None:
    """Each entry of the registry can be found by its own words; enter on "Dark or light" changes the theme."""

    async def steps(app: App, pilot: P) -> None:
        text = await press(app, pilot, "question_mark")
        assert "what it does" in text
        before = app.theme
        await press(app, pilot, *"dark", "enter")
        assert app.theme != before

    drive(steps)


def test_every_key_has_words_and_no_two_actions_share_a_key_on_a_screen() -> None:
    """One registry: a key that two entries claim on one screen would do one of them by chance."""
    openers = [screen.view.opener for screen in views().values()]
    for screen in views().values():
        names = [name for key in (*screen.view.keys, *openers, *SHELL_KEYS) for name in key.key.split(",")]
        assert len(names) == len(set(names))
        assert all(key.help.endswith(".") for key in screen.view.keys)
    assert all(key.help.endswith(".") for key in (*openers, *SHELL_KEYS))


def test_filter_refuses_a_bad_expression_in_words_and_keeps_the_rows() -> None:
    """An unknown column is named with the nearest; the table stays."""

    async def steps(app: App, pilot: P) -> None:
        before = await press(app, pilot, "4")
        await press(app, pilot, "slash", *"utilization", "greater_than_sign", "1", "enter")
        assert any("utilisation" in str(notice.message) for notice in app._notifications)
        assert screen_lines(app)[5:20] == before.splitlines()[5:20]

    drive(steps)


def test_no_colour_means_no_colour_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR: not one segment has a foreground or background, and digits stand for glyphs."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def steps(app: App, pilot: P) -> None:
        for key in ("1", "2"):
            await press(app, pilot, key)
            for strip in app.screen._compositor.render_strips():
                shown = strip.apply_filter(app._filters[-1], app.screen.background_colors[1])
                for segment in shown:
                    style = segment.style or Style()
                    assert all(colour is None or colour.is_default for colour in (style.color, style.bgcolor))
        assert "digits = tens of %" in screen_text(app)

    drive(steps)


def test_light_and_dark_both_read() -> None:
    """Contrast of every piece of text with what is behind it is at least 3:1 (WCAG, large text) in both themes."""

    def light(colour: Any) -> float:
        parts = [value / 255 for value in colour.get_truecolor()]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    async def steps(app: App, pilot: P) -> None:
        for _ in range(2):
            await press(app, pilot, "T")
            for key in ("1", "2", "3", "4", "5", "6", "7"):
                await press(app, pilot, key)
                for strip in app.screen._compositor.render_strips():
                    for segment in strip:
                        style = segment.style
                        if not segment.text.strip(" ╍─│┌┐└┘▁▂▃▄▅▆▇█░▒▓") or style is None:
                            continue
                        assert style.color is not None, (segment.text, style)
                        assert style.bgcolor is not None, (segment.text, style)  # else the terminal's own shows
                        one, other = sorted((light(style.color), light(style.bgcolor)))
                        assert (other + 0.05) / (one + 0.05) >= 3, (segment.text, style, app.theme)

    drive(steps, TRAIN)


def test_a_storm_of_keys_and_sizes_ends_in_a_whole_screen() -> None:
    """200 keys without waiting between sizes from 30x8 to 200x60: no error, and the last screen is whole."""
    keys = ["2", "j", "l", "right_square_bracket", "d", "1", "tab", "enter", "escape", "m", "4", "5", "down", "T", "A"]
    sizes = [(30, 8), (200, 60), (80, 24), (60, 20), (120, 40)]

    async def steps(app: App, pilot: P) -> None:
        for at in range(200):
            app.simulate_key(keys[at % len(keys)])
            if at % 20 == 0:
                await pilot.resize_terminal(*sizes[at // 20 % len(sizes)])
        await settled(app, pilot)
        await pilot.resize_terminal(80, 24)
        await press(app, pilot, "1")
        lines = screen_lines(app)
        assert len(lines) == 24
        assert "OVERVIEW" in lines[1]

    drive(steps)


def test_work_can_be_cancelled_while_keys_still_answer() -> None:
    """ctrl+c while opening leaves with 130; nothing was opened."""
    app = FabricApp(Start(TRAIN))

    async def run() -> None:
        async with app.run_test() as pilot:
            await pilot.press("ctrl+c")
            await pilot.pause()

    asyncio.run(run())
    assert app.return_value == 130
    assert app.session is None


def test_a_broken_scenario_opens_with_its_errors_located(tmp_path: Path) -> None:
    """The words of the command line: file, line, the nearest value; r reads the mended file and opens it."""
    path = tmp_path / "broken.fabric.yaml"
    good = Path(QUICKSTART).read_text(encoding="utf-8")
    path.write_text(good.replace("kind: leaf-spine", "kind: leaf-spin"), encoding="utf-8")

    async def steps(app: App, pilot: P) -> None:
        assert isinstance(app.screen, ErrorScreen)
        text = screen_text(app)
        assert "leaf-spin" in text
        assert "did you mean 'leaf-spine'" in text
        assert re.search(r"broken\.fabric\.yaml:\d+:\d+", text.replace("\n", ""))
        path.write_text(good, encoding="utf-8")
        await press(app, pilot, "r")
        assert app.session is not None
        assert "OVERVIEW" in screen_text(app)

    drive(steps, str(path))


def test_hostile_names_cannot_draw_outside_their_cell(tmp_path: Path) -> None:
    """A name with an escape sequence and markup is shown as text."""
    path = tmp_path / "hostile.fabric.yaml"
    good = Path(QUICKSTART).read_text(encoding="utf-8")
    path.write_text(good.replace("name: quickstart", 'name: "\\e[31m[b]x[/b]"'), encoding="utf-8")

    async def steps(app: App, pilot: P) -> None:
        text = screen_text(app)
        assert "\x1b" not in text
        assert "[b]x[/b]" in text

    drive(steps, str(path))
