"""Connected parts against SciPy's, label by label."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from topologies.parts import parts_of


@pytest.mark.parametrize("seed", range(30))
def test_random_links_fall_into_the_parts_that_scipy_finds(seed: int) -> None:
    """Up to 60 nodes with few or many links, loops and parallel ones among them."""
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(1, 60))
    one, other = rng.integers(nodes, size=(2, int(rng.integers(0, 2 * nodes))))
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(nodes, nodes))
    assert parts_of(nodes, one, other).tolist() == connected_components(graph, directed=False)[1].tolist()


@pytest.mark.parametrize("order", ["rising", "falling", "mixed"])
def test_a_long_chain_is_one_part(order: str) -> None:
    """100,000 nodes in a line, numbered along it, against it, or anyhow: rounds grow with the logarithm."""
    chain = np.arange(100_000)
    chain = {"rising": chain, "falling": chain[::-1], "mixed": np.random.default_rng(1).permutation(chain)}[order]
    assert not parts_of(len(chain), chain[:-1], chain[1:]).any()


def test_without_nodes_or_links_there_is_nothing_to_join() -> None:
    """No node has no part; nodes without links are parts of their own."""
    none = np.empty(0, dtype=np.int64)
    assert parts_of(0, none, none).tolist() == []
    assert parts_of(3, none, none).tolist() == [0, 1, 2]
