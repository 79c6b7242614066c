"""InfiniBand: what a subnet manager describes switches and adapters as, and which NICs these are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from plugged_rooms import as_planned, plan_of, swap

from fabric.operate.cabling.aliases import read_aliases
from fabric.operate.cabling.components import differences
from fabric.operate.cabling.names import PlanNames
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.seen import see
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError

RAILS = """\
version: 1
name: rails
nodes: [{group: gpu, count: 4, gpus: 4, nics: {ib: {speed: 100G, count: 4, rail: per-gpu}}}]
fabrics:
  ib:
    topology:
      {kind: rail-optimised, tiers: 2, nodes_per_unit: 4, leaf: {model: ib-64x400, down: 4, up: 2}, spine: {count: 2}}
"""
Describe = Callable[[str, int], str]  # of a switch: -1; of a host its NIC


@pytest.fixture
def ends(tmp_path: Path) -> PlannedEnds:
    """Four hosts of four NICs, each on a leaf of its own."""
    file = tmp_path / "rails.yaml"
    file.write_text(RAILS, encoding="utf-8")
    return plan_of(file)[1]


def nic(ends: PlannedEnds, end: int) -> int:
    """Of a host's end its NIC, from 0; of a switch -1."""
    return -1 if ends.is_switch[end] else int(ends.port[end].removeprefix("nic"))


def subnet(ends: PlannedEnds, room: dict[int, int], describe: Describe) -> Neighbours:
    """What a subnet manager tells: each NIC is an adapter with one port."""
    into = Neighbours(files=[Path("fabric.ibnet")], whole=True, numbered=True)
    name = {end: describe(ends.devices[ends.device[end]], nic(ends, end)) for end in room}
    port = {end: "1" if nic(ends, end) >= 0 else str(ends.ordinal[end] + 1) for end in room}
    for end, other in sorted(room.items()):
        into.heard_by[name[end]] = 0
        if nic(ends, end) < 0:
            into.switches.add(name[end])
        into.add(name[end], port[end], (name[other],), (port[other],))
    return into


def standard(first: int = 0, word: str = "mlx5_") -> Describe:
    """As MLNX-OS and the Linux driver describe."""
    return lambda device, at: f"MF0;{device}:MQM9700/U1" if at < 0 else f"{device} {word}{at + first}"


@pytest.mark.parametrize("describe", [standard(), standard(1, "HCA-"), standard(9)])
def test_descriptions_are_understood_and_said(ends: PlannedEnds, describe: Describe) -> None:
    """All is as planned; a pair of NICs in each other's port is one swap."""
    room = as_planned(ends)
    seen = see(PlanNames(ends), subnet(ends, room, describe))
    assert differences(seen).right.all()
    assert len(seen) == len(ends) // 2
    assert "switches go by the name in their description: MF0;" in " ".join(seen.notes)
    assert "in the order of their names" in " ".join(seen.notes)
    first, second = (end for end in range(len(ends)) if ends.at(end).device == "gpu0" and nic(ends, end) in (1, 2))
    swap(room, first, second)
    (found,) = differences(see(PlanNames(ends), subnet(ends, room, describe))).components
    assert {str(ends.at(end)) for end in found.ends} >= {"gpu0:nic1", "gpu0:nic2"}


def test_an_adapter_that_is_not_there_does_not_move_the_others(ends: PlannedEnds) -> None:
    """gpu0 lacks NIC 1: one cable is missing, and mlx5_2 is NIC 2 all the same."""
    room = as_planned(ends)
    gone = next(end for end in room if str(ends.at(end)) == "gpu0:nic1")
    del room[room.pop(gone)]
    difference = differences(see(PlanNames(ends), subnet(ends, room, standard())))
    assert difference.right.all()
    assert [str(ends.at(2 * int(cable))) for cable in difference.absent.nonzero()[0]] == ["gpu0:nic1"]


def test_adapters_that_may_be_any_nic_are_said_and_named_by_a_file(ends: PlannedEnds, tmp_path: Path) -> None:
    """Three adapters of four NICs, by names without numbers: not taken for any, until a file says which."""
    letters = "abcd"
    room = {
        end: far for end, far in as_planned(ends).items() if nic(ends, end) not in (1,) and nic(ends, far) not in (1,)
    }
    told = subnet(ends, room, lambda device, at: device if at < 0 else f"{device} ib-{letters[at]}")
    seen = see(PlanNames(ends), told)
    assert "4 hosts tell of adapters that may be any of their NICs" in " ".join(seen.notes)
    assert seen.conflicts == ()
    file = tmp_path / "names.csv"
    rows = [f"gpu*,nic{at},ib-{letters[at]}" for at in (0, 2, 3)]
    file.write_text("\n".join(["device,port,alias", *rows]) + "\n", encoding="utf-8")
    seen = see(PlanNames(ends, read_aliases(file), file), told)
    assert differences(seen).right.all()
    assert not [note for note in seen.notes if "may be any" in note or "does not know" in note]


def test_switches_of_another_fabric_are_refused_though_the_hosts_are_known(ends: PlannedEnds) -> None:
    told = subnet(ends, as_planned(ends), lambda device, at: f"x-{device}" if at < 0 else f"{device} mlx5_{at}")
    with pytest.raises(FormatError, match="0 of 6 switches told of are switches of the plan") as caught:
        see(PlanNames(ends), told)
    assert caught.value.problems[0].code == "FP6605"
