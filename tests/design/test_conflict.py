"""Requirements that nothing meets: the wishes named conflict, none of them too many, and the nearest of each fits."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from fabric.design.conflict import conflict_of, wishes_of
from fabric.design.objective import Objective
from fabric.design.requirement import needs_of
from fabric.design.requirement_file import load_requirement
from fabric.design.search import Search

SMALL = {"kinds": ["leaf-spine"], "switches": ["eth-64x400"]}


def requirement(candidates: dict[str, Any] | None = None, **require: Any):
    """Of leaf-spines of one model."""
    return load_requirement(given={"require": {"nic": "400G", **require}, "candidates": candidates or SMALL})


def has_design(need, catalogue) -> bool:
    return Search(need, catalogue, Objective.of("ports")).next() is not None


CASES: dict[str, dict[str, Any]] = {
    "too many hosts": {"gpus": 4096},
    "a leaf may die": {"gpus": 256, "survive": ["any-single-leaf"]},
    "too dear": {"gpus": 256, "budget": {"cost_usd": 100_000}},
    "too much power": {"gpus": 256, "budget": {"power_w": 5000}, "survive": ["any-single-spine"]},
    "one tier": {"gpus": 256, "candidates": {**SMALL, "max_tiers": 1}},
}


@pytest.mark.parametrize("case", CASES)
def test_the_set_conflicts_and_no_smaller_part_of_it_does(case):
    """Every wish given up gives a design; with all of them there is none, whatever else is given up."""
    asked = requirement(**CASES[case])
    (need,) = needs_of(asked).values()
    assert not has_design(need, asked.catalogue)
    wishes = wishes_of(asked, need)
    named = {(one.key, one.wish) for one in conflict_of(asked)}
    kept = [wish for wish in wishes if (wish.key, wish.text) in named]
    assert len(kept) == len(named) > 0

    def only(some):
        reduced = need
        for wish in wishes:
            if wish not in some:
                reduced = wish.without(reduced)
        return reduced

    assert not has_design(only(kept), asked.catalogue)
    for fewer in combinations(kept, len(kept) - 1):
        assert has_design(only(fewer), asked.catalogue)


def test_the_largest_size_that_fits_is_named():
    """64-port switches at 1:1 take 64 leaves of 4 hosts: 256 hosts, 2,048 GPUs; 4,096 are 256 hosts more."""
    (size,) = [one for one in conflict_of(requirement(gpus=4096)) if one.key == "require.gpus"]
    assert size.nearest == "256 hosts (2,048 GPUs) would do, 256 fewer"


def test_the_least_oversubscription_that_fits_is_named_and_fits():
    """3,072 GPUs: 384 hosts on 64 leaves are 6 a leaf, 48 ports down and 16 up: 3:1."""
    asked = requirement(gpus=3072)
    (ratio,) = [one for one in conflict_of(asked) if one.key == "require.oversubscription"]
    assert ratio.nearest == "3:1 would do"
    again = requirement(gpus=3072, oversubscription="3:1")
    assert conflict_of(again) == ()


def test_the_least_budget_that_fits_is_named():
    asked = requirement(gpus=256, budget={"cost_usd": 100_000})
    (need,) = needs_of(requirement(gpus=256)).values()
    search = Search(need, asked.catalogue, Objective.of("cost"))
    least = search.value_of(search.next())
    (cap,) = [one for one in conflict_of(asked) if one.key == "require.budget.cost_usd"]
    assert cap.nearest == f"US$ {least:,.0f} is the least that the rest needs"


@pytest.mark.parametrize("speed", ["500G", "1600G"])
def test_nics_that_no_port_takes(speed):
    (only,) = conflict_of(load_requirement(given={"require": {"gpus": 64, "nic": speed}}))
    assert only.key == "require.nic"
    assert "400G" in only.nearest


def test_what_can_be_built_has_no_conflict():
    assert conflict_of(requirement(gpus=256)) == ()


def test_a_leaf_that_may_die_asks_for_nics_of_several_ports_and_they_fit():
    planes = {"kinds": ["multi-plane"], "switches": ["eth-128x400"]}
    asked = requirement(planes, gpus=256, survive=["any-single-leaf"])
    (survive,) = conflict_of(asked)
    assert "nic.ports: [2]" in survive.nearest
    nic = {"count": 8, "speed": "400G", "ports": [2]}
    assert conflict_of(requirement(planes, gpus=256, survive=["any-single-leaf"], nic=nic)) == ()
