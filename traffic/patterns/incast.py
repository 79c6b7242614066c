"""Incast: many places send to one at the same time."""

from __future__ import annotations

import numpy as np

from topologies.registry import Injected
from topologies.units import Count, CountOrZero
from traffic.demands import Flows
from traffic.synthetic import Places, between_places, drawn_places
from traffic.workload import PATTERNS


@PATTERNS.register("incast", example={"fan_in": 3, "seed": 1})
def incast(
    places: Injected[Places],
    amount: Injected[float],
    rng: Injected[np.random.Generator],
    targets: Count = 1,
    fan_in: Count | None = None,
    seed: CountOrZero | None = None,
) -> Flows:
    """Each of some targets gets S from each of its senders.

    Parameters
    ----------
    places : Places
        n places.
    amount : float
        Size S that a sender sends to a target, bytes or Gbps.
    targets : int
        Places that receive, drawn at random.
    fan_in : int, optional
        Senders of each target, drawn at random; all others if absent.
    seed : int, optional
        Seed of the draws; without one the scenario's seed decides.

    Raises
    ------
    TrafficError
        When there are fewer places (FP4044).

    References
    ----------
    Phanishayee et al., "Measurement and analysis of TCP throughput collapse", FAST 2008.
    """
    return between_places(places, *drawn_places(places, targets, fan_in, "targets", "fan_in", rng, seed)[::-1], amount)
