"""The verifier passes what routers plan, and finds every fault that is put into the files."""

from __future__ import annotations

import csv
import json
import random
import re
from pathlib import Path

import pytest
from rule_cases import DAMAGE, ROUTERS, SCENARIOS, exported, verdict_on

from fabric.cli.main import run
from fabric.rules.errors import RuleError
from fabric.rules.manifest import read_manifest


def edit(path: Path, old: str, new: str) -> None:
    """Replace text in a file that has it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("router", ROUTERS)
def test_what_routers_plan_passes(tmp_path, name, router):
    """Whole and damaged, for both IP versions."""
    for flags in ((), tuple(word for thing in DAMAGE[name] for word in ("--down", thing))):
        scenario, folder = exported(tmp_path, name, "--router", router, "--family", "both", *flags, "--force")
        verdict = verdict_on(scenario, folder)
        assert verdict.holds, verdict.findings
        assert verdict.found_max_utilisation == pytest.approx(verdict.programmed_max_utilisation)
        assert verdict.weight_error <= 0.05 * max(1.0, verdict.planned_max_utilisation)


def test_a_loop_is_found_with_its_hops(tmp_path):
    """agg0 of pod0 sends what is for its own edge switch back up: edge of another pod > agg > core > agg0 > core."""
    scenario, folder = exported(tmp_path, "fat-tree")
    manifest = read_manifest(folder)
    stem = next(entry.file for entry in manifest.switches if entry.name == "pod0/agg0")
    path = folder / "switches" / f"{stem}.flows"
    text = re.sub(r"actions=output:1\n", "actions=output:3\n", path.read_text(), count=1)
    path.write_text(text)
    verdict = verdict_on(scenario, folder)
    (loop, *_) = [one for one in verdict.findings if one.kind == "loop"]
    assert len(loop.trace) >= 2
    assert any("pod0/agg0 out of port 3" in step for step in loop.trace)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (r"nw_dst=10\.64\.0\.3,actions=output:2", "nw_dst=10.64.0.3,actions=drop", "black-hole"),
        (r"nw_dst=10\.64\.0\.3,actions=output:2", "nw_dst=10.64.0.3,actions=output:1", "misdelivery"),
        (r"nw_dst=10\.64\.0\.3,actions=output:2", "nw_dst=10.64.0.3,actions=output:77", "dead-port"),
        (r"nw_dst=10\.64\.0\.3,", "nw_dst=10.64.0.2/31,", "ambiguous"),
        (r"nw_dst=10\.64\.0\.3,", "nw_dst=10.64.0.6,", "leak"),
        (r"actions=group:\d+", "actions=group:12", "broken-group"),
        (r"actions=group:\d+", "actions=drop", "black-hole"),
    ],
)
def test_faults_in_an_edge_switch_are_found(tmp_path, old, new, kind):
    """One rule of pod0/edge0, whose hosts are 10.64.0.2 and .3, is changed."""
    scenario, folder = exported(tmp_path, "fat-tree")
    stem = next(entry.file for entry in read_manifest(folder).switches if entry.name == "pod0/edge0")
    path = folder / "switches" / f"{stem}.flows"
    text, count = re.subn(old, new, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)
    assert kind in {one.kind for one in verdict_on(scenario, folder).findings}


def test_other_weights_are_found_as_other_loads(tmp_path):
    """A group of 1 : 1 becomes 3 : 1."""
    scenario, folder = exported(tmp_path, "fat-tree")
    stem = next(entry.file for entry in read_manifest(folder).switches if entry.name == "pod0/edge0")
    edit(folder / "switches" / f"{stem}.groups", "weight:1", "weight:3")
    verdict = verdict_on(scenario, folder)
    assert {one.kind for one in verdict.findings} == {"load"}


def test_a_table_that_is_not_there_is_found(tmp_path):
    """The manifest forgets a switch; then a file is gone."""
    scenario, folder = exported(tmp_path, "leaf-spine")
    path = folder / "manifest.json"
    record = json.loads(path.read_text())
    gone = record["switches"].pop()
    path.write_text(json.dumps(record))
    assert "missing-table" in {one.kind for one in verdict_on(scenario, folder).findings}
    record["switches"].append(gone)
    path.write_text(json.dumps(record))
    (folder / "switches" / f"{gone['file']}.flows").unlink()
    with pytest.raises(RuleError, match="cannot be read"):
        verdict_on(scenario, folder)


def test_a_pinned_flow_that_leaves_its_path_is_found(tmp_path):
    """One flow rule of a spine is taken out."""
    scenario, folder = exported(tmp_path, "leaf-spine", "--router", "pinned")
    path = folder / "switches" / "spine0.flows"
    lines = path.read_text().splitlines(keepends=True)
    flow = next(line for line in lines if ",udp," in line)
    path.write_text("".join(line for line in lines if line != flow))
    found = [one for one in verdict_on(scenario, folder).findings if one.kind == "flow"]
    assert len(found) == 1
    assert "leaves its pinned path" in found[0].words


def test_a_host_route_to_nowhere_is_found(tmp_path):
    """A dual-homed host uses a port that it does not have."""
    scenario, folder = exported(tmp_path, "dual-homed")
    path = folder / "hosts.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    rows[1][3] = "9"
    with path.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    assert "dead-port" in {one.kind for one in verdict_on(scenario, folder).findings}


@pytest.mark.parametrize("seed", range(12))
def test_any_changed_output_is_found(tmp_path, seed):
    """A random rule of a random switch sends out of another of its ports, or drops."""
    rng = random.Random(seed)
    scenario, folder = exported(tmp_path, "leaf-spine")
    path = rng.choice(sorted((folder / "switches").glob("*.flows")))
    lines = path.read_text().splitlines(keepends=True)
    at = rng.choice([number for number, line in enumerate(lines) if "priority=0" not in line])
    if "actions=drop" in lines[at]:
        lines[at] = lines[at].replace("actions=drop", "actions=output:1")
    elif "output:" in lines[at]:
        lines[at] = re.sub(r"output:(\d+)", lambda found: f"output:{int(found[1]) % 9 + 1}", lines[at])
    else:
        lines[at] = re.sub(r"actions=.*", "actions=drop", lines[at])
    path.write_text("".join(lines))
    assert not verdict_on(scenario, folder).holds, (path.name, lines[at])


def test_the_command_says_yes_and_no(tmp_path, capsys):
    """Exit code 0 and a stamp; 1 with the trace; the machine form says the same."""
    scenario, folder = exported(tmp_path, "fat-tree", "--no-verify")
    assert not (folder / "verified.json").exists()
    assert run(["verify", "rules", str(scenario), str(folder)]) == 0
    assert "no loop, no black hole" in capsys.readouterr().out
    assert (folder / "verified.json").exists()
    stem = next(entry.file for entry in read_manifest(folder).switches if entry.name == "pod0/edge0")
    path = folder / "switches" / f"{stem}.flows"
    path.write_text(re.sub(r"actions=group:\d+", "actions=drop", path.read_text()))
    assert run(["verify", "rules", str(scenario), str(folder), "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["kind"] == "RulesVerdict"
    assert not record["holds"]
    assert record["items"][0]["trace"][0] == "pod0/edge0"


def test_a_folder_that_is_no_export_is_refused(tmp_path, capsys):
    """Exit code 3 and the way out."""
    scenario, _ = exported(tmp_path, "fat-tree")
    assert run(["verify", "rules", str(scenario), str(tmp_path)]) == 3
    assert "FP8023" in capsys.readouterr().err
