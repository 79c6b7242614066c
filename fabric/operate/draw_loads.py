"""Mean rates of links in draws of the hash that no plan was made from: the same flows under other switches."""

from __future__ import annotations

import numpy as np

from fabric.operate.forecast import DRAWS, columns_of, in_draw
from fabric.pipeline.run import Run
from topologies.columns import Floats


def drawn_means(run: Run, fabric: str, count: int) -> Floats:
    """Mean rates of all links in ``count`` draws, Gbps, shape (count, L).

    Steps are taken at the speed that they have without congestion, and as much slower as the fullest link then needs:
    no draw has higher means.
    """
    columns = [column for column in columns_of(run, fabric) if not column.now_and_then]
    topology = next(route.topology for route in run.result.routes if route.fabric == fabric)
    means = np.zeros((count, len(topology.links)))
    room = np.where(topology.capacity_gbps > 0, topology.capacity_gbps, np.inf)
    for draw in range(count):
        known: dict[int, Floats] = {}
        for column in columns:
            if id(column.route) not in known:
                known[id(column.route)] = in_draw(column.route, DRAWS + draw)
            means[draw] += column.fastest * known[id(column.route)][:, column.code]
        means[draw] /= max(1.0, float((means[draw] / room).max(initial=0.0)))
    return means
