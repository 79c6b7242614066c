"""What discovery tools and lab files say: ibnetdiscover, LLDP, containerlab; and SNDlib and node-link beside them."""

from __future__ import annotations

import json

import networkx as nx
import numpy as np
import pytest
import yaml

from topologies.builder import TOPOLOGIES
from topologies.errors import FormatError
from topologies.format_registry import import_topology, read_topology, write_topology
from topologies.reading.asked import Asked, CapacityAttribute

IB = """\
# Topology file: generated on Tue Nov 24 13:46:24 2026
vendid=0x2c9
switchguid=0x200010(200010)
Switch\t36 "S-0000000000200010"\t\t# "leaf0" enhanced port 0 lid 3 lmc 0
[1]\t"H-0000000000100000"[1](100001) \t\t# "n0 HCA-1" lid 5 4xNDR
[2]\t"H-0000000000100010"[1](100011) \t\t# "n1 HCA-1" lid 6 4xHDR
[36]\t"S-0000000000200020"[1]\t\t# "spine" lid 4 4xNDR

switchguid=0x200020(200020)
Switch\t36 "S-0000000000200020"\t\t# "spine" enhanced port 0 lid 4 lmc 0
[1]\t"S-0000000000200010"[36]\t\t# "leaf0" lid 3 4xNDR

caguid=0x100000
Ca\t1 "H-0000000000100000"\t\t# "n0 HCA-1"
[1](100001) \t"S-0000000000200010"[1]\t\t# lid 5 lmc 0 "leaf0" lid 3 4xNDR

caguid=0x100010
Ca\t1 "H-0000000000100010"\t\t# "n1 HCA-1"
[1](100011) \t"S-0000000000200010"[2]\t\t# lid 6 lmc 0 "leaf0" lid 3 4xHDR
"""


def cables_of(net):
    """Ends, ports and rate of every cable, whichever end is first."""
    names = net.src_port_names
    found = []
    for link in net.is_cable.nonzero()[0].tolist():
        both = (link, int(net.links.reverse[link]))
        ends = sorted((net.nodes.name[net.links.src[way]], names[way]) for way in both)
        found.append((*ends, float(net.links.capacity_gbps[link])))
    return sorted(found)


# ---- ibnetdiscover ---------------------------------------------------------------------------------------------------


def test_ibnetdiscover_gives_names_ports_speeds_and_levels(tmp_path):
    path = tmp_path / "fabric.ibnet"
    path.write_text(IB)
    net = read_topology(path)
    assert cables_of(net) == [
        (("leaf0", "1"), ("n0.HCA-1", "1"), 400.0),
        (("leaf0", "2"), ("n1.HCA-1", "1"), 200.0),
        (("leaf0", "36"), ("spine", "1"), 400.0),
    ]
    assert net.nodes.radix[net.node("leaf0")] == 36
    assert [net.roles[net.nodes.role[net.node(name)]] for name in ("leaf0", "spine", "n0.HCA-1")] == [
        "leaf", "spine", "host",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "words", "left"),
    [
        ('[36]\t"S-0000000000200020"[1]', '[37]\t"S-0000000000200020"[1]', 7, "port 37 of leaf0, which has 36", 2),
        ('[2]\t"H-0000000000100010"', '[2]\t"H-0000000000100099"', 6, "which is not a node of the file", 2),
        ('[1]\t"S-0000000000200010"[36]', '[2]\t"S-0000000000200010"[36]', 7, "which lists nothing", 2),
        ('# "spine" lid 4 4xNDR', '# "spine" lid 4 4xZDR', 7, "is not a known link speed", None),
        ("vendid=0x2c9", "vendid=0x2c9\nwhat is this", 3, "neither a node nor a port", 3),
    ],
)
def test_ibnetdiscover_reports_the_line_and_takes_the_rest(tmp_path, old, new, line, words, left):
    path = tmp_path / "fabric.ibnet"
    assert old in IB
    path.write_text(IB.replace(old, new))
    with pytest.raises(FormatError, match=words) as caught:
        read_topology(path)
    found = import_topology(path, speed=400.0)
    assert line in [problem.line for problem in found.problems if words in problem.message]
    assert len(caught.value.problems) == len(found.problems)
    assert left is None or found.topology.is_cable.sum() == left


# ---- containerlab ----------------------------------------------------------------------------------------------------

LAB = """\
name: lab
topology:
  nodes:
    leaf1: {kind: nokia_srlinux, group: leaf}
    spine1: {kind: nokia_srlinux, group: spine}
    client1: {kind: linux, group: client}
    client2: {kind: linux, group: client}
  links:
    - endpoints: ["leaf1:e1-49", "spine1:e1-1"]
    - endpoints: ["client1:eth1", "leaf1:e1-1"]
    - type: veth
      endpoints:
        - {node: client2, interface: eth1}
        - {node: leaf1, interface: e1-2}
"""


def test_containerlab_keeps_interface_names_through_in_and_out(tmp_path):
    path, again = tmp_path / "a.clab.yml", tmp_path / "b.clab.yml"
    path.write_text(LAB)
    net = import_topology(path, "containerlab", speed=100.0).topology
    assert cables_of(net) == [
        (("client1", "eth1"), ("leaf1", "e1-1"), 100.0),
        (("client2", "eth1"), ("leaf1", "e1-2"), 100.0),
        (("leaf1", "e1-49"), ("spine1", "e1-1"), 100.0),
    ]
    write_topology(net, again, "containerlab")
    back = import_topology(again, "containerlab", speed=100.0).topology
    assert cables_of(back) == cables_of(net)
    assert [node for node in back.endpoint_nodes.tolist() if back.nodes.forwards[node]] == []


SCHEMA = {  # from the manual, "Topology definition", as far as what we write goes
    "type": "object",
    "required": ["name", "topology"],
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"},
        "topology": {
            "type": "object",
            "required": ["nodes"],
            "properties": {
                "nodes": {
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z0-9_.-]+$"},
                    "additionalProperties": {
                        "type": "object",
                        "properties": {
                            "kind": {"type": "string"}, "group": {"type": "string"}, "image": {"type": "string"},
                        },
                        "additionalProperties": False,
                    },
                },
                "kinds": {"type": "object"},
                "defaults": {"type": "object"},
                "links": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["endpoints"],
                        "properties": {
                            "endpoints": {
                                "type": "array", "minItems": 2, "maxItems": 2, "uniqueItems": True,
                                "items": {"type": "string", "pattern": "^[A-Za-z0-9_.-]+:[^:]+$"},
                            },
                        },
                    },
                },
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}  # fmt: skip


def test_a_lab_we_write_follows_the_manual_and_has_every_cable(tmp_path):
    jsonschema = pytest.importorskip("jsonschema")
    net = TOPOLOGIES["fat-tree"]({"radix": 4, "speed": "100G"})
    path = tmp_path / "lab.clab.yml"
    write_topology(net, path, "containerlab")
    lab = yaml.safe_load(path.read_text())
    jsonschema.validate(lab, SCHEMA)
    assert len(lab["topology"]["links"]) == net.is_cable.sum()
    assert len(lab["topology"]["nodes"]) == len(net.nodes)
    ends = [end for link in lab["topology"]["links"] for end in link["endpoints"]]
    assert len(set(ends)) == len(ends)
    assert not any(end.endswith(":eth0") for end in ends)


def test_a_lab_of_more_than_200_nodes_is_written_only_when_told(tmp_path):
    net = TOPOLOGIES["fat-tree"]({"radix": 8, "speed": "100G"})
    path = tmp_path / "lab.clab.yml"
    with pytest.raises(FormatError, match=f"--max-nodes {len(net.nodes)}"):
        write_topology(net, path, "containerlab")
    assert not path.exists()
    write_topology(net, path, "containerlab", max_nodes=1000)
    assert path.exists()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"leaf1:e1-49", ', "", 9, "two endpoints"),
        ('"client1:eth1", "leaf1:e1-1"', '"client1:eth1", "leaf1:e1-49"', 10, "two cables on port e1-49 of leaf1"),
        ('"client1:eth1"', '"client9:eth1"', 10, "client9, which is not a node"),
        ('"client1:eth1"', '"host:br0"', 10, "leads out of the lab"),
        ('"client1:eth1"', '"client1"', 10, "does not name an interface"),
        ("type: veth", "type: mgmt-net", 11, "leads out of the lab"),
        ('"client1:eth1"', '"leaf1:e1-7"', 10, "cabled to itself"),
    ],
)
def test_a_bad_link_of_a_lab_is_left_out_with_its_line(tmp_path, old, new, line, words):
    path = tmp_path / "a.clab.yml"
    assert old in LAB
    path.write_text(LAB.replace(old, new))
    found = import_topology(path, "containerlab", speed=100.0)
    assert [problem.line for problem in found.problems] == [line]
    assert words in found.problems[0].message
    assert found.topology.is_cable.sum() == 2
    with pytest.raises(FormatError, match=words):
        import_topology(path, "containerlab", speed=100.0, strict=True)


def test_a_lab_tells_no_speed_so_that_one_has_to_be_said(tmp_path):
    path = tmp_path / "a.clab.yml"
    path.write_text(LAB)
    with pytest.raises(FormatError, match="does not tell the speed of 3 cables") as caught:
        import_topology(path, "containerlab")
    assert caught.value.problems[0].code == "FP6011"


# ---- LLDP ------------------------------------------------------------------------------------------------------------


def heard(port, far, far_port, *, bridge=True, speed="100GbaseSR4"):
    """One interface as ``lldpctl -f json0`` prints it."""
    return {
        "name": port, "via": "LLDP", "rid": "1",
        "chassis": [{
            "id": [{"type": "mac", "value": "00:11:22:33:44:55"}], "name": [{"value": far}],
            "capability": [{"type": "Bridge", "enabled": bridge}, {"type": "Station", "enabled": not bridge}],
        }],
        "port": [{
            "id": [{"type": "ifname", "value": far_port}], "descr": [{"value": far_port}],
            "auto-negotiation": [{"supported": True, "enabled": True, "current": [{"value": speed}]}],
        }],
    }  # fmt: skip


def lldp_folder(tmp_path, **devices):
    folder = tmp_path / "lldp"
    folder.mkdir(exist_ok=True)
    for name, interfaces in devices.items():
        (folder / f"{name}.json").write_text(json.dumps({"lldp": [{"interface": interfaces}]}, indent=1))
    return folder


def test_lldp_joins_both_sides_and_takes_hosts_as_others_hear_them(tmp_path):
    folder = lldp_folder(
        tmp_path,
        leaf1=[heard("swp1", "n1", "eth0", bridge=False), heard("swp49", "spine1", "swp1")],
        spine1=[heard("swp1", "leaf1", "swp49")],
    )
    net = read_topology(folder, "lldp")
    assert cables_of(net) == [
        (("leaf1", "swp1"), ("n1", "eth0"), 100.0),
        (("leaf1", "swp49"), ("spine1", "swp1"), 100.0),
    ]
    assert [net.nodes.name[node] for node in net.endpoint_nodes.tolist()] == ["n1"]
    assert net.nodes.level[net.node("spine1")] == 2


def test_lldp_of_ports_named_by_address_goes_by_their_description_and_the_plain_form_reads_too(tmp_path):
    """As lldpd 1.0.16 prints Linux interfaces: the id is a MAC address; ``-f json`` names devices and ports by keys."""
    port = {"id": [{"type": "mac", "value": "3a:37:6e:14:a6:f8"}], "descr": [{"value": "swp9"}]}
    chassis = {"id": [{"type": "mac", "value": "3a:37:6e:14:a6:f8"}], "name": [{"value": "n1"}]}
    folder = lldp_folder(tmp_path, leaf1=[{"name": "swp1", "chassis": [chassis], "port": [port]}])
    plain = {
        "chassis": {"n1": {"id": {"type": "mac", "value": "3a:37:6e:14:a6:f8"}, "capability": []}},
        "port": {"id": {"type": "mac", "value": "3a:37:6e:14:a6:f8"}, "descr": "swp9"},
    }
    other = tmp_path / "plain"
    other.mkdir()
    (other / "leaf1.json").write_text(json.dumps({"lldp": {"interface": {"swp1": plain}}}))
    for place in (folder, other):
        found = import_topology(place, "lldp", speed=10.0)
        assert cables_of(found.topology) == [(("leaf1", "swp1"), ("n1", "swp9"), 10.0)]
        assert found.problems == ()


def test_lldp_leaves_out_what_one_side_denies_and_names_the_file(tmp_path):
    folder = lldp_folder(
        tmp_path,
        leaf1=[heard("swp1", "n1", "eth0", bridge=False), heard("swp49", "spine1", "swp1")],
        spine1=[heard("swp2", "leaf1", "swp50")],
    )
    (folder / "broken.json").write_text("{")
    found = import_topology(folder, "lldp")
    assert found.topology.is_cable.sum() == 1
    assert {problem.file.rsplit("/", 1)[1] for problem in found.problems} == {
        "leaf1.json",
        "spine1.json",
        "broken.json",
    }
    assert any("hears nothing there" in problem.message for problem in found.problems)
    with pytest.raises(FormatError):
        import_topology(folder, "lldp", strict=True)


# ---- SNDlib and node-link --------------------------------------------------------------------------------------------

NATIVE = """\
?SNDlib native format; type: network; version: 1.0
NODES (
  A ( 1.0 2.0 )
  B ( 1.0 3.0 )
  C ( 2.0 3.0 )
)
LINKS (
  L1 ( A B ) 10000.00 0.00 1.00 0.00 ( )
  L2 ( B C ) 0.00 0.00 1.00 0.00 ( 2500.00 10.0 40000.00 20.0 )
  L3 ( C A ) 0.00 0.00 0.00 0.00 ( )
)
"""
XML = """\
<?xml version="1.0"?>
<network xmlns="http://sndlib.zib.de/network" version="1.0">
 <networkStructure>
  <nodes><node id="A"><coordinates><x>1</x><y>2</y></coordinates></node><node id="B"/><node id="C"/></nodes>
  <links>
   <link id="L1"><source>A</source><target>B</target>
    <preInstalledModule><capacity>10000.0</capacity><cost>0.0</cost></preInstalledModule></link>
   <link id="L2"><source>B</source><target>C</target>
    <additionalModules><addModule><capacity>2500.0</capacity></addModule>
     <addModule><capacity>40000.0</capacity></addModule></additionalModules></link>
   <link id="L3"><source>C</source><target>A</target></link>
  </links>
 </networkStructure>
</network>
"""


@pytest.mark.parametrize(("text", "line"), [(NATIVE, 10), (XML, 11)])
def test_sndlib_takes_what_is_installed_or_the_largest_module(tmp_path, text, line):
    """10,000 and 40,000 Mbit/s; L3 has neither, and takes the speed that is given."""
    path = tmp_path / "net.xml"
    path.write_text(text)
    asked = Asked(CapacityAttribute(attribute="capacity", unit="Mbps"))
    with pytest.raises(FormatError, match="the speed of 1 cable, such as C -> A") as caught:
        import_topology(path, asked=asked)
    assert caught.value.problems[0].line == line
    found = import_topology(path, asked=asked, speed=7.0)
    assert any("additionalModules: nothing is installed on 1 link" in note for note in found.notes)
    net = found.topology
    assert net.links.capacity_gbps.tolist() == [10.0, 10.0, 40.0, 40.0, 7.0, 7.0]
    assert [net.nodes.name[a] + net.nodes.name[b] for a, b in zip(net.links.src, net.links.dst, strict=True)] == [
        "AB", "BA", "BC", "CB", "CA", "AC",
    ]  # fmt: skip


def test_sndlib_without_a_unit_asks_for_it_unless_the_head_has_one(tmp_path):
    """The unit of the head of dynamic traffic, MBITPERSEC, is that of capacities; without one nothing is guessed."""
    path = tmp_path / "net.xml"
    path.write_text(XML)
    with pytest.raises(FormatError, match=r"capacity: a capacity in no unit.*--capacity NAME:Mbps"):
        import_topology(path, strict=True)
    path.write_text(XML.replace("<networkStructure>", "<meta><unit>MBITPERSEC</unit></meta><networkStructure>"))
    assert import_topology(path, speed=1.0).topology.links.capacity_gbps.tolist() == [10, 10, 40, 40, 1, 1]
    path.write_text(NATIVE.replace("NODES (", "META (\n  unit = GBITPERSEC\n)\nNODES (", 1))
    assert import_topology(path, speed=1.0).topology.links.capacity_gbps[0] == 10_000
    path.write_text(XML.replace("<networkStructure>", "<meta><unit>PACKETS</unit></meta><networkStructure>"))
    with pytest.raises(FormatError, match="'PACKETS', not one of capacity"):
        import_topology(path)


@pytest.mark.parametrize("suffix", ["xml", "graphml"])
def test_an_entity_bomb_is_refused_before_it_grows(tmp_path, suffix):
    """Ten levels of ten references would be gigabytes; the file is padded to a hundred megabytes besides."""
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY e0 "lol">{levels}]><graphml>&e9;'
    path = tmp_path / f"bomb.{suffix}"
    path.write_bytes(head.encode() + b" " * 100_000_000 + b"</graphml>")
    with pytest.raises(FormatError, match="document type or entity declaration is refused"):
        import_topology(path)


def test_node_link_is_read_by_networkx_and_reads_what_networkx_writes(tmp_path):
    net = TOPOLOGIES["leaf-spine"](dict(TOPOLOGIES["leaf-spine"].example))
    path, again = tmp_path / "net.json", tmp_path / "again.json"
    write_topology(net, path, "node-link")
    data = json.loads(path.read_text())
    graph = nx.node_link_graph(data, edges="edges")
    assert graph.number_of_edges() == len(net.links)
    back = read_topology(path, "node-link")
    for key in ("src", "dst", "capacity_gbps", "reverse", "tier"):
        np.testing.assert_array_equal(getattr(back.links, key), getattr(net.links, key))
    plain = nx.Graph()
    plain.add_edge("a", "b", capacity_gbps=100.0)
    again.write_text(json.dumps(nx.node_link_data(plain, edges="links")))
    assert read_topology(again, "node-link").is_cable.sum() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": "nowhere"}, "is not a node"),
        ({"capacity_gbps": -1}, "capacity_gbps is -1"),
        ({"capacity_gbps": "fast"}, "capacity_gbps is 'fast'"),
        ({"source": "leaf0", "target": "leaf0"}, "cabled to itself"),
    ],
)
def test_a_bad_edge_of_node_link_is_left_out_with_its_line(tmp_path, change, words):
    net = TOPOLOGIES["leaf-spine"](dict(TOPOLOGIES["leaf-spine"].example))
    path = tmp_path / "net.json"
    write_topology(net, path, "node-link")
    lines = path.read_text().split("\n")
    row = next(number for number, line in enumerate(lines) if '"edges"' in line) + 4
    edge = json.loads(lines[row].rstrip(","))
    lines[row] = json.dumps(edge | change) + ","
    path.write_text("\n".join(lines))
    found = import_topology(path, "node-link")
    assert found.problems[0].line == row + 1
    assert words in found.problems[0].message
    assert len(found.topology.links) == len(net.links) - 1


# ---- the older formats -----------------------------------------------------------------------------------------------


def test_bad_rows_of_a_cable_list_are_left_out_and_listed(tmp_path):
    net = TOPOLOGIES["leaf-spine"](dict(TOPOLOGIES["leaf-spine"].example))
    path = tmp_path / "net.csv"
    write_topology(net, path)
    lines = path.read_text().split("\n")
    for row in range(1, 17):
        lines[row] = lines[row].replace("100.0", "fast", 1)
    lines[20] = lines[20].replace("leaf", "spine0,spine0,", 1)
    path.write_text("\n".join(lines))
    found = import_topology(path)
    assert sorted(problem.line for problem in found.problems) == [*range(2, 18), 21]
    assert found.topology.is_cable.sum() == net.is_cable.sum() - 17
    with pytest.raises(FormatError):
        import_topology(path, strict=True)


def test_a_wrong_header_is_wrong_as_a_whole(tmp_path):
    path = tmp_path / "net.csv"
    path.write_text("a,b,gpbs\nx,y,1\n")
    with pytest.raises(FormatError, match="did you mean 'gbps'"):
        import_topology(path)


def test_bad_edges_of_graphml_and_repetita_are_left_out(tmp_path):
    net = TOPOLOGIES["leaf-spine"](dict(TOPOLOGIES["leaf-spine"].example))
    path = tmp_path / "net.graphml"
    write_topology(net, path)
    text = path.read_text()
    path.write_text(text.replace('source="leaf0"', 'source="leafX"', 1))
    found = import_topology(path)
    assert len(found.topology.links) == len(net.links) - 1
    assert "is not a node" in found.problems[0].message
    graph = tmp_path / "net.graph"
    graph.write_text(
        "NODES 3\nlabel x y\nA 0 0\nB 0 0\nC 0 0\n\nEDGES 3\nlabel src dest weight bw delay\n"
        "e0 0 1 1 1000000 0\ne1 1 7 1 1000000 0\ne2 1 2 1 1000000 0\n"
    )
    found = import_topology(graph)
    assert [problem.line for problem in found.problems] == [10]
    assert len(found.topology.links) == 2


@pytest.mark.parametrize(("name", "words"), [("ibsim", "written only"), ("lldp", "read only")])
def test_a_format_of_one_direction_says_so(tmp_path, name, words):
    net = TOPOLOGIES["leaf-spine"](dict(TOPOLOGIES["leaf-spine"].example))
    path = tmp_path / "x"
    use = (lambda: write_topology(net, path, name)) if words == "read only" else lambda: import_topology(path, name)
    with pytest.raises(FormatError, match=words):
        use()
