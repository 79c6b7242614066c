"""What exported tables do by themselves when a link of a switch dies, before anybody writes new ones.

``next-slot``
    Groups watch their ports. The hash slots of a dead bucket take the next slot whose bucket lives, so that its part
    goes to few others and not to all alike (``fabric.routing.tables.slot_table``). A rule with one port loses.
``live-weights``
    A next hop whose own link is down is left out, and the others keep their weights: Linux.
``lost``
    Nothing happens: what is sent to a dead link is lost until new tables are loaded.
``converges``
    A routing protocol finds the shortest paths of what is left, and divides over them by its own rule.

Whatever a switch does, it knows of its own links only (but for ``converges``): what dies behind a neighbour is not
seen, and what arrives there with no way left is lost there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fabric.routing.table_options import Carrier
from fabric.routing.tables.slot_table import slot_parts

Failover = Literal["next-slot", "live-weights", "lost", "converges"]

DESCRIBED: dict[Failover, str] = {
    "next-slot": "groups leave a dead port at once: its hash slots go to the next live bucket",
    "live-weights": "a next hop whose own link is down is left out, the others keep their weights",
    "lost": "what is sent to a dead link is lost until new tables are loaded",
    "converges": "routes converge to the shortest paths of what is left",
}


def live_parts(failover: Failover, carrier: Carrier, weights: Sequence[int], live: Sequence[bool]) -> tuple[float, ...]:
    """Part of the traffic that every bucket of a group is sent, dead ones included where nobody leaves them.

    Parameters
    ----------
    weights : sequence of int
        Of the buckets in the order of the group; several buckets may have one port.
    live : sequence of bool
        Whether each bucket's port is up.

    Returns
    -------
    tuple of float
        They add up to 1, or to 0 where all buckets are dead and left out.

    Examples
    --------
    The slots of the dead bucket all go to the one that follows it in the table 2, 0, 1, 2, 2, 0, 1, 2 and so on.

    >>> live_parts("live-weights", "exact", [1, 1, 2], [False, True, True])
    (0.0, 0.3333333333333333, 0.6666666666666666)
    >>> live_parts("next-slot", "slots", [1, 1, 2], [False, True, True])
    (0.0, 0.5, 0.5)
    >>> live_parts("lost", "exact", [1, 1, 2], [False, True, True])
    (0.25, 0.25, 0.5)
    """
    if failover == "lost":
        live = [True] * len(weights)
    if carrier == "slots" and len(weights) > 1:
        parts = slot_parts(weights, live=live)
        return tuple(part if alive else 0.0 for part, alive in zip(parts, live, strict=True))
    kept = [float(weight) if alive else 0.0 for weight, alive in zip(weights, live, strict=True)]
    total = sum(kept)
    return tuple(weight / total if total else 0.0 for weight in kept)


def next_live(taken: Sequence[int], live: Sequence[bool]) -> tuple[int, ...]:
    """Bucket by value of the hash where dead ones are left for the next slot; as it is where none lives.

    >>> next_live((0, 1, 2, 1), [True, False, True])
    (0, 2, 2, 0)
    """
    if not any(live[bucket] for bucket in taken):
        return tuple(taken)
    found = list(taken)
    follows = next(bucket for bucket in taken if live[bucket])  # after the last slot comes the first
    for slot in range(len(found) - 1, -1, -1):
        if live[found[slot]]:
            follows = found[slot]
        else:
            found[slot] = follows
    return tuple(found)
