"""Tables as a workbook of a spreadsheet program: a sheet each, numbers as numbers, sums that recompute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from fabric.output.table import Table
from topologies.errors import OutputError
from topologies.printable import printable
from topologies.whole_file import whole_file

_MADE = datetime(1980, 1, 1)  # noqa: DTZ001 - of every workbook: the same bill gives the same bytes
_MOST_ROWS = 1_048_570


def workbook_bytes(
    sheets: Sequence[tuple[str, Table]], notes: Sequence[str] = (), *, sums: Sequence[str] = ()
) -> bytes:
    """A workbook.

    Parameters
    ----------
    sheets : sequence of pairs
        Name of a sheet, at most 31 characters, and its table: values, not texts.
    notes : sequence of str
        Lines of a last sheet, where there are any.
    sums : sequence of str
        Names of columns of the first sheet that get their sum beneath them.
    """
    import xlsxwriter

    buffer = BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_urls": False}) as book:
        book.set_properties({"created": _MADE})
        bold, number = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.##"})
        for position, (name, table) in enumerate(sheets):
            sheet = book.add_worksheet(name)
            _fill(sheet, table, bold, number)
            if position == 0:
                _add_sums(sheet, table, sums, bold, number)
        if notes:
            sheet = book.add_worksheet("notes")
            for row, text in enumerate(notes):
                sheet.write_string(row, 0, printable(text))
    return buffer.getvalue()


def _fill(sheet: Any, table: Table, bold: Any, number: Any) -> None:
    """Headers with names, then a row for each of the table."""
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, column.header, bold)
        sheet.set_column(at, at, min(max(column.width, len(column.header)) + 2, 60))
    sheet.freeze_panes(1, 0)
    for row, values in enumerate(table.first(_MOST_ROWS).rows(), start=1):
        for at, value in enumerate(values):
            if value is None:
                continue
            if isinstance(value, bool):
                sheet.write_boolean(row, at, value)
            elif isinstance(value, int | float):
                sheet.write_number(row, at, value, number)
            else:
                sheet.write_string(row, at, printable(str(value)))


def _add_sums(sheet: Any, table: Table, sums: Sequence[str], bold: Any, number: Any) -> None:
    """Formulas beneath the columns, with their value for readers that do not compute."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    end = len(table)
    for at, column in enumerate(table.columns):
        if column.name in sums and end:
            value = sum(entry or 0 for entry in column.taken(table.order))
            first, last = xl_rowcol_to_cell(1, at), xl_rowcol_to_cell(end, at)
            sheet.write_formula(end + 1, at, f"=SUM({first}:{last})", number, value)
    if sums and end:
        sheet.write_string(end + 1, 0, "sum", bold)


def write_workbook(content: bytes, path: Path) -> None:
    """Write a workbook, whole or not at all.

    Raises
    ------
    OutputError
        When it cannot be written.
    """
    try:
        with whole_file(path) as place:
            place.write_bytes(content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from None
