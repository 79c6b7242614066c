"""Plain values come back exactly, and bytes that are none are refused."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from fabric.spread.packed import PackedError, pack, unpack


def same(one: object, other: object) -> bool:
    """Equal, arrays with their types; tuples as lists."""
    if isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray)
        return one.dtype == other.dtype and one.shape == other.shape and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, list | tuple):
        return isinstance(other, list) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**70), 0.1 + 0.2, 5e-324, math.inf, -math.inf, "", "Zürich 東\n\0", [], {},
        (1, [2, {"a": ()}]),
        np.arange(5), np.empty((0, 3)), np.array([[1.5, np.nan], [np.inf, -0.0]]), np.array([True, False]),
        np.arange(6, dtype=np.int32).reshape(2, 3).T, {"a": np.arange(3, dtype=np.uint8), "b": [np.ones(2), "x"]},
        np.array(3.5),
    ],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(value: object) -> None:
    assert same(value, unpack(pack(value)))


def test_not_a_number_comes_back() -> None:
    assert math.isnan(unpack(pack(float("nan"))))


@pytest.mark.parametrize("value", [object(), {1: 2}, {"$array": []}, np.array(["a"]), np.array([object()]), b"x"])
def test_what_is_not_plain_is_refused_where_it_is_made(value: object) -> None:
    with pytest.raises(TypeError, match="plain"):
        pack(value)


def test_damaged_bytes_are_refused_or_give_a_plain_value() -> None:
    """Whatever the bytes: never another exception."""
    whole = pack({"a": np.arange(9), "b": [1.5, None, "text"], "c": float("inf")})
    rng = random.Random(7)
    refused = 0
    for _ in range(2000):
        data = bytearray(whole[: rng.randrange(len(whole) + 1)])
        for _ in range(rng.randrange(3)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            unpack(bytes(data))
        except PackedError:
            refused += 1
    assert refused > 1000
