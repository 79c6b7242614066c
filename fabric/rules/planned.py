"""From a phase to the tables of all switches, with the loads that were planned and those that the weights give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fabric.evaluation.phases import prepare_phase, route_prepared
from fabric.result import PhaseRoute
from fabric.routing.graph import RoutingGraph
from fabric.routing.router import FlowPaths, PairTraffic, RoutingOptions, places_flows, traits_of
from fabric.routing.table_options import TableOptions
from fabric.routing.tables.programme import Overflow, Programme, programme
from fabric.routing.tables.table_decisions import check_programmable, table_decisions
from fabric.routing.tables.walk import walk
from fabric.rules.addressing import AddressOptions, AddressPlan, plan_addresses
from fabric.rules.alike import AlikeLoads, link_loads, loads_alike
from fabric.rules.compile import compile_tables
from fabric.rules.dialect import HashSeeds
from fabric.rules.errors import RuleError
from fabric.rules.ports import Ports
from fabric.rules.rule_set import RuleSet
from fabric.rules.table import ROCE_PORT, UDP, Match
from fabric.rules.tenancy import Tenancy
from fabric.rules.tenants.deny import check_hosts, with_tenants
from fabric.rules.tiers import chooses_once_per_tier
from topologies.columns import Floats, column
from topologies.topology import Topology
from traffic.demands import Demands

FIRST_PORT = 49152  # of single flows, counted up per pair of endpoints
LAST_PORT = 65535


@dataclass(frozen=True)
class FlowRule:
    """A single flow with a path of its own."""

    match: Match
    src: int  # endpoints, topology nodes
    dst: int
    gbps: float


@dataclass(frozen=True, eq=False)
class PlannedRules:
    """Tables of one fabric, and what they do to the phase they were planned for."""

    rules: RuleSet
    programme: Programme
    route: PhaseRoute | None  # None: the fabric carries no traffic
    planned_gbps: Floats  # shape (L,), offered per directed link as the router planned it
    programmed_gbps: Floats  # shape (L,), as the switches will have it: by their weights, and how they seed their hash
    separate_gbps: Floats  # shape (L,), the same where every switch hashes by a seed of its own
    alike: AlikeLoads  # the same where all switches hash by one seed
    flows: tuple[FlowRule, ...]
    overflows: tuple[Overflow, ...]
    options: TableOptions

    @property
    def pairs(self) -> tuple[PairTraffic, ...]:
        """What the phase sends."""
        routed = self.route.routed if self.route is not None else None
        return routed.pairs if routed is not None else ()

    @property
    def plan(self) -> AddressPlan:
        """Addresses."""
        return self.rules.plan

    def _worst(self, gbps: Floats) -> float:
        capacity = self.plan.topology.capacity_gbps
        loaded = gbps > 0
        return float((gbps[loaded] / np.maximum(capacity[loaded], 1e-12)).max(initial=0.0))

    @property
    def planned_utilisation(self) -> float:
        """Highest utilisation of the plan."""
        return self._worst(self.planned_gbps)

    @property
    def programmed_utilisation(self) -> float:
        """Highest utilisation with the weights as programmed."""
        return self._worst(self.programmed_gbps)

    @property
    def separate_utilisation(self) -> float:
        """The same where every switch hashes by a seed of its own."""
        return self._worst(self.separate_gbps)

    @property
    def alike_utilisation(self) -> float:
        """The same where all switches hash alike."""
        return self._worst(self.alike.gbps)


def plan_rules(
    topology: Topology,
    demands: Demands,
    phase: str | None,
    *,
    router: str,
    options: RoutingOptions,
    efficiency: float,
    addresses: AddressOptions = AddressOptions(),
    number: int = 0,
    families: tuple[int, ...] = (4,),
    hash_seeds: HashSeeds = "tables",
    tenancy: Tenancy | None = None,
    port_rules: bool = True,
) -> PlannedRules:
    """Route a phase and make the tables that carry it.

    Parameters
    ----------
    phase : str or None
        None for a fabric without traffic: tables still lead everywhere.
    number : int
        Place of the fabric in its scenario.
    hash_seeds : str
        Who says the seed of every switch's hash; where nobody does, all switches hash alike.
    tenancy : Tenancy, optional
        Tenants that the tables keep apart.
    port_rules : bool
        Whether they do so by rules at the ports of hosts; else the dialect has another way.

    Raises
    ------
    RoutingError
        For routers that destination tables cannot carry.
    """
    check_programmable(router)
    traits = traits_of(router)
    plan = plan_addresses(topology, demands.fabric, addresses, number=number)
    prepared = prepare_phase(
        topology, demands, phase or "", efficiency=efficiency, per_endpoint=places_flows(router), all_endpoints=True
    )
    hash_alike = hash_seeds == "nobody" or (hash_seeds == "tiers" and not chooses_once_per_tier(topology))
    # What a table promises of hashing is its mean; where one draw of the seeds puts flows is not a plan.
    mean = traits.mean_router or router
    route = route_prepared(prepared, router=mean, options=options) if phase is not None else None
    routing = route.routed.routing if route is not None and route.routed is not None else None
    made = programme(table_decisions(router, prepared.graph, prepared.demand, routing), options.tables)
    flows: tuple[FlowRule, ...] = ()
    steps: Mapping[int, Sequence[tuple[Match, int]]] = {}
    if traits.placement == "placed" and routing is not None and routing.paths is not None:
        flows, steps = _single_flows(plan, prepared.graph, routing.paths)
    planned = route.link_gbps.sum(axis=1) if route is not None else np.zeros(len(topology.links))
    separate, alike = planned, AlikeLoads(column(planned, np.float64), column(np.empty(0), np.float64))
    if routing is not None and traits.placement != "placed" and traits.endpoint_ports is None:
        demand = prepared.demand
        if routing.admitted is not None:
            demand = replace(demand, gbps=column(demand.gbps * routing.admitted[:, None], np.float64))
        separate = link_loads(prepared.graph, walk(made.decisions, made.part, demand).edge_gbps, planned)
        draws = hash_seeds == "nobody" and made.carrier == "slots" and routing.admitted is None
        alike = loads_alike(
            made, demand, prepared.pairs, planned, separate, offset=plan.offset, seed=options.seed if draws else None
        )
    rules = compile_tables(plan, made, router=router, families=families, seed=options.seed, flows=steps)
    if tenancy is not None:
        check_hosts(plan)
        rules = with_tenants(rules, tenancy) if port_rules else replace(rules, tenancy=tenancy)
    return PlannedRules(
        rules,
        made,
        route,
        column(planned, np.float64),
        column(alike.gbps if hash_alike else separate, np.float64),
        column(separate, np.float64),
        alike,
        flows,
        made.overflows,
        options.tables,
    )


def _single_flows(
    plan: AddressPlan, graph: RoutingGraph, paths: FlowPaths
) -> tuple[tuple[FlowRule, ...], Mapping[int, Sequence[tuple[Match, int]]]]:
    """Rules of pinned flows by switch; flows of a pair are distinguished by their UDP source ports."""
    topology = plan.topology
    ports = Ports(topology)
    routed = _links_of_paths(graph, paths)
    used: dict[tuple[int, int], int] = {}
    flows: list[FlowRule] = []
    steps: dict[int, list[tuple[Match, int]]] = {}
    ends = zip(paths.src_endpoint.tolist(), paths.dst_endpoint.tolist(), paths.gbps.tolist(), routed, strict=True)
    for src, dst, gbps, links in ends:
        number = used.get((src, dst), 0)
        used[src, dst] = number + 1
        if FIRST_PORT + number > LAST_PORT:
            raise RuleError(
                f"more than {LAST_PORT - FIRST_PORT + 1:,} flows from {topology.nodes.name[src]} to "
                f"{topology.nodes.name[dst]}: source ports do not tell them apart",
                hint="fewer queue pairs per connection",
                code="FP8011",
            )
        match = Match(4, plan.address(4, dst), 32, plan.address(4, src), 32, UDP, FIRST_PORT + number, ROCE_PORT)
        flows.append(FlowRule(match, src, dst, gbps))
        for link in links:
            node = int(topology.links.src[link])
            if topology.nodes.forwards[node]:
                steps.setdefault(node, []).append((match, int(ports.of_link[link])))
    return tuple(flows), steps


def _links_of_paths(graph: RoutingGraph, paths: FlowPaths) -> list[list[int]]:
    """Topology links of every path, access links at both ends where the endpoints have one."""
    link_of = graph.link_of.copy()
    link_of[graph.member_edge] = graph.member_link  # every endpoint is a class of its own
    node, _, down = graph.single_homed
    last = dict(zip(node.tolist(), down.tolist(), strict=True))
    found = []
    for index, dst in enumerate(paths.dst_endpoint.tolist()):
        links = link_of[paths.edge[paths.start[index] : paths.start[index + 1]]].tolist()
        found.append([*links, last[dst]] if dst in last else links)
    return found
