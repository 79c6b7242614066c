"""Every format gives back what was written: all columns (json, graphml), or all it can say (csv, repetita)."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.assemble import assemble
from topologies.columns import column
from topologies.errors import FormatError
from topologies.format_registry import (
    FORMATS,
    TopologyFormat,
    find_format,
    read_topology,
    write_topology,
)
from topologies.networkx_adapter import from_networkx, to_networkx

NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=6).filter(str.strip)
PLAIN = st.text("abcdefghij0123456789/.-_", min_size=1, max_size=6)
GBPS = st.floats(0, 1e6)
WEIGHT = st.floats(1e-3, 1e6)
UNKNOWN = st.one_of(st.just(float("nan")), st.floats(0, 1e5))


@st.composite
def topologies(draw, names=NAMES):
    """Up to 8 nodes of 4 roles and 15 cables of any figures; some one-way, some down, some against each other."""
    net = assemble(draw(names), draw(names))
    labels = draw(st.lists(names, min_size=2, max_size=8, unique=True))
    places = st.integers(-1, 5)
    for label in labels:
        net.nodes(
            draw(st.sampled_from(["leaf", "spine", "host", "odd role"])), [label], level=draw(st.integers(0, 3)),
            pod=draw(places), unit=draw(places), rail=draw(places), plane=draw(places), radix=draw(st.integers(0, 64)),
            nics=draw(st.integers(0, 8)), forwards=draw(st.booleans()),
        )  # fmt: skip
    node = st.integers(0, len(labels) - 1)
    for _ in range(draw(st.integers(0, 15))):
        low, high = draw(node), draw(node)
        if low == high:
            continue
        tier = draw(st.sampled_from([None, "a-b", "trunk"]))
        shared = {"tier": tier, "weight": draw(WEIGHT), "length_m": draw(UNKNOWN), "delay_us": draw(UNKNOWN)}
        if draw(st.integers(0, 3)):
            ports = {"lower_ports": draw(st.sampled_from([1.0, 0.5])), "upper_ports": 1.0}
            net.cables([low], [high], draw(GBPS), back_gbps=draw(GBPS), back_weight=draw(WEIGHT), **ports, **shared)
        else:
            net.one_way([low], [high], draw(GBPS), **shared)
    built = net.freeze()
    count = len(built.links)
    return built.with_down(links=draw(st.lists(st.integers(0, count - 1), max_size=3))) if count else built


def through(net, name):
    """Write and read again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.file"
        write_topology(net, path, name)
        assert [file.name for file in path.parent.iterdir()] == ["net.file"]
        return read_topology(path, name)


def assert_same(one, other):
    """Every column and code table is equal, not-a-number to itself."""
    for key in ("name", "kind", "roles", "tiers"):
        assert getattr(one, key) == getattr(other, key), key
    np.testing.assert_array_equal(one.up, other.up)
    for part in ("nodes", "links"):
        for entry in fields(getattr(one, part)):
            ours, theirs = getattr(getattr(one, part), entry.name), getattr(getattr(other, part), entry.name)
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{part}.{entry.name}")
            if entry.name != "name":
                assert ours.dtype == theirs.dtype
                assert not ours.flags.writeable


def cables(net, *, scale=None):
    """The cables as a multiset of ends, figures and state, whatever their order and which end is first."""
    links = net.links
    digits = (lambda value: repr(value)) if scale is None else (lambda value: f"{value:.{scale}g}")

    def side(link):
        return (
            net.nodes.name[links.src[link]], net.nodes.name[links.dst[link]],
            digits(float(links.capacity_gbps[link])), digits(float(links.weight[link])),
        )  # fmt: skip

    rows = Counter()
    for link in np.flatnonzero(net.is_cable).tolist():
        mate = int(links.reverse[link])
        sides = tuple(sorted([side(link)] + ([side(mate)] if mate >= 0 else [])))
        rows[sides, net.tiers[links.tier[link]], repr(float(links.length_m[link])), bool(net.up[link])] += 1
    return rows


@settings(max_examples=150, deadline=None)
@given(topologies())
def test_json_keeps_every_column_exactly(net):
    """Bit for bit, dtypes and code tables included."""
    assert_same(through(net, "json"), net)


@settings(max_examples=60, deadline=None)
@given(topologies())
def test_graphml_keeps_every_column_exactly(net):
    """Attributes are written as their shortest exact text."""
    assert_same(through(net, "graphml"), net)


@settings(max_examples=150, deadline=None)
@given(topologies())
def test_networkx_keeps_every_column_exactly(net):
    """In memory, without a file."""
    assert_same(from_networkx(to_networkx(net), name=net.name, kind=net.kind), net)


def as_roles_say(net):
    """The same topology with what csv cannot say put to what its roles mean; unconnected nodes get a cable."""
    role = np.asarray(net.roles)[net.nodes.role]
    nodes = replace(
        net.nodes,
        forwards=column(role != "host", np.bool_),
        nics=column(np.where(role == "host", 1, 0), np.int32),
        name=tuple(f"{row}{name.strip()}" for row, name in enumerate(net.nodes.name)),
    )
    return replace(net, nodes=nodes)


@settings(max_examples=150, deadline=None)
@given(topologies())
def test_csv_keeps_every_cable(net):
    """Ends, speeds and weights both ways, tier, length, state; roles of all nodes."""
    net = as_roles_say(net)
    touched = set(net.links.src.tolist()) | set(net.links.dst.tolist())
    if len(touched) < len(net.nodes):
        with pytest.raises(FormatError, match="which has no cable"):
            through(net, "csv")
        return
    again = through(net, "csv")
    assert cables(again) == cables(net)
    roles = {name: net.roles[code] for name, code in zip(net.nodes.name, net.nodes.role.tolist(), strict=True)}
    assert roles == {name: again.roles[code] for name, code in zip(again.nodes.name, again.nodes.role, strict=True)}
    assert {again.nodes.name[node] for node in again.endpoint_nodes} == {
        n for n, role in roles.items() if role == "host"
    }


@settings(max_examples=150, deadline=None)
@given(topologies(PLAIN))
def test_repetita_keeps_every_link_that_is_up(net):
    """Directed links with capacity, weight and delay; node order; kbit/s round at the last bit of Gbps."""
    net = replace(net, nodes=replace(net.nodes, forwards=column(np.ones(len(net.nodes)), np.bool_)))
    again = through(net, "repetita")
    live = np.flatnonzero(net.up)
    assert again.nodes.name == net.nodes.name
    for key in ("src", "dst", "weight"):
        np.testing.assert_array_equal(getattr(again.links, key), getattr(net.links, key)[live])
    np.testing.assert_allclose(again.links.capacity_gbps, net.links.capacity_gbps[live], rtol=1e-14)
    np.testing.assert_array_equal(again.links.delay_us, np.nan_to_num(net.links.delay_us[live]))
    assert len(again.endpoint_nodes) == len(net.nodes)


@pytest.fixture
def pair():
    """Two routers and one cable."""
    net = assemble("pair", "test")
    ids = net.nodes("router", ["a", "b"], level=1, nics=1)
    net.cables(ids[:1], ids[1:], 100.0)
    return net.freeze()


@pytest.mark.parametrize(
    ("suffix", "name"),
    [(".json", "json"), (".csv", "csv"), (".graphml", "graphml"), (".graph", "repetita"), (".CSV", "csv")],
)
def test_the_suffix_names_the_format(pair, tmp_path, suffix, name):
    """Reading and writing go by the suffix when no format is named."""
    path = tmp_path / f"net{suffix}"
    write_topology(pair, path)
    assert find_format(path).name == name
    again = read_topology(path)
    assert cables(again) == cables(pair)
    assert again.nodes.nics.tolist() == [1, 1]
    assert again.nodes.forwards.all()


def test_all_formats_are_found_and_have_a_summary():
    """One module each, discovered on first use."""
    assert {"csv", "graphml", "json", "repetita"} <= set(FORMATS)
    assert all(FORMATS.summary(name) for name in FORMATS)
    assert len(FORMATS) == len(list(FORMATS))


def test_an_unknown_format_is_told_with_the_nearest():
    """A typo is answered with what was meant."""
    with pytest.raises(FormatError, match=r"unknown topology format 'repetit'.*did you mean 'repetita'"):
        read_topology("x.graph", "repetit")
    with pytest.raises(FormatError, match="known formats: containerlab, csv, graphml, ibnetdiscover, ibsim"):
        read_topology("x.graph", "zzz")


@pytest.mark.parametrize(("name", "what"), [("net.xyz", "suffix '.xyz'"), ("net", "a file without suffix")])
def test_an_unknown_suffix_lists_the_known_ones(name, what):
    """The way out is to name the format or to use a known suffix."""
    with pytest.raises(FormatError, match=f"{name}: {what} belongs to no topology format.*.graph .repetita."):
        read_topology(name)


def test_a_format_is_declared_once():
    """Two entries with one name are our own mistake."""
    entry = FORMATS["json"]
    taken = pytest.raises(ValueError, match="topology format 'json' is declared twice")
    with taken, FORMATS.with_entry("json", entry, summary="again"):
        pass


def test_a_failed_write_leaves_the_old_file(pair, tmp_path, monkeypatch):
    """The file is written beside its place: a writer that fails half-way harms nothing."""

    def half(topology, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    path = tmp_path / "net.json"
    path.write_text("old")
    monkeypatch.setattr("topologies.format_registry.find_format", lambda *_: TopologyFormat("x", (), None, half))
    with pytest.raises(FormatError, match="cannot write the file: No space left on device"):
        write_topology(pair, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
