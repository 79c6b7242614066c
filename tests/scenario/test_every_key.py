"""Every key of the schema shows itself: another value changes an answer or the note, or is refused with a reason."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from key_scenarios import BASES
from key_walk import Holder, answers, changed, holders, loaded_from, part, shows

from fabric.scenario.json_schema import scenario_schema
from topologies.errors import FabricError
from topologies.units import parse_ratio

# Read from files, which tests of readers feed field by field; keys beside the files' own are tested with them.
OF_FILES = {"FileTopology", "CapacityAttribute", "Matrix", "HfConfigFile", "MegatronArguments", "ExpertLoadFile"}
FILE_KEYS = {"osd_tree", "pools", "pool", "crush_rules", "crush_root", "device_class", "crush_map", "crush_rule"}
CONSTANT = {"kind", "version", "from", "system", "nic_ports"}  # one value alone, or another model for another


@cache
def everything() -> dict[tuple[str, str], list[tuple[int, Holder]]]:
    """By model and key, of keys that are no models again: scenarios, by number, and places; first that set it."""
    found: dict[tuple[str, str], list[tuple[int, Holder]]] = {}
    inside: set[tuple[str, str]] = set()  # their own keys are walked
    for number, base in enumerate(BASES):
        for holder in holders(spec_of(number)):
            for name, field in holder.model.model_fields.items():
                key = field.alias or name
                if key in holder.containers:
                    inside.add((holder.model.__name__, key))
                elif key not in CONSTANT | FILE_KEYS:
                    places = found.setdefault((holder.model.__name__, key), [])
                    given = key in (part(base, holder.where) or {})
                    places.insert(0 if given else len(places), (number, holder))
    return {key: places for key, places in found.items() if key not in inside}


@cache
def spec_of(number: int) -> object:
    """The scenario of a number, validated."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return loaded_from(BASES[number], Path(folder)).scenario


def field_of(model: str, key: str) -> Any:
    """The declaration of a key."""
    _, holder = everything()[model, key][0]
    return next(one for own, one in holder.model.model_fields.items() if (one.alias or own) == key)


@pytest.fixture(scope="session")
def answers_before(tmp_path_factory) -> object:
    """Answers of the scenarios as they are, each worked out once."""
    folder = tmp_path_factory.mktemp("before")

    @cache
    def of(number: int) -> list[str]:
        digests = list(answers(loaded_from(BASES[number], folder)))
        assert not digests[-1].startswith("["), f"scenario {number} has no answer: {digests[-1]}"
        return digests

    return of


def test_every_model_of_the_schema_stands_in_a_scenario():
    """A new builder, workload or group of keys has to be walked too."""
    schema = scenario_schema()
    walked = {model for model, _ in everything()} | OF_FILES | {"CatalogInclude", "UnitsSpec", "DefaultsSpec"}
    assert set(schema["$defs"]) - walked == set()


@pytest.mark.slow
@pytest.mark.parametrize("model", sorted({model for model, _ in everything()}))
def test_another_value_of_every_key_shows(model, answers_before, tmp_path):
    """In one of the scenarios that have it at least: an answer, the note, or an error with a reason of its own."""
    silent = []
    for (name, key), places in everything().items():
        if name != model:
            continue
        for number, holder in places[:16]:
            if shows(BASES[number], holder.where, key, field_of(name, key), tmp_path, answers_before(number), most=8):
                break
        else:
            silent.append(key)
    assert silent == []


def numbers_of(field: Any) -> set[str]:
    """Whether a field, or a part of it, takes a ratio or a plain number with a fraction."""

    def parts(annotation: Any) -> Iterator[str]:
        if annotation is float:
            yield "number"
        for one in typing.get_args(annotation):
            if getattr(one, "func", None) is parse_ratio:
                yield "ratio"
            elif getattr(one, "func", None) is not None:
                yield "quantity"
            yield from parts(one)

    read_by = {getattr(one, "func", None) for one in field.metadata}
    return {
        *parts(field.annotation),
        *(["ratio"] if parse_ratio in read_by else ["quantity"] if read_by - {None} else []),
    }


RATIOS = sorted({key for key in everything() if "ratio" in numbers_of(field_of(*key))})


@pytest.mark.parametrize(("model", "key"), RATIOS)
def test_a_percentage_without_its_sign_is_refused_wherever_a_ratio_is_read(model, key, tmp_path):
    """92 is not 9,200 %; also inside lists, and after --set, which reads the same way."""
    number, holder = everything()[model, key][0]
    value: Any = [[128, 92], [256, 8]] if key == "values" else 92
    with pytest.raises(FabricError, match=r"92 is 9,200 % where it has no % sign; write 92% or 0\.92"):
        loaded_from(changed(BASES[number], holder.where, key, value), tmp_path)


def test_a_number_without_a_unit_is_a_factor_or_counts_something():
    """What is read as a plain number is neither a share nor a percentage: those are ratios."""
    plain = {key for key in everything() if numbers_of(field_of(*key)) == {"number"}}
    of_bills = {("CostsSpec", key) for key in ("prices", "grid_kg_per_kwh", "pue", "years")}  # units in their names
    assert plain == {
        ("SharingKeys", "weight"),
        ("Inference", "requests_per_s"),
        ("Lengths", "mean"),
        ("Scenario", "scale"),
        *of_bills,
    }


def test_ratios_are_found():
    """As many as the schema has; ``max`` of a limit is read by its metric."""
    assert {("FabricSpec", "efficiency"), ("Hotspot", "share"), ("Lengths", "values")} <= set(RATIOS)
