"""Rooms that differ everywhere in one way: one finding with the way out, what is wrong beside it found as before."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from plugged_rooms import Plugged, as_planned, heard, lldp_files, plan_of, swap, unplug

from fabric.cli.main import run as fabric
from fabric.operate.cabling.components import differences
from fabric.operate.cabling.names import PlanNames
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.renaming import compared
from fabric.operate.cabling.seen import see
from fabric.operate.observed.neighbours import Neighbours

LEAF_SPINE = """\
version: 1
name: pods
nodes: [{group: gpu, count: 24, gpus: 1, nics: {main: {speed: 100G}}}]
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {model: eth-64x400, count: 6, down: 4, up: %s}
      spine: {model: eth-64x400, count: 4}
      host_speed: 100G
"""
TREE = "version: 1\nname: tree\nfabrics: {main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}}\n"
Rename = Callable[[str], str]


def shifted(by: int) -> Rename:
    """The last number of a name, so much higher."""
    return lambda name: re.sub(r"\d+$", lambda found: str(int(found[0]) + by), name)


@pytest.fixture(params=[LEAF_SPINE % 4, LEAF_SPINE % 8], ids=["one cable", "two cables"])
def ends(request: pytest.FixtureRequest, tmp_path: Path) -> PlannedEnds:
    """Six leaves with four hosts each under four spines, with one cable between a leaf and a spine or two."""
    path = tmp_path / "pods.fabric.yaml"
    path.write_text(request.param, encoding="utf-8")
    return plan_of(path)[1]


def told(ends: PlannedEnds, room: Plugged, device: Rename = str, port: Rename = str) -> Neighbours:
    """A room under other names of switches and of their ports."""

    def both(name: str, own: str) -> tuple[str, str]:
        return (name, own) if name.startswith("gpu") else (device(name), port(own))

    plain = heard(ends, room)
    into = Neighbours(files=[Path("room.json")])
    for name in plain.heard_by:
        into.listen(both(name, "")[0])
    for near, own, far, its in plain.rows():
        (near, own), (other, across) = both(near, own), both(far[0], its[0])
        into.add(near, own, (other,), (across,))
    return into


@pytest.mark.parametrize(
    ("device", "port"),
    [(str, shifted(-1)), (str, shifted(3)), (shifted(1), str), (shifted(1), shifted(-1)), (shifted(100), shifted(-1))],
    ids=["ports from 0", "ports from 4", "switches from 1", "both", "switches from 100"],
)
def test_what_is_wrong_beside_the_names_is_what_is_wrong_without(
    device: Rename, port: Rename, ends: PlannedEnds
) -> None:
    """A swap, a cable that lacks: the same paths and cycles as in the room that goes by the plan's names."""
    room, rng = as_planned(ends), random.Random(4)
    one, other, gone = rng.sample([end for end in range(len(ends)) if ends.is_switch[end]], 3)
    swap(room, one, other)
    if gone in room:
        unplug(room, gone)
    plain = differences(see(PlanNames(ends), told(ends, room)))
    by_names, renaming = compared(ends, told(ends, room, device, port))
    assert renaming is not None
    assert renaming.right == plain.right.sum() > 2 * renaming.right_before
    assert [one.ends for one in by_names.components] == [one.ends for one in plain.components]
    np.testing.assert_array_equal(by_names.absent, plain.absent)
    aliases = {alias for _, _, alias in renaming.rows}
    assert (port("swp1") in aliases) == (port is not str)
    assert (device("leaf0") in aliases) == (device is not str)


def test_ports_in_reverse_are_other_names_of_all(ends: PlannedEnds) -> None:
    """No shift: every name is said; the pattern of leaves is a row for each port."""
    highest = max(int(name.removeprefix("swp")) for name in ends.port if name.startswith("swp"))
    of_leaf = sorted({ends.port[end] for end in range(len(ends)) if ends.devices[int(ends.device[end])] == "leaf0"})
    back = dict(zip(of_leaf, of_leaf[::-1], strict=True))
    assert highest >= 6
    plain = heard(ends, as_planned(ends))
    into = Neighbours(files=[Path("room.json")])
    for name in plain.heard_by:
        into.listen(name)
    for near, own, far, its in plain.rows():
        first = back.get(own, own) if near.startswith("leaf") else own
        into.add(near, first, far, (back.get(its[0], its[0]) if far[0].startswith("leaf") else its[0],))
    if len(of_leaf) != 8:
        return  # of two cables between two switches their order is not known: nothing is taken for it
    difference, renaming = compared(ends, into)
    assert renaming is not None
    assert difference.right.all()
    assert "leaf* go by other names" in renaming.words[0]
    assert ("leaf*", "swp8", "swp1") in renaming.rows


def test_a_room_that_is_wrong_at_random_is_not_renamed(tmp_path: Path) -> None:
    """60 rooms of a fat tree in which most cables of switches end anywhere: the plan's names hold."""
    path = tmp_path / "tree.fabric.yaml"
    path.write_text(TREE, encoding="utf-8")
    ends = plan_of(path)[1]
    switches = [end for end in range(len(ends)) if ends.is_switch[end]]
    for seed in range(60):
        rng, room = random.Random(seed), as_planned(ends)
        for _ in range(40):
            one, other = rng.sample(switches, 2)
            if room[one] != other:
                swap(room, one, other)
        difference, renaming = compared(ends, told(ends, room))
        assert renaming is None
        assert difference.right.sum() < len(difference.seen) / 2


def test_one_leaf_that_is_a_port_off_is_a_finding_of_its_own(ends: PlannedEnds) -> None:
    """Most cables are right by the plan's names."""
    room = as_planned(ends)
    own = [end for end in range(len(ends)) if ends.devices[int(ends.device[end])] == "leaf3"]
    far = [room[end] for end in own]
    for end, other in zip(own, far[1:] + far[:1], strict=True):
        room[end], room[other] = other, end
    assert compared(ends, told(ends, room))[1] is None


def answered(capsys: pytest.CaptureFixture[str], code: int, *words: str) -> dict[str, Any]:
    """JSON of ``fabric verify cabling``."""
    assert fabric(["verify", "cabling", *words, "--json", "-q"]) == code
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_command_says_it_once_and_writes_the_names_that_settle_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ports from 0: exit code 1 and no moves; with the names that it wrote, 0; names of a room that is right: none."""
    path = tmp_path / "tree.fabric.yaml"
    path.write_text(TREE, encoding="utf-8")
    ends = plan_of(path)[1]
    folder = lldp_files(ends, as_planned(ends), tmp_path / "lldp")
    for file in folder.iterdir():
        text = re.sub(r'"port(\d+)"', lambda found: f'"port{int(found[1]) - 1}"', file.read_text(encoding="utf-8"))
        file.write_text(text, encoding="utf-8")
    source = [str(path), "--observed", f"lldp:{folder}"]
    names = tmp_path / "names.csv"
    answer = answered(capsys, 1, *source, "--write-names", str(names))
    assert (answer["holds"], answer["moves"]) == (False, [])
    assert answer["renaming"]["right_by_the_plans_names"] == 0
    assert answer["renaming"]["right"] == answer["renaming"]["cables"] == len(ends) // 2
    with names.open(encoding="utf-8", newline="") as opened:
        assert list(csv.DictReader(opened)) == answer["renaming"]["names"]
    answer = answered(capsys, 0, *source, "--names", str(names))
    assert answer["renaming"] is None
    assert fabric(["verify", "cabling", *source]) == 1
    text = capsys.readouterr().out
    assert text.count("counted 1 lower: port0 is port1 of the plan") == 1
    assert "or cables all plugged the same way off?" in text
    other = tmp_path / "other.csv"
    answered(capsys, 0, *source, "--names", str(names), "--write-names", str(other))
    assert not other.exists()
    assert fabric(["verify", "cabling", *source, "--write-names", str(names)]) == 2
    assert "--write-names" in capsys.readouterr().err


def test_ports_with_zeros_before_their_numbers_are_named_as_they_are_written(tmp_path: Path) -> None:
    """swp01 where the plan has swp1: by no number higher or lower."""
    path = tmp_path / "pods.fabric.yaml"
    path.write_text((LEAF_SPINE % 4).replace("count: 24", "count: 6").replace("down: 4", "down: 1"), encoding="utf-8")
    ends = plan_of(path)[1]

    def padded(name: str) -> str:
        return re.sub(r"\d+$", lambda found: f"{int(found[0]):02d}", name)

    difference, renaming = compared(ends, told(ends, as_planned(ends), port=padded))
    assert renaming is not None
    assert difference.right.all()
    assert any("are written swp01 where the plan has swp1" in words for words in renaming.words)
    assert not any("are counted" in words for words in renaming.words)
