"""Attaching hosts to leaves: in order or evenly, in contiguous blocks, whole hosts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.errors import TopologyError
from topologies.hosts import HostGroup, fewest_leaves, hosts_fit
from topologies.placing import homes_of_hosts, place_hosts

PLENTY = settings(max_examples=200, deadline=None, derandomize=True, database=None)


def group(name, count, nics=1, **keys):
    return HostGroup(name, tuple(f"{name}{i}" for i in range(count)), nics, 100.0, **keys)


@PLENTY
@given(st.lists(st.integers(0, 40), min_size=1, max_size=4), st.integers(1, 12))
def test_spread_single_links_use_every_leaf_alike(counts, leaves):
    """Whatever the groups, leaves differ by at most one port, so that ceil(total / leaves) ports suffice."""
    groups = [group(f"g{index}-", count) for index, count in enumerate(counts)]
    placed = list(place_hosts(groups, leaves, -(-sum(counts) // leaves), "spread"))
    used = np.zeros(leaves, dtype=int)
    for block in placed:
        used[list(block.leaves)] += len(block.hosts)
    assert used.max() - used.min() <= 1
    for one in groups:
        assert [host for block in placed if block.group is one for host in block.hosts] == list(one.hosts)


@st.composite
def fillings(draw):
    groups = []
    for number in range(draw(st.integers(1, 4))):
        dual = draw(st.booleans())
        nics = 2 * draw(st.integers(1, 2)) if dual else draw(st.integers(1, 4))
        groups.append(group(f"g{number}-", draw(st.integers(0, 20)), nics, dual_home=dual))
    return groups, 2 * draw(st.integers(1, 8)), draw(st.integers(1, 12))


@PLENTY
@given(fillings())
def test_in_order_every_host_is_on_the_first_leaf_that_has_room(asked):
    """One host at a time, as the documentation says it; refused exactly when a host finds no room."""
    groups, leaves, ports = asked
    free, expected, fits = [ports] * leaves, {}, True
    for one in groups:
        for host in one.hosts:
            pairs = [tuple(range(at, at + one.homes)) for at in range(0, leaves, one.homes)]
            homes = next((pair for pair in pairs if all(free[leaf] >= one.leaf_ports for leaf in pair)), None)
            fits = fits and homes is not None
            for leaf in homes or ():
                free[leaf] -= one.leaf_ports
            expected[host] = homes
    assert hosts_fit(groups, leaves, ports) == fits
    if not fits:
        with pytest.raises(TopologyError, match="NIC ports do not fit"):
            list(place_hosts(groups, leaves, ports))
        return
    placed = list(place_hosts(groups, leaves, ports))
    assert {host: block.leaves for block in placed for host in block.hosts} == expected
    homes = [tuple(row) for rows in homes_of_hosts(groups, leaves, ports) for row in rows.tolist()]
    assert homes == [expected[host] for one in groups for host in one.hosts]
    for one in groups:
        assert [host for block in placed if block.group is one for host in block.hosts] == list(one.hosts)
    assert fewest_leaves(groups, ports) <= leaves


@PLENTY
@given(fillings(), st.sampled_from(["fill", "spread"]))
def test_no_fewer_leaves_would_do(asked, order):
    """Found by trying one number after another."""
    groups, _, ports = asked
    step = max(one.homes for one in groups)
    if any(one.leaf_ports > ports for one in groups if one.hosts):
        assert fewest_leaves(groups, ports, order=order) is None
        return
    tried = next(leaves for leaves in range(step, 10_000, step) if hosts_fit(groups, leaves, ports, order))
    assert fewest_leaves(groups, ports, order=order) == tried


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
