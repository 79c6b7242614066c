"""``check-certificate --scenario``: a file about other links or other demand than the scenario's is refuted."""

from __future__ import annotations

import json

import numpy as np
import pytest
from certificate_files import members, save

from fabric.cli.main import run

SCENARIO = """\
version: 1
name: small
seed: 5
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
    routing: {router: optimal, objective: OBJECTIVE}
workloads:
  - {id: shuffle, kind: all-to-all, size: 1 GB}
"""


def _written(tmp_path, *flags, objective="min-max-utilisation"):
    scenario, path = tmp_path / "small.fabric.yaml", tmp_path / "small.cert"
    scenario.write_text(SCENARIO.replace("OBJECTIVE", objective))
    assert run(["route", str(scenario), "--certificate", str(path), "-q", *flags]) == 0
    return scenario, path


def _checked(capsys, scenario, path, *flags):
    """Exit code, record, and what became of the claim about the scenario."""
    capsys.readouterr()
    code = run(["check-certificate", str(path), "--scenario", str(scenario), "--json", *flags])
    record = json.loads(capsys.readouterr().out)
    found = [finding for phase in record["phases"] for finding in phase["findings"] if finding["claim"] == "scenario"]
    return code, record, found


def _edited(path, change):
    found = members(path)
    change(found, found["manifest.json"]["phases"][0])
    save(path, found)


def test_failures_overrides_and_scale_of_the_file_are_applied(tmp_path, capsys):
    """The same links are down, the same half of the demand is sent."""
    flags = ("--down", "link=leaf0:spine0", "--slow", "link=leaf1:spine1=50%", "--scale", "0.5", "--seed", "9")
    code, record, (found,) = _checked(capsys, *_written(tmp_path, *flags))
    assert (code, found["verdict"], record["against"]["same_file"]) == (0, "holds", True)
    assert record["against"]["what_if"] == [
        "--set seed=9", "--down link=leaf0:spine0", "--slow link=leaf1:spine1=50%", "--scale 0.5"
    ]  # fmt: skip


@pytest.mark.parametrize("objective", ["min-max-utilisation", "min-cost", "max-throughput", "max-min-fair"])
@pytest.mark.parametrize("factor", [0.5, 1 - 1e-6, 2.0])
def test_demand_cut_everywhere_alike_is_refuted(objective, factor, tmp_path, capsys):
    """Demand, sums, θ, bound, value, all in proportion: nothing in the file contradicts it, the scenario does."""
    scenario, path = _written(tmp_path, objective=objective)

    def change(found, phase):
        for name in ("demand_gbps", "block_gbps", "flows_gbps", "paths_gbps"):
            if f"phase0/{name}.npy" in found:
                found[f"phase0/{name}.npy"] = found[f"phase0/{name}.npy"] * factor
        for name in ("max_utilisation", "lower_bound", "offered_gbps", "admitted_gbps"):
            phase["claims"][name] *= factor

    _edited(path, change)
    code, record, (found,) = _checked(capsys, scenario, path)
    assert (code, record["holds"], found["verdict"]) == (1, False, "refuted")
    assert "other amounts" in found["words"]


def test_the_same_demand_written_as_rows_holds(tmp_path, capsys):
    """A block of eight members, or its 56 pairs."""
    scenario, path = _written(tmp_path)

    def change(found, _):
        member, (gbps,) = found["phase0/block_member.npy"], found["phase0/block_gbps.npy"]
        pairs = [(src, dst) for src in member for dst in member if src != dst]
        found["phase0/demand_src.npy"] = np.array([src for src, _ in pairs], dtype=np.int32)
        found["phase0/demand_dst.npy"] = np.array([dst for _, dst in pairs], dtype=np.int32)
        found["phase0/demand_gbps.npy"] = np.full(len(pairs), gbps)
        found["phase0/block_start.npy"] = np.array([0])
        found["phase0/block_member.npy"] = member[:0]
        found["phase0/block_gbps.npy"] = np.empty(0)

    _edited(path, change)
    code, _, (found,) = _checked(capsys, scenario, path)
    assert (code, found["verdict"]) == (0, "holds")


def test_demand_to_other_partners_is_refuted(tmp_path, capsys):
    """Everybody sends and receives as much as before: one pair of the block each way is exchanged with another."""
    scenario, path = _written(tmp_path)

    def change(found, _):
        member, (gbps,) = found["phase0/block_member.npy"], found["phase0/block_gbps.npy"]
        a, b, c, d = member[:4].tolist()
        pairs = [(src, dst) for src in member.tolist() for dst in member.tolist() if src != dst]
        amounts = dict.fromkeys(pairs, gbps)
        for pair, more in (((a, c), 1), ((b, d), 1), ((a, d), -1), ((b, c), -1)):
            amounts[pair] += more * gbps / 2
        found["phase0/demand_src.npy"] = np.array([src for src, _ in pairs], dtype=np.int32)
        found["phase0/demand_dst.npy"] = np.array([dst for _, dst in pairs], dtype=np.int32)
        found["phase0/demand_gbps.npy"] = np.array([amounts[pair] for pair in pairs])
        found["phase0/block_start.npy"] = np.array([0])
        found["phase0/block_member.npy"] = member[:0]
        found["phase0/block_gbps.npy"] = np.empty(0)

    _edited(path, change)
    code, _, (found,) = _checked(capsys, scenario, path)
    assert (code, found["verdict"]) == (1, "refuted")


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("link_capacity_gbps", "has another capacity"),
        ("link_weight", "has another weight"),
        ("link_up", "is up in one and down in the other"),
        ("link_dst", "joins other nodes"),
        ("node_name", "in the file, or another kind of node"),
        ("node_forwards", "in the file, or another kind of node"),
    ],
)
def test_other_links_or_nodes_are_refuted(column, words, tmp_path, capsys):
    """The first row of a column of the fabric, changed."""
    scenario, path = _written(tmp_path)

    def change(found, _):
        values = found[f"fabric0/{column}.npy"].copy()
        if values.dtype.kind == "U":
            values[0] = "x"
        else:
            values[0] = not values[0] if values.dtype.kind == "b" else values[0] * 2 if values[0] else 1
        found[f"fabric0/{column}.npy"] = values

    _edited(path, change)
    code, _, (found,) = _checked(capsys, scenario, path)
    assert (code, found["verdict"]) == (1, "refuted")
    assert words in found["words"]


def test_another_scenario_and_phases_left_out_are_said(tmp_path, capsys):
    """A second workload makes another file with a phase that the certificate does not have."""
    scenario, path = _written(tmp_path)
    scenario.write_text(scenario.read_text() + "  - {id: more, kind: all-to-all, size: 2 GB, phase: later}\n")
    capsys.readouterr()
    assert run(["check-certificate", str(path), "--scenario", str(scenario)]) == 0
    out = capsys.readouterr().out
    assert "another file than that certified" in out
    assert "not in the certificate: main later" in out


def test_a_phase_that_the_scenario_does_not_have_is_refuted(tmp_path, capsys):
    """Renamed in the file."""
    scenario, path = _written(tmp_path)
    _edited(path, lambda _, phase: phase.update(phase="another"))
    code, record, (found,) = _checked(capsys, scenario, path)
    assert (code, found["verdict"]) == (1, "refuted")
    assert "it sends nothing in a phase another" in found["words"]
    assert record["against"]["phases_left_out"] == ["main all-to-all"]


def test_flags_of_scenarios_are_refused_without_one(tmp_path, capsys):
    """They would do nothing."""
    _, path = _written(tmp_path)
    assert run(["check-certificate", str(path), "--down", "link=leaf0:spine0"]) == 2
    assert "unless --scenario names one" in capsys.readouterr().err
