"""Measured: counters and observed cabling beside the plan as it is now."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import TypeVar

from rich.style import Style
from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from fabric.faces.answers.cabling_report import cabling_summary
from fabric.faces.answers.load_report import load_verdict, unexplained
from fabric.faces.views.cabling import move_table, step_table
from fabric.faces.views.row_kinds import FIX_LIST, MOVES
from fabric.operate.cabling.result import CablingResult
from fabric.output.document import Line
from fabric.output.table import Table
from fabric.output.text import to_columns
from tui.dialogues.reading import Reading
from tui.keys import Key
from tui.measuring import LoadsShown, measured_loads, observed_cabling
from tui.row_filter import FilteredView, filtered
from tui.session import Selection, Session
from tui.text import safe
from tui.view import View
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane
from tui.widgets.scatter import Scatter

SUMMARY = "Counters and observed cabling beside the plan: drift, its causes, wrong cables."
ORDER = 80
_RANKINGS = ("links", "tiers and jobs", "what explains it")
_TALL = 32  # lines from which all is said
_State = tuple[Session, tuple[object, ...]]
Value = TypeVar("Value", LoadsShown, CablingResult)


class MeasuredScreen(FilteredView):
    """Drift by link beside the cloud of links; wrong cables beside what explains the drift."""

    view = View(
        "measured",
        "8",
        "Measured",
        SUMMARY,
        keys=(Key("n", "ranking", "ranking", "Next ranking: links, tiers and jobs, what explains the drift."),),
    )
    CSS = """
    MeasuredScreen {
        #how { height: auto; padding: 0 1; }
        #panes { layout: grid; grid-size: 2 2; grid-columns: 3fr 2fr; grid-rows: 1fr 1fr; height: 1fr; }
        #loads-words, #cabling-words, #why-words { height: auto; max-height: 3; }
        #scatter { height: 1fr; background: $background; }
        #panes.lone, &.-narrow #panes, &.-tiny #panes, &.-short #panes { layout: vertical; }
        #panes.lone .pane, &.-narrow .pane { height: 1fr; }
        .wide { column-span: 2; }
        .pane.absent { display: none; }
        &.-narrow.-normal #p-why, &.-narrow.-tall #p-why { display: none; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._ranking = 0
        self._loads: dict[_State, LoadsShown | str | None] = {}
        self._cabling: dict[_State, CablingResult | str | None] = {}
        self._asked: set[tuple[str, _State]] = set()
        self._found: CablingResult | None = None  # whose moves are kept
        self._moves = Table.of((), 0)
        self._shown: LoadsShown | None = None
        self._stale = False

    def body(self) -> Iterable[Widget]:
        """The ranking first in focus."""
        yield Vertical(
            Static(id="how", markup=False),
            Vertical(
                Pane(Static(id="loads-words", markup=False), LineTable(id="links"), title="Drift", id="p-links"),
                Pane(Scatter(id="scatter"), title="Measured over predicted", id="p-scatter"),
                Pane(Static(id="cabling-words", markup=False), LineTable(id="moves"), title="Cabling", id="p-cabling"),
                Pane(Static(id="why-words", markup=False), LineTable(id="why"), title="What explains it", id="p-why"),
                id="panes",
            ),
            id="measured",
        )

    # ---- working it out -----------------------------------------------------------------------------------------

    @property
    def _state(self) -> _State:
        return self.session, self.session.changes.key

    def show_state(self) -> None:
        """What is known of the present state; what is not is worked out, counters first."""
        if not self.session.stale and not self.shell.busy:
            self._work()
        loads, cabling = self._loads.get(self._state, ""), self._cabling.get(self._state, "")
        self._show_how(no_loads=loads is None, no_cabling=cabling is None)
        self._show_loads(loads)
        self._show_cabling(cabling)
        self.query_one("#panes").set_class(loads is None, "lone")
        self.query_one("#p-why").set_class(cabling is None, "wide")

    def _work(self) -> None:
        """Begin what was not begun for this state."""
        state, measured = self._state, self.shell.start.measured
        run = state[0].live.known(state[0].changes)
        if run is None:
            return
        if ("loads", state) not in self._asked:
            self._asked.add(("loads", state))
            self.shell.work(
                "reading counters",
                lambda _: measured_loads(run, measured),
                lambda value: self._loads.__setitem__(state, value),
            )
        elif state in self._loads and ("cabling", state) not in self._asked:
            self._asked.add(("cabling", state))
            self.shell.work(
                "reading neighbours",
                lambda report: observed_cabling(run, measured, report),
                lambda value: self._cabling.__setitem__(state, value),
            )

    def on_screen_suspend(self) -> None:
        """Work that another screen's work made moot is begun again when one comes back."""
        known = {("loads", state) for state in self._loads} | {("cabling", state) for state in self._cabling}
        self._asked &= known

    # ---- what is shown ------------------------------------------------------------------------------------------

    def _show_how(self, *, no_loads: bool, no_cabling: bool) -> None:
        """What to write for what is not there."""
        path = shlex.quote(self.session.loaded.path)
        lines: list[tuple[str, Style]] = []
        if no_loads:
            lines += [
                ("no counters: name them in the scenario, or on the command line", self.look.warn),
                ("  measured: [{kind: csv, path: loads.csv}]    or prometheus, perfquery", self.look.text),
                (f"  fabric tui {path} --measured csv:loads.csv", self.look.text),
            ]
        if no_cabling:
            lines += [
                ("no cabling: give what switches hear of each other", self.look.warn),
                (f"  fabric tui {path} --observed lldp:FOLDER", self.look.text),
            ]
        how = self.query_one("#how", Static)
        how.update(Text("\n").join(Text(safe(words), style) for words, style in lines))
        how.display = bool(lines)

    def _show_loads(self, value: LoadsShown | str | None) -> None:
        shown = value if isinstance(value, LoadsShown) else self._last(self._loads)
        stale = shown is not value
        empty = value if isinstance(value, str) and value else self._waiting("counters")
        verdict = (
            [] if shown is None else [load_verdict(shown.result, source=False), Line(shown.result.measurement.source)]
        )
        notes = () if shown is None else shown.result.notes
        self._words("#loads-words", [*verdict, *(Line(text, "warn") for text in notes)])
        links = self.query_one("#links", LineTable)
        links.empty = empty
        self._shown, self._stale = shown, stale
        self.refill()
        scatter = self.query_one("#scatter", Scatter)
        points = None if shown is None else shown.points
        scatter.show(points, self.look, chosen=self._chosen(), empty=empty, stale=stale)
        self.query_one("#p-scatter", Pane).retitle("Measured over predicted, Gbps", *scatter.legends)
        self._words("#why-words", [] if shown is None else unexplained(shown.result))
        why = self.query_one("#why", LineTable)
        why.empty = "every measured link is in its band" if shown is not None and shown.result.holds else ""
        reasons = shown.reasons if shown is not None else Table.of((), 0)
        several = shown is not None and len(shown.result.fabrics) > 1
        why.show(reasons if several else reasons.without("fabric"), self.look, stale=stale)
        self.query_one("#p-why", Pane).retitle("What explains it", "enter: in full")
        for name in ("#p-links", "#p-scatter", "#p-why"):
            self._present(name, there=value is not None)

    def _show_cabling(self, value: CablingResult | str | None) -> None:
        shown = value if isinstance(value, CablingResult) else self._last(self._cabling)
        moves = self.query_one("#moves", LineTable)
        moves.empty = value if isinstance(value, str) and value else self._waiting("neighbours")
        self._words("#cabling-words", [] if shown is None else cabling_summary(self.session.loaded, shown))
        if shown is not self._found:
            self._found, self._moves = shown, Table.of((), 0)
            if shown is not None:
                self._moves = move_table(shown).only(*MOVES.shown).without_empty("places", "harmless", "fabric", "job")
        if shown is not None:
            moves.empty = "no cable is to be moved"
        moves.show(self._moves, self.look, stale=shown is not value)
        self.query_one("#p-cabling", Pane).retitle("Cabling, worst first", "enter: the work step by step")
        self._present("#p-cabling", there=value is not None)

    def _last(self, known: Mapping[_State, Value | str | None]) -> Value | None:
        """The last of this session on another state; shown greyed until the present one is there."""
        mine = [value for (session, _), value in known.items() if session is self.session]
        return next((value for value in reversed(mine) if value is not None and not isinstance(value, str)), None)

    def _waiting(self, what: str) -> str:
        """How far it is with what is not there."""
        return f"reading {what}" if self.shell.busy else f"stopped; r reads {what} again"

    def _words(self, name: str, lines: list[Line]) -> None:
        text = Text()
        if self.app.size.height < _TALL:  # one line, and that the worst
            lines = sorted(lines, key=lambda line: line.mark != "bad")[:1]
        for number, line in enumerate(lines):
            text.append(("\n" if number else "") + safe(line.text), self.look.mark(line.mark))
        words = self.query_one(name, Static)
        words.update(text)
        words.display = bool(lines)

    def _present(self, name: str, *, there: bool) -> None:
        """A pane that has nothing to show takes neither room nor focus."""
        pane = self.query_one(name, Pane)
        pane.set_class(not there, "absent")
        pane.set_class(there and pane.has_class("front"), "front")
        for child in pane.query(LineTable):
            child.can_focus = there
        for cloud in pane.query(Scatter):
            cloud.can_focus = there

    # ---- rows ---------------------------------------------------------------------------------------------------

    def all_rows(self) -> Table:
        """All rows of the ranking."""
        shown = self._shown
        return Table.of((), 0) if shown is None else (shown.links, shown.sums, shown.reasons)[self._ranking]

    def refill(self) -> None:
        """Show the rows of the ranking that the filter leaves."""
        full = self.all_rows()
        table = filtered(full, self.filter_text)
        count = f"{len(table):,} of {len(full):,} rows" if self.filter_text else f"{len(full):,} rows"
        what = _RANKINGS[self._ranking]
        self.query_one("#p-links", Pane).retitle(
            f"Drift by link, furthest off first: {count}"
            if what == "links"
            else f"{what[0].upper()}{what[1:]}: {count}",
            "n: another ranking; enter: the link" if what == "links" else "n: another ranking",
        )
        self.query_one("#links", LineTable).show(table, self.look, stale=self._stale)

    def action_ranking(self) -> None:
        """The next ranking."""
        self._ranking = (self._ranking + 1) % len(_RANKINGS)
        self.query_one("#links", LineTable).cursor = 0
        self.refill()

    def _row(self) -> dict[str, object]:
        """The row under the cursor of the ranking."""
        return self.query_one("#links", LineTable).record() or {}

    def _chosen(self) -> int:
        """The point of the link under the cursor; -1 for none."""
        row, shown = self._row(), self._shown
        return -1 if shown is None else shown.place.get((str(row.get("fabric")), str(row.get("link"))), -1)

    def on_line_table_moved(self, message: LineTable.Moved) -> None:
        """The link under the cursor is marked in the cloud."""
        if message.table.id == "links":
            scatter = self.query_one("#scatter", Scatter)
            scatter.chosen = self._chosen()
            scatter.refresh()

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: to the link, to the fullest of a tier or job; an explanation or the work on a cable in full."""
        row = message.table.table.record(message.position)
        if "link" in row:
            self._go(str(row["fabric"]), str(row["link"]))
        elif "of" in row:
            self._turn_to(str(row["fabric"]))
            kind, name = str(row["of"]), str(row["name"])
            self.shell.go(
                "flows", Selection("job", name) if kind == "job" else Selection("tier", name.rsplit(" ", 1)[0])
            )
        elif "words" in row:
            change = f"\n\nthe plan with it: {row['change']}" if row["change"] else ""
            self.shell.push_screen(
                Reading(f"Explains {message.table.table.column('fit').cell(0)}", f"{row['words']}{change}")
            )
        else:
            self._read_steps(row)

    def _go(self, fabric: str, link: str) -> None:
        self._turn_to(fabric)
        self.shell.go("flows", self.session.link(link))

    def _turn_to(self, fabric: str) -> None:
        if fabric != self.session.fabric and fabric in self.session.fabrics:
            self.session.look_at(fabric)

    def _read_steps(self, row: dict[str, object]) -> None:
        """The work that a finding asks for."""
        if self._found is not None:
            steps = (
                step_table(self._found)
                .only(*FIX_LIST.columns)
                .where(f"move == {row['move']}")
                .without("move", "fabric")
            )
            self.shell.push_screen(Reading(f"Finding {row['move']}: {row['what']}", to_columns([steps])))

    def selected(self) -> Selection:
        """The link under the cursor of the ranking; the device whose port is wrong under that of the cabling."""
        moves = self.query_one("#moves", LineTable)
        if self.focused is moves:
            row = moves.record()
            if self._found is not None and row is not None:
                return self._device(self._found.moves[int(str(row["move"])) - 1].steps[0].source.device)
        row = self._row()
        if "link" in row and row["fabric"] == self.session.fabric:
            return self.session.link(str(row["link"]))
        return self.session.selection

    def _device(self, name: str) -> Selection:
        """A switch or host of the fabric looked at."""
        entry = self.session.entry
        if entry is None or not entry.topology.has_node(name):
            return self.session.selection
        return Selection("switch" if entry.topology.is_switch[entry.topology.node(name)] else "host", name)

    # ---- giving away --------------------------------------------------------------------------------------------

    def command(self) -> str:
        """The command that prints the pane in focus: of cabling, else of loads."""
        session, measured = self.session, self.shell.start.measured
        of_cabling = self.focused is self.query_one("#moves", LineTable)
        words = session.changes.words(session.loaded, session.request, verb="verify")
        words.insert(2, "cabling" if of_cabling else "load")
        if of_cabling:
            words += [f"--observed={measured.observed}"]
            words += [f"--names={measured.names}"] if measured.names is not None else []
        elif measured.source is not None:
            words += [f"--measured={measured.source.text}", f"--window={measured.source.window_s:g}s"]
        return shlex.join(words)

    def view_table(self) -> Table | None:
        """The ranking as shown, or the findings of cabling where they are in focus."""
        name = "#moves" if self.focused is self.query_one("#moves", LineTable) else "#links"
        return self.query_one(name, LineTable).table


SCREEN = MeasuredScreen
