"""The Python interface: the same answers as the command line, as plain columns."""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import fabric
from fabric.cli.main import run as command
from topologies.errors import FabricError

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = "examples/quickstart.fabric.yaml"
SPINES = "fabrics.main.topology.spine.count"


@pytest.fixture(scope="module")
def quickstart() -> fabric.RoutedScenario:
    """The quickstart, routed."""
    return fabric.run(QUICKSTART)


def answer(*line: str) -> dict[str, object]:
    """What a command prints as JSON."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        command([*line, "--json", "-q"])
    return json.loads(text.getvalue())


def test_the_page_runs_as_it_stands() -> None:
    """All its blocks, one after the other, in a process of its own."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(blocks)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "of them over capacity" in done.stdout
    assert done.stdout.rstrip().endswith("True")


def test_import_fabric_loads_no_kernels() -> None:
    """The names are looked up when they are used."""
    code = "import fabric, sys; assert not {'numpy', 'numba', 'pydantic', 'fabric.notebook'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_module_has_the_names_it_lists_and_no_others() -> None:
    """A misspelt one is an AttributeError, as in any module."""
    assert all(getattr(fabric, name) is not None for name in fabric.__all__)
    with pytest.raises(AttributeError, match="'rout'"):
        _ = fabric.rout  # type: ignore[attr-defined]


def test_tables_have_the_figures_of_the_command(quickstart: fabric.RoutedScenario) -> None:
    """Phases, tiers, links, jobs and limits against ``fabric route --json``."""
    record = answer("route", QUICKSTART, "--suggest", "never")
    routes = record["routes"]
    assert isinstance(routes, list)
    assert quickstart.phases()["max_utilisation"] == [entry["max_utilisation"] for entry in routes]
    assert quickstart.tiers()["p99"] == [tier["p99"] for entry in routes for tier in entry["tiers"]]
    items = record["items"]
    assert isinstance(items, list)
    by_name = {row["link"]: row for row in quickstart.links()}
    assert all(by_name[item["link"]]["offered_gbps"] == item["offered_gbps"] for item in items)
    assert len(quickstart.links()) == len(quickstart.result.routes[0].topology.links)
    limits = record["limits"]
    assert isinstance(limits, list)
    assert quickstart.limits()["value"] == [limit["value"] for limit in limits]


def test_rows_and_columns_are_the_same_cells(quickstart: fabric.RoutedScenario) -> None:
    """By row as dictionaries, by column as lists; filters keep rows whole."""
    tiers = quickstart.tiers()
    assert [row["max"] for row in tiers] == tiers["max"]
    over = tiers.where("max > 1")
    assert 0 < len(over) < len(tiers)
    assert over["max"] == [value for value in tiers["max"] if value > 1]
    with pytest.raises(FabricError, match="no column"):
        _ = tiers["utilization"]
    assert "leaf-spine" in repr(tiers)


def test_pandas_gets_the_columns_where_there_is_pandas(
    quickstart: fabric.RoutedScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in with the constructor that is called; without pandas the error is the import's own."""
    tiers = quickstart.tiers()
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError):
        tiers.to_pandas()
    stand_in = types.ModuleType("pandas")
    stand_in.DataFrame = dict  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    assert tiers.to_pandas() == {name: tiers[name] for name in tiers.columns}


def test_a_what_if_is_the_command_with_the_same_flags(quickstart: fabric.RoutedScenario) -> None:
    """A failure, another router and more demand, against fresh routing; the base run stays as it is."""
    before = quickstart.phases()["max_utilisation"]
    for now, flags in (
        (quickstart.what_if(down=["spine0"]), ("--down", "spine0")),
        (quickstart.what_if(set={"fabrics.main.routing.router": "wcmp"}), ("--router", "wcmp")),
        (
            quickstart.what_if(set={"fabrics.main.topology.spine.count": 1}),
            ("--set", "fabrics.main.topology.spine.count=1"),
        ),
    ):
        routes = answer("route", QUICKSTART, "--suggest", "never", *flags)["routes"]
        assert isinstance(routes, list)
        assert now.phases()["max_utilisation"] == [entry["max_utilisation"] for entry in routes]
    assert quickstart.phases()["max_utilisation"] == before
    assert quickstart.compare(quickstart.what_if(down=["spine0"])).differs()
    assert not quickstart.compare(fabric.run(QUICKSTART)).differs()


def untimed(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what was measured, which no saved result keeps."""
    return {key: value for key, value in row.items() if key != "solve_time_s"}


def test_a_saved_run_opens_as_the_same_run(quickstart: fabric.RoutedScenario, tmp_path: Path) -> None:
    """Nothing is overwritten unless forced."""
    path = tmp_path / "x.fpr"
    quickstart.save(path)
    with pytest.raises(FileExistsError, match="exists"):
        quickstart.save(path)
    quickstart.save(path, force=True)
    again = fabric.run(path)
    assert [untimed(row) for row in again.phases()] == [untimed(row) for row in quickstart.phases()]
    assert (
        again.what_if(down=["spine0"]).phases()["max_utilisation"]
        == (quickstart.what_if(down=["spine0"]).phases()["max_utilisation"])
    )


def test_mistakes_are_named(quickstart: fabric.RoutedScenario, tmp_path: Path) -> None:
    """A phase that was not routed, overrides of a loaded scenario, a scenario that is wrong."""
    with pytest.raises(ValueError, match="routed: main all-to-all"):
        quickstart.links(phase="nightly")
    with pytest.raises(ValueError, match=r"fabric\.load"):
        fabric.run(fabric.load(QUICKSTART), set={"seed": 1})
    (tmp_path / "bad.fabric.yaml").write_text("version: 1\nname: bad\nfabrics: {}\n")
    with pytest.raises(FabricError) as caught:
        fabric.run(tmp_path / "bad.fabric.yaml")
    assert caught.value.problems[0].line > 0


def test_explain_and_record_are_those_of_the_commands(quickstart: fabric.RoutedScenario) -> None:
    """The same facts as ``fabric explain --json``."""
    facts = quickstart.explain("leaf0->spine0").facts
    printed = answer("explain", QUICKSTART, "leaf0->spine0")
    assert facts["offered_gbps"] == printed["offered_gbps"]
    assert quickstart.record()["summary"] == answer("route", QUICKSTART, "--suggest", "never")["summary"]
