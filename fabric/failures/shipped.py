"""A sweep as work for other processes: made again from the scenario, its chunks as plain values.

``prepare`` and ``work`` are called by name (``fabric.failures.shipped:work``) with what can be pickled; ``tally_of``
reads the answer. What chunks come to does not depend on how the units are cut into chunks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fabric.failures.case_limits import LimitTally
from fabric.failures.chunks import Ground, Sweep, Tally
from fabric.failures.engine import LinkWorst
from fabric.failures.enumerate import case_set
from fabric.failures.figures import CaseFigures
from fabric.failures.request import FailureRequest
from fabric.pipeline.run import run_scenario
from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True)
class Shipped:
    """Which sweep: the request with the set that it names, and positions of the limits that are judged in it."""

    request: FailureRequest
    limits: tuple[int, ...] = ()


def shipped(sweep: Sweep) -> Shipped:
    """What other processes need besides the scenario."""
    every = sweep.ground.run.loaded.scenario.limits
    return Shipped(sweep.request, tuple(every.index(limit) for limit in sweep.limits))


def prepare(loaded: LoadedScenario, asked: Shipped) -> Sweep:
    """The sweep, made from the scenario."""
    run = run_scenario(loaded, asked.request.route)
    limits = tuple(loaded.scenario.limits[place] for place in asked.limits)
    return Sweep(Ground.of(run, asked.request), case_set(run, asked.request), asked.request, limits)


def work(sweep: Sweep, first: int, last: int) -> dict[str, Any]:
    """Units ``first`` to ``last`` of a sweep, as plain values."""
    tally = sweep.chunk(first, last)
    return {
        **{name: getattr(tally, name) for name in ("cases", "evaluated", "by_state", "cut_off", "over_capacity")},
        "figures": dict(vars(tally.figures)),
        "worst": [_listed(each) for each in tally.worst],
        "limits": [dict(vars(each)) for each in tally.limits],
    }


def tally_of(plain: Mapping[str, Any], links: list[int]) -> Tally:
    """What ``work`` gave; ``links`` is how many there are in the fabric of every phase."""
    return Tally(
        **{name: plain[name] for name in ("cases", "evaluated", "by_state", "cut_off", "over_capacity")},
        figures=CaseFigures(**plain["figures"]),
        worst=tuple(_worst(each, count) for each, count in zip(plain["worst"], links, strict=True)),
        limits=tuple(LimitTally(**each) for each in plain["limits"]),
    )


def _listed(worst: LinkWorst) -> dict[str, Any]:
    """Only the links that a case changes."""
    rows = np.flatnonzero(worst.case[:, 0] >= 0)
    return {"link": rows, "utilisation": worst.utilisation[rows], "case": worst.case[rows]}


def _worst(plain: Mapping[str, Any], links: int) -> LinkWorst:
    worst = LinkWorst.empty(links)
    worst.utilisation[plain["link"]] = plain["utilisation"]
    worst.case[plain["link"]] = plain["case"]
    return worst
