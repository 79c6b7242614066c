"""Hotspot: a share of all traffic goes to a few places, the rest to all alike."""

from __future__ import annotations

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count, CountOrZero, Ratio
from traffic.demands import Flows, merge_flows
from traffic.synthetic import Places, between_places, uniform_blocks
from traffic.workload import PATTERNS


@PATTERNS.register("hotspot", example={"hot": 1, "share": 0.5, "seed": 1})
def hotspot(
    places: Injected[Places],
    amount: Injected[float],
    rng: Injected[np.random.Generator],
    hot: Count = 1,
    share: Ratio = 0.5,
    seed: CountOrZero | None = None,
) -> Flows:
    """Every place sends share·S evenly to the hot places, and the rest of S evenly to all.

    Parameters
    ----------
    places : Places
        n places.
    amount : float
        Size S of one place, bytes or Gbps; the part for itself stays.
    hot : int
        Hot places, drawn at random.
    share : float
        Part of all traffic that goes to them, 0 to 1.
    seed : int, optional
        Seed of the draw; without one the scenario's seed decides.

    Raises
    ------
    TrafficError
        When there are fewer places than hot ones, or the share is not between 0 and 1 (FP4044).
    """
    count = len(places)
    if hot > count or not 0 <= share <= 1:
        raise TrafficError(
            f"{hot} hot places of {count}" if hot > count else f"share is {share:g}",
            where="hot" if hot > count else "share",
            hint=f"hot is 1 to {count}, share 0 to 100%",
            code="FP4044",
        )
    draw = rng if seed is None else np.random.default_rng(seed)
    chosen = np.sort(draw.choice(count, hot, replace=False))
    tail, head = np.repeat(np.arange(count), hot), np.tile(chosen, count)
    focused = between_places(places, column(tail, np.int32), column(head, np.int32), amount * share / hot)
    return merge_flows([focused, uniform_blocks(places, amount * (1 - share) / count)])
