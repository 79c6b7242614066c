"""Traffic neither appears nor vanishes, at any node, for any registered router."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from oracle_fabrics import cases, node_imbalance_gbps, ours, reachable

from fabric.routing.router import ROUTERS

SOME = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@pytest.mark.parametrize("router", ROUTERS.names())
@SOME
@given(case=cases())
def test_traffic_is_conserved_at_every_node(router, case):
    """Leaving minus entering equals sent minus received, access links included; pairs without a path load nothing."""
    connected, _ = reachable(case)
    loads = ours(case, router).link_gbps.sum(axis=1)
    np.testing.assert_allclose(node_imbalance_gbps(case.net, loads, connected), 0, atol=1e-6)


@pytest.mark.parametrize("router", ROUTERS.names())
@SOME
@given(case=cases())
def test_links_without_capacity_carry_nothing(router, case):
    """Links that are down or have capacity 0 are no next hops, so no utilisation is infinite."""
    route = ours(case, router)
    assert not route.link_gbps[case.net.capacity_gbps == 0].any()
    assert np.isfinite(route.max_utilisation)


@pytest.mark.parametrize("router", ROUTERS.names())
@SOME
@given(case=cases())
def test_no_router_beats_the_bound_it_states(router, case):
    """``best_possible`` holds for every routing, so for this one."""
    route = ours(case, router)
    assert route.best_possible.lower_bound <= route.max_utilisation * (1 + 1e-9)
