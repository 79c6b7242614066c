"""Wrong files in, exact messages out: file, line, value, rule and a way out, all problems of a file at once."""

from __future__ import annotations

import json
import textwrap

import networkx as nx
import numpy as np
import pytest

from topologies.assemble import assemble
from topologies.errors import FormatError
from topologies.format_registry import read_topology, write_topology

GRAPH = """\
NODES 2
label x y
a 0 0
b 1 1

EDGES 2
label src dest weight bw delay
e0 0 1 1 1000000 10
e1 1 0 2 2000000 20
"""

GRAPHML = """\
<?xml version="1.0"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="c" for="edge" attr.name="capacity_gbps" attr.type="double"/>
  <key id="n" for="node" attr.name="nics" attr.type="int"/>
  <graph edgedefault="undirected">
    <node id="a"><data key="n">2</data></node>
    <node id="b"/>
    <edge source="a" target="b"><data key="c">400</data></edge>
  </graph>
</graphml>
"""


def problems(tmp_path, name, text):
    """Read a file with this content; what is found, as text with the folder cut off."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FormatError, match=name) as raised:
        read_topology(path)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in raised.value.problems]


# ---- any file -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["net.json", "net.csv", "net.graph", "net.graphml"])
def test_a_file_that_is_not_there_is_told(name, tmp_path):
    """No traceback, the reason of the system."""
    with pytest.raises(FormatError, match=f"{name}: cannot read the file: No such file or directory") as raised:
        read_topology(tmp_path / name)
    assert raised.value.problems[0].code == "FP6001"


@pytest.mark.parametrize("name", ["net.json", "net.csv", "net.graph"])
def test_a_file_that_is_not_utf8_is_told_with_its_line(name, tmp_path):
    """A latin-1 umlaut in line 2."""
    assert problems(tmp_path, name, b"ok\nZ\xfcrich\n") == [
        f"{name}:2: byte 0xfc is not UTF-8 text (help: save the file as UTF-8)"
    ]


# ---- repetita -----------------------------------------------------------------------------------------------------


def test_a_good_graph_file_pairs_directions_that_differ(tmp_path):
    """1 Gb/s one way and 2 Gb/s back are one cable; blank lines, CRLF and a byte order mark do no harm."""
    path = tmp_path / "net.graph"
    path.write_bytes(b"\xef\xbb\xbf" + GRAPH.replace("\n", "\r\n").encode() + b"\n\n")
    net = read_topology(path)
    assert net.name == "net"
    assert net.kind == "file"
    assert net.nodes.name == ("a", "b")
    assert net.links.capacity_gbps.tolist() == [1.0, 2.0]
    assert net.links.weight.tolist() == [1.0, 2.0]
    assert net.links.delay_us.tolist() == [10.0, 20.0]
    assert net.links.reverse.tolist() == [1, 0]
    assert net.nodes.nics.tolist() == [1, 1]
    assert net.roles == ("router",)


def test_parallel_edges_pair_in_order_and_the_rest_is_one_way(tmp_path):
    """Two edges 0 -> 1, one edge 1 -> 0: the first pairs, the second does not."""
    path = tmp_path / "net.graph"
    path.write_text(GRAPH.replace("EDGES 2", "EDGES 3") + "e2 0 1 5 3000000 0\n")
    assert read_topology(path).links.reverse.tolist() == [1, 0, -1]


def test_labels_that_are_alike_get_a_number(tmp_path):
    """The second a is a~2; numbers of edges do not change."""
    path = tmp_path / "net.graph"
    path.write_text(GRAPH.replace("b 1 1", "a 1 1"))
    assert read_topology(path).nodes.name == ("a", "a~2")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("NODES 2", "NODES 3", "1:7: NODES says 3 rows, 2 follow (help: correct the count, or find the lost row)"),
        ("EDGES 2", "EDGES 1", "6:7: EDGES says 1 rows, 2 follow (help: correct the count, or find the lost row)"),
        ("NODES 2", "NODES two", "1:7: NODES says 'two', not how many rows follow"),
        ("NODES 2", "NODES", "1: NODES says nothing, not how many rows follow"),
        (
            "NODES 2",
            "VERTICES 2",
            "1:1: expected 'NODES n', found 'VERTICES' "
            "(help: the sections are 'NODES n' and 'EDGES m'; NODES is missing here)",
        ),
        (
            "label x y",
            "label lon lat",
            "2: expected the header 'label x y' after NODES, found 'label lon lat'",
        ),
        ("b 1 1", "b 1", "4:1: 2 fields, a row has 3: label x y (help: write 0 for what is not known)"),
        (
            "b 1 1",
            "New York 1 1",
            "4:1: 4 fields, a row has 3: label x y (help: labels hold no spaces: write New_York)",
        ),
        ("b 1 1", "b east 1", "4:3: x is 'east'; it is a coordinate (help: write 0 when it is not known)"),
        (
            "e0 0 1 1",
            "e0 0 2 1",
            "8:6: dest is '2'; it is the number of a node, from 0 to 1 "
            "(help: nodes are counted in the order of the NODES section, from 0)",
        ),
        (
            "e0 0 1 1",
            "e0 a 1 1",
            "8:4: src is 'a'; it is the number of a node, from 0 to 1 "
            "(help: nodes are counted in the order of the NODES section, from 0)",
        ),
        ("e0 0 1 1", "e0 0 0 1", "8:4: edge e0 joins node 0 to itself (help: remove the edge)"),
        ("e0 0 1 1 ", "e0 0 1 0 ", "8:8: weight is 0; it is a number above 0 (help: write 1 for equal weights)"),
        ("e0 0 1 1 ", "e0 0 1 -1 ", "8:8: weight is '-1'; it is a number above 0 (help: write 1 for equal weights)"),
        ("1000000", "1G", "8:10: bw is '1G'; it is a number in kbit/s (help: 10 Gb/s is 10000000)"),
        ("1000000", "nan", "8:10: bw is 'nan'; it is a number in kbit/s (help: 10 Gb/s is 10000000)"),
        (
            "1000000 10",
            "1000000 -1",
            "8:18: delay is '-1'; it is a number of microseconds (help: write 0 when it is not known)",
        ),
        (
            "e1 1 0 2 2000000 20",
            "e1 1 0 2 2000000",
            "9:1: 5 fields, a row has 6: label src dest weight bw delay (help: write 0 for what is not known)",
        ),
        ("20\n", "20\n\nNODES 1\n", "11:1: 'NODES' after the edges; the file ends there"),
    ],
)
def test_a_wrong_graph_file_says_where(tmp_path, old, new, expected):
    """One change to a good file, one message."""
    assert problems(tmp_path, "net.graph", GRAPH.replace(old, new, 1)) == [f"net.graph:{expected}"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "net.graph: expected 'NODES n', found the end of the file"),
        ("NODES 1\nlabel x y\na 0 0\n", "net.graph: expected 'EDGES n', found the end of the file"),
        ("NODES 1\n", "net.graph:2: expected the header 'label x y' after NODES, found the end of the file"),
        ("NODES 0\nlabel x y\n\nEDGES 0\nlabel src dest weight bw delay\n", "net.graph:1: the file has no nodes"),
    ],
)
def test_a_short_graph_file_says_what_is_missing(tmp_path, text, expected):
    """Empty files and files cut off."""
    (found,) = problems(tmp_path, "net.graph", text)
    assert found.startswith(expected)


def test_all_problems_of_a_graph_file_come_at_once_up_to_twenty(tmp_path):
    """Two wrong edges give two messages in order of lines; thirty give twenty and a note."""
    found = problems(tmp_path, "net.graph", GRAPH.replace("1000000", "x", 1).replace("2000000", "y"))
    assert [line.split(";")[0] for line in found] == ["net.graph:8:10: bw is 'x'", "net.graph:9:10: bw is 'y'"]
    path = tmp_path / "many.graph"
    path.write_text(GRAPH.replace("EDGES 2", "EDGES 32") + "e 0 1 1 x 0\n" * 30)
    with pytest.raises(FormatError, match="bw is 'x'") as raised:
        read_topology(path)
    assert len(raised.value.problems) == 20
    assert raised.value.problems[-1].notes == ("stopped reading after 20 problems",)


def test_repetita_refuses_what_would_change_the_routing(tmp_path):
    """A dual-homed host would become a router that carries traffic of others."""
    net = assemble("dual", "test")
    leaf = net.switches("leaf", ["l0", "l1"], level=1)
    net.cables(net.hosts(["h"], nics=2)[[0, 0]], leaf, 100.0)
    with pytest.raises(FormatError, match="repetita cannot express that h, which is attached to several switches"):
        write_topology(net.freeze(), tmp_path / "net.graph")
    assert not list(tmp_path.iterdir())


# ---- csv ----------------------------------------------------------------------------------------------------------


def test_a_bare_cable_list_is_a_network_of_routers(tmp_path):
    """a,b,gbps only: every node is a router where demand may start."""
    path = tmp_path / "net.csv"
    path.write_text("a,b,gbps\nx,y,100\ny,z,40\n")
    net = read_topology(path)
    assert net.nodes.name == ("x", "y", "z")
    assert net.roles == ("router",)
    assert net.nodes.nics.tolist() == [1, 1, 1]
    assert net.nodes.forwards.all()
    assert net.links.capacity_gbps.tolist() == [100, 100, 40, 40]
    assert net.links.reverse.tolist() == [1, 0, 3, 2]
    assert net.tiers == ("router-router",)


def test_roles_make_endpoints_switches_and_tiers(tmp_path):
    """The host has two cables, so two NIC ports; the spine row is turned so that the leaf comes first."""
    path = tmp_path / "net.csv"
    path.write_text(
        textwrap.dedent("""\
        a,b,gbps,back_gbps,weight,a_role,b_role,length_m,direction,tier,up
        h,l0,100,,,host,leaf,3,,,
        h,l1,100,,,,leaf,,both,,false

        s,l0,400,200,2,spine,,,,,true
        l1,s,800,,,,,,one-way,ring,
        """)
    )
    net = read_topology(path)
    rows = {net.link_name(link): link for link in range(len(net.links))}
    assert list(rows) == ["h -> l0", "l0 -> h", "h -> l1", "l1 -> h", "l0 -> s", "s -> l0", "l1 -> s"]
    assert net.links.capacity_gbps.tolist() == [100, 100, 100, 100, 200, 400, 800]
    assert net.links.weight.tolist() == [1, 1, 1, 1, 2, 2, 1]
    assert net.links.reverse.tolist() == [1, 0, 3, 2, 5, 4, -1]
    assert net.up.tolist() == [True, True, False, False, True, True, True]
    assert [net.tiers[code] for code in net.links.tier] == ["host-leaf"] * 4 + ["leaf-spine"] * 2 + ["ring"]
    assert dict(zip(net.nodes.name, net.nodes.level.tolist(), strict=True)) == {"h": 0, "l0": 1, "l1": 1, "s": 2}
    assert dict(zip(net.nodes.name, net.nodes.nics.tolist(), strict=True)) == {"h": 2, "l0": 0, "l1": 0, "s": 0}
    assert net.links.length_m[0] == 3
    assert np.isnan(net.links.length_m[2:]).all()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\nx,y\n", ["1: no column 'gbps' (help: the first line names the columns, such as a,b,gbps)"]),
        ("a,b,gpbs\nx,y,1\n", ["1: unknown column 'gpbs' (help: did you mean 'gbps'?)", "1: no column 'gbps' "]),
        ("a;b;gbps\n", ["1: unknown column 'a;b;gbps' (help: separate the columns with commas)", "1: no column 'a', "]),
        ("a,b,gbps,a\nx,y,1,z\n", ["1: the column 'a' appears twice"]),
        ("", ["1: no column 'a', 'b', 'gbps' "]),
        ("a,b,gbps\n", ["1: no cables after the header"]),
        (
            "a,b,gbps\nx,y\n\nx,y,1,2\n",
            ["2: 2 cells, the header has 3 (help: leave a cell empty rather than out; quote a name that has a comma)",
             "4: 4 cells, the header has 3 "],
        ),
        ("a,b,gbps\nx,y,400G\n", ["2:5: gbps is '400G', not a number from 0 up in the column gbps "
                                  "(help: write 400: the column's name has the unit)"]),
        ("a,b,gbps\nx,y,\n", ["2:5: gbps is '', not a number"]),
        ("a,b,gbps\nx,y,nan\nx,y,-1\n", ["2:5: gbps is 'nan', not a number", "3:5: gbps is '-1', not a number"]),
        ("a,b,gbps,weight\nx,y,1,0\n", ["2:7: weight is '0', not a number above 0 in the column weight"]),
        ("a,b,gbps,length_m\nx,y,1,far\n", ["2:7: length_m is 'far', not a number from 0 up in the column length_m"]),
        ("a,b,gbps\nx,,1\n,y,1\n", ["2:3: the cell of column b is empty (help: name the node)",
                                    "3:1: the cell of column a "]),
        ("a,b,gbps\nx,x,1\n", ["2:1: x is cabled to itself (help: a cable has two different ends)"]),
        ("a,b,gbps,direction\nx,y,1,up\n", ["2:7: direction is 'up', not both or one-way "
                                           "(help: leave it empty for both)"]),
        ("a,b,gbps,up\nx,y,1,no\n", ["2:7: up is 'no', not true or false (help: leave it empty for true)"]),
        ("a,b,gbps,back_gbps,direction\nx,y,1,2,one-way\n", ["2:7: back_gbps is given for a one-way link "]),
        ("a,b,gbps,a_role\nx,y,1,leaf\n", ["2:3: y has no role, others have (help: fill b_role in one row of the node, "
                                           "or leave the roles of all nodes out)"]),
        (
            "a,b,gbps,a_role,b_role\nx,y,1,leaf,spine\nx,y,1,tor,\n",
            ["3:7: x has the role 'tor' here and 'leaf' in another row (help: a node has one role)"],
        ),
        ('a,b,gbps\n"x,y,1\n', ["2: not CSV: unexpected end of data"]),
        ('a,b,gbps\n"x\ny",z,1\nx,y,fast\n', ["4:5: gbps is 'fast'"]),
        ('a,b,gbps\n"x","y",fast\n', ["2: gbps is 'fast'"]),
    ],
)  # fmt: skip
def test_a_wrong_cable_list_says_where(tmp_path, text, expected):
    """Line of the file and column of the line; without the column where quotes make it doubtful."""
    found = problems(tmp_path, "net.csv", text)
    assert len(found) == len(expected)
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"net.csv:{start}")


def test_csv_says_what_it_cannot_express(tmp_path):
    """A storage server that ends traffic under a role that csv takes for a switch."""
    net = assemble("storage", "test")
    leaf = net.switches("leaf", ["leaf"], level=1)
    net.cables(net.hosts(["osd0"], role="storage"), leaf, 100.0)
    with pytest.raises(
        FormatError, match="csv cannot express that osd0 of role 'storage' does not forward and ends traffic"
    ):
        write_topology(net.freeze(), tmp_path / "net.csv")


def test_csv_refuses_a_cable_down_in_one_direction(tmp_path):
    """One cell cannot say two things."""
    net = assemble("half", "test")
    ids = net.nodes("router", ["a", "b"], level=1, nics=1)
    net.cables(ids[:1], ids[1:], 100.0)
    built = net.freeze()
    object.__setattr__(built, "up", np.array([True, False]))
    with pytest.raises(FormatError, match="down in one direction only"):
        write_topology(built, tmp_path / "net.csv")


# ---- json ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def document(tmp_path):
    """A written file of two routers and a cable, as the parsed object."""
    net = assemble("pair", "test")
    ids = net.nodes("router", ["a", "b"], level=1, nics=1)
    net.cables(ids[:1], ids[1:], 100.0)
    write_topology(net.freeze(), tmp_path / "good.json")
    return json.loads((tmp_path / "good.json").read_text())


def change(document, path, value):
    """The text with one value replaced, one column a line as we write it; ``...`` removes the key."""
    *parents, last = path
    place = document
    for key in parents:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return json.dumps(document, indent=1)


def test_unknown_numbers_are_null(document):
    """Not-a-number has no word in JSON."""
    assert document["schema"] == "fabric-planner/topology/v1"
    assert document["links"]["length_m"] == [None, None]
    assert document["up"] == [True, True]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            ["schema"],
            "fabric-planner/topology/v9",
            "the schema is 'fabric-planner/topology/v9', not 'fabric-planner/topology/v1'",
        ),
        (["schema"], ..., "the file does not name a schema"),
        (["kind"], ..., "the key kind is missing"),
        (["name"], 7, "name is 7, not a string"),
        (["role"], [], "unknown key role (help: did you mean 'roles'?)"),
        (["nodes"], [], "nodes is [], not an object of columns"),
        (["nodes", "level"], ..., "the key nodes.level is missing"),
        (["links", "wieght"], [], "unknown key links.wieght (help: did you mean 'weight'?)"),
        (["links", "weight"], 1, "links.weight is 1, not a list"),
        (["links", "weight"], [1], "links.weight has 1 values, the first column of its section has 2"),
        (["links", "weight"], [1, "x"], "links.weight[1] is 'x', not a finite number or null (help: counting from 0)"),
        (["links", "capacity_gbps"], [True, 1], "links.capacity_gbps[0] is True, not a finite number or null"),
        (["links", "capacity_gbps"], [10**400, 1], "links.capacity_gbps[0] is 1000"),
        (["links", "src"], [0, 1.0], "links.src[1] is 1.0, not a whole number"),
        (["nodes", "nics"], [2**31, 1], "nodes.nics[0] is 2147483648, not a whole number"),
        (["nodes", "forwards"], [1, 0], "nodes.forwards[0] is 1, not true or false (and 1 more)"),
        (["up"], [True], "up has 1 values"),
        (["nodes", "name"], ["a", "a"], "two nodes are called 'a' (help: names must be unique)"),
        (["nodes", "role"], [0, 1], "nodes.role[1] is 1, but there are 1 roles (help: ids count from 0)"),
        (["links", "tier"], [0, -1], "links.tier[1] is -1, but there are 1 tiers"),
        (["links", "dst"], [1, 2], "links.dst[1] is 2, but there are 2 nodes"),
        (["links", "reverse"], [1, 2], "links.reverse[1] is 2, but there are 2 links"),
        (["links", "reverse"], [0, 1], "links.reverse[0] is 0, but link 0 is not the other direction of link 0"),
    ],
)
def test_a_wrong_json_file_says_what_and_where(tmp_path, document, path, value, expected):
    """The first wrong value of a column, and the line of the column."""
    text = change(document, path, value)
    found = problems(tmp_path, "net.json", text)
    assert expected in found[0]
    section = [row for row, line in enumerate(text.split("\n"), start=1) if f'"{path[-1]}":' in line]
    if value is not ... and path not in (["name"],):
        assert int(found[0].split(":")[1]) in section


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: not JSON: Expecting value"),
        ('{\n "schema": oops}', "2:12: not JSON: Expecting value"),
        ('{"a": 1,\n "weight": NaN}', "2: NaN is not JSON (help: write null for an unknown number)"),
        ('{"a": 1, "a": 2}', " the key 'a' appears twice"),
        ("[]", "1: the file does not name a schema"),
        ("[" * 100_000, "1: nested more than 100 deep"),
        (f'{{"a": {"9" * 5000}}}', "1: not JSON: Exceeds the limit (4300 digits)"),
    ],
)
def test_what_is_not_json_is_told_with_line_and_column(tmp_path, text, expected):
    """Syntax comes before columns."""
    (found,) = problems(tmp_path, "net.json", text)
    assert found.startswith(f"net.json:{expected}")


def test_json_refuses_to_write_an_infinite_capacity(tmp_path):
    """JSON has no infinity, and null would read as not known."""
    net = assemble("infinite", "test")
    ids = net.nodes("router", ["a", "b"], level=1, nics=1)
    net.cables(ids[:1], ids[1:], np.inf)
    with pytest.raises(FormatError, match="json cannot express an infinite capacity_gbps"):
        write_topology(net.freeze(), tmp_path / "net.json")


# ---- graphml ------------------------------------------------------------------------------------------------------


def test_a_foreign_graphml_file_needs_capacities_only(tmp_path):
    """Undirected, with one attribute on a node; a default of the key fills the rest."""
    path = tmp_path / "net.graphml"
    path.write_text(GRAPHML.replace('attr.type="int"/>', 'attr.type="int"><default>4</default></key>'))
    net = read_topology(path)
    assert net.name == "net"
    assert net.nodes.nics.tolist() == [2, 4]
    assert net.links.capacity_gbps.tolist() == [400, 400]


def test_a_default_capacity_holds_for_all_edges(tmp_path):
    """The key has a default, the edge has no data."""
    text = GRAPHML.replace('attr.type="double"/>', 'attr.type="double"><default>100</default></key>')
    path = tmp_path / "net.graphml"
    path.write_text(text.replace('<data key="c">400</data>', ""))
    assert read_topology(path).links.capacity_gbps.tolist() == [100, 100]


def test_what_networkx_writes_by_itself_is_read(tmp_path):
    """A directed multigraph of someone else's script."""
    graph = nx.MultiDiGraph()
    graph.add_edge("a", "b", capacity_gbps=10.0)
    graph.add_edge("a", "b", capacity_gbps=20.0)
    graph.add_edge("b", "a", capacity_gbps=30.0)
    nx.write_graphml_xml(graph, tmp_path / "net.graphml")
    net = read_topology(tmp_path / "net.graphml")
    assert net.links.capacity_gbps.tolist() == [10, 20, 30]
    assert net.links.reverse.tolist() == [2, -1, 0]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            '<data key="c">400</data>',
            "",
            "8: the file does not tell the speed of 1 cable, such as a -> b (help: say it: speed: 400G beside path",
        ),
        (">400<", ">fast<", "8:33: capacity_gbps is 'fast', not a number"),
        (">2<", ">two<", "6:18: nics is 'two', not a whole number"),
        ('key="c">', 'key="z">', "8:33: data of the key 'z', which is not declared (help: declare it"),
        ('target="b"', 'target="q"', "8:5: the target of an edge is 'q', which is not a node (help: declare the node"),
        ('target="b"', 'target="a"', "8:5: a is cabled to itself (help: remove the edge)"),
        ('<node id="b"/>', '<node id="a"/>', "7:5: two nodes have the id 'a'"),
        ('<node id="b"/>', "<node/>", "7:5: a node has no id"),
        ('attr.type="int"', 'attr.type="bytes"', "4:3: attr.type is 'bytes' (help: known types:"),
        (
            "<edge source",
            '<edge directed="true" source',
            "8: no edge of the directed graph has its other direction, such as b -> a (help: directions: both",
        ),
        ("  </graph>", "  </graph><graph/>", "9:11: a second graph (help: one file holds one graph)"),
        ("</graph>", "</grph>", "9:5: not XML: mismatched tag"),
        (
            "  </graph>",
            "  <hyperedge/></graph>",
            "9: <hyperedge>: a hyperedge joins more than two nodes; use a node for a shared segment",
        ),
    ],
)
def test_a_wrong_graphml_file_says_where(tmp_path, old, new, expected):
    """One change to a good file; the first message has line and column."""
    found = problems(tmp_path, "net.graphml", GRAPHML.replace(old, new, 1))
    assert found[0].startswith(f"net.graphml:{expected}")


def test_two_edges_of_one_id_are_refused(tmp_path):
    """NetworkX would silently keep the second of two parallel edges."""
    edge = '<edge id="e" source="a" target="b"><data key="c">400</data></edge>'
    found = problems(tmp_path, "net.graphml", GRAPHML.replace("  </graph>", edge + "\n" + edge + "</graph>"))
    assert found[0].startswith("net.graphml:10:1: two parallel edges have the id 'e'")


def test_a_file_without_a_graph_is_refused(tmp_path):
    """Other XML is not a network."""
    assert problems(tmp_path, "net.graphml", "<svg/>")[0].startswith("net.graphml:1:1: the file has no graph element")


BOMB = """\
<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
]>
<graphml>&lol2;</graphml>
"""


@pytest.mark.parametrize(
    "text",
    [
        BOMB.encode(),
        BOMB.replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"),
        b'<?xml version="1.0"?>\n<!DOCTYPE graphml SYSTEM "file:///etc/passwd">\n<graphml/>',
        b'<?xml version="1.0"?>\n<!DOCTYPE graphml [<!ENTITY x SYSTEM "http://example.com/x">]>\n<graphml>&x;</graphml>',
    ],
    ids=["bomb", "utf-16 bomb", "external document type", "external entity"],
)
def test_a_document_type_is_refused_before_anything_is_expanded(tmp_path, monkeypatch, text):
    """Entities can hide gigabytes or other files; NetworkX never sees such a file."""
    monkeypatch.setattr(nx, "read_graphml", lambda *_, **__: pytest.fail("the file was parsed"))
    (found,) = problems(tmp_path, "net.graphml", text)
    assert found.startswith("net.graphml:2:")
    assert "a document type or entity declaration is refused (help: remove the DOCTYPE" in found


def test_graphml_refuses_names_that_xml_cannot_hold(tmp_path):
    """A control character would make a file that nobody can read."""
    net = assemble("bell", "test")
    net.nodes("router", ["a\x07"], level=1, nics=1)
    with pytest.raises(FormatError, match="graphml cannot express the name"):
        write_topology(net.freeze(), tmp_path / "net.graphml")
