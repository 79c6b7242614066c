"""``fabric design`` from end to end: the contract in JSON, files, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabric.cli.main import run
from fabric.saved.design_files import is_ours, signed
from fabric.scenario.load import load_scenario

SMALL = ["design", "--gpus", "32", "--gpus-per-node", "8", "--nic", "400G", "--kind", "leaf-spine", "--top", "1", "-q"]
DESIGN_KEYS = {
    "name", "topology_kind", "gpus", "switches_by_role", "cables_by_tier", "optics_by_model", "cost", "power_w",
    "cable_m", "oversubscription_by_role", "step_time_s", "worst_failure", "scenario", "chosen",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_is_the_contract_and_the_scenario_is_there(folder, capsys):
    assert run([*SMALL, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["kind"] == "DesignResult"
    assert answer["status"] == "OPTIMAL"
    assert answer["objective"] == "cost"
    assert answer["bound"] == pytest.approx(answer["value"])
    assert answer["gap"] == 0
    assert answer["conflict"] == []
    (one,) = answer["designs"]
    assert set(one) >= DESIGN_KEYS
    assert one["chosen"] is True
    assert one["gpus"] == 32
    assert one["cables_by_tier"]["host-leaf"] == 32
    loaded = load_scenario(one["scenario"])
    assert loaded.scenario.nodes[0].count == 4


def test_the_same_input_gives_the_same_bytes(folder, capsys):
    assert run([*SMALL, "--json"]) == 0
    first = capsys.readouterr().out
    assert run([*SMALL, "--json"]) == 0
    assert capsys.readouterr().out == first


def test_what_others_wrote_or_changed_is_not_overwritten(folder, capsys):
    assert run([*SMALL, "--name", "mine"]) == 0
    (path,) = folder.glob("*.fabric.yaml")
    own = path.read_text(encoding="utf-8")
    assert run([*SMALL, "--name", "mine"]) == 0
    path.write_text(own.replace("version: 1", "version: 1\nseed: 3"), encoding="utf-8")
    assert run([*SMALL, "--name", "mine"]) == 3
    assert "FP9601" in capsys.readouterr().err
    assert "seed: 3" in path.read_text(encoding="utf-8")
    assert run([*SMALL, "--name", "mine", "--force"]) == 0
    assert path.read_text(encoding="utf-8") == own


def test_output_names_a_folder_or_the_file_of_the_chosen_design(folder, capsys):
    assert run([*SMALL, "-o", "out"]) == 0
    assert len(list((folder / "out").glob("*.fabric.yaml"))) == 1
    assert run([*SMALL, "-o", "best.yaml"]) == 0
    assert is_ours(Path("best.yaml").read_text(encoding="utf-8"))
    assert run([*SMALL, "-o", "answer.json"]) == 0
    assert json.loads(Path("answer.json").read_text(encoding="utf-8"))["kind"] == "DesignResult"


def test_what_cannot_be_met_ends_with_4_and_the_conflict(folder, capsys):
    line = ["design", "--gpus", "4096", "--nic", "400G", "--kind", "leaf-spine", "--switch", "eth-64x400", "--json"]
    assert run(line) == 4
    answer = json.loads(capsys.readouterr().out)
    assert answer["status"] == "INFEASIBLE"
    assert answer["value"] is None
    assert answer["designs"] == []
    assert "require.gpus" in {one["key"] for one in answer["conflict"]}
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (["design"], 2, "name a requirement file"),
        (["design", "--nic", "400G"], 2, "name a requirement file"),
        (["design", "--gpus", "0"], 2, "range"),
        (["design", "--gpus", "8", "--nic", "400"], 3, "no unit"),
        (["design", "--gpus", "8", "--nic", "400G", "--leaf", "eth-64x40"], 3, "did you mean 'eth-64x400'"),
        (["design", "--gpus", "8", "--nic", "400G", "--objective", "cost=high"], 2, "NAME=WEIGHT"),
        (["design", "--gpus", "8", "--nic", "400G", "--growth", "4"], 3, "stages only grow"),
        (["design", "--gpus", "8"], 3, "no NICs"),
        (["design", "none.yaml"], 3, "cannot read none.yaml"),
    ],
)
def test_wrong_command_lines(line, code, message, folder, capsys):
    assert run(line) == code
    assert message in capsys.readouterr().err


def test_a_signed_scenario_is_ours_until_it_is_changed():
    text = signed("version: 1\n")
    assert is_ours(text)
    assert not is_ours(text.replace("1", "2", 1))
    assert not is_ours("version: 1\n")


def test_nics_that_share_one_switch_are_no_mistake(folder, capsys):
    """64 hosts of 3 NICs fit on one switch: nothing inside it can fill."""
    asked = ["design", "--gpus", "512", "--nic", "3x400", "--kind", "single-switch", "--json"]
    assert run(asked) == 0
    (one,) = json.loads(capsys.readouterr().out)["designs"]
    assert one["cables_by_tier"] == {"host-switch": 192}


def test_one_host_is_one_host(folder, capsys):
    assert run(["design", "--gpus", "8", "--nic", "400G", "--kind", "single-switch"]) == 0
    assert "8 GPUs in 1 host," in capsys.readouterr().out
