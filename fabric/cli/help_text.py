"""Help texts: options under headings, those that are rarely needed named at the end; and the columns of rows."""

from __future__ import annotations

from collections.abc import Sequence

import click

from fabric.output.row_kind import RowKind

Sections = Sequence[tuple[str, Sequence[click.Option]]]


def write_options(sections: Sections, rare: Sequence[str], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """Options under headings; flags that are rarely needed are only named."""
    for title, options in sections:
        records = [record for option in options if (record := option.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(title):
                formatter.write_dl(records)
    if rare:
        with formatter.section("Rarely needed"):
            formatter.write_text(f"{', '.join(rare)}: see --help-all.")


def column_help(kind: RowKind) -> str:
    """The columns of rows, with their units; those that are not written unless asked for last.

    >>> print(column_help(RowKind("links", ("link", "offered_gbps"), more=("cause",))))
    link
    offered_gbps  Gbps
    cause         with --columns +cause
    """
    rows = [(name, kind.unit(name), "") for name in kind.columns]
    rows += [(name, kind.unit(name), f"with --columns +{name}") for name in kind.more]
    width = max(len(name) for name, _, _ in rows)
    lines = ["  ".join(word for word in (name.ljust(width), unit, more) if word) for name, unit, more in rows]
    return "\n".join(line.rstrip() for line in lines)
