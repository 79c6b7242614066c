"""Cabling of 262,144 ends verified: ``python -m benchmarks.verify_cabling [FOLDER]``, with LLDP of all 66,624 devices.

1,024 leaves with 64 hosts and an uplink to each of 64 spines; four swaps, two cables taken out, one leaf plugged a port
off. The files are written untimed. Prints processor seconds and wall of every part, and the peak of memory. Routing is
not in it: it takes what ``fabric route`` does, for the fabric as plugged and for every finding that is routed alone.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from fabric.operate.cabling.components import differences
from fabric.operate.cabling.harmless import Nodes, harmless
from fabric.operate.cabling.names import PlanNames
from fabric.operate.cabling.planned import PlannedEnds, planned_ends
from fabric.operate.cabling.seen import see
from fabric.operate.cabling.units import grouped
from fabric.operate.observed.read import read_neighbours
from fabric.pipeline.network import build_network
from fabric.scenario.load import load_scenario

SCENARIO = """\
version: 1
name: cabling-262144
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 1024, spines: 64, hosts_per_leaf: 64, host_speed: 400G, uplink_speed: 400G}
"""
SWAPS, TAKEN_OUT = 4, 2


def damaged(ends: PlannedEnds) -> dict[int, int]:
    """End -> end across, as plugged: the damage is on cables that have nothing to do with each other."""
    room = {end: end ^ 1 for end in range(len(ends))}

    def exchange(one: int, other: int) -> None:
        far, away = room[one], room[other]
        room[one], room[away], room[other], room[far] = away, one, far, other

    for number in range(SWAPS):
        exchange(2 * (1_000 + 700 * number) + 1, 2 * (40_000 + 900 * number) + 1)
    for number in range(TAKEN_OUT):
        end = 2 * (60_000 + number)
        del room[end], room[end ^ 1]
    own = [end for end in range(len(ends)) if ends.devices[int(ends.device[end])] == "leaf900"]
    far = [room[end] for end in own]
    for end, other in zip(own, far[1:] + far[:1], strict=True):
        room[end], room[other] = other, end
    return room


def write(ends: PlannedEnds, room: dict[int, int], folder: Path) -> None:
    """A file of every device, as lldpctl -f json0."""
    told: dict[int, list[object]] = {}
    for end, other in room.items():
        entry = {
            "name": ends.port[end],
            "via": "LLDP",
            "chassis": [{"name": [{"value": ends.devices[int(ends.device[other])]}]}],
            "port": [{"id": [{"type": "ifname", "value": ends.port[other]}]}],
        }
        told.setdefault(int(ends.device[end]), []).append(entry)
    for device, name in enumerate(ends.devices):
        text = json.dumps({"lldp": [{"interface": told.get(device, [])}]})
        (folder / f"{name.replace('/', '-')}.json").write_text(text, encoding="utf-8")


class Clock:
    """Processor and wall seconds of every part."""

    def __init__(self) -> None:
        self.parts: dict[str, tuple[float, float]] = {}
        self._at = (time.process_time(), time.perf_counter())

    def lap(self, name: str) -> None:
        """The part that ends here."""
        now = (time.process_time(), time.perf_counter())
        self.parts[name] = (round(now[0] - self._at[0], 2), round(now[1] - self._at[1], 2))
        self._at = now


def main() -> None:
    """Write, read, compare; the findings are checked against the damage."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
        scenario, folder = Path(place) / "s.yaml", Path(place) / "lldp"
        folder.mkdir()
        scenario.write_text(SCENARIO, encoding="utf-8")
        loaded = load_scenario(scenario)
        first = planned_ends(loaded, build_network(loaded))
        write(first, damaged(first), folder)
        clock = Clock()
        ends = planned_ends(loaded, build_network(loaded))
        clock.lap("plan")
        heard = read_neighbours("lldp", folder)
        clock.lap("read")
        seen = see(PlanNames(ends), heard)
        clock.lap("match")
        difference = differences(seen)
        groups = grouped(difference)
        nodes = Nodes(seen)
        reasons = [harmless(difference, group, nodes) for group in groups]
        clock.lap("compare")
    found = {"findings": len(groups), "units": sum(group.unit is not None for group in groups),
             "harmless": sum(map(bool, reasons)), "absent": int(difference.absent.sum())}  # fmt: skip
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    whole = [round(sum(times), 2) for times in zip(*clock.parts.values(), strict=True)]
    print(json.dumps({"ends": len(ends), **found, "cpu_s": whole[0], "wall_s": whole[1], "peak_mb": round(peak_mb),
                      "parts": clock.parts}))  # fmt: skip
    if len(groups) != SWAPS + TAKEN_OUT + 1:
        raise SystemExit(f"{len(groups)} findings of {SWAPS + TAKEN_OUT + 1}")


if __name__ == "__main__":
    main()
