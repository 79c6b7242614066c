"""Ring neighbours next to each other, and on one rail.

``packed`` follows the rank numbers alone. That puts data-parallel neighbours far apart when ``order`` numbers pipeline
stages before data-parallel ranks, and moves rings across rails when a host holds several tensor-parallel groups: the
ring leaves GPU 4 of one host for GPU 0 of the next. ``rail-aligned`` lays out blocks of one tensor-parallel group each:

1. blocks are sorted with the data-parallel index fastest, then context, expert and pipeline index;
2. a host has g/t slots; with H hosts in use, the first H blocks take slot 0 of hosts 0..H−1, the next H take slot 1 of
   hosts H−1..0, and so on, back and forth.

Consecutive blocks are then neighbours in the host list on the same GPUs, so on the same rail, or share a host.
"""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.registry import Injected
from traffic.placement import PlacementSite
from traffic.workload import PLACEMENTS


@PLACEMENTS.register("rail-aligned", example={})
def rail_aligned(site: Injected[PlacementSite]) -> Ints:
    """Tensor-parallel groups inside hosts, data-parallel ring neighbours on neighbouring hosts and one rail.

    Groups wider than a host are kept inside a scale-up domain, which then takes the place of the host.

    Returns
    -------
    ndarray of int, shape (ranks, 2)
        Host index and GPU index of every rank. Tensor rank i of slot k runs on GPU k·t + i.

    Raises
    ------
    TrafficError
        When tensor-parallel groups do not fit evenly into hosts (FP4024), or too few hosts are free (FP4022).
    """
    width = site.grid.sizes["tp"]
    free = site.free_together(width)
    gpus, what = free.shape[1], "host" if free.shape[1] == site.gpus_per_host else "scale-up domain"
    if gpus % width:
        raise TrafficError(
            f"rail-aligned keeps tensor parallelism inside a {what}, but tp {width} does not divide {gpus} GPUs",
            where="parallelism.tp",
            hint=f"choose a tp that divides the GPUs of a {what}, or placement order: packed",
            code="FP4024",
        )
    at = site.grid.coordinates(np.arange(site.ranks))
    block = np.zeros(site.ranks, dtype=np.int64)
    for name in ("pp", "ep", "cp", "dp"):
        block = block * site.grid.sizes[name] + at[name]
    slots = gpus // width
    hosts = -(-(site.ranks // width) // slots)
    empty = np.flatnonzero(free.all(axis=1))
    if len(empty) < hosts:
        raise TrafficError(
            f"rail-aligned takes whole {what}s: {hosts:,} are needed, {len(empty):,} are free of other jobs",
            where="placement.order",
            hint="placement order: packed fills what is left of hosts",
            code="FP4022",
        )
    slot, step = block // hosts, block % hosts
    host = empty[np.where(slot % 2 == 0, step, hosts - 1 - step)]
    return site.seat(column(host, np.int32), column(slot * width + at["tp"], np.int32), free)
