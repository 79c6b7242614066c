"""Where hosts are attached: what docs/scenario.md says of every builder is what every builder does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.hosts import HostGroup

SAID = "each host to the first leaf that has room for it: leaves fill one after another."
LISTING = {"explicit"}  # says itself which host is on which switch
# Keys of examples that count hosts, and would not follow those that are listed.
LEFT_OUT = {"rail-only": ("gpus",), "superpod": ("reserved_nodes", "management_links")}
WHOLE = {"dcell"}  # listed hosts take all places
ALL_LAYERS = {"bcube", "zcube"}  # a place is on a switch of every layer: only the first layer fills in order
ENTRIES = [entry for entry in TOPOLOGIES if entry.name not in LISTING]
EVERY = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
ORDERED = [entry for entry in ENTRIES if "attach_order" in entry.model.model_fields]


def keys_of(entry):
    return {key: value for key, value in entry.example.items() if key not in LEFT_OUT.get(entry.name, ())}


def host_of(name):
    return name.split(".nic")[0]


def ends_by_switch(net):
    """Endpoints on every switch of level 1, in the order of the switches; those of one rail and plane together."""
    nodes, links = net.nodes, net.links
    sides: dict[tuple[int, int, int], dict[int, list[int]]] = {}
    for switch in np.flatnonzero(net.is_switch & (nodes.level == 1)).tolist():
        layer = int(nodes.unit[switch]) if (nodes.forwards & (nodes.nics > 0)).any() else -1
        sides.setdefault((int(nodes.rail[switch]), int(nodes.plane[switch]), layer), {})[switch] = []
    for link in np.flatnonzero((nodes.nics[links.src] > 0) & (nodes.nics[links.dst] == 0)).tolist():
        side = next(each for each in sides.values() if links.dst[link] in each)
        side[int(links.dst[link])].append(int(links.src[link]))
    return list(sides.values())


def listed(entry, share):
    """Two groups that take ``share`` of the places of the example, like the hosts that it makes up."""
    net = entry(dict(entry.example))
    ends = net.endpoint_nodes
    rails = len(np.unique(net.nodes.rail[ends[net.nodes.rail[ends] >= 0]])) or 1
    planes = len(np.unique(net.nodes.plane[net.is_switch & (net.nodes.level == 1)]))
    nics = rails if rails > 1 else int(net.nodes.nics[ends[0]])
    count = max(int(len(ends) // rails * share), 2)
    count = len(ends) if entry.name in WHOLE else count
    first = count // 2 + 1
    gbps = float(net.links.capacity_gbps[np.flatnonzero(net.links.src == ends[0])[0]])
    keys = {"rail": "per-gpu" if rails > 1 else "shared", "ports": planes if rails > 1 else 1}
    return [
        HostGroup("b", tuple(f"b{i}" for i in range(first)), nics, gbps, **keys),
        HostGroup("a", tuple(f"a{i}" for i in range(count - first)), nics, gbps, **keys),
    ]


def test_the_documentation_says_that_leaves_fill_in_order():
    page = Path("docs/scenario.md").read_text(encoding="utf-8")
    assert SAID in " ".join(page.split())
    template = Path("fabric/scenario/templates/leaf-spine.yaml").read_text(encoding="utf-8")
    assert "hosts fill the leaves in order, 24 to a leaf" in template


@EVERY
@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_listed_hosts_fill_one_leaf_after_another(entry, share):
    """Group by group as listed; a leaf is as full as without listed hosts before the next has any."""
    groups = listed(entry, share)
    room = [[len(ends) for ends in side.values()] for side in ends_by_switch(entry(dict(entry.example)))]
    net = entry(keys_of(entry), hosts=groups)
    order = {name: at for at, name in enumerate(host for group in groups for host in group.hosts)}
    for places, side in zip(room, ends_by_switch(net), strict=True):
        on_leaf = [[order[host_of(net.nodes.name[end])] for end in ends] for ends in side.values()]
        if entry.name in ALL_LAYERS:
            assert sorted(at for ends in on_leaf for at in ends) == list(range(len(order)))
            continue
        before = [at for ends in on_leaf for at in sorted(ends)]
        assert before == sorted(before)
        last = max(at for at, ends in enumerate(on_leaf) if ends)
        assert [len(ends) for ends in on_leaf[:last]] == places[:last]


@pytest.mark.parametrize("entry", ORDERED, ids=[entry.name for entry in ORDERED])
def test_the_other_order_uses_every_leaf(entry):
    """With as many hosts as half of the places, no leaf is empty and none has two more than another."""
    groups = listed(entry, 0.5)
    net = entry({**keys_of(entry), "attach_order": "spread"}, hosts=groups)
    for side in ends_by_switch(net):
        used = [len(ends) for ends in side.values()]
        assert max(used) - min(used) <= 1
