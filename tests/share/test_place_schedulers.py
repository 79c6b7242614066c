"""Hosts that Slurm and Kueue choose: by hand, and against second, simpler versions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fabric.share.place.groups import HostGroups
from fabric.share.place.kueue import kueue_hosts
from fabric.share.place.slurm import slurm_hosts

TWO_PODS = HostGroups.of_sizes([[4, 4, 4, 4], [2, 2], [2]])  # hosts 0-3, 4-7 | 8-11, 12-15


def free_but(count: int, *busy: int) -> np.ndarray:
    """Hosts but for those that are busy."""
    found = np.ones(count, dtype=np.bool_)
    found[list(busy)] = False
    return found


def test_slurm_fills_the_leaf_that_fits_most_tightly():
    """Leaves have 4, 2, 3 and 4 idle nodes: two go to the second, three to the third, four to the first."""
    free = free_but(16, 4, 5, 8)
    assert slurm_hosts(TWO_PODS, free, 2).tolist() == [6, 7]
    assert slurm_hosts(TWO_PODS, free, 3).tolist() == [9, 10, 11]
    assert slurm_hosts(TWO_PODS, free, 4).tolist() == [0, 1, 2, 3]


def test_slurm_takes_the_rest_from_the_nearest_leaf():
    """Five nodes fit no leaf; both pods hold 8: the first leaf is taken whole, and one of its own pod completes it."""
    assert slurm_hosts(TWO_PODS, free_but(16), 5).tolist() == [0, 1, 2, 3, 4]


def test_slurm_goes_to_the_pod_that_fits_most_tightly():
    """Pods have 8 and 7 idle nodes: seven fit the second most tightly, and its whole leaf comes first."""
    assert slurm_hosts(TWO_PODS, free_but(16, 8), 7).tolist() == [9, 10, 11, 12, 13, 14, 15]


def test_slurm_lets_a_job_wait_that_no_switch_holds():
    """Seventeen nodes of sixteen."""
    assert slurm_hosts(TWO_PODS, free_but(16), 17) is None


def simple_slurm(sizes: list[int], free: np.ndarray, wanted: int) -> list[int]:
    """Leaves under one spine, a leaf at a time: the smallest that holds the rest, else the largest."""
    leaf = np.repeat(np.arange(len(sizes)), sizes)
    idle = {which: np.flatnonzero((leaf == which) & free).tolist() for which in range(len(sizes))}
    taken: list[int] = []
    while len(taken) < wanted:
        rest = wanted - len(taken)
        holds = [which for which in idle if len(idle[which]) >= rest]
        best = (
            min(holds, key=lambda which: len(idle[which])) if holds else max(idle, key=lambda which: len(idle[which]))
        )
        taken += idle.pop(best)[:rest]
    return sorted(taken)


@pytest.mark.parametrize("seed", range(20))
def test_slurm_agrees_with_a_leaf_at_a_time(seed):
    """Random leaves under one spine, random busy hosts, all sizes of jobs."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 7, int(rng.integers(2, 7))).tolist()
    groups = HostGroups.of_sizes([sizes, [len(sizes)]])
    free = rng.random(sum(sizes)) < 0.7
    for wanted in range(1, int(free.sum()) + 1):
        assert slurm_hosts(groups, free, wanted).tolist() == simple_slurm(sizes, free, wanted)


NAMES = [f"n{host:02d}" for host in range(16)]


def test_kueue_takes_the_tightest_domain_of_the_level_that_is_asked_for():
    """As for Slurm where one leaf holds the job."""
    free = free_but(16, 4, 5, 8)
    assert kueue_hosts(TWO_PODS, NAMES, free, 2).tolist() == [6, 7]
    assert kueue_hosts(TWO_PODS, NAMES, free, 3).tolist() == [9, 10, 11]


def test_kueue_goes_up_a_level_where_none_fits_and_down_again_by_best_fit():
    """Five pods: pods have 6 and 7 free; the first is tighter. In it leaves have 4 and 2: 4 whole, then 1 of the 2."""
    free = free_but(16, 4, 5, 8)
    assert kueue_hosts(TWO_PODS, NAMES, free, 5).tolist() == [0, 1, 2, 3, 6]


def test_kueue_lets_a_required_job_wait_and_asks_pods_where_they_are_named():
    """No leaf holds five; a pod does."""
    free = free_but(16)
    assert kueue_hosts(TWO_PODS, NAMES, free, 5, "required") is None
    assert kueue_hosts(TWO_PODS, NAMES, free, 5, "required", level=1).tolist() == [0, 1, 2, 3, 4]
    assert kueue_hosts(TWO_PODS, NAMES, free, 9, "required", level=1) is None


def test_kueue_takes_hosts_by_name_where_nothing_is_asked():
    """Unconstrained pods of one host each: all hosts are alike, the first by name."""
    assert kueue_hosts(TWO_PODS, NAMES, free_but(16, 0, 2), 3, "unconstrained").tolist() == [1, 3, 4]


def fewest_leaves(free: np.ndarray, wanted: int) -> int:
    """Leaves of the two pods that a job must span inside one pod, by trying all sets of them; 0 where it cannot."""
    idle = [int(free[first : first + 4].sum()) for first in range(0, 16, 4)]
    sets = [
        some
        for pod in ((0, 1), (2, 3))
        for count in (1, 2)
        for some in itertools.combinations(pod, count)
        if sum(idle[leaf] for leaf in some) >= wanted
    ]
    return min(map(len, sets), default=0)


@pytest.mark.parametrize("seed", range(20))
def test_kueue_spans_no_more_leaves_than_a_pod_needs(seed):
    """Best fit on two levels is least in leaves: all sets of leaves are tried."""
    rng = np.random.default_rng(seed)
    free = rng.random(16) < 0.6
    for wanted in range(1, int(free.sum()) + 1):
        chosen = kueue_hosts(TWO_PODS, NAMES, free, wanted)
        assert free[chosen].all()
        assert len(set(chosen.tolist())) == wanted
        least = fewest_leaves(free, wanted)
        if least:
            assert len(np.unique(chosen // 4)) == least
            assert len(np.unique(chosen // 8)) == 1
