"""The guarded reader of CSV: what is no table is refused where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from topologies.errors import FormatError
from topologies.reading import csv_input
from topologies.reading.csv_input import CsvInput
from topologies.reading.text_input import Findings


def table(folder: Path, data: bytes) -> tuple[Findings, CsvInput]:
    (folder / "t.csv").write_bytes(data)
    findings = Findings(folder / "t.csv")
    return findings, CsvInput(findings, folder / "t.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a,b\n1,\xff\n", r"t\.csv:2: byte 0xff is not UTF-8"),
        (b"a,b\n1,\0\n", r"t\.csv:2: not CSV: a NUL character"),
        (b'a,b\n1,2\n"x,2\n', r"t\.csv:3: not CSV: unexpected end of data"),
        (b'a,b\n1,2\n"x"y,2\n', r"t\.csv:3: not CSV: .*a quoted cell ends with a quote"),
        (b"a,b\n1," + b"x" * 200_000 + b"\n", r"t\.csv:2: not CSV: .*131,072 characters is the longest"),
        (b"a;b\n1;2\n", r"t\.csv:1:1: expected the header a,b, found 'a;b' .*separate the columns with commas"),
        (b"a\tb\n", "separate the columns with commas"),
        (b"a,c\n", "found 'a,c' .*columns are a, b"),
        (b"a,a,b\n", "the column 'a' appears twice"),
        (b"", r"t\.csv:1:1: expected the header a,b, found ''"),
        (b"a,b\n1\n1,2,3\n", r"t\.csv:2:1: 1 fields, the header has 2"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, data, message):
    """Encoding, characters, quotes, lengths, header."""
    with pytest.raises(FormatError, match=message):  # noqa: PT012
        findings, rows = table(tmp_path, data)
        rows.need(["a", "b"])
        list(rows.rows())
        findings.finish()


def test_cells_have_their_line_and_column(tmp_path):
    """A quoted line break moves lines on; a byte order mark, blanks and empty lines do not matter."""
    _, rows = table(tmp_path, b'\xef\xbb\xbfa, b\n"x\ny", 2\n\n 3 ,4\n')
    rows.need(["a", "b"])
    assert list(rows.rows()) == [(2, ["x\ny", "2"]), (5, ["3", "4"])]
    assert (rows.column(5, "a"), rows.column(5, "b"), rows.column(2, "b")) == (1, 5, None)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    """By its size."""
    monkeypatch.setattr(csv_input, "MAX_BYTES", 10)
    with pytest.raises(FormatError, match="11 bytes; a CSV file of 10 is the most"):
        table(tmp_path, b"a,b\n1,22222")
