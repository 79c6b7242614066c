"""How many cables lie in every piece of tray."""

from __future__ import annotations

import numpy as np

from fabric.site.devices import Equipment
from fabric.site.site_plan import SitePlan
from topologies.columns import Longs, column


def tray_cables(plan: SitePlan, equipment: Equipment) -> Longs:
    """Cables over every segment of the floor's trays, shape (S,)."""
    racks = plan.floor.racks
    of_device = np.array(
        [plan.by_device[device.key].rack if device.key in plan.by_device else -1 for device in equipment.devices]
    )
    one, other = of_device[equipment.ends[:, 0]], of_device[equipment.ends[:, 1]]
    apart = (one != other) & (one >= 0) & (other >= 0)
    pairs = np.stack([np.minimum(one, other)[apart], np.maximum(one, other)[apart]], axis=1)
    unique, place = np.unique(pairs, axis=0, return_inverse=True)
    counts = np.bincount(place.ravel(), equipment.cables[apart], len(unique))
    load = np.zeros(len(plan.floor.segments), dtype=np.int64)
    for (low, high), count in zip(unique.tolist(), counts.tolist(), strict=True):
        ends = [(racks[rack].row, racks[rack].place) for rack in (low, high)]
        load[list(plan.floor.trays.pieces(ends[0], ends[1]))] += int(count)
    return column(load, np.int64)
