"""The JSON Schema for editors agrees with the models."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import ValidationError
from scenario_stubs import REGISTRIES

from fabric.cli.commands.schema import NAMES
from fabric.cli.main import run
from fabric.scenario.cost_schema import CostsSpec
from fabric.scenario.json_schema import scenario_schema
from fabric.scenario.templates import template_names, template_text

DATA = Path(__file__).parent / "data"
OURS = ("Scenario", "FabricSpec", "RoutingSpec", "NodeSpec", "NicSpec", "LimitSpec", "SiteSpec", "FileTopology")


@pytest.fixture(scope="module")
def schema():
    return scenario_schema()


def check(data, schema):
    jsonschema.Draft202012Validator(schema).validate(data)


def test_the_schema_is_a_schema(schema):
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_command_prints_is_a_schema(name, capsys):
    assert run(["schema", name]) == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("rule", "valid"), [("2%", True), (" 1 per model", True), (3, True), ("2", True), ("1 %%", False)]
)
def test_a_rule_for_spares_is_read_alike(rule, valid, schema):
    """By an editor as by the loader, which refuses what the pattern refuses."""
    data = yaml.safe_load((DATA / "quickstart.yaml").read_text(encoding="utf-8"))
    data["costs"] = {"spares": {"optics": rule}}
    assert jsonschema.Draft202012Validator(schema).is_valid(data) is valid
    if valid:
        assert CostsSpec.model_validate(data["costs"]).spares["optics"]
    else:
        with pytest.raises(ValidationError, match="is not a rule for spares"):
            CostsSpec.model_validate(data["costs"])


@pytest.mark.parametrize("name", ["complete.yaml", "quickstart.yaml"])
def test_the_examples_are_valid(name, schema):
    check(yaml.safe_load((DATA / name).read_text(encoding="utf-8")), schema)


@pytest.mark.parametrize("name", template_names())
def test_the_templates_are_valid(name, schema):
    check(yaml.safe_load(template_text(name)), schema)


@pytest.mark.parametrize(
    "change",
    [
        {"sede": 1},
        {"version": 2},
        {"nodes": [{"group": "a b", "count": 1}]},
        {"nodes": [{"group": "g", "count": 1, "nics": {"main": {"speed": "400"}}}]},
        {"fabrics": {"main": {"topology": {"kind": "fat-treee"}}}},
        {"fabrics": {"main": {"topology": {"kind": "fat-tree", "radix": 4, "speed": "100G", "leaf": {}}}}},
        {"fabrics": {"a b": {"topology": {"kind": "fat-tree", "radix": 4, "speed": "100G"}}}},
        {"workloads": [{"kind": "alltoall", "members": "hosts", "size": "1 GiB"}]},
        {"limits": [{"fabric": "main", "metric": "load", "max": 1}]},
    ],
)
def test_what_the_loader_refuses_the_schema_refuses(change, schema):
    data = yaml.safe_load((DATA / "quickstart.yaml").read_text(encoding="utf-8")) | change
    with pytest.raises(jsonschema.ValidationError, match=r"\S"):
        check(data, schema)


def test_keys_with_x_are_valid_everywhere(schema):
    data = yaml.safe_load((DATA / "quickstart.yaml").read_text(encoding="utf-8"))
    data["x-owner"] = data["fabrics"]["x-note"] = data["nodes"][0]["x-note"] = data["fabrics"]["main"]["topology"][
        "x-a"
    ] = "net"
    check(data, schema)


def test_every_key_of_ours_is_described(schema):
    parts = {"Scenario": schema, **schema["$defs"]}
    bare = [
        f"{name}.{key}" for name in OURS for key, part in parts[name]["properties"].items() if "description" not in part
    ]
    assert bare == []


def test_topologies_and_workloads_are_told_apart_by_kind(schema):
    choices = schema["$defs"]["FabricSpec"]["properties"]["topology"]["oneOf"]
    kinds = [schema["$defs"][choice["$ref"].rsplit("/", 1)[1]]["properties"]["kind"]["const"] for choice in choices]
    assert {"fat-tree", "leaf-spine", "rail-optimised", "clos", "file"} <= set(kinds)


def test_a_registry_of_ones_own_gives_its_own_choices():
    items = scenario_schema(REGISTRIES)["properties"]["workloads"]["items"]["oneOf"]
    assert len(items) == 2


def test_no_definition_is_left_over(schema):
    text = str(schema)
    assert [name for name in schema["$defs"] if f"#/$defs/{name}'" not in text] == []
