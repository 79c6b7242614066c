"""Finding keys by their words, and rows by a filter."""

from __future__ import annotations

from topologies.errors import FabricError
from tui.actions.front import Front
from tui.dialogues.ask import Ask
from tui.dialogues.chooser import Chooser
from tui.key_list import ListedKey, all_keys, key_table, keys_on
from tui.row_filter import FilteredView, sample_filter


class Finding(Front):
    """Keys that open a list or narrow one down."""

    def action_help(self) -> None:
        """All keys, those of this screen first; enter does what the key does."""
        view = self.view
        self._choose_key("Keys", all_keys(self.views, view.view if view is not None else None))

    def action_palette(self) -> None:
        """All actions that hold here."""
        keys = [listed for listed in keys_on(self.front.view, self.views) if listed.key.action != "palette"]
        self._choose_key("Palette", keys)

    def _choose_key(self, title: str, keys: list[ListedKey]) -> None:
        def run(row: int | None) -> None:
            if row is not None:
                self.call_later(self._run_key, keys[row])

        self.push_screen(Chooser(title, lambda query: key_table(keys, query)), run)

    async def _run_key(self, listed: ListedKey) -> None:
        view = self.view
        if not listed.on:
            await self.run_action(listed.key.action, self)
        elif view is not None and listed.key in view.view.keys:
            await self.run_action(listed.key.action, view)
        else:
            self.notify(f"{listed.key.shown} holds only on {', '.join(listed.on)}", timeout=4)

    def action_filter(self) -> None:
        """Ask for a text or an expression, and keep the rows it holds for."""
        view = self.front
        if not isinstance(view, FilteredView):
            views = [screen.view for screen in self.screens.values() if issubclass(screen, FilteredView)]
            titles = ", ".join(f"{view.title} ({view.key})" for view in views)
            self.notify(f"no rows to filter here; rows can be filtered on {titles}", timeout=4)
            return
        table = view.all_rows()
        if table is None or not len(table):
            self.notify("there are no rows to filter yet", timeout=4)
            return
        columns = ", ".join(table.names)
        hint = f"a text, or an expression such as: {sample_filter(table)}\nempty shows all; columns: {columns}"
        self.push_screen(Ask("Filter", value=view.filter_text, hint=hint), lambda text: self._filter(view, text))

    def _filter(self, view: FilteredView, text: str | None) -> None:
        if text is None:
            return
        try:
            view.filter_rows(text)
        except FabricError as error:
            self.notify_error(error)
