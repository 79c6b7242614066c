"""Permutation: every place sends all it has to one other, and receives from one."""

from __future__ import annotations

import numpy as np

from topologies.registry import Injected
from topologies.units import CountOrZero
from traffic.demands import Flows
from traffic.synthetic import Places, matched
from traffic.workload import PATTERNS


@PATTERNS.register("permutation", example={"seed": 1})
def permutation(
    places: Injected[Places],
    amount: Injected[float],
    rng: Injected[np.random.Generator],
    seed: CountOrZero | None = None,
) -> Flows:
    """A random permutation without fixed points; every place sends S to its image.

    Parameters
    ----------
    places : Places
        n ≥ 2 places.
    amount : float
        Size S of one place, bytes or Gbps.
    seed : int, optional
        Seed of the permutation; without one ``rng`` decides.

    Returns
    -------
    Flows
        n rows, or one per turn and place where places have several endpoints.
    """
    partner = derangement(len(places), rng if seed is None else np.random.default_rng(seed))
    return matched(places, partner, amount)


def derangement(count: int, rng: np.random.Generator) -> np.ndarray:
    """A permutation of ``count`` things that leaves none in place, all equally likely.

    A permutation has no fixed point with probability 1/e, so drawing until one has none takes e draws on average.
    """
    while True:
        image = rng.permutation(count)
        if not np.any(image == np.arange(count)):
            return image
