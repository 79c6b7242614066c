"""Graphs as the Topology Zoo, yEd, Gephi, NetworkX, topohub and D3 write them: modelled, refused or said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabric.cli.main import run
from topologies.errors import FormatError
from topologies.format_registry import Imported, import_topology
from topologies.reading.asked import Asked, CapacityAttribute
from topologies.reading.xml_input import MAX_DEPTH

CASES = Path(__file__).parent / "graphs"


def graph(tmp_path: Path, *edges: dict[str, object], nodes: object = "abc", **keys: object) -> Path:
    """A node-link file."""
    listed = [{"id": name} for name in nodes] if isinstance(nodes, str) else nodes
    path = tmp_path / "net.json"
    path.write_text(json.dumps({"nodes": listed, "edges": edges, **keys}))
    return path


def capacities(found: Imported) -> list[float]:
    """Of one direction of every cable."""
    return [float(value) for value in found.topology.links.capacity_gbps[found.topology.is_cable]]


AB, BC = {"source": "a", "target": "b"}, {"source": "b", "target": "c"}


def test_the_topology_zoo_has_its_speeds_in_bits_per_second_and_its_names_in_labels():
    """10 and 2.5 Gb/s by LinkSpeedRaw; the third edge, whose label is no speed, takes the speed that is said."""
    found = import_topology(CASES / "zoo.graphml", speed=10.0)
    assert found.topology.nodes.name == ("Oslo", "Bergen", "Oslo~2")
    assert capacities(found) == [10.0, 2.5, 10.0]
    said = " ".join(found.notes)
    assert "the second Oslo is Oslo~2" in said
    assert "speed 10 Gb/s is given to 1 of 3 cables" in said
    with pytest.raises(FormatError, match=r"zoo\.graphml:16: .*the speed of 1 cable, such as Oslo -> Oslo~2"):
        import_topology(CASES / "zoo.graphml")


def test_yed_draws_directions_that_are_not_meant():
    found = import_topology(CASES / "yed.graphml")
    assert found.topology.nodes.name == ("leaf1", "spine1")
    assert found.topology.links.capacity_gbps.tolist() == [400.0, 400.0]
    assert found.topology.links.reverse.tolist() == [1, 0]
    assert any("both are taken of 1 edge" in note for note in found.notes)
    as_written = import_topology(CASES / "yed.graphml", asked=Asked(directions="as-written")).topology
    assert as_written.links.reverse.tolist() == [-1]


def test_node_link_without_capacities_takes_the_speed():
    found = import_topology(CASES / "node-link.json", "node-link", speed=10.0)
    assert found.topology.nodes.name == ("A", "B", "C")
    assert capacities(found) == [10.0, 10.0, 10.0]
    assert any("edge dist" in note for note in found.notes)


@pytest.mark.parametrize(
    ("attributes", "gbps"),
    [
        ({"capacity_gbps": 5}, 5.0),
        ({"bandwidth_mbps": 5000}, 5.0),
        ({"bwGbps": "5"}, 5.0),
        ({"speed (Mbit/s)": 5000}, 5.0),
        ({"capacity": "5G"}, 5.0),
        ({"bw": "5000 Mbps"}, 5.0),
        ({"capacity": 5, "capacity_unit": "Gbps"}, 5.0),
        ({"LinkSpeed": "5", "LinkSpeedUnits": "G"}, 5.0),
        ({"LinkSpeedRaw": 5e9}, 5.0),
        ({"label": "5 Gbps"}, 5.0),
        ({"BANDWIDTH_GBPS": 5}, 5.0),
    ],
)
def test_a_capacity_with_its_unit_is_taken(tmp_path, attributes, gbps):
    """Unit in the name, beside it, in the value, or documented."""
    assert capacities(import_topology(graph(tmp_path, AB | attributes, nodes="ab"), "node-link")) == [gbps]


@pytest.mark.parametrize(
    "key", ["bandwidth", "capacity", "bw", "speed", "Bandwidth", "LinkSpeed", "rate", "throughput", "bw_MBps"]
)
def test_a_capacity_without_a_unit_is_asked_for_by_the_key_that_says_it(tmp_path, key):
    """5000 of something; ``MBps`` may be bits or bytes."""
    path = graph(tmp_path, AB | {key: 5000}, nodes="ab")
    with pytest.raises(FormatError, match="does not tell the speed of 1 cable") as caught:
        import_topology(path, "node-link")
    assert "--capacity NAME:Mbps" in str(caught.value)
    asked = Asked(CapacityAttribute(attribute=key, unit="Mbps"))
    assert capacities(import_topology(path, "node-link", asked=asked)) == [5.0]
    filled = import_topology(path, "node-link", speed=7.0)
    assert capacities(filled) == [7.0]
    assert any(key in note for note in filled.notes)


def test_two_statements_of_one_capacity_that_differ_are_a_choice(tmp_path):
    edge = AB | {"LinkSpeedRaw": 1e9, "LinkSpeed": "10", "LinkSpeedUnits": "G"}
    path = graph(tmp_path, edge, nodes="ab")
    with pytest.raises(FormatError, match=r"edges\[0\]: .* says 1 Gb/s, .* says 10 Gb/s|says 10 Gb/s, .* says 1 Gb/s"):
        import_topology(path, "node-link", strict=True)
    asked = Asked(CapacityAttribute(attribute="LinkSpeed", unit="Gbps"))
    assert capacities(import_topology(path, "node-link", asked=asked)) == [10.0]


def test_an_attribute_that_no_edge_has_is_refused_with_the_nearest(tmp_path):
    asked = Asked(CapacityAttribute(attribute="bandwith", unit="Mbps"))
    with pytest.raises(FormatError, match="did you mean 'bandwidth'"):
        import_topology(graph(tmp_path, AB | {"bandwidth": 1}, nodes="ab"), "node-link", asked=asked)
    with pytest.raises(FormatError, match="the format csv has no capacity to choose"):
        import_topology(tmp_path / "net.csv", asked=asked)


def test_a_directed_graph_without_the_other_direction_is_asked_about(tmp_path):
    """Both ways, as written, or refused; with some pairs the others are links of one way, and said."""
    edges = (AB | {"capacity_gbps": 1}, BC | {"capacity_gbps": 1})
    path = graph(tmp_path, *edges, directed=True)
    with pytest.raises(FormatError, match="no edge of the directed graph has its other direction"):
        import_topology(path, "node-link")
    assert len(import_topology(path, "node-link", asked=Asked(directions="both")).topology.links) == 4
    assert len(import_topology(path, "node-link", asked=Asked(directions="as-written")).topology.links) == 2
    path = graph(tmp_path, *edges, {"source": "b", "target": "a", "capacity_gbps": 2}, directed=True)
    found = import_topology(path, "node-link")
    assert found.topology.links.reverse.tolist() == [2, -1, 0]
    assert any("links of one way: 1 edge" in note for note in found.notes)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"multigraph": False}, "a second edge joins"),
        ({"multigraph": True}, None),
    ],
)
def test_parallel_edges_go_by_what_the_file_says_of_them(tmp_path, keys, words):
    edges = (AB | {"capacity_gbps": 1}, AB | {"capacity_gbps": 1})
    found = import_topology(graph(tmp_path, *edges, nodes="ab", **keys), "node-link")
    assert len(capacities(found)) == (1 if words else 2)
    assert words is None or words in found.problems[0].message
    assert words or any("more than one edge joins 1 pair of nodes" in note for note in found.notes)


def test_edges_by_place_of_networkx_1_and_d3(tmp_path):
    """Ends are places in the list: names are texts, or there are no ids at all."""
    edge = {"source": 0, "target": 1, "capacity_gbps": 1}
    path = graph(tmp_path, edge, nodes=[{"id": "x"}, {"id": "y"}])
    assert import_topology(path, "node-link").topology.nodes.name == ("x", "y")
    path = graph(tmp_path, edge, nodes=[{"name": "p"}, {"name": "q"}])
    assert import_topology(path, "node-link").topology.nodes.name == ("p", "q")
    path = graph(
        tmp_path, {"source": [0, 0], "target": [0, 1], "capacity_gbps": 1}, nodes=[{"id": [0, 0]}, {"id": [0, 1]}]
    )
    assert import_topology(path, "node-link").topology.nodes.name == ("0,0", "0,1")


def test_names_of_several_lines_are_put_on_one(tmp_path):
    nodes = [{"id": 1, "label": "New\nYork"}, {"id": 2, "label": "\x1b[31m"}, {"id": 3, "label": ""}]
    edges = ({"source": 1, "target": 2, "capacity_gbps": 1}, {"source": 2, "target": 3, "capacity_gbps": 1})
    found = import_topology(graph(tmp_path, *edges, nodes=nodes), "node-link")
    assert found.topology.nodes.name == ("New York", "[31m", "3")
    assert any("names are put on one line" in note for note in found.notes)


def test_kinds_of_nodes_are_roles_where_all_are_known(tmp_path):
    """A server has as many NICs as cables and does not forward; where a word is not known, none is a role."""
    edges = (AB | {"capacity_gbps": 1}, BC | {"capacity_gbps": 1})
    nodes = [{"id": "a", "type": "leaf"}, {"id": "b", "type": "Server"}, {"id": "c", "type": "leaf"}]
    net = import_topology(graph(tmp_path, *edges, nodes=nodes), "node-link").topology
    assert net.nodes.forwards.tolist() == [True, False, True]
    assert net.nodes.nics.tolist() == [0, 2, 0]
    nodes[0]["type"] = "Seacable Landing Point"
    found = import_topology(graph(tmp_path, *edges, nodes=nodes), "node-link")
    assert found.topology.roles == ("router",)
    assert any("node type: not roles that are known" in note for note in found.notes)


def test_nodes_that_are_shared_segments_start_no_demand(tmp_path):
    nodes = [{"id": "a", "Internal": 1}, {"id": "b", "hyperedge": 1, "label": ""}, {"id": "c", "Internal": 0}]
    edges = (AB | {"capacity_gbps": 1}, BC | {"capacity_gbps": 1})
    found = import_topology(graph(tmp_path, *edges, nodes=nodes), "node-link")
    assert found.topology.nodes.nics.tolist() == [1, 0, 1]
    assert any("hyperedge" in note for note in found.notes)
    assert any("node Internal" in note for note in found.notes)


def test_weights_of_gephi_are_said_and_may_be_the_capacity(tmp_path):
    edges = (AB | {"weight": 4, "capacity_gbps": 1}, BC | {"weight": 2, "capacity_gbps": 1})
    found = import_topology(graph(tmp_path, *edges), "node-link")
    assert found.topology.links.weight.tolist() == [4, 4, 2, 2]
    assert "edge weight: taken as the routing metric, lower is preferred" in found.notes
    asked = Asked(CapacityAttribute(attribute="weight", unit="Gbps"))
    found = import_topology(graph(tmp_path, *edges), "node-link", asked=asked)
    assert capacities(found) == [4.0, 2.0]
    assert found.topology.links.weight.tolist() == [1, 1, 1, 1]


def test_groups_of_yed_are_drawings(tmp_path):
    text = (CASES / "yed.graphml").read_text()
    group = '<node id="g"><graph edgedefault="directed" id="g:"><node id="g::n"/></graph></node>'
    path = tmp_path / "net.graphml"
    edge = '<edge source="n1" target="g::n"><data key="d8">100</data></edge>'
    path.write_text(text.replace('<edge id="e0"', f'{group}{edge}<edge id="e0"'))
    found = import_topology(path)
    assert found.topology.nodes.name == ("leaf1", "spine1", "g::n")
    assert capacities(found) == [100.0, 400.0]
    path.write_text(path.read_text().replace('target="g::n"', 'target="g"'))
    assert "ends at the group 'g'" in import_topology(path).problems[0].message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<graphml>" + "<a>" * MAX_DEPTH, "nested more than 100 deep"),
        ('<!DOCTYPE g [<!ENTITY a "b">]><graphml/>', "document type or entity"),
        ('<?xml version="1.0" encoding="x-none"?><graphml/>', "not XML"),
        ("<graphml><graph edgedefault='sideways'/></graphml>", "'sideways'"),
    ],
)
def test_xml_of_others_is_guarded(tmp_path, text, words):
    path = tmp_path / "net.graphml"
    path.write_text(text)
    with pytest.raises(FormatError, match=words):
        import_topology(path)


@pytest.mark.parametrize("module", ["topologies", "traffic", "fabric", "tui"])
def test_nothing_parses_xml_around_the_guarded_reader(module):
    root = Path(__file__).parents[2] / module
    around = [
        str(path)
        for path in root.rglob("*.py")
        if any(
            word in path.read_text()
            for word in (
                "xml.parsers",
                "minidom",
                "sax.make_parser",
                "sax.parse",
                "read_graphml",
                "ET.fromstring",
                "ET.parse",
                "XMLParser",
            )
        )
    ]
    assert [path for path in around if not path.endswith("xml_input.py")] == []


def test_convert_says_the_first_cause_and_reads_and_writes_streams(tmp_path, capsys, monkeypatch):
    """Edges that are left out come before the error that follows: a node without a cable is none of csv."""
    path = graph(tmp_path, AB | {"capacity_gbps": 1}, BC | {"capacity_gbps": "fast"})
    out = tmp_path / "net.csv"
    assert run(["convert", str(path), "--from", "node-link", "-o", str(out)]) == 3
    err = capsys.readouterr().err
    assert err.index("edges[1]: capacity_gbps is 'fast'") < err.index("cannot express the node c")
    assert run(["convert", str(CASES / "zoo.graphml"), "--speed", "10G", "--to", "csv", "-o", "-"]) == 0
    assert "Oslo,Oslo~2,10.0" in capsys.readouterr().out
    with (CASES / "node-link.json").open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        assert run(["convert", "-", "--from", "node-link", "--speed", "10G", "--to", "csv"]) == 0
    assert "A,B,10.0" in capsys.readouterr().out
    assert run(["convert", str(path), "--from", "node-link", "--capacity", "bw", "--to", "csv"]) == 2
    assert "write NAME:UNIT" in capsys.readouterr().err


def test_validate_takes_what_convert_takes(tmp_path, capsys):
    folder = tmp_path / "lldp"
    folder.mkdir()
    (folder / "leaf1.json").write_text('{"lldp": []}')
    assert run(["validate", str(folder)]) == 0
    assert run(["validate", str(CASES / "zoo.graphml")]) == 3
    assert run(["validate", str(CASES / "zoo.graphml"), "--speed", "10G"]) == 0
    assert run(["validate", str(CASES / "node-link.json"), "--from", "node-link", "--speed", "1G"]) == 0
    assert "nodes are called by their labels" in capsys.readouterr().err
    assert run(["validate", str(CASES / "node-link.json")]) == 3
    assert "--from node-link" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["convert", "node-link-source-list.json", "--from", "node-link", "--to", "json"], 6, "edges[0]"),
        (["validate", "json-src-ports-null.json"], 3, "links.src_ports[15] is None, not a finite number"),
        (["validate", "netbox-draw.yaml"], 3, "power-ports: a list [...] is expected, not 1"),
        (["convert", "netbox-draw.yaml", "--to", "json"], 3, "a catalogue is no topology"),
    ],
)
def test_wrong_shapes_are_refused_with_their_place(words, code, said, monkeypatch, capsys):
    monkeypatch.chdir(CASES)
    assert run(words) == code
    assert said in capsys.readouterr().err


def test_a_scenario_names_the_attribute_and_its_unit(tmp_path, capsys):
    """4 and 2 Gb/s of ``bw`` in Mbit/s; the notes are among the assumptions."""
    graph(tmp_path, AB | {"bw": 4000}, BC | {"bw": 2000})
    path = tmp_path / "s.yaml"
    path.write_text(
        "version: 1\nname: f\nfabrics:\n  main:\n    topology: {kind: file, format: node-link, path: net.json, "
        "capacity: {attribute: bw, unit: Mbps}}\nworkloads:\n- {id: w, kind: all-to-all, fabric: main, size: 1 GiB}\n"
    )
    assert run(["route", str(path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert "capacities are from bw of 2 edges" in json.dumps(record["assumptions"])


def test_a_chassis_whose_ports_are_in_modules_is_refused(tmp_path, capsys):
    text = "manufacturer: A\nmodel: M1\nslug: a-m1\ninterfaces: [{name: m, type: 1000base-t, mgmt_only: true}]\n"
    path = tmp_path / "chassis.yaml"
    path.write_text(text + "module-bays: [{name: Line card 1, position: '1'}]\n")
    assert run(["validate", str(path)]) == 3
    assert "its ports are in module-bays" in capsys.readouterr().err
