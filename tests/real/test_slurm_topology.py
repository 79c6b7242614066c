"""Our topology.conf in a real ``slurmctld``: it says the tree that we mean, and jobs are placed by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from real_programs import require
from scheduler_plans import built, plan_of
from slurm_lab import PROGRAMS, SlurmLab

from fabric.share.schedulers.format import SCHEDULER_FORMATS, SchedulerPlan
from fabric.share.schedulers.formats.slurm import SLURM
from fabric.share.schedulers.names import fit_names, folded
from fabric.share.schedulers.tree_sets import tree_branches
from traffic.hostlist import expand_hosts

pytestmark = [pytest.mark.real_slurm, pytest.mark.slow]
require(*PROGRAMS)


def _controller(plan: SchedulerPlan) -> SlurmLab:
    text = next(iter(SCHEDULER_FORMATS["slurm"].write(plan))).text
    tree = next(iter(plan.trees.values()))
    names = fit_names(tree.hosts, SLURM)
    return SlurmLab(",".join(folded(names.values())), topology=text)


def _wanted(plan: SchedulerPlan) -> dict[str, set[str]]:
    """Hosts of every switch, from the columns of the tree."""
    tree = next(iter(plan.trees.values()))
    hosts = fit_names(tree.hosts, SLURM)
    names = fit_names((name for level in tree.levels for name in level.names), SLURM)
    kept = {branch.name for branch in tree_branches(tree)}
    return {
        names[name]: {hosts[tree.hosts[host]] for host in rows.tolist()}
        for level in range(len(tree.levels))
        for name, rows in zip(tree.levels[level].names, tree.members(level), strict=True)
        if name in kept
    }


@pytest.fixture(scope="module")
def large() -> Iterator[tuple[SlurmLab, SchedulerPlan]]:
    """A fat tree of radix 32: 8,192 hosts, 512 edges of 16 in 32 pods of 256; 545 switches for Slurm."""
    plan = plan_of(built("fat-tree", radix=32, speed="400G"))
    with _controller(plan) as controller:
        yield controller, plan


def test_slurmctld_has_the_tree_of_8192_nodes(large: tuple[SlurmLab, SchedulerPlan]) -> None:
    controller, plan = large
    found = controller.switches()
    assert {name: set(expand_hosts(nodes)) for name, (_, nodes) in found.items()} == _wanted(plan)
    assert [sum(1 for level, _ in found.values() if level == height) for height in range(3)] == [512, 32, 1]
    log = controller.log()
    assert not re.search(r"(?i)fatal|not fully connected|lack access|invalid child", log)


@pytest.mark.parametrize(
    ("nodes", "edges", "pods"), [(16, 1, 1), (10, 1, 1), (17, 2, 1), (256, 16, None), (300, 19, 2)]
)
def test_jobs_land_on_as_few_groups_as_hold_them(
    large: tuple[SlurmLab, SchedulerPlan], nodes: int, edges: int, pods: int | None
) -> None:
    """16 hosts are one edge; 17 two of one pod; 256 are 16 edges, 300 are 19.

    Slurm 22.05 counts leaf switches and no levels: for 256 it takes edges of two pods though a whole pod is free.
    """
    controller, _ = large
    placed = controller.place(nodes)
    assert len(placed) == nodes
    assert len({name.rpartition("-")[0] for name in placed}) == edges
    if pods is not None:
        assert len({name.split("-")[0] for name in placed}) == pods


@pytest.mark.parametrize("kind", ["rail-optimised", "dragonfly", "torus", "zcube", "multi-plane"])
def test_slurmctld_takes_the_tree_of_every_kind(kind: str) -> None:
    plan = plan_of(built(kind))
    with _controller(plan) as controller:
        found = controller.switches()
    assert {name: set(expand_hosts(nodes)) for name, (_, nodes) in found.items()} == _wanted(plan)


def test_names_that_would_not_do_are_taken_as_they_are_mapped() -> None:
    """Switches with 40 digits at their end, with blanks and brackets: as they are, 22.05 crashes or refuses them."""
    topology = built("leaf-spine")
    odd = {"leaf0": "leaf" + "9" * 40, "leaf1": "leaf [1]", "leaf2": "x" * 90, "leaf3": "ALL"}
    names = tuple(odd.get(name, name) for name in topology.nodes.name)
    plan = plan_of(replace(topology, nodes=replace(topology.nodes, name=names)))
    with _controller(plan) as controller:
        found = controller.switches()
        placed = controller.place(4)
    assert len(found) == 5
    assert {name: set(expand_hosts(nodes)) for name, (_, nodes) in found.items()} == _wanted(plan)
    assert len({name.rpartition("-")[0] for name in placed}) == 1
