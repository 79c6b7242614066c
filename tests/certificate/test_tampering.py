"""Every forgery is refuted, and the check says which claim and where."""

from __future__ import annotations

import numpy as np
import pytest
from certificate_files import forged, members, write
from oracle_fabrics import Case, ours

from topologies.assemble import assemble

THETA = 160 / 140


@pytest.fixture
def diamond(tmp_path):
    """a sends 160 Gbps to d, over b (100G) or c (40G); b and c are joined by 10G, a second cable joins b and d.

        a --100-- b ==100, 50== d
         \\--40--- c ----40-----/     b --10-- c

    All 140G out of a are full at 160/140 = 114.3 %; equal splitting loads a -> c by 80/40.
    """
    net = assemble("diamond", "diamond")
    a, d = net.switches("leaf", ["a", "d"], level=1, nics=np.array([1, 1]))
    b, c = net.switches("spine", ["b", "c"], level=2)
    for low, high, gbps in ((a, b, 100.0), (a, c, 40.0), (d, b, 100.0), (d, b, 50.0), (d, c, 40.0), (b, c, 10.0)):
        net.cables([low], [high], gbps, tier="core")
    built = net.freeze()
    return write(tmp_path / "c.zip", ours(Case(built, ((int(a), int(d), 160.0),)), "optimal"))


def link(path, src, dst):
    """Row of the first link between two nodes, and its edge."""
    found = members(path)
    name = found["fabric0/node_name.npy"].tolist()
    row = int(
        np.flatnonzero(
            (found["fabric0/link_src.npy"] == name.index(src)) & (found["fabric0/link_dst.npy"] == name.index(dst))
        )[0]
    )
    return row, int(found["phase0/link_edge.npy"][row])


def refuted(verdict):
    """Claims that fell, with the words about them."""
    return {found.claim: found.words for found in verdict.refuted}


def test_the_file_as_written_holds(diamond):
    """160 over 140 by the cut around a, and splits that reach it."""
    verdict = forged(diamond, lambda *_: None)
    assert verdict.verdict == "holds"
    assert (verdict.found_utilisation, verdict.found_bound) == pytest.approx((THETA, THETA))
    assert members(diamond)["manifest.json"]["phases"][0]["routing"] == "splits"


def test_a_price_on_a_link_without_part_in_the_cut_lowers_the_bound(diamond):
    """A price of 1 on b -> c as well: Σ capacity x price grows to 150, 160/150 is less than claimed."""
    _, edge = link(diamond, "b", "c")

    def forge(phase, *_):
        phase.price[:] = 0
        phase.price[[link(diamond, "a", "b")[1], link(diamond, "a", "c")[1], edge]] = 1.0

    verdict = forged(diamond, forge)
    assert set(refuted(verdict)) == {"lower_bound"}
    assert verdict.found_bound == pytest.approx(160 / 150)


def test_a_price_taken_away_lowers_the_bound(diamond):
    """Without a price on a -> c traffic goes there for nothing."""
    verdict = forged(diamond, lambda phase, *_: phase.price.fill(0.0))
    assert set(refuted(verdict)) == {"lower_bound"}
    assert verdict.found_bound == 0


def test_a_lower_utilisation_is_refuted_at_the_link_that_has_more(diamond):
    """Claimed 100 %; the links out of a have 114 %."""
    verdict = forged(diamond, lambda _, __, entry, ___: entry["claims"].update(max_utilisation=1.0))
    assert refuted(verdict)["max_utilisation"].startswith("1 is claimed, a -> ")
    assert "1.14285714" in refuted(verdict)["max_utilisation"]


def test_a_higher_bound_is_refuted(diamond):
    """Prices prove 114 %, not 115 %."""
    verdict = forged(diamond, lambda _, __, entry, ___: entry["claims"].update(lower_bound=1.15))
    assert "prices prove 1.14285714" in refuted(verdict)["lower_bound"]


def test_a_gap_that_the_claims_do_not_have_is_refuted(diamond):
    """θ = bound, so the gap is 0."""
    verdict = forged(diamond, lambda _, __, entry, ___: entry["claims"].update(gap=0.5))
    assert set(refuted(verdict)) == {"gap"}


def test_fractions_that_do_not_sum_to_one_are_refuted_at_their_switch(diamond):
    """Half of one fraction of a is gone, and with it part of the traffic."""
    edge = link(diamond, "a", "b")[1]

    def forge(phase, *_):
        phase.splits_part[phase.splits_edge == edge] *= 0.5

    words = refuted(forged(diamond, forge))
    assert words["routing"].startswith("fractions towards d sum to")
    assert words["routing"].endswith("at a")


def test_a_loop_is_refuted_and_named(diamond):
    """c sends half of its traffic to b, b a tenth of its own to c."""
    there, back = link(diamond, "b", "c")[1], link(diamond, "c", "b")[1]

    def forge(phase, _, __, columns):
        keep = ~np.isin(phase.splits_edge, (there, back))
        edge, part = phase.splits_edge[keep], phase.splits_part[keep]
        columns["splits_edge"] = np.append(edge, (there, back)).astype(np.int32)
        columns["splits_part"] = np.append(part, (0.1, 0.5))
        columns["splits_start"] = np.array([0, len(edge) + 2])

    words = refuted(forged(diamond, forge))["routing"]
    assert words in (
        "splits towards d form a loop: b -> c -> b",
        "splits towards d form a loop: c -> b -> c",
    )


def test_load_on_a_dead_link_is_refuted(diamond):
    """The file says that the first link from a to b is down, and sends over it."""
    row, _ = link(diamond, "a", "b")

    def forge(_, fabric, *__):
        fabric.link_up[row] = False

    words = refuted(forged(diamond, forge))
    assert words["routing"] == "load on a -> b, which is down"
    assert words["max_utilisation"].endswith("a -> b has inf")


def test_demand_left_out_is_refuted(diamond):
    """No rows, but 160 Gbps are claimed."""

    def forge(_, __, ___, columns):
        for name in ("demand_src", "demand_dst", "demand_gbps"):
            columns[name] = columns[name][:0]

    words = [found.words for found in forged(diamond, forge).refuted if found.claim == "demand"]
    assert words == ["160 Gbps are claimed in all, the demand has 0", "160 Gbps are claimed to be admitted, 0 are"]


def test_less_demand_is_refuted_three_times(diamond):
    """100 instead of 160 Gbps: the sum, θ and the bound are all less than claimed."""
    verdict = forged(diamond, lambda phase, *_: phase.demand_gbps.fill(100.0))
    assert set(refuted(verdict)) == {"demand", "max_utilisation", "lower_bound"}


def test_traffic_that_ends_on_the_way_is_refuted(diamond):
    """Nothing leads on from c."""
    _, edge = link(diamond, "c", "d")

    def forge(phase, _, __, columns):
        keep = phase.splits_edge != edge
        columns["splits_edge"], columns["splits_part"] = phase.splits_edge[keep], phase.splits_part[keep]
        columns["splits_start"] = np.array([0, int(keep.sum())])

    assert refuted(forged(diamond, forge))["routing"].endswith("Gbps towards d end at c")


def test_a_destination_without_splits_is_refuted(diamond):
    """The splits are for another point."""

    def forge(phase, fabric, *_):
        phase.splits_point[:] = phase.send_point[fabric.node_name.tolist().index("b")]

    assert "no splits towards d" in refuted(forged(diamond, forge))["routing"]


def test_a_live_link_left_out_is_refuted(diamond):
    """Without b -> c in the graph a bound may come out too high, so every live link must be in."""
    row, edge = link(diamond, "b", "c")

    def forge(phase, *_):
        last = int(phase.link_edge.max())
        moved = phase.link_edge == last
        phase.link_edge[row] = -1
        phase.link_edge[moved & (np.arange(len(moved)) != row)] = edge
        phase.splits_edge[phase.splits_edge == last] = edge
        phase.price[edge] = phase.price[last]

    def shortened(phase, fabric, entry, columns):
        forge(phase, fabric, entry, columns)
        columns["price"] = phase.price[:-1]

    assert refuted(forged(diamond, shortened))["links"] == "b -> c is up and left out of the routing"


def test_two_links_in_one_edge_are_refuted(diamond):
    """a -> c and a -> b as one edge would merge what are different ways."""
    row, _ = link(diamond, "a", "c")
    _, edge = link(diamond, "a", "b")

    def forge(phase, *_):
        phase.link_edge[row] = edge

    assert refuted(forged(diamond, forge))["links"]


@pytest.fixture
def homes(tmp_path):
    """Two hosts on leaves a and b (100G each way), one on spine s; they send it 60 Gbps each, and get 30 each back.

    h0, h1 = a, b; a, b -- s (100G); s -- sink (400G)
    """
    net = assemble("homes", "homes")
    a, b = net.switches("leaf", ["a", "b"], level=1)
    (s,) = net.switches("spine", ["s"], level=2)
    net.cables([a, b], [s, s], 100.0, tier="up")
    hosts = []
    for host in range(2):
        node = net.hosts([f"h{host}"], nics=2)
        net.cables(node, [a], 100.0, tier="access")
        net.cables(node, [b], 50.0, tier="access")
        hosts.append(int(node[0]))
    sink = net.hosts(["sink"])
    net.cables(sink, [s], 400.0, tier="access")
    rows = [(host, int(sink[0]), 60.0) for host in hosts] + [(int(sink[0]), host, 30.0) for host in hosts]
    return write(tmp_path / "c.zip", ours(Case(net.freeze(), tuple(rows)), "optimal"))


def test_hosts_that_are_not_alike_may_not_share_a_point(homes):
    """h0 sends 80, h1 40 Gbps: the sum is right, the load of each host's links is not that of the set."""
    assert forged(homes, lambda *_: None).verdict == "holds"

    def forge(phase, *_):
        phase.demand_gbps[phase.demand_gbps == 60] = (80.0, 40.0)

    assert refuted(forged(homes, forge))["demand"] == "h0 and 1 like it exchange unequal amounts"


def test_a_host_with_another_speed_may_not_share_an_edge(homes):
    """The first host's 100G link as 150G: the edge does not have one kind of link."""
    row, _ = link(homes, "h0", "a")

    def forge(_, fabric, *__):
        fabric.link_capacity_gbps[row] = 150.0

    assert "is unlike the other links of its edge" in refuted(forged(homes, forge))["links"]


def test_traffic_may_not_cross_a_host(homes):
    """One point for what a host sends and receives would make it a switch."""

    def forge(phase, fabric, *_):
        host = fabric.node_name.tolist().index("h0")
        phase.receive_point[:] = np.where(
            phase.receive_point == phase.receive_point[host], phase.send_point[host], phase.receive_point
        )

    assert refuted(forged(homes, forge))["links"].startswith("traffic could cross an endpoint")


def test_a_dead_access_link_is_refuted(homes):
    """sink hangs on one link, which is down: what it sends has no way in."""
    row, _ = link(homes, "sink", "s")

    def forge(_, fabric, *__):
        fabric.link_up[row] = False

    assert refuted(forged(homes, forge))["links"] == "sink does not have one access link, but is routed as if"


def test_paths_that_break_repeat_or_lose_traffic_are_refuted(tmp_path):
    """ecmp-hash over a -> b -> d and a -> c -> d, one flow of 10 Gbps."""
    net = assemble("square", "square")
    a, d = net.switches("leaf", ["a", "d"], level=1, nics=np.array([1, 1]))
    b, c = net.switches("spine", ["b", "c"], level=2)
    net.cables([a, a, d, d], [b, c, b, c], 100.0, tier="core")
    route = ours(Case(net.freeze(), ((int(a), int(d), 10.0),)), "ecmp-hash")
    if route.routed.routing.paths is None:
        pytest.skip("the router lists no paths")
    path = write(tmp_path / "c.zip", route)
    assert forged(path, lambda *_: None).verdict == "holds"
    write(path, route)
    assert "too little" in refuted(forged(path, lambda phase, *_: phase.paths_gbps.fill(4.0)))["routing"]
    write(path, route)

    def reverse(phase, *_):
        phase.paths_edge[:] = phase.paths_edge[::-1].copy()

    assert "breaks between a and d" in refuted(forged(path, reverse))["routing"]


def test_a_routing_off_the_shortest_paths_is_refuted_where_only_those_are_allowed(diamond):
    """The detour a -> c -> b -> d is longer than a -> c -> d."""
    there, on = link(diamond, "c", "b")[1], link(diamond, "b", "d")[1]

    def forge(phase, _, entry, columns):
        entry["path_policy"] = "shortest"
        out = [link(diamond, "a", "b")[1], link(diamond, "a", "c")[1]]
        columns["splits_edge"] = np.array([*out, there, on], dtype=np.int32)
        columns["splits_part"] = np.array([100 / 140, 40 / 140, 1.0, 1.0])
        columns["splits_start"] = np.array([0, 4])

    words = [found.words for found in forged(diamond, forge).refuted if found.claim == "routing"]
    assert words == ["c -> b is on no shortest path to d"]


def test_loads_without_a_routing_are_not_believed(diamond):
    """The claim is left open, and the verdict says so."""
    verdict = forged(diamond, lambda _, __, entry, ___: entry.update(routing="none"))
    assert verdict.verdict == "holds in part"
    assert [found.claim for found in verdict.open] == ["max_utilisation"]


def test_a_bound_over_valley_free_paths_is_refuted_when_prices_do_not_prove_it_over_those(diamond):
    """Heights are in the file: prices prove 114 % over valley-free paths too."""

    def forge(_, __, entry, ___):
        entry["path_policy"] = "valley-free"
        entry["claims"].update(lower_bound=1.2, gap=0.0)

    assert refuted(forged(diamond, forge))["lower_bound"] == "1.2 is claimed, prices prove 1.14285714"


def test_a_bound_over_paths_that_the_file_does_not_list_is_left_open(diamond):
    """Prices of all paths prove 114 %; over fewer paths 120 % may be true."""

    def forge(_, __, entry, ___):
        entry["path_policy"] = "k-shortest"
        entry["claims"].update(lower_bound=1.2, gap=0.0)

    verdict = forged(diamond, forge)
    assert not verdict.refuted
    (left,) = verdict.open
    assert left.claim == "lower_bound"
    assert "k-shortest" in left.words
