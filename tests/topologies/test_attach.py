"""Hosts are cabled group by group: the work does not grow with the switches they are on."""

from __future__ import annotations

import numpy as np
import pytest

from topologies.assemble import Assembler
from topologies.builder import TOPOLOGIES
from topologies.hosts import HostGroup


@pytest.mark.parametrize("order", ["fill", "spread"])
def test_one_call_a_group_and_one_a_tier(monkeypatch: pytest.MonkeyPatch, order: str) -> None:
    """Two groups on 32 edge switches and two tiers above: four calls; rails of every host one after the other."""
    calls: list[int] = []
    cables = Assembler.cables

    def counted(self, lower, *rest, **keys):
        calls.append(np.size(lower))
        cables(self, lower, *rest, **keys)

    monkeypatch.setattr(Assembler, "cables", counted)
    groups = [
        HostGroup("a", tuple(f"a{i}" for i in range(20)), 4, 100.0, "per-gpu"),
        HostGroup("b", tuple(f"b{i}" for i in range(11)), 2, 100.0),
    ]
    net = TOPOLOGIES["fat-tree"]({"radix": 8, "speed": "100G", "attach_order": order}, hosts=groups)
    assert calls == [80, 22, 128, 128]
    assert net.nodes.rail[net.endpoint_nodes].tolist() == [0, 1, 2, 3] * 20 + [-1] * 11
    assert [net.nodes.name[node] for node in net.endpoint_nodes[:5]] == [
        *(f"a0.nic{nic}" for nic in range(4)),
        "a1.nic0",
    ]
    assert np.bincount(net.links.src, minlength=len(net.nodes))[net.endpoint_nodes].tolist() == [1] * 80 + [2] * 11
