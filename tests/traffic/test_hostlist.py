"""Host ranges, folded and expanded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traffic.hostlist import expand_hosts, folded_hosts

NAMES = st.builds(
    lambda word, number, width, tail: f"{word}{number:0{width}d}{tail}",
    st.sampled_from(["n", "osd", "r1n", "pod3/leaf"]),
    st.integers(0, 40),
    st.integers(1, 3),
    st.sampled_from(["", ".nic0", ".nic1", ".nic10", "x"]),
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(st.one_of(NAMES, st.sampled_from(["login", "a-b"])), unique=True, max_size=40))
def test_what_is_folded_expands_to_the_same_names(names):
    assert sorted(expand_hosts(folded_hosts(names).replace(", ", ","))) == sorted(names)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([f"gpu{i:02d}" for i in range(8)] + [f"osd{i:02d}" for i in range(4)], "gpu[00-07], osd[00-03]"),
        (["n8", "n9", "n10", "n12"], "n[8-10,12]"),
        (["n08", "n09", "n10", "n011"], "n[08-10,011]"),
        ([f"n{i}.nic{j}" for i in (3, 4) for j in range(4)], "n[3-4].nic[0-3]"),
        (["n3.nic0", "n4.nic0", "n4.nic1"], "n3.nic0, n4.nic[0-1]"),
        ([], ""),
    ],
)
def test_names_are_folded_as_engineers_write_them(names, text):
    assert folded_hosts(names) == text
