"""The floor plan: which room may know which, read from every import there is, deferred and typing ones too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import networkx as nx
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("topologies", "traffic", "fabric", "tui")  # from the ground up

# Rooms of fabric/ by floor, from the ground up; those on one floor do not know each other.
FLOORS = (
    ("output", "certificate_check"),
    ("routing",),
    ("scenario", "result", "request"),
    ("spread",),
    ("optimise",),
    ("routers",),
    ("evaluation",),
    ("rules",),
    ("site",),
    ("cables",),
    ("bill",),
    ("pipeline",),
    ("whatif",),
    ("failures",),
    ("expect",),
    ("design",),
    ("growth", "operate", "review", "share"),
    ("saved",),
    ("faces",),
    ("notebook",),
    ("cli",),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

Edges = Mapping[str, frozenset[str]]


def module_files(root: Path = ROOT) -> dict[str, Path]:
    """Every module of the four packages by its dotted name; a package goes by the name of its folder."""
    files = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def imported(tree: ast.AST, known: Mapping[str, Path]) -> Iterator[str]:
    """Modules of ours that a file imports, wherever in the file the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for name in node.names:
                submodule = f"{node.module}.{name.name}"
                if submodule in known:
                    yield submodule
                elif node.module in known:
                    yield str(node.module)


def import_edges(root: Path = ROOT) -> Edges:
    """Imports of every file."""
    files = module_files(root)
    return {
        module: frozenset(imported(ast.parse(path.read_text(encoding="utf-8")), files)) - {module}
        for module, path in files.items()
    }


@cache
def edges_here() -> Edges:
    """Imports of every file of this tree, read when a test first asks."""
    return import_edges()


FOLDERS = sorted({module.rsplit(".", 1)[0] for module in module_files() if "." in module})


def rings(edges: Iterator[tuple[str, str]]) -> list[list[str]]:
    """Groups that import each other."""
    components = nx.strongly_connected_components(nx.DiGraph(edges))
    return sorted(sorted(component) for component in components if len(component) > 1)


def room_of(module: str) -> str:
    """The room of a module: a folder or file right under fabric/, or one of the other packages."""
    parts = module.split(".")
    return parts[1] if parts[0] == "fabric" and len(parts) > 1 else parts[0]


def test_no_two_files_import_each_other_in_a_ring() -> None:
    """Deferring an import hides a ring from Python, not from a reader."""
    assert rings((source, target) for source in edges_here() for target in edges_here()[source]) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_two_parts_of_a_folder_import_each_other_in_a_ring(folder: str) -> None:
    """A folder inside another counts as one part, beside the files that lie next to it."""
    depth = folder.count(".") + 1
    inside = [module for module in edges_here() if module.startswith(f"{folder}.")]
    edges = (
        (source.split(".")[depth], target.split(".")[depth])
        for source in inside
        for target in edges_here()[source]
        if target.startswith(f"{folder}.") and source.split(".")[depth] != target.split(".")[depth]
    )
    assert rings(edges) == []


def test_no_two_rooms_import_each_other_in_a_ring() -> None:
    """Rooms of fabric/, and the other packages whole."""
    edges = ((room_of(source), room_of(target)) for source in edges_here() for target in edges_here()[source])
    assert rings((source, target) for source, target in edges if source != target) == []


def test_packages_import_downwards_only() -> None:
    """topologies <- traffic <- fabric <- tui."""
    level = {package: at for at, package in enumerate(PACKAGES)}
    upward = [
        f"{source} -> {target}"
        for source in edges_here()
        for target in edges_here()[source]
        if level[target.split(".")[0]] > level[source.split(".")[0]]
    ]
    assert upward == []


def test_every_room_of_fabric_has_a_floor() -> None:
    """A new room is given its place in the plan, here and in the layers of pyproject.toml."""
    rooms = {room_of(module) for module in edges_here() if module.startswith("fabric.")}
    assert rooms == set(FLOOR_OF)


def test_rooms_import_lower_floors_only() -> None:
    """The package's own door, fabric/__init__.py, opens the notebook room and is no room itself."""
    upward = [
        f"{source} -> {target}"
        for source in edges_here()
        for target in edges_here()[source]
        if source.startswith("fabric.") and target.startswith("fabric.")
        if room_of(source) != room_of(target) and FLOOR_OF[room_of(target)] >= FLOOR_OF[room_of(source)]
    ]
    assert upward == []


def test_a_ring_a_deferred_import_and_a_typing_import_are_seen(tmp_path: Path) -> None:
    """The reader itself: a file that imports upwards inside a function, and one for typing only."""
    (tmp_path / "fabric" / "output").mkdir(parents=True)
    (tmp_path / "fabric" / "cli").mkdir()
    for package in ("topologies", "traffic", "tui"):
        (tmp_path / package).mkdir()
    (tmp_path / "fabric" / "output" / "low.py").write_text("def late():\n    from fabric.cli.high import name\n")
    (tmp_path / "fabric" / "cli" / "high.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fabric.output import low\n"
    )
    edges = import_edges(tmp_path)
    assert edges == {"fabric.output.low": {"fabric.cli.high"}, "fabric.cli.high": {"fabric.output.low"}}
    assert rings((source, target) for source in edges for target in edges[source]) == [
        ["fabric.cli.high", "fabric.output.low"]
    ]
