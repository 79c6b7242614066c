"""``storage``: background traffic of a Ceph cluster, its clients' reads and writes, its copies and its repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from topologies.columns import Floats, Ints, column
from topologies.errors import FormatError, TrafficError, nearest_hint
from topologies.former_names import renamed_listed
from topologies.registry import Injected, Spec
from topologies.units import Count, CountOrZero, RateGbps
from traffic.demands import Flows
from traffic.files import read_beside
from traffic.formula import formula
from traffic.storage.crush import Osds, chosen_pool, read_crush_map, read_osd_tree, read_pools, straws
from traffic.storage.keys import storage_fabric
from traffic.storage.phases import steady_phase
from traffic.storage.pool import Code, Pool, check_domains, even_pool, mapped_pool
from traffic.storage.repair import RecoverySpec, lost_servers, repair_matrix
from traffic.storage.spread import between, between_hosts, replicas
from traffic.workload import WORKLOADS, Phase, WorkloadContext, WorkloadTraffic

_EVENLY = "objects are spread evenly: every client exchanges the same with every server"
_STRIPE_UNIT = 4096  # bytes; Ceph's default, from which stripe_width tells k


class ErasureSpec(Spec):
    """An erasure code."""

    k: Count = Field(description="Data chunks")
    m: Count = Field(description="Parity chunks")


@WORKLOADS.register(
    "storage",
    example={"servers": "all", "clients": "all", "replication": 3, "write": "80 Gb/s", "read": "10 GB/s"},
    aliases=("ceph",),
)
def storage(
    servers: str,
    clients: str,
    system: Literal["ceph"] = "ceph",
    fabric: str | None = None,
    replication: Count | None = None,
    erasure: ErasureSpec | None = None,
    write: RateGbps | None = None,
    read: RateGbps | None = None,
    failure_domain: str = "host",
    osd_tree: str | None = None,
    pools: str | None = None,
    pool: str | None = None,
    crush_map: str | None = None,
    crush_rule: CountOrZero = 0,
    placement_groups: Count | None = None,
    recovery: RecoverySpec | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Steady reads and writes of a replicated or erasure-coded storage cluster, and its recovery.

    Parameters
    ----------
    servers, clients : str
        Node groups.
    system : {'ceph'}
        How copies are made: the primary sends them.
    fabric : str, optional
        Fabric it crosses; the one both groups have NICs on if absent.
    replication : int, optional
        Copies of every object, r; 3 if nothing says otherwise.
    erasure : ErasureSpec, optional
        k data and m parity chunks instead of copies.
    write, read : float
        Client traffic over all clients, Gbps, before copies.
    failure_domain : str
        ``host``, ``rack`` or another bucket type: no two parts of an object are in the same. Racks are the node group's
        ``per_rack``, unless an OSD tree says.
    osd_tree, pools, pool : str, optional
        Output of ``ceph osd tree -f json`` and ``ceph osd pool ls detail -f json``, and which of its pools: placement
        groups are mapped over the failure domains by weight.
    crush_map, crush_rule : str and int, optional
        A CRUSH map, compiled or text, and its rule: ``crushtool`` maps the placement groups.
    placement_groups : int, optional
        How many; the pool's, or 1,024, if absent.
    recovery : RecoverySpec, optional
        Traffic after a loss, at a rate.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``ceph.write`` (client to primary), ``ceph.replicate`` (primary to the others: r−1 times, or
        (k+m−1)/k times the write), ``ceph.read`` (primary to client), ``ceph.gather`` (data chunks to the primary, of
        an erasure code: (k−1)/k times the read), ``ceph.recovery``.

    References
    ----------
    Weil et al., "Ceph", OSDI 2006, section 5.1 (primary-copy replication); Ceph documentation, erasure code.
    """
    inventory = context.inventory
    network = storage_fabric(inventory, fabric, clients, servers)
    server_nodes = inventory.host_endpoints(network, servers, where="servers")
    client_nodes = inventory.host_endpoints(network, clients, where="clients")
    names = inventory.host_names(network, servers)
    rack = inventory.racks(servers, len(server_nodes))
    detail = chosen_pool(read_pools(read_beside(context.directory, pools, "pools"), pools), pool) if pools else None
    code = _code(replication, erasure, detail)
    groups = placement_groups or (int(detail["pg_num"]) if detail else 1024)
    assumptions: list[str] = []
    shares = _shares(context, names, rack, code, groups, osd_tree, crush_map, crush_rule, failure_domain, assumptions)
    cluster = _Cluster(network, server_nodes, client_nodes, shares, system)
    even = crush_map is None and osd_tree is None and len(np.unique(shares.primary)) == 1
    everywhere = failure_domain == "host"
    phases = _client_traffic(cluster, write or 0.0, read or 0.0, even=even, everywhere=everywhere)
    if recovery is not None:
        gone = lost_servers(recovery, names, rack)
        assumptions.append("recovery goes on all the time; leave it out to see the cluster at rest (recovery)")
        phases.append(cluster.recovery(recovery, repair_matrix(shares, gone, rack, recovery.when)))
    if replication is None and erasure is None and detail is None:
        assumptions.append("storage keeps 3 copies (replication)")
    return WorkloadTraffic(
        id=context.id,
        kind="storage",
        phases=tuple(phase for phase in phases if phase.pairs),
        assumptions=tuple(assumptions),
        warnings=()
        if any(phase.pairs for phase in phases)
        else (f"{context.id} has no write and no read rate: nothing is sent",),
    )


@dataclass(frozen=True, eq=False)
class _Cluster:
    fabric: str
    servers: Ints  # shape (S, b), endpoint node ids
    clients: Ints  # shape (C, a)
    pool: Pool
    system: str

    def phase(self, name: str, flows: Flows, expression: str, rate: float, source: str) -> Phase:
        """A steady phase whose rate is ``expression`` of the clients' rate W."""
        code = self.pool.code
        terms = {
            "W": (rate, "clients' rate, Gbps"),
            "k": (code.data, "data chunks, 1 for copies"),
            "m": (code.parity, "parity chunks, or copies beside the first"),
        }
        rate_formula = formula(
            expression, source, "Gbps", **{key: term for key, term in terms.items() if key in expression}
        )
        return steady_phase(f"{self.system}.{name}", name, self.fabric, len(self.servers), flows, rate_formula)

    def recovery(self, spec: RecoverySpec, matrix: Floats) -> Phase:
        """What servers send each other while lost parts are rebuilt."""
        flows = between_hosts(self.servers, self.servers, column(matrix * spec.rate, np.float64))
        source = "a rebuild reads k bytes per lost byte; Ceph documentation, erasure code"
        return self.phase("recovery", flows, "W * k", spec.rate, source)


def _client_traffic(cluster: _Cluster, write: float, read: float, *, even: bool, everywhere: bool) -> list[Phase]:
    """Writes with their copies, reads with their chunks."""
    pool, code = cluster.pool, cluster.pool.code
    clients, servers = cluster.clients, cluster.servers
    source = "Weil et al., Ceph, OSDI 2006, section 5.1"
    share = column(np.full(len(clients), 1 / len(clients)), np.float64)

    def to_clients(rate: float, *, reads: bool) -> Flows:
        if even:
            return between(clients, servers, column(share * rate, np.float64), reads=reads)
        amount = np.outer(pool.primary, share) if reads else np.outer(share, pool.primary)
        ends = (servers, clients) if reads else (clients, servers)
        return between_hosts(*ends, column(amount * rate, np.float64))

    if even and everywhere:
        copies = replicas(servers, write / code.data, code.members)
    else:
        copies = between_hosts(servers, servers, column(pool.others * (write / code.data), np.float64))
    phases = [
        cluster.phase("write", to_clients(write, reads=False), "W", write, source),
        cluster.phase("replicate", copies, "W * (k + m - 1) / k", write, source),
        cluster.phase("read", to_clients(read, reads=True), "W", read, source),
    ]
    if code.data > 1:
        chunks = between_hosts(servers, servers, column(pool.data.T * (read / code.data), np.float64))
        phases.append(cluster.phase("gather", chunks, "W * (k - 1) / k", read, source))
    return phases


def _code(replication: int | None, erasure: ErasureSpec | None, detail: dict[str, object] | None) -> Code:
    """Copies or chunks, from the keys or from Ceph's own words."""
    if replication is not None and erasure is not None:
        raise TrafficError(
            "a pool is replicated or erasure-coded, not both",
            where="erasure",
            hint="leave out replication",
            code="FP4055",
        )
    if erasure is not None:
        return Code(erasure.k, erasure.m, True)
    if replication is not None or detail is None:
        return Code(1, (replication or 3) - 1, False)
    size = int(str(detail["size"]))
    if int(str(detail.get("type", 1))) != 3:
        return Code(1, size - 1, False)
    width = int(str(detail.get("stripe_width", 0)))
    data = width // _STRIPE_UNIT if width and width % _STRIPE_UNIT == 0 else 0
    if not 1 <= data < size:
        data = max(int(str(detail.get("min_size", size - 1))) - 1, 1)
    return Code(data, size - data, True)


def _shares(
    context: WorkloadContext,
    names: tuple[str, ...],
    rack: Ints,
    code: Code,
    groups: int,
    osd_tree: str | None,
    crush_map: str | None,
    crush_rule: int,
    failure_domain: str,
    assumptions: list[str],
) -> Pool:
    """Who is primary and who keeps the rest: evenly, by an OSD tree, or by a CRUSH map."""
    if crush_map is not None:
        path = context.directory / crush_map
        osds, members = read_crush_map(path, crush_map, crush_rule, groups, code.members)
        assumptions.append(f"{groups:,} placement groups lie where crushtool puts x = 0 to {groups - 1:,}")
        host = _hosts_of(osds.host, names, crush_map)
        return mapped_pool(code, column(np.where(members >= 0, host[members], -1), np.int32), len(names))
    if osd_tree is not None:
        osds = read_osd_tree(read_beside(context.directory, osd_tree, "osd_tree"), osd_tree)
        domain = osds.domains(failure_domain)
        live = [place for place, weight in zip(domain, osds.weight.tolist(), strict=True) if weight > 0]
        check_domains(code, column(np.unique(np.array(live), return_inverse=True)[1], np.int32))
        members = straws(osds, domain, groups, code.members, context.rng)
        assumptions.append(
            f"{groups:,} placement groups are drawn by weight, as CRUSH would on average (placement_groups)"
        )
        return mapped_pool(code, column(_hosts_of(osds.host, names, osd_tree)[members], np.int32), len(names))
    if failure_domain not in ("host", "rack"):
        raise TrafficError(
            f"failure_domain is {failure_domain!r}; without an OSD tree it is host or rack",
            where="failure_domain",
            hint="give osd_tree, the output of: ceph osd tree -f json",
            code="FP4052",
        )
    if failure_domain == "rack":
        if (rack < 0).any():
            raise TrafficError(
                "the scenario does not say how servers stand in racks",
                where="failure_domain",
                hint="give nodes.per_rack of the servers, or osd_tree",
                code="FP4052",
            )
        if len(np.unique(np.bincount(rack))) == 1:
            assumptions.append(_EVENLY)
            return even_pool(code, rack)
        # Racks of different sizes share objects by their weight, which has no closed form.
        check_domains(code, rack)
        alike = Osds(column(np.arange(len(names)), np.int32), names, column(np.ones(len(names)), np.float64), {})
        members = straws(alike, tuple(f"{number:06d}" for number in rack), groups, code.members, context.rng)
        assumptions.append(f"racks differ in size: {groups:,} placement groups are drawn by weight (placement_groups)")
        return mapped_pool(code, members, len(names))
    assumptions.append(_EVENLY)
    return even_pool(code, column(np.arange(len(names)), np.int32))


def _hosts_of(hosts: tuple[str, ...], names: tuple[str, ...], path: str) -> Ints:
    """Server number of every OSD's host."""
    index = {name: number for number, name in enumerate(names)}
    unknown = next((host for host in hosts if host not in index and host.split(".")[0] not in index), None)
    if unknown is not None:
        raise FormatError(
            f"host {unknown!r} is not a server of the scenario",
            file=path,
            line=1,
            hint=renamed_listed(unknown, index)
            or nearest_hint(unknown, index, otherwise=f"servers are named like {names[0]}"),
            code="FP6212",
        )
    return column([index.get(host, index.get(host.split(".")[0], -1)) for host in hosts], np.int32)
