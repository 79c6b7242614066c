"""Certificates of objectives on flat networks of some size: nothing is left unchecked, and levels are fair to 1e-6."""

from __future__ import annotations

import numpy as np
import pytest
from certificate_files import certified, forged
from oracle_fabrics import Case

from topologies.assemble import assemble


def _case(nodes=24, extra=30):
    """A random network with a few parallel cables, and demand between half of all pairs."""
    rng = np.random.default_rng(7)
    net = assemble("random", "random")
    ids = net.nodes("router", [f"r{node}" for node in range(nodes)], level=1, nics=1)
    cables = [(node, int(rng.integers(node))) for node in range(1, nodes)]
    while len(cables) < nodes - 1 + extra:
        first, second = rng.integers(nodes, size=2).tolist()
        if first != second:
            cables.append((first, second))
    for first, second in cables:
        net.cables([ids[first]], [ids[second]], float(rng.choice([10.0, 40.0, 100.0])))
    pairs = np.argwhere((rng.random((nodes, nodes)) < 0.5) & ~np.eye(nodes, dtype=bool)).tolist()
    rows = tuple((int(ids[s]), int(ids[d]), float(4 * rng.lognormal())) for s, d in pairs)
    return Case(net.freeze(), rows)


@pytest.mark.parametrize("objective", ["max-throughput", "max-min-fair", "min-cost"])
def test_what_is_claimed_of_a_flat_network_holds(tmp_path, objective):
    """Value, bound and every level, added up and priced again by the checker."""
    _, verdict = certified(tmp_path / "c.zip", _case(), "optimal", objective=objective, gap=1e-6)
    assert verdict.verdict == "holds"
    figures = verdict.figures
    assert figures.value_found == pytest.approx(figures.bound_found, rel=2e-6)
    if objective == "max-min-fair":
        assert figures.levels_gap_found <= 1e-6


def test_a_stage_that_stops_nobody_is_refuted(tmp_path):
    """The prices of the last stage taken away: those that stopped in it could rise, as far as the file says."""
    path = tmp_path / "c.zip"
    certified(path, _case(), "optimal", objective="max-min-fair", gap=1e-6)

    def forge(phase, *_):
        last = slice(int(phase.stage_start[-2]), int(phase.stage_start[-1]))
        phase.stage_price[last] = 0.0

    assert "levels" in {finding.claim for finding in forged(path, forge).refuted}
