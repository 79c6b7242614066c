"""Names of nodes against the table of docs/names.md, in every builder."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from naming_fabrics import FABRICS, IDS

from topologies.builder import TOPOLOGIES
from topologies.node_names import CONTAINERS, node_names
from topologies.topology import Topology

PAGE = Path(__file__).resolve().parents[2] / "docs" / "names.md"
NUMBER = r"(?:0|[1-9]\d*)"
COLUMNS = ("pod", "unit", "rail", "plane")


def table() -> dict[tuple[str, str], list[str]]:
    """Forms of names by builder and role, as the page has them."""
    rows = re.findall(r"^\| ([a-z-]+) \| ([a-z]+) \| (`.*`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {(builder, role): re.findall(r"`([^`]+)`", forms) for builder, role, forms in rows}


def patterns(form: str) -> re.Pattern[str]:
    """The form as a pattern, with a group for every field."""
    kinds = {"place": rf"{NUMBER}(?:\.{NUMBER})*", "switch": ".+", "name": ".+"}
    parts = re.split(r"\{(\w+)\}", form)
    return re.compile(
        "".join(
            f"(?P<{part}>{kinds.get(part, NUMBER)})" if at % 2 else re.escape(part) for at, part in enumerate(parts)
        )
    )


def agrees(net: Topology, node: int, fields: dict[str, str]) -> bool:
    """Whether numbers of containers are those of the columns, and a host is cabled to the switch it is named after."""
    switches = (
        {net.nodes.name[other] for other in net.links.dst[net.links.src == node]} if "switch" in fields else set()
    )
    return all(
        (key not in COLUMNS or int(getattr(net.nodes, key)[node]) == int(text))
        and (key != "switch" or text in switches)
        for key, text in fields.items()
    )


def reading(net: Topology, node: int, forms: list[str]) -> tuple[str, dict[str, str]]:
    """The form that a name has, and its fields."""
    for form in forms:
        match = patterns(form).fullmatch(net.nodes.name[node])
        if match is not None and agrees(net, node, match.groupdict()):
            return form, match.groupdict()
    raise AssertionError(f"{net.nodes.name[node]} is none of {forms}")


@pytest.mark.parametrize(("kind", "spec"), FABRICS, ids=IDS)
def test_every_name_has_a_form_of_the_page(kind: str, spec: dict[str, Any]) -> None:
    """Numbers of containers equal the columns; indices inside of a container are 0, 1, 2 and so on."""
    net, forms = TOPOLOGIES[kind](spec), table()
    indices: dict[tuple[object, ...], set[int]] = defaultdict(set)
    for node in range(len(net.nodes)):
        role = net.roles[net.nodes.role[node]]
        form, fields = reading(net, node, forms.get((kind, role)) or forms[kind, "others"])
        if "index" in fields:
            index = int(fields.pop("index"))
            fields = fields if ".nic" not in form else {key: text for key, text in fields.items() if key != "rail"}
            indices[form, *sorted(fields.items())].add(index)
    assert all(found == set(range(len(found))) for found in indices.values())


def test_every_form_of_the_page_is_built_by_some_fabric() -> None:
    """The page promises nothing that no builder makes, and misses no builder."""
    forms = table()
    assert {builder for builder, _ in forms} == set(TOPOLOGIES.names())
    used = set()
    for kind, spec in FABRICS:
        net = TOPOLOGIES[kind](spec)
        for node in range(len(net.nodes)):
            role = net.roles[net.nodes.role[node]]
            key = (kind, role) if (kind, role) in forms else (kind, "others")
            used.add((key, reading(net, node, forms[key])[0]))
    assert used == {(key, form) for key, every in forms.items() for form in every}


def test_a_fabric_that_grows_keeps_its_names() -> None:
    """9 units and 11 units of 12 nodes: every name of the smaller is in the larger."""
    sizes = [
        TOPOLOGIES["superpod"](
            {"scalable_units": units, "nodes_per_unit": 12, "gpus_per_node": 4, "radix": 48, "speed": "400G"}
        )
        for units in (9, 11)
    ]
    assert set(sizes[0].nodes.name) <= set(sizes[1].nodes.name)


def test_a_name_template_keeps_its_zeros() -> None:
    """What a scenario writes is what it gets: spine00 beside unit0/leaf0."""
    spec = {**TOPOLOGIES["rail-optimised"].example, "spine": {"radix": 8, "count": 4, "name": "spine{index:02d}"}}
    net = TOPOLOGIES["rail-optimised"](spec)
    assert net.has_node("spine03")
    assert net.has_node("unit1/leaf3")


def test_containers_have_the_words_of_the_columns() -> None:
    """``su`` is not a word of ours."""
    with pytest.raises(ValueError, match="is not a word for a container"):
        node_names("leaf", [0], su=[0])
    assert set(COLUMNS) <= set(CONTAINERS)
