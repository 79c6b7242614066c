"""What a text names: the same link for a failure, an explanation and a screen; every printed name leads back."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.faces.explain.explain import find_target
from fabric.pipeline.network import apply_failures
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.scenario.load import load_scenario
from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from topologies.errors import FabricError, TopologyError
from topologies.named_parts import find_link, find_nodes, hint_for, select
from topologies.topology import Topology
from tui.session import Session

QUICKSTART = "examples/quickstart.fabric.yaml"


@pytest.fixture(scope="module")
def quick() -> RouteResult:
    """Four leaves, two spines, four cables between each, routed."""
    return route(load_scenario(QUICKSTART), RouteRequest())


def failed_links(net: Topology, text: str) -> set[int]:
    """What ``--down`` takes: links whose cable is down, those named and their other directions."""
    gone = apply_failures({"main": net}, [text])["main"]
    return set(np.flatnonzero(net.up & ~gone.up).tolist())


def screen_link(result: RouteResult, text: str) -> int:
    """What the terminal UI takes."""
    return Session.link_id(SimpleNamespace(entry=result.routes[0]), text)  # type: ignore[arg-type]


@pytest.mark.parametrize("prefix", ["", "link=", "fabric=main ", "fabric=main link="])
@pytest.mark.parametrize(
    "text",
    ["leaf1->spine0 #2", "leaf1 -> spine0 #2", "leaf1→spine0#2", "leaf1 → spine0 #2", "leaf1:spine0#2", "leaf1:port{}"],
)
def test_every_spelling_gives_all_three_the_same_link(text: str, prefix: str, quick: RouteResult) -> None:
    """The second of four parallel links, found by hand in the columns."""
    entry = quick.routes[0]
    net = entry.topology
    ends = (net.node("leaf1"), net.node("spine0"))
    link = int(np.flatnonzero((net.links.src == ends[0]) & (net.links.dst == ends[1]))[1])
    port = int((net.links.src[:link] == ends[0]).sum()) + 1
    spelled = prefix + text.format(port)
    assert failed_links(net, spelled) == {link, int(net.links.reverse[link])}
    assert find_target(quick, spelled).link == link
    assert screen_link(quick, spelled) == link


@pytest.mark.parametrize("text", ["leaf1->spine0", "leaf1 -> spine0", "leaf1→spine0", "leaf1:spine0"])
def test_without_an_ordinal_all_parallel_links_are_meant(text: str, quick: RouteResult) -> None:
    """A failure takes all four and their other directions, an explanation the fullest, a screen the first."""
    entry = quick.routes[0]
    net = entry.topology
    links = np.flatnonzero((net.links.src == net.node("leaf1")) & (net.links.dst == net.node("spine0")))
    assert len(links) == 4
    for spelled in (text, f"link={text}"):
        assert find_link(net, spelled).tolist() == links.tolist()
        assert failed_links(net, spelled) == {*links.tolist(), *net.links.reverse[links].tolist()}
        assert find_target(quick, spelled).link == links[np.argmax(entry.utilisation[links])]
        assert screen_link(quick, spelled) == links[0]


@pytest.mark.parametrize(
    "text",
    [
        "leaf1->leaf0", "leaf1->spine0 #5", "leaf1->spine0 #0", "leaf1->spine0 #x", "leaf1:port0", "leaf1:port999",
        "leaf1:portx", "leaf9->spine0", "->", "leaf1->", "fabric=other leaf1->spine0", "link=", "leaf1 spine0",
        "spine0 leaf1->spine0",
    ],
)  # fmt: skip
def test_what_names_no_link_names_none_for_all_three(text: str, quick: RouteResult) -> None:
    """Refused by failures and explanations; a screen has no link."""
    with pytest.raises(FabricError, match="matches nothing"):
        failed_links(quick.routes[0].topology, text)
    with pytest.raises(FabricError, match="is not a link"):
        find_target(quick, text)
    assert screen_link(quick, text) == -1


def rails() -> Topology:
    """Two units of four rails, four spines."""
    return TOPOLOGIES["rail-optimised"](dict(TOPOLOGIES["rail-optimised"].example))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("unit1/leaf2", {"unit1/leaf2"}),
        ("  unit1/leaf2 ", {"unit1/leaf2"}),
        ("unit=1 rail=2", {"unit1/leaf2"}),
        ("rail=2", {"unit0/leaf2", "unit1/leaf2"}),
        ("role=spine", {"spine0", "spine1", "spine2", "spine3"}),
        ("unit=0 role=spine", set()),
        ("role=host", set()),
        ("unit=x", set()),
        ("unit=²", set()),
        ("fabric=main unit=1 rail=0", {"unit1/leaf0"}),
        ("unit=1 fabric=main rail=0", {"unit1/leaf0"}),
        ("fabric=main spine3", {"spine3"}),
        ("fabric=other spine3", set()),
        ("fabric=main spine3 spine2", set()),
        ("fabric=main nonsense", set()),
        ("unit=0 unit=1", set()),
        ("", set()),
        ("  ", set()),
        ("fabric=main", {f"unit{u}/leaf{r}" for u in range(2) for r in range(4)} | {f"spine{i}" for i in range(4)}),
    ],
)
def test_a_selector_chooses_what_has_all_it_says(text: str, names: set[str]) -> None:
    """By hand from the names; a word that is not understood chooses nothing rather than everything."""
    net = rails()
    nodes, links = select(net, "main", text)
    assert {net.nodes.name[node] for node in nodes} == names
    assert links == []


def test_the_port_of_a_link_counts_from_one_in_the_order_of_its_switch() -> None:
    """Every link by its port: the name leads back, and one port further on there is none."""
    net = rails()
    for link in range(len(net.links)):
        source = net.nodes.name[net.links.src[link]]
        assert find_link(net, f"{source}:port{net.src_port[link] + 1}").tolist() == [link]
    assert find_link(net, "spine0:port9").tolist() == []  # 8 leaves, a cable to each


def named(names: list[str], pairs: list[tuple[int, int]]) -> Topology:
    """Switches of these names, and a cable for every pair."""
    net = assemble("named", "example")
    ids = net.switches("switch", names, level=1)
    for one, other in pairs:
        net.cables([ids[one]], [ids[other]], 100.0)
    return net.freeze()


# Names of a few letters with all that stands in the grammar: blanks, separators, ordinals, ports, keys.
PIECES = st.sampled_from(["a", "b", "1", ":", "#", "->", " -> ", "→", " ", "#1", " #2", "port1", "link=", "fabric="])
NAMES = st.lists(PIECES, min_size=1, max_size=4).map("".join).filter(str.strip)


@st.composite
def multigraphs(draw: st.DrawFn) -> Topology:
    """Up to six switches of such names, and cables between any two, some of them parallel."""
    names = draw(st.lists(NAMES, min_size=2, max_size=6, unique=True))
    node = st.integers(0, len(names) - 1)
    pairs = draw(st.lists(st.tuples(node, node).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=10))
    return named(names, pairs)


def link_or_none(net: Topology, text: str) -> int | None:
    """The one link of a text; None where the text is refused."""
    try:
        (link,) = find_link(net, text).tolist()
    except TopologyError as error:
        return None if error.problems[0].code == "FP3104" else -1
    return int(link)


@given(multigraphs())
@settings(max_examples=400, deadline=None)
def test_every_printed_name_leads_back_to_its_link(net: Topology) -> None:
    """But where two links print alike or a node has the name; then the link is not taken for another in silence."""
    printed = Counter(net.link_name(link) for link in range(len(net.links)))
    for link in range(len(net.links)):
        text = net.link_name(link)
        if net.has_node(text) or net.has_node(text.strip()):
            assert len(find_link(net, text)) == 0
            assert len(find_nodes(net, text)) == 1
        elif printed[text] == 1:
            assert find_link(net, text).tolist() == [link]
        else:
            alike = [other for other in range(len(net.links)) if net.link_name(other) == text]
            chosen = link_or_none(net, text)  # a name as it stands wins over an ordinal; else it is refused
            assert chosen is None or (chosen in alike and net.parallel_count[chosen] == 1)


def test_round_trip_of_plain_names_has_no_exception() -> None:
    """A multigraph of plain names: 300 cables on 12 switches, each direction found by its printed name."""
    rng = np.random.default_rng(5)
    pairs = [
        (int(a), int((a + step) % 12))
        for a, step in zip(rng.integers(0, 12, 300), rng.integers(1, 12, 300), strict=True)
    ]
    net = named([f"pod{i // 4}/leaf{i % 4}" for i in range(12)], pairs)
    for link in range(len(net.links)):
        assert find_link(net, net.link_name(link)).tolist() == [link]


def test_a_name_with_a_colon_or_a_hash_wins() -> None:
    """A node "a:b" is the node, not a link from a to b; an end "b#2" is the node, not the second link to b."""
    net = named(["a", "b", "a:b", "b#2"], [(0, 1), (0, 1), (0, 3), (2, 1)])
    assert select(net, "x", "a:b") == ([net.node("a:b")], [])
    assert find_link(net, "a->b").tolist() == [0, 2]
    assert find_link(net, "a->b#2").tolist() == [4]
    assert find_link(net, "a -> b #2").tolist() == [2]
    assert find_link(net, "a:b:b").tolist() == [6]
    assert find_link(net, "a:b -> b").tolist() == [6]


def test_a_text_that_reads_as_two_links_is_refused_with_a_way_out() -> None:
    """a to "b:c" and "a:b" to c; each has a port that tells it apart."""
    net = named(["a", "b:c", "a:b", "c"], [(0, 1), (2, 3)])
    with pytest.raises(TopologyError, match="reads as 2 different links") as caught:
        find_link(net, "a:b:c")
    assert caught.value.problems[0].hint == "name a link by its port, such as 'a:port1'"
    assert find_link(net, "a:port1").tolist() == [0]
    assert find_link(net, "a:b:port1").tolist() == [2]
    assert find_link(net, "a->b:c").tolist() == [0]
    assert find_link(net, "a:b->c").tolist() == [2]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("spinee1", "did you mean 'spine1'?"),
        ("unit1/leaf2->spinee1", "did you mean 'spine1'?"),
        ("unit1/lef2:spine1", "did you mean 'unit1/leaf2'?"),
        ("su1-r2-leaf", "leaf names follow one rule now: su1-r2-leaf is unit1/leaf2"),
        (
            "fabric=main link=su1-r2-leaf:spine01#2",
            "leaf names follow one rule now: su1-r2-leaf is unit1/leaf2; "
            "spine names follow one rule now: spine01 is spine1",
        ),
        ("su1/n3.nic0", "host names follow one rule now: su1/n3.nic0 is unit1/h3.nic0"),
        ("zzz", ""),
    ],
)
def test_the_hint_names_what_was_meant(text: str, hint: str) -> None:
    """Former names of either end, else the nearest name."""
    assert hint_for([rails()], text) == hint


def test_a_former_name_of_a_failure_is_answered_with_the_present_one() -> None:
    """The code and message of before, with the new hint."""
    with pytest.raises(TopologyError, match="matches nothing") as caught:
        apply_failures({"main": rails()}, ["su1-r3-leaf"])
    assert caught.value.problems[0].code == "FP3103"
    assert caught.value.problems[0].hint == "leaf names follow one rule now: su1-r3-leaf is unit1/leaf3"
