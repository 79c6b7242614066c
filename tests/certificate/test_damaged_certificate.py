"""The check of certificates, on damaged fabrics whose optimum is found by parts."""

from __future__ import annotations

import numpy as np
import pytest
from certificate_files import certified
from oracle_fabrics import Case
from test_folded_oracle import WAYS, next_pod, without_half_of_the_core
from test_hot_parts_oracle import OBJECTIVE, damaged

from traffic.demands import Flows


@pytest.mark.parametrize("paths", ["any", "shortest"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_check_of_certificates_agrees_on_a_damaged_tree(seed, paths, tmp_path, monkeypatch):
    """k = 8 without a tenth of its switch cables; edge switches send all they have to one other."""
    monkeypatch.setattr(f"{OBJECTIVE}.PART_COLUMNS", 0)
    monkeypatch.setattr(f"{OBJECTIVE}.SMALL_COLUMNS", 0)
    monkeypatch.setattr(f"{OBJECTIVE}.AFTER_DESCENT", 0)
    net, rng = damaged(8, 25, seed)
    hosts = net.endpoint_nodes
    flows = Flows.of(hosts, np.roll(hosts.reshape(-1, 4)[rng.permutation(len(hosts) // 4)], 1, axis=0).ravel(), 100.0)
    keep = flows.src != flows.dst
    rows = tuple(zip(flows.src[keep].tolist(), flows.dst[keep].tolist(), flows.amount[keep].tolist(), strict=True))
    route, verdict = certified(tmp_path / "c.zip", Case(net, rows), "optimal", paths=paths, gap=1e-6)
    assert not verdict.refuted
    assert verdict.found_utilisation == pytest.approx(route.max_utilisation, rel=1e-6)
    assert verdict.found_bound == pytest.approx(route.max_utilisation, rel=2e-6)


@pytest.mark.parametrize("seed", [0, 3, 8])
def test_half_of_the_core_down_is_still_solved_to_the_last_digits(seed, tmp_path, monkeypatch):
    """k = 8 without 60 % of its core cables; every host sends 50 to 100 Gbps to one a quarter of the fabric away."""
    for limit in ("PART_COLUMNS", "SMALL_COLUMNS", "AFTER_DESCENT"):
        monkeypatch.setattr(f"{OBJECTIVE}.{limit}", 0)
    net, _ = damaged(8, 0, seed)
    level, links = net.nodes.level, net.links
    core = np.flatnonzero((level[links.src] == 2) & (level[links.dst] == 3))
    rng = np.random.default_rng(seed)
    net = net.with_down(links=rng.choice(core, round(0.6 * len(core)), replace=False))
    hosts = net.endpoint_nodes
    partner = np.roll(hosts, -(len(hosts) // 4))
    gbps = rng.uniform(50.0, 100.0, len(hosts))
    case = Case(net, tuple(zip(hosts.tolist(), partner.tolist(), gbps.tolist(), strict=True)))
    route, verdict = certified(tmp_path / "c.zip", case, "optimal", gap=1e-6)
    assert not verdict.refuted
    assert not route.partial
    assert verdict.found_bound == pytest.approx(route.max_utilisation, rel=2e-6)


@pytest.mark.parametrize("rates", [(100.0, 100.0), (50.0, 100.0)])
def test_half_of_the_core_down_and_every_pod_sending_to_the_next_is_proven(rates, tmp_path, monkeypatch):
    """k = 12, all links at the maximum at once, equal and unequal senders; the independent check agrees."""
    monkeypatch.setattr(f"{WAYS}.by_hot_parts.PRICED_COLUMNS", 0)
    net = without_half_of_the_core(12, 1)
    flows = next_pod(net, 12, np.random.default_rng(1).uniform(*rates, len(net.endpoint_nodes)))
    case = Case(net, tuple(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)))
    route, verdict = certified(tmp_path / "c.zip", case, "optimal", gap=1e-5)
    assert not route.partial
    assert "first-order" in route.solver
    assert not verdict.refuted
    assert verdict.found_bound == pytest.approx(route.max_utilisation, rel=2e-5)
