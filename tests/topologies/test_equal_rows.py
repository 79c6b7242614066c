"""Equal rows of ragged tables: against comparing them one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies import equal_rows
from topologies.equal_rows import first_equal_row

PLENTY = settings(max_examples=200, deadline=None, derandomize=True, database=None)
ENTRIES = st.lists(st.lists(st.tuples(st.integers(-2, 2), st.sampled_from([0.5, 1.0])), max_size=3), max_size=9)


def by_hand(rows):
    return [next(other for other in range(len(rows)) if rows[other] == row) for row in rows]


def table(rows):
    flat = [entry for row in rows for entry in row]
    start = np.cumsum([0, *map(len, rows)])
    return (
        start,
        np.array([one for one, _ in flat], dtype=np.int32),
        np.array([other for _, other in flat], dtype=float),
    )


@PLENTY
@given(ENTRIES)
def test_the_first_row_with_the_same_entries(rows):
    """Empty rows are equal to each other; order within a row counts."""
    assert first_equal_row(*table(rows)).tolist() == by_hand(rows)


@settings(PLENTY, max_examples=50)
@given(ENTRIES)
def test_rows_that_share_a_hash_are_still_told_apart(rows):
    """With a hash that is always the same, every answer comes from the comparison of entries."""
    mixed = equal_rows._mixed
    equal_rows._mixed = np.zeros_like
    try:
        assert first_equal_row(*table(rows)).tolist() == by_hand(rows)
    finally:
        equal_rows._mixed = mixed
