"""Who loads a link: rows add up to its load, whatever the router, on every link."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from fabric.evaluation.link_flows import link_flows
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.result import PhaseRoute
from fabric.scenario.load import load_scenario
from topologies.errors import RoutingError

QUICKSTART = "examples/quickstart.fabric.yaml"
LISTED = ["ecmp", "wcmp", "bgp-ucmp", "spray", "single-path", "optimal", "k-shortest", "pinned", "ecmp-hash", "ftree"]

SMALL = """
version: 1
name: small
fabrics:
  main:
    attach: [a, b]
    topology:
      kind: leaf-spine
      leaf: {count: 4, down: 8, up: 4, speed: 100G}
      spine: {count: 2, speed: 100G}
      dual_home: [b]
    routing: {router: ecmp}
nodes:
  - {group: a, count: 10, nics: {main: {speed: 100G}}}
  - {group: b, count: 4, nics: {main: {count: 2, speed: 50G}}}
workloads:
  - {id: some, kind: permutation, fabric: main, members: a, size: 1 GiB}
  - {id: all, kind: all-to-all, fabric: main, size: 1 GiB}
"""


def rows_add_up(entry: PhaseRoute, links: list[int]) -> None:
    """The sum over pairs is the offered load of the link, and by class as well."""
    for link in links:
        found = link_flows(entry, link)
        assert found.gbps.sum() == pytest.approx(entry.link_gbps[link].sum(), rel=1e-6, abs=1e-6), (
            entry.topology.link_name(link)
        )
        for code in range(entry.link_gbps.shape[1]):
            assert found.gbps[found.code == code].sum() == pytest.approx(
                entry.link_gbps[link, code], rel=1e-6, abs=1e-6
            )


@pytest.mark.parametrize("router", LISTED)
def test_rows_add_up_to_the_load_of_every_link(router: str, tmp_path: object) -> None:
    """A leaf-spine with a failed cable, single and dual-homed hosts, a permutation and all-to-all."""
    path = f"{tmp_path}/small.fabric.yaml"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(SMALL)
    result = route(load_scenario(path), RouteRequest(router=router, down=("link=leaf0:spine1#1",), time_limit_s=20))
    for entry in result.routes:
        rows_add_up(entry, list(range(len(entry.topology.links))))


@pytest.mark.parametrize("router", ["ecmp", "ecmp-hash", "wcmp", "spray"])
def test_rows_add_up_on_the_large_example(router: str) -> None:
    """train-2k: the ten hottest links and ten others of every phase, storage with dual-homed hosts among them."""
    result = route(load_scenario("examples/train-2k.fabric.yaml"), RouteRequest(router=router))
    for entry in result.routes:
        hottest = np.argsort(-entry.utilisation)[:10].tolist()
        rows_add_up(entry, [*hottest, *range(0, len(entry.topology.links), len(entry.topology.links) // 10)])


def test_ecmp_parts_are_those_of_networkx_shortest_paths() -> None:
    """Equal split over next hops is, on a leaf-spine, equal split over all shortest paths, counted by NetworkX."""
    result = route(load_scenario("examples/abilene.fabric.yaml"), RouteRequest(router="ecmp"))
    entry = result.routes[0]
    topology = entry.topology
    graph = nx.DiGraph()
    for link in range(len(topology.links)):
        graph.add_edge(int(topology.links.src[link]), int(topology.links.dst[link]), weight=topology.links.weight[link])
    link = int(np.argmax(entry.utilisation))
    ends = (int(topology.links.src[link]), int(topology.links.dst[link]))
    assert topology.nodes.forwards[list(ends)].all()
    found = link_flows(entry, link)
    seen = {(int(src), int(dst)) for src, dst in zip(found.src, found.dst, strict=True)}

    def part(node: int, dst: int) -> float:
        """Fraction of what ``node`` sends to ``dst`` that crosses the link, by the definition of ECMP."""
        if node == dst:
            return 0.0
        far = nx.shortest_path_length(graph, node, dst, weight="weight")
        steps = [
            head
            for head in graph[node]
            if abs(graph[node][head]["weight"] + nx.shortest_path_length(graph, head, dst, weight="weight") - far)
            < 1e-9
        ]
        return sum((1.0 if (node, head) == ends else part(head, dst)) for head in steps) / len(steps)

    routed = entry.routed
    assert routed is not None
    expected = {}
    for traffic in routed.pairs:
        for src, dst, amount in zip(traffic.flows.src, traffic.flows.dst, traffic.flows.amount, strict=True):
            share = part(int(src), int(dst))
            if share > 0:
                expected[int(src), int(dst)] = share * amount * traffic.gbps_per_unit
    assert seen == set(expected)
    for src, dst, gbps in zip(found.src, found.dst, found.gbps, strict=True):
        assert gbps == pytest.approx(expected[int(src), int(dst)])


def test_hashed_rows_count_their_queue_pairs() -> None:
    """296 % of 400 Gb/s in queue pairs of 100 Gb/s, or somewhat less of the middle stages, is twelve of them."""
    result = route(load_scenario("examples/train-2k.fabric.yaml"), RouteRequest(replicas=1))
    entry = next(entry for entry in result.routes if entry.phase == "dp.reduce_scatter")
    found = link_flows(entry, int(np.argmax(entry.utilisation)))
    assert found.total_subflows == 12
    assert found.gbps.sum() == pytest.approx(entry.max_utilisation * 400) == pytest.approx(1182.65, abs=0.01)


def test_a_router_without_paths_says_so() -> None:
    """Valiant keeps loads alone."""
    entry = route(load_scenario(QUICKSTART), RouteRequest(router="valiant")).routes[0]
    between = [
        link
        for link in range(len(entry.topology.links))
        if entry.topology.tiers[entry.topology.links.tier[link]] == "leaf-spine"
    ]
    with pytest.raises(RoutingError, match="does not record paths"):
        link_flows(entry, between[0])
