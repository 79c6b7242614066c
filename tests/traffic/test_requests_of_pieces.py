"""Requests of pieces against what nodes have: offered to every policy, refused with the numbers, never averaged."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from topologies.errors import TrafficError
from traffic.occupancy import Occupancy
from traffic.parallelism import Parallelism
from traffic.placement import GpuPool, Placement
from traffic.resource_room import ResourceRoom
from traffic.resources import NodeResources, ResourceRequests


class Nodes:
    """A group of hosts, and jobs that come one after another."""

    def __init__(self, hosts, gpus, tmp_path, **resources):
        self.hosts, self.gpus = tuple(f"n{number}" for number in range(hosts)), gpus
        self.has = NodeResources(**resources).by_node(hosts)
        self.occupancy, self.directory, self.said, self.rng = Occupancy(), tmp_path, [], np.random.default_rng(0)
        self.inventory = self

    def resources(self, group):
        return self.has

    def say(self, *texts):
        self.said += texts

    def job(self, name, ranks, **placement):
        """Ranks on every host."""
        free = self.occupancy.free("g", len(self.hosts), self.gpus)
        placed = GpuPool("g", self.hosts, self.gpus, free).place(
            Placement(**placement), Parallelism().resolve(ranks), self, name
        )
        return np.bincount(placed[:, 0], minlength=len(self.hosts)).tolist()


def test_64_cores_on_4_nodes_of_8_are_refused_with_the_numbers(tmp_path):
    """4 ranks of 16 cores: 16 each would be the mean; no node has 16."""
    with pytest.raises(TrafficError, match="no piece fits on any host") as caught:
        Nodes(4, 8, tmp_path, cpu=8).job("a", 4, requests={"cpu": 16})
    problem = caught.value.problems[0]
    assert problem.code == "FP4081"
    assert problem.message.startswith(
        "no room for 4 pieces of 1 rank and 16 cores each: 0 of 4 fit. 4 hosts have 32 cores"
    )
    assert "at most 8 cores on one, and the pieces request 64 cores" in problem.message
    assert problem.notes[0] == "pieces that would fit by each alone: cpu 0, gpus 32"


def test_pieces_get_only_the_gpus_that_are_free_for_jobs(tmp_path):
    """Of 3 nodes of 8 GPUs 8, 5 and 0 are free: pieces of 4 fit 2, 1 and 0 times; a job before takes some of them."""
    nodes = Nodes(3, 8, tmp_path, cpu=96)
    nodes.has = NodeResources(cpu=96, gpus=[8, 5, 0]).by_node(3)
    assert nodes.job("a", 4, requests={"ranks": 4, "cpu": 1}) == [4, 0, 0]
    assert nodes.job("b", 8, requests={"ranks": 4, "cpu": 1}) == [4, 4, 0]
    with pytest.raises(TrafficError, match="0 of 1 fit"):
        nodes.job("c", 4, requests={"ranks": 4, "cpu": 1})
    with pytest.raises(ValueError, match="not a number of GPUs"):
        NodeResources(gpus=[8, -1])


def test_the_sum_that_would_do_does_not_make_it_fit(tmp_path):
    """4 nodes of 24 cores are 96, 6 pieces of 16 are 96: one fits on each node, 4 of 6."""
    with pytest.raises(TrafficError, match=r"no room for 6 pieces .*: 4 of 6 fit"):
        Nodes(4, 8, tmp_path, cpu=24).job("a", 6, requests={"cpu": 16})


@pytest.mark.parametrize("order", ["packed", "spread", "scattered"])
def test_every_policy_keeps_to_what_fits(tmp_path, order):
    """64 cores, 16 a rank: 4 ranks a node though there are 8 GPUs."""
    assert Nodes(4, 8, tmp_path, cpu=64).job("a", 16, order=order, requests={"cpu": 16}) == [4, 4, 4, 4]


def test_nodes_that_differ_are_filled_by_what_each_has(tmp_path):
    """Memory for 1, 8, 0 and 2 ranks."""
    nodes = Nodes(4, 8, tmp_path, memory=["100 GB", "900 GB", "50 GB", "200 GB"])
    assert nodes.job("a", 11, requests={"memory": "100 GB"}) == [1, 8, 0, 2]
    assert nodes.said == ["11 pieces of 1 rank and memory of 100 GB each on n1 (8), n3 (2), n0 (1)"]


def test_pods_of_several_ranks_are_whole_on_a_node(tmp_path):
    """Pieces of 4 ranks and 40 cores on nodes of 8 GPUs and 64 cores: one a node. Ranks that are spread tear them."""
    nodes = Nodes(4, 8, tmp_path, cpu=64)
    assert nodes.job("a", 8, requests={"ranks": 4, "cpu": 40}) == [4, 4, 0, 0]
    with pytest.raises(TrafficError, match="are one piece, and would be on") as caught:
        Nodes(4, 8, tmp_path, cpu=64).job("a", 16, order="spread", requests={"ranks": 4, "cpu": 16})
    assert caught.value.problems[0].code == "FP4082"
    with pytest.raises(TrafficError, match="6 ranks are not whole pieces of 4"):
        nodes.job("b", 6, requests={"ranks": 4, "cpu": 1})


def test_a_placement_that_does_not_keep_to_what_it_was_offered_is_refused(tmp_path):
    """A policy of somebody else puts 8 ranks of 16 cores on one node of 64."""
    room = ResourceRoom(("n0", "n1"), {"cpu": (64_000, 64_000)})
    all_on_one = np.stack([np.zeros(8, int), np.arange(8)], axis=1)
    with pytest.raises(
        TrafficError, match="n0 has 64 cores left, and the placement puts pieces there that request 128"
    ):
        room.take(ResourceRequests(cpu=16), all_on_one, "a", movable=True)


def test_jobs_share_the_nodes(tmp_path):
    """32 cores a node: a takes 24 on each of two, so that b's 16 fit only on the others."""
    nodes = Nodes(4, 8, tmp_path, cpu=32)
    assert nodes.job("a", 2, order="spread", requests={"cpu": 24}) in ([1, 1, 0, 0], [1, 0, 1, 0])
    assert sum(nodes.job("b", 4, requests={"cpu": 16})) == 4
    with pytest.raises(TrafficError, match="hosts have left 16 cores, at most 8 cores on one") as caught:
        nodes.job("c", 1, requests={"cpu": 10})
    assert "no assignment of a, b, c holds all 7 pieces: at most 6 fit (proved)" in caught.value.problems[0].notes[1]


def test_another_assignment_of_all_jobs_is_found_where_there_is_one(tmp_path):
    """a's small pieces fill the only node with memory for b's; on the other node they leave it free."""
    nodes = Nodes(2, 4, tmp_path, cpu=8, memory=["800 GB", "100 GB"])
    assert nodes.job("a", 4, requests={"cpu": 2, "memory": "10 GB"}) == [4, 0]
    with pytest.raises(TrafficError, match=r"no room for 1 piece .*: 0 of 1 fit") as caught:
        nodes.job("b", 1, requests={"cpu": 2, "memory": "700 GB"})
    found = caught.value.problems[0].notes[1]
    assert "another assignment holds a, b together" in found
    assert "b on n0 (1)" in found


def test_what_nobody_says_is_not_guessed(tmp_path):
    """Memory is requested of nodes of which only cores are known; a job that requests nothing is said."""
    nodes = Nodes(2, 4, tmp_path, cpu=8)
    with pytest.raises(TrafficError, match="memory is requested, and nothing says how much of it the nodes have"):
        nodes.job("a", 2, requests={"memory": "1 GB"})
    assert nodes.job("b", 2) == [2, 0]
    assert nodes.said == ["b requests nothing of cpu of its hosts; that it fits is not checked"]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"cpu": -1}, {"cpu": "many"}, {"memory": "5"}, {"cpu": 1, "disk": "1 GB"}, {"ranks": 0, "cpu": 1},
     {"cpu": float("nan")}, {"memory": "9999999 EB"}, {"cpu": True}],
)  # fmt: skip
def test_requests_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError):
        ResourceRequests(**wrong)


def test_amounts_of_nodes_are_as_many_as_there_are_nodes():
    with pytest.raises(ValueError, match=r"resources.cpu lists 2 amounts for 3 nodes"):
        NodeResources(cpu=[1, 2]).by_node(3)
    assert NodeResources(cpu="500m").by_node(2) == {"cpu": (500, 500)}
