"""A job whose answer is known: the squares of its units, slowly, with ways to go wrong."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.spread.job import Job
from fabric.spread.run import Part, Spread, SpreadOptions, take_all
from fabric.spread.shipment import Shipment
from topologies.errors import TrafficError

SCENARIO = """\
version: 1
name: toy
fabrics:
  main: {topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
"""


@dataclass(frozen=True)
class Toy:
    """What tasks need."""

    name: str
    seconds: float
    dies_at: int | None
    flag: str
    refuses_at: int | None
    log: str


def prepare(loaded: LoadedScenario, arguments: dict[str, Any]) -> Toy:
    """Called once a worker."""
    defaults = {"seconds": 0.0, "dies_at": None, "flag": "", "refuses_at": None, "log": ""}
    return Toy(loaded.scenario.name, **{**defaults, **arguments})


def fingerprint(toy: Toy) -> str:
    """What every worker must have."""
    return toy.name


def squares(toy: Toy, first: int, last: int) -> dict[str, Any]:
    """The squares, and what they add up to; dies once at one of them."""
    for unit in range(first, last):
        time.sleep(toy.seconds)
        if toy.dies_at == unit and (not toy.flag or not Path(toy.flag).exists()):
            if toy.flag:
                Path(toy.flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if toy.refuses_at == unit:
            raise TrafficError(f"unit {unit} cannot be had", hint="take another", code="FP4000")
        if toy.log:
            with Path(toy.log).open("a", encoding="utf-8") as file:
                file.write(f"{unit} {os.getpid()}\n")
    units = np.arange(first, last)
    return {"squares": units**2, "first": first, "nothing": None, "infinite": float("inf")}


def scenario(folder: Path) -> LoadedScenario:
    """The scenario in a folder."""
    path = folder / "toy.yaml"
    if not path.exists():
        path.write_text(SCENARIO, encoding="utf-8")
    return load_scenario(path)


def job(folder: Path, units: int, **arguments: Any) -> Job:
    """The job over so many units."""
    return Job(
        name="squares",
        unit="numbers",
        units=units,
        prepare="toy_work:prepare",
        work="toy_work:squares",
        scenario=Shipment.of(scenario(folder)),
        arguments=arguments,
        asked={"units": units},
        prove="toy_work:fingerprint",
        fingerprint="toy",
    )


def done(toy: Job, options: SpreadOptions = SpreadOptions(), **keys: Any) -> tuple[list[int], Spread]:
    """All squares in the order in which they came, and the job."""
    found: list[int] = []

    def take(part: Part) -> None:
        assert part.value["infinite"] == float("inf")
        assert len(part.value["squares"]) == part.last - part.first
        found.extend(part.value["squares"].tolist())

    spread = Spread(toy, options, **keys)
    take_all(spread, take)
    return found, spread
