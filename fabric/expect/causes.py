"""What can make a run slower than expected: each cause as a change to what is simulated, with its size and source.

Rates that PCIe leaves to a NIC are those NCCL reckons with (``src/graph/topo.h``: 12 GB/s for 16 lanes of its third
generation, twice that with every later one). Without GPUDirect data passes through the memory of the host, so that a
PCIe link carries everything twice and leaves half of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fabric.expect import damage
from fabric.expect.ranks import TestRanks
from fabric.expect.request import ExpectRequest
from fabric.expect.result import CollectiveTest
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario
from topologies.columns import Ints, column
from topologies.topology import Topology
from topologies.units import format_gbps

SEED = 1  # of places that a cause draws

# GB/s of a NIC, and what leaves it that much
PCIE_CAPS = (
    (48.0, "PCIe 5.0 x16"),
    (24.0, "PCIe 4.0 x16 (or 5.0 x8), or GPUDirect RDMA off behind PCIe 5.0"),
    (12.0, "PCIe 3.0 x16 (or 4.0 x8), or GPUDirect RDMA off behind PCIe 4.0"),
    (6.0, "PCIe 3.0 x8, or GPUDirect RDMA off behind PCIe 3.0"),
)
SCALE_UP_CAPS = ((24.0, "PCIe 4.0"), (48.0, "PCIe 5.0"))
FLOWS = (1, 2, 4)  # connections between two NICs that are tried


@dataclass(frozen=True)
class Change:
    """One cause: what it is called, what it would be, and what is simulated."""

    cause: str
    detail: str
    network: Callable[[Network], Network] | None = None
    asked: Mapping[str, object] = field(default_factory=dict)  # fields of the request that are other
    library: Mapping[str, object] = field(default_factory=dict)  # keys of the library that are other
    router: str | None = None
    latency: str = ""  # a latency that is fitted: of every step between hosts, or of every call


@dataclass(frozen=True, eq=False)
class Situation:
    """The test as the scenario has it."""

    loaded: LoadedScenario
    network: Network
    ranks: TestRanks
    asked: ExpectRequest
    test: CollectiveTest

    @property
    def topology(self) -> Topology:
        """The fabric that the test crosses."""
        return self.network.topologies[self.ranks.seats.fabric]

    @property
    def crosses(self) -> bool:
        """Whether anything leaves a host."""
        return bool(self.test.router)


def changes(situation: Situation) -> list[Change]:
    """All causes that can be simulated here, those that are seen most often first."""
    causes = [Change("an unlucky draw of the hash", "the slowest draw of twenty of what is expected anyway")]
    if not situation.test.hashed:
        causes = []
    if situation.crosses:
        causes += [*_slow_parts(situation), *_caps(situation), *_places(situation), *_connections(situation)]
        causes.append(Change("latency", "longer for every step between hosts", latency="step"))
    causes.append(Change("latency", "longer for every call", latency="call"))
    return [*causes, *_library(situation), *_scale_up(situation)]


def _on(situation: Situation, edit: Callable[[Topology], Topology]) -> Callable[[Network], Network]:
    fabric = situation.ranks.seats.fabric

    def changed(network: Network) -> Network:
        return damage.with_topology(network, fabric, edit(network.topologies[fabric]))

    return changed


def _slow_parts(situation: Situation) -> Iterator[Change]:
    """A NIC or a link that came up slower, a spine that is gone."""
    topology = situation.topology
    endpoints = np.unique(situation.ranks.seats.endpoints)
    nic = int(endpoints[len(endpoints) // 2])
    access = damage.access_links(topology, column([nic], np.int32))
    name = topology.nodes.name
    for factor, said in ((0.5, "half"), (0.25, "a quarter of its")):
        rate = format_gbps(float(topology.capacity_gbps[access].sum()) * factor) if len(access) else ""
        edit = _slowing(access, factor)
        text = f"a NIC, or its cable, came up at {rate}; simulated on {name[nic]}"
        yield Change(f"one NIC at {said} rate", text, _on(situation, edit))
    ups = damage.uplinks(topology, nic)
    if len(ups):
        text = f"a cable between switches at half speed; simulated on {topology.link_name(int(ups[0]))}"
        yield Change("one link at half rate", text, _on(situation, _slowing(ups[:1], 0.5)))
    top = damage.top_switch(topology, nic)
    if top is not None:
        gone = top
        text = f"a switch of the highest tier is down; simulated on {name[gone]}"
        yield Change("one spine missing", text, _on(situation, lambda known: damage.without_switch(known, gone)))


def _slowing(links: Ints, factor: float) -> Callable[[Topology], Topology]:
    return lambda topology: damage.slowed(topology, links, factor)


def _caps(situation: Situation) -> Iterator[Change]:
    """NICs that PCIe holds back, or data that passes through the memory of the host."""
    seats, topology = situation.ranks.seats, situation.topology
    efficiency = situation.loaded.scenario.fabrics[seats.fabric].payload_efficiency
    endpoints = np.unique(seats.endpoints)
    access = damage.access_links(topology, endpoints)
    rate = np.zeros(len(topology.nodes))
    np.add.at(rate, topology.links.src[access], topology.nominal_gbps[access])
    nics = np.maximum(topology.nodes.nics[endpoints], 1)
    fastest = float((rate[endpoints] / nics).max()) * efficiency
    for gbytes, source in PCIE_CAPS:
        limit = gbytes * 8 / efficiency * float(nics.max())
        if gbytes * 8 < fastest:
            text = f"no NIC gets more than {format_gbps(gbytes * 8)} ({gbytes:g} GB/s), as with {source}"
            yield Change("PCIe or GPUDirect: a cap on every NIC", text, _on(situation, _capping(endpoints, limit)))


def _capping(endpoints: Ints, limit_gbps: float) -> Callable[[Topology], Topology]:
    return lambda topology: damage.capped(topology, endpoints, limit_gbps)


def _places(situation: Situation) -> Iterator[Change]:
    """Rails on the wrong leaf, and ranks on hosts in another order or elsewhere."""
    seats, inventory = situation.ranks.seats, situation.network.inventory
    endpoints = inventory.host_endpoints(seats.fabric, situation.ranks.group)
    if endpoints.shape[1] > 1:
        text = "every second host is cabled one rail off, so that rails cross the spines"
        yield Change("rails not aligned", text, _on(situation, lambda known: damage.rails_crossed(known, endpoints)))
    used = np.unique(seats.hosts)
    chosen = np.random.default_rng(SEED).permutation(len(endpoints))[: len(used)]
    if len(endpoints) > 1:
        other = chosen[np.searchsorted(used, seats.hosts)]
        places = tuple(zip(other.tolist(), seats.gpus.tolist(), strict=True))
        text = "hosts in no order of the fabric, so that neighbours of a ring are far apart; one order was drawn"
        yield Change("ranks scattered", text, asked={"places": places})


def _connections(situation: Situation) -> Iterator[Change]:
    """Fewer flows for the hash to spread, or a router that hashes where another is expected."""
    if situation.test.hashed:
        per_host = len(situation.ranks.seats.hosts) // max(situation.ranks.hosts, 1)
        for flows in FLOWS:
            if flows < situation.test.flows_per_pair:
                text = (
                    f"{flows} of a pair of NICs instead of {situation.test.flows_per_pair} (NCCL_MAX_NCHANNELS, "
                    "NCCL_IB_QPS_PER_CONNECTION)"
                )
                keys = {"channels": flows * max(per_host, 1), "qps_per_connection": 1}
                yield Change("too few queue pairs", text, library=keys)
        return
    text = "flows are hashed to paths, instead of being spread as the scenario's router does"
    yield Change("routing by plain ECMP", text, router="ecmp-hash")


def _library(situation: Situation) -> Iterator[Change]:
    """One algorithm or protocol for all sizes, as NCCL_ALGO and NCCL_PROTO set it, or where another is not there."""
    algorithms = {row.algorithm for row in situation.test.rows}
    protocols = {row.protocol for row in situation.test.rows}
    lost = sorted(algorithms - {"ring", "tree"})
    for name in ("ring", "tree"):
        if algorithms != {name}:
            without = f", and {', '.join(lost)} is not used" if lost else ""
            text = f"{name} at every size (NCCL_ALGO){without}"
            yield Change(f"algorithm {name} only", text, library={"algorithm": name})
    if any(name.startswith("nvls") for name in lost):
        text = f"switches of the scale-up network do not add up ({', '.join(lost)} is not used): rings or trees instead"
        yield Change("NVLS off", text, _with_scale_up(situation.ranks.group, None))
    if any(name.startswith("collnet") for name in lost):
        text = f"switches of the fabric do not add up ({', '.join(lost)} is not used): the library's own choice instead"
        yield Change("SHARP off", text, library={"algorithm": "auto"})
    for name in ("ll", "ll128", "simple"):
        if protocols != {name}:
            yield Change(f"protocol {name} only", f"{name} at every size (NCCL_PROTO)", library={"protocol": name})


def _scale_up(situation: Situation) -> Iterator[Change]:
    """Links between the GPUs of a host that are slower, or are not used."""
    entry = situation.network.inventory.groups.get(situation.ranks.group)
    if entry is None or entry.scale_up is None:
        return
    speed = entry.scale_up.speed
    slower = [(speed / 2, "half of the links between the GPUs of a host (NVLink) are down", "scale-up at half rate")]
    slower += [
        (gbytes * 8, f"GPUs of a host exchange data over {name} instead of NVLink", "scale-up links not used")
        for gbytes, name in SCALE_UP_CAPS
    ]
    for rate, text, cause in slower:
        if rate < speed:
            yield Change(cause, text, _with_scale_up(situation.ranks.group, rate))


def _with_scale_up(group: str, speed_gbps: float | None) -> Callable[[Network], Network]:
    """Scale-up links at another speed, or with switches that do not reduce."""

    def changed(network: Network) -> Network:
        entry = network.inventory.groups[group]
        if entry.scale_up is None:
            return network
        other = {"reduces": False} if speed_gbps is None else {"speed": speed_gbps}
        groups = {**network.inventory.groups, group: replace(entry, scale_up=entry.scale_up.model_copy(update=other))}
        return replace(network, inventory=replace(network.inventory, groups=groups))

    return changed
