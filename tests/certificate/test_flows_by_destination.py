"""Loads of routers that are neither splits nor listed paths: carried by destination, and every forgery refuted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from certificate_files import certified_route, forged, members, save, write
from oracle_fabrics import STEADY, PairFlows, larger_case, ours

from fabric.certificate_check import check_certificate, read_certificate
from fabric.evaluation.phases import route_phase
from fabric.routing.router import AdaptiveOptions, RoutingOptions
from fabric.routing.table_options import TableOptions
from topologies.errors import FormatError
from traffic.demands import Demands

ROUTERS = {
    "ftree": {},
    "ecmp-hash": {},
    "as-programmed": {"tables": TableOptions(base="optimal")},
    "adaptive": {"adaptive": AdaptiveOptions("flowlet", 4e8)},
}


@pytest.fixture(autouse=True)
def no_lists(monkeypatch):
    """No path is short enough to be listed."""
    monkeypatch.setattr("fabric.routers.ftree.MOST_PATHS", 0)
    monkeypatch.setattr("fabric.routers.ecmp_hash.MOST_PATH_EDGES", 0)


def _route(router, seed):
    """A phase of bytes, so that flowlets have a size: 1e9 bytes per Gbps of the case's rows."""
    case = larger_case(seed)
    flows = replace(case.flows, amount=case.flows.amount * 1e9)
    demands = Demands("main", (replace(STEADY, phase="rows", steady=False),), (flows,))
    options = RoutingOptions(**ROUTERS[router])
    return case, route_phase(case.net, demands, "rows", router=router, options=options, efficiency=1.0)


def _uneven(router):
    """The first case whose loads are not those of equal splits, which are written as such."""
    for seed in range(1, 9):
        case, route = _route(router, seed)
        if route.max_utilisation != pytest.approx(_route_equal(case, route), rel=1e-6):
            return case, route
    raise AssertionError("every case is even")


def _route_equal(case, route):
    flows = replace(case.flows, amount=case.flows.amount * 1e9)
    demands = Demands("main", (replace(STEADY, phase="rows", steady=False),), (flows,))
    return route_phase(
        case.net, demands, "rows", router="ecmp", options=RoutingOptions(), efficiency=1.0
    ).max_utilisation


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_loads_are_found_again_by_conservation(router, seed, tmp_path):
    """θ of the fullest link, from flows by destination, is that of the router."""
    _, route = _route(router, seed)
    _, verdict = certified_route(tmp_path / "c.zip", route)
    assert verdict.verdict == "holds"
    assert verdict.found_utilisation == pytest.approx(route.max_utilisation, rel=1e-9)


@pytest.mark.parametrize("router", ROUTERS)
def test_every_forged_flow_is_refuted(router, tmp_path):
    """More, less, none, on another edge, or towards another point: each of the first rows."""
    _, route = _uneven(router)
    path = write(tmp_path / "c.zip", route)
    found = members(path)
    assert found["manifest.json"]["phases"][0]["routing"] == "flows"
    edge, gbps, ends = found["phase0/flows_edge.npy"], found["phase0/flows_gbps.npy"], _ends(found)
    for row in range(min(len(edge), 6)):
        for factor in (0.0, 1 - 1e-5, 1 + 1e-5, 3.0):
            assert _refuted(path, found, "flows_gbps", row, gbps[row] * factor), (row, factor)
        another = next(other for other in range(len(ends)) if ends[other] != ends[edge[row]])
        assert _refuted(path, found, "flows_edge", row, another), row


def _ends(found):
    """Points that every edge joins."""
    links = {int(edge): link for link, edge in enumerate(found["phase0/link_edge.npy"]) if edge >= 0}
    send, receive = found["phase0/send_point.npy"], found["phase0/receive_point.npy"]
    src, dst = found["fabric0/link_src.npy"], found["fabric0/link_dst.npy"]
    return [(int(send[src[links[edge]]]), int(receive[dst[links[edge]]])) for edge in range(len(links))]


def _refuted(path, found, column, row, value):
    name = f"phase0/{column}.npy"
    values = found[name].copy()
    values[row] = value
    (verdict,) = check_certificate(read_certificate(save(path, found | {name: values})))
    return "routing" in {finding.claim for finding in verdict.refuted}


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("factor", [0.999, 1.001])
def test_another_utilisation_is_refuted(router, factor, tmp_path):
    """Flows are as written."""
    _, route = _uneven(router)

    def forge(_, __, entry, ___):
        entry["claims"]["max_utilisation"] *= factor

    verdict = forged(write(tmp_path / "c.zip", route), forge)
    assert "max_utilisation" in {finding.claim for finding in verdict.refuted}


def test_destinations_left_out_are_refuted(tmp_path):
    """What goes to the last of them vanishes at its sources."""
    _, route = _uneven("ecmp-hash")

    def forge(phase, _, __, columns):
        columns["flows_point"], columns["flows_start"] = phase.flows_point[:-1], phase.flows_start[:-1]
        columns["flows_edge"] = phase.flows_edge[: phase.flows_start[-2]]
        columns["flows_gbps"] = phase.flows_gbps[: phase.flows_start[-2]]

    words = [finding.words for finding in forged(write(tmp_path / "c.zip", route), forge).refuted]
    assert any(" Gbps vanish at " in text or " Gbps appear at " in text for text in words)


def test_many_small_losses_are_refuted_together(tmp_path):
    """5e-8 of what a destination gets vanishes at every point: at no point much, together more than rounding."""
    _, route = _uneven("ecmp-hash")
    path = write(tmp_path / "c.zip", route)

    def forge(phase, *_):
        row = int(np.argmax(np.diff(phase.flows_start)))
        mine = slice(phase.flows_start[row], phase.flows_start[row + 1])
        loss = 5e-8 * phase.flows_gbps[mine].max()
        phase.flows_gbps[mine] -= loss * (1 + np.arange(mine.stop - mine.start))

    assert "routing" in {finding.claim for finding in forged(path, forge).refuted}


def test_flows_of_too_many_rows_are_left_open(tmp_path, monkeypatch):
    """Only loads are in the file; the check says so."""
    monkeypatch.setattr("fabric.routing.destination_flows.MOST_FLOWS", 3)
    _, route = _uneven("ecmp-hash")
    _, verdict = certified_route(tmp_path / "c.zip", route)
    assert members(tmp_path / "c.zip")["manifest.json"]["phases"][0]["routing"] == "loads"
    assert verdict.verdict == "holds in part"
    assert [(finding.claim, "too large" in finding.words) for finding in verdict.open] == [("max_utilisation", True)]


@pytest.mark.parametrize("seed", range(3))
def test_no_forged_file_that_holds_is_false(seed, tmp_path):
    """100 files with one or two changed entries: those that hold have a θ that pairs and links can reach."""
    case = larger_case(seed + 20)
    path = write(tmp_path / "c.zip", ours(case, "ecmp-hash"))
    found = members(path)
    columns = ["phase0/flows_edge", "phase0/flows_gbps", "phase0/flows_point", "phase0/demand_gbps"]
    present = [f"{name}.npy" for name in columns if len(found.get(f"{name}.npy", ()))]
    rng, refuted = np.random.default_rng(seed), 0
    for _ in range(100):
        changed = dict(found)
        for name in rng.choice(present, int(rng.integers(1, 3))):
            values = changed[name].copy()
            at, other = rng.integers(len(values), size=2)
            values[at] = values[other] if values[at] != values[other] else 2 * values[at]
            changed[name] = values
        try:
            file = read_certificate(save(path, changed))
        except FormatError:
            continue
        (verdict,) = check_certificate(file)
        refuted += bool(verdict.refuted)
        if not verdict.refuted:
            demand = file.phases[0].demand
            rows = tuple(zip(demand.src.tolist(), demand.dst.tolist(), demand.gbps.tolist(), strict=True))
            least = PairFlows(replace(case, rows=rows)).least_theta()
            assert least <= file.phases[0].claims.max_utilisation * (1 + 2e-6)
    assert refuted > 50
