"""What the synthetic patterns share: the places that exchange traffic, and the workload around a pattern.

A place is an endpoint or, with ``level: leaf``, all members attached to the same switches (an attachment group). With
n places of size S, ``all-to-all`` and ``uniform`` send S/n to each other place, ``permutation`` sends S to one,
``gravity`` n·S in all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from topologies.budget import ROW_BYTES, Counts, check_memory
from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.topology import Topology
from traffic.demands import Flows, UniformBlock
from traffic.formula import Formula, formula
from traffic.workload import PATTERNS, Payload, Phase, WorkloadContext, WorkloadTraffic

Level = Literal["endpoint", "leaf"]
_TO_ALL = ("all-to-all", "uniform")


@dataclass(frozen=True, eq=False)
class Places:
    """Places that exchange traffic; row ``i`` of ``nodes`` is place ``i``.

    A place of fewer endpoints than the largest lists them again from the first, so that every place has as many turns;
    what a place sends is exact, how it is spread over the endpoints of a smaller place is as even as the turns allow.
    """

    nodes: Ints  # shape (n, turns), endpoint node ids
    even: bool  # whether all places have the same number of endpoints

    def __len__(self) -> int:
        return len(self.nodes)


def places_of(topology: Topology, members: Ints, level: Level) -> Places:
    """Places of the members, in order of their lowest endpoint.

    Raises
    ------
    TrafficError
        When there are fewer than two (FP4041).
    """
    if level == "endpoint":
        places = Places(column(members[:, None], np.int32), True)
    else:
        group = topology.groups.of_node[members]
        order = np.argsort(group, kind="stable")
        _, start, size = np.unique(group[order], return_index=True, return_counts=True)
        check_rows(len(start) * int(size.max(initial=0)), len(start), where="level")
        turn = start[:, None] + np.arange(size.max(initial=0)) % size[:, None]
        places = Places(column(members[order][turn], np.int32), bool(np.all(size == size[:1])))
    if len(places) < 2:
        raise TrafficError(
            f"{len(places)} {'endpoint' if level == 'endpoint' else 'leaf'} cannot exchange traffic with others",
            where="members",
            hint="choose a group with more members" + ("" if level == "endpoint" else ", or level: endpoint"),
            code="FP4041",
        )
    return places


def check_rows(rows: int, places: int, *, where: str) -> None:
    """Refuse a pattern whose pairs do not fit the memory, before they are made (FP4028)."""
    counts = Counts([("places", places), ("pairs", rows)], rows * ROW_BYTES, rows)
    check_memory(counts, "this pattern", where=where, error=TrafficError, code="FP4028", smaller=f"a smaller {where}")


def uniform_blocks(places: Places, per_pair: float) -> Flows:
    """Every place sends ``per_pair`` to every other, spread over its endpoints."""
    turns = places.nodes.shape[1]
    empty = Flows.none()
    if per_pair == 0:
        return empty
    blocks = tuple(UniformBlock(column(places.nodes[:, turn], np.int32), per_pair / turns) for turn in range(turns))
    return Flows(empty.src, empty.dst, empty.amount, blocks)


def matched(places: Places, image: np.ndarray, amount: float) -> Flows:
    """Place i sends ``amount`` to place ``image[i]``, spread over the endpoints of both."""
    return Flows.of(places.nodes.ravel(), places.nodes[image].ravel(), amount / places.nodes.shape[1])


def between_places(places: Places, tail: Ints, head: Ints, amount: float) -> Flows:
    """Place ``tail[r]`` sends ``amount`` to place ``head[r]``, spread over the endpoints of both."""
    apart = tail != head
    return Flows.of(
        places.nodes[tail[apart]].ravel(), places.nodes[head[apart]].ravel(), amount / places.nodes.shape[1]
    )


def drawn_places(
    places: Places,
    centres: int,
    fan: int | None,
    centres_key: str,
    fan_key: str,
    rng: np.random.Generator,
    seed: int | None,
) -> tuple[Ints, Ints]:
    """Some places, each with ``fan`` others: rows of (place, other).

    Raises
    ------
    TrafficError
        When there are fewer places (FP4044).
    """
    count = len(places)
    for key, wanted, most in ((centres_key, centres, count), (fan_key, fan or 1, count - 1)):
        if wanted > most:
            raise TrafficError(
                f"{key} is {wanted:,}, but there are {count:,} places",
                where=key,
                hint=f"{key} is at most {most:,}",
                code="FP4044",
            )
    check_rows(centres * (fan or count - 1) * places.nodes.shape[1], count, where=fan_key if fan else centres_key)
    draw = rng if seed is None else np.random.default_rng(seed)
    chosen = np.sort(draw.choice(count, centres, replace=False))
    others = []
    for centre in chosen.tolist():
        rest = np.delete(np.arange(count), centre)
        others.append(rest if fan is None else np.sort(draw.choice(rest, fan, replace=False)))
    return column(np.repeat(chosen, [len(row) for row in others]), np.int32), column(np.concatenate(others), np.int32)


def pattern_workload(
    kind: str,
    context: WorkloadContext,
    *,
    members: str,
    fabric: str | None,
    size: float | None,
    rate: float | None,
    level: Level,
    phase: str | None,
    **keys: Any,
) -> WorkloadTraffic:
    """The workload that consists of one pattern.

    Parameters
    ----------
    kind : str
        Name of the pattern and of the workload.
    size, rate : float, optional
        What each place sends, bytes or Gbps; exactly one of them.
    phase : str, optional
        Name of the phase; the kind if absent.
    **keys
        The pattern's own parameters.

    Raises
    ------
    TrafficError
        When not exactly one of ``size`` and ``rate`` is given (FP4040), or there are fewer than two places (FP4041).
    """
    if (size is None) == (rate is None):
        raise TrafficError(
            f"{kind} takes either a size or a rate; {'both are' if size is not None else 'neither is'} given",
            where="size" if size is not None else (),
            hint="size: 1 GiB is a volume to be moved; rate: 100 Gb/s goes on all the time",
            code="FP4040",
        )
    inventory = context.inventory
    inventory.check_group(members, where="members")
    network = inventory.fabric(fabric, group=members)
    topology = inventory.topologies[network]
    places = places_of(topology, inventory.members(network, members), level)
    amount = size if size is not None else rate
    flows = PATTERNS[kind](keys, places=places, amount=amount, rng=context.rng, topology=topology)
    return WorkloadTraffic(
        id=context.id,
        kind=kind,
        phases=(_phase(phase or kind, kind, network, places, flows, amount or 0.0, steady=size is None),),
        ranks=len(places),
        assumptions=tuple(_assumptions(places, network, fabric, level)),
    )


def _phase(name: str, kind: str, fabric: str, places: Places, flows: Flows, amount: float, *, steady: bool) -> Phase:
    return Phase(
        name=name,
        collective=kind,
        fabric=fabric,
        group_size=len(places),
        payload_bytes_per_rank=0.0 if steady else amount,
        sent_bytes_per_rank=0.0 if steady else _busiest(places, flows),
        total_bytes=0.0 if steady else flows.total,
        pairs=flows.pairs,
        flows=flows,
        payloads=(Payload(len(places), _total(kind, places, flows, amount)),) if steady else (),
        sent=None if steady else _sent(kind, places, flows, amount),
        steady=steady,
        rate_gbps=flows.total if steady else 0.0,
    )


def _total(kind: str, places: Places, flows: Flows, rate: float) -> Formula:
    """Rate of all pairs of a pattern."""
    terms = {"S": (rate, "rate of one place, Gbps")}
    if kind in _TO_ALL:
        return formula("S * (n - 1)", _source(kind), "Gbps", **terms, n=(len(places), "places"))
    times = flows.total / rate if rate else 0.0
    return formula("S * k", _source(kind), "Gbps", **terms, k=(times, "times that it is sent, over all places"))


def _sent(kind: str, places: Places, flows: Flows, size: float) -> Formula:
    """Bytes of the busiest place of a pattern."""
    terms = {"S": (size, "size of one place, bytes")}
    if kind in _TO_ALL:
        return formula("S * (n - 1) / n", _source(kind), **terms, n=(len(places), "places"))
    times = _busiest(places, flows) / size if size else 0.0
    return formula("S * k", _source(kind), **terms, k=(times, "times that the busiest place sends it"))


def _source(kind: str) -> str:
    return f"pattern {kind}: {PATTERNS[kind].summary.rstrip('.')}"


def _busiest(places: Places, flows: Flows) -> float:
    """The most that one place sends."""
    count = int(places.nodes.max()) + 1
    place_of = np.zeros(count, dtype=np.int64)
    place_of[places.nodes] = np.arange(len(places))[:, None]
    return float(np.bincount(place_of, flows.sent(count)).max())


def _assumptions(places: Places, network: str, fabric: str | None, level: Level) -> list[str]:
    assumptions = [] if fabric is not None else [f"traffic uses the fabric {network} (fabric)"]
    if level == "leaf" and not places.even:
        assumptions.append("leaves have different numbers of endpoints; traffic of the smaller is spread nearly evenly")
    return assumptions
