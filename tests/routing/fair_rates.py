"""Max-min fair rates of all flows, by the compiled filling that the hashed router calls for the worst flow only."""

from __future__ import annotations

import numpy as np

from fabric.routing.fair_share import add_loads, fill


def max_min_rates(start, link, offered_gbps, capacity_gbps):
    """Gbps of every flow; flow f crosses ``link[start[f]:start[f + 1]]``, negative entries are no link."""
    offered, capacity = np.array(offered_gbps, dtype=np.float64), np.array(capacity_gbps, dtype=np.float64)
    starts, links = np.array(start, dtype=np.int64), np.array(link, dtype=np.int32)
    load = np.zeros(len(capacity))
    add_loads(starts, links, offered, load)
    rate = np.empty(len(offered))
    fill(starts, links, offered, np.argsort(offered, kind="stable"), capacity, load, rate, False)
    return rate
