"""Outcast: one place sends to many at the same time."""

from __future__ import annotations

import numpy as np

from topologies.registry import Injected
from topologies.units import Count, CountOrZero
from traffic.demands import Flows
from traffic.synthetic import Places, between_places, drawn_places
from traffic.workload import PATTERNS


@PATTERNS.register("outcast", example={"fan_out": 3, "seed": 1})
def outcast(
    places: Injected[Places],
    amount: Injected[float],
    rng: Injected[np.random.Generator],
    sources: Count = 1,
    fan_out: Count | None = None,
    seed: CountOrZero | None = None,
) -> Flows:
    """Each of some sources sends S to each of its receivers, as model weights are handed out.

    Parameters
    ----------
    places : Places
        n places.
    amount : float
        Size S that a source sends to a receiver, bytes or Gbps.
    sources : int
        Places that send, drawn at random.
    fan_out : int, optional
        Receivers of each source, drawn at random; all others if absent.
    seed : int, optional
        Seed of the draws; without one the scenario's seed decides.

    Raises
    ------
    TrafficError
        When there are fewer places (FP4044).
    """
    return between_places(places, *drawn_places(places, sources, fan_out, "sources", "fan_out", rng, seed), amount)
