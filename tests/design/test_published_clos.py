"""Published designs come out of the search when catalogue and family are those of the publication."""

from __future__ import annotations

import pytest
from counted_fabrics import build

from fabric.design.need import FabricNeed
from fabric.design.objective import Objective
from fabric.design.search import Search
from topologies.catalogue import Catalogue, builtin
from topologies.summary import summarise


OURS = builtin()


def first(need, catalogue=OURS):
    """The cheapest design, built, as counts by role."""
    search = Search(need, catalogue, Objective.of("cost"))
    counted = search.next()
    assert search.value_of(counted) <= search.bound
    return counted, summarise(build(need, catalogue, counted))


def superpod_need(nodes, kinds=("superpod",), switches=("ib-64x400",)):
    return FabricNeed("compute", nodes, 8, 8, 400.0, rail="per-gpu", kinds=kinds, switches=switches)


# Nodes, leaves, spines, cores, cables of the leaf-spine tier.
# DGX SuperPOD H100 reference architecture (RA-11333-001), table "larger deployments": a node less per SuperPOD, whose
# ports take the fabric managers.
H100 = [
    (31, 8, 4, 0, 256),
    (63, 16, 8, 0, 512),
    (95, 24, 16, 0, 768),
    (127, 32, 16, 0, 1024),
]
# DGX SuperPOD B200 reference architecture (RA-11334-001), table of larger deployments: 2 to 64 scalable units.
B200 = [
    (64, 16, 8, 0, 512),
    (128, 32, 16, 0, 1024),
    (256, 64, 32, 0, 2048),
    (512, 128, 128, 64, 4096),
    (1024, 256, 256, 128, 8192),
    (2048, 512, 512, 256, 16384),
]


@pytest.mark.parametrize(("nodes", "leaves", "spines", "cores", "cables"), H100 + B200)
@pytest.mark.parametrize("family", ["superpod", "rail-optimised"])
def test_superpods(family, nodes, leaves, spines, cores, cables):
    """32 nodes a unit, a leaf per rail, as many uplinks as nodes; spines are the fewest that divide a leaf's uplinks.

    The cheapest rail-optimised fabric of the same switch has the same bandwidth and never more switches.
    """
    counted, built = first(superpod_need(nodes, (family,)))
    if family == "superpod":
        assert counted.topology["nodes_per_unit"] == 32
        assert built.nodes_by_role.get("leaf") == leaves
        assert built.nodes_by_role.get("spine") == spines
        assert built.nodes_by_role.get("core", 0) == cores
        assert built.cables_by_tier["leaf-spine"] == cables
    assert built.switches <= leaves + spines + cores
    assert built.oversubscription_by_role["leaf"] <= 1


def test_a_pod_of_hpn():
    """Qian et al., SIGCOMM 2024, section 5: 15,360 GPUs in 15 segments, 60 aggregation switches in each of 2 planes.

    A ToR has 128 ports of 200G on 64 of its 400G ports, and 60 uplinks of 400G over fibre: 16:15.
    """
    fibre = {name: OURS.optics[name] for name in ("400g-sr4", "400g-dr4")}
    theirs = Catalogue({"eth-128x400": OURS.switches["eth-128x400"]}, optics=fibre, cables=OURS.cables)
    need = FabricNeed(
        "backend", 1920, 8, 8, 400.0, (2,), rail="per-gpu", oversubscription=16 / 15, kinds=("dual-plane",),
        switches=("eth-128x400",), single_failures=("leaf", "spine"), max_tiers=2,
    )  # fmt: skip
    counted, built = first(need, theirs)
    assert (counted.topology["segments"], counted.topology["hosts_per_segment"]) == (15, 128)
    assert (counted.topology["tor_uplinks"], counted.topology["aggs_per_plane"]) == (60, 60)
    assert built.nodes_by_role["tor"] == 240
    assert built.nodes_by_role["agg"] == 120
    assert built.gpus == 15_360
    assert built.planes == 2
    assert built.oversubscription_by_role["tor"] == pytest.approx(128 * 200 / (60 * 400))


def test_a_fat_tree_of_three_tiers():
    """Al-Fares et al., SIGCOMM 2008: k = 64 gives 65,536 hosts on 5 k²/4 = 5,120 switches; the Clos needs no fewer."""
    need = FabricNeed("backend", 65_536, 1, 1, 400.0, kinds=("fat-tree",), switches=("eth-64x400",))
    counted = Search(need, OURS, Objective.of("cost")).next()
    assert sum(row.count for row in counted.switches) == 5_120
    clos = FabricNeed("backend", 65_536, 1, 1, 400.0, kinds=("clos",), switches=("eth-64x400",))
    assert sum(row.count for row in Search(clos, OURS, Objective.of("cost")).next().switches) == 5_120


def test_a_multi_plane_fat_tree():
    """Zhao et al., ISCA 2025, table of topologies: 16,384 endpoints, 8 planes of 64-port switches, 768 of them.

    Every plane has 2,048 endpoints, one NIC of each host: 64 leaves and 32 spines.
    """
    need = FabricNeed(
        "backend", 2048, 8, 8, 400.0, rail="per-gpu", kinds=("multi-plane",), switches=("ib-64x400",), max_tiers=2, parts=True
    )  # fmt: skip
    counted = Search(need, OURS, Objective.of("cost")).next()
    assert {row.role: row.count for row in counted.switches} == {"leaf": 8 * 64, "spine": 8 * 32}
    assert counted.parts == 8
