"""Whether parts are max-min fair: nobody could get more without taking from somebody who has no more.

Entries rise together, stage by stage, until prices say that some cannot rise further; those keep their part. In a
stage, let L be the least part of those that still rise, and take any routing in which nobody has less than here, except
perhaps entries above L. Traffic pays what its cheapest path costs, and links earn no more than Σ c w, so

    n_e dist_e (y_e - L) ≤ Σ c w - Σ_{stopped before} n x dist - L Σ_{rising} n dist

for the part y_e of any single entry that rises in the stage. An entry stops where that leaves it no room.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.certificate_check.bound import earned_gbps, paid_gbps, rounding
from fabric.certificate_check.columns import Bools, PhaseColumns, StageColumns
from fabric.certificate_check.demand import PointDemand
from fabric.certificate_check.network import Network
from fabric.certificate_check.policy import least_prices

_ALIKE = 1e-6  # relative; levels of stages this close need no order
_WHOLE = 1 - 1e-9


@dataclass(frozen=True)
class Levels:
    """By how much any entry could get more, relative to its part, and which; or why that cannot be said."""

    gap: float
    words: str
    wrong: tuple[str, ...] = ()


def check_levels(
    network: Network, phase: PhaseColumns, demand: PointDemand, stages: StageColumns, has_path: Bools
) -> Levels:
    """The largest gap of all entries that are not admitted whole."""
    ceiling = np.where(has_path, 1.0, 0.0)
    wrong: list[str] = []
    for stage in range(len(stages.start) - 1):
        price = stages.of(stage, len(network.tail))
        rising = has_path & ((demand.stage >= stage) | (demand.stage < 0))
        stopped, before = has_path & (demand.stage == stage), has_path & ~rising
        if not stopped.any():
            continue
        level = float(demand.part[rising].min())
        if demand.part[before].max(initial=0.0) > level * (1 + _ALIKE):
            wrong.append(f"stage {stage} has a level of {level:.6g}, an entry that stopped before has more")
        paid = paid_gbps(demand, least_prices(network, phase, demand, price))
        earned = earned_gbps(network, price)
        taken = float((paid * demand.part)[before].sum()) + level * float(paid[rising].sum())
        if not np.isfinite(earned + taken + paid.sum()):
            continue  # sums that overflow prove nothing
        room = earned - taken + rounding(network) * (earned + taken)
        with np.errstate(divide="ignore", invalid="ignore"):
            most = level + max(room, 0.0) / paid[stopped]
        ceiling[stopped] = np.minimum(np.where(paid[stopped] > 0, most, 1.0), 1.0)
    cut = np.flatnonzero(has_path & (demand.part < _WHOLE))
    if not len(cut):
        return Levels(0.0, "all demand is admitted whole", tuple(wrong))
    with np.errstate(divide="ignore"):
        gap = np.maximum(ceiling[cut] / demand.part[cut] - 1, 0.0)
    worst = int(cut[np.argmax(gap)])
    src, dst = network.point_name(int(demand.src[worst])), network.point_name(int(demand.dest_of_entry[worst]))
    words = f"{src} to {dst} has {demand.part[worst]:.9g} and prices allow {ceiling[worst]:.9g}"
    return Levels(float(gap.max()), words, tuple(wrong))
