"""What-if: the changes tried, live, and what they cost or fix against the base."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from textual.containers import Vertical
from textual.widget import Widget

from fabric.faces.views.differences import change_table, changed_link_table, effect_table
from fabric.faces.views.draws import draws_words
from fabric.output.table import Column, Table
from fabric.routing.names import router_names
from fabric.whatif.changes import (
    Change,
    ChangeSet,
    down,
    override,
    placement,
    queue_pairs,
    router,
    scaled,
    training_jobs,
)
from fabric.whatif.effect import changed_links
from fabric.whatif.overlay import write_overlay
from topologies.errors import FabricError
from topologies.units import format_seconds
from traffic.workload import PLACEMENTS
from tui.dialogues.ask import Ask
from tui.dialogues.chooser import Chooser
from tui.keys import Key
from tui.samples import down_samples, set_sample
from tui.search import fuzzy
from tui.session import Selection
from tui.view import View
from tui.view_screen import ViewScreen
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

SUMMARY = "Changes tried live and what they cost or fix."
ORDER = 60


class WhatIfScreen(ViewScreen):
    """Changes above, their effect below, the links that changed most beside or under it."""

    view = View(
        "whatif",
        "6",
        "What-if",
        SUMMARY,
        keys=(
            Key("S", "save", "save", "Save the changes as a scenario that includes this one."),
            Key("plus,a", "add", "add", "Add a change: failure, router, placement, queue pairs, scale, any key."),
            Key("minus,delete", "remove", "remove", "Remove the change under the cursor."),
            Key("R", "sweep", "failures", "Sweep every single failure on the state as it is now.", "fabric failures"),
        ),
    )
    CSS = """
    WhatIfScreen {
        #whatif { height: 1fr; }
        #p-changes { height: 1fr; min-height: 5; max-height: 12; }
        #p-effect { height: 2fr; }
        #p-links { height: 1fr; }
    }
    """

    def body(self) -> Iterable[Widget]:
        """Three panes."""
        yield Vertical(
            Pane(
                LineTable(
                    id="changes", empty="nothing changed yet: + adds a change, x kills what is selected elsewhere"
                ),
                title="Changes",
                id="p-changes",
            ),
            Pane(LineTable(id="effect"), title="Effect", id="p-effect"),
            Pane(LineTable(id="links", empty="no link changed"), title="Links that changed most", id="p-links"),
            id="whatif",
        )

    def show_state(self) -> None:
        """Changes, effect, links."""
        session, look = self.session, self.look
        changes = session.changes
        self.query_one("#changes", LineTable).show(change_table(changes), look)
        effect = effect_table(session.base, session.result)
        self.query_one("#effect", LineTable).show(effect, look, stale=session.stale)
        times = [entry.solve_time_s for entry in session.result.routes if entry.solve_time_s is not None]
        routed = f"routed in {format_seconds(sum(times))}" if times else "as saved"
        drawn = session.result.draws
        state = "routing …" if session.stale else f"{routed}, {draws_words(drawn)}" if drawn is not None else routed
        self.query_one("#p-changes", Pane).retitle(
            f"Changes: {len(changes.enabled)} active of {len(changes)}",
            f"{state}; enter on/off, + add, - remove, S save",
        )
        base, entry = session.base_entry, session.entry
        if base is not None and entry is not None:
            self.query_one("#links", LineTable).show(
                changed_link_table(changed_links(base, entry)), look, stale=session.stale
            )

    def _try(self, changes: ChangeSet) -> None:
        self.shell.try_changes(self.session.history.then(changes))

    # ---- rows ---------------------------------------------------------------------------------------------------

    def on_line_table_chosen(self, message: LineTable.Chosen) -> None:
        """Enter on a change turns it on or off; on a link, its flows."""
        if message.table.id == "changes":
            self._try(self.session.changes.toggled(message.position))
        elif message.table.id == "links":
            row = message.table.table.record(message.position)
            self.shell.go("flows", self.session.link(str(row["link"])))
        else:
            self.drill()

    def action_remove(self) -> None:
        """Remove the change under the cursor."""
        if len(self.session.changes):
            self._try(self.session.changes.without(self.query_one("#changes", LineTable).cursor))
        else:
            self.shell.notify("nothing to remove: no change is tried", timeout=4)

    def selected(self) -> Selection:
        """The link under the cursor of the changed links, else the selection."""
        table = self.query_one("#links", LineTable)
        row = table.record() if self.focused is table else None
        if row is None:
            return self.session.selection
        return self.session.link(str(row["link"]))

    def view_table(self) -> Table | None:
        """The effect."""
        return self.query_one("#effect", LineTable).table

    # ---- adding and saving --------------------------------------------------------------------------------------

    def action_add(self) -> None:
        """Choose what kind of change, then its value."""
        session = self.session
        offers: list[tuple[str, Callable[[], None]]] = []
        if (selector := session.selector(session.selection)) is not None:
            offers.append((f"down {selector}", lambda: self._add(down(selector))))
        offers.append(("down: name a switch, host, link, role, unit or pod", self._ask_down))
        for name in router_names():
            change = router(session.fabric, name)
            offers.append((change.text, self._adder(change)))
        if training_jobs(session.loaded):
            for entry in PLACEMENTS:
                if entry.name != "file":
                    offers.append((f"placement {entry.name}", self._adder(placement(session.loaded, entry.name))))
            for count in (1, 2, 4, 8, 16, 32):
                offers.append((f"{count} queue pairs per connection", self._adder(queue_pairs(session.loaded, count))))
        for factor in (0.5, 0.8, 1.25, 1.5, 2.0, 4.0):
            offers.append((f"demand x {factor:g}", self._adder(scaled(factor))))
        offers.append(("demand x …", self._ask_scale))
        offers.append(("set PATH=VALUE: any key of the scenario", self._ask_set))
        texts = [text for text, _ in offers]
        columns = (Column("change", "change", texts, width=50),)

        def find(query: str) -> Table:
            return Table.of(columns, len(texts)).ordered(fuzzy(query, texts, len(texts)))

        def chosen(row: int | None) -> None:
            if row is not None:
                offers[row][1]()

        self.shell.push_screen(Chooser("Add a change", find), chosen)

    def _add(self, change: Change) -> None:
        self._try(self.session.changes.with_added(change))

    def _adder(self, change: Change) -> Callable[[], None]:
        return lambda: self._add(change)

    def _ask_down(self) -> None:
        samples = ", ".join(down_samples(self.session))
        hint = f"for example {samples}; #2 after a link is the second of parallel ones, fabric=NAME goes before"
        self.shell.push_screen(Ask("What fails", hint=hint), self._down)

    def _ask_set(self) -> None:
        hint = f"a key as in the scenario, with dots; for example {set_sample(self.session)}"
        self.shell.push_screen(Ask("PATH=VALUE", hint=hint), self._override)

    def _ask_scale(self) -> None:
        self.shell.push_screen(Ask("Factor on all demand", value="1.5"), self._scale)

    def _down(self, text: str | None) -> None:
        if text and text.strip():
            self._add(down(text.strip()))

    def _override(self, text: str | None) -> None:
        if text and text.strip():
            self._add(override(text.strip()))

    def _scale(self, text: str | None) -> None:
        try:
            factor = float(text) if text else 0.0
        except ValueError:
            factor = 0.0
        if 0 < factor < float("inf"):
            self._add(scaled(factor))
        elif text is not None:
            self.shell.notify(f"{text!r} is not a factor: it must be a number above 0", severity="error", markup=False)

    def action_sweep(self) -> None:
        """To the failures of this state, and sweep them."""
        self.shell.go("failures")
        self.shell.call_after_refresh(self._sweep_there)

    async def _sweep_there(self) -> None:
        view = self.shell.view
        if view is not None and view is not self:
            await self.shell.run_action("sweep", view)

    def action_save(self) -> None:
        """Ask where, and save the changes as a scenario that includes this one."""
        session = self.session
        if not len(session.changes.enabled):
            self.shell.notify("nothing to save: no change is active", timeout=4)
            return
        stem = Path(session.loaded.path).name.removesuffix(".yaml").removesuffix(".fabric")
        place = Path(session.loaded.path).parent / f"{stem}-what-if.fabric.yaml"
        self.shell.push_screen(Ask("Save the changes as", value=str(place)), self._save)

    def _save(self, text: str | None) -> None:
        if not text:
            return
        session = self.session
        try:
            write_overlay(Path(text), session.loaded, session.changes, session.request)
        except FabricError as error:
            self.shell.notify_error(error)
            return
        self.shell.notify(f"saved: fabric route {text}", timeout=8, markup=False)


SCREEN = WhatIfScreen
