"""The search against plain enumeration: order, bound, permuted catalogues, prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from math import inf

import numpy as np
import pytest
import toy_family

from fabric.design.family import FAMILIES
from fabric.design.need import FabricNeed
from fabric.design.objective import Objective, Rates, objective_of
from fabric.design.search import Search, variants_of
from topologies.catalogue import Catalogue, builtin
from topologies.link_kits import LinkEnd, kits

COST = Objective.of("cost")
NEED = FabricNeed("backend", hosts=4, gpus_per_host=8, nics=8, nic_gbps=400.0, rail="per-gpu")
TOY = ("toy",)


@pytest.fixture(autouse=True)
def _toy() -> Iterator[None]:
    with FAMILIES.with_entry("toy", toy_family.FAMILY, summary="boxes and joints"):
        yield


def priced(seed: int, *, cheaper: str | None = None) -> Catalogue:
    """The catalogue with other prices and watts of switches; ``cheaper``: one of them at three quarters of its own."""
    rng = np.random.default_rng(seed)
    rows = {}
    for name, row in builtin().switches.items():
        figures = {"usd": float(rng.integers(5_000, 90_000)), "max_w": float(rng.integers(300, 5000))}
        if name == cheaper:
            figures["usd"] *= 0.75
        rows[name] = row.model_copy(update=figures)
    return builtin().with_rows("switches", rows)


def permuted(catalogue: Catalogue, seed: int) -> Catalogue:
    """The same rows in another order."""
    rng = np.random.default_rng(seed)

    def mixed(rows):
        names = list(rows)
        return {names[place]: rows[names[place]] for place in rng.permutation(len(names))}

    sections = ("switches", "nics", "nodes", "optics", "cables")
    return replace(catalogue, **{name: mixed(getattr(catalogue, name)) for name in sections})


@pytest.mark.parametrize("seed", range(4))
def test_designs_come_in_the_order_of_an_enumeration(seed):
    """The first 25 values are the 25 least of all that are tried one by one; the bound is that of what is left."""
    catalogue = priced(seed)
    rates = Rates(NEED, catalogue, COST)
    values = sorted(rates.value(one)[0] for one in toy_family.every_design(NEED, catalogue))
    search = Search(NEED, catalogue, COST, families=TOY)
    for place in range(25):
        assert search.bound <= values[place]
        assert search.value_of(search.next()) == values[place]


def test_all_designs_are_given_once():
    """One model, few ports: as many designs as an enumeration has, and then none."""
    need = replace(NEED, hosts=1, switches=("ib-64x400",))
    catalogue = builtin()
    wanted = [one for one in toy_family.every_design(need, catalogue) if one.switches[0].model == "ib-64x400"]
    wanted = [one for one in wanted if one.switches[1].model == "ib-64x400"]
    search = Search(need, catalogue, COST, families=TOY)
    given = [tuple(counted.topology.values()) for counted in search]
    assert sorted(given) == sorted(tuple(one.topology.values()) for one in wanted)
    assert search.bound == inf
    assert search.next() is None


@pytest.mark.parametrize("kinds", [TOY, ("leaf-spine",), ("rail-optimised", "leaf-spine")])
def test_the_order_of_the_catalogue_changes_nothing(kinds):
    catalogue = priced(7)
    answers = [
        [dict(one.topology) for one in islice(Search(NEED, rows, COST, families=kinds), 4)]
        for rows in (catalogue, permuted(catalogue, 1), permuted(catalogue, 2))
    ]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize("model", ["eth-64x400", "eth-128x400", "ib-64x400"])
@pytest.mark.parametrize("families", [TOY, ("leaf-spine", "rail-optimised")])
def test_a_cheaper_part_never_gives_a_dearer_design(model, families):
    before, after = (Search(NEED, priced(3, cheaper=one), COST, families=families) for one in (None, model))
    assert after.value_of(after.next()) <= before.value_of(before.next())


@pytest.mark.parametrize("seed", range(3))
def test_no_floor_of_a_variant_is_above_its_best_design(seed):
    """Every 23rd variant of all families, each searched alone."""
    catalogue = priced(seed)
    rates = Rates(NEED, catalogue, COST)
    variants = list(variants_of(NEED, catalogue))[seed::23]
    floored = 0
    for one in variants:
        if one.floor is None:
            continue
        search = Search(NEED, catalogue, COST, families=("none",))
        search._admit(_entry(one))
        floor, best = search.bound, search.next()
        if best is not None:
            floored += 1
            assert floor <= rates.value(best)[0]
    assert floored > 5


def _entry(variant):
    from fabric.design.search import _Entry

    return _Entry(variant)


def test_a_second_objective_decides_among_equals():
    """Two models at one price: of designs that cost the same the one of least power comes first."""
    rows = {
        name: builtin().switches["eth-64x400"].model_copy(update={"model": name, "usd": 10_000.0, "max_w": watts})
        for name, watts in (("a-hot", 2000.0), ("b-cool", 1000.0))
    }
    catalogue = replace(builtin(), switches=rows)
    hot = Search(NEED, catalogue, COST, families=TOY).next()
    cool = Search(NEED, catalogue, Objective.of("cost", "power"), families=TOY).next()
    assert hot is not None and cool is not None
    assert {one.model for one in hot.switches} == {"a-hot"}
    assert {one.model for one in cool.switches} == {"b-cool"}


def test_weights_add_up():
    """2 x cost + 0.5 x power of a design are those of its switches, and of the links that have least of that sum."""
    catalogue = priced(5)
    search = Search(NEED, catalogue, objective_of({"cost": 2, "power": 0.5}), families=TOY)
    best = search.next()
    assert best is not None
    total = 0.0
    for one in best.switches:
        row = catalogue.switches[one.model]
        total += one.count * (2 * row.usd + 0.5 * row.max_w)
    for links in best.cables:
        length_m = NEED.length_m[links.run]
        ways = [kit for kit in kits(catalogue, 400.0, LinkEnd(), LinkEnd()) if kit.reach_m >= length_m]
        total += links.count * min(2 * kit.cost_usd(length_m) + 0.5 * kit.max_w for kit in ways)
    assert search.value_of(best) == pytest.approx(total, rel=1e-6)


def test_a_cap_bounds_what_is_given():
    """Power may not exceed a cap: designs are those of the enumeration that do not, cheapest first."""
    catalogue = priced(2)
    cost, power = (Rates(NEED, catalogue, Objective.of(name)) for name in ("cost", "power"))
    designs = toy_family.every_design(NEED, catalogue)
    watts = sorted(power.value(one)[0] for one in designs)[len(designs) // 4]
    values = sorted(cost.value(one)[0] for one in designs if power.value(one)[0] <= watts)
    search = Search(replace(NEED, most=(("power", watts),)), catalogue, COST, families=TOY)
    assert [search.value_of(one) for one in islice(search, 5)] == values[:5]


def test_models_without_a_price_are_left_out_and_named():
    rows = {name: row.model_copy(update={"usd": None}) for name, row in builtin().switches.items() if "ib" in name}
    search = Search(NEED, builtin().with_rows("switches", rows), COST, families=TOY)
    best = search.next()
    assert best is not None
    assert "ib-64x400" not in {one.model for one in best.switches}
    assert "ib-64x400 has no price" in search.left_out


def test_leaf_and_spine_models_are_kept_apart():
    need = replace(NEED, leaf_switches=("eth-64x400",), upper_switches=("eth-128x400",))
    best = Search(need, builtin(), COST, families=TOY).next()
    assert best is not None
    assert [one.model for one in best.switches] == ["eth-64x400", "eth-128x400"]


def test_a_family_that_is_left_is_not_given_again():
    search = Search(NEED, builtin(), COST, families=("toy", "leaf-spine"))
    first = search.next()
    assert first is not None
    search.leave(first.family)
    second = search.next()
    assert second is not None
    assert {first.family, second.family} == {"toy", "leaf-spine"}
