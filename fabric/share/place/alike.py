"""Which hosts are alike to a job: no choice between them changes what it or anybody else sends over which links."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fabric.share.place.cuts import fabric_cuts
from fabric.share.place.setting import PlaceSetting
from topologies.columns import Bools, Floats, Ints, column
from topologies.topology import Topology


def alike_hosts(setting: PlaceSetting, near: Floats | None = None) -> Ints:
    """A number for every host, equal for hosts that are alike, shape (H,).

    Alike are hosts of one lowest group and one scale-up domain whose NICs have as much left, to which other jobs send
    as much, and which are as far from the data. A host with GPUs of another job is like no other.

    Parameters
    ----------
    near : ndarray of float, shape (H,), optional
        Distance of every host from the job's data.
    """
    columns: list[np.ndarray] = [np.asarray(setting.groups.of_host[0])]
    if setting.hosts_per_domain > 1:
        columns.append(np.asarray(setting.domain_of_host))
    columns.append(np.where(shared_hosts(setting), np.arange(len(setting.hosts)), -1))
    columns += [] if near is None else [np.round(near, 9)]
    for fabric in setting.network.inventory.groups[setting.group].nics:
        columns += _of_nics(setting, fabric)
    found: Ints = column(np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1].reshape(-1), np.int32)
    return found


def shared_hosts(setting: PlaceSetting) -> Bools:
    """Hosts with GPUs of another job, shape (H,)."""
    found = np.zeros(len(setting.hosts), dtype=np.bool_)
    for other, placed in setting.others.items():
        if setting.other_groups[other] == setting.group:
            found[placed[:, 0]] = True
    return column(found, np.bool_)


def _of_nics(setting: PlaceSetting, fabric: str) -> Iterator[np.ndarray]:
    """What each NIC of every host has left on a fabric, and what other jobs send over it, in both directions."""
    topology = setting.network.topologies[fabric]
    ends = setting.network.inventory.host_endpoints(fabric, setting.group)
    nodes = len(topology.nodes)
    yield from np.round(_leaving(topology, nodes)[ends], 6).T
    yield from np.round(_entering(topology, nodes)[ends], 6).T
    sent, received = np.zeros(nodes), np.zeros(nodes)
    for number, workload in enumerate(setting.traffic):
        for phase in workload.phases if number != setting.number else ():
            if phase.fabric == fabric:
                sent += phase.flows.sent(nodes)
                received += phase.flows.received(nodes)
    for load in (sent, received):
        yield from np.round(load[ends] / max(float(load.max(initial=0.0)), 1e-300), 9).T


def _leaving(topology: Topology, nodes: int) -> np.ndarray:
    return np.bincount(topology.links.src, topology.capacity_gbps, nodes)


def _entering(topology: Topology, nodes: int) -> np.ndarray:
    return np.bincount(topology.links.dst, topology.capacity_gbps, nodes)


def pools(setting: PlaceSetting) -> Iterator[tuple[str, Bools]]:
    """Free hosts to choose from, with a word for the choice: all, then those that nothing slows down.

    Each is of shape (H,), is large enough for the job, and differs from those before.
    """
    given = [np.asarray(setting.free)]
    yield "", setting.free
    for words, kept in (
        ("of no other job, ", ~np.asarray(shared_hosts(setting))),
        ("with the fastest NICs, ", _fastest(setting)),
        ("below whole links, ", ~_below_damage(setting)),
    ):
        pool = given[0] & kept
        if int(pool.sum()) >= setting.wanted and not any(np.array_equal(pool, other) for other in given):
            given.append(pool)
            yield words, column(pool, np.bool_)


def _fastest(setting: PlaceSetting) -> np.ndarray:
    """Free hosts whose NICs have the most left on the fabric of the job's collectives, shape (H,)."""
    topology = setting.network.topologies[setting.fabric]
    ends = setting.network.inventory.host_endpoints(setting.fabric, setting.group)
    nodes = len(topology.nodes)
    left = np.minimum(_leaving(topology, nodes), _entering(topology, nodes))[ends].sum(axis=1)
    return np.asarray(left >= left[setting.free].max(initial=0.0) * (1 - 1e-9))


def _below_damage(setting: PlaceSetting) -> np.ndarray:
    """Hosts of lowest groups in which, or out of which, a link is down or slow, shape (H,)."""
    cuts = fabric_cuts(setting.network)[setting.fabric]
    if not cuts:
        return np.zeros(len(setting.hosts), dtype=np.bool_)
    topology, label = setting.network.topologies[setting.fabric], cuts[0].of_node
    hurt = topology.capacity_gbps < topology.nominal_gbps * (1 - 1e-9)
    ends = setting.network.inventory.host_endpoints(setting.fabric, setting.group)
    groups = np.unique(np.concatenate([label[topology.links.src[hurt]], label[topology.links.dst[hurt]]]))
    return np.asarray(np.isin(label[ends[:, 0]], groups[groups >= 0]))
