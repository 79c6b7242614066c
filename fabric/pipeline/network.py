"""From a scenario to its networks: topologies built and checked, hosts listed, failures applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from pydantic import BaseModel

from fabric.cables.wanted import unknown_keys
from fabric.pipeline.degraded import apply_slowed, read_slow
from fabric.pipeline.failure_names import check_failure_names
from fabric.pipeline.named_sets import ScenarioSets
from fabric.scenario.fabric_schema import FabricSpec
from fabric.scenario.load import LoadedScenario
from fabric.scenario.node_schema import NodeSpec
from fabric.scenario.racks import hosts_per_rack, rack_numbers
from fabric.scenario.topology_schema import FileTopology
from fabric.site.plan import plan_site, run_lengths
from fabric.site.site_plan import SitePlan
from topologies.budget import GPU_BYTES, LINK_BYTES, NAME_BYTES, ROUTED, Counts, check_memory
from topologies.builder import TOPOLOGIES
from topologies.columns import column
from topologies.errors import FabricError, FormatError, Problem, TopologyError, nearest_hint
from topologies.fabric_size import check_size
from topologies.hosts import HostGroup
from topologies.named_parts import WAYS, NamedSets, hint_for, select
from topologies.reading.asked import Asked
from topologies.topology import Topology
from topologies.validate import validate
from traffic.inventory import Inventory, NodeGroup

_NAMED = 3  # switches that a note names


@dataclass(frozen=True)
class Network:
    """The fabrics of a scenario, and the hosts on them."""

    topologies: Mapping[str, Topology]
    inventory: Inventory
    warnings: tuple[Problem, ...]
    said: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # by fabric: what its file was taken for, what its builder says
    sets: ScenarioSets | None = None  # what the scenario has names for
    site: SitePlan | None = None  # where everything stands, where the scenario has a floor plan

    def gpus(self, fabric: str) -> int | None:
        """GPUs of the nodes on a fabric; None where the scenario lists no nodes."""
        groups = [group for group in self.inventory.groups.values() if fabric in group.nics]
        return sum(len(group.hosts) * group.gpus_per_host for group in groups) if groups else None


def build_network(
    loaded: LoadedScenario,
    *,
    down: Sequence[str] = (),
    up: Sequence[str] = (),
    slow: Sequence[str] = (),
    routed: bool = False,
) -> Network:
    """Build every fabric, check its columns, take down what ``down`` selects, and degrade what ``slow`` does.

    Parameters
    ----------
    slow : sequence of str
        ``SELECTOR=50%``: what keeps a part of its capacity, besides what the scenario says.
    routed : bool
        Whether traffic is then routed, for which the memory has to be enough too.

    Raises
    ------
    FabricError
        With the problems of all fabrics, located in the scenario.
    """
    scenario = loaded.scenario
    try:
        check_nodes(scenario.nodes)
    except TopologyError as error:
        raise loaded.locate(error) from None
    topologies: dict[str, Topology] = {}
    errors: list[Problem] = []
    warnings: list[Problem] = []
    said: dict[str, tuple[str, ...]] = {}
    endpoints: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for name, spec in scenario.fabrics.items():
        try:
            topology, said[name], endpoints[name] = _build(
                name, spec, scenario.attached(name), loaded, ROUTED if routed else 1
            )
        except FabricError as error:
            errors += error.under("fabrics", name, "topology").problems
            continue
        loaded.say(*(f"{name}: {text}" for text in said[name]))
        found = [problem.under("fabrics", name, "topology") for problem in validate(topology)]
        errors += [problem for problem in found if problem.severity == "error"]
        errors += unknown_keys(scenario, name, topology)
        warnings += [problem for problem in found if problem.severity == "warning"]
        try:
            topologies[name] = encrypted(topology, spec)
        except TopologyError as error:
            errors += error.under("fabrics", name, "encryption").problems
    if errors:
        raise loaded.locate(TopologyError(errors))
    warnings += [replace(problem, severity="warning") for problem in loaded.dropped]
    site = plan_site(loaded, topologies)
    topologies = _with_lengths(loaded, topologies, site)
    groups = {
        node.group: NodeGroup(
            name=node.group,
            hosts=node.host_names(),
            gpus_per_host=node.gpus_per_node,
            nics={fabric: host_group(node, fabric, scenario.fabrics[fabric]) for fabric in node.nics},
            per_rack=hosts_per_rack(node, scenario.site) or None,
            racks=_racks(node, loaded),
            gpu=node.row.gpu if node.row else None,
            scale_up=node.joined,
            resources=node.resources.by_node(node.count),
        )
        for node in scenario.nodes
    }
    whole = Inventory(groups, topologies, endpoints)
    sets = ScenarioSets(scenario, whole)
    check_failure_names(loaded, topologies, sets)
    topologies = _degraded(loaded, _with_failures(loaded, topologies, down, up, sets), slow, sets)
    return Network(topologies, replace(whole, topologies=topologies), tuple(warnings), said, sets, site)


def _racks(node: NodeSpec, loaded: LoadedScenario) -> tuple[int, ...] | None:
    """Rack of every host of a group where some are fixed; None where they fill racks in order."""
    site = loaded.scenario.site
    if site is None or not site.planned or not any(host in site.fixed for host in node.host_names()):
        return None
    racks = rack_numbers(loaded.scenario)
    return tuple(racks[host] for host in node.host_names())


def _with_lengths(
    loaded: LoadedScenario, topologies: Mapping[str, Topology], site: SitePlan | None
) -> dict[str, Topology]:
    """Topologies whose cables without a length have that of their way through the site."""
    if site is None:
        return dict(topologies)
    measured: dict[str, Topology] = {}
    for name, topology in topologies.items():
        given = topology.links.length_m
        lengths = np.where(np.isnan(given), run_lengths(site, loaded, name, topology), given)
        measured[name] = replace(topology, links=replace(topology.links, length_m=column(lengths, np.float64)))
        count = int(np.count_nonzero((np.isnan(given) & ~np.isnan(lengths))[topology.is_cable]))
        if count:
            loaded.say(f"{name}: {count:,} cables are as long as their way on the floor plan, and latency with them")
    return measured


def check_nodes(nodes: Sequence[NodeSpec]) -> None:
    """Refuse node groups whose names, or whose NICs' cables, do not fit the memory, before any are made.

    Raises
    ------
    TopologyError
        At the largest number (FP3050).
    """
    asked: list[tuple[int, tuple[str | int, ...]]] = []
    hosts = ports = 0
    for index, node in enumerate(nodes):
        asked.append((node.count, ("nodes", index, "count")))
        hosts += node.count
        for fabric, nic in node.nics.items():
            ports += node.count * nic.count * nic.ports_per_nic
            asked.append((nic.count, ("nodes", index, "nics", fabric, "count")))
            asked.append((nic.ports_per_nic, ("nodes", index, "nics", fabric, "ports")))
        asked.append((node.gpus_per_node, ("nodes", index, "gpus")))
    gpus = sum(node.count * node.gpus_per_node for node in nodes)
    size = hosts * NAME_BYTES + ports * (NAME_BYTES + 2 * LINK_BYTES) + gpus * GPU_BYTES
    counts = Counts([("nodes", hosts), ("NIC ports", ports), ("GPUs", gpus)], size, max(hosts, 2 * ports, gpus))
    where = max(asked, default=(0, ("nodes",)))[1]
    check_memory(counts, "the nodes listed", where=where, smaller=f"a smaller number for {where[-1]}")


def _with_failures(
    loaded: LoadedScenario,
    topologies: Mapping[str, Topology],
    down: Sequence[str],
    up: Sequence[str],
    sets: ScenarioSets,
) -> dict[str, Topology]:
    """What the scenario says is down, and what the command line adds; a mistake in the former has its place."""
    try:
        failed = apply_failures(topologies, loaded.scenario.down, up, sets=sets)
    except TopologyError as error:
        raise loaded.locate(error.under("down")) from None
    return apply_failures(failed, down, up, sets=sets)


def _degraded(
    loaded: LoadedScenario, topologies: Mapping[str, Topology], slow: Sequence[str], sets: ScenarioSets
) -> dict[str, Topology]:
    """What the scenario says is degraded, and what the command line adds."""
    degraded = dict(topologies)
    for selector, left in loaded.scenario.slow.items():
        try:
            degraded = apply_slowed(degraded, [(selector, left)], sets=sets)
        except TopologyError as error:
            raise loaded.locate(error.under("slow", selector)) from None
    return apply_slowed(degraded, [read_slow(text) for text in slow], sets=sets)


def encrypted(topology: Topology, spec: FabricSpec) -> Topology:
    """The network with what encryption leaves of the rate of its links.

    Raises
    ------
    TopologyError
        When the fabric has no tier of that name (FP2105).
    """
    encryption = spec.encryption
    for tier in encryption.tiers or ():
        if tier not in topology.tiers:
            raise TopologyError(
                f"{tier!r} is not a tier of this fabric",
                where="tiers",
                hint=nearest_hint(tier, topology.tiers, "tiers"),
                code="FP2105",
            )
    if encryption.left == 1:
        return topology
    return topology.with_encryption(encryption.tiers, encryption.left)


def host_group(node: NodeSpec, fabric: str, spec: FabricSpec) -> HostGroup:
    """Nodes of a group as they want to be cabled to a fabric."""
    nic = node.nics[fabric]
    return HostGroup(
        name=node.group,
        hosts=node.host_names(),
        nics=nic.count,
        nic_gbps=nic.gbps,
        rail=nic.rail,
        dual_home=node.group in getattr(spec.topology, "dual_home", ()),
        ports=nic.ports_per_nic,
    )


def _build(
    name: str, spec: FabricSpec, nodes: Sequence[NodeSpec], loaded: LoadedScenario, times: float
) -> tuple[Topology, tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    """The topology, what is to be said of it or its file, and the endpoints of the hosts of a file."""
    topology = spec.topology
    notes: tuple[str, ...] = ()
    endpoints: Mapping[str, tuple[str, ...]] = {}
    if isinstance(topology, FileTopology):
        from topologies.format_registry import import_topology

        path = loaded.directory / topology.path
        if not path.exists():
            raise FormatError(f"no such file: {topology.path}", where="path", hint=f"looked for {path}", code="FP6001")
        imported = import_topology(
            path,
            topology.format,
            strict=loaded.strict,
            speed=topology.speed,
            asked=Asked(topology.capacity, topology.directions),
            keys=topology.host_keys,
            groups=[host_group(node, name, spec) for node in nodes],
        )
        built, notes, endpoints = imported.topology, imported.notes, imported.endpoints
        loaded.dropped.extend(problem for problem in imported.problems if problem not in loaded.dropped)
    else:
        unknown = [group for group in getattr(topology, "dual_home", ()) if group not in {node.group for node in nodes}]
        if unknown:
            raise TopologyError(
                f"dual_home names {unknown[0]!r}, which is not attached to this fabric",
                where="dual_home",
                hint=nearest_hint(
                    unknown[0], [node.group for node in nodes], otherwise="name a node group with NICs on this fabric"
                ),
                code="FP2105",
            )
        groups = [host_group(node, name, spec) for node in nodes]
        entry = TOPOLOGIES[getattr(topology, "kind")]  # noqa: B009 - the field is dynamic
        check_size(entry, topology, {"hosts": groups}, times)
        built = entry(topology, hosts=groups)
        _check_nic_ports(built, groups)
        notes = built.said + (tuple(_empty_leaves(built, topology)) if groups else ())
    return replace(built, name=name), notes, endpoints


def _empty_leaves(built: Topology, spec: BaseModel) -> tuple[str, ...]:
    """What is to be said where hosts fill switches in order and leave some of them without any."""
    if getattr(spec, "attach_order", None) != "fill":
        return ()
    nodes, links = built.nodes, built.links
    attaching = np.zeros(len(nodes), dtype=np.bool_)
    attaching[links.dst[nodes.nics[links.src] > 0]] = True
    first = built.is_switch & (nodes.level == 1)
    empty = np.flatnonzero(first & ~attaching)
    if not len(empty):
        return ()
    some = ", ".join(nodes.name[node] for node in empty[:_NAMED].tolist())
    more = ", …" if len(empty) > _NAMED else ""
    count = f"{len(empty):,} of {int(first.sum()):,} {built.roles[nodes.role[empty[0]]]} switches"
    return (
        f"hosts fill switches in order and leave {count} without any ({some}{more}); attach_order: spread uses all",
    )


def _check_nic_ports(topology: Topology, groups: Sequence[HostGroup]) -> None:
    """Every port of a NIC has a cable."""
    for group in groups:
        if group.ports == 1 or not group.hosts:
            continue
        name = group.nic_name(group.hosts[0], 0)
        wanted = group.ports if name != group.hosts[0] else group.nics * group.ports
        found = int(topology.nodes.nics[topology.node(name)])
        if found != wanted:
            raise TopologyError(
                f"the NICs of {group.name} have {group.ports} ports, and a {topology.kind} cables one of each",
                where="kind",
                hint="use multi-plane or dual-plane, or set ports: 1 and count every cabled port as a NIC",
                code="FP3028",
            )


def apply_failures(
    topologies: Mapping[str, Topology], down: Sequence[str], up: Sequence[str] = (), *, sets: NamedSets | None = None
) -> dict[str, Topology]:
    """Take down what selectors name; ``up`` spares nodes.

    A selector names nodes or links as `topologies.named_parts` reads them; a link takes its cable's other direction.
    ``sets`` knows hosts, NICs, racks and groups.
    Without ``fabric=NAME``, every fabric that has the thing loses it.

    Raises
    ------
    TopologyError
        When a selector matches nothing, or reads as several different links.
    """
    result = dict(topologies)
    for selector in down:
        if selector in up:
            continue
        hit = False
        for name, topology in topologies.items():
            nodes, links = select(topology, name, selector, sets)
            nodes = [node for node in nodes if topology.nodes.name[node] not in up]
            if nodes or links:
                hit = True
                result[name] = result[name].with_down(nodes=nodes, links=links)
        if not hit:
            raise TopologyError(
                f"--down {selector!r} matches nothing",
                hint=hint_for(topologies.values(), selector, sets.names() if sets is not None else ()) or WAYS,
                code="FP3103",
            )
    return result
