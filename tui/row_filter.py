"""Views whose rows can be filtered, by a text or an expression."""

from __future__ import annotations

from fabric.output.table import Table
from tui.view_screen import ViewScreen


class FilteredView(ViewScreen):
    """A view that shows some of its rows."""

    filter_text = ""

    def all_rows(self) -> Table | None:
        """The rows before the filter; None while there are none yet."""
        raise NotImplementedError

    def refill(self) -> None:
        """Show the rows that the filter leaves."""
        raise NotImplementedError

    def filter_rows(self, text: str) -> None:
        """Keep the rows that a text or an expression holds for; an empty one keeps all.

        Raises
        ------
        FabricError
            When an expression cannot be read; the rows stay as they are.
        """
        table = self.all_rows()
        if text and table is not None:
            filtered(table, text)
        self.filter_text = text
        self.refill()


def filtered(table: Table, text: str) -> Table:
    """Rows that an expression holds for, or in which a text stands; all for an empty text."""
    if not text:
        return table
    if any(sign in text for sign in "<>=") or text.split(" ")[0] in table.names:
        return table.where(text)
    return table.containing(text)
