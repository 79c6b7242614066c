"""Failures: every case of a set swept live on the state as it is now, the most harmful first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from fabric.faces.views.failures import (
    CASES_SHOWN,
    WORST_LINKS_SHOWN,
    CaseGroup,
    LinkCaseGroup,
    case_name,
    case_table,
    folded_case_table,
    folded_cases,
    folded_link_table,
    folded_links,
    harm_text,
    kind_harms,
    kind_table,
    loss_table,
    losses,
    sweep_text,
    when_limit_table,
)
from fabric.failures.part import PartKind
from fabric.failures.reaction import CONVERGED, FROZEN, Reaction
from fabric.failures.request import FailureRequest
from fabric.failures.result import FailureCase, FailureResult
from fabric.failures.sweep import run_failures
from fabric.output.table import Table
from fabric.routing.progress import Reporter
from fabric.scenario.load import LoadedScenario
from fabric.whatif.changes import Change
from topologies.errors import FabricError
from tui.dialogues.chooser import Chooser
from tui.keys import Key
from tui.row_filter import FilteredView, filtered
from tui.search import fuzzy
from tui.session import Selection
from tui.view import View
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

SUMMARY = "Every single failure swept live: the worst cases, links and causes."
ORDER = 65
_KINDS: tuple[tuple[PartKind, ...], ...] = (("link", "switch"), ("switch",), ("link",))
_REACTIONS: tuple[Reaction, ...] = (CONVERGED, FROZEN)
_SORTS = (("", "harm"), ("lost_gpu_hours_per_month", "expected harm"), ("max_utilisation", "load"))


class FailuresScreen(FilteredView):
    """Cases above; links in their worst case and what it comes to below."""

    view = View(
        "failures",
        "0",
        "Failures",
        SUMMARY,
        keys=(
            Key("R", "sweep", "run", "Sweep the failures of the set, on the state as it is now.", "fabric failures"),
            Key("n", "next_set", "set", "Next set: links and switches, one kind alone, those that the scenario names."),
            Key("v", "reaction", "reaction", "How the network reacts: converged, or frozen.", "--reaction NAME"),
            Key("s", "sort", "sort", "Sort by harm, by expected harm, or by load."),
        ),
    )
    CSS = """
    FailuresScreen {
        #p-cases { height: 2fr; }
        #below { height: 1fr; }
        #p-worst { width: 3fr; }
        #p-sums { width: 2fr; }
        &.-narrow #p-sums, &.-short #p-sums { display: none; }
    }
    """

    class Seen(Message):
        """A sweep has come so far."""

        def __init__(self, key: tuple[object, ...], result: FailureResult) -> None:
            super().__init__()
            self.key, self.result = key, result

    def __init__(self) -> None:
        super().__init__()
        self._set = 0
        self._reaction = 0
        self._sort = 0
        self._results: dict[tuple[object, ...], FailureResult] = {}
        self._working: tuple[object, ...] | None = None
        self._groups: list[CaseGroup] = []
        self._links: list[LinkCaseGroup] = []
        self._refused: dict[tuple[object, ...], str] = {}
        self._full = Table.of((), 0)
        self._grouped: FailureResult | None = None  # whose rows are kept

    def body(self) -> Iterable[Widget]:
        """Cases first in focus."""
        yield Vertical(
            Pane(LineTable(id="cases", empty="nothing swept yet"), title="Failure cases", id="p-cases"),
            Horizontal(
                Pane(LineTable(id="worst", empty="no link is known yet"), title="Links", id="p-worst"),
                Pane(LineTable(id="sums", empty="nothing yet"), title="Worst by kind", id="p-sums"),
                id="below",
            ),
            id="failures",
        )

    # ---- what is swept ------------------------------------------------------------------------------------------

    @property
    def _sets(self) -> list[tuple[str, FailureRequest]]:
        """Sets that can be swept, with what they are called: the usual ones, then those of the scenario."""
        usual = [(f"every single {' and '.join(kinds)}", FailureRequest(kinds=kinds)) for kinds in _KINDS]
        pairs = ("every two switches", FailureRequest(kinds=("switch",), choose=2))
        named = [(name, FailureRequest(named=(name,))) for name in _set_names(self.session.loaded)]
        return [*usual, pairs, *named]

    @property
    def _request(self) -> FailureRequest:
        sets = self._sets
        request = sets[self._set % len(sets)][1]
        return replace(request, reaction=_REACTIONS[self._reaction])

    @property
    def _key(self) -> tuple[object, ...]:
        return (id(self.session), self.session.changes.key, self._set, self._reaction)

    @property
    def result(self) -> FailureResult | None:
        """The sweep that is shown: of the present state, else the last of the same set on another; None before any."""
        now = self._key
        alike = [result for key, result in self._results.items() if key[0] == now[0] and key[2:] == now[2:]]
        return self._results.get(now) or (alike[-1] if alike else None)

    @property
    def _is_old(self) -> bool:
        """Whether the sweep that is shown is of another state."""
        return self._key not in self._results or self.session.stale

    def action_sweep(self) -> None:
        """Sweep in a thread; rows appear while it runs."""
        key, session, request = self._key, self.session, self._request
        run = session.live.known(session.changes)
        if session.stale or run is None:
            self.shell.notify("the loads are being routed again: sweep when they are there", timeout=4)
            return
        self._results.pop(key, None)
        self._working = key

        def answer(report: Reporter) -> FailureResult | str:
            asked = replace(request, route=run.request)
            try:
                return run_failures(
                    run, asked, progress=report, watch=lambda result: self.post_message(self.Seen(key, result))
                )
            except FabricError as error:
                return "; ".join(f"{one.message}{f' ({one.hint})' if one.hint else ''}" for one in error.problems)

        def take(outcome: FailureResult | str) -> None:
            self._working = None
            if isinstance(outcome, str):
                self._refused[key] = outcome
            else:
                self._results[key] = outcome

        self._refused.pop(key, None)
        self.shell.work(f"sweeping {self._sets[self._set % len(self._sets)][0]}", answer, take)

    def on_failures_screen_seen(self, message: Seen) -> None:
        """Show how far it is, unless it was stopped since."""
        if message.key == self._working and self.shell.busy:
            self._results[message.key] = message.result
            self.refresh_view()

    def action_next_set(self) -> None:
        """Another set; what was swept is kept."""
        self._set = (self._set + 1) % len(self._sets)
        self.query_one("#cases", LineTable).cursor = 0
        self.refresh_view()

    def action_reaction(self) -> None:
        """Another way to react."""
        self._reaction = (self._reaction + 1) % len(_REACTIONS)
        self.refresh_view()

    def action_sort(self) -> None:
        """Another order."""
        self._sort = (self._sort + 1) % len(_SORTS)
        self.refresh_view()

    # ---- what is shown ------------------------------------------------------------------------------------------

    def show_state(self) -> None:
        """Cases, links, and what it comes to."""
        if self._working is not None and not self.shell.busy:
            self._working = None  # stopped, or other work took its place
        result = self.result
        if result is not self._grouped:
            self._grouped = result
            self._groups = [] if result is None else folded_cases(result.failures)
            self._links = [] if result is None else folded_links(result.links)
        self._full = folded_case_table(self._groups).only(*CASES_SHOWN)
        self.refill()
        links = folded_link_table(self._links).only(*WORST_LINKS_SHOWN)
        self.query_one("#worst", LineTable).show(links, self.look, stale=self._is_old)
        self.query_one("#p-worst", Pane).retitle("Links by their worst case", "enter: its worst case as the what-if")
        title, table = _sums(result)
        self.query_one("#sums", LineTable).show(table, self.look, stale=self._is_old)
        self.query_one("#p-sums", Pane).retitle(title)

    def all_rows(self) -> Table:
        """All cases."""
        return self._full

    def refill(self) -> None:
        """Filter and sort the cases, and say how far the sweep is."""
        name, _ = self._sets[self._set % len(self._sets)]
        cases, pane = self.query_one("#cases", LineTable), self.query_one("#p-cases", Pane)
        refused = self._refused.get(self._key, "")
        working = self._working == self._key
        cases.empty = refused or ("the first cases are being routed" if working else f"R sweeps {name}; n: another set")
        table = filtered(self._full, self.filter_text)
        column, order = _SORTS[self._sort]
        if column in table.names:
            table = table.sorted_by(column, reverse=True)
        elif column:
            order = "harm: no rates are known" if len(table) else order
        cases.show(table, self.look, stale=self._is_old)
        result = self.result
        about = f"{name}, {_REACTIONS[self._reaction]}"
        if result is not None:
            kept = f"{len(table):,} of {len(self._full):,} rows; " if self.filter_text else ""
            about = sweep_text(result, seconds=not working and not self.shell.is_headless)
            about = f"of another state, R sweeps this one: {about}" if self._is_old else about
            pane.retitle(about, f"{kept}{harm_text(result)}; by {order}; enter: what-if", f"by {order}; enter: what-if")
        else:
            pane.retitle(f"Failures of {about}", "R run, n set, v reaction")

    # ---- rows ---------------------------------------------------------------------------------------------------

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter: the case, or the worst case of the link, becomes the what-if."""
        row = int(message.table.table.order[message.position])
        if message.table.id == "cases":
            self._choose(self._groups[row].cases)
        elif message.table.id == "worst":
            link = self._links[row].example
            cases = {case.id: case for case in (self.result.failures if self.result is not None else ())}
            if not link.causes:
                self.shell.notify("no failure fills it more than it is intact", timeout=4)
                return
            cause = link.causes[0]
            case = cases.get(cause.case)
            if case is not None:
                self._try(case)
            else:  # equal to one that is listed: its parts are called as --down takes them
                self._try_change(Change(f"{' + '.join(cause.parts)} fails", down=cause.parts))
        else:
            self.drill()

    def _choose(self, cases: Sequence[FailureCase]) -> None:
        """One of equal cases."""
        if len(cases) == 1:
            self._try(cases[0])
            return
        names = [case_name(case) for case in cases]
        whole = case_table(cases).only("what", "max_utilisation", "effect", "gpus_cut_off")

        def find(query: str) -> Table:
            return whole.ordered(fuzzy(query, names, len(names)))

        def chosen(row: int | None) -> None:
            if row is not None:
                self._try(cases[row])

        self.shell.push_screen(Chooser(f"{len(cases):,} equal cases: which becomes the what-if", find), chosen)

    def _try(self, case: FailureCase) -> None:
        """A case as one change, on the what-if screen."""
        if not case.selectors and not case.slowed:
            self.shell.notify(f"{case_name(case)} takes nothing down: it cannot be tried as a what-if", timeout=5)
            return
        self._try_change(Change(f"{case_name(case)} fails", down=case.selectors, slowed=case.slowed))

    def _try_change(self, change: Change) -> None:
        history = self.session.history.then(self.session.changes.with_added(change))
        self.shell.go("whatif", Selection())
        self.shell.try_changes(history)

    def clear(self) -> bool:
        """Esc stops a sweep, then takes the filter away."""
        if self._working is None or not self.shell.busy:
            return super().clear()
        self.shell.drop_work()
        self._working = None
        self.refresh_view()
        return True

    @property
    def clears(self) -> bool:
        """Whether esc stops or takes away something here."""
        return self._working is not None or super().clears

    def on_screen_suspend(self) -> None:
        """Another screen's work takes the place of this one's."""
        if not self.shell.busy:
            self._working = None

    def selected(self) -> Selection:
        """The link under the cursor of the links, the switch or host that fails under that of the cases."""
        table = self.query_one("#worst", LineTable)
        if self.focused is table and len(table.table):
            link = self._links[int(table.table.order[table.cursor])].example
            if link.fabric == self.session.fabric:
                return self.session.link(link.link)
        return self.session.selection

    def view_table(self) -> Table | None:
        """The cases as shown."""
        return self.query_one("#cases", LineTable).table


def _set_names(loaded: LoadedScenario) -> list[str]:
    """Names of the sets that a scenario has."""
    return [entry.name for entry in loaded.scenario.failures]


def _sums(result: FailureResult | None) -> tuple[str, Table]:
    """Limits where there are some, else losses where rates are known, else the worst of every kind."""
    if result is None:
        return "Worst by kind", Table.of((), 0)
    if result.limits:
        table = when_limit_table(result.limits).only("ok", "text", "when", "value", "max", "broken", "worst_case")
        return "Limits in failure cases", table
    expected = losses(result)
    if expected is not None:
        return "GPU-hours lost a month", loss_table(expected)
    return "Worst by kind", kind_table(kind_harms(result.failures))


SCREEN = FailuresScreen
