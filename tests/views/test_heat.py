"""Heat maps hold the worst of the right links."""

from __future__ import annotations

import numpy as np
import pytest

from fabric.faces.views.bands import BANDS, band
from fabric.faces.views.heat import OVERVIEW, heat_map, map_kinds
from fabric.pipeline.run import route
from fabric.request import RouteRequest
from fabric.result import PhaseRoute
from fabric.scenario.load import load_scenario


@pytest.fixture(scope="module")
def routed() -> PhaseRoute:
    """4 leaves, 2 spines, shuffled all to all, spine1's link to leaf0 down."""
    loaded = load_scenario("examples/quickstart.fabric.yaml")
    topology = route(loaded).routes[0].topology
    names = topology.nodes.name
    leaf, spine = next(name for name in names if "leaf" in name), [name for name in names if "spine" in name][1]
    return route(loaded, RouteRequest(down=(f"link={leaf}:{spine}",))).routes[0]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_every_cell_is_the_worst_of_the_links_between_its_nodes(routed: PhaseRoute, direction: str) -> None:
    """By a loop over all links: the maximum of those from row to column, or back."""
    topology = routed.topology
    for kind in map_kinds(topology)[1:]:
        heat = heat_map(topology, routed.utilisation, kind, direction)  # type: ignore[arg-type]
        seen = 0
        for i, lower in enumerate(heat.row_names):
            for j, upper in enumerate(heat.column_names):
                ends = (lower, upper) if direction == "up" else (upper, lower)
                mine = [
                    link
                    for link in range(len(topology.links))
                    if topology.nodes.name[topology.links.src[link]] == ends[0]
                    and topology.nodes.name[topology.links.dst[link]] == ends[1]
                ]
                seen += len(mine)
                assert sorted(heat.links(i, j).tolist()) == mine
                live = [routed.utilisation[link] for link in mine if topology.up[link]]
                assert (max(live) if live else None) == (None if np.isnan(heat.value[i, j]) else heat.value[i, j])
                assert heat.down[i, j] == sum(not topology.up[link] for link in mine)
        assert seen == int((topology.links.tier == topology.tiers.index(kind)).sum()) // 2


def test_a_cell_whose_links_are_all_down_says_so(routed: PhaseRoute) -> None:
    """One of 4 x 2 leaf-spine pairs lost its cables; the rest did not."""
    heat = heat_map(routed.topology, routed.utilisation, map_kinds(routed.topology)[1])
    assert sum(heat.is_down(i, j) for i in range(4) for j in range(2)) == 1


def test_a_large_map_is_made_folded(routed: PhaseRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for 2 rows and columns, 4 x 2 comes as 2 x 2: what folding makes of the whole map."""
    kind = map_kinds(routed.topology)[1]
    whole = heat_map(routed.topology, routed.utilisation, kind).folded(2)
    monkeypatch.setattr("fabric.faces.views.heat._MOST_CELLS", 7)
    monkeypatch.setattr("fabric.faces.views.heat._SIDE", 2)
    small = heat_map(routed.topology, routed.utilisation, kind)
    assert (small.row_names, small.column_names, small.hottest) == (whole.row_names, whole.column_names, whole.hottest)
    for name in ("value", "total", "down"):
        np.testing.assert_array_equal(getattr(small, name), getattr(whole, name))
    for row in range(2):
        assert small.row_members[row].tolist() == whole.row_members[row].tolist()
        assert [small.row_of(node) for node in small.row_members[row].tolist()] == [row, row]
        assert [sorted(small.links(row, column)) for column in range(2)] == [
            sorted(whole.links(row, column)) for column in range(2)
        ]
    assert small.column_of(int(small.row_members[0][0])) is None


def test_folding_keeps_the_worst_and_loses_no_link(routed: PhaseRoute) -> None:
    """4 x 2 folded to 2 x 2: the maximum, and the count of links, stay."""
    heat = heat_map(routed.topology, routed.utilisation, map_kinds(routed.topology)[1])
    small = heat.folded(2)
    assert small.shape == (2, 2)
    assert np.nanmax(small.value) == np.nanmax(heat.value)
    assert small.total.sum() == heat.total.sum()
    assert sorted(small.links(0, 0).tolist()) == sorted([*heat.links(0, 0).tolist(), *heat.links(1, 0).tolist()])
    assert small.row_names[0] == f"{heat.row_names[0]}…{heat.row_names[1]}"


def test_a_rail_optimised_fabric_is_seen_by_unit_and_rail() -> None:
    """8 units by 8 rails; the worst cell is the worst leaf up-link."""
    loaded = load_scenario("examples/train-2k.fabric.yaml")
    entry = next(entry for entry in route(loaded).routes if entry.phase == "dp.reduce_scatter")
    heat = heat_map(entry.topology, entry.utilisation, OVERVIEW)
    assert heat.shape == (8, 8)
    up = next(tier for tier in entry.tiers if (tier.tier, tier.direction) == ("leaf-spine", "up"))
    assert np.nanmax(heat.value) == up.max
    assert heat.total.sum() == 2048


@pytest.mark.parametrize(("ground", "least"), [("#ffffff", 1.4), ("#fbfbfb", 1.4), ("#12161c", 3.0), ("#000000", 3.5)])
def test_no_band_vanishes_on_paper_or_in_the_dark(ground: str, least: float) -> None:
    """Contrast (WCAG 2.2) of every band to the grounds of pictures, report and terminal; to black as the ink on it."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for entry in BANDS:
        one, other = sorted((light(entry.colour), light(ground)))
        assert (other + 0.05) / (one + 0.05) >= least, entry.text
        assert entry.ink == "#000000"


def test_bands_darken_with_load() -> None:
    """Relative luminance falls from band to band, so that print keeps the order."""

    def light(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    values = [light(entry.colour) for entry in BANDS]
    assert values == sorted(values, reverse=True)
    assert [band(value).text for value in (0.0999, 0.4999, 0.8999, 1.0, 1.001, 2.0)] == [
        "<10 %", "<50 %", "<90 %", "≤100 %", ">100 %", "≥200 %",
    ]  # fmt: skip
