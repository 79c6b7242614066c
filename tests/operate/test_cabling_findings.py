"""What is one finding, what changes nothing, what it costs, and what nobody can know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from plugged_rooms import Plugged, as_planned, heard, plan_of, plug, swap, unplug

from fabric.faces.answers.cabling_report import cabling_document
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.result import CablingResult
from fabric.operate.cabling.verify import CablingRequest, verify_cabling
from fabric.output.document import Line
from fabric.pipeline.run import Run, run_scenario

SCENARIO = """\
version: 1
name: room
nodes:
  - {group: gpu, count: 16, gpus: 1, per_rack: 4, nics: {main: {speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 4, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
"""
Damage = Callable[[PlannedEnds, Plugged], None]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, PlannedEnds]:
    """Four leaves with four hosts and an uplink to each of four spines."""
    file = tmp_path_factory.mktemp("room") / "room.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    loaded, ends = plan_of(file)
    return run_scenario(loaded), ends


def at(ends: PlannedEnds, device: str) -> list[int]:
    """Ends on a device, port by port."""
    own = [end for end in range(len(ends)) if ends.devices[ends.device[end]] == device]
    return sorted(own, key=lambda end: int(ends.ordinal[end]))


def verified(planned: tuple[Run, PlannedEnds], damage: Damage, **more: object) -> CablingResult:
    """The answer where everybody tells."""
    run, ends = planned
    room = as_planned(ends)
    damage(ends, room)
    return verify_cabling(run, heard(ends, room, **more), CablingRequest("test"))  # type: ignore[arg-type]


def shifted(device: str, ports: slice, by: int) -> Damage:
    """Cables of some ports of a device, each so many ports further on, the last ones at the first."""

    def damage(ends: PlannedEnds, room: Plugged) -> None:
        own = at(ends, device)[ports]
        far = [unplug(room, end) for end in own]
        for place, other in enumerate(far):
            plug(room, own[(place + by) % len(own)], other)

    return damage


def exchanged(one: str, other: str) -> Damage:
    """All cables of two devices, port for port."""

    def damage(ends: PlannedEnds, room: Plugged) -> None:
        for low, high in zip(at(ends, one), at(ends, other), strict=True):
            swap(room, low, high)

    return damage


def lines(run: Run, result: CablingResult) -> list[str]:
    """Single lines of the report."""
    return [part.text for part in cabling_document(run.loaded, result) if isinstance(part, Line)]


def test_what_is_as_planned_is_right(planned: tuple[Run, PlannedEnds]) -> None:
    result = verified(planned, lambda ends, room: None)
    assert result.is_right
    assert (result.seen, result.right, result.both_sides) == (64, 64, 32)
    assert result.now == result.planned
    assert "cabling is as planned" in lines(planned[0], result)


@pytest.mark.parametrize("by", [1, 2, 3])
def test_a_switch_plugged_some_ports_off_is_one_finding(planned: tuple[Run, PlannedEnds], by: int) -> None:
    """Eight ports, one cycle at a shift of 1 and 3, two at 2: one finding of eight ends all the same.

    It changes nothing: whatever port they are in, the same hosts and spines are on the leaf.
    """
    result = verified(planned, shifted("leaf1", slice(0, 8), by))
    (move,) = result.moves
    assert len(move.steps) == 8
    assert move.unit.startswith(f"{8 - by:,} cables of leaf1 are {by} port")
    assert move.harmless


def test_uplinks_of_a_leaf_shifted_change_nothing(planned: tuple[Run, PlannedEnds]) -> None:
    """The leaf still has one cable to every spine: the routed fabric is the plan."""
    result = verified(planned, shifted("leaf1", slice(4, 8), 1))
    (move,) = result.moves
    assert move.harmless
    assert not result.is_right
    assert result.now == result.planned


@pytest.mark.parametrize(("one", "other"), [("spine0", "spine3"), ("leaf0", "leaf2")])
def test_two_equal_switches_in_each_others_place_are_one_harmless_finding(
    planned: tuple[Run, PlannedEnds], one: str, other: str
) -> None:
    """Spines meet the same leaves; leaves take their hosts along, which are the plan under each other's name."""
    result = verified(planned, exchanged(one, other))
    (move,) = result.moves
    assert move.kind == "swap"
    assert move.unit.startswith(f"{one} and {other} are exchanged")
    assert move.harmless
    assert result.now is not None
    assert result.planned is not None
    assert result.now.max_utilisation == pytest.approx(result.planned.max_utilisation)
    assert result.now.step_time_s == pytest.approx(result.planned.step_time_s)


def test_two_swaps_between_two_switches_stay_two_findings(planned: tuple[Run, PlannedEnds]) -> None:
    """Two of four ports are no unit."""

    def damage(ends: PlannedEnds, room: Plugged) -> None:
        for port in (0, 2):
            swap(room, at(ends, "leaf0")[port], at(ends, "leaf1")[port])

    assert [move.kind for move in verified(planned, damage).moves] == ["swap", "swap"]


def test_a_cable_taken_out_costs_what_failing_it_costs(planned: tuple[Run, PlannedEnds]) -> None:
    """The same figures as ``--down 'leaf0 -> spine1'``, which is another way through the code."""
    from fabric.request import RouteRequest

    def damage(ends: PlannedEnds, room: Plugged) -> None:
        unplug(room, at(ends, "leaf0")[5])

    result = verified(planned, damage)
    (move,) = result.moves
    down = run_scenario(planned[0].loaded, RouteRequest(down=("leaf0 -> spine1",))).result
    assert move.kind == "plug"
    assert move.cost is not None
    assert move.cost.max_utilisation == pytest.approx(down.max_utilisation)
    assert move.cost.step_time_s == pytest.approx(down.jobs[0].step_time_s)
    assert result.now == move.cost


def test_an_uplink_in_another_leafs_port_costs_what_a_file_of_that_fabric_costs(
    planned: tuple[Run, PlannedEnds], tmp_path: Path
) -> None:
    """leaf0's uplink to spine1 and a host of leaf1 changed places; the same links read from CSV route alike."""
    ends = planned[1]

    def damage(ends: PlannedEnds, room: Plugged) -> None:
        host = unplug(room, at(ends, "leaf1")[0])
        other = unplug(room, at(ends, "leaf0")[5])
        plug(room, at(ends, "leaf1")[0], other)
        plug(room, at(ends, "leaf0")[5], host)

    result = verified(planned, damage)
    (move,) = result.moves
    rows = ["a,b,gbps,a_role,b_role"]
    for low in range(0, len(ends), 2):
        pair = [ends.at(low).device, ends.at(low + 1).device]
        if pair == ["leaf0", "spine1"]:
            pair[0] = "leaf1"
        elif pair == ["gpu4", "leaf1"]:
            pair[1] = "leaf0"
        roles = ["host" if "gpu" in name else name[:-1] for name in pair]
        rows.append(f"{pair[0]},{pair[1]},100,{roles[0]},{roles[1]}")
    (tmp_path / "links.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    text = SCENARIO[: SCENARIO.index("    topology")] + "    topology: {kind: file, path: links.csv, format: csv}\n"
    text += SCENARIO[SCENARIO.index("    routing") :]
    (tmp_path / "other.yaml").write_text(text, encoding="utf-8")
    from fabric.scenario.load import load_scenario

    other = run_scenario(load_scenario(tmp_path / "other.yaml")).result
    assert move.cost is not None
    assert move.cost.max_utilisation == pytest.approx(other.max_utilisation)
    assert move.cost.max_utilisation > result.planned.max_utilisation  # type: ignore[operator,union-attr]


def test_cables_at_half_their_speed_are_told_one_by_one(planned: tuple[Run, PlannedEnds]) -> None:
    result = verified(planned, lambda ends, room: None, slow={16: 50.0, 17: 100.0, 20: 25.0})
    assert [(cable.gbps, cable.planned_gbps) for cable in result.slow] == [(50.0, 100.0), (25.0, 100.0)]
    assert not result.moves
    assert not result.is_right
    assert result.now.max_utilisation > result.planned.max_utilisation  # type: ignore[union-attr]
    (text,) = (line for line in lines(planned[0], result) if line.startswith("as it is: "))
    assert f"{result.now.max_utilisation:.1%}".replace("%", " %") in text  # type: ignore[union-attr]


def test_hosts_that_tell_nothing_are_seen_from_the_other_side(planned: tuple[Run, PlannedEnds]) -> None:
    hosts = frozenset(f"gpu{number}" for number in range(16))
    result = verified(planned, lambda ends, room: None, silent=hosts)
    assert result.is_right
    assert (result.both_sides, result.one_side) == (16, 16)


def test_a_host_that_nobody_hears_is_not_seen_and_not_wrong(planned: tuple[Run, PlannedEnds]) -> None:
    """It may be off, or have no LLDP: one cable is not seen. Where it speaks on another day, the cable is missing."""

    def damage(ends: PlannedEnds, room: Plugged) -> None:
        unplug(room, at(ends, "gpu3")[0])

    silent = verified(planned, damage, silent=frozenset({"gpu3"}))
    assert silent.is_right
    assert [one.device for one, _ in silent.unseen] == ["gpu3"]
    assert verified(planned, damage).moves[0].kind == "plug"


def test_half_a_folder_leaves_the_rest_unseen(planned: tuple[Run, PlannedEnds]) -> None:
    """Nobody tells of spines and leaves 2 and 3: cables among those are not seen, and no switch is called wrong."""
    quiet = frozenset({"leaf2", "leaf3", "spine0", "spine1", "spine2", "spine3", *(f"gpu{n}" for n in range(16))})
    result = verified(planned, lambda ends, room: None, silent=quiet)
    assert result.is_right
    assert len(result.unseen) == 16
    assert "6 of 8 switches tell nothing" in " ".join(result.notes)
    assert "what is seen is as planned; 16 of 32 cables were not seen" in lines(planned[0], result)


def test_one_report_against_another_is_said_and_not_counted(planned: tuple[Run, PlannedEnds]) -> None:
    """gpu0 hears leaf0 on the port where leaf0 hears gpu1: two things are told of that port."""
    run, ends = planned
    told = heard(ends, as_planned(ends), silent=frozenset({"gpu0", "gpu1"}))
    told.listen("gpu0")
    told.add("gpu0", "nic0", ("leaf0",), (ends.at(at(ends, "leaf0")[1]).port,))
    result = verify_cabling(run, told, CablingRequest("test"))
    assert {str(one.port) for one in result.conflicts} >= {f"leaf0:{ends.at(at(ends, 'leaf0')[1]).port}"}
    assert not result.is_right
    assert not result.moves
