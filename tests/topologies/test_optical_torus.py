"""Cubes and optical circuit switches of a torus, as in TPU v4."""

import networkx as nx
import numpy as np
import pytest

from topologies.builder import TOPOLOGIES
from topologies.errors import TopologyError
from topologies.summary import summarise


def torus(**keys):
    return TOPOLOGIES["torus"]({"speed": "400G", **keys})


def test_4096_chips_take_48_optical_switches_of_128_ports():
    """Jouppi et al., ISCA 2023, section 2.2: 64 cubes, 6 faces of 16 links, 48 switches."""
    found = summarise(torus(dims=[16, 16, 16], cube=4, ocs=136))
    assert found.nodes_by_role["ocs"] == 48
    assert found.ports_used_max_by_role["ocs"] == 128
    assert found.ports_available_by_role["ocs"] == 136
    assert found.cables_by_tier["optical"] == 64 * 96 // 2
    assert found.pods == 64


@pytest.mark.parametrize(("dims", "cube"), [([4, 4, 8], 4), ([4, 4], 2), ([6, 3], 3), ([4, 4, 4], 4), ([2, 4], 2)])
@pytest.mark.parametrize("wrap", [True, False])
def test_the_cables_are_those_of_the_plain_torus(dims, cube, wrap):
    def edges(net):
        between = net.is_switch[net.links.src] & net.is_switch[net.links.dst]
        return sorted(
            tuple(sorted((net.nodes.name[a], net.nodes.name[b])))
            for a, b in zip(net.links.src[between].tolist(), net.links.dst[between].tolist(), strict=True)
        )

    net = torus(dims=dims, wrap=wrap, cube=cube, ocs=True)
    assert edges(net) == edges(torus(dims=dims, wrap=wrap))
    inside = net.links.tier == net.tiers.index("intra-cube")
    assert (net.nodes.pod[net.links.src[inside]] == net.nodes.pod[net.links.dst[inside]]).all()
    if "optical" not in net.tiers:
        assert net.circuit is None  # one cube whose rings are open
        return
    np.testing.assert_array_equal(net.circuit >= 0, net.links.tier == net.tiers.index("optical"))


def test_every_optical_switch_patches_one_place_of_all_cubes():
    net = torus(dims=[8, 8, 4], cube=4, ocs=True)
    for ocs in np.flatnonzero(~net.nodes.forwards & (net.nodes.level > 0)).tolist():
        mine = net.is_cable & (net.circuit == ocs)
        assert mine.sum() == 4  # cubes, each with one cable out in this dimension
        assert net.ports_used[ocs] == 8


def test_an_optical_switch_that_fails_takes_its_circuits_down():
    net = torus(dims=[8, 4, 4], cube=4, ocs=True)
    node = net.node("ocs0.1.1")
    down = net.with_down(nodes=[node])
    assert (net.up & ~down.up).sum() == 2 * net.ports_used[node] / 2
    assert (net.circuit[net.up & ~down.up] == node).all()
    graph = nx.Graph(zip(down.links.src[down.up].tolist(), down.links.dst[down.up].tolist(), strict=True))
    assert nx.is_connected(graph.subgraph(np.flatnonzero(net.is_switch).tolist()))


def test_cubes_fill_the_grid_and_optics_need_cubes():
    with pytest.raises(TopologyError, match=r"dims: \[4, 8\]"):
        torus(dims=[5, 7], cube=4)
    with pytest.raises(TopologyError, match="no cube is given"):
        torus(dims=[4, 4], ocs=True)
