"""Floors on which something does not fit: where, why, and the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rooms import loaded_room, room

from fabric.pipeline.network import build_network
from fabric.scenario.load import LoadError
from topologies.errors import TopologyError

REFUSED: list[tuple[str, dict[str, Any], str, tuple[str, ...], str, str]] = [
    ("racks", {"hosts": 18}, "FP3321", ("site", "rows"), "hosts need 9 racks, and the floor has 8: 2 hosts stand", "3 rows"),
    (
        "kept racks",
        {"hosts": 14, "network_racks": ["r00c*"]},
        "FP3321", ("site", "rows"), "hosts need 7 racks, and the floor has 4 beside 4 kept for switches", "3 rows of 4",
    ),
    ("units", {"per_rack": 5}, "FP3322", ("nodes", "0", "per_rack"), "take 20 rack units, and racks have 16", "per_rack: 4"),
    ("one host", {"rack_units": 3}, "FP3322", ("nodes", "0", "per_rack"), "take 8 rack units, and racks have 3", "racks of 8"),
    (
        "power of one host", {"per_rack": None, "rack_power": "900 W"},
        "FP3322", ("nodes", "0", "model"), "a node of 'h' takes 1 kW, and a rack feeds 900 W", "feed 1 kW or more",
    ),
    (
        "power", {"rack_power": "1.5 kW"}, "FP3322", ("nodes", "0", "per_rack"), "2 nodes of 'h' take 2 kW", "per_rack: 1",
    ),
    ("no power", {"rack_power": "0 W"}, "FP3322", ("nodes", "0", "per_rack"), "a rack feeds 0 W", "rack_power"),
    ("depth", {"rack_depth": "0.7 m"}, "FP3322", ("nodes", "0"), "box-4u is 0.9 m deep, and racks take 0.7 m", "0.9 m"),
    (
        "a row without a tray", {"trays": {"rows": [0]}},
        "FP3323", ("site", "trays", "rows"), "no tray reaches row 1 from rack r00c00: of rack r01c01", "add 1 to trays.rows",
    ),
    (
        "no crossing", {"trays": {"cross": []}},
        "FP3323", ("site", "trays", "cross"), "no tray crosses from another row to it", "trays.cross",
    ),
    ("an unknown device", {"fixed": {"leaf9": {"rack": "r00c00"}}}, "FP3324", ("site", "fixed", "leaf9"), "no host or switch is called 'leaf9'", "leaf"),
    ("an unknown rack", {"fixed": {"leaf0": {"rack": "r00c9"}}}, "FP3324", ("site", "fixed", "leaf0", "rack"), "no rack is called 'r00c9'", "r00c0"),
    (
        "twice", {"fixed": {"leaf0": {"rack": "r00c00"}, "main/leaf0": {"rack": "r00c01"}}},
        "FP3324", ("site", "fixed", "main/leaf0"), "is fixed twice: as 'leaf0' too", "remove one",
    ),
    (
        "over another", {"fixed": {"leaf0": {"rack": "r00c00", "unit": 16}, "leaf1": {"rack": "r00c00", "unit": 16}}},
        "FP3324", ("site", "fixed", "leaf1", "unit"), "takes units 16 to 16 of r00c00, where leaf0 is fixed", "elsewhere",
    ),
    (
        "out of the rack", {"fixed": {"h0": {"rack": "r00c00", "unit": 14}}},
        "FP3324", ("site", "fixed", "h0", "unit"), "takes units 14 to 17, and rack r00c00 has 16", "is 13",
    ),
    ("switches", {"rack_units": 8, "hosts": 16, "leaves": 8}, "FP3325", ("site", "rows"), "10 switches take 10 rack units", "more rows"),
    (
        "network racks", {"network_racks": ["r01c03"], "switches": "network-racks", "leaves": 16, "spines": 1, "hosts": 14},
        "FP3325", ("site", "network_racks"), "17 switches take 17 rack units, and 1 racks have 16 units", "network_racks",
    ),
    ("nameless racks", {"no_rack": ["x*"]}, "FP3326", ("site", "no_rack", "0"), "no place on the floor is called 'x*'", "r00c00"),
    ("zero racks", {"no_rack": ["*"]}, "FP3326", ("site", "no_rack"), "no_rack leaves no rack at all", "only the places"),
    ("beyond", {"trays": {"cross": [4]}}, "FP3326", ("site", "trays", "cross", "0"), "4 is beyond the floor, which has 4", "the last is 3"),
    ("no network rack", {"switches": "network-racks"}, "FP3326", ("site", "switches"), "no rack is one", "switches: any"),
    ("low trays", {"overhead_tray": "0.5 m"}, "FP3327", ("site", "overhead_tray"), "below the top of racks of 16 units (0.71 m)", "0.71 m"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "code", "where", "message", "hint"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_what_does_not_fit_is_refused_at_its_key(
    tmp_path: Path, keys: dict[str, Any], code: str, where: tuple[str, ...], message: str, hint: str
) -> None:
    """With its line, the numbers, and what would do."""
    with pytest.raises(TopologyError) as refused:
        build_network(loaded_room(tmp_path, room(**keys)))
    problem = refused.value.problems[0]
    assert (problem.code, tuple(map(str, problem.where))) == (code, where)
    assert message in problem.message
    assert hint in problem.hint
    assert problem.line is not None


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ({"rows": 0}, "greater than or equal to 1|at least 1"),
        ({"racks_per_row": 0}, "greater than or equal to 1|at least 1"),
        ({"name_format": "r{line}"}, "use {row}, {rack}"),
        ({"name_format": "r{row:099d}"}, "use {row}, {rack}"),
        ({"rows": 100_000_000}, "more than 10,000"),
        ({"rack_power": 40}, "has no unit"),
        ({"trays": {"max_fill": "0%"}}, "greater than 0|above 0|more than 0"),
    ],
)
def test_keys_that_make_no_floor_are_refused_in_the_file(tmp_path: Path, site: dict[str, Any], message: str) -> None:
    """By the schema, before anything is built."""
    with pytest.raises(LoadError, match=message):
        loaded_room(tmp_path, room(**site))
