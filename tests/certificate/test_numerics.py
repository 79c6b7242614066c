"""Prices chosen for their rounding or overflow prove nothing that is not true."""

from __future__ import annotations

import numpy as np
import pytest
from certificate_files import certified, members, save
from oracle_fabrics import Case

from fabric.certificate_check import check_certificate, read_certificate
from topologies.assemble import assemble
from topologies.errors import FormatError

HUGE = (1e150, 1e250)


def _triangle(gbps: float) -> Case:
    """Three switches, 100G each way between any two, and 1 Mb/s of a third way; demand that fits or does not."""
    net = assemble("triangle", "random")
    ids = net.nodes("router", ["a", "b", "c"], level=1, nics=1)
    for low, high in ((0, 1), (1, 2), (0, 2)):
        net.cables([ids[low]], [ids[high]], 100.0)
    net.cables([ids[0]], [ids[1]], 1e-3)
    return Case(net.freeze(), tuple((int(ids[src]), int(ids[dst]), gbps) for src, dst in ((0, 1), (1, 2), (2, 0))))


def _forged(path, found, columns, change):
    """The verdict on a file with other columns and claims."""
    manifest = found["manifest.json"]
    phase = {**manifest["phases"][0], "claims": dict(manifest["phases"][0]["claims"])}
    if phase["objective_claims"]:
        phase["objective_claims"] = dict(phase["objective_claims"])
    change(phase)
    changed = found | {f"phase0/{name}.npy": values for name, values in columns.items()}
    (verdict,) = check_certificate(
        read_certificate(save(path, changed | {"manifest.json": {**manifest, "phases": [phase]}}))
    )
    return verdict


def _refuted(verdict):
    return {finding.claim for finding in verdict.refuted}


@pytest.mark.parametrize("price", HUGE)
def test_a_bound_of_overflowing_prices_is_refuted(price, tmp_path):
    """Σ demand x price is infinite, Σ capacity x price is not, where only the thin link has a price."""
    path = tmp_path / "c.zip"
    certified(path, _triangle(60.0), "optimal")
    found = members(path)
    for scale in (price, price * 1e-3):
        prices = np.full(len(found["phase0/price.npy"]), scale)

        def change(phase):
            phase["claims"].update(lower_bound=5.0, max_utilisation=5.0, gap=0.0)

        assert "lower_bound" in _refuted(_forged(path, found, {"price": prices}, change))


@pytest.mark.parametrize("column", ["price", "objective_price", "stage_price"])
def test_prices_that_overflow_along_a_path_are_refused(column, tmp_path):
    """A way of two links would look as if it was none, and its demand as if nothing could carry it."""
    path = tmp_path / "c.zip"
    certified(
        path, _triangle(160.0), "optimal", objective="min-max-utilisation" if column == "price" else "max-min-fair"
    )
    found = members(path)
    prices = np.full(len(found[f"phase0/{column}.npy"]), 1e308)
    with pytest.raises(FormatError, match=f"{column}.npy: row 0 is 1e\\+308"):
        _forged(path, found, {column: prices}, lambda _: None)


@pytest.mark.parametrize("amount", [1e60, 1e100])
def test_sums_over_demand_that_overflow_prove_nothing(amount, tmp_path):
    """Demand x price is infinite while capacity x price is not: no bound, of any objective."""
    path = tmp_path / "c.zip"
    for objective, bound in (("min-max-utilisation", None), ("min-cost", 1e300), ("max-min-fair", 0.0)):
        certified(path, _triangle(60.0), "optimal", objective=objective)
        found = members(path)
        edges = int(found["phase0/link_edge.npy"].max()) + 1
        columns = {"price": np.full(edges, 1e250), "objective_price": np.full(edges, 1e250)}
        columns["demand_gbps"] = np.full(len(found["phase0/demand_gbps.npy"]), amount)

        def change(phase, bound=bound):
            phase["claims"].update(lower_bound=1e299)
            if bound is not None:
                phase["objective_claims"].update(bound=bound)

        refuted = _refuted(_forged(path, found, columns, change))
        assert ("lower_bound" if bound is None else "objective_bound") in refuted, objective


@pytest.mark.parametrize("price", HUGE)
def test_a_cost_out_of_rounding_is_refuted(price, tmp_path):
    """Σ n dist and τ Σ c w are huge and nearly equal: what is left of their difference is rounding."""
    path = tmp_path / "c.zip"
    certified(path, _triangle(60.0), "optimal", objective="min-cost", target_utilisation=1.0)
    found = members(path)
    rng = np.random.default_rng(1)
    for _ in range(30):
        prices = np.where(rng.random(len(found["phase0/objective_price.npy"])) < 0.5, price, 0.0)

        def change(phase):
            phase["objective_claims"].update(bound=phase["objective_claims"]["value"] * 1.01)

        assert "objective_bound" in _refuted(_forged(path, found, {"objective_price": prices}, change))


@pytest.mark.parametrize("scale", [1e14, 1e18, 1e25, 1e60])
def test_what_rounding_leaves_of_a_difference_is_no_cost(scale, tmp_path):
    """Seven sources send over one link, full up to its target: Σ n dist − τ c w is Σ n weight, whatever its price is.

    With a price of 1e18 the two differ by their last digits, which are thousands.
    """
    net, rng, path = assemble("star", "random"), np.random.default_rng(3), tmp_path / "c.zip"
    ids = [int(node) for node in net.nodes("router", [f"s{each}" for each in range(7)] + ["m", "t"], level=1, nics=1)]
    net.cables(ids[:7], [ids[7]] * 7, 100.0)
    net.cables([ids[7]], [ids[8]], 100.0)
    built, kept = net.freeze(), 0
    for _ in range(8):
        amounts = rng.random(7) * 10
        case = Case(built, tuple((src, ids[8], float(gbps)) for src, gbps in zip(ids[:7], amounts, strict=True)))
        options = {"objective": "min-cost", "target_utilisation": float(amounts.sum() / 100) * (1 - 1e-16)}
        route, verdict = certified(path, case, "optimal", **options)
        assert verdict.verdict == "holds"
        found = members(path)
        link = np.flatnonzero((built.links.src == ids[7]) & (built.links.dst == ids[8]))
        prices = np.zeros(len(found["phase0/objective_price.npy"]))
        prices[found["phase0/link_edge.npy"][link]] = scale

        target = float(amounts.sum() / 100)

        def change(phase, target=target):
            value = phase["objective_claims"]["value"]
            phase["objective_claims"].update(bound=value * 1.01, most_utilisation=target)

        kept += "objective_bound" in _refuted(_forged(path, found, {"objective_price": prices}, change))
    assert kept == 8
    assert route.objective.value == pytest.approx(2 * amounts.sum(), rel=1e-6)


@pytest.mark.parametrize("price", HUGE)
def test_a_level_of_overflowing_prices_is_refuted(price, tmp_path):
    """Σ c w / Σ n dist is 0 where only the divisor overflows."""
    path = tmp_path / "c.zip"
    certified(path, _triangle(160.0), "optimal", objective="max-min-fair")
    found = members(path)
    prices = np.full(len(found["phase0/objective_price.npy"]), price)

    def change(phase):
        phase["objective_claims"].update(bound=1e-3)

    assert "objective_bound" in _refuted(_forged(path, found, {"objective_price": prices}, change))


@pytest.mark.parametrize("price", HUGE)
def test_stages_of_overflowing_prices_stop_nobody(price, tmp_path):
    """Parts halved everywhere: each could double, whatever prices say that sum to infinity."""
    path = tmp_path / "c.zip"
    certified(path, _triangle(160.0), "optimal", objective="max-min-fair")
    found = members(path)
    stages = len(found["phase0/stage_start.npy"]) - 1
    edges = len(found["phase0/objective_price.npy"])
    columns = {
        "stage_start": np.arange(stages + 1) * edges,
        "stage_edge": np.tile(np.arange(edges, dtype=np.int32), stages),
        "stage_price": np.full(edges * stages, price),
        "served_part": found["phase0/served_part.npy"] / 2,
    }
    assert "levels" in _refuted(_forged(path, found, columns, lambda _: None))


@pytest.mark.parametrize("objective", ["max-throughput", "max-min-fair"])
@pytest.mark.parametrize("scale", [1e-300, 1e-18, 1e-9])
def test_tiny_prices_admit_all(objective, scale, tmp_path):
    """160 of 100 Gbps each do not fit; prices of nearly nothing forbid none of it."""
    path = tmp_path / "c.zip"
    certified(path, _triangle(260.0), "optimal", objective=objective)
    found = members(path)
    prices = found["phase0/objective_price.npy"] * scale

    def change(phase):
        phase["objective_claims"].update(bound=phase["objective_claims"]["value"] * 0.99)

    verdict = _forged(path, found, {"objective_price": prices}, change)
    assert "objective_bound" in _refuted(verdict)
