"""How Open vSwitch turns the weights of a select group into parts.

By default, and with ``selection_method=dp_hash``, the switch distributes the buckets over n hash slots, n the power of
two not below sum / smallest weight, at least 16 and at most 256, by Webster's method: each slot goes to the bucket with
the highest weight / (2 x slots so far + 1), the first of equals (``group_setup_dp_hash_table`` of ofproto-dpif.c). A
flow whose bucket is not live takes the next slot whose bucket is. Where 256 slots do not do, the switch silently scores
buckets by hash x weight and takes the best, which is not proportional to the weights; its hash is then the same on all
switches whatever their basis, and leaves UDP ports out, so that parts hold over pairs of hosts, not over their flows.

Checked on Open vSwitch 3.1 by ``ofproto/trace``: every slot of 87 groups, also with dead ports, and six without slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

LEAST, MOST = 16, 256


def slots(weights: Sequence[int]) -> tuple[int, ...] | None:
    """Bucket of every slot; None where the switch has no slots for these weights.

    Examples
    --------
    >>> [slots([1, 2, 3, 4]).count(bucket) for bucket in range(4)]
    [2, 3, 5, 6]
    >>> slots([1, 257]) is None
    True
    """
    positive = [weight for weight in weights if weight > 0]
    if not positive:
        return None
    needed = -(-sum(positive) // min(positive))
    count = max(LEAST, 1 << (needed - 1).bit_length())
    if count > MOST:
        return None
    value = [float(weight) for weight in weights]
    divisor = [1] * len(weights)
    found = []
    for _ in range(count):
        winner = max(range(len(weights)), key=lambda bucket: value[bucket])
        divisor[winner] += 2
        value[winner] = weights[winner] / divisor[winner]
        found.append(winner)
    return tuple(found)


def slot_parts(weights: Sequence[int], *, live: Sequence[bool] | None = None) -> tuple[float, ...]:
    """Part of the flows that each bucket gets; zeros where no bucket is live.

    Parameters
    ----------
    live : sequence of bool, optional
        Whether the port that each bucket watches is up; default: all are.

    Examples
    --------
    >>> slot_parts([3, 1])
    (0.75, 0.25)
    >>> slot_parts([1, 1], live=[True, False])
    (1.0, 0.0)
    """
    up = [True] * len(weights) if live is None else list(live)
    table = slots(weights)
    if table is None:
        return _best_score([weight if alive else 0 for weight, alive in zip(weights, up, strict=True)])
    counts = [0] * len(weights)
    for at in range(len(table)):
        for step in range(len(table)):
            bucket = table[(at + step) % len(table)]
            if up[bucket]:
                counts[bucket] += 1
                break
    return tuple(count / len(table) for count in counts)


def _best_score(weights: Sequence[int]) -> tuple[float, ...]:
    """Chance of every bucket to have the highest weight x U, with U independent and uniform on [0, 1].

    Bucket i wins with score x when all others score less: the integral of ∏ min(1, x / wⱼ) / wᵢ over x up to wᵢ, a
    polynomial between any two neighbouring weights.
    """
    bounds = sorted({0, *(weight for weight in weights if weight > 0)})
    found = []
    for index, own in enumerate(weights):
        chance = 0.0
        for low, high in pairwise(bounds):
            if high > own:
                break
            above = [weight for other, weight in enumerate(weights) if other != index and weight >= high]
            # x runs in units of `high`, so that powers of large weights stay small.
            power = len(above) + 1
            scale = 1.0
            for weight in above:
                scale *= high / weight
            chance += high / own * scale * (1 - (low / high) ** power) / power
        found.append(chance)
    return tuple(found)
