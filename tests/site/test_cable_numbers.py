"""Numbers of cages and kinds of links against sorting whole rows."""

from __future__ import annotations

import numpy as np

from fabric.cables.devices import label_codes
from fabric.cables.media import _kinds
from fabric.cables.ports import _numbered


def test_cages_are_numbered_by_holder_and_box():
    """As ``np.unique`` over pairs numbers them; holders and boxes with gaps between."""
    rng = np.random.default_rng(3)
    holder, box = rng.integers(0, 40, 500) * 3, rng.integers(0, 9, 500) * 2
    _, expected = np.unique(holder << 32 | box, return_inverse=True)
    np.testing.assert_array_equal(_numbered(holder, box), expected)
    assert len(_numbered(holder[:0], box[:0])) == 0


def test_kinds_are_the_different_rows_in_order():
    """As ``np.unique`` over rows has them, with a column of one value, and of no rows."""
    rng = np.random.default_rng(5)
    columns = [
        rng.choice([100.0, 400.0, 200.0], 300),
        np.ones(300, np.int32),
        rng.integers(0, 4, 300),
        rng.random(300) < 0.3,
    ]
    kinds, kind = _kinds(columns)
    expected, place = np.unique(np.column_stack(columns).astype(np.float64), axis=0, return_inverse=True)
    np.testing.assert_array_equal(kinds, expected)
    np.testing.assert_array_equal(kind, place.ravel())
    assert [len(part) for part in _kinds([column[:0] for column in columns])] == [0, 0]


def test_codes_tell_rows_apart():
    """Numbers below 0 too."""
    columns = [np.array([-1, 0, -1, 5]), np.array([0, 3, 0, 3]), np.array([False, True, False, False])]
    code = label_codes(columns).tolist()
    assert code[0] == code[2]
    assert len(set(code)) == 3
