"""``storage``: background traffic of a Ceph cluster, its clients' reads and writes, its copies and its repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from topologies.columns import Floats, Ints, column
from topologies.errors import FormatError, TrafficError, nearest_hint
from topologies.former_names import renamed_listed
from topologies.registry import Injected, Spec
from topologies.topology import Topology
from topologies.units import Count, CountOrZero, RateGbps, VolumeBytes, format_bytes
from traffic.demands import Flows
from traffic.files import read_beside
from traffic.formula import formula
from traffic.host_names import HostNames
from traffic.storage.crush import read_crush_map
from traffic.storage.crush_rules import Rule, check_found, draw, simple_rule
from traffic.storage.keys import storage_fabric
from traffic.storage.nearest import nearest_reads
from traffic.storage.osd_tree import WAY, OsdTree, alike, read_osd_tree
from traffic.storage.phases import steady_phase
from traffic.storage.pool import Code, Pool, even_pool, mapped_pool
from traffic.storage.pool_rule import RuleKeys, pool_rule
from traffic.storage.pools import PoolDetail, read_pool
from traffic.storage.recovery import Recovery, recovery_of
from traffic.storage.repair import RecoverySpec
from traffic.storage.spread import between, between_hosts, replicas
from traffic.workload import WORKLOADS, KeptData, Phase, TimeLimit, WorkloadContext, WorkloadTraffic

_EVENLY = "objects are spread evenly: every client exchanges the same with every server"


class DevicesSpec(Spec):
    """Disks of one class in every server, an OSD each."""

    device_class: str = Field(
        alias="class", pattern=r"^[A-Za-z0-9_-]+$", description="Class of the OSDs", examples=["nvme", "hdd"]
    )
    count: Count = Field(description="OSDs of a server")
    size: Annotated[VolumeBytes, Field(gt=0)] = Field(description="Bytes of one", examples=["7.68 TB"])


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
    failure_domain: str | None = None,
    osd_tree: str | None = None,
    pools: str | None = None,
    pool: str | None = None,
    crush_rules: str | None = None,
    crush_root: str | None = None,
    device_class: str | None = None,
    crush_map: str | None = None,
    crush_rule: CountOrZero | None = None,
    placement_groups: Count | None = None,
    read_from: Literal["primary", "nearest"] = "primary",
    stored: VolumeBytes | None = None,
    devices: tuple[DevicesSpec, ...] = (),
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
    failure_domain : str, optional
        ``host``, ``rack`` or another bucket type: no two parts of an object are in the same; ``host`` if nothing says
        otherwise. Racks are the node group's ``per_rack``, unless an OSD tree says.
    osd_tree, pools, pool : str, optional
        Output of ``ceph osd tree -f json`` and ``ceph osd pool ls detail -f json``, and which of its pools: placement
        groups are mapped over the failure domains by weight.
    crush_rules : str, optional
        Output of ``ceph osd crush rule dump -f json``, beside ``osd_tree``: the pool's rule says which part of the
        tree, which device class and which failure domains it uses.
    crush_root : str, optional
        Bucket of the tree that the pool uses, where no rule says: a root, a datacentre, a row. Asked for where a tree
        has several roots.
    device_class : str, optional
        Class of the OSDs that the pool uses, where no rule says; ``any`` for all. Asked for where a tree has several.
    crush_map : str, optional
        A CRUSH map, compiled or text: ``crushtool`` maps the placement groups.
    crush_rule : int, optional
        The rule of ``crush_map`` or ``crush_rules``; the pool's, or 0, if absent.
    placement_groups : int, optional
        How many; the pool's, or 1,024, if absent.
    read_from : {'primary', 'nearest'}
        Which copy clients read: the primary, or one under their own switch where an object has one there, else any.
    stored : float, optional
        Bytes kept, before copies; with ``recovery.within`` they say how much a host or a rack holds.
    devices : sequence of DevicesSpec
        OSDs of every server by class, the one to take first first; ``fabric storage`` and its files go by them.
    recovery : RecoverySpec, optional
        Traffic after a loss, at a rate or within a time.

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
    detail = read_pool(read_beside(context.directory, pools, "pools"), pools, pool) if pools else None
    if detail is not None:
        context.say(*(f"{pools}: {text}" for text in detail.notes))
    code = _code(replication, erasure, detail, context)
    groups = placement_groups or (detail.groups if detail else 1024)
    assumptions: list[str] = []
    keys = RuleKeys(osd_tree, crush_rules, crush_root, device_class, failure_domain, crush_map, crush_rule)
    shares = _shares(context, names, rack, code, groups, keys, detail, assumptions)
    cluster = _Cluster(network, server_nodes, client_nodes, shares, system)
    own_disks = crush_map is None and osd_tree is None
    room = sum(one.count * one.size for one in devices) if own_disks else 0.0
    check_room(room, stored, shares, names)
    even = crush_map is None and osd_tree is None and len(np.unique(shares.primary)) == 1
    everywhere = failure_domain in (None, "host")
    fast = detail is not None and detail.fast_read
    phases = _client_traffic(cluster, write or 0.0, read or 0.0, even=even, everywhere=everywhere, fast=fast)
    if read_from == "nearest" and read:
        check_nearest(keys, code, even=even)
        domain = np.unique(rack, return_inverse=True)[1] if failure_domain == "rack" else np.arange(len(names))
        near = cluster.near(inventory.topologies[network])
        phases[2] = cluster.nearest_reads(read, near, column(domain, np.int32))
        assumptions.append("readers take a copy under their own switch where there is one, else any (read_from)")
    limits: tuple[TimeLimit, ...] = ()
    balance = float(shares.weight.max() * len(names))
    kept, warnings = KeptData(balance, balance), []
    if recovery is not None:
        disks = sum(one.count for one in devices)
        found = recovery_of(recovery, shares, rack, names, stored=stored, disks=disks, room=room)
        if recovery.within is not None:
            key = "recovery.within"
            limits = (TimeLimit(key, f"{system}.recovery", network, recovery.within, found.kept.never),)
        assumptions += [
            "recovery goes on all the time; leave it out to see the cluster at rest (recovery)",
            *found.assumed,
        ]
        phases.append(cluster.recovery(found))
        kept = found.kept
        warnings += [f"{context.id}: {kept.never}"] if kept.never else []
    if replication is None and erasure is None and detail is None:
        assumptions.append("storage keeps 3 copies (replication)")
    return WorkloadTraffic(
        id=context.id,
        kind="storage",
        phases=tuple(phase for phase in phases if phase.pairs),
        assumptions=tuple(assumptions),
        time_limits=limits,
        kept=kept,
        warnings=tuple(warnings)
        if any(phase.pairs for phase in phases)
        else (f"{context.id} has no write and no read rate: nothing is sent", *warnings),
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

    def near(self, topology: Topology) -> NDArray[np.bool_]:
        """Whether a client and a server have a switch in common, shape (C, S)."""
        links, nodes = topology.links, len(topology.nodes)
        attached = np.zeros((2, max(len(self.clients), len(self.servers)), nodes), dtype=np.bool_)
        for side, hosts in enumerate((self.clients, self.servers)):
            for row, ends in enumerate(hosts):
                attached[side, row, links.dst[np.isin(links.src, ends)]] = True
        one, other = attached[0, : len(self.clients)], attached[1, : len(self.servers)]
        return np.asarray(one.astype(np.int64) @ other.T.astype(np.int64) > 0)

    def nearest_reads(self, rate: float, near: NDArray[np.bool_], domain: Ints) -> Phase:
        """Reads of the nearest copy."""
        shares = nearest_reads(near, domain, self.pool.code.members) * (rate / len(self.clients))
        flows = between_hosts(self.servers, self.clients, column(shares.T, np.float64))
        source = "Ceph documentation, rbd_read_from_replica_policy: localize"
        return self.phase("read", flows, "W", rate, source)

    def recovery(self, found: Recovery) -> Phase:
        """What servers send each other while lost parts are rebuilt."""
        gbps = found.gbps if found.matrix.any() else 0.0
        flows = between_hosts(self.servers, self.servers, column(found.matrix * gbps, np.float64))
        source = "a rebuild reads k bytes per lost byte; Ceph documentation, erasure code"
        return self.phase("recovery", flows, "W * k", gbps, source)


def _client_traffic(
    cluster: _Cluster, write: float, read: float, *, even: bool, everywhere: bool, fast: bool
) -> list[Phase]:
    """Writes with their copies, reads with their chunks: k of them, or (``fast``) all."""
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
        asked = pool.others if fast else pool.data
        chunks = between_hosts(servers, servers, column(asked.T * (read / code.data), np.float64))
        expression = "W * (k + m - 1) / k" if fast else "W * (k - 1) / k"
        phases.append(cluster.phase("gather", chunks, expression, read, source))
    return phases


def check_room(room: float, stored: float | None, pool: Pool, names: tuple[str, ...]) -> None:
    """Refuse data that the devices do not hold: together, or those of the server that keeps most (FP4093).

    Parameters
    ----------
    room : float
        Bytes of the devices of a server; 0 where nothing says it.
    """
    needed = (stored or 0.0) * pool.code.members / pool.code.data
    most = needed * float(pool.weight.max())
    if not room or most <= room * (1 + 1e-9):
        return
    if needed > room * len(names):
        what = (
            f"{format_bytes(needed)} with copies or parity do not fit on devices of {format_bytes(room * len(names))}"
        )
    else:
        name = names[int(pool.weight.argmax())]
        what = f"{name} would keep {format_bytes(most)} on devices of {format_bytes(room)}: objects do not lie evenly"
    raise TrafficError(
        what,
        where="stored",
        hint="more or larger devices, fewer copies, or failure domains of equal size (failure_domain: host)",
        code="FP4093",
    )


def check_nearest(keys: RuleKeys, code: Code, *, even: bool) -> None:
    """Refuse reads of the nearest copy where it does not follow which copy that is.

    Raises
    ------
    TrafficError
        For an erasure code, an OSD tree, a CRUSH map, or racks of different sizes (FP4092).
    """
    why = ""
    if code.erasure:
        why = "an object of an erasure code is read from k servers, wherever they are"
    elif keys.osd_tree is not None or keys.crush_map is not None or not even:
        why = "the nearest copy is worked out where objects lie evenly: no tree, no map, racks of equal size"
    if why:
        raise TrafficError(why, where="read_from", hint="leave read_from out: the primary is read", code="FP4092")


def _code(
    replication: int | None, erasure: ErasureSpec | None, detail: PoolDetail | None, context: WorkloadContext
) -> Code:
    """Copies or chunks, from the keys or from Ceph's own words."""
    if replication is not None and erasure is not None:
        raise TrafficError(
            "a pool is replicated or erasure-coded, not both",
            where="erasure",
            hint="leave out replication",
            code="FP4055",
        )
    if erasure is not None:
        if detail is not None and erasure.k + erasure.m != detail.size:
            raise TrafficError(
                f"k {erasure.k} + m {erasure.m} is not the size {detail.size} of pool {detail.name!r}",
                where="erasure",
                hint="count local parities in m, or leave pools out",
                code="FP4055",
            )
        return Code(erasure.k, erasure.m, True)
    if replication is not None or detail is None:
        if replication is not None and detail is not None and (detail.erasure or detail.size != replication):
            kind = "an erasure code" if detail.erasure else f"{detail.size} copies"
            context.say(f"replication {replication} is taken, though pool {detail.name!r} has {kind}")
        return Code(1, (replication or 3) - 1, False)
    if not detail.erasure:
        return Code(1, detail.size - 1, False)
    if detail.data is None:
        raise TrafficError(
            f"k of the erasure code of pool {detail.name!r} does not follow from its stripe_width and min_size",
            where="pools",
            hint=f"erasure: {{k: , m: }} with k + m = {detail.size}; ceph osd erasure-code-profile get says them",
            code="FP4055",
        )
    context.say(
        f"pool {detail.name!r} is taken as k {detail.data} + m {detail.size - detail.data}, by stripe_width and a"
        " stripe unit of 4 KiB (erasure)"
    )
    return Code(detail.data, detail.size - detail.data, True)


def _shares(
    context: WorkloadContext,
    names: tuple[str, ...],
    rack: Ints,
    code: Code,
    groups: int,
    keys: RuleKeys,
    detail: PoolDetail | None,
    assumptions: list[str],
) -> Pool:
    """Who is primary and who keeps the rest: evenly, by an OSD tree, or by a CRUSH map."""
    what = f"k {code.data} + m {code.parity} chunks" if code.erasure else f"{code.members} copies"
    where = "erasure" if code.erasure else "replication"
    if keys.crush_map is not None:
        keys.refuse_beside_map()
        path = context.directory / keys.crush_map
        number = keys.number(detail)
        hosts, found = read_crush_map(path, keys.crush_map, number or 0, groups, code.members)
        assumptions.append(f"{groups:,} placement groups lie where crushtool puts x = 0 to {groups - 1:,}")
        context.say(*_short(check_found(found, what, where)))
        return mapped_pool(code, _servers_of(hosts, found, names, keys.crush_map), len(names))
    if keys.osd_tree is not None:
        tree, notes = read_osd_tree(read_beside(context.directory, keys.osd_tree, "osd_tree"), keys.osd_tree)
        context.say(*(f"{keys.osd_tree}: {text}" for text in notes))
        rule = pool_rule(tree, keys, detail, context)
        members = draw(tree, rule, groups, code.members, context.rng)
        context.say(*_short(check_found(members, what, where)))
        assumptions.append(
            f"{groups:,} placement groups are dealt by weight, as a balanced cluster has them (placement_groups)"
        )
        leader = _leaders(tree, members, context.rng)
        placed = _servers_of(tree.host, members, names, keys.osd_tree)
        domain, capacity = _domains(tree, rule, members, placed, len(names))
        return mapped_pool(code, placed, len(names), leader, domain=domain, capacity=capacity)
    keys.refuse_without_tree()
    failure_domain = keys.failure_domain or "host"
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
        members = draw(alike(names, rack), simple_rule(-1, "", "rack"), groups, code.members, context.rng)
        context.say(*_short(check_found(members, what, where)))
        assumptions.append(f"racks differ in size: {groups:,} placement groups are drawn by weight (placement_groups)")
        domain = column(np.unique(rack, return_inverse=True)[1], np.int32)
        return mapped_pool(code, members, len(names), domain=domain)
    assumptions.append(_EVENLY)
    return even_pool(code, column(np.arange(len(names)), np.int32))


def _domains(tree: OsdTree, rule: Rule, members: Ints, placed: Ints, servers: int) -> tuple[Ints | None, Floats | None]:
    """Failure domain and weight of every server by a rule of one choice; None where it has several, or goes by OSD."""
    kind = rule.failure_domain
    if kind in ("", "osd"):
        return None, None
    rows, first = np.unique(members, return_index=True)
    rows, server = rows[rows >= 0], placed.ravel()[first][rows >= 0]
    named = [tree.above(int(tree.number[row]), kind) for row in rows]
    domain, capacity = np.full(servers, -1, dtype=np.int32), np.zeros(servers)
    domain[server] = np.unique(named, return_inverse=True)[1]
    np.add.at(capacity, server, (tree.weight * tree.live)[rows])
    domain[domain < 0] = domain.max() + 1  # servers that the pool does not use weigh nothing
    return column(domain, np.int32), column(capacity, np.float64)


def _short(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _leaders(tree: OsdTree, members: Ints, rng: np.random.Generator) -> Ints | None:
    """Which of the members that are there is the primary: the first that its affinity does not pass over.

    References
    ----------
    ``OSDMap::_apply_primary_affinity`` of Ceph.
    """
    if (tree.affinity == 1).all():
        return None
    ordered = np.take_along_axis(members, np.argsort(members < 0, axis=1, kind="stable"), axis=1)
    stays = (rng.random(ordered.shape) < tree.affinity[ordered]) & (ordered >= 0)
    return column(np.argmax(stays, axis=1), np.int32)  # the first where all pass


def _servers_of(hosts: tuple[str, ...], members: Ints, names: tuple[str, ...], path: str) -> Ints:
    """Server number of every member, -1 where there is none."""
    index = HostNames(names)
    numbers = np.full(len(hosts) + 1, -1, dtype=np.int32)  # the last is for a member that is not there
    used = np.unique(members)
    for row in used[used >= 0].tolist():
        if not hosts[row]:
            raise FormatError("an OSD that the pool uses is in no host", file=path, hint=WAY, code="FP6212")
        meant = index.find(hosts[row])
        if len(meant) != 1:
            several = ", ".join(names[number] for number in meant)
            raise FormatError(
                f"host {hosts[row]!r} may be {several}"
                if meant
                else f"host {hosts[row]!r} is not a server of the scenario",
                file=path,
                hint=renamed_listed(hosts[row], names)
                or nearest_hint(hosts[row], names, otherwise=f"servers are named like {names[0]}"),
                code="FP6212",
            )
        numbers[row] = meant[0]
    return column(numbers[members], np.int32)
