"""A failure sweep by one worker and by two, in one run: ``spread [local|dask] [UNITS]``.

Every single failure of a leaf-spine fabric, as many as UNITS (600) says, timed from the first answer to the last: the
start of workers is not in it. Totals of both must be equal. The time is that of two; the note has the ratio. With
``dask`` the address of a running scheduler is in FABRIC_BENCH_SCHEDULER, and all its workers work.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import taken
from fabric.failures.chunks import Ground, Sweep
from fabric.failures.enumerate import case_set
from fabric.failures.request import FailureRequest
from fabric.failures.spread import failure_job
from fabric.pipeline.run import run_scenario
from fabric.scenario.load import load_scenario
from fabric.spread.run import Part, Spread, SpreadOptions, take_all
from fabric.spread.shipment import Shipment

SCENARIO = """\
version: 1
name: spread
nodes:
  - {group: gpu, count: 256, gpus: 2, nics: {main: {count: 2, speed: 100G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 32, spines: 16, hosts_per_leaf: 16, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ecmp}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
"""


def swept(sweep: Sweep, shipment: Shipment, options: SpreadOptions) -> tuple[float, list[Any]]:
    """Seconds from the first answer to the last, so that the start of workers is not in it; and what it came to."""
    totals: list[Any] = []
    times: list[float] = []

    def take(part: Part) -> None:
        times.append(time.perf_counter())
        value = part.value
        totals.append((value["cases"], value["cut_off"], value["over_capacity"]))

    take_all(Spread(failure_job(sweep, shipment), options), take)
    return times[-1] - times[0], [sum(column) for column in zip(*totals, strict=True)]


def main() -> None:
    """Sweep by one, then by two."""
    backend, units = (*sys.argv[1:], *("local", "600")[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_text(SCENARIO, encoding="utf-8")
        loaded = load_scenario(path)
        request = FailureRequest()
        run = run_scenario(loaded)
        cases = case_set(run, request)
        sweep = Sweep(Ground.of(run, request), cases.slice(0, min(int(units), len(cases))), request)
        shipment = Shipment.of(loaded)
        one_s, one = swept(sweep, shipment, SpreadOptions(workers=1))
        many = (
            SpreadOptions(workers=2)
            if backend == "local"
            else SpreadOptions("dask", os.environ["FABRIC_BENCH_SCHEDULER"])
        )
        two_s, two = swept(sweep, shipment, many)
    if one != two:
        raise SystemExit(f"one worker gave {one}, two gave {two}")
    print(
        json.dumps({**taken(0.0), "seconds": two_s, "note": f"two workers {one_s / two_s:.2f}x one, {one[0]:,} cases"})
    )


if __name__ == "__main__":
    main()
