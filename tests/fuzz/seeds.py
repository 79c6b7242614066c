"""Sound files that cases are made from: a scenario, what comes of it, and its network in every format that we write."""

from __future__ import annotations

from pathlib import Path

from cases import SCENARIO

from fabric.cli.main import run
from topologies.errors import FormatError
from topologies.format_registry import FORMATS, write_topology
from topologies.topology import Topology


def make_seeds(folder: Path) -> None:
    """Fill a new folder."""
    from fabric.pipeline.prepared import build
    from fabric.scenario.load import load_scenario

    folder.mkdir(parents=True)
    scenario = folder / "s.yaml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    quiet = ["-q", "-o", str(folder / "answer.json"), "--force"]
    assert run(["route", str(scenario), "--save", str(folder / "s.fpr"), *quiet]) in (0, 1)
    route = ["route", str(scenario), "--router", "optimal", "--certificate", str(folder / "s.cert")]
    assert run([*route, *quiet]) in (0, 1)
    assert run(["export", "openflow", str(scenario), "-o", str(folder / "tables"), "-q"]) == 1  # its limit falls
    (folder / "topologies").mkdir()
    (topology,) = build(load_scenario(scenario)).topologies.values()
    for name, entry in FORMATS.items():
        if entry.write is not None:
            _written(topology, folder / "topologies" / f"net{entry.suffixes[0] if entry.suffixes else '.txt'}", name)


def _written(topology: Topology, path: Path, name: str) -> None:
    try:
        write_topology(topology, path, name)
    except FormatError:
        path.unlink(missing_ok=True)  # not every format can express it
