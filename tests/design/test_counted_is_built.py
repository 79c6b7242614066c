"""Every design that a family counts is, built from its keys, port for port what was counted."""

from __future__ import annotations

from math import inf
from random import Random

import pytest
from counted_fabrics import SMALL, build, designs

from fabric.design.family import FAMILIES
from fabric.design.need import FabricNeed
from topologies.summary import summarise
from topologies.validate import validate


def random_need(draw: Random, family: str) -> FabricNeed:
    """A small need that a family may or may not meet."""
    nics = draw.choice([1, 2, 4, 8])
    return FabricNeed(
        "backend",
        hosts=draw.randint(1, 40),
        gpus_per_host=nics,
        nics=nics,
        nic_gbps=draw.choice([200.0, 400.0]),
        nic_ports=draw.choice([(1,), (1, 2), (2,)]),
        rail=draw.choice(["per-gpu", "shared"]),
        oversubscription=draw.choice([1.0, 1.5, 2.0, 3.0, inf]),
        kinds=(family,),
        single_failures=draw.choice([(), ("spine",), ("leaf",), ("spine", "leaf", "core", "leaf-uplink")]),
        reserve_hosts=draw.choice([0, 0, 5]),
    )


def check(need, counted):
    """Counts of a design against those of the topology that its keys build."""
    net = build(need, SMALL, counted)
    found = summarise(net)
    messages = [problem.message for problem in validate(net)]
    assert all(f"falls into {counted.parts} parts" in text for text in messages)
    assert len(messages) == (counted.parts > 1)
    by_role = {row.role: row.count for row in counted.switches}
    assert by_role == {role: count for role, count in found.nodes_by_role.items() if role in by_role}
    assert found.switches == sum(by_role.values())
    assert {row.tier: row.count for row in counted.cables} == found.cables_by_tier
    assert {row.tier: row.gbps for row in counted.cables} == found.port_gbps_by_tier
    for row in counted.switches:
        model = SMALL.switches[row.model]
        ways = found.ports_available_by_role[row.role] // model.ports
        assert row.ports_used == -(-found.ports_used_max_by_role[row.role] // ways) <= model.ports
    there = {role: ratio for role, ratio in found.oversubscription_by_role.items() if ratio is not None}
    assert dict(counted.oversubscription) == pytest.approx(there)
    assert all(ratio <= need.oversubscription + 1e-9 for ratio in there.values())
    assert found.endpoints == need.endpoints * counted.nic_ports


@pytest.mark.parametrize("family", FAMILIES)
def test_counts_are_those_of_the_built_topology(family):
    draw = Random(family)
    checked = 0
    for _ in range(400):
        need = random_need(draw, family)
        variants = list(FAMILIES[family].variants(need, SMALL))
        for variant in draw.sample(variants, min(2, len(variants))):
            for counted in designs(variant, draw, most=2):
                check(need, counted)
                checked += 1
        if checked >= 60:
            break
    assert checked >= 20


@pytest.mark.parametrize("family", FAMILIES)
def test_no_design_is_below_the_floor_of_its_variant(family):
    draw = Random(family)
    for _ in range(30):
        need = random_need(draw, family)
        variants = list(FAMILIES[family].variants(need, SMALL))
        assert len({variant.name for variant in variants}) == len(variants)
        for variant in draw.sample(variants, min(2, len(variants))):
            for counted in designs(variant, draw, most=1):
                pairs = [
                    *zip(variant.floor.switches, counted.switches, strict=True),
                    *zip(variant.floor.links, counted.cables, strict=True),
                ]
                assert all(low.count <= row.count for low, row in pairs)
