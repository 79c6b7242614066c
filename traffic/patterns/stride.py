"""Stride: every place sends to the one a fixed distance further."""

from __future__ import annotations

import numpy as np

from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import Count
from traffic.demands import Flows
from traffic.synthetic import Places, matched
from traffic.workload import PATTERNS


@PATTERNS.register("stride", example={"step": 1})
def stride(places: Injected[Places], amount: Injected[float], step: Count | None = None) -> Flows:
    """Place i sends S to place i + step, round the end.

    Parameters
    ----------
    places : Places
        n places.
    amount : float
        Size S of one place, bytes or Gbps.
    step : int, optional
        Distance; half of the places if absent.

    Raises
    ------
    TrafficError
        When the step leads back to the sender (FP4043).

    References
    ----------
    Al-Fares et al., "Hedera", NSDI 2010, section 5.
    """
    count = len(places)
    far = count // 2 if step is None else step
    if far % count == 0:
        raise TrafficError(
            f"a step of {far} among {count} places leads back to the sender",
            where="step",
            hint=f"step is 1 to {count - 1}",
            code="FP4043",
        )
    return matched(places, (np.arange(count) + far) % count, amount)
