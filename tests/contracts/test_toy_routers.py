"""A router that a test registers is routed, compared, explained, exported or refused; no other file is touched."""

from __future__ import annotations

import contextlib
import inspect
import io
import json

import numpy as np
import pytest
import test_routers
from toy_routers import TOYS, registered

from fabric.cli.main import run
from fabric.evaluation.link_flows import link_flows
from fabric.evaluation.router_comparison import compared_routers
from fabric.optimise.objective import OBJECTIVES, ObjectiveTraits
from fabric.pipeline.comparison import compare_routers
from fabric.pipeline.prepared import prepare
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.routing.graph import PhaseDemand, RoutingGraph
from fabric.routing.names import objective_names, router_names
from fabric.routing.router import ROUTERS, Routing, RoutingOptions
from fabric.routing.traits import RouterTraits
from fabric.scenario.load import load_scenario
from fabric.whatif.changes import suggested_routers
from topologies.errors import FabricError, ScenarioError
from topologies.registry import Injected

SCENARIO = """
version: 1
name: small
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 3, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ROUTER}
nodes:
  - {group: hosts, count: 6, nics: {main: {speed: 100G}}}
workloads:
  - {id: shuffle, kind: alltoall, members: hosts, size: 1 GiB}
"""
EVERY = pytest.mark.parametrize("toy", sorted(TOYS))
CONTRACTS = [
    test
    for name, test in inspect.getmembers(test_routers, inspect.isfunction)
    if name.startswith("test_") and "router" in inspect.signature(test).parameters
]


@pytest.fixture
def named(request, toy):
    """The toy, registered."""
    with registered(toy) as name:
        yield name


def scenario(tmp_path, router):
    """A file that names a router."""
    path = tmp_path / "small.fabric.yaml"
    path.write_text(SCENARIO.replace("ROUTER", router), encoding="utf-8")
    return path


def answer(*words):
    """Exit code, standard output and standard error of a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([*words])
    return code, out.getvalue(), err.getvalue()


@EVERY
@pytest.mark.parametrize("contract", CONTRACTS, ids=[test.__name__ for test in CONTRACTS])
def test_a_toy_passes_the_contract(named, contract, monkeypatch):
    """Every contract of routers, on one seed and one of each other parameter."""
    offered = {"seed": 3, "cpus": 4, "capacities": (1e-3, 1e6), "monkeypatch": monkeypatch, "router": named}
    if contract.__name__ == "test_names_and_numbers_of_nodes_do_not_matter_to_fluids" and (
        ROUTERS[named].traits.ties == "number"
    ):
        pytest.skip("breaks ties by number, and says so")
    contract(**{name: offered[name] for name in inspect.signature(contract).parameters})


@EVERY
def test_a_scenario_may_name_it(named, tmp_path):
    """The schema and ``--router`` know it while it is registered, and correct a slip in its name."""
    (entry,) = route(load_scenario(scenario(tmp_path, named))).routes
    assert entry.router == named
    assert entry.max_utilisation > 0
    assert named in router_names()
    with pytest.raises(ScenarioError, match=f"unknown router '{named}x'"):
        load_scenario(scenario(tmp_path, f"{named}x"))


def test_it_is_unknown_again_when_it_is_gone(tmp_path):
    """Nothing of a test's router stays behind."""
    with registered("first-hop"):
        pass
    assert "first-hop" not in router_names()
    assert compared_routers() == ("optimal", "wcmp", "ecmp", "spray", "ecmp-hash")
    with pytest.raises(ScenarioError, match="unknown router 'first-hop'"):
        load_scenario(scenario(tmp_path, "first-hop"))


@EVERY
def test_the_command_line_takes_it_and_says_what_its_figures_rest_on(named, tmp_path):
    """In the table by the mark of perfect splits, in JSON by ``routing_basis``."""
    path = str(scenario(tmp_path, "ecmp"))
    code, out, err = answer("route", path, "--router", named, "--suggest", "never", "-f", "plain", "--quiet")
    assert code == 0, err
    assert (f"{named} (if split perfectly)" in out) == ROUTERS[named].traits.is_bound
    code, out, err = answer("route", path, "--router", named, "--suggest", "never", "--json", "--quiet")
    (found,) = json.loads(out)["routes"]
    assert (found["router"], found["routing_basis"]) == (named, ROUTERS[named].traits.basis)


@EVERY
def test_its_flows_on_a_link_are_listed_and_add_up(named, tmp_path):
    """On every link; from its paths, its splits or, for a router without either, only where its rule says them."""
    (entry,) = route(load_scenario(scenario(tmp_path, named))).routes
    between = np.flatnonzero(entry.topology.nodes.forwards[entry.topology.links.src] & (entry.utilisation > 0))
    if named == "tunnelled":
        leaf_to_spine = [
            link for link in between if entry.topology.tiers[entry.topology.links.tier[link]] != "host-leaf"
        ]
        with pytest.raises(FabricError, match="router tunnelled does not record paths"):
            link_flows(entry, int(leaf_to_spine[0]))
        return
    for link in between.tolist():
        flows = link_flows(entry, link)
        assert flows.gbps.sum() == pytest.approx(entry.link_gbps[link].sum())
        assert (flows.total_subflows > 0) == (named == "first-fit")


def test_a_router_that_says_so_is_compared_and_suggested(tmp_path):
    """After ours, as its position says; two hosts of a leaf send 4 of 5 parts away, 160 Gb/s over one link of 100."""
    loaded = load_scenario(scenario(tmp_path, "ecmp"))
    with registered("first-hop"):
        assert compared_routers()[-1] == suggested_routers()[-1] == "first-hop"
        result = compare_routers(prepare(loaded))
        (phase,) = result.phases
        assert phase.figure("first-hop").max_utilisation == pytest.approx(1.6)
    with registered("first-fit"):
        assert "first-fit" not in compared_routers()
        (phase,) = compare_routers(prepare(loaded), routers=("ecmp", "first-fit")).phases
        assert phase.figure("first-fit") is not None


@pytest.mark.parametrize("toy", ["first-hop", "first-fit"])
def test_a_programmable_one_is_exported_and_verified(named, tmp_path):
    """As OpenFlow rules, followed from every source to every destination by the exporter itself."""
    code, _, err = answer(
        "export",
        "openflow",
        str(scenario(tmp_path, named)),
        "--dialect",
        "ovs",
        "-o",
        str(tmp_path / "tables"),
        "--quiet",
    )
    assert code == 0, err


def test_one_that_tables_cannot_carry_is_refused_with_its_own_reason(tmp_path):
    """And with its own way out."""
    with registered("tunnelled"):
        code, _, err = answer(
            "export", "openflow", str(scenario(tmp_path, "tunnelled")), "-o", str(tmp_path / "tables")
        )
    assert code == 3
    assert "router tunnelled begins tunnels at its sources, which no table of a switch says" in err
    assert "router ecmp loads the same links" in err


def test_a_dialect_that_chooses_paths_itself_refuses_a_rule_it_does_not_follow(tmp_path):
    """BGP spreads over all shortest paths: it cannot send all to the first."""
    with registered("first-hop"):
        code, _, err = answer(
            "export", "routes", str(scenario(tmp_path, "first-hop")), "--dialect", "frr", "-o", str(tmp_path / "tables")
        )
    assert code == 3
    assert "cannot carry the splits of router first-hop" in err


def test_a_router_has_to_say_what_it_is():
    """Without traits, or with traits that leave out why tables cannot carry it, nothing registers."""
    with pytest.raises(TypeError, match="router 'silent' does not say what it is"):
        ROUTERS.register("silent", example={})
    with pytest.raises(ValueError, match="says why no table carries it"):
        RouterTraits(placement="fluid")
    with pytest.raises(ValueError, match="says why no table carries it"):
        RouterTraits(placement="fluid", rule="equal", not_programmable="is shy", way_out="ask twice")
    with pytest.raises(ValueError, match="names the router of its mean"):
        RouterTraits(placement="hashed", rule="equal")
    assert "silent" not in router_names()


def shortest_only(
    graph: Injected[RoutingGraph], demand: Injected[PhaseDemand], options: Injected[RoutingOptions]
) -> Routing:
    """Equal splits, whatever they cost."""
    return ROUTERS["ecmp"]({}, graph=graph, demand=demand, options=options)


def test_an_objective_registered_by_a_test_is_followed(tmp_path):
    """Named in the scenario, by ``--objective``, and unknown again afterwards."""
    path = scenario(tmp_path, "optimal")
    traits = ObjectiveTraits(sense="least", figure="detours", unit="links")
    OBJECTIVES.names()
    OBJECTIVES.register("no-detours", example={}, traits=traits)(shortest_only)
    try:
        assert "no-detours" in objective_names()
        loaded = load_scenario(path, overrides=["fabrics.main.routing.objective=no-detours"])
        (entry,) = route(loaded).routes
        (equal,) = route(loaded, RouteRequest(router="ecmp")).routes
        assert entry.link_gbps.tobytes() == equal.link_gbps.tobytes()
        code, _, err = answer("route", str(path), "--objective", "no-detours", "--quiet", "-f", "plain")
        assert code == 0, err
    finally:
        OBJECTIVES.remove("no-detours")
    with pytest.raises(ScenarioError, match="unknown objective 'no-detours'"):
        load_scenario(path, overrides=["fabrics.main.routing.objective=no-detours"])
