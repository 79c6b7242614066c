"""Flow tables of a fat tree: ``flow_tables export|verify|diff RADIX`` or ``flow_tables write RULES``.

``export``: from the scenario to the folder with the tables of router ecmp, not followed. ``verify``: that folder
followed from every source to every destination. ``diff``: the change when an aggregation switch fails, both exports
read back. ``write``: rules made and written in the words of Open vSwitch. Timed: each of them alone; folders are made
before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import checks
from benchmarks.measure import ROOT, taken

FAILED = "pod0/agg0"


def _planned(radix: int, *down: str) -> Any:
    from fabric.pipeline.prepared import prepare
    from fabric.pipeline.tables import plan_tables
    from fabric.request import RouteRequest, TablesRequest
    from fabric.scenario.load import load_scenario

    sets = [f"fabrics.main.topology.radix={radix}"]
    loaded = load_scenario(str(ROOT / "examples" / "fat-tree-k48.fabric.yaml"), overrides=sets)
    return plan_tables(prepare(loaded, RouteRequest(down=down)), TablesRequest())[0]


def _export(planned: Any, folder: Path) -> Any:
    from fabric.rules.dialect import DIALECTS
    from fabric.rules.export import export_files, measure_tables
    from fabric.rules.folder import write_folder

    made, summary = measure_tables(planned)
    write_folder(folder, export_files(made, DIALECTS.find("ovs"), about={}, summary=summary), force=False)
    return summary


def export(radix: int, folder: Path) -> dict[str, Any]:
    """Plan and write."""
    began = time.perf_counter()
    summary = _export(_planned(radix), folder / "out")
    result = taken(began)
    checks.require(summary.most.rules <= 300, "a switch has more than 300 rules")
    return {**result, "note": f"{summary.rules:,} rules, {summary.most.rules} at most"}


def verify(radix: int, folder: Path) -> dict[str, Any]:
    """Follow an export."""
    from fabric.rules.manifest import read_manifest
    from fabric.rules.verify.check import verify_export

    planned = _planned(radix)
    _export(planned, folder / "out")
    began = time.perf_counter()
    verdict = verify_export(folder / "out", read_manifest(folder / "out"), planned.plan, planned.pairs)
    result = taken(began)
    checks.require(verdict.holds, "the verifier found something")
    return {**result, "theta": verdict.found_max_utilisation, "note": f"{verdict.destinations:,} destinations"}


def diff(radix: int, folder: Path) -> dict[str, Any]:
    """Plan the change between two exports."""
    from fabric.routing.tables.slot_table import slot_parts
    from fabric.rules.change_plan import plan_change
    from fabric.rules.changes import read_tables_of

    broken = _planned(radix, FAILED)
    _export(_planned(radix), folder / "old")
    _export(broken, folder / "new")
    began = time.perf_counter()
    old, new = read_tables_of(folder / "old"), read_tables_of(folder / "new")
    change = plan_change(broken.plan, old, new, families=(4,), parts=slot_parts)
    result = taken(began)
    checks.require(len(change.rounds) > 0, "nothing changes")
    steps = sum(len(part.steps) for part in change.rounds)
    return {**result, "note": f"{steps:,} steps in {len(change.rounds)} rounds"}


def write(count: int, folder: Path) -> dict[str, Any]:
    """Make rules for so many addresses and write them."""
    from fabric.rules.ovs_text import format_rule
    from fabric.rules.table import Action, Match, Rule, cookie_of, priority_of

    began = time.perf_counter()
    with (folder / "rules").open("w", encoding="utf-8") as out:
        for number in range(count):
            match = Match(4, 0x0A000000 + number, 32)
            rule = Rule(priority_of(match), match, Action("output", number % 64 + 1), cookie_of(match))
            out.write(format_rule(rule) + "\n")
    result = taken(began)
    return {**result, "note": f"{count / result['seconds']:,.0f} rules a second"}


def main() -> None:
    """Run one of them in a folder of its own."""
    what, number = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        print(
            json.dumps({"export": export, "verify": verify, "diff": diff, "write": write}[what](number, Path(folder)))
        )


if __name__ == "__main__":
    main()
