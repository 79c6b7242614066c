"""What comes from outside is parsed in few places: each bounds depth and size, and checks shapes."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGES = ("topologies", "traffic", "fabric", "tui")
# A call that parses, and the files that may make it.
PARSERS: dict[str, set[str]] = {
    "json.loads": {"topologies/reading/json_value.py"},
    "json.load": set(),
    "yaml.load": {"topologies/catalogue.py"},  # of our own tables
    "yaml.safe_load": set(),
    "yaml.compose": {
        "fabric/scenario/positions.py",
        "topologies/reading/yaml_guard.py",
        "topologies/reading/yaml_value.py",
    },
    "csv.reader": {"fabric/rules/own_files.py", "topologies/reading/csv_input.py"},
    "csv.DictReader": set(),
    "ET.fromstring": set(),
    "ET.parse": set(),
    "zipfile.ZipFile": {
        "topologies/reading/zip_columns.py",
        "fabric/saved/archive.py",
        "fabric/saved/certificate_file.py",
    },
    "np.load": set(),
    "np.lib.format.read_array": set(),
    "pickle.loads": {"fabric/routing/kept_loops.py", "fabric/routing/linked.py"},  # of code, which is run anyway
    "eval": set(),
}


@cache
def calls() -> list[tuple[str, str, int]]:
    """Every call of a parser: its name, the file, the line."""
    found = []
    for package in PACKAGES:
        for path in sorted(Path(package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and (name := ast.unparse(node.func)) in PARSERS:
                    found.append((name, path.as_posix(), node.lineno))
    return found


def test_nothing_parses_around_the_guarded_readers() -> None:
    around = [f"{path}:{line} {name}" for name, path, line in calls() if path not in PARSERS[name]]
    assert not around


@pytest.mark.parametrize("name", [name for name, files in PARSERS.items() if files])
def test_every_guarded_reader_is_there(name: str) -> None:
    assert {path for parser, path, _ in calls() if parser == name} == PARSERS[name]
