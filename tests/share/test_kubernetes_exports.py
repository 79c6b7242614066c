"""What Kubernetes is given, against schemas made from the published definitions of Kueue, Volcano and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from scheduler_plans import KINDS, built, plan_of, written

_SUBDOMAIN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_KEY = (
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
)
_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


_NAMED = _object({"name": {"type": "string", "pattern": _SUBDOMAIN, "maxLength": 253}})
# CRD topologies.kueue.x-k8s.io of Kueue 0.14: 1 to 8 levels, unique, each the key of a label of 316 characters at most.
TOPOLOGY = _object(
    {
        "apiVersion": {"enum": ["kueue.x-k8s.io/v1beta1", "kueue.x-k8s.io/v1beta2"]},
        "kind": {"const": "Topology"},
        "metadata": _NAMED,
        "spec": _object(
            {
                "levels": {
                    "type": "array",
                    "minItems": 1,
                    "maxItems": 8,
                    "uniqueItems": True,
                    "items": _object({"nodeLabel": {"type": "string", "pattern": _KEY, "maxLength": 316}}),
                }
            }
        ),
    }
)
# CRD hypernodes.topology.volcano.sh: a tier from 0, members with exactly one selector.
_NAME = _object({"name": {"type": "string", "pattern": _SUBDOMAIN, "minLength": 1, "maxLength": 253}})
_PATTERN = _object({"pattern": {"type": "string", "minLength": 1}})
HYPERNODE = _object(
    {
        "apiVersion": {"const": "topology.volcano.sh/v1alpha1"},
        "kind": {"const": "HyperNode"},
        "metadata": _NAMED,
        "spec": _object(
            {
                "tier": {"type": "integer", "minimum": 0},
                "members": {
                    "type": "array",
                    "minItems": 1,
                    "items": _object(
                        {
                            "type": {"enum": ["Node", "HyperNode"]},
                            "selector": {
                                "oneOf": [
                                    _object({"exactMatch": _NAME}),
                                    _object({"regexMatch": _PATTERN}),
                                    _object({"labelMatch": {"type": "object"}}),
                                ]
                            },
                        }
                    ),
                },
            },
            tierName={"type": "string", "maxLength": 253},
        ),
    }
)
NODE = _object(
    {
        "apiVersion": {"const": "v1"},
        "kind": {"const": "Node"},
        "metadata": _object(
            {
                "name": {"type": "string", "pattern": _SUBDOMAIN, "maxLength": 253},
                "labels": {
                    "type": "object",
                    "propertyNames": {"pattern": _KEY},
                    "additionalProperties": {"type": "string", "pattern": _VALUE, "maxLength": 63},
                },
            }
        ),
    }
)


@pytest.mark.parametrize("kind", KINDS)
def test_topologies_of_kueue_and_labels_are_as_their_definitions_say(tmp_path: Path, kind: str) -> None:
    folder = written(tmp_path, plan_of(built(kind)), "kueue")
    topology = yaml.safe_load((folder / "topology.yaml").read_text())
    jsonschema.validate(topology, TOPOLOGY)
    keys = [level["nodeLabel"] for level in topology["spec"]["levels"]]
    assert keys.index("kubernetes.io/hostname") == len(keys) - 1
    nodes = json.loads((folder / "nodes.json").read_text())["items"]
    for node in nodes:
        jsonschema.validate(node, NODE)
        assert set(node["metadata"]["labels"]) == set(keys[:-1])
    # Kueue takes a domain for what its labels say from the top down: a value of a level lies in one of the level above.
    for lower, upper in zip(keys[1:-1], keys, strict=False):
        pairs = {(node["metadata"]["labels"][lower], node["metadata"]["labels"][upper]) for node in nodes}
        assert len({inner for inner, _ in pairs}) == len(pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_hypernodes_are_as_their_definition_says_and_form_a_tree(tmp_path: Path, kind: str) -> None:
    folder = written(tmp_path, plan_of(built(kind)), "volcano")
    items = json.loads((folder / "hypernodes.json").read_text())["items"]
    seen: set[tuple[str, str]] = set()
    tier = {item["metadata"]["name"]: item["spec"]["tier"] for item in items}
    for item in items:
        jsonschema.validate(item, HYPERNODE)
        for member in item["spec"]["members"]:
            name = member["selector"]["exactMatch"]["name"]
            assert (member["type"], name) not in seen  # in one HyperNode only
            seen.add((member["type"], name))
            if member["type"] == "HyperNode":
                assert tier[name] == item["spec"]["tier"] - 1
    assert len(tier) == len(items)
