"""Machine rooms for tests: cables as planned, then damaged, and what every device would tell of them."""

from __future__ import annotations

import json
import random
from pathlib import Path

from fabric.operate.cabling.planned import PlannedEnds, planned_ends
from fabric.operate.observed.neighbours import Neighbours
from fabric.pipeline.network import build_network
from fabric.scenario.load import LoadedScenario, load_scenario

Plugged = dict[int, int]  # end -> end across, both ways


def plan_of(path: Path) -> tuple[LoadedScenario, PlannedEnds]:
    """A scenario and its ends."""
    loaded = load_scenario(path)
    return loaded, planned_ends(loaded, build_network(loaded))


def as_planned(ends: PlannedEnds) -> Plugged:
    """Every cable where it belongs."""
    return {end: end ^ 1 for end in range(len(ends))}


def plug(room: Plugged, one: int, other: int) -> None:
    """A cable between two free ports."""
    assert one not in room
    assert other not in room
    room[one], room[other] = other, one


def unplug(room: Plugged, end: int) -> int:
    """Take the cable at an end out; its other end."""
    other = room.pop(end)
    del room[other]
    return other


def swap(room: Plugged, one: int, other: int) -> None:
    """Exchange the ends of two cables at two ports."""
    far, away = unplug(room, one), unplug(room, other)
    plug(room, one, away)
    plug(room, other, far)


def heard(
    ends: PlannedEnds, room: Plugged, *, silent: frozenset[str] = frozenset(), slow: dict[int, float] | None = None
) -> Neighbours:
    """What every device that is not silent tells."""
    into = Neighbours(files=[Path("room.json")])
    for device in ends.devices:
        if device not in silent:
            into.listen(device)
    for end, other in sorted(room.items()):
        here, there = ends.at(end), ends.at(other)
        gbps = (slow or {}).get(end // 2, float("nan"))
        if here.device not in silent:
            into.add(here.device, here.port, (there.device,), (there.port,), gbps=gbps)
    return into


def lldp_files(ends: PlannedEnds, room: Plugged, folder: Path, *, silent: frozenset[str] = frozenset()) -> Path:
    """The same as ``lldpctl -f json0`` of every device."""
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, list[dict[str, object]]] = {device: [] for device in ends.devices if device not in silent}
    for end, other in sorted(room.items()):
        here, there = ends.at(end), ends.at(other)
        if here.device in told:
            told[here.device].append(
                {
                    "name": here.port,
                    "via": "LLDP",
                    "chassis": [
                        {"name": [{"value": there.device}], "id": [{"type": "mac", "value": "02:00:00:00:00:01"}]}
                    ],
                    "port": [{"id": [{"type": "ifname", "value": there.port}]}],
                }
            )
    for device, interfaces in told.items():
        text = json.dumps({"lldp": [{"interface": interfaces}]}, indent=1)
        (folder / f"{device.replace('/', '-')}.json").write_text(text, encoding="utf-8")
    return folder


def random_damage(ends: PlannedEnds, room: Plugged, rng: random.Random, times: int) -> None:
    """Swaps, cables taken out, and cables moved into freed ports, at random."""
    for _ in range(times):
        kind = rng.choice(("swap", "unplug", "move", "shift"))
        plugged = sorted(room)
        if kind == "swap" and len(plugged) >= 4:
            one, other = rng.sample(plugged, 2)
            if room[one] != other:
                swap(room, one, other)
        elif kind == "unplug" and plugged:
            unplug(room, rng.choice(plugged))
        elif kind == "move" and plugged:
            free = sorted(set(range(len(ends))) - set(room))
            if free:
                end = rng.choice(plugged)
                other = unplug(room, end)
                plug(room, rng.choice(free), other)
        elif kind == "shift" and plugged:
            device = ends.device[rng.choice(plugged)]
            own = [end for end in plugged if ends.device[end] == device and ends.device[room[end]] != device]
            own.sort(key=lambda end: int(ends.ordinal[end]))
            if len(own) > 1:
                far = [unplug(room, end) for end in own]
                for end, other in zip(own, far[1:] + far[:1], strict=True):
                    plug(room, end, other)
