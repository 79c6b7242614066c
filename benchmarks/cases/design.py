"""From a requirement to a design: ``design GPUS``; or where racks and switches stand: ``design floor HOSTS``.

Timed: reading the requirement, search, and every design shown built, routed and failed; of a floor, placing the
switches and proving the bound on the length of all cables.
"""

from __future__ import annotations

import json
import sys
import time

from benchmarks.measure import taken
from fabric.design.design import design
from fabric.design.requirement_file import load_requirement
from fabric.pipeline.prepared import build
from fabric.scenario.load import load_scenario_text

FLOOR = """
version: 1
name: floor
site: {{rows: {rows}, racks_per_row: 20, rack_units: 48, rack_pitch: 0.6 m, row_pitch: 2.4 m, overhead_tray: 3 m}}
nodes:
  - group: gpu
    model: hgx-h100-8
    count: {hosts}
    per_rack: 4
    nics: {{backend: {{speed: 400G, count: 8, rail: per-gpu}}}}
fabrics:
  backend:
    topology:
      kind: leaf-spine
      leaf: {{model: eth-128x400, count: {leaves}, down: 64, up: 64}}
      spine: {{model: eth-128x400, count: 64}}
"""


def designed(gpus: int) -> dict[str, object]:
    """The default question at a size."""
    began = time.perf_counter()
    result = design(load_requirement(None, given={"name": "bench", "require": {"gpus": gpus, "nic": "400G"}}))
    seconds = time.perf_counter() - began
    note = f"{result.status}, {len(result.designs)} designs, {result.tried} built, routed and failed"
    return {**taken(0.0), "seconds": seconds, "theta": result.value, "bound": result.bound, "note": note}


def floor(hosts: int) -> dict[str, object]:
    """A leaf-spine fabric whose switches may stand anywhere."""
    text = FLOOR.format(rows=hosts // 4 // 20 + 3, hosts=hosts, leaves=hosts // 8)
    loaded = load_scenario_text(text, "floor.fabric.yaml")
    began = time.perf_counter()
    network = build(loaded)
    plan = network.site
    if plan is None:
        raise SystemExit("the floor plan places nothing")
    total, bound = plan.total_m, plan.bound_m
    seconds = time.perf_counter() - began
    cables = sum(int(topology.is_cable.sum()) for topology in network.topologies.values())
    return {
        **taken(0.0),
        "seconds": seconds,
        "theta": total,
        "bound": bound,
        "note": f"{cables:,} cables, {total:,.0f} m",
    }


def main() -> None:
    """Print one line."""
    what, *rest = sys.argv[1:]
    print(json.dumps(floor(int(rest[0])) if what == "floor" else designed(int(what))))


if __name__ == "__main__":
    main()
