"""Bytes of collectives against FIELD.md section 2, and their expansion to flows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traffic.expand import expand, group_bytes
from traffic.workload import COLLECTIVES

SENT = {
    "ring-all-reduce": lambda size, n: 2 * size * (n - 1) / n,
    "ring-reduce-scatter": lambda size, n: size * (n - 1) / n,
    "ring-all-gather": lambda size, n: size * (n - 1) / n,
    "all-to-all": lambda size, n: size * (n - 1) / n,
    "ring-send-recv": lambda size, n: size if n > 1 else 0,
    "send-recv": lambda size, n: size if n > 1 else 0,
}


def test_every_collective_has_a_closed_form_here():
    """A new file must bring its formula."""
    assert set(COLLECTIVES.names()) == set(SENT)


@pytest.mark.parametrize("name", sorted(SENT))
@pytest.mark.parametrize("n", [1, 2, 7, 64, 300])
def test_bytes_per_rank_and_in_all_follow_the_closed_form(name, n):
    """Sum over pairs = ranks that send x bytes each; every rank on a host of its own."""
    traffic = COLLECTIVES[name].function(group_size=n, payload_bytes=1e9)
    each = SENT[name](1e9, n)
    senders = n - 1 if name == "send-recv" else n
    flows = expand(traffic, np.arange(n)[None, :], np.arange(n)[None, :])
    assert traffic.sent_bytes_per_rank == pytest.approx(each)
    assert flows.total == pytest.approx(senders * each)
    assert group_bytes(traffic, n) == pytest.approx(senders * each)
    assert flows.sent(n).max() == pytest.approx(each)


def test_a_ring_goes_to_the_next_in_the_group_not_the_next_number():
    """Group 5, 2, 9: 5 to 2, 2 to 9, 9 to 5."""
    traffic = COLLECTIVES["ring-all-gather"].function(group_size=3, payload_bytes=3.0)
    flows = expand(traffic, np.array([[5, 2, 9]]), np.array([[0, 1, 2]]))
    assert list(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)) == [
        (2, 9, 2.0),
        (5, 2, 2.0),
        (9, 5, 2.0),
    ]


def test_pairs_inside_a_host_stay_on_nvlink():
    """Four ranks, two hosts: of the ring's four hops two leave a host."""
    traffic = COLLECTIVES["ring-all-reduce"].function(group_size=4, payload_bytes=4.0)
    flows = expand(traffic, np.array([[0, 1, 2, 3]]), np.array([[0, 0, 1, 1]]))
    assert flows.pairs == 2
    assert flows.total == pytest.approx(2 * 6.0)


def test_a_large_dense_exchange_is_one_block():
    """300 ranks on 300 hosts; 89,700 pairs, no rows."""
    traffic = COLLECTIVES["all-to-all"].function(group_size=300, payload_bytes=300.0)
    flows = expand(traffic, np.arange(300)[None, :], np.arange(300)[None, :])
    assert (len(flows.blocks), len(flows.src), flows.pairs) == (1, 0, 300 * 299)


def test_a_large_dense_exchange_that_shares_hosts_is_rows():
    """300 ranks on 150 hosts: each rank has 298 partners outside its host."""
    traffic = COLLECTIVES["all-to-all"].function(group_size=300, payload_bytes=300.0)
    flows = expand(traffic, np.arange(300)[None, :], (np.arange(300) // 2)[None, :])
    assert (len(flows.blocks), flows.pairs) == (0, 300 * 298)


@given(st.integers(2, 12), st.integers(1, 4), st.sampled_from(sorted(SENT)))
def test_expansion_adds_up_over_groups(n, count, name):
    """Groups on disjoint hosts send count times what one sends."""
    traffic = COLLECTIVES[name].function(group_size=n, payload_bytes=100.0)
    seats = np.arange(n * count).reshape(count, n)
    assert expand(traffic, seats, seats).total == pytest.approx(count * group_bytes(traffic, n))
