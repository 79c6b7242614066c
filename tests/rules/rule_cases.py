"""Small fabrics with tables, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fabric.cli.main import run
from fabric.pipeline.prepared import prepare
from fabric.pipeline.tables import export_baseline, plan_tables
from fabric.request import RouteRequest, TablesRequest
from fabric.rules.manifest import read_manifest
from fabric.rules.planned import PlannedRules
from fabric.rules.verify.check import verify_export
from fabric.rules.verify.findings import Verdict
from fabric.scenario.load import load_scenario

SCENARIOS = {
    "fat-tree": """\
version: 1
name: fat-tree
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
workloads:
  - {id: shuffle, kind: permutation, fabric: main, size: 1 GB}
""",
    "leaf-spine": """\
version: 1
name: leaf-spine
nodes:
  - {group: hosts, count: 12, nics: {main: {speed: 100G}}}
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {count: 4, radix: 9, speed: 100G, down: 3, up: 6}
      spine: {count: 2, radix: 12, speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
""",
    "dual-homed": """\
version: 1
name: dual-homed
nodes:
  - {group: osd, count: 8, nics: {main: {count: 2, speed: 100G}}}
  - {group: gpu, count: 8, nics: {main: {speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 6, host_speed: 100G, uplink_speed: 100G,
               dual_home: [osd]}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
""",
    "rails": """\
version: 1
name: rails
nodes:
  - {group: gpu, count: 8, gpus: 4, nics: {main: {count: 4, speed: 100G, rail: per-gpu}}}
fabrics:
  main:
    topology:
      kind: rail-optimised
      tiers: 2
      nodes_per_unit: 4
      leaf: {radix: 8, speed: 100G, down: 4, up: 4}
      spine: {radix: 8, speed: 100G, count: 4}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
""",
}
ROUTERS = ("ecmp", "ecmp-hash", "wcmp", "spray", "single-path", "optimal", "pinned")
DAMAGE = {
    "fat-tree": ("pod0/agg0", "link=pod1/edge0:pod1/agg1"),
    "leaf-spine": ("link=leaf0:spine0#1", "link=leaf2:spine1"),
    "dual-homed": ("link=leaf0:spine0",),
    "rails": ("spine0",),
}


def scenario_file(folder: Path, name: str) -> Path:
    """One of the scenarios as a file."""
    path = folder / f"{name}.fabric.yaml"
    path.write_text(SCENARIOS[name], encoding="utf-8")
    return path


def planned_rules(folder: Path, name: str, router: str, *, down: Sequence[str] = (), **tables: object) -> PlannedRules:
    """Tables of a scenario's fabric."""
    loaded = load_scenario(str(scenario_file(folder, name)), overrides=[])
    request = RouteRequest(router=router, down=tuple(down))
    return plan_tables(prepare(loaded, request), TablesRequest(**tables))[0]  # type: ignore[arg-type]


def exported(folder: Path, name: str, *flags: str, out: str = "out", code: int = 0) -> tuple[Path, Path]:
    """Scenario file and export folder, written by the command."""
    path = scenario_file(folder, name)
    target = folder / out
    assert run(["export", "openflow", str(path), "-o", str(target), "-q", *flags]) == code
    return path, target


def verdict_on(scenario: Path, folder: Path) -> Verdict:
    """What the verifier says of an export folder as it is now."""
    manifest = read_manifest(folder)
    loaded = load_scenario(str(scenario), overrides=[])
    down = manifest.what_if["down"]
    baseline = export_baseline(folder, loaded, down=tuple(down))
    return verify_export(folder, manifest, baseline.plan, baseline.pairs, tenancy=baseline.tenancy)
