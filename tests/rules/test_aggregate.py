"""Fewest prefixes: the same function of the address, and no smaller table exists."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fabric.rules.aggregate import aggregate

SOME = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def table(rules, span):
    """Action of every offset by longest match."""
    found = np.full(1 << span, -1)
    for offset, bits, action in sorted(rules.tolist(), key=lambda rule: -rule[1]):
        found[offset : offset + (1 << bits)] = action
    return found


def every_prefix(span):
    return [(at << bits, bits) for bits in range(span + 1) for at in range(1 << (span - bits))]


@SOME
@given(st.integers(1, 7), st.data())
def test_longest_match_gives_back_the_function(span, data):
    """Any function of the offset, with up to 70 actions."""
    actions = data.draw(st.lists(st.integers(0, 69), min_size=1 << span, max_size=1 << span))
    rules = aggregate(np.arange(1 << span), np.array(actions), span, 70)
    assert table(rules, span).tolist() == actions
    assert len({(offset, bits) for offset, bits, _ in rules.tolist()}) == len(rules)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_no_smaller_table_exists(actions):
    """Against all tables over the seven prefixes of four addresses."""
    ours = len(aggregate(np.arange(4), np.array(actions), 2, 3))
    prefixes = every_prefix(2)
    for count in range(1, ours):
        for chosen in itertools.combinations(prefixes, count):
            for acts in itertools.product(range(3), repeat=count):
                rules = np.array([(*prefix, act) for prefix, act in zip(chosen, acts, strict=True)])
                assert table(rules, 2).tolist() != actions


def test_a_core_switch_of_four_pods_needs_four_rules():
    """Pods of 16 addresses to ports 0 to 3: one is the default, three are longer."""
    rules = aggregate(np.array([0, 16, 32, 48]), np.array([0, 1, 2, 3]), 6, 4)
    assert len(rules) == 4
