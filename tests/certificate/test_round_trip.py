"""What the engine claims, the check finds again, and both agree with programmes that share code with neither."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from certificate_files import certified, certified_route, members, write
from hypothesis import HealthCheck, assume, given, settings
from oracle_fabrics import Case, PairFlows, cases, larger_case, ours, plain_ecmp, reachable

from fabric.routing.names import objective_names, router_names
from topologies.assemble import assemble
from topologies.errors import FabricError

PAGE = Path(__file__).resolve().parents[2] / "docs" / "certificate.md"
SOME = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
FEW = settings(SOME, max_examples=8)


def utilisation(case, load_gbps):
    """Of the fullest link."""
    loaded = load_gbps > 0
    return float((load_gbps[loaded] / case.net.capacity_gbps[loaded]).max(initial=0.0))


@pytest.mark.parametrize("router", router_names())
@FEW
@given(case=cases())
def test_what_a_router_claims_is_found_again(router, case, tmp_path):
    """Random fabrics with multi-homed hosts, parallel and one-way links, dead links and unequal weights."""
    try:
        route, verdict = certified(tmp_path / "c.zip", case, router)
    except FabricError:
        assume(False)
    assert not verdict.refuted
    if verdict.found_utilisation is not None:
        assert verdict.found_utilisation == pytest.approx(route.max_utilisation, rel=1e-6)
    if verdict.found_bound is not None:
        assert verdict.found_bound >= route.best_possible.lower_bound * (1 - 1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"router": "spray", "spray_efficiency": 0.8},
        {"router": "optimal", "paths": "k-shortest"},
        {"router": "optimal", "paths": "valley-free"},
        *({"router": "optimal", "objective": name} for name in objective_names()),
    ],
    ids=lambda options: "-".join(str(value) for value in options.values()),
)
@FEW
@given(case=cases())
def test_other_options_of_routers_are_confirmed_or_left_open(options, case, tmp_path):
    """Demand let in in part, links that cannot be filled, fewer paths: loads are found, bounds never refuted."""
    try:
        route, verdict = certified(tmp_path / "c.zip", case, **options)
    except FabricError:
        assume(False)
    assert not verdict.refuted
    assert verdict.found_utilisation == pytest.approx(route.max_utilisation, rel=1e-6)


@SOME
@given(case=cases())
def test_equal_splits_agree_with_a_walk_pair_by_pair(case, tmp_path):
    """NetworkX's shortest paths, link by link on the topology, without points, sets or edges."""
    _, verdict = certified(tmp_path / "c.zip", case, "ecmp")
    assert verdict.verdict == "holds"
    assert verdict.found_utilisation == pytest.approx(utilisation(case, plain_ecmp(case)), rel=1e-9)


@pytest.mark.parametrize("paths", ["any", "shortest"])
@SOME
@given(case=cases())
def test_the_bound_found_is_the_optimum_of_the_plain_programme(paths, case, tmp_path):
    """One variable per pair and link, solved by HiGHS: no routing is below what the prices prove, and ours is there."""
    _, verdict = certified(tmp_path / "c.zip", case, "optimal", paths=paths)
    least = PairFlows(case, shortest=paths == "shortest").least_theta()
    assert verdict.verdict == "holds"
    assert verdict.found_utilisation == pytest.approx(least, rel=2e-4, abs=1e-9)
    assert verdict.found_bound <= least * (1 + 1e-7) + 1e-9
    assert verdict.found_bound == pytest.approx(least, rel=2e-4, abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("router", ["ecmp", "optimal"])
def test_larger_fabrics_with_sets_of_like_hosts_hold(seed, router, tmp_path):
    """Up to nine hosts on one to three of nine switches; many hang alike and some of those exchange alike."""
    case = larger_case(seed)
    _, verdict = certified(tmp_path / "c.zip", case, router)
    assert verdict.verdict == "holds"
    if router == "optimal":
        assert verdict.found_bound == pytest.approx(PairFlows(case).least_theta(), rel=2e-4)


def two_homed_pairs():
    """Four hosts on the leaf pair a and b, four on c and d; two spines; one uplink of a is dead.

    h0..h3 = a, b = s0, s1 = c, d = h4..h7, 100G everywhere.
    """
    net = assemble("pairs", "pairs")
    leaves = net.switches("leaf", ["a", "b", "c", "d"], level=1)
    spines = net.switches("spine", ["s0", "s1"], level=2)
    uplinks = [(leaf, spine) for leaf in leaves for spine in spines]
    net.cables([leaf for leaf, _ in uplinks], [spine for _, spine in uplinks], 100.0, tier="up")
    for host in range(8):
        node = net.hosts([f"h{host}"], nics=2)
        for leaf in leaves[:2] if host < 4 else leaves[2:]:
            net.cables(node, [leaf], 100.0, tier="access")
    built = net.freeze()
    return built.with_down(links=[0])


def test_hosts_alike_are_one_point_and_the_proof_holds_for_each(tmp_path):
    """h_i sends 150G to h_(i+4): 600G over the three live uplinks of a and b, 200 %, proven by a cut."""
    net = two_homed_pairs()
    rows = tuple((net.node(f"h{i}"), net.node(f"h{i + 4}"), 150.0) for i in range(4))
    route, verdict = certified(tmp_path / "c.zip", Case(net, rows), "optimal")
    assert verdict.verdict == "holds"
    assert (verdict.found_utilisation, verdict.found_bound) == pytest.approx((2.0, 2.0), rel=1e-6)
    sending = members(tmp_path / "c.zip")["phase0/send_point.npy"][[net.node(f"h{i}") for i in range(4)]]
    assert len(np.unique(sending)) == 1
    assert route.routed is not None


def test_an_all_to_all_block_is_written_as_its_members(tmp_path):
    """16 members make one block of 16 rows, not 240 pairs; its Gbps are per ordered pair."""
    from traffic.demands import Flows, UniformBlock

    net = assemble("star", "star")
    leaves = net.switches("leaf", ["a", "b"], level=1)
    net.cables([leaves[0]], [leaves[1]], 100.0, tier="up")
    for host in range(16):
        net.cables(net.hosts([f"h{host}"]), [leaves[host // 8]], 100.0, tier="access")
    built = net.freeze()
    none = Flows.none()
    block = UniformBlock(built.endpoint_nodes, 2.0)
    case = Case(built, ())
    route = ours(case, "ecmp", flows=Flows(none.src, none.dst, none.amount, (block,)))
    found = members(write(tmp_path / "c.zip", route))
    assert len(found["phase0/block_member.npy"]) == 16
    assert len(found["phase0/demand_src.npy"]) == 0
    assert found["manifest.json"]["phases"][0]["claims"]["offered_gbps"] == 16 * 15 * 2.0
    _, verdict = certified_route(tmp_path / "c.zip", route)
    assert verdict.found_utilisation == pytest.approx(8 * 8 * 2.0 / 100)


@SOME
@given(case=cases())
def test_one_result_gives_the_same_bytes(case, tmp_path):
    """No times in the file, columns in fixed order."""
    assume(reachable(case)[0])
    first = write(tmp_path / "a.zip", ours(case, "optimal")).read_bytes()
    assert write(tmp_path / "b.zip", ours(case, "optimal")).read_bytes() == first


def test_numpy_reads_the_columns(tmp_path):
    """As docs/certificate.md says: numpy.load, by member name without .npy."""
    net = two_homed_pairs()
    case = Case(net, ((net.node("h0"), net.node("h4"), 10.0),))
    path = write(tmp_path / "c.zip", ours(case, "optimal"))
    with np.load(path) as columns:
        assert columns["phase0/demand_gbps"].tolist() == [10.0]
        assert columns["fabric0/node_name"][net.node("s1")] == "s1"


def test_the_check_loads_nothing_of_what_it_checks():
    """A fresh interpreter that imports it knows neither the engine nor its compiler."""
    import subprocess
    import sys

    code = "import sys, fabric.certificate_check; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    shared = {"fabric.routing", "fabric.optimise", "fabric.evaluation", "fabric.result", "traffic", "numba", "ortools"}
    assert loaded.isdisjoint(shared)


def test_the_programs_of_the_page_find_the_bound(tmp_path, monkeypatch, capsys):
    """docs/certificate.md reads a file and sums prices by hand; a line of three routers, 30 over 40 Gbps."""
    net = assemble("line", "line")
    ends = net.switches("leaf", ["a", "b", "c"], level=1, nics=np.array([1, 1, 1]))
    net.cables(ends[:2], ends[1:], [100.0, 40.0], tier="core")
    case = Case(net.freeze(), ((int(ends[0]), int(ends[2]), 20.0), (int(ends[1]), int(ends[2]), 10.0)))
    write(tmp_path / "fat-tree.cert", ours(case, "optimal"))
    monkeypatch.chdir(tmp_path)
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    exec("\n".join(programs), {})  # our own page, as a reader would run it
    assert [float(word) for word in capsys.readouterr().out.split()] == pytest.approx([0.75, 0.75])
