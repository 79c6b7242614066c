"""What every dialect promises: it writes tables that read back as planned, or says why it cannot; a new one unasked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.pipeline.prepared import prepare
from fabric.pipeline.tables import plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.rules.dialect import DIALECTS, Dialect, File
from fabric.rules.errors import RuleError
from fabric.rules.export import export_files, measure_tables
from fabric.rules.folder import write_folder
from fabric.rules.manifest import read_manifest
from fabric.rules.planned import PlannedRules
from fabric.rules.verify.check import verify_export
from fabric.scenario.load import load_scenario
from topologies.errors import ScenarioError

EVERY = pytest.mark.parametrize("name", DIALECTS.names())
READ_BACK = pytest.mark.parametrize("name", [name for name in DIALECTS if DIALECTS[name].read is not None])
ROUTERS = ("ecmp", "wcmp", "single-path", "ftree")
CLOS = """\
version: 1
name: clos
nodes: [{group: hosts, count: 8, nics: {main: {speed: 100G}}}]
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
workloads: [{id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}]
"""
HOSTILE = """\
version: 1
name: hostile
fabrics: {main: {topology: {kind: file, format: csv, path: net.csv}}}
"""
CABLES = """\
a,b,gbps,a_role,b_role
host0,"../../x",100,host,leaf
"../../x","$(reboot)",100,leaf,spine
"$(reboot)","{long}",100,spine,leaf
"{long}",host1,100,leaf,host
"-rf","$(reboot)",100,leaf,spine
""".replace("{long}", "é" * 90)


def planned(folder: Path, scenario: str, dialect: Dialect, router: str) -> PlannedRules:
    """Tables of a scenario for a dialect."""
    path = folder / "case.fabric.yaml"
    path.write_text(scenario, encoding="utf-8")
    (folder / "net.csv").write_text(CABLES, encoding="utf-8")
    tables = TablesRequest(carrier=dialect.carrier)
    return plan_tables(prepare(load_scenario(str(path)), RouteRequest(router=router)), tables)[0]


def files(made: PlannedRules, dialect: Dialect) -> Iterator[File]:
    """All files of an export."""
    kept, summary = measure_tables(made)
    about = {"scenario": "clos", "sha256": "", "seed": 0, "what_if": {"down": [], "up": [], "set": []}}
    return export_files(kept, dialect, about=about, summary=summary)


def exported(folder: Path, name: str, router: str) -> tuple[Path, PlannedRules]:
    """A folder that a dialect has written; RuleError for what it cannot say."""
    made = planned(folder, CLOS, DIALECTS[name], router)
    write_folder(folder / "out", files(made, DIALECTS[name]), force=False)
    return folder / "out", made


def attempt(folder: Path, name: str, router: str) -> tuple[Path, PlannedRules] | RuleError:
    """The export, or why not."""
    try:
        return exported(folder, name, router)
    except RuleError as refusal:
        return refusal


def first_router(folder: Path, name: str) -> tuple[Path, PlannedRules]:
    """The export of the first router that a dialect can carry."""
    for router in ROUTERS:
        outcome = attempt(folder, name, router)
        if not isinstance(outcome, RuleError):
            return outcome
    raise AssertionError(f"{name} carries none of {ROUTERS}")


@EVERY
@pytest.mark.parametrize("router", ROUTERS)
def test_tables_are_written_and_read_back_as_planned_or_refused_with_a_reason(name, router, tmp_path):
    """A refusal has the code FP8030 and names what can carry the tables; nothing is left behind."""
    outcome = attempt(tmp_path, name, router)
    if isinstance(outcome, RuleError):
        assert [problem.code for problem in outcome.problems] == ["FP8030"]
        assert outcome.problems[0].hint
        assert not (tmp_path / "out").exists()
    elif DIALECTS[name].read is not None:
        folder, made = outcome
        verdict = verify_export(folder, read_manifest(folder), made.plan, made.pairs)
        assert verdict.holds, verdict.findings


@EVERY
def test_some_router_can_be_carried(name, tmp_path):
    """A dialect that refuses everything is of no use; every switch that forwards is in some file of it."""
    folder, made = first_router(tmp_path, name)
    names = [made.rules.topology.nodes.name[node] for node in made.rules.nodes]
    text = b"".join(
        path.name.encode() + path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and path.name not in ("files.json", "manifest.json", "links.csv", "hosts.csv", "addresses.csv")
    )
    assert [switch for switch in names if switch.encode() not in text] == []


@EVERY
def test_two_exports_are_the_same_bytes(name, tmp_path):
    """One scenario, one seed."""
    folder, made = first_router(tmp_path, name)
    for file in files(made, DIALECTS[name]):
        content = file.content.encode() if isinstance(file.content, str) else file.content
        assert (folder / file.path).read_bytes() == content


@EVERY
def test_tables_are_written_one_switch_at_a_time(name, tmp_path):
    """``write`` is an iterator: tables of thousands of switches are never all in memory."""
    made = planned(tmp_path, CLOS, DIALECTS[name], "ecmp")
    assert isinstance(DIALECTS[name].write(made.rules), Iterator)


@EVERY
def test_file_names_are_safe_whatever_switches_are_called(name, tmp_path):
    """Relative, of few characters, none twice."""
    made = planned(tmp_path, HOSTILE, DIALECTS[name], "ecmp")
    paths = [file.path for file in DIALECTS[name].write(made.rules)]
    assert paths
    assert len(set(paths)) == len(paths)
    for path in paths:
        for part in path.split("/"):
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,90}", part), path


@READ_BACK
def test_a_damaged_table_is_refused_or_does_not_hold(name, tmp_path):
    """Nonsense in front of the file of one switch: an error that names the file, never a table that passes."""
    folder, made = first_router(tmp_path, name)
    own = [file.path for file in DIALECTS[name].write(made.rules)]
    (folder / own[0]).write_bytes(b"nonsense\n" + (folder / own[0]).read_bytes())
    with pytest.raises(RuleError) as caught:
        verify_export(folder, read_manifest(folder), made.plan, made.pairs)
    assert own[0] in str(caught.value)


@EVERY
def test_it_is_listed_with_its_proof_and_experimental_without(name, capsys):
    """``export list`` says which program has taken the output; where none has, that it is experimental."""
    entry = DIALECTS[name]
    assert entry.name == name
    assert run(["export", "list", "--json"]) == 0
    (row,) = [item for item in json.loads(capsys.readouterr().out)["items"] if item["dialect"] == name]
    assert row["experimental"] is (row["proof"] == "")
    assert row["proof"] == entry.proof
    assert row["followed"] is (entry.read is not None)
    assert run(["export", "list", "-f", "csv"]) == 0
    assert DIALECTS.summary(name) == row["summary"]


@EVERY
def test_it_is_one_of_its_own_format_alone(name, tmp_path, capsys):
    """``export openflow --dialect frr`` is a bad command line."""
    other = next(form for form in ("openflow", "routes", "lft") if form != DIALECTS[name].format)
    path = tmp_path / "case.fabric.yaml"
    path.write_text(CLOS, encoding="utf-8")
    assert run(["export", other, str(path), "--dialect", name, "-o", str(tmp_path / "out"), "-q"]) == 2
    assert f"dialect {name} is one of export {DIALECTS[name].format}" in capsys.readouterr().err


@EVERY
def test_a_name_with_a_slip_is_corrected(name):
    """Unknown dialects are errors that name the nearest."""
    with pytest.raises(ScenarioError, match=r"unknown dialect .*did you mean"):
        DIALECTS.find(f"{name}x")
