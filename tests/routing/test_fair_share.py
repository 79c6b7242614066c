"""Max-min fair rates that one can work out on paper."""

from __future__ import annotations

import numpy as np
import pytest

from tests.routing.fair_rates import max_min_rates


def rates(paths, offered, capacity):
    """Rates of flows whose links are listed one by one."""
    start = np.cumsum([0, *(len(path) for path in paths)])
    return max_min_rates(start, [link for path in paths for link in path], offered, capacity)


@pytest.mark.parametrize("flows", [1, 2, 3, 7, 64])
def test_greedy_flows_share_a_link_equally(flows):
    """n flows that offer 100 Gb/s each on a link of 100: 100 / n."""
    np.testing.assert_allclose(rates([[0]] * flows, [100.0] * flows, [100.0]), 100 / flows)


def test_what_a_small_flow_leaves_goes_to_the_large_ones():
    """10 + x + x = 100: the flow of 10 has all it wants, the others 45 each."""
    np.testing.assert_allclose(rates([[0]] * 3, [10.0, 80.0, 400.0], [100.0]), [10, 45, 45])


def test_equal_shares_hurt_the_large_flow_more():
    """Two flows of 40 and 160 on 100: 40 and 60; the small one is whole, the large one has 3/8."""
    np.testing.assert_allclose(rates([[0], [0]], [40.0, 160.0], [100.0]), [40, 60])


@pytest.mark.parametrize("hops", [1, 2, 5])
def test_the_parking_lot(hops):
    """One flow over n links of 100 Gb/s in a row, another flow on each of them: half and half everywhere."""
    paths = [list(range(hops)), *([link] for link in range(hops))]
    np.testing.assert_allclose(rates(paths, [100.0] * (hops + 1), [100.0] * hops), 50)


def test_what_one_link_holds_back_another_gives_to_the_rest():
    """Links of 1, 1 and 3 Gb/s. Flow a crosses links 0 and 1, b 0, c 1 and 2, d 1, e 2.

    Link 1 holds a, c and d at 1/3; then link 0 leaves 2/3 to b, and link 2 leaves 8/3 to e.
    """
    found = rates([[0, 1], [0], [1, 2], [1], [2]], [10.0] * 5, [1.0, 1.0, 3.0])
    np.testing.assert_allclose(found, [1 / 3, 2 / 3, 1 / 3, 1 / 3, 8 / 3])


def test_links_that_are_not_overloaded_hold_nobody():
    """40 + 60 on 100: everybody gets what he offers, to the last bit."""
    assert rates([[0, 1], [0]], [40.0, 60.0], [100.0, 400.0]).tolist() == [40.0, 60.0]


def test_a_flow_without_links_has_all_it_offers():
    """Nothing to share, and places without a link (-1) are no link."""
    assert rates([[], [-1, -1], [-1, 0]], [7.0, 8.0, 9.0], [3.0]).tolist() == [7.0, 8.0, 3.0]


def test_a_link_without_capacity_carries_nothing():
    """Its flows get 0, others what they offer."""
    assert rates([[0, 1], [1]], [50.0, 50.0], [0.0, 100.0]).tolist() == [0.0, 50.0]


def test_no_flows_have_no_rates():
    """The empty case."""
    assert len(rates([], [], [100.0])) == 0


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_rates_scale_with_capacity_and_offer(scale):
    """All in other units: the same in those units."""
    found = rates([[0, 1], [0], [1]], [100.0 * scale, 30.0 * scale, 90.0 * scale], [50.0 * scale, 100.0 * scale])
    np.testing.assert_allclose(found, np.array([25, 25, 75]) * scale)
