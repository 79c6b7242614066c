"""Gravity: traffic between two places is proportional to the product of their weights."""

from __future__ import annotations

import numpy as np

from topologies.errors import TrafficError
from topologies.registry import Injected
from topologies.units import CountOrZero
from traffic.demands import Flows
from traffic.synthetic import Places, check_rows
from traffic.workload import PATTERNS

MAX_PLACES = 4_000  # 16 million pairs: about 1 GB while they are built


@PATTERNS.register("gravity", example={"seed": 1})
def gravity(
    places: Injected[Places],
    amount: Injected[float],
    rng: Injected[np.random.Generator],
    seed: CountOrZero | None = None,
) -> Flows:
    """Places i and j exchange n·S·w_i·w_j / Σ w_k·w_l over k ≠ l; weights are log-normal, σ = 1.

    Parameters
    ----------
    places : Places
        n places. Of a place with several endpoints, the pair (i, j) uses endpoint j of i and i of j, round-robin.
    amount : float
        Mean size S of a place, bytes or Gbps; the total is n·S.
    seed : int, optional
        Seed of the weights; without one ``rng`` decides.

    Raises
    ------
    TrafficError
        When there are more than 4,000 places (FP4042).

    References
    ----------
    Roughan, "Simplifying the synthesis of Internet traffic matrices", CCR 35(5), 2005.
    """
    count, turns = places.nodes.shape
    if count > MAX_PLACES:
        raise TrafficError(
            f"gravity between {count:,} places is {count * (count - 1):,} demands; at most {MAX_PLACES:,} places fit",
            where="members",
            hint="level: leaf works between leaves; all-to-all has no such limit",
            code="FP4042",
        )
    check_rows(count * count, count, where="members")
    weight = (rng if seed is None else np.random.default_rng(seed)).lognormal(size=count)
    product = np.outer(weight, weight)
    np.fill_diagonal(product, 0.0)
    one, other = np.nonzero(product)
    amounts = count * amount * product[one, other] / product.sum()
    return Flows.of(places.nodes[one, other % turns], places.nodes[other, one % turns], amounts)
