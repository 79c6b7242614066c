"""Rank numbering and communicator groups."""

from __future__ import annotations

from itertools import permutations
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topologies.errors import TrafficError
from traffic.parallelism import DIMENSIONS, Parallelism


def test_groups_follow_megatrons_documented_example():
    """16 GPUs, tp 2, pp 4, from the docstring of ``initialize_model_parallel``."""
    grid = Parallelism(tp=2, pp=4).resolve(16)
    assert grid.sizes["dp"] == 2
    assert grid.groups("tp").tolist() == [[2 * i, 2 * i + 1] for i in range(8)]
    assert grid.groups("pp").tolist() == [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]]
    assert grid.groups("dp").tolist() == [[0, 2], [1, 3], [4, 6], [5, 7], [8, 10], [9, 11], [12, 14], [13, 15]]


def test_data_and_context_ranks_form_one_group():
    """tp 2, cp 2, dp 2: ranks 0, 2 are a context group, 4, 6 the next data rank's."""
    grid = Parallelism(tp=2, cp=2).resolve(8)
    assert grid.groups("dp", "cp").tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]


def test_order_changes_which_ranks_are_neighbours():
    """With pp before dp, stages are two ranks apart."""
    grid = Parallelism(tp=2, pp=2, order="tp-cp-ep-pp-dp").resolve(8)
    assert grid.groups("pp").tolist() == [[0, 2], [1, 3], [4, 6], [5, 7]]


@given(
    sizes=st.tuples(*[st.integers(1, 4)] * 5),
    order=st.sampled_from(list(permutations(DIMENSIONS))),
)
def test_groups_partition_the_ranks_and_vary_in_one_coordinate(sizes, order):
    """Every rank is in one group of a dimension; inside it only that coordinate changes, from 0 upwards."""
    given_sizes = dict(zip(DIMENSIONS, sizes, strict=True))
    grid = Parallelism(**given_sizes, order="-".join(order)).resolve(prod(sizes))
    for name in DIMENSIONS:
        groups = grid.groups(name)
        assert sorted(groups.ravel().tolist()) == list(range(prod(sizes)))
        at = grid.coordinates(groups)
        np.testing.assert_array_equal(at[name], np.broadcast_to(np.arange(given_sizes[name]), groups.shape))
        for other in set(DIMENSIONS) - {name}:
            assert np.all(at[other] == at[other][:, :1])


def test_the_product_must_divide_the_gpus():
    """8 x 3 = 24 does not divide 64; pp 2 or 4 would, tp nothing near."""
    with pytest.raises(
        TrafficError, match=r"tp 8 x pp 3 is 24 ranks, which does not divide 64 GPUs .*gpus: 48"
    ) as found:
        Parallelism(tp=8, pp=3).resolve(64)
    assert found.value.problems[0].where == ("parallelism", "tp")
    assert "pp: 2 or 4" in found.value.problems[0].hint


def test_a_job_larger_than_the_cluster_is_told_how_many_gpus_it_needs():
    """8 x 16 on 64 GPUs."""
    with pytest.raises(TrafficError, match=r"128 ranks, which does not divide 64 GPUs .*gpus: 128 would fit"):
        Parallelism(tp=8, pp=16).resolve(64)


def test_a_stated_dp_must_fit():
    """8 x 4 x 63 is not 2048."""
    with pytest.raises(TrafficError, match=r"8 x 4 x 63 = 2,016 ranks, the job has 2,048: dp 64 fits"):
        Parallelism(tp=8, pp=4, dp=63).resolve(2048)
    with pytest.raises(TrafficError, match=r"8 x 16 x 16 x 4 = 8,192 ranks, the job has 16,384: dp 8 fits"):
        Parallelism(tp=8, pp=16, ep=16, dp=4).resolve(16384)


@pytest.mark.parametrize("order", ["tp-pp", "tp-cp-ep-dp-dp", "tp_cp_ep_dp_pp"])
def test_order_names_every_dimension_once(order):
    """Megatron itself asserts the same."""
    with pytest.raises(TrafficError, match=r"parallelism\.order: .* does not name each of tp, cp, ep, dp, pp once"):
        Parallelism(order=order).resolve(8)


def test_auto_is_written_as_a_word():
    """``dp: auto`` of the scenario."""
    assert Parallelism.model_validate({"dp": "auto"}).dp is None
