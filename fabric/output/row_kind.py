"""What the rows of a command are: their columns, declared before there is any row, so that a slip is refused at once.

The row flags (``--where``, ``--sort``, ``--reverse``, ``--columns``, ``--limit``) are checked against it before the
work, and the reference of commands is written from it.
"""

from __future__ import annotations

from dataclasses import dataclass

_UNITS = {
    "gbps": "Gbps",
    "bytes": "bytes",
    "gbytes": "GB/s",
    "s": "s",
    "w": "W",
    "m": "m",
    "usd": "US$",
    "cost": "US$",
    "kg": "kg",
}


@dataclass(frozen=True)
class RowKind:
    """The rows of one answer.

    Attributes
    ----------
    what : str
        What a row is, in the plural: ``links``.
    columns : tuple of str
        Written in CSV, NDJSON and JSON, in this order.
    more : tuple of str
        Further columns that ``--columns`` may add, and filters and sorting may name.
    shown : tuple of str
        What people see of them; empty: ``columns``.
    ratios : tuple of str
        Those of the columns that are ratios (1 is 100 %), which no ending of their names says.
    most : int, optional
        How many people see where neither ``--limit`` nor ``--top`` says; machines get all.
    group : tuple of str
        Columns whose every combination has ``most`` (or ``--top``) rows of its own: fabric and phase of links.
    key : str
        Under which JSON has them.
    """

    what: str
    columns: tuple[str, ...]
    more: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    ratios: tuple[str, ...] = ()
    most: int | None = None
    group: tuple[str, ...] = ()
    key: str = "items"

    @property
    def counts_key(self) -> str:
        """Key of JSON answers with how many rows there are, are kept, are listed."""
        return "row_counts" if self.key == "rows" else "rows"

    @property
    def names(self) -> tuple[str, ...]:
        """All columns there are."""
        return (*self.columns, *self.more)

    def unit(self, name: str) -> str:
        """Unit of a column; empty for words and counts.

        >>> kind = RowKind("links", ("link", "offered_gbps", "utilisation"), ratios=("utilisation",))
        >>> [kind.unit(name) for name in kind.columns]
        ['', 'Gbps', 'ratio']
        """
        words = name.split("_per_")[0].split("_")
        return "ratio" if name in self.ratios else next((_UNITS[word] for word in words[::-1] if word in _UNITS), "")
