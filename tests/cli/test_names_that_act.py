"""Names of imported nodes that a terminal, a row, a spreadsheet or a page would act on."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from fabric.cli.main import run
from topologies.printable import from_spreadsheet_cell, printable, spreadsheet_cell

NAMES = {
    "escape": "a\x1b[31mS",
    "one character": "a\x9b31mS",
    "title": "a\x1b]0;title\x07S",
    "newline": "a\nS",
    "separator": "a\u2028S",
    "turned": "a\u202eS",
    "formula": "=cmd|'/c calc'!AS",
    "plus": "+1+cmd|S",
    "tag": "<script>S",
    "markup": "[red]S",
}
COMMANDS = [
    ["route", "-f", "table", "--color", "always"],
    ["route", "-f", "plain"],
    ["route", "-f", "csv"],
    ["route", "-f", "md"],
    ["route", "--json"],
    ["route", "-f", "ndjson"],
    ["traffic", "--matrix", "host"],
    ["traffic", "--matrix", "host", "-f", "csv"],
    ["build", "-f", "table"],
    ["show", "paths"],
    ["report", "-f", "md"],
    ["export", "addresses", "-f", "csv"],
]


def scenario(folder: Path, name: str) -> Path:
    """Two hosts on one switch, all of one strange kind of name."""
    graph = {
        "directed": False,
        "multigraph": False,
        "graph": {},
        "nodes": [
            {"id": f"{name}{end}", "role": "host" if end else "leaf", "level": 0 if end else 1,
             "nics": 1 if end else 0, "forwards": not end}
            for end in ("", "1", "2")
        ],
        "edges": [{"source": f"{name}{end}", "target": name, "capacity_gbps": 100} for end in ("1", "2")],
    }  # fmt: skip
    (folder / "net.json").write_text(json.dumps(graph), encoding="utf-8")
    path = folder / "s.yaml"
    path.write_text(
        "version: 1\nname: s\nfabrics:\n  main: {topology: {kind: file, path: net.json, format: node-link}}\n"
        "workloads:\n  - {id: w, kind: all-to-all, fabric: main, size: 1 GB}\n",
        encoding="utf-8",
    )
    return path


def printed(command: list[str], path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    verb = 2 if command[0] in ("show", "export") else 1
    assert run([*command[:verb], str(path), *command[verb:]]) == 0, command
    streams = capsys.readouterr()
    return streams.out + streams.err


@pytest.mark.parametrize("kind", NAMES)
def test_no_name_acts_on_a_terminal_or_breaks_a_row(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = scenario(tmp_path, NAMES[kind])
    plain = scenario_rows(tmp_path, capsys)
    for command in COMMANDS:
        text = printed(command, path, capsys)
        rows = text.split("note: ")[0]
        bare = text.replace("\x1b[0m", "") if "--color" in command else text
        for acting in ("\x1b[31mS", "\x1b]0;", "\x9b", "\x07", "\u2028", "\u202e"):
            assert acting not in bare, (command, acting)
        if command[:3] == ["route", "-f", "plain"]:
            assert len(rows.splitlines()) == plain
        if "md" in command:
            assert "<script>" not in text


def scenario_rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> int:
    """Lines of the plain answer with names of letters."""
    (folder / "plain").mkdir()
    path = scenario(folder / "plain", "aS")
    return len(printed(["route", "-f", "plain"], path, capsys).splitlines())


@pytest.mark.parametrize("kind", ["formula", "plus"])
@pytest.mark.parametrize("command", [command for command in COMMANDS if "csv" in command], ids=" ".join)
def test_no_cell_begins_a_formula(
    kind: str, command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(command, scenario(tmp_path, NAMES[kind]), capsys)
    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert any(NAMES[kind] in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_json_keeps_names_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a format that keeps names as they are written."""
    name = NAMES["one character"]
    rows = [f"{name}{end},{name},100,host,leaf" for end in "12"]
    (tmp_path / "net.csv").write_text("\n".join(["a,b,gbps,a_role,b_role", *rows]) + "\n", encoding="utf-8")
    path = scenario(tmp_path, "aS")
    path.write_text(path.read_text().replace("net.json, format: node-link", "net.csv, format: csv"), encoding="utf-8")
    text = printed(["route", "--json"], path, capsys)
    assert "\\u009b" in text
    assert "\x9b" not in text
    assert any("\x9b" in link["a"] for link in json.loads(text)["items"])


@pytest.mark.parametrize("where", ["name: {}", "name: s\nseed: 0\nnodes: [{{group: {}, count: 1}}]"])
@pytest.mark.parametrize("text", ["\\e]0;t\\a", "a\\x9b", "a\\u202E"])
def test_a_scenario_cannot_hold_what_acts(
    where: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(f"version: 1\n{where.format(chr(34) + text + chr(34))}\n", encoding="utf-8")
    assert run(["validate", str(path)]) == 3
    assert "acts on terminals" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["=1", "'=1", "''=1", "-1", "-x", "+", "'", "'quoted'", "plain", "@a", ""])
def test_cells_come_back_as_they_were(text: str) -> None:
    assert from_spreadsheet_cell(spreadsheet_cell(text)) == text


def test_letters_of_all_languages_stay() -> None:
    assert printable("Zürich – 東京 leaf0") == "Zürich – 東京 leaf0"
