"""A net file of ours in the InfiniBand simulator, discovered by the real program, and imported again."""

import pytest
from ib_lab import IbLab
from real_programs import require

from topologies.builder import TOPOLOGIES
from topologies.format_registry import read_topology, write_topology

require("ibsim", "ibnetdiscover", "ip")
pytestmark = pytest.mark.real_ib


def shape(net):
    """Switches with their ports, hosts, and every cable with its ports."""
    port = [str(number + 1) for number in net.src_port.tolist()]
    if net.src_port_names is not None:
        port = list(net.src_port_names)
    ends = [(net.nodes.name[node], port[link]) for link, node in enumerate(net.links.src.tolist())]
    cables = sorted(
        tuple(sorted((ends[link], ends[net.links.reverse[link]]))) for link in net.is_cable.nonzero()[0].tolist()
    )
    nodes = {
        name: (bool(net.nodes.forwards[node]), int(net.nodes.radix[node]), int(net.nodes.nics[node]))
        for node, name in enumerate(net.nodes.name)
    }
    return nodes, cables


@pytest.mark.parametrize(
    ("kind", "keys"),
    [
        ("fat-tree", {"radix": 8}),
        ("superpod", {"scalable_units": 2, "nodes_per_unit": 4, "radix": 16}),
        ("slim-fly", {"q": 5, "p": 2, "switch": {"radix": 9}}),
        ("torus", {"dims": [4, 4], "switch": {"radix": 12}, "parallel": 2}),
    ],
)
def test_what_is_discovered_is_what_was_exported(tmp_path, kind, keys):
    net = TOPOLOGIES[kind]({"speed": "10G", **keys})
    path = tmp_path / "net.txt"
    write_topology(net, path, "ibsim")
    host = net.nodes.name[net.endpoint_nodes[0]]
    with IbLab(path, host) as lab:
        text = lab.run("ibnetdiscover")
    found = tmp_path / "found.ibnet"
    found.write_text(text)
    back = read_topology(found)
    assert shape(back) == shape(net)
    assert set(back.links.capacity_gbps.tolist()) == {10.0}  # the simulator's 4xSDR
