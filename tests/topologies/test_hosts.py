"""Dealing hosts over leaves: contiguous blocks, even fill, whole hosts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.hosts import HostGroup, fewest_leaves, hosts_fit, spread_hosts

PLENTY = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def group(name, count, nics=1, **keys):
    return HostGroup(name, tuple(f"{name}{i}" for i in range(count)), nics, 100.0, **keys)


@PLENTY
@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 12))
def test_single_links_fill_every_leaf_alike(counts, leaves):
    """Whatever the groups, leaves differ by at most one port, so that ceil(total / leaves) ports suffice."""
    groups = [group(f"g{index}-", count) for index, count in enumerate(counts)]
    placed = list(spread_hosts(groups, leaves, -(-sum(counts) // leaves)))
    used = np.zeros(leaves, dtype=int)
    for block in placed:
        used[list(block.leaves)] += len(block.hosts)
    assert used.max() - used.min() <= 1
    for one in groups:
        assert [host for block in placed if block.group is one for host in block.hosts] == list(one.hosts)


@pytest.mark.parametrize(
    ("groups", "ports", "leaves"),
    [
        ([group("g", 12)], 4, 3),
        ([group("g", 4, 3)], 4, 4),
        ([group("g", 6, 2, dual_home=True)], 4, 4),
        ([group("g", 1, 5)], 4, None),
        ([group("g", 1, 8, dual_home=True)], 4, 2),
    ],
)
def test_fewest_leaves(groups, ports, leaves):
    """Floor(ports / NICs) hosts a leaf, pairs for dual-homed hosts, none when a host is wider than a leaf."""
    assert fewest_leaves(groups, ports) == leaves
    assert leaves is None or hosts_fit(groups, leaves, ports)
