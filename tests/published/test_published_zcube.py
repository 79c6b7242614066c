"""ZCube for serving: a third less for switches and optics than rail-optimised, as Zhipu claims of its GLM-5.1 cluster.

Published (z.ai, 2026): about 1,000 GPUs of prefill and decode, switches and optics down by 33 %, throughput up by 15 %,
the tail of the time to the first token down by 40.6 %. What follows from our inputs is the cost: of equal switches two
thirds as many, and three links of 200G where rail-optimised has two of 400G. The loads are as good with packets spread
evenly, and no better; flows that are hashed whole meet more unevenness in ZCube, whose links are half as fast.
Throughput and latency of serving are not modelled, so that those claims are neither confirmed nor contradicted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import fabric
from fabric.design.need import FabricNeed
from fabric.design.objective import Objective
from fabric.design.search import Search
from topologies.catalogue import builtin

NEED = FabricNeed("backend", 128, 8, 8, 400.0, rail="per-gpu", switches=("eth-64x400",))
SERVING = """
workloads:
  - id: serve
    kind: inference
    model: {layers: 92, hidden: 5120, ffn_hidden: 12288, heads: 96, kv_heads: 8, head_dim: 128, vocab: 151552}
    requests_per_s: 1900
    prompt: {mean: 32000}
    output: {mean: 1000}
    prefill: {gpus: 512, tp: 8}
    decode: {gpus: 512, tp: 8}
"""
CHEAPER = 0.30


def cheapest(kind, ports, switches=("eth-64x400",)):
    """The cheapest design of a family, and its cost: switches, cables and optics."""
    search = Search(replace(NEED, kinds=(kind,), nic_ports=ports, switches=switches), builtin(), Objective.of("cost"))
    counted = search.next()
    return counted, search.value_of(counted)


@pytest.fixture(scope="module")
def designs():
    """The cheapest rail-optimised fabric and the cheapest ZCube without oversubscription."""
    return {"rail-optimised": cheapest("rail-optimised", (1,)), "zcube": cheapest("zcube", (2,))}


def loads(counted, folder: Path, router: str) -> np.ndarray:
    """Utilisation of all links when caches go from prefill to decode."""
    nic = {"speed": f"{400 // counted.nic_ports}G", "count": 8, "rail": "per-gpu", "ports": counted.nic_ports}
    scenario = {"topology": dict(counted.topology), "routing": {"router": router}}
    path = folder / f"{counted.family}-{router}.fabric.yaml"
    nodes = [{"group": "gpu", "count": 128, "gpus": 8, "nics": {"backend": nic}}]
    path.write_text(f"version: 1\nname: serving\nfabrics: {{backend: {scenario}}}\nnodes: {nodes}\n{SERVING}")
    route = fabric.run(path).result.routes[0]
    assert route.phase == "kv.transfer"
    return np.asarray(route.utilisation)


def test_a_zcube_of_the_same_switches_costs_at_least_thirty_per_cent_less(designs):
    """32 switches against 48: -33 %; 3,072 links of 200G against 2,048 of 400G."""
    rails, zcube = (designs[kind][0] for kind in ("rail-optimised", "zcube"))
    assert [sum(row.count for row in design.switches) for design in (rails, zcube)] == [48, 32]
    assert [sum(row.count for row in design.cables) for design in (rails, zcube)] == [2_048, 3_072]
    assert {row.gbps for row in zcube.cables} == {200.0}
    assert designs["zcube"][1] < (1 - CHEAPER) * designs["rail-optimised"][1]


def test_so_does_the_cheapest_of_the_ethernet_switches_of_the_catalogue():
    switches = ("eth-64x400", "eth-128x400", "eth-64x800")
    assert cheapest("zcube", (2,), switches)[1] < (1 - CHEAPER) * cheapest("rail-optimised", (1,), switches)[1]


def test_its_loads_are_no_worse_where_packets_spread_evenly(designs, tmp_path):
    """p99 over all links, and the fullest."""
    rails, zcube = (loads(designs[kind][0], tmp_path, "spray") for kind in ("rail-optimised", "zcube"))
    assert np.percentile(zcube, 99) <= np.percentile(rails, 99)
    assert zcube.max() <= rails.max()
    assert zcube.max() < 1


def test_with_rails_aligned_the_nearer_port_carries_more_of_the_caches(designs, tmp_path):
    """Half of the pairs of NICs of one rail share a switch of group 1, and are nearest over that port alone."""
    zcube = designs["zcube"][0]
    aligned = replace(zcube, topology={**zcube.topology, "rails": "aligned"}, family="aligned")
    assert loads(aligned, tmp_path, "spray").max() > 1.3 * loads(zcube, tmp_path, "spray").max()
