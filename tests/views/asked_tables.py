"""Every question of ``faces/views`` by its name, and what answers it: small runs, each made once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lake import made_answer
from made_designs import CONFLICT, DESIGNS
from made_sweep import sweep

from fabric.bill.count import bill_of
from fabric.bill.energy import NetworkPower
from fabric.cables.schedule import cable_schedule
from fabric.cli.cables import profile_rows
from fabric.evaluation.link_flows import link_flows
from fabric.evaluation.severity import worst_phase
from fabric.faces.views import cables as cable_views
from fabric.faces.views import failures
from fabric.faces.views.attached import host_table, leaf_table
from fabric.faces.views.bill import bill_table, part_table, total_table
from fabric.faces.views.build import cable_table, role_table
from fabric.faces.views.demand_matrix import demand_matrix, matrix_table
from fabric.faces.views.design import conflict_table, design_table
from fabric.faces.views.differences import (
    effect_table,
    figure_table,
    limits_since,
    moved_link_table,
    phases_since,
    times_since,
)
from fabric.faces.views.drain import window_table
from fabric.faces.views.energy import energy_of
from fabric.faces.views.exports import profile_table
from fabric.faces.views.flows import demand_table, link_flow_table, share_table
from fabric.faces.views.growth import growth_table, work_table
from fabric.faces.views.interference import (
    admitted_table,
    sharing_job_table,
    sharing_table,
    shift_table,
    slowdown_matrix,
)
from fabric.faces.views.jobs import job_table, step_table
from fabric.faces.views.limits import limit_table
from fabric.faces.views.links import folded_link_table, hot_link_table, link_table
from fabric.faces.views.nodes import node_table
from fabric.faces.views.phases import phase_table, spread_table
from fabric.faces.views.placements import placement_table
from fabric.faces.views.provenance import assumption_table, file_table
from fabric.faces.views.review import finding_table
from fabric.faces.views.routers import router_limit_table, router_step_table, router_table, source_table
from fabric.faces.views.scheduled import scheduled_table
from fabric.faces.views.shape import cut_table, path_table
from fabric.faces.views.storage import layout_table
from fabric.faces.views.suggestions import suggestion_table
from fabric.faces.views.tiers import tier_table
from fabric.faces.views.traffic import sent_table
from fabric.growth.grow import GrowthRequest, grow
from fabric.growth.sizes import StageWish
from fabric.operate.drain.drain import plan_drain
from fabric.operate.drain.planner import DrainRequest
from fabric.operate.drain.work import works_on
from fabric.output.table import Table
from fabric.pipeline.comparison import compare_routers
from fabric.pipeline.network import build_network
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import Run, route, run_scenario
from fabric.pipeline.stages import schedules
from fabric.request import RouteRequest
from fabric.result import PhaseRoute, RouteResult
from fabric.review.finding import Finding
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.share.interference.interference import InterferenceRequest, interference
from fabric.share.place.place import PlaceRequest, place_job
from fabric.share.place.setting import place_setting
from fabric.share.schedulers.listed_nodes import ListedNode, ListedNodes
from fabric.whatif.differences import Row
from fabric.whatif.effect import changed_links
from fabric.whatif.suggestions import Suggestion
from topologies.bisection import bisection
from topologies.distances import distances
from topologies.summary import summarise

ROOT = Path(__file__).parents[2]
TRAINING = str(ROOT / "tests" / "golden" / "cases" / "training.fabric.yaml")


DRAINED = DrainRequest(failures=False)
GROWTH = GrowthRequest((StageWish(160), StageWish(320)))

NODES = ListedNodes(
    "kubernetes",
    "nodes.json",
    (ListedNode("n0", 8, 2, 95.5, 2**40, 3 * 10**12, ""), ListedNode("n1", 8, None, None, None, None, "cordoned")),
    "",
    (),
)


class Routed:
    """A training job with storage and a fabric with limits: routed, without a spine, and under several routers."""

    def __init__(self) -> None:
        self.loaded: LoadedScenario = load_scenario(TRAINING)
        self.run: Run = run_scenario(self.loaded, RouteRequest(top=6), given=TRAINING)
        self.result: RouteResult = self.run.result
        self.without: RouteResult = route(self.loaded, RouteRequest(down=("spine0",)))
        self.hashed: RouteResult = route(self.loaded, RouteRequest(router="ecmp-hash", replicas=3))
        three = ("ecmp", "ecmp-hash", "wcmp")
        self.routers = compare_routers(prepare(self.loaded, RouteRequest(replicas=3)), routers=three)
        limited = load_scenario(str(Path(TRAINING).with_name("oversubscribed.fabric.yaml")))
        self.limited: Run = run_scenario(limited, RouteRequest(top=3), given=limited.path)
        self.limited_less: RouteResult = route(limited, RouteRequest(down=("spine0",)))
        self.limited_routers = compare_routers(prepare(limited, RouteRequest()), routers=("ecmp", "ecmp-hash"))
        self.network = self.run.network
        self.grown = grow(load_scenario(str(ROOT / "examples" / "quickstart.fabric.yaml")), GROWTH)
        works = works_on(self.run.network, ["role=spine"], 1800.0)
        self.drained = plan_drain(self.run, works, DRAINED)
        three = load_scenario(str(ROOT / "examples" / "three-jobs.fabric.yaml"))
        self.sharing = interference(run_scenario(three), InterferenceRequest(admit="c"))
        self.stored = made_answer()
        self.workloads = self.run.traffic
        self.schedules = schedules(self.run.prepared)
        self.placed = place_job(place_setting(self.loaded, RouteRequest(), "job"), PlaceRequest("slurm"))
        placed = load_scenario(TRAINING, overrides=["site={rows: 4, racks_per_row: 8, trays: {width: 1 mm}}"])
        self.cables = cable_schedule(placed, build_network(placed).topologies)

    @property
    def entry(self) -> PhaseRoute:
        """The worst phase."""
        worst = worst_phase(self.result.routes)
        assert worst is not None
        return worst

    @property
    def hottest(self) -> int:
        """The id of its fullest link."""
        return int(self.entry.utilisation.argmax())


ROWS = (
    Row("load", "main: max offered", 2.0, 0.5, "ratio", False, True, 1.0),
    Row("time", "job: step time", 1.0, 3.0, "s", True, False, 2.0),
    Row("topology", "cables", None, 4.0, ""),
    Row("topology", "capacity", 400.0, None, "Gbps"),
    Row("load", "one and the same", 0.3, 0.1 + 0.2, "ratio"),
)
CHANGES = (
    Suggestion("queue pairs 16", "fabric route x --set=a=16", "main", False, 2.5, 1.0, 9, 0, 1.5, 1.25, 2, 0),
    Suggestion(
        "spray | packets",
        "fabric route x --set=b=*",
        "main",
        True,
        2.5,
        float("inf"),
        9,
        3,
        1.5,
        None,
        2,
        1,
        rest=0.96,
        rest_fabric="storage",
    ),
)
FINDINGS = (
    Finding("contradiction", "ports", "spines 4", "512 uplinks need 512 spine ports", ("64 x 8 = 512", "4 x 64 = 256")),
    Finding("warning", "single-point", "spine", "one spine", fix="two spines", fabric="main"),
    Finding("note", "unused", "leaf", "8 ports of 64 unused", ("64 - 56 = 8",), "room to grow", "main"),
)
SWEEP = sweep()
SCHEDULED_ROWS = [
    {
        "format": "slurm", "of": "fabric", "name": name, "folder": "out", "hosts": hosts, "levels": levels,
        "groups": groups, "ranks": None, "mapped": 0, "differences": differences, "read_by": "slurmctld",
    }
    for name, hosts, levels, groups, differences in (("backend", 256, 2, 9, 0), ("storage", 296, None, None, 3))
]  # fmt: skip

QUESTIONS: dict[str, Callable[[Routed], Table]] = {
    "phases": lambda it: phase_table(it.result.routes),
    "draws of the hash": lambda it: spread_table(it.hashed.routes),
    "tiers": lambda it: tier_table(it.result.routes),
    "hottest links": lambda it: hot_link_table(it.result.items),
    "hottest links, folded": lambda it: folded_link_table(it.result.folded),
    "all links": lambda it: link_table(it.entry),
    "limits": lambda it: limit_table(it.limited.result.limits),
    "steps": lambda it: step_table(it.result.jobs),
    "steps with demand cut": lambda it: step_table(it.without.jobs),
    "jobs": lambda it: job_table(it.result.jobs),
    "energy of a step": lambda it: energy_of(it.result.jobs, NetworkPower(24_000.0, 31_000.0, 64)),
    "suggestions": lambda _: suggestion_table(CHANGES),
    "findings of a review": lambda _: finding_table(FINDINGS),
    "who loads a link": lambda it: share_table(it.result.items[0]),
    "pairs on a link": lambda it: link_flow_table(it.entry, link_flows(it.entry, it.hottest)),
    "what a job sends": lambda it: demand_table(it.entry, job="job"),
    "effect of a failure": lambda it: effect_table(it.result, it.without),
    "links that changed": lambda it: moved_link_table(
        [("f", one.phase, each) for one, other in zip(it.result.routes, it.without.routes, strict=True)
         for each in changed_links(one, other, 3)]
    ),
    "differences": lambda _: figure_table(ROWS),
    "limits since": lambda it: limits_since(it.limited.result.limits, it.limited_less.limits),
    "phases since": lambda it: phases_since(it.result.routes, it.without.routes),
    "times since": lambda it: times_since(it.result.jobs, it.without.jobs),
    "routers": lambda it: router_table(it.routers),
    "sources of load": lambda it: source_table(it.routers),
    "step by router": lambda it: router_step_table(it.routers),
    "limits by router": lambda it: router_limit_table(it.limited_routers),
    "roles": lambda it: role_table(
        "backend", summarise(it.network.topologies["backend"]), it.network.topologies["backend"],
        it.loaded.scenario.fabrics["backend"],
    ),
    "cables": lambda it: cable_table({name: summarise(net) for name, net in it.network.topologies.items()}),
    "traffic": lambda it: sent_table(it.workloads, it.schedules),
    "demand matrix": lambda it: matrix_table(
        [demand_matrix(it.network.topologies["backend"], "backend", it.workloads, "leaf")]
    ),
    "bill": lambda it: bill_table(bill_of(it.loaded, it.network.topologies)),
    "cost and power by part": lambda it: part_table(bill_of(it.loaded, it.network.topologies)),
    "totals of the bill": lambda it: total_table(bill_of(it.loaded, it.network.topologies)),
    "paths": lambda it: path_table({name: distances(net) for name, net in it.network.topologies.items()}),
    "bisection": lambda it: cut_table({name: bisection(net) for name, net in it.network.topologies.items()}),
    "cables in pull order": lambda it: cable_views.cable_table(it.cables),
    "cables from both ends": lambda it: cable_views.cable_table(it.cables, both_ways=True),
    "cables to buy": lambda it: cable_views.cable_kind_table(it.cables),
    "bundles of cables": lambda it: cable_views.bundle_table(it.cables),
    "trays": lambda it: cable_views.tray_table(it.cables),
    "profiles of cables": lambda _: profile_table(profile_rows()),
    "hosts by switch": lambda it: leaf_table(it.network.topologies),
    "switches of hosts": lambda it: host_table(it.network),
    "assumptions": lambda it: assumption_table(it.result.assumptions),
    "files": lambda it: file_table(it.loaded),
    "failure cases": lambda _: failures.case_table(SWEEP.failures),
    "failure cases, folded": lambda _: failures.folded_case_table(failures.folded_cases(SWEEP.failures)),
    "links by their worst case": lambda _: failures.worst_link_table(SWEEP.links),
    "links by their worst case, folded": lambda _: failures.folded_link_table(failures.folded_links(SWEEP.links)),
    "failures that fill a link": lambda _: failures.cause_table(SWEEP.links[0]),
    "limits in failure cases": lambda _: failures.when_limit_table(SWEEP.limits, {"L2": 0.9975}),
    "worst failure of every kind": lambda _: failures.kind_table(failures.kind_harms(SWEEP.failures)),
    "what is lost a month": lambda _: failures.loss_table(SWEEP.expected),
    "best time between checkpoints": lambda _: failures.checkpoint_table(SWEEP.expected.checkpoints),
    "what to add": lambda _: failures.remedy_table(SWEEP.remedies),
    "designs": lambda _: design_table(DESIGNS, {DESIGNS[0].name: Path("a.fabric.yaml")}),
    "wishes that conflict": lambda _: conflict_table(CONFLICT),
    "windows of work": lambda it: window_table(it.drained),
    "placements of a job": lambda it: placement_table(it.placed),
    "exports for schedulers": lambda _: scheduled_table(SCHEDULED_ROWS),
    "nodes of a cluster": lambda _: node_table(NODES),
    "jobs beside each other": lambda it: sharing_table(it.sharing),
    "slowdown, job by job": lambda it: slowdown_matrix(it.sharing),
    "jobs that share links": lambda it: sharing_job_table(it.sharing),
    "what a newcomer costs": lambda it: admitted_table(it.sharing),
    "time shifts": lambda it: shift_table(it.sharing, it.sharing.shifts),
    "layouts of storage": lambda it: layout_table(it.stored),
    "stages of growth": lambda it: growth_table(it.grown),
    "order of the work": lambda it: work_table(it.grown),
}  # fmt: skip
