"""Export folders that somebody edited: every fault ends in words with the file, none in a traceback."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.rules.dialect import DIALECTS

SCENARIO = "examples/quickstart.fabric.yaml"
ENDS = {0, 1, 3, 5}  # as documented: fine, something differs, input that cannot be read, a program is missing


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """One export by dialect, made once."""
    folders: dict[str, Path] = {}

    def make(dialect: str) -> Path:
        if dialect not in folders:
            folder = tmp_path_factory.mktemp("export") / dialect
            kind = DIALECTS[dialect].format
            assert run(["export", kind, SCENARIO, "--dialect", dialect, "-o", str(folder), "-q"]) == 0
            folders[dialect] = folder
        return folders[dialect]

    return make


@pytest.fixture
def copy(exported: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    return lambda dialect: Path(shutil.copytree(exported(dialect), tmp_path / dialect))


def manifest_with(folder: Path, **values: object) -> None:
    path = folder / "manifest.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**record, **values}), encoding="utf-8")


def replaced(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def cell(folder: Path, name: str, column: str, value: str) -> None:
    path = folder / name
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    cells[lines[0].split(",").index(column)] = value
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", encoding="utf-8")


FAULTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "port": ("ovs", lambda folder: cell(folder, "links.csv", "a_port", "x"), "a_port is 'x', not a whole number"),
    "load": ("ovs", lambda folder: cell(folder, "links.csv", "planned_gbps", "many"), "planned_gbps is '"),
    "infinite": ("ovs", lambda folder: cell(folder, "links.csv", "planned_gbps", "inf"), "planned_gbps is '"),
    "bytes": ("ovs", lambda folder: (folder / "links.csv").write_bytes(b"a\xff\n"), "byte 0xff is not UTF-8"),
    "cut row": ("ovs", lambda folder: replaced(folder, "links.csv", "\nhosts0,", "\n"), "cells, the header has"),
    "families": ("ovs", lambda folder: manifest_with(folder, families=[1e308]), "families[0]"),
    "family": ("ovs", lambda folder: manifest_with(folder, families=[5]), "one of 4, 6"),
    "number": ("ovs", lambda folder: manifest_with(folder, fabric_number=-1), "fabric_number"),
    "what_if": ("ovs", lambda folder: manifest_with(folder, what_if={"down": 3}), "what_if.down"),
    "stem": (
        "ovs",
        lambda folder: manifest_with(folder, switches=[{"name": "a", "file": "../../x", "datapath": 1}]),
        "switches[0].file",
    ),
    "deep": ("ovs", lambda folder: (folder / "manifest.json").write_text("[" * 2000 + "]" * 2000), "nested more than"),
    "infinity": ("ovs", lambda folder: (folder / "manifest.json").write_text('{"families": [1e999]}'), "manifest"),
    "way out": (
        "static",
        lambda folder: replaced(folder, "switches/leaf0.routes", "10.64.0.2/32 dev eth1\n", "10.64.0.2/32 dev eth1x\n"),
        "no way out of ours",
    ),
    "prefix": (
        "static",
        lambda folder: replaced(folder, "switches/leaf0.routes", "route add 10.64.0.2/32", "route add 10.64.0.2/3x"),
        "10.64.0.2/3x",
    ),
    "json": ("of13-json", lambda folder: (folder / "switches/leaf0.json").write_text("[" * 3000), "nested more than"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_file(
    fault: str, copy: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    dialect, damage, words = FAULTS[fault]
    folder = copy(dialect)
    damage(folder)
    capsys.readouterr()
    assert run(["verify", "rules", SCENARIO, str(folder)]) in (1, 3)
    printed = capsys.readouterr()
    assert words in printed.err + printed.out
    if fault in ("port", "load", "bytes", "prefix"):  # the place is on a line of its own
        assert re.search(r"--> \S+(links\.csv|leaf0\.routes):\d+", printed.err)
    assert "bug of fabric" not in printed.err


@pytest.mark.parametrize("dialect", [name for name, entry in DIALECTS.items() if entry.read is not None])
def test_no_edited_folder_ends_in_a_traceback(
    dialect: str, exported: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes flipped, words cut, numbers made huge, in any file of the folder."""
    rng = random.Random(dialect)
    whole = exported(dialect)
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    for number in range(12):
        folder = Path(shutil.copytree(whole, tmp_path / str(number)))
        path = folder / rng.choice(files)
        path.write_bytes(mangled(path.read_bytes(), rng))
        code = run(["verify", "rules", SCENARIO, str(folder), "-q"])
        printed = capsys.readouterr()
        assert code in ENDS, (number, path, printed.err[-2000:])


def mangled(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data)) if data else 0
    kinds: list[Callable[[], bytes]] = [
        lambda: data[:at],
        lambda: data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
        lambda: data[:at] + b"99999999999999999999" + data[at:],
        lambda: data[:at] + b"-" + data[at:],
        lambda: data[:at] + b"null" + data[at + 4 :],
        lambda: data[:at] + data[at : at + 40] * 2 + data[at + 40 :],
        lambda: data.replace(b"1", b"1e999"),
        lambda: data.replace(b",", b"\n"),
    ]
    return rng.choice(kinds)()


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("tcp,tp_dst=22,actions=output:1", "the protocol, the destination port"),
        ("ip,nw_src=10.64.0.1,actions=output:1", "the source address"),
        ("in_port=1,actions=output:2", "the port that packets come in by"),
    ],
)
def test_a_rule_by_more_than_a_destination_is_refused_by_what_it_asks_for(
    copy: Callable[[str], Path], capsys: pytest.CaptureFixture[str], line: str, asked: str
) -> None:
    """Not for a file of flows that the export never had: exporting again would lose the rule in silence."""
    folder = copy("ovs")
    file = min((folder / "switches").glob("*.flows"))
    file.write_text(file.read_text(encoding="utf-8") + f"priority=300,{line}\n", encoding="utf-8")
    assert run(["verify", "rules", SCENARIO, str(folder), "-q"]) == 3
    said = capsys.readouterr().err
    assert "FP8020" in said
    assert f"{file.stem} has a rule for packets that asks for {asked} too" in said
    assert "flows.csv" not in said
