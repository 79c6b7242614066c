"""The shortest list of moves: right on random rooms, and as short as a search over all states finds."""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path

import numpy as np
import pytest
from plugged_rooms import Plugged, as_planned, heard, plan_of, plug, random_damage, swap, unplug

from fabric.operate.cabling.components import Difference, components_of, differences, way_of
from fabric.operate.cabling.names import PlanNames
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.seen import see
from fabric.operate.cabling.units import Group, grouped
from fabric.operate.cabling.verify import slow_cables

FABRICS = {
    "leaf-spine": "{kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 4, uplink_speed: 100G, host_speed: 100G}",
    "fat-tree": "{kind: fat-tree, radix: 4, speed: 100G}",
    "superpod": "{kind: superpod, scalable_units: 2, nodes_per_unit: 4, radix: 16, speed: 400G}",
    "torus": "{kind: torus, dims: [3, 3], speed: 100G, parallel: 2}",
}
ROOMS = 1_000


def make(tmp_path: Path, name: str) -> PlannedEnds:
    """Ends of a small fabric."""
    file = tmp_path / f"{name}.yaml"
    file.write_text(f"version: 1\nname: {name}\nfabrics:\n  main: {{topology: {FABRICS[name]}}}\n", encoding="utf-8")
    return plan_of(file)[1]


def found(ends: PlannedEnds, room: Plugged, slow: dict[int, float] | None = None) -> tuple[Difference, list[Group]]:
    """What is found where everybody tells."""
    difference = differences(see(PlanNames(ends), heard(ends, room, slow=slow)))
    return difference, grouped(difference)


def carried_out(room: Plugged, groups: list[Group]) -> tuple[Plugged, int]:
    """The room after the work, every step checked: the end is where the list says, its port free in time."""
    now, actions = dict(room), 0
    for group in groups:
        loose = []
        for way in group.ways:
            if way.unplug is not None:
                assert unplug(now, way.unplug[0]) == way.unplug[1]
                actions += 1
            in_turn = all(step.target not in now or step.target in {s.source for s in way.steps} for step in way.steps)
            assert in_turn
            for step in way.steps:
                assert unplug(now, step.source) == step.stays
                loose.append((step.stays, step.target))
                actions += 1
            if way.plug is not None:
                loose.append(way.plug)
                actions += 1
        for one, other in loose:
            plug(now, one, other)
    return now, actions


@pytest.mark.parametrize("name", FABRICS)
def test_random_rooms_are_put_right_by_the_list_and_by_no_shorter_one(tmp_path: Path, name: str) -> None:
    """1,000 rooms over the fabrics: up to six swaps, shifts, moves and cables taken out each, and two at half speed.

    The list, carried out step by step, gives the plan. It has as many actions as wrong cables, or missing ones where
    those are more, on every path and cycle; the search below shows that this is the least.
    """
    ends = make(tmp_path, name)
    rng = random.Random(name)
    for _ in range(ROOMS // len(FABRICS)):
        room = as_planned(ends)
        random_damage(ends, room, rng, rng.randint(1, 6))
        halved = {cable: float(ends.gbps[2 * cable]) / 2 for cable in rng.sample(range(len(ends) // 2), 2)}
        difference, groups = found(ends, room, halved)
        assert slow_cables(difference) == {at: gbps for at, gbps in halved.items() if room.get(2 * at) == 2 * at + 1}
        after, actions = carried_out(room, groups)
        assert after == as_planned(ends)
        assert actions == sum(component.actions for component in difference.components)
        wrong = {frozenset(pair) for pair in room.items() if pair[0] ^ 1 != pair[1]}
        assert {frozenset(pair) for one in difference.components for pair in one.plugged} == wrong
        assert int(difference.right.sum()) * 2 == sum(end ^ 1 == other for end, other in room.items())
        assert not difference.unseen.any()


def fewest_actions(plugged: frozenset[frozenset[int]], planned: frozenset[frozenset[int]], ports: range) -> int:
    """Fewest actions by breadth-first search over all rooms; an action moves an end, plugs or unplugs a cable.

    An end may go into a port that is taken: its cable's end hangs loose until it is put somewhere, for which it then
    needs its own action, as in a swap. A cable whose end hangs loose has that end written as -1 less its other end.
    """
    start, seen, queue = plugged, {plugged}, deque([(plugged, 0)])
    assert start is plugged
    while queue:
        room, depth = queue.popleft()
        if room == planned:
            return depth
        for following in _following(room, ports):
            if following not in seen:
                seen.add(following)
                queue.append((following, depth + 1))
    raise AssertionError("no way")


def _following(room: frozenset[frozenset[int]], ports: range) -> list[frozenset[frozenset[int]]]:
    at = {end: cable for cable in room for end in cable if end >= 0}
    result = []
    for cable in room:
        result.append(room - {cable})
        for end in cable:
            (stays,) = cable - {end}
            if stays < 0:
                continue
            for port in ports:
                if port in (stays, end):
                    continue
                others = room - {cable}
                pushed = at.get(port)
                if pushed is not None:  # its end is pulled for this one and hangs loose
                    (rest,) = pushed - {port}
                    if rest < 0 or pushed == cable:
                        continue
                    others = others - {pushed} | {frozenset((rest, -1 - rest))}
                result.append(others | {frozenset((stays, port))})
    free = [port for port in ports if port not in at]
    result += [room | {frozenset((one, other))} for one in free for other in free if one < other]
    return result


@pytest.mark.parametrize("seed", range(12))
def test_no_list_is_shorter_than_ours(seed: int) -> None:
    """Six ports with three cables planned, of which any are plugged anyhow: breadth-first search agrees."""
    rng = random.Random(seed)
    ports = list(range(6))
    rng.shuffle(ports)
    count = rng.randint(0, 3)
    plugged = frozenset(frozenset(ports[2 * at : 2 * at + 2]) for at in range(count))
    planned = frozenset(frozenset((2 * at, 2 * at + 1)) for at in range(3))
    wrong = [sorted(cable) for cable in plugged - planned]
    absent = np.array(sorted(min(cable) // 2 for cable in planned - plugged), dtype=np.int64)

    one = np.array([pair[0] for pair in wrong], dtype=np.int64)
    other = np.array([pair[1] for pair in wrong], dtype=np.int64)
    ours = sum(component.actions for component in components_of(one, other, absent))
    assert ours == fewest_actions(plugged, planned, range(6))


def test_a_swap_is_one_cycle_and_a_taken_out_cable_one_plug(tmp_path: Path) -> None:
    """Not two errors each: one finding of two ends, and one of a cable."""
    ends = make(tmp_path, "leaf-spine")
    room = as_planned(ends)
    swap(room, 1, 9)
    unplug(room, 20)
    _, groups = found(ends, room)
    lone = sorted((len(group.steps), group.ways[0].plug) for group in groups)
    assert lone == [(0, (20, 21)), (2, None)]


def test_both_ways_of_a_component_end_the_same(tmp_path: Path) -> None:
    """Moving the other ends of the cables is as short, and as right."""
    ends = make(tmp_path, "fat-tree")
    rng = random.Random(3)
    for _ in range(50):
        room = as_planned(ends)
        random_damage(ends, room, rng, 4)
        difference, _ = found(ends, room)
        for turned in (False, True):
            groups = [Group((one,), (way_of(one, turned=turned),)) for one in difference.components]
            assert carried_out(room, groups)[0] == as_planned(ends)
