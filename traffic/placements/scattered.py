"""Hosts in random order, as a scheduler hands them out on a busy cluster."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints
from topologies.registry import Injected
from topologies.units import CountOrZero
from traffic.placement import PlacementSite, fill_hosts
from traffic.workload import PLACEMENTS


@PLACEMENTS.register("scattered", example={"seed": 1})
def scattered(site: Injected[PlacementSite], seed: CountOrZero | None = None) -> Ints:
    """Ranks fill the hosts in a seeded random order; ranks of one host stay together.

    Parameters
    ----------
    seed : int, optional
        Seed of the permutation; without one the scenario's seed decides.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.
    """
    rng = site.rng if seed is None else np.random.default_rng(seed)
    return fill_hosts(rng.permutation(len(site.hosts)), site.free, site.ranks)
