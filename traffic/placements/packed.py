"""Ranks fill the hosts in the order of the scenario."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints
from topologies.registry import Injected
from traffic.placement import PlacementSite, fill_hosts
from traffic.workload import PLACEMENTS


@PLACEMENTS.register("packed", example={})
def packed(site: Injected[PlacementSite]) -> Ints:
    """Rank r runs on GPU r mod g of host r div g, hosts in scenario order; GPUs of other jobs are passed over.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank.
    """
    return fill_hosts(np.arange(len(site.hosts)), site.free, site.ranks)
