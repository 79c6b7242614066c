"""Where a key of the scenario may stand, for the hint at one that stands elsewhere."""

from __future__ import annotations

import pytest

from fabric.scenario.json_schema import scenario_schema
from fabric.scenario.keys import Keys, near_key


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys(scenario_schema, {})


@pytest.mark.parametrize(
    ("key", "places"),
    [
        ("description", ["at the top level"]),
        ("granularity", ["in fabrics.NAME.routing.adaptive"]),
        ("scale_up", ["in nodes.NAME"]),  # once, though a single group may be written without a list
        ("uplink_speed", ["in fabrics.NAME.topology (kind dual-plane or leaf-spine)"]),  # not in its planes again
        ("compute", ["in workloads.NAME (kind training)"]),
        ("speed", []),  # of many
        ("frobnicate", []),
    ],
)
def test_a_key_has_the_places_of_the_schema(keys: Keys, key: str, places: list[str]) -> None:
    assert keys.holders(key) == places


@pytest.mark.parametrize(
    ("key", "choices", "meant"),
    [
        ("description", ["encryption"], None),
        ("encryptoin", ["encryption"], "encryption"),
        ("leafs", ["leaves"], "leaves"),
        ("uplink", ["uplink_speed"], "uplink_speed"),
        ("nodes", ["notes", "modes"], "notes"),
        ("pods", ["nodes"], None),
    ],
)
def test_a_name_is_near_by_its_spelling_or_its_first_letter(key: str, choices: list[str], meant: str | None) -> None:
    assert near_key(key, choices) == meant
