"""Expect: what nccl-tests will show on the fabric as it is now, with the band and the mark to sign."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from fabric.expect.engine import expect
from fabric.expect.request import ExpectRequest
from fabric.expect.result import ExpectResult
from fabric.faces.answers.expect_report import conclusion, test_text
from fabric.faces.views.expect import expect_table
from fabric.faces.views.row_kinds import EXPECTED
from fabric.output.table import Table
from topologies.errors import FabricError
from traffic.bare_collective import OPERATIONS
from tui.keys import Key
from tui.text import safe
from tui.view import View
from tui.view_screen import ViewScreen
from tui.widgets.curve import Curve
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

SUMMARY = "What nccl-tests will show: bus bandwidth by size, its band, the pass mark."
ORDER = 95


class ExpectScreen(ViewScreen):
    """The curve above, its table below; worked out when the screen is first looked at."""

    view = View(
        "expect",
        "E",
        "Expect",
        SUMMARY,
        keys=(Key("n", "collective", "collective", "Next collective.", "--collective NAME"),),
    )
    CSS = """
    ExpectScreen {
        #p-curve { height: 1fr; }
        #p-sizes { height: 1fr; }
        #curve { height: 1fr; background: $background; }
        #concluded { height: auto; max-height: 4; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._collective = OPERATIONS[0]
        self._results: dict[tuple[object, ...], ExpectResult] = {}
        self._refused: dict[tuple[object, ...], str] = {}
        self._working: tuple[object, ...] | None = None

    def body(self) -> Iterable[Widget]:
        """Table first in focus."""
        yield Vertical(
            Pane(Curve(id="curve"), Static(id="concluded", markup=False), title="Bus bandwidth", id="p-curve"),
            Pane(LineTable(id="sizes", empty="nothing is expected yet"), title="Sizes", id="p-sizes"),
            id="expect",
        )

    @property
    def _key(self) -> tuple[object, ...]:
        return (id(self.session), self.session.changes.key, self._collective)

    def show_state(self) -> None:
        """The curve and the table of the collective, or how far they are."""
        result = self._results.get(self._key)
        if result is None and self._key not in self._refused and not self.session.stale:
            self._work()
        shown = result or next((one for key, one in self._results.items() if key[2] == self._collective), None)
        test = shown.tests[0] if shown else None
        refused = self._refused.get(self._key, "")
        waiting = "" if refused else "working it out"
        sizes, curve = self.query_one("#sizes", LineTable), self.query_one("#curve", Curve)
        table = expect_table([test]).only(*EXPECTED.shown).without("collective") if test else Table.of((), 0)
        sizes.empty = waiting
        sizes.show(table, self.look, stale=result is None)
        curve.show(test, self.look, cursor=sizes.cursor, empty=waiting, stale=result is None)
        self.query_one("#p-curve", Pane).retitle(
            f"{test_text(test)}: busbw, GB/s" if test else f"{self._collective}: busbw, GB/s", curve.legend
        )
        self.query_one("#p-sizes", Pane).retitle(f"Sizes of {self._collective}, busbw in GB/s")
        lines = conclusion(test, shown) if test is not None and shown is not None else [refused]
        shown_lines = lines[-1:] if self.app.size.height < 32 else lines
        self.query_one("#concluded", Static).update(Text("\n".join(map(safe, shown_lines)), self.look.text))

    def _work(self) -> None:
        """Work it out in a thread, once."""
        key, session = self._key, self.session
        if self._working == key:
            return
        self._working = key
        run = session.live.known(session.changes)
        if run is None:
            return
        asked = ExpectRequest(collectives=(self._collective,))

        def answer(report: object) -> ExpectResult | str:
            try:
                return expect(run.loaded, asked, run.request, network=run.network)
            except FabricError as error:
                return "; ".join(f"{one.message}{f' ({one.hint})' if one.hint else ''}" for one in error.problems)

        def take(outcome: ExpectResult | str) -> None:
            self._working = None
            if isinstance(outcome, str):
                self._refused[key] = outcome
            else:
                self._results[key] = outcome

        self.shell.work(f"expecting {self._collective}", answer, take)

    def on_screen_suspend(self) -> None:
        """Work that another screen's work made moot is begun again when one comes back."""
        self._working = None

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """The size under the cursor is marked in the curve."""
        curve = self.query_one("#curve", Curve)
        curve.cursor = message.position
        curve.refresh()

    def on_line_table_chosen(self, _: LineTable.Chosen) -> None:
        """Enter: nothing lies behind a size."""
        self.drill()

    def action_collective(self) -> None:
        """The next collective."""
        at = OPERATIONS.index(self._collective)
        self._collective = OPERATIONS[(at + 1) % len(OPERATIONS)]
        self.refresh_view()

    def view_table(self) -> Table | None:
        """The table of sizes."""
        return self.query_one("#sizes", LineTable).table


SCREEN = ExpectScreen
