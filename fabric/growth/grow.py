"""Growth in stages: fabrics chosen stage by stage, or for the last one first; the work between them; what is bought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fabric.bill.bill import Bill
from fabric.bill.count import bill_of
from fabric.growth.bought import Purchase, purchase
from fabric.growth.choose import build_keys, fitting_fabrics, next_fabric, room_for, switch_ports
from fabric.growth.live import plan_work
from fabric.growth.result import FabricGrowth, GrowthResult, Stage
from fabric.growth.rewiring import Rewiring, rewire
from fabric.growth.rule import RULES, BuiltFabric, Keys
from fabric.growth.sizes import GrowingNodes, StageWish, check_sizes
from fabric.growth.stage_file import stage_scenario, topology_keys
from fabric.growth.union import unite
from fabric.pipeline.network import build_network, check_nodes, host_group
from fabric.pipeline.run import run_scenario
from fabric.result import RouteResult
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.load import LoadedScenario
from fabric.scenario.registries import Registries
from fabric.scenario.topology_schema import FileTopology
from topologies.errors import FabricError, ScenarioError
from topologies.hosts import HostGroup

_MOST_STAGES = 32


@dataclass(frozen=True)
class GrowthRequest:
    """How a scenario is to grow.

    Attributes
    ----------
    reserve : bool
        Whether the upper tiers are bought for the last stage, so that no cable is touched.
    built : bool
        Whether the scenario stands already: a reserve then begins with its first growth.
    """

    wishes: tuple[StageWish, ...]
    reserve: bool = False
    built: bool = False


@dataclass(frozen=True, eq=False)
class _Chain:
    """Fabrics of every stage, the first one's first."""

    fabrics: list[dict[str, BuiltFabric]]


def grow(loaded: LoadedScenario, request: GrowthRequest, *, progress: Reporter = silent) -> GrowthResult:
    """Stages from a scenario: chosen, built, re-wired in order, routed and billed.

    Raises
    ------
    ScenarioError
        When stages do not grow (FP9703), are not whole nodes (FP9702), a kind does not grow so far (FP9704), or a
        reserve does not hold (FP9705).
    """
    nodes = GrowingNodes.of(loaded)
    _check(loaded, request, nodes)
    notes: list[str] = []
    if not request.built:
        loaded, notes = _growing_last(loaded, nodes)
    sizes = [nodes.size, *(wish.size for wish in request.wishes)]
    counts = [nodes.counts(size) for size in sizes]
    progress(Progress("choosing the fabrics of the stages"))
    ways = {request.reserve: _chain(loaded, counts, reserve=request.reserve, built=request.built)}
    try:
        ways[not request.reserve] = _chain(loaded, counts, reserve=not request.reserve, built=request.built)
    except FabricError as error:
        notes.append(f"without a comparison: {error.problems[0].message}")
    stages, other = (
        _scenarios(loaded, counts, ways[way].fabrics) if way in ways else []
        for way in (request.reserve, not request.reserve)
    )
    purchases, rivals = _purchases(stages, built=request.built), _purchases(other, built=request.built)
    found: list[Stage] = []
    for number, (size, scenario) in enumerate(zip(sizes, stages, strict=True)):
        fabrics = ways[request.reserve].fabrics
        floor = request.wishes[number - 1].floor if number else 1.0
        growth = {
            name: _worked(fabrics[number - 1][name], fabrics[number][name], floor, f"{size:,}: {name}", progress)
            for name in (fabrics[number] if number else ())
        }
        progress(Progress(f"{size:,} {nodes.unit}: routing its jobs"))
        topologies = {name: fabric.topology for name, fabric in fabrics[number].items()}
        routed = _routed(scenario, topologies)
        found.append(Stage(number, size, scenario, topologies, floor, growth, purchases[number], routed))
    touched = tuple(_touched(ways[not request.reserve].fabrics)) if other else ()
    return GrowthResult(
        loaded, tuple(found), nodes.unit, request.reserve, request.built, tuple(rivals), touched,
        (*_said(loaded, nodes, request), *notes),
    )  # fmt: skip


def _check(loaded: LoadedScenario, request: GrowthRequest, nodes: GrowingNodes) -> None:
    check_nodes(loaded.scenario.nodes)
    if not request.wishes:
        raise ScenarioError(
            "no stage is asked for", hint=f"name a size above {nodes.size:,} {nodes.unit}", code="FP9703"
        )
    check_sizes(nodes.size, request.wishes, nodes.unit)
    if len(request.wishes) > _MOST_STAGES:
        raise ScenarioError(
            f"{len(request.wishes):,} stages; {_MOST_STAGES} are the most", hint="take larger steps", code="FP9703"
        )
    for name, spec in loaded.scenario.fabrics.items():
        if isinstance(spec.topology, FileTopology):
            raise ScenarioError(
                "a network that was read from a file does not grow: nothing says how it was made",
                where=("fabrics", name, "topology"),
                hint="describe it by a kind, such as leaf-spine or clos",
                code="FP9704",
            )
        if spec.encryption.left < 1:
            raise ScenarioError(
                "the links of a growing fabric are planned at their line rate, not at what encryption leaves of it",
                where=("fabrics", name, "encryption"),
                hint=f"plan with --set fabrics.{name}.encryption.kind=none, and route every stage with it",
                code="FP9701",
            )
    if loaded.scenario.down or loaded.scenario.slow:
        raise ScenarioError(
            "growth begins with a whole fabric, and parts of this one are down or degraded",
            where=("down",) if loaded.scenario.down else ("slow",),
            hint="leave down and slow out",
            code="FP9701",
        )


def _growing_last(loaded: LoadedScenario, nodes: GrowingNodes) -> tuple[LoadedScenario, list[str]]:
    """The scenario with the groups that grow cabled after those that do not, which then stay where they are."""
    growing = {node.group for node in nodes.groups}
    orders: dict[str, list[str]] = {}
    notes = []
    for name in loaded.scenario.fabrics:
        groups = [node.group for node in loaded.scenario.attached(name)]
        ordered = sorted(groups, key=lambda group: group in growing)
        if ordered != groups:
            orders[name] = ordered
            first = ", ".join(group for group in ordered if group not in growing)
            notes.append(f"on {name} the nodes of {first} are cabled first, so that they stay where they are")
    return (stage_scenario(loaded, {}, {}, orders) if orders else loaded), notes


def _chain(loaded: LoadedScenario, counts: Sequence[Mapping[str, int]], *, reserve: bool, built: bool) -> _Chain:
    """Fabrics of all stages, each from the one before; with a reserve all from the last."""
    registries = Registries(catalogue=loaded.catalogue)
    hosts = [_hosts(loaded, count) for count in counts]
    stages: list[dict[str, BuiltFabric]] = [{} for _ in counts]
    for name in loaded.scenario.fabrics:
        where = ("fabrics", name, "topology")
        keys = topology_keys(loaded, name)
        try:
            topology = build_keys(keys, hosts[0][name], registries)
        except FabricError as error:
            raise loaded.locate(error.under(*where)) from None
        present = BuiltFabric(keys, topology, hosts[0][name])
        fabrics = _reserved if reserve else _rewired
        chain = fabrics(present, [one[name] for one in hosts], registries, where, built=built)
        for stage, fabric in zip(stages, chain, strict=True):
            stage[name] = fabric
    return _Chain(stages)


def _rewired(
    present: BuiltFabric,
    hosts: Sequence[tuple[HostGroup, ...]],
    registries: Registries,
    where: tuple[str, ...],
    *,
    built: bool,
) -> list[BuiltFabric]:
    """Every stage the best next one of the stage before."""
    chain = [present]
    for groups in hosts[1:]:
        chain.append(next_fabric(chain[-1], groups, registries, where=where).built)
    return chain


def _reserved(
    present: BuiltFabric,
    hosts: Sequence[tuple[HostGroup, ...]],
    registries: Registries,
    where: tuple[str, ...],
    *,
    built: bool,
) -> list[BuiltFabric]:
    """The last stage first; those before it with its upper tiers. What stands already is re-wired once."""
    kept = hosts[1 if built else 0 : -1]
    refused: FabricError | None = None
    chains: list[list[BuiltFabric]] = []
    options = fitting_fabrics(present, hosts[-1], registries, where=where)
    fewest = min(option.built.tiers for option in options)
    for last in (option.built for option in options if option.built.tiers == fewest):
        try:
            chains.append(_below(last, kept, hosts[-1], registries, where))
        except FabricError as error:
            refused = refused or error
    if not chains:
        raise refused or AssertionError("there is an option")
    # What is bought early counts at every stage after it too: fewest ports over all stages.
    chain = min(chains, key=lambda fabrics: (switch_ports(fabrics[-1]), sum(map(switch_ports, fabrics))))
    return [present, *chain] if built else chain


def _below(
    last: BuiltFabric,
    kept: Sequence[tuple[HostGroup, ...]],
    hosts: tuple[HostGroup, ...],
    registries: Registries,
    where: tuple[str, ...],
) -> list[BuiltFabric]:
    """The stages before a last one, each of which leaves room for it, and it."""
    kind = str(last.keys["kind"])
    counted = list(RULES[kind].with_room(last, hosts)) if kind in RULES else []
    chain = [_first_built([*counted, last.keys], hosts, registries, last)]
    for groups in reversed(kept):
        chain.insert(0, room_for(last, chain[0], groups, registries, where=where))
    return chain


def _first_built(
    options: Sequence[Keys], hosts: tuple[HostGroup, ...], registries: Registries, last: BuiltFabric
) -> BuiltFabric:
    """The last stage with its tiers counted, where that is the same fabric."""
    for keys in options:
        try:
            topology = build_keys(keys, hosts, registries)
        except FabricError:
            continue
        rewiring = rewire(last.topology, topology)
        if not rewiring.touched and not len(rewiring.added):
            return BuiltFabric(keys, topology, hosts)
    return last


def _hosts(loaded: LoadedScenario, counts: Mapping[str, int]) -> dict[str, tuple[HostGroup, ...]]:
    """Hosts on every fabric with so many nodes in each group."""
    scenario = loaded.scenario
    return {
        name: tuple(
            host_group(node.model_copy(update={"count": counts.get(node.group, node.count)}), name, spec)
            for node in scenario.attached(name)
        )
        for name, spec in scenario.fabrics.items()
    }


def _scenarios(
    loaded: LoadedScenario, counts: Sequence[Mapping[str, int]], fabrics: Sequence[Mapping[str, BuiltFabric]]
) -> list[LoadedScenario]:
    """The scenario of every stage."""
    return [
        stage_scenario(loaded, count, {name: fabric.keys for name, fabric in built.items()})
        for count, built in zip(counts, fabrics, strict=True)
    ]


def _purchases(stages: Sequence[LoadedScenario], *, built: bool) -> list[Purchase]:
    """What every stage buys; the first nothing where it stands."""
    bills = [bill_of(stage, build_network(stage).topologies) for stage in stages]
    before: list[Bill | None] = [bills[0] if built and bills else None, *bills[:-1]]
    return [purchase(one, bill) for one, bill in zip(before, bills, strict=False)]


def _worked(old: BuiltFabric, new: BuiltFabric, floor: float, label: str, progress: Reporter) -> FabricGrowth:
    """The re-wiring of a fabric and the order of the work, every state routed."""
    progress(Progress(f"{label}: the order of the work"))
    rewiring: Rewiring = rewire(old.topology, new.topology)
    return FabricGrowth(rewiring, plan_work(unite(rewiring), floor))


def _touched(fabrics: Sequence[Mapping[str, BuiltFabric]]) -> list[int]:
    """Cables touched on the way to every stage."""
    found = [0]
    for before, after in pairwise(fabrics):
        found.append(sum(rewire(before[name].topology, after[name].topology).touched for name in after))
    return found


def _routed(stage: LoadedScenario, topologies: Mapping[str, object]) -> RouteResult | None:
    """The jobs of a stage on its fabrics, by the routers of the scenario."""
    if not stage.scenario.workloads:
        return None
    result = run_scenario(replace(stage, said=stage.said), idle=True).result
    return result if result.routes else None


def _said(loaded: LoadedScenario, nodes: GrowingNodes, request: GrowthRequest) -> list[str]:
    """What is assumed."""
    growing = {node.group for node in nodes.groups}
    others = [node.group for node in loaded.scenario.nodes if node.group not in growing]
    said = []
    if nodes.unit == "nodes":
        said.append("the nodes have no GPUs, so sizes count nodes")
    if others:
        said.append(f"the nodes of {', '.join(others)} stay as many as they are")
    if not request.built:
        said.append("the first stage is bought too; --built says that it stands already")
    said.append(
        "capacity during the work: all-to-all of the hosts in service over links between switches, divided in "
        "proportion to the capacity that is left"
    )
    said.append(
        "a cable that is moved is used again; whether it is long enough, fabric export cables says of each stage"
    )
    return said
