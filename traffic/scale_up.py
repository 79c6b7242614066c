"""What a phase sends over scale-up links, such as NVLink, and how long its busiest rank needs for it.

Every GPU of a domain sends at the links' speed to any other, at the efficiency that collectives reach. In a mesh, only
the links to the ranks of its group are of use: between few GPUs of a domain that is little. Parts of a collective
inside and between hosts run at the same time, chunk by chunk; the slower decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from topologies.catalogue import ScaleUpModel
from topologies.columns import Floats, Ints
from topologies.units import format_gbps, percent
from traffic.collective import CollectiveTraffic
from traffic.formula import Formula, formula

SOURCE = (
    "NCCL, src/graph/topo.h and tuning.cc, for the efficiency of NVLink; nccl-tests, issue 212 for what is measured"
)
Groups = tuple[CollectiveTraffic, Ints]  # an exchange inside one group, and the groups (count, n) that run it


@dataclass(frozen=True)
class Inside:
    """What stays inside domains, of a phase."""

    bytes_per_rank: float  # the busiest rank, the larger of what it sends and receives
    mean_bytes_per_rank: float  # sent, over the ranks that take part
    peers: int  # other ranks of its domain that the busiest rank exchanges with, or shares a group with
    by_switches: bool = False


def inside_domains(parts: Sequence[Groups], domains: Ints, *, pairs_only: bool = False) -> Inside:
    """Bytes between ranks of one domain, and those handed on inside it.

    Parameters
    ----------
    domains : ndarray of int, shape (ranks,)
        Scale-up domain of every rank.
    pairs_only : bool
        Whether a mesh carries each pair's bytes on the pair's own link, as for messages from point to point; a
        collective goes round all links of its group.
    """
    busiest, total, ranks, peers, switched = 0.0, 0.0, 0, 1, False
    for traffic, groups in parts:
        domain = domains[groups]
        sent, received, alike = _inside(traffic, domain)
        handed = traffic.handed_on.value if traffic.handed_on else 0.0
        most = float(np.maximum(sent, received).max(initial=0.0)) + handed
        if most > busiest:
            busiest = most
            peers = _partners(traffic, domain) if pairs_only else _mates(domain)
        total += float(sent.sum()) * alike + handed * groups.size
        ranks += groups.size
        switched = switched or traffic.reduced_by_switches
    return Inside(busiest, total / ranks if ranks else 0.0, max(peers, 1), switched)


def _inside(traffic: CollectiveTraffic, domain: Ints) -> tuple[Floats, Floats, int]:
    """What every rank sends to and receives from its own domain, and of how many groups alike that is one."""
    alike = domain[:1] if _same(domain) else domain
    count, size = alike.shape
    amount = np.where(alike[:, traffic.src] == alike[:, traffic.dst], traffic.sent_bytes, 0.0)
    first = np.arange(count)[:, None] * size
    sent, received = (
        np.bincount((first + end).ravel(), amount.ravel(), count * size).reshape(count, size).astype(np.float64)
        for end in (traffic.src, traffic.dst)
    )
    for block in traffic.blocks:
        both = block.sent_bytes * (_as_many(alike[:, block.members]) - 1)
        sent[:, block.members] += both
        received[:, block.members] += both
    return sent, received, len(domain) // count


def _same(domain: Ints) -> bool:
    """Whether all groups lie on domains alike: ranks that share one in the first share one in each."""
    moved = domain[:, 1:] != domain[:, :-1]
    return bool((moved == moved[:1]).all() and (domain[:, 1:] >= domain[:, :-1]).all())


def _as_many(domain: Ints) -> Ints:
    """Of every rank, how many of its group are in its domain, shape (count, n)."""
    count = len(domain)
    _, inverse, sizes = np.unique(
        domain.astype(np.int64) + np.arange(count)[:, None] * (int(domain.max(initial=0)) + 1),
        return_inverse=True,
        return_counts=True,
    )
    return np.asarray(sizes[inverse.ravel()].reshape(domain.shape))


def _mates(domain: Ints) -> int:
    """Fewest others that a rank shares its domain with, among those that share one."""
    together = _as_many(domain)
    shared = together[together > 1]
    return int(shared.min(initial=together.shape[1])) - 1 if shared.size else 1


def _partners(traffic: CollectiveTraffic, domain: Ints) -> int:
    """Most ranks of its domain that one rank sends to."""
    near = domain[:, traffic.src] == domain[:, traffic.dst]
    outgoing = [np.bincount(traffic.src[row], minlength=1).max(initial=0) for row in near[:1]]
    return int(max(outgoing, default=1))


def inside_time(inside: Inside, links: ScaleUpModel) -> Formula:
    """Time that the busiest rank needs on its scale-up links, s."""
    reached = links.reduction_efficiency if inside.by_switches else links.efficiency
    terms: dict[str, tuple[float, str]] = {
        "I": (inside.bytes_per_rank, "bytes that the busiest rank exchanges inside its domain"),
        "v": (links.speed * 1e9 / 8, "speed of a GPU's scale-up links, bytes per second"),
        "η": (reached, "share of it that collectives reach"),
    }
    if not links.mesh or inside.peers >= links.domain - 1:
        return formula("I / (v * η)", SOURCE, "s", **terms)
    terms["p"] = (inside.peers, "others of the domain that it has links to in its group")
    terms["d"] = (links.domain, "GPUs of the domain, each with a link to every other")
    return formula("I / (v * η * p / (d - 1))", SOURCE, "s", **terms)


def switches_are_faster(links: ScaleUpModel | None, ranks: int) -> bool:
    """Whether an all-reduce inside a domain is faster by its switches than around a ring.

    Every rank sends S (n+1)/n instead of 2 S (n-1)/n, at another efficiency.

    >>> links = ScaleUpModel(speed="450 GB/s", domain=8, efficiency=0.824, reduces=True)
    >>> [switches_are_faster(links, ranks) for ranks in (2, 4, 8)]
    [False, True, True]
    """
    if links is None or not links.reduces or ranks < 2:
        return False
    return (ranks + 1) / links.reduction_efficiency < 2 * (ranks - 1) / links.efficiency


def scale_up_assumptions(links: ScaleUpModel | None, group: str, gpus_per_host: int, hosts: int) -> list[str]:
    """What is taken for granted of traffic inside hosts and domains, with the key that says otherwise."""
    key = f"nodes.{group}.scale_up"
    if links is None:
        if gpus_per_host < 2:
            return []
        return [f"traffic inside the hosts of {group} takes no time: no links of theirs are described ({key})"]
    stated = [
        f"scale-up links of {group} reach {percent(links.efficiency, 0)} of {format_gbps(links.speed)} a GPU and "
        f"direction ({key}.efficiency); parts inside and between hosts run at once, the slower decides"
    ]
    if links.reduces:
        stated.append(
            f"their switches add up all-reduces inside a domain where that is faster, at "
            f"{percent(links.reduction_efficiency, 0)} of the speed ({key}.reduces, {key}.reduction_efficiency)"
        )
    if links.domain > gpus_per_host:
        spanned = links.domain // max(gpus_per_host, 1)
        stated.append(
            f"every {spanned} hosts of {group}, in order, are one scale-up domain of {links.domain} GPUs; what they "
            f"exchange crosses no fabric ({key}.domain)"
        )
        if hosts % spanned:
            stated.append(f"the last domain of {group} has {hosts % spanned} of {spanned} hosts")
    return stated
