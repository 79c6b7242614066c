"""Where the ranks of a job sit, and the phases their collectives make from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log2
from typing import Any

import numpy as np

from topologies.budget import RANK_BYTES, ROW_BYTES, Counts, check_memory
from topologies.catalogue import ScaleUpModel
from topologies.columns import Ints, Longs, column
from topologies.errors import TrafficError
from traffic.collective import COLLECTIVES, CollectiveTraffic, GroupLayout
from traffic.demands import Flows, merge_flows
from traffic.expand import expand
from traffic.expert_load import LayerLoad
from traffic.formula import Formula, formula
from traffic.inventory import Inventory
from traffic.scale_up import inside_domains, inside_time, switches_are_faster
from traffic.workload import Payload, Phase


@dataclass(frozen=True, eq=False)
class Seats:
    """Endpoint and host of every rank on one fabric."""

    fabric: str
    endpoints: Ints  # shape (ranks,), node ids
    hosts: Ints  # shape (ranks,), host numbers in the group
    gpus: Ints  # shape (ranks,), GPU numbers in the host
    links: ScaleUpModel | None = None  # what joins the GPUs of a domain
    per_host: int | None = None  # GPUs of a host, where a domain spans several

    @cached_property
    def domains(self) -> Ints:
        """Scale-up domain of every rank: a host, or several in the order of the group; shape (ranks,)."""
        if self.per_host is None or self.links is None:
            return self.hosts
        return column(self.hosts // (self.links.domain // self.per_host), np.int32)

    @cached_property
    def places(self) -> Ints:
        """Place of every rank in its domain, shape (ranks,)."""
        if self.per_host is None or self.links is None:
            return self.gpus
        return column(self.hosts % (self.links.domain // self.per_host) * self.per_host + self.gpus, np.int32)


def seats_of(inventory: Inventory, fabric: str, group: str, placed: Ints) -> Seats:
    """Seats of ranks on the GPUs of a group.

    Parameters
    ----------
    placed : ndarray of int, shape (ranks, 2)
        Host and GPU of every rank, as a placement gives them.
    """
    nodes = inventory.gpu_endpoints(fabric, group, where="placement.group")
    host, gpu = placed[:, 0], placed[:, 1]
    links, per_host = inventory.scale_up(group), nodes.shape[1]
    spans = links is not None and links.domain > per_host
    return Seats(
        fabric,
        column(nodes[host, gpu], nodes.dtype),
        column(host, host.dtype),
        column(gpu, gpu.dtype),
        links,
        per_host if spans else None,
    )


@dataclass(frozen=True, eq=False)
class Share:
    """Groups that run a collective with the same bytes: of some pipeline stages, say."""

    groups: Ints  # shape (count, n), ranks
    payload: Formula  # bytes of one rank
    load: LayerLoad | None = None  # of experts, where tokens do not go to all alike

    @property
    def ranks(self) -> int:
        """Ranks that take part."""
        return self.groups.size


def algorithm_of(algorithm: str, operation: str) -> str:
    """Registered name of an operation by an algorithm, such as ``ring-all-reduce``.

    An algorithm that is for all-reduce only leaves reduce-scatter and all-gather to the ring, as NCCL does.

    Raises
    ------
    TrafficError
        When no registered collective does this (FP4015).
    """
    name = f"{algorithm}-{operation}"
    if COLLECTIVES.known(name):
        return COLLECTIVES[name].name
    if operation in ("reduce-scatter", "all-gather") and COLLECTIVES.known(f"{algorithm}-all-reduce"):
        return f"ring-{operation}"
    raise TrafficError(
        f"there is no {operation} by the algorithm {algorithm!r}",
        where="collectives.all_to_all" if operation == "all-to-all" else "collectives.algorithm",
        hint=f"algorithms: {', '.join(algorithms(operation))}",
        code="FP4015",
    )


def widest(seats: Seats, groups: Ints) -> Ints:
    """The group that lies over the most scale-up domains, which the others wait for; the first of those, shape (n,)."""
    domains = np.sort(seats.domains[groups], axis=1)
    return column(groups[int((domains[:, 1:] != domains[:, :-1]).sum(axis=1).argmax())], np.int32)


def algorithm_from(algorithm: str | None, operation: str, seats: Seats, groups: Ints, default: str = "ring") -> str:
    """Registered name of an operation among groups of ranks, by an algorithm or, where None, by what is usual.

    Usual is ``default``; an all-reduce inside a domain whose switches add up is left to them where that is faster.

    Raises
    ------
    TrafficError
        When no registered collective does this, or the scale-up links have no switches that add up (FP4015).
    """
    links = seats.links
    if algorithm is not None:
        called = algorithm_of(algorithm, operation)
        if called.startswith("nvls") and not (links and links.reduces):
            raise TrafficError(
                f"{algorithm!r} needs scale-up links whose switches add up",
                where="collectives.algorithm",
                hint="scale_up: {reduces: true} in the node group, where it has NVLS; or algorithm: ring",
                code="FP4015",
            )
        return called
    domain = seats.domains[groups]
    if operation == "all-reduce" and switches_are_faster(links, groups.shape[1]) and (domain == domain[:, :1]).all():
        return algorithm_of("nvls", operation)
    return algorithm_of(default, operation)


def algorithms(operation: str) -> list[str]:
    """Names of the algorithms that do an operation."""
    ends = f"-{operation}"
    names = [alias for entry in COLLECTIVES for alias in (entry.name, *entry.aliases)]
    others = f"-all{ends}"  # of reduce, the names of all-reduce end alike
    return sorted(name.removesuffix(ends) for name in names if name.endswith(ends) and not name.endswith(others))


def run(
    name: str,
    group_size: int,
    payload_bytes: float,
    layout: GroupLayout | None = None,
    load: LayerLoad | None = None,
    **keys: Any,
) -> CollectiveTraffic:
    """Traffic of the registered collective ``name`` inside one group; keys that it does not have are left out."""
    entry = COLLECTIVES[name]
    known = {key: value for key, value in keys.items() if key in entry.model.model_fields and value is not None}
    values = {"group_size": group_size, "payload_bytes": payload_bytes, **known}
    offered = {"layout": layout, "load": load}
    injected = {key: value for key, value in offered.items() if key in entry.injected and value is not None}
    return entry.function(**values, **injected)


_FEW_KINDS = 16
_SAMPLE = 64  # ranks of a small group that tells how many rows one of many has


def check_exchange(name: str, ranks: int, ranks_per_host: int = 1, *, where: str) -> None:
    """Refuse a collective that does not fit the memory, before its rows are made.

    Rows of a rank are counted on groups of 64 and of 128 ranks; what the doubling adds, every further one adds too.
    Dense exchanges are blocks, without rows.

    Raises
    ------
    TrafficError
        FP4028.
    """
    if ranks <= _SAMPLE:
        return
    few, more = (_rows_of_a_rank(name, size, ranks_per_host) for size in (_SAMPLE, 2 * _SAMPLE))
    rows = int(ranks * (few + (more - few) * log2(ranks / _SAMPLE)))
    counts = Counts(
        [("ranks", ranks), ("pairs", rows or ranks * (ranks - 1))], ranks * RANK_BYTES + rows * ROW_BYTES, ranks
    )
    check_memory(counts, "this collective", where=(where,), error=TrafficError, code="FP4028", smaller="fewer ranks")


def _rows_of_a_rank(name: str, ranks: int, ranks_per_host: int) -> float:
    try:
        traffic = run(name, ranks, 1.0, GroupLayout.of(ranks, min(ranks_per_host, ranks)))
    except TrafficError:  # what is wrong is said of the whole group
        return 1.0
    return len(traffic.src) / ranks


def collective_phase(
    name: str,
    collective_name: str,
    seats: Seats,
    shares: Sequence[Share],
    *,
    by_rail: bool = True,
    keys: Mapping[str, Any] | None = None,
    **phase: Any,
) -> Phase:
    """Phase of one collective over all groups of a dimension.

    Parameters
    ----------
    shares : sequence of Share
        Groups of equal size, each with its bytes.
    by_rail : bool
        Whether algorithms see hosts and GPUs, and keep to rails; else they follow the rank numbers.
    keys : mapping, optional
        Keys of the collective beside its bytes.
    **phase
        Other fields of the phase, such as ``overlaps_compute``.

    Returns
    -------
    Phase
        With ``fabric`` None, and bytes and pairs counted between GPUs, when no host is ever left. Bytes per rank are
        means over the shares.
    """
    parts: list[tuple[CollectiveTraffic, Ints]] = []
    ranks = sum(share.ranks for share in shares)
    size = shares[0].groups.shape[1]
    mean = sum(share.payload.value * share.ranks for share in shares) / ranks
    uses_layout = by_rail and "layout" in COLLECTIVES[collective_name].injected
    sent, uneven, example = 0.0, 0.0, None
    for share in shares:
        for layout, groups in _by_layout(seats, share.groups) if uses_layout else ((None, share.groups),):
            traffic = run(collective_name, size, share.payload.value, layout, share.load, **(keys or {}))
            parts.append((traffic, groups))
            sent += traffic.sent_bytes_per_rank * groups.size / ranks
            uneven = max(uneven, traffic.uneven)
            example = example or run(collective_name, size, mean, layout, share.load, **(keys or {}))
    payloads = tuple(Payload(share.ranks, share.payload) for share in shares)
    shown = {"sent": example.sent, "handed_on": example.handed_on} if example else {}
    if example is not None and len(parts) > 1 and any(share.load for share in shares):
        shown["sent"] = _mean_over_stages(example.sent, mean, sent)
    phase = {"payloads": payloads, "uneven": uneven, **shown, **phase}
    return phase_of(name, collective_name, seats, parts, mean, sent, **phase)


def _mean_over_stages(example: Formula, payload_bytes: float, sent_bytes: float) -> Formula:
    """What busiest ranks send where that differs by stage."""
    return formula(
        "S * f",
        example.source,
        S=(payload_bytes, "payload of a rank, bytes"),
        f=(sent_bytes / payload_bytes, "part that the busiest rank of a group sends, the mean over groups"),
    )


def phase_of(
    name: str,
    collective_name: str,
    seats: Seats,
    parts: Sequence[tuple[CollectiveTraffic, Ints]],
    payload_bytes: float,
    sent_bytes: float,
    **phase: Any,
) -> Phase:
    """Phase of exchanges inside groups, each given with the groups (shape (count, n)) that run it.

    Parameters
    ----------
    payload_bytes, sent_bytes : float
        Of one rank, per step.
    """
    domains = seats.domains
    expanded = [expand(traffic, seats.endpoints[groups], domains[groups]) for traffic, groups in parts]
    crossing = expanded[0] if len(expanded) == 1 else merge_flows(expanded)
    inside = crossing.pairs == 0
    near = inside_domains(parts, domains, pairs_only=collective_name.endswith("send-recv"))
    time = inside_time(near, seats.links) if seats.links is not None and near.bytes_per_rank else None
    return Phase(
        name=name,
        collective=collective_name,
        fabric=None if inside else seats.fabric,
        group_size=parts[0][1].shape[1],
        payload_bytes_per_rank=payload_bytes,
        sent_bytes_per_rank=sent_bytes,
        total_bytes=sum(len(rows) * traffic.total_bytes for traffic, rows in parts) if inside else crossing.total,
        pairs=sum(len(rows) * traffic.pairs for traffic, rows in parts) if inside else crossing.pairs,
        flows=Flows.none() if inside else crossing,
        senders=_count_different([rows for _, rows in parts]),
        sent_bytes_inside_per_rank=near.mean_bytes_per_rank,
        inside_s=time.value if time else 0.0,
        inside=time,
        **phase,
    )


def _by_layout(seats: Seats, groups: Ints) -> Iterator[tuple[GroupLayout, Ints]]:
    """Groups that sit alike on hosts and GPUs, together."""
    host, gpu = _appearance(seats.domains[groups]), seats.places[groups]
    first, kind = _kinds(np.hstack([host, gpu]))
    for number, row in enumerate(first.tolist()):
        layout = GroupLayout(column(host[row], np.int32), column(gpu[row], np.int32), seats.per_host)
        yield layout, column(groups[kind == number], np.int32)


def _count_different(ranks: Sequence[Ints]) -> int:
    """How many different ranks there are, from 0 up."""
    seen = np.zeros(max((int(rows.max(initial=-1)) for rows in ranks), default=-1) + 1, dtype=np.bool_)
    for rows in ranks:
        seen[rows.ravel()] = True
    return int(seen.sum())


def _kinds(rows: Ints) -> tuple[Longs, Longs]:
    """First row of every kind, kinds in ascending order, and the kind of every row; a few kinds need no sorting."""
    kind = np.zeros(len(rows), dtype=np.int64)
    first: list[int] = []
    left = np.arange(len(rows))
    while len(left) and len(first) < _FEW_KINDS:
        same = (rows[left] == rows[left[0]]).all(axis=1)
        kind[left[same]] = len(first)
        first.append(int(left[0]))
        left = left[~same]
    if len(left):
        _, index, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        return np.asarray(index), np.asarray(inverse).ravel()
    order = np.lexsort(rows[first].T[::-1])
    place = np.empty(len(first), dtype=np.int64)
    place[order] = np.arange(len(first))
    return np.asarray(first, dtype=np.int64)[order], place[kind]


def _appearance(hosts: Ints) -> Ints:
    """Hosts of every row numbered in order of appearance, shape (count, n)."""
    changes = np.zeros(hosts.shape, dtype=np.int32)
    np.cumsum(hosts[:, 1:] != hosts[:, :-1], axis=1, out=changes[:, 1:])
    ordered = np.sort(hosts, axis=1)
    different = (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1)
    for row in np.flatnonzero(different != changes[:, -1]).tolist():  # a host that comes again
        _, first, inverse = np.unique(hosts[row], return_index=True, return_inverse=True)
        changes[row] = np.argsort(np.argsort(first))[inverse]
    return column(changes, np.int32)
