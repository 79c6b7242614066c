"""The proof that no packet comes from one tenant to another through VRFs, from the files of routers as they are.

Hosts send into the interfaces of their ports, tagged with any VLAN. A packet may be delivered where a static route
names a host's port, and it may come there from every table of a domain in which a route to some of its addresses may be
known, and from domains that import it (``vrf_graph``). That is more than any state of BGP does: best paths, weights,
more specific routes and the check for one's own AS only choose among these ways. So it covers the fabric intact and
while it converges. A failure takes interfaces, sessions and the routes learnt over them away; nothing in these files
begins when something fails, and lines that an export does not write are refused. So it covers every failure too, one or
many; cables that are down count as if they were up.

What may be met, such as a tenant's own hosts, must be reached where the fabric lives: by a route that is announced in
the sender's domain by the switch that delivers it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import DIALECTS
from fabric.rules.errors import RuleError
from fabric.rules.manifest import Manifest
from fabric.rules.packet import Packet
from fabric.rules.tenancy import Tenancy
from fabric.rules.tenants.deny import check_hosts
from fabric.rules.verify.findings import Crossing, Finding, Isolation, VrfHop
from fabric.rules.verify.vrf_graph import Entry, Exit, Table, VrfGraph, Way
from fabric.rules.vrf_tables import DEFAULT, VrfFiles

MOST_FINDINGS = 100
MOST_TRIES = 50  # counter-examples of two tenants that are looked at for one that passes no switch twice
Step = tuple[Table, Way | None]


def prove_vrfs(folder: Path, manifest: Manifest, plan: AddressPlan, tenancy: Tenancy) -> Isolation:
    """Follow what the VRFs of an export may do.

    Raises
    ------
    RuleError
        FP8057 for lines that an export does not write, FP8058 for a switch without files, FP8060 for hosts that
        forward.
    """
    check_hosts(plan)
    names = plan.topology.nodes.name
    stems = {entry.name: entry.file for entry in manifest.switches}
    missing = [names[node] for node in plan.switches.tolist() if names[node] not in stems]
    if missing:
        raise RuleError(
            f"{missing[0]} has no configuration in {folder}: what it does with tenants is not known",
            hint="export again",
            code="FP8058",
        )
    read = DIALECTS.find(manifest.dialect).read_vrfs
    assert read is not None
    files = {node: read(folder, stems[names[node]]) for node in plan.switches.tolist()}
    findings = [one for node, its in files.items() for one in _disagreements(names[node], its)]
    crossings: dict[tuple[int, int], Crossing] = {}
    graphs = [VrfGraph(plan, files, family) for family in (4, 6)]
    graphs[0].check_neighbours()
    for graph in graphs:
        crossings = _crossings(graph, tenancy) | crossings
    for graph in graphs:
        if graph.family in manifest.families:
            findings += _cut_off(graph, tenancy)
    findings = [_finding(one) for one in crossings.values()] + findings
    return Isolation(
        tenants=tuple(tenancy.names),
        shared=tuple(tenancy.shared),
        access_ports=sum(1 for entry in graphs[0].entries if not entry.vlan),
        points=sum(len(graph.domain) for graph in graphs),
        classes=sum(len(set(graph.domain.values())) for graph in graphs),
        failures=int(plan.topology.is_cable.sum()) + len(plan.switches),
        crossings=tuple(crossings.values())[:MOST_FINDINGS],
        findings=tuple(dict.fromkeys(findings)),
    )


def _disagreements(name: str, files: VrfFiles) -> Iterator[Finding]:
    """Interfaces that the two files of a switch have in two VRFs: FRR leaves their addresses out, or waits."""
    for interface, said in files.said.items():
        has = files.master.get(interface, DEFAULT)
        if interface != "lo" and has != said:
            one, two = has or "default", said or "default"
            words = f"{interface} is in VRF {one} by links, and in VRF {two} by the configuration"
            yield Finding("ambiguous", name, "", words)


# ---- crossings -------------------------------------------------------------------------------------------------------


def _crossings(graph: VrfGraph, tenancy: Tenancy) -> dict[tuple[int, int], Crossing]:
    """A packet for every two tenants that do not meet and one of which reaches the other.

    One that passes no switch twice where there is: BGP drops routes that have a switch's own AS on their way.
    """
    by_table: dict[Table, dict[int, Entry]] = {}
    by_domain: dict[int, dict[int, Entry]] = {}
    for entry in graph.entries:
        tenant = int(tenancy.of[entry.endpoint])
        by_table.setdefault(entry.table, {}).setdefault(tenant, entry)
        by_domain.setdefault(graph.domain[entry.table], {}).setdefault(tenant, entry)
    found: dict[tuple[int, int], Crossing] = {}
    tries: dict[tuple[int, int], int] = {}
    for out in graph.exits:
        to, domains = int(tenancy.of[out.endpoint]), graph.leads(out)
        senders = [by_table.get(out.table, {}), *(by_domain.get(one, {}) for one in sorted(domains))]
        for table in graph.falling:
            main = (table[0], DEFAULT)
            if main == out.table or graph.domain[main] in domains:
                heard = graph.hears(graph.domain[table], out.prefix)
                senders.append(by_domain.get(graph.domain[table], {}) if heard else by_table.get(table, {}))
        for tenant, entry in ((tenant, entry) for its in senders for tenant, entry in its.items()):
            pair = (tenant, to)
            if tenancy.meets[pair] or tries.get(pair, 0) >= MOST_TRIES:
                continue
            crossing = _walk(graph, tenancy, entry, out, domains | {graph.domain[entry.table]})
            if crossing is not None:
                once = len({hop.switch for hop in crossing.hops}) == len(crossing.hops)
                tries[pair] = MOST_TRIES if once else tries.get(pair, 0) + 1
                found[pair] = crossing if once else found.get(pair, crossing)
    return found


def _walk(graph: VrfGraph, tenancy: Tenancy, entry: Entry, out: Exit, domains: set[int]) -> Crossing | None:
    """The fewest switches from an interface to an exit."""
    before: dict[Table, tuple[Table, Way | None] | None] = {entry.table: None}
    queue = deque([entry.table])
    while queue and out.table not in before:
        here = queue.popleft()
        for to, way in graph.steps(here, domains):
            if to not in before:
                before[to] = (here, way)
                queue.append(to)
    if out.table not in before:
        return None
    steps: list[Step] = []
    table = out.table
    while (step := before[table]) is not None:
        steps.append((table, step[1]))
        table = step[0]
    plan, names = graph.plan, graph.plan.topology.nodes.name
    own = plan.address(graph.family, out.endpoint)
    first, last = int(out.prefix.network_address), int(out.prefix.broadcast_address)
    packet = Packet(
        graph.family,  # type: ignore[arg-type]
        plan.address(graph.family, entry.endpoint),
        own if first <= own <= last else first,
        0,
        0,
        0,
    )
    hops = _hops(names, entry, out, steps[::-1])
    ends = tenancy.names[int(tenancy.of[entry.endpoint])], tenancy.names[int(tenancy.of[out.endpoint])]
    return Crossing(packet, names[entry.endpoint], ends[0], names[out.endpoint], ends[1], False, hops)


def _hops(names: Sequence[str], entry: Entry, out: Exit, steps: Sequence[Step]) -> tuple[VrfHop, ...]:
    """Steps by switch: VRFs that a packet passes at one of them are one hop."""
    hops: list[VrfHop] = []
    came, vrfs, node = (entry.port, entry.vlan), [entry.table[1] or "default"], entry.table[0]
    for to, way in steps:
        if way is None:
            vrfs.append(to[1] or "default")
            continue
        hops.append(VrfHop(names[node], *came, " > ".join(vrfs), way.port, way.vlan, names[to[0]]))
        came, vrfs, node = (way.far_port, way.vlan), [to[1] or "default"], to[0]
    if out.into != out.table[1]:
        vrfs.append(out.into or "default")
    return (*hops, VrfHop(names[node], *came, " > ".join(vrfs), out.port, out.vlan, names[out.endpoint]))


def vrf_hop_text(hop: VrfHop) -> str:
    """A hop in words.

    >>> vrf_hop_text(VrfHop("leaf0", 1, 0, "vrf-bank", 5, 102, "spine0"))
    'leaf0 in by port 1: VRF vrf-bank: out of port 5 VLAN 102 to spine0'
    """
    came, went = (f" VLAN {vlan}" if vlan else "" for vlan in (hop.in_vlan, hop.out_vlan))
    return f"{hop.switch} in by port {hop.in_port}{came}: VRF {hop.vrf}: out of port {hop.out_port}{went} to {hop.to}"


def _finding(crossing: Crossing) -> Finding:
    words = (
        f"{crossing.src} of tenant {crossing.src_tenant} reaches {crossing.dst} of tenant {crossing.dst_tenant}: "
        f"{crossing.text}"
    )
    hops = [hop for hop in crossing.hops if isinstance(hop, VrfHop)]
    return Finding("crossing", hops[-1].switch, crossing.packet.dst_text, words, tuple(map(vrf_hop_text, hops)))


# ---- members ---------------------------------------------------------------------------------------------------------


def _cut_off(graph: VrfGraph, tenancy: Tenancy) -> list[Finding]:
    """A host that may be met and is not reached, for every two tenants, where a live path joins their switches."""
    plan, names = graph.plan, graph.plan.topology.nodes.name
    delivers: dict[int, set[Table]] = {}
    served: dict[int, set[int]] = {}
    for out in graph.exits:
        own = ip_network(plan.address(graph.family, out.endpoint))
        if not out.agrees or not out.prefix.supernet_of(own):  # type: ignore[arg-type]
            continue
        delivers.setdefault(out.endpoint, set()).add(out.table)
        if any(one.supernet_of(own) for one in graph.announced.get(out.table, ())):  # type: ignore[arg-type]
            served.setdefault(out.endpoint, set()).add(graph.domain[out.table])
    groups: dict[tuple[int, int], list[Entry]] = {}
    for entry in graph.entries:
        if not entry.vlan:
            groups.setdefault((int(tenancy.of[entry.endpoint]), graph.domain[entry.table]), []).append(entry)
    joined = _components(plan)
    found: dict[tuple[int, int], Finding] = {}
    for end in plan.node_at.tolist():
        to = int(tenancy.of[end])
        for (tenant, domain), entries in groups.items():
            if not tenancy.meets[tenant, to] or domain in served.get(end, ()) or (tenant, to) in found:
                continue
            for entry in entries:
                if entry.endpoint == end or entry.table in delivers.get(end, ()):
                    continue
                if joined[entry.endpoint] == joined[end]:
                    words = (
                        f"{names[entry.endpoint]} at port {entry.port} does not reach {names[end]}, and tenant "
                        f"{tenancy.names[tenant]} may meet {tenancy.names[to]}"
                    )
                    address = plan.ipv4(end) if graph.family == 4 else plan.ipv6(end)
                    found[tenant, to] = Finding("cut-off", names[entry.table[0]], str(address), words)
                    break
    return list(found.values())


def _components(plan: AddressPlan) -> np.ndarray:
    """Component of every node over live links, shape (N,)."""
    topology = plan.topology
    live = np.flatnonzero(topology.up)
    size = len(topology.nodes)
    matrix = coo_array((np.ones(len(live)), (topology.links.src[live], topology.links.dst[live])), shape=(size, size))
    return np.asarray(connected_components(matrix, directed=True, connection="strong")[1])
