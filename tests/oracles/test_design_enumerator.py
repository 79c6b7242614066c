"""The search finds what trying every number finds, on every instance, among Clos-like families."""

from __future__ import annotations

import pytest
from counted_fabrics import switch
from design_enumerator import CLOS_LIKE, cheapest_usd

from fabric.design.need import FabricNeed
from fabric.design.objective import Objective
from fabric.design.search import Search
from topologies.catalogue import Catalogue, builtin

OURS = builtin()


def catalogue(*rows):
    """Switches of a test with the optics and cables that come with the tool."""
    return Catalogue(switches={row.model: row for row in rows}, optics=OURS.optics, cables=OURS.cables)


CATALOGUES = {
    "builtin": OURS,
    "ethernet": catalogue(
        switch("e16x400", 16, 400, usd=14_000, breakouts=["2x200"]),
        switch("e32x400", 32, 400, usd=26_000, breakouts=[]),
        switch("e24x800", 24, 800, usd=31_000, breakouts=["2x400", "4x200"]),
    ),
    "infiniband": catalogue(
        switch("i16x400", 16, 400, usd=13_000, ports_per_cage=2, protocol="infiniband"),
        switch("i40x400", 40, 400, usd=29_000, ports_per_cage=2, protocol="infiniband"),
        switch("i36x800", 36, 800, usd=52_000, ports_per_cage=2, protocol="infiniband", licence_usd=1_500),
    ),
}


def need_of(gpus, ratio, ports, kinds=CLOS_LIKE, nics=8):
    return FabricNeed(
        "backend", -(-gpus // nics), nics, nics, 400.0, ports, rail="per-gpu", oversubscription=ratio, kinds=kinds
    )  # fmt: skip


def best_usd(need, rows):
    """Price of the first design of the search, which is its bound."""
    search = Search(need, rows, Objective.of("cost"))
    counted = search.next()
    return float("inf") if counted is None else search.value_of(counted)


@pytest.mark.parametrize("ratio", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("ports", [(1,), (1, 2)], ids=["one plane", "two planes"])
@pytest.mark.parametrize("gpus", [8, 40, 136, 512])
@pytest.mark.parametrize("name", CATALOGUES)
def test_the_search_agrees_with_the_enumerator(name, gpus, ports, ratio):
    need = need_of(gpus, ratio, ports)
    assert best_usd(need, CATALOGUES[name]) == pytest.approx(cheapest_usd(need, CATALOGUES[name]), abs=1e-6)


@pytest.mark.parametrize("kind", ["leaf-spine", "clos", "rail-optimised", "multi-plane", "dual-plane"])
@pytest.mark.parametrize("gpus", [24, 128, 320])
@pytest.mark.parametrize("name", ["ethernet", "infiniband"])
def test_the_search_agrees_within_a_family(name, gpus, kind):
    """Switches of few ports need a third tier early, so that every family is walked there too."""
    need = need_of(gpus, 2.0, (1,) if kind in ("leaf-spine", "clos", "rail-optimised") else (2,), (kind,))
    assert best_usd(need, CATALOGUES[name]) == pytest.approx(cheapest_usd(need, CATALOGUES[name]), abs=1e-6)
