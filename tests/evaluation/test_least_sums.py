"""The quickest ways against SciPy's Dijkstra, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from fabric.evaluation import latency


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("together", [1, 4_000_000])
def test_sums_are_those_of_dijkstra(seed: int, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random networks of up to 80 nodes, some of them not joined; all starts at once and one by one."""
    monkeypatch.setattr(latency, "_MOST_CELLS", together)
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(2, 80))
    key = np.unique(rng.integers(nodes**2, size=int(rng.integers(1, 5 * nodes))))
    tail, head = (end[key // nodes != key % nodes] for end in (key // nodes, key % nodes))
    cost, starts = rng.random(len(tail)), np.unique(rng.integers(nodes, size=5))
    expected = dijkstra(csr_array((cost, (tail, head)), shape=(nodes, nodes)), indices=starts)
    assert np.array_equal(latency._least_sums(nodes, starts, tail, head, cost), expected)
