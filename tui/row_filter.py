"""Views whose rows can be filtered, by a text or an expression."""

from __future__ import annotations

import json
import keyword
import math

from fabric.output.table import Table
from tui.view_screen import ViewScreen


class FilteredView(ViewScreen):
    """A view that shows some of its rows; a filter holds for tables with the columns it was written for."""

    def __init__(self) -> None:
        super().__init__()
        self._filters: dict[tuple[str, ...], str] = {}

    def all_rows(self) -> Table | None:
        """The rows before the filter; None while there are none yet."""
        raise NotImplementedError

    def refill(self) -> None:
        """Show the rows that the filter leaves."""
        raise NotImplementedError

    def filter_of(self, table: Table) -> str:
        """The filter of tables with such columns."""
        return self._filters.get(table.names, "")

    @property
    def filter_text(self) -> str:
        """The filter of the rows shown."""
        table = self.all_rows()
        return "" if table is None else self.filter_of(table)

    def filter_rows(self, text: str) -> None:
        """Keep the rows that a text or an expression holds for; an empty one keeps all.

        Raises
        ------
        FabricError
            When an expression cannot be read; the rows stay as they are.
        """
        table = self.all_rows()
        if table is None:
            return
        filtered(table, text)
        self._filters[table.names] = text.strip()
        self.refill()
        self.refresh_lines()

    @property
    def clears(self) -> bool:
        """Whether esc takes a filter away."""
        return bool(self.filter_text) or super().clears

    def clear(self) -> bool:
        """Take the filter away."""
        narrowed = bool(self.filter_text)
        if narrowed:
            self.filter_rows("")
        return narrowed


def filtered(table: Table, text: str) -> Table:
    """Rows that an expression holds for, or in which a text stands; all for an empty text.

    An arrow, as in the name of a link, does not make a text an expression.
    """
    text = text.strip()
    if not text:
        return table
    if any(sign in text.replace("->", "") for sign in "<>=") or text.split(" ")[0] in table.names:
        return table.where(text)
    return table.containing(text)


def sample_filter(table: Table) -> str:
    """An expression in the table's own columns that holds for its first row; empty for an empty table.

    Examples
    --------
    >>> from fabric.output.table import Column
    >>> link, tier = Column("link", "link", ["a -> b", "b -> c"]), Column("tier", "tier", ["leaf-spine", "access"])
    >>> load = Column("utilisation", "load", [0.1, 0.94], numeric=True)
    >>> sample_filter(Table.of((link, tier, load), 2).reversed())
    'utilisation >= 0.9 and tier == "access"'
    """
    if not len(table):
        return ""
    row = {
        name: value for name, value in table.record(0).items() if name.isidentifier() and not keyword.iskeyword(name)
    }
    numbers = [name for name, value in row.items() if isinstance(value, int | float) and not isinstance(value, bool)]
    words = [name for name, value in row.items() if isinstance(value, str)]
    parts = [f"{name} >= {_round_down(row[name]):g}" for name in numbers[:1]]
    parts += [f"{name} == {json.dumps(row[name], ensure_ascii=False)}" for name in words[:2][-1:]]
    return " and ".join(parts)


def _round_down(value: float) -> float:
    """The next lower number of one digit; 0 for what is not above.

    >>> _round_down(0.94), _round_down(295.7), _round_down(0.0)
    (0.9, 200.0, 0.0)
    """
    if value <= 0:
        return min(value, 0.0)
    power = math.floor(math.log10(value))
    return float(f"{math.floor(value / 10.0**power)}e{power}")
