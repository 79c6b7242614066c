"""What a fabric comes to is known before it is built, closely enough to refuse what does not fit."""

from __future__ import annotations

import json
import time
import tracemalloc

import hypothesis.strategies as st
import networkx as nx  # noqa: F401 - jellyfish imports it when it is first built, which takes memory and time
import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import ValidationError

from topologies.budget import limited_to, memory_limit
from topologies.builder import TOPOLOGIES
from topologies.errors import FabricError, TopologyError
from topologies.fabric_size import counts_of
from topologies.hosts import HostGroup

MIDDLING = {
    "bcube": {"n": 8, "k": 3, "speed": "100G"},
    "clos": {"radix": 32, "speed": "400G", "endpoints": 8192, "tiers": 3},
    "dcell": {"n": 5, "k": 2, "speed": "100G", "parallel": 4},
    "dragonfly": {"p": 8, "a": 8, "h": 8, "speed": "200G"},
    "dragonfly-plus": {"groups": 17, "leaves": 16, "spines": 16, "p": 16, "global_links": 16, "speed": "200G"},
    "dual-plane": {
        "segments": 8, "hosts_per_segment": 128, "port_speed": "200G", "tor_uplinks": 60, "uplink_speed": "400G",
        "aggs_per_plane": 60, "agg_uplinks": 8, "backup_ports": 8,
    },
    "explicit": {
        "switches": [{"name": "s{index}", "count": 2}], "endpoints": ["h0", "h1"],
        "cables": [
            {"ends": ["h0", "s0"], "speed": "100G"}, {"ends": ["h1", "s1"], "speed": "100G"},
            {"ends": ["s0", "s1"], "speed": "100G", "count": 30_000},
        ],
    },
    "fat-tree": {"radix": 32, "speed": "400G"},
    "hyperx": {"dims": [12, 12, 12], "endpoints_per_switch": 12, "speed": "200G"},
    "jellyfish": {"switches": 1000, "ports": 64, "network_ports": 40, "seed": 1, "speed": "100G"},
    "leaf-spine": {"leaves": 100, "spines": 100, "hosts_per_leaf": 100, "host_speed": "100G", "uplink_speed": "100G"},
    "multi-plane": {"planes": 4, "plane": {"kind": "fat-tree", "radix": 16, "speed": "400G"}},
    "rail-only": {"gpus": 16384, "domain_size": 8, "radix": 64, "speed": "400G"},
    "rail-optimised": {
        "units": 32, "rails": 8, "nodes_per_unit": 64, "speed": "400G", "leaf": {"radix": 128, "up": 64},
        "spine": {"radix": 256, "count": 64},
    },
    "single-switch": {"endpoints": 20_000, "speed": "400G"},
    "slim-fly": {"q": 19, "speed": "100G"},
    "superpod": {"scalable_units": 30, "nodes_per_unit": 32, "gpus_per_node": 8, "radix": 64, "speed": "400G"},
    "torus": {"dims": [20, 20, 20], "endpoints_per_switch": 1, "speed": "200G"},
    "xpander": {"switches": 820, "ports": 64, "network_ports": 40, "seed": 1, "speed": "100G"},
    "zcube": {"dims": [64, 64], "speed": "200G", "parallel": 2, "hosts_per_place": 2},
}  # fmt: skip

OTHER_FORMS = [
    ("bcube", {"n": 3, "k": 2, "speed": "100G", "parallel": 2}),
    ("clos", {"radix": 8, "speed": "100G"}),
    (
        "clos",
        {"switch": {"radix": 8, "speed": "100G"}, "endpoints": 20, "parallel": 1, "oversubscription": {"leaf": 3}},
    ),
    ("zcube", {"dims": [2, 4, 3], "nic_ports": 2, "speed": "100G", "host_speed": "50G"}),
    ("dragonfly", {"p": 2, "a": 3, "h": 2, "speed": "100G"}),
    (
        "dragonfly-plus",
        {"groups": 3, "leaves": 2, "spines": 2, "p": 2, "global_links": 2, "speed": "1G", "parallel": 3},
    ),
    ("fat-tree", {"switch": {"radix": 4, "speed": "100G"}}),
    ("fat-tree", {"radix": 4, "speed": "100G", "cabling": {"edge-aggregation": {"parallel": 3}}}),
    ("hyperx", {"dims": [3, 4], "endpoints_per_switch": 2, "speed": "100G", "parallel": 2}),
    (
        "leaf-spine",
        {"leaf": {"count": 4, "radix": 64, "speed": "100G", "down_ports": 16, "down_breakout": "2x50", "up": 8}}
        | {"spine": {"radix": 64, "speed": "100G"}},
    ),
    (
        "multi-plane",
        {
            "planes": 2,
            "plane": {"kind": "multi-plane", "planes": 3, "plane": {"kind": "fat-tree", "radix": 4, "speed": "1G"}},
        },
    ),
    (
        "rail-optimised",
        {"units": 4, "rails": 4, "nodes_per_unit": 4, "speed": "400G", "tiers": 3, "units_per_pod": 2}
        | {"leaf": {"radix": 8, "up": 4}, "spine": {"radix": 8}, "core": {"radix": 16}},
    ),
    ("single-switch", {"switch": {"radix": 8, "speed": "100G"}}),
    ("slim-fly", {"q": 5, "speed": "100G", "parallel": 2}),
    ("superpod", {"scalable_units": 8, "nodes_per_unit": 4, "gpus_per_node": 4, "radix": 16, "speed": "400G"}),
    ("torus", {"dims": [2, 3, 4], "speed": "100G", "wrap": False, "parallel": 2}),
    ("torus", {"dims": [4, 4, 2], "speed": "100G", "wrap": [True, False, True], "cube": 2}),
]

HUGE = [1, 2, 3, 8, 63, 64, 1000, 3000, 10**5, 10**9, 2**31 - 1, 2**31, 2**61 - 1, 2**62]


def spec_of(kind, keys):
    return TOPOLOGIES[kind].model.model_validate({"kind": kind, **keys})


def test_every_builder_is_measured():
    """A builder that is added is measured too."""
    assert set(MIDDLING) == set(TOPOLOGIES.names())


@pytest.mark.parametrize("kind", sorted(MIDDLING))
def test_the_estimate_is_within_a_factor_of_two_of_the_peak_of_the_build(kind):
    """Measured as Python and numpy allocate it."""
    spec = spec_of(kind, MIDDLING[kind])
    counts = counts_of(TOPOLOGIES[kind], spec)
    tracemalloc.start()
    built = TOPOLOGIES[kind](spec)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(built.links) > 10_000
    assert 0.5 < counts.size_bytes / peak < 2


@pytest.mark.parametrize(("kind", "keys"), [*OTHER_FORMS, *MIDDLING.items()])
def test_counts_are_those_of_what_is_built(kind, keys):
    """All forms of the keys, not only the example's."""
    spec = spec_of(kind, keys)
    named = dict(counts_of(TOPOLOGIES[kind], spec).of)
    built = TOPOLOGIES[kind](spec)
    assert named["switches"] == built.is_switch.sum()
    assert named["cables"] == len(built.links) / 2
    assert named["host ports"] == built.nodes.nics.sum()


def test_listed_hosts_are_counted_instead_of_the_free_places():
    """Four hosts on leaves of a billion ports are four hosts."""
    spec = spec_of("leaf-spine", {**MIDDLING["leaf-spine"], "leaves": 2, "spines": 2, "hosts_per_leaf": 10**9})
    hosts = [HostGroup("g", ("g0", "g1", "g2", "g3"), 1, 100.0)]
    assert dict(counts_of(TOPOLOGIES["leaf-spine"], spec, hosts).of)["host ports"] == 4
    assert len(TOPOLOGIES["leaf-spine"](spec, hosts=hosts).endpoint_nodes) == 4


def test_the_key_that_asks_for_most_is_named():
    """Of three large numbers, the one without which the fabric would be small."""
    keys = {"switches": 3_000_000, "ports": 5_000_000, "network_ports": 4, "speed": "100G"}
    with pytest.raises(TopologyError, match=r"3,000,000 switches, .* host ports and .* cables, about .* of memory"):
        TOPOLOGIES["jellyfish"](keys)
    with pytest.raises(TopologyError) as refused:
        TOPOLOGIES["fat-tree"]({"radix": 4096, "speed": "400G"})
    (problem,) = refused.value.problems
    assert (problem.where, problem.code) == (("radix",), "FP3050")
    assert "--max-memory" in problem.hint


def test_a_number_beyond_ids_is_refused_where_it_builds_nothing():
    """The radix of one switch takes no memory, and is no 32-bit number."""
    keys = {
        "switches": [{"name": "s", "radix": 2**40}],
        "endpoints": ["h"],
        "cables": [{"ends": ["h", "s"], "speed": "1G"}],
    }
    with pytest.raises(TopologyError, match=r"radix is 1,099,511,627,776; no more than 2,147,483,647") as refused:
        TOPOLOGIES["explicit"](keys)
    assert refused.value.problems[0].where == ("switches", 0, "radix")


def test_the_limit_is_the_one_given(monkeypatch):
    """A flag before the variable, the variable before the machine."""
    monkeypatch.setenv("FABRIC_MAX_MEMORY", "3 GB")
    assert str(memory_limit()) == "3 GB (FABRIC_MAX_MEMORY)"
    with limited_to(2e6):
        assert memory_limit().limit_bytes == 2e6
        with pytest.raises(TopologyError, match=r"the limit is 2 MB \(--max-memory\)"):
            TOPOLOGIES["fat-tree"]({"radix": 32, "speed": "400G"})
    monkeypatch.setenv("FABRIC_MAX_MEMORY", "much")
    with pytest.raises(FabricError, match="FABRIC_MAX_MEMORY: 'much' is not a data volume"):
        memory_limit()


def _numbers(value, where=()):
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _numbers(below, (*where, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _numbers(below, (*where, index))
    elif isinstance(value, int) and not isinstance(value, bool):
        yield where


@st.composite
def asked(draw, entry):
    """The example of a builder, or another form of its keys, with some of its numbers replaced."""
    forms = [dict(entry.example), *(keys for kind, keys in OTHER_FORMS if kind == entry.name)]
    keys = json.loads(json.dumps(draw(st.sampled_from(forms))))
    for where in draw(st.lists(st.sampled_from(list(_numbers(keys))), min_size=1, max_size=3, unique=True)):
        place = keys
        for part in where[:-1]:
            place = place[part]
        place[where[-1]] = draw(st.sampled_from(HUGE) | st.integers(1, 2**62))
    return keys


@pytest.mark.parametrize("entry", list(TOPOLOGIES), ids=lambda entry: entry.name)
def test_whatever_is_asked_is_built_within_the_limit_or_refused_at_once(entry):
    """Also by builders that are added later; no number of theirs takes memory or time before it is counted."""

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(asked(entry))
    def check(keys):
        start = time.process_time()
        tracemalloc.start()
        try:
            with limited_to(4e6):
                entry(keys)
        except (FabricError, ValidationError):
            pass
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert time.process_time() - start < 2.5
        assert peak < 20e6

    check()
