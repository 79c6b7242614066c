"""Ports that the plan leaves free are ports: a cable in one is in the wrong place, and shifts may end there."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugged_rooms import as_planned, heard, plan_of

from fabric.operate.cabling.components import differences
from fabric.operate.cabling.free_ports import FreePorts
from fabric.operate.cabling.names import PlanNames
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.seen import Seen, see
from fabric.operate.cabling.units import grouped
from fabric.operate.observed.neighbours import Neighbours

SCENARIO = """\
version: 1
name: room
nodes:
  - {{group: gpu, count: 8, gpus: 1, nics: {{main: {{speed: 100G}}}}}}
fabrics:
  main:
    topology:
      kind: leaf-spine
      leaf: {{{leaf}, count: 2, down: 4, up: 2}}
      spine: {{model: eth-64x400, count: 2}}
      host_speed: 100G
"""


def planned(tmp_path: Path, leaf: str = "model: eth-64x400") -> PlannedEnds:
    """Two leaves with four hosts and an uplink to each of two spines; six ports of a leaf are used."""
    file = tmp_path / "room.yaml"
    file.write_text(SCENARIO.format(leaf=leaf), encoding="utf-8")
    return plan_of(file)[1]


def told(ends: PlannedEnds, ports: dict[tuple[str, str], str], *, hosts_say: str = "") -> Neighbours:
    """As planned, but for ports that are told by another name; of a host's far port another name yet."""
    plain = heard(ends, as_planned(ends))
    into = Neighbours(files=[Path("room.json")])
    for name in plain.heard_by:
        into.listen(name)
    for near, own, far, its in plain.rows():
        there = hosts_say or ports.get((far[0], its[0]), its[0]) if near.startswith("gpu") else its[0]
        there = ports.get((far[0], its[0]), there) if not near.startswith("gpu") else there
        into.add(near, ports.get((near, own), own), far, (there,))
    return into


def moves(seen: Seen) -> list[tuple[str, str]]:
    """Every end to move: from, to."""
    groups = grouped(differences(seen))
    return [(str(seen.port(step.source)), str(seen.port(step.target))) for group in groups for step in group.steps]


@pytest.mark.parametrize(
    ("leaf", "first", "free"),
    [
        ("model: eth-64x400", "swp1", "swp20"),
        ("model: eth-128x400", "Ethernet0", "Ethernet100"),
        ("model: ib-64x400", "1/1", "10/2"),
        ("{radix: 16, speed: 400G}", "port1", "port9"),
    ],
)
@pytest.mark.parametrize("hosts_say", ["", "a port"])
def test_a_cable_in_a_free_port_is_a_move(tmp_path: Path, leaf: str, first: str, free: str, hosts_say: str) -> None:
    """Also where its host cannot say the port: what the switch says holds, and nothing else is doubted."""
    ends = planned(tmp_path, leaf.strip("{}"))
    seen = see(PlanNames(ends), told(ends, {("leaf0", first): free}, hosts_say=hosts_say))
    assert moves(seen) == [(f"leaf0:{free}", f"leaf0:{first}")]
    assert seen.conflicts == ()
    assert not differences(seen).unseen.any()


def test_all_cables_of_a_leaf_one_port_further_are_one_finding(tmp_path: Path) -> None:
    """The last goes into a port that the plan leaves free: a path of six ends, not a cycle."""
    ends = planned(tmp_path)
    seen = see(PlanNames(ends), told(ends, {("leaf0", f"swp{at}"): f"swp{at + 1}" for at in range(1, 7)}))
    (group,) = grouped(differences(seen))
    assert group.unit is not None
    assert (group.unit.kind, group.unit.ends, group.unit.by) == ("shifted", 6, 1)
    assert len(group.steps) == 6
    assert seen.conflicts == ()


@pytest.mark.parametrize("name", ["eth0", "Ethernet1/9", "swp01", "swp3s1", "00:1b:21:aa:bb:cc", ""])
def test_other_names_are_no_free_ports(tmp_path: Path, name: str) -> None:
    """Of another pattern, of a planned port with a zero before its number, or of a part of one."""
    ends = planned(tmp_path)
    assert FreePorts(ends).find(ends.devices.index("leaf0"), name) is None


def test_the_place_of_a_free_port_counts_on_from_the_planned_ones(tmp_path: Path) -> None:
    """By name and by number, with a model and without."""
    for leaf, name in (("model: eth-64x400", "swp9"), ("radix: 16, speed: 400G", "port9")):
        ends = planned(tmp_path, leaf)
        free, device = FreePorts(ends), ends.devices.index("leaf0")
        by_name, by_number = free.find(device, name), free.find(device, "9", numbered=True)
        assert by_name == by_number
        assert by_name is not None
        assert (by_name.name, by_name.place) == (name, 8)
