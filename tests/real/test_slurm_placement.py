"""The hosts that our model of Slurm chooses, beside those that a real ``slurmctld`` gives, over random busy hosts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest
from real_programs import require
from slurm_lab import PROGRAMS, SlurmLab

from fabric.share.place.groups import HostGroups
from fabric.share.place.slurm import slurm_hosts
from traffic.hostlist import expand_hosts

pytestmark = [pytest.mark.real_slurm, pytest.mark.slow]
require(*PROGRAMS, "sinfo", "scancel")

# Hosts of every leaf, leaves of every pod, pods under the top: pods and leaves of unequal sizes.
SIZES = [[4, 4, 3, 5, 4, 2, 6, 4, 4], [3, 2, 4], [3]]
GROUPS = HostGroups.of_sizes(SIZES)
PLACED = 24  # jobs


def _topology() -> str:
    hosts = [np.flatnonzero(GROUPS.of_host[0] == leaf) for leaf in range(len(SIZES[0]))]
    lines = [
        f"SwitchName={GROUPS.names[0][leaf]} Nodes=n[{mine[0]:02d}-{mine[-1]:02d}]" for leaf, mine in enumerate(hosts)
    ]
    for level in (1, 2):
        for group, name in enumerate(GROUPS.names[level]):
            below = np.flatnonzero(GROUPS.parents[level - 1] == group).tolist()
            lines.append(f"SwitchName={name} Switches={','.join(GROUPS.names[level - 1][one] for one in below)}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def controller() -> Iterator[SlurmLab]:
    """36 hosts on nine leaves of three pods."""
    with SlurmLab(f"n[00-{GROUPS.hosts - 1:02d}]", topology=_topology()) as running:
        yield running


def test_slurmctld_gives_the_hosts_that_we_say(controller: SlurmLab) -> None:
    """Jobs of random sizes take what those before them leave; some end, and others come.

    All nodes have run before: 22.05 takes nodes that were never started after all others.
    """
    rng = np.random.default_rng(11)
    running: dict[str, list[int]] = {}
    free = np.ones(GROUPS.hosts, dtype=np.bool_)
    first = _submit(controller, GROUPS.hosts)
    _hosts(controller, [first])
    _end(controller, [first])
    placed = 0
    while placed < PLACED:
        ended = [job for job in running if rng.random() < 0.6]
        _end(controller, ended)
        for job in ended:
            free[running.pop(job)] = True
        wanted = []
        while free.sum() - sum(wanted) > 0 and len(wanted) < 6:
            wanted.append(int(rng.integers(1, min(int(free.sum()) - sum(wanted), 14) + 1)))
        jobs = [_submit(controller, nodes) for nodes in wanted]
        found = _hosts(controller, jobs)
        for job, nodes in zip(jobs, wanted, strict=True):
            said = slurm_hosts(GROUPS, free, nodes)
            assert said is not None
            assert found[job] == said.tolist(), f"free were {np.flatnonzero(free).tolist()}"
            running[job] = found[job]
            free[found[job]] = False
            placed += 1


def _submit(controller: SlurmLab, nodes: int) -> str:
    return controller.submit(f"--nodes={nodes}", "--exclusive")


def _hosts(controller: SlurmLab, jobs: list[str]) -> dict[str, list[int]]:
    """Hosts of jobs, once all have them."""
    nodes = controller.nodes_of(jobs)
    return {job: sorted(int(name.removeprefix("n")) for name in expand_hosts(nodes[job])) for job in jobs}


def _end(controller: SlurmLab, jobs: list[str]) -> None:
    """Jobs are cancelled, and have left their nodes: all that no job has are idle, none is completing."""
    if jobs:
        controller.run("scancel", *jobs)
    deadline = time.monotonic() + 30
    while True:
        jobs_of = [line.split() for line in controller.run("squeue", "-h", "-o", "%i %D").splitlines()]
        states = controller.run("sinfo", "-h", "-N", "-o", "%T").split()
        taken = sum(int(count) for _, count in jobs_of)
        if not set(jobs) & {job for job, _ in jobs_of} and states.count("idle#") == GROUPS.hosts - taken:
            return
        assert time.monotonic() < deadline, f"nodes are {states}"
