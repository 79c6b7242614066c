"""What the row flags do: the same rows in every format, over all rows; and no command takes a flag in silence.

Every answer with rows is compared with a few lines of plain Python over all of its rows: filter, sort, cut.
"""

from __future__ import annotations

import csv
import io
import json
import operator
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from generate.columns import commands, row_kinds
from row_answers import ANSWERS, make_files

from fabric.cli.main import run
from fabric.cli.options import GROUPS, common_options
from fabric.output.row_kind import RowKind
from topologies.printable import spreadsheet_cell

Row = dict[str, Any]
LEAVES = [(words, command) for words, command in commands()]
EVERY = pytest.mark.parametrize("name", ANSWERS)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files for all command lines."""
    folder = tmp_path_factory.mktemp("rows")
    make_files(folder)
    return folder


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Standard output of a command line that is not refused."""
    capsys.readouterr()
    assert run(list(words)) in (0, 1, 3, 6)
    return capsys.readouterr().out


RECORDS: dict[tuple[Path, str], str] = {}  # what all rows were printed as, asked for once by all tests of an answer


def all_rows(capsys: pytest.CaptureFixture[str], files: Path, name: str) -> tuple[RowKind, list[Row]]:
    """Every row of an answer, all its columns."""
    _, kind, line = ANSWERS[name]
    if (files, name) not in RECORDS:
        RECORDS[files, name] = printed(capsys, *line(files), "--json", "--columns", ",".join(kind.names))
    record = json.loads(RECORDS[files, name])
    rows: list[Row] = record[kind.key]
    assert record[kind.counts_key] == {"total": len(rows), "kept": len(rows), "listed": len(rows)}
    return kind, rows


def is_plain(value: Any) -> bool:
    """Whether a value can stand in a filter and be sorted without another text."""
    return isinstance(value, int | float | str) and value == value


def sorted_rows(rows: list[Row], column: str, *, reverse: bool) -> list[Row]:
    """Rows by a column; missing values last."""
    present = [row for row in rows if row[column] is not None]
    missing = [row for row in rows if row[column] is None]
    return sorted(present, key=lambda row: row[column], reverse=reverse) + missing


def first_of_each(rows: list[Row], group: tuple[str, ...], count: int) -> list[Row]:
    """The first rows of every combination of some columns."""
    keys = [tuple(row[name] for name in group) for row in rows]
    return [row for at, row in enumerate(rows) if keys[:at].count(keys[at]) < count]


def csv_text(value: Any) -> str:
    """A value as CSV has it."""
    if value is None:
        return ""
    if isinstance(value, dict | list | str):
        return spreadsheet_cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return str(value)


def test_there_is_an_answer_for_every_kind_of_rows() -> None:
    """A new command with rows is walked too; those that an answer adds columns to are known by their key."""
    tried = {(" ".join(words), kind.key, kind.columns[-1]) for words, kind, _ in ANSWERS.values()}
    assert tried == {(name, kind.key, kind.columns[-1]) for name, kind in row_kinds()}


@EVERY
def test_machine_formats_have_all_rows_and_the_same(name: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """CSV, NDJSON and JSON, without a flag."""
    kind, rows = all_rows(capsys, files, name)
    _, _, line = ANSWERS[name]
    assert len(rows) > (0 if name in ("catalog show", "traffic collective", "export") else 1)
    names, *cells = csv.reader(io.StringIO(printed(capsys, *line(files), "-f", "csv")))
    assert names == list(kind.columns)
    assert cells == [[csv_text(row[column]) for column in kind.columns] for row in rows]
    head, *lines = printed(capsys, *line(files), "-f", "ndjson").splitlines()
    assert kind.key not in json.loads(head)
    assert json.loads(head)[kind.counts_key]["listed"] == len(lines) == len(rows)
    record = json.loads(printed(capsys, *line(files), "--json"))
    assert record[kind.key] == [json.loads(text) for text in lines]


@EVERY
@pytest.mark.parametrize("seed", range(2))
def test_rows_are_filtered_then_sorted_then_cut(
    name: str, seed: int, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every format alike, and as plain Python does it over all rows."""
    rng = random.Random(f"{name} {seed}")
    kind, rows = all_rows(capsys, files, name)
    flags, expected, cut = [], rows, rows
    filters = [
        (column, row[column]) for column in kind.names for row in rows
        if is_plain(row[column]) and "'" not in str(row[column]) and str(row[column]).isprintable()
    ]  # fmt: skip
    column, value = rng.choice(filters)
    sign = rng.choice(list(COMPARISONS))
    flags += ["--where", f"{column} {sign} {value!r}"]
    expected = [row for row in rows if row[column] is not None and COMPARISONS[sign](row[column], value)]
    by = rng.choice([key for key in kind.names if all(row[key] is None or is_plain(row[key]) for row in rows)])
    reverse = rng.random() < 0.5
    flags += ["--sort", by, *(["--reverse"] if reverse else [])]
    expected = sorted_rows(expected, by, reverse=reverse)
    limit = rng.randrange(1, max(len(expected), 2) + 2)
    cut = expected[:limit]
    chosen = rng.sample(kind.names, min(3, len(kind.names)))
    flags += ["--limit", str(limit), "--columns", ",".join(chosen)]
    _, _, line = ANSWERS[name]

    record = json.loads(printed(capsys, *line(files), "--json", *flags))
    wanted = [{key: row[key] for key in chosen} for row in cut]
    assert record[kind.key] == wanted
    assert record[kind.counts_key] == {"total": len(rows), "kept": len(expected), "listed": len(cut)}
    assert [
        json.loads(text) for text in printed(capsys, *line(files), "-f", "ndjson", *flags).splitlines()[1:]
    ] == wanted
    names, *cells = csv.reader(io.StringIO(printed(capsys, *line(files), "-f", "csv", *flags)))
    assert names == chosen
    assert len(cells) == len(cut)
    said = capsys.readouterr()
    assert said.out == ""
    shown = plain_table(capsys, *line(files), *flags)
    for table in (shown, markdown_table(capsys, *line(files), *flags)):
        assert [len(row) for row in table] == [len(chosen)] * len(cut)
    texts = [key for key in chosen if all(isinstance(row[key], str) and row[key] for row in cut)]
    for key in texts:
        if key not in ("router", "estimate", "verdict", "proof"):  # people read other words there
            assert [row[chosen.index(key)] for row in shown] == [row[key] for row in cut]


def plain_table(capsys: pytest.CaptureFixture[str], *words: str) -> list[list[str]]:
    """The rows of the one table with as many cells as columns were asked for."""
    return _cells(printed(capsys, *words, "-f", "plain"), lambda line: line.split("\t"), words)


def markdown_table(capsys: pytest.CaptureFixture[str], *words: str) -> list[list[str]]:
    """The same in Markdown."""
    text = printed(capsys, *words, "-f", "md").replace("\\|", "/")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("|---"))
    return _cells(lines, lambda line: line.strip("|").split("|"), words)


def _cells(text: str, split: Callable[[str], list[str]], words: tuple[str, ...]) -> list[list[str]]:
    from fabric.output.rows import ArrangedRows

    wanted = LAST_TABLE["rows"]
    assert isinstance(wanted, ArrangedRows)
    del words
    blocks = [block.splitlines() for block in text.split("\n\n")]
    names = LAST_TABLE["headers"]
    for block in blocks:
        for at, line in enumerate(block):
            if [cell.strip() for cell in split(line)] == list(names):
                return [[cell.strip() for cell in split(row)] for row in block[at + 1 :]]
    raise AssertionError(f"no table of {names} in {text}")


LAST_TABLE: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _remember_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for last, and the headers under which people see it."""
    from fabric.output import rows

    arrange, with_rows = rows.arrange, rows.with_rows

    def remembered(*args: Any, **keys: Any) -> Any:
        LAST_TABLE["rows"] = arrange(*args, **keys)
        return LAST_TABLE["rows"]

    def placed(document: Any, arranged: Any, columns: str | None) -> Any:
        names = rows.select_columns(arranged.kind.shown or arranged.kind.columns, columns, arranged.kind.names)
        LAST_TABLE["headers"] = arranged.table.only(*names).headers
        return with_rows(document, arranged, columns)

    monkeypatch.setattr(rows, "arrange", remembered)
    monkeypatch.setattr(rows, "with_rows", placed)


@EVERY
def test_its_columns_and_units_are_those_declared(name: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every declared column is there, with the unit that --columns help says, before any work."""
    _, kind, line = ANSWERS[name]
    printed(capsys, *line(files), "-f", "csv")
    table = LAST_TABLE["rows"].table
    assert table.names == kind.names or set(table.names) == set(kind.names)
    assert {column.name: column.unit for column in table.columns if column.unit} == {
        column.name: kind.unit(column.name) for column in table.columns if column.unit
    }
    nowhere = [word.replace(str(files), "/nowhere") for word in line(files)]
    words = [text.split() for text in printed(capsys, *nowhere, "--columns", "help").splitlines()]
    assert [row[0] for row in words] == list(kind.names)
    units = {row[0]: row[1] for row in words if len(row) > 1 and row[1] != "with"}
    assert units == {key: kind.unit(key) for key in kind.names if kind.unit(key)}


@EVERY
@pytest.mark.parametrize(
    "flag", [["--sort", "nosuchcolumn"], ["--where", "nosuchcolumn > 1"], ["--columns", "+nosuchcolumn"]]
)
def test_an_unknown_column_is_refused_before_any_work(
    name: str, flag: list[str], files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3; the files are not even looked for."""
    nowhere = [word.replace(str(files), "/nowhere") for word in ANSWERS[name][2](files)]
    capsys.readouterr()
    assert run([*nowhere, *flag]) == 3
    said = capsys.readouterr()
    assert "FP2202" in said.err
    assert "nosuchcolumn" in said.err
    assert said.out == ""


@EVERY
def test_a_cut_is_said(name: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the title of the table, and on standard error of CSV unless it is to be quiet."""
    _, _, line = ANSWERS[name]
    _, rows = all_rows(capsys, files, name)
    if len(rows) < 2:
        return
    words = [word for word in line(files) if word != "-q"]
    text = f"1 of {len(rows):,} rows"
    assert text in printed(capsys, *words, "--limit", "1", "-f", "plain")
    assert text in printed(capsys, *words, "--limit", "1", "-f", "md")
    for quiet in ([], ["-q"]):
        capsys.readouterr()
        run([*words, "--limit", "1", "-f", "csv", *quiet])
        assert (f"note: {text}" in capsys.readouterr().err) is (not quiet)


@pytest.mark.parametrize("at", range(len(LEAVES)), ids=[" ".join(words) for words, _ in LEAVES])
def test_a_flag_that_does_nothing_is_refused(at: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, after the command's name and before it; and its help does not list it."""
    words, command = LEAVES[at]
    assert run([*words, "--help-all"]) == 0
    listed = capsys.readouterr().out
    idle = [group for group in GROUPS if group not in command.takes]
    for option in common_options(idle):
        flag = max(option.opts, key=len)
        value = (
            []
            if option.is_flag or option.count
            else [{"--limit": "3", "--seed": "3", "--color": "never"}.get(flag, "json")]
        )
        assert flag not in listed.split()
        for line in ([*words, flag, *value], [flag, *value, *words]):
            assert run(line) == 2
            assert f"{flag} does nothing for fabric {' '.join(words)}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        ["explain", "{at}/s.yaml", "job:shuffle", "--limit", "3"],
        ["explain", "FP3011", "--json"],
        ["explain", "FP3011", "--where", "pairs > 1"],
        ["route", "{at}/s.yaml", "--router", "ecmp,wcmp", "--top", "3"],
        ["route", "{at}/s.yaml", "--router", "ecmp,wcmp", "--phase", "all"],
        ["route", "{at}/s.yaml", "--router", "all", "--suggest", "always"],
        ["traffic", "{at}/s.yaml", "--phase", "all-to-all"],
        ["traffic", "{at}/s.yaml", "--fabric", "main"],
        ["traffic", "--collective", "all-reduce", "--ranks", "8", "--size", "1GB", "--seed", "3"],
        ["export", "list", "--seed", "3"],
        ["export", "list", "--router", "ecmp"],
        ["export", "list", "{at}/s.yaml"],
        ["export", "addresses", "{at}/s.yaml", "--phase", "all"],
        ["draw", "tier", "{at}/s.yaml", "--all-links"],
        ["report", "{at}/s.yaml", "--where", "utilisation > 1"],
    ],
    ids=" ".join,
)
def test_a_flag_of_another_answer_is_refused(line: list[str], files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command with several answers takes the flags of the one asked for."""
    capsys.readouterr()
    assert run([word.format(at=files) for word in line]) == 2
    assert "does nothing" in capsys.readouterr().err or line[:2] == ["export", "list"]


def test_what_the_environment_says_holds_where_it_applies(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """FABRIC_LIMIT=1: one row of those that have rows; others do not mind."""
    monkeypatch.setenv("FABRIC_LIMIT", "1")
    assert len(printed(capsys, "build", f"{files}/s.yaml", "-f", "csv").splitlines()) == 2
    assert run(["init", "--list"]) == 0


def test_top_cuts_every_phase_and_limit_all_rows(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three links of each of two fabrics, of them four in all; people see twenty of each unless they say so."""
    words = ["route", f"{files}/s.yaml", "--suggest", "never", "-q"]
    _, rows = all_rows(capsys, files, "route")
    top = [*words, "--top", "3", "-f", "csv", "--columns", "fabric,phase,link"]
    expected = [[row["fabric"], row["phase"], row["link"]] for row in first_of_each(rows, ("fabric", "phase"), 3)]
    assert [*csv.reader(io.StringIO(printed(capsys, *top)))][1:] == expected
    assert len(expected) == 6
    assert [*csv.reader(io.StringIO(printed(capsys, *top, "--limit", "4")))][1:] == expected[:4]
    kept = first_of_each(sorted_rows(rows, "link", reverse=False), ("fabric", "phase"), 20)
    assert len(plain_table(capsys, *words, "--sort", "link")) == len(kept) < len(rows)
    assert len(plain_table(capsys, *words, "--limit", "1000")) == len(rows)


def test_every_link_of_the_phases_asked_for_is_a_row(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Idle ones and access links too: 2 x (16 + 8) on main, 2 x (8 + 4) on storage."""
    _, rows = all_rows(capsys, files, "route")
    assert sum(row["fabric"] == "main" for row in rows) == 2 * (16 + 8)
    assert sum(row["fabric"] == "storage" for row in rows) == 2 * (8 + 4)
    kept = printed(capsys, "route", f"{files}/s.yaml", "-q", "-f", "csv", "--where", 'tier == "host-leaf"').splitlines()
    assert len(kept) == 1 + 2 * (16 + 8)


def test_notes_are_silenced_by_a_flag_after_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And said once without it, wherever the flag stands."""
    lab = tmp_path / "net.csv"
    lab.write_text("a,b,gbps\nx,y,10\nx,z,10\nz,y,10\n", encoding="utf-8")
    (tmp_path / "s.yaml").write_text(
        "version: 1\nname: wan\nfabrics:\n  wan: {topology: {kind: file, format: csv, path: net.csv}}\n"
        "site: {rows: 2}\n",
        encoding="utf-8",
    )
    words = ["build", str(tmp_path / "s.yaml")]
    run(words)
    notes = [text for text in capsys.readouterr().err.splitlines() if text.startswith("note: ")]
    assert notes
    assert len(notes) == len(set(notes))
    for line in ([*words, "-q"], ["-q", *words]):
        run(line)
        assert "note: " not in capsys.readouterr().err
