"""Counts of slides: known mistakes are named with their arithmetic, sound counts are left alone, offers are built."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from sizing_mistakes import MISTAKES, Mistake

from fabric.review.build_counts import built_summary
from fabric.review.claims import Claims, flag_claims
from fabric.review.counts import check_counts, narrowed
from fabric.review.review_counts import review_counts
from topologies.builder import TOPOLOGIES
from topologies.catalogue import builtin
from topologies.errors import ScenarioError
from topologies.summary import summarise


def claims(**keys) -> Claims:
    """As flags give them."""
    return flag_claims(keys, builtin())


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.name)
def test_a_known_mistake_is_named_with_its_arithmetic(mistake: Mistake) -> None:
    """Its kind, its severity, its numbers, and what of it can be built."""
    review = review_counts(claims(**mistake.claims))
    texts = [finding.text for finding in review.findings]
    matching = [finding for finding in review.findings if mistake.text in finding.text]
    assert matching, texts
    assert matching[0].kind == mistake.kind
    assert matching[0].severity == mistake.severity
    assert matching[0].fix
    if mistake.changed is not None:
        assert review.buildable is not None, review.unbuildable
        assert any(mistake.changed in text for text in review.buildable.changed), review.buildable.changed


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda one: one.name)
def test_every_conflict_is_smallest(mistake: Mistake) -> None:
    """Without any one of its claims the others of a conflict agree."""
    whole = claims(**mistake.claims)
    checked = check_counts(whole)
    for conflict in checked.conflicts:
        assert narrowed(whole.only(conflict.claims), whole, checked.shape)[1] is not None
        for key in conflict.claims:
            assert narrowed(whole.only(conflict.claims - {key}), whole, checked.shape)[1] is None


def leaf_spine_claims(leaves: int, spines: int, down: int, parallel: int, gbps: int) -> dict:
    """All counts of a leaf-spine by closed form: L leaves of d hosts, s spines, p cables to each."""
    hosts, up = leaves * down, spines * parallel
    return {
        "gpus": hosts, "hosts": hosts, "gpus_per_host": 1, "nics": hosts, "leaves": leaves, "spines": spines,
        "switches": leaves + spines, "host_ports": down, "uplinks": up, "spine_down": leaves * parallel,
        "leaf_radix": down + up, "spine_radix": leaves * parallel, "host_cables": hosts,
        "leaf_spine_cables": leaves * up, "cables": hosts + leaves * up, "fabric_cables": leaves * up,
        "ports": leaves * (down + up) + leaves * up, "speed": f"{gbps}G", "oversubscription": f"{down}:{up}",
        "bisection": f"{min(hosts, leaves * up) * gbps / 2} Gb/s", "tiers": 2, "hops": 3,
        "host_bandwidth": f"{hosts * gbps} Gb/s", "optics": 2 * (hosts + leaves * up),
    }  # fmt: skip


SOUND = [(4, 2, 4, 2, 100), (16, 8, 32, 4, 400), (8, 3, 12, 1, 200), (2, 1, 1, 1, 800), (64, 32, 32, 1, 400)]


@pytest.mark.parametrize("counts", SOUND)
@pytest.mark.parametrize("seed", range(4))
def test_counts_of_a_fabric_that_exists_contradict_nothing(counts, seed) -> None:
    """Any subset of the counts of a built leaf-spine is consistent, and the built one has them."""
    whole = leaf_spine_claims(*counts)
    leaves, spines, down, parallel, gbps = counts
    net = TOPOLOGIES["leaf-spine"]({
        "leaf": {"count": leaves, "radix": down + spines * parallel, "down": down, "up": spines * parallel,
                 "speed": f"{gbps}G"},
        "spine": {"count": spines, "radix": leaves * parallel, "speed": f"{gbps}G"},
    })  # fmt: skip
    assert summarise(net).cables_by_tier["leaf-spine"] == whole["leaf_spine_cables"]
    keys = sorted(whole)
    random.Random(seed).shuffle(keys)
    for size in (len(keys), len(keys) // 2, 5):
        subset = {key: whole[key] for key in keys[:size]}
        checked = check_counts(claims(**subset))
        assert checked.conflicts == (), (subset, [conflict.text for conflict in checked.conflicts])


@pytest.mark.parametrize("k", [4, 8, 48, 64])
def test_a_fat_tree_of_the_paper_is_sound(k) -> None:
    """Al-Fares 2008: k³/4 hosts, 5k²/4 switches."""
    review = review_counts(claims(
        kind="fat-tree", radix=k, hosts=k**3 // 4, nics_per_host=1, switches=5 * k**2 // 4, pods=k,
        cores=k**2 // 4, leaves=k**2 // 2, spines=k**2 // 2, leaf_spine_cables=k**3 // 4, spine_core_cables=k**3 // 4,
    ))  # fmt: skip
    assert [finding.text for finding in review.findings if finding.severity == "contradiction"] == []


@pytest.mark.parametrize(
    ("leaves", "spines", "cores", "nodes"), [(32, 16, 0, 127), (64, 32, 0, 256), (128, 128, 64, 511)]
)
def test_the_rows_of_the_superpod_table_are_sound(leaves, spines, cores, nodes) -> None:
    """NVIDIA DGX SuperPOD H100: leaves, spines and cores of 64 ports."""
    more = {"cores": cores} if cores else {}
    review = review_counts(claims(
        hosts=nodes, gpus_per_host=8, leaves=leaves, spines=spines, radix=64, uplinks=32, host_ports=32, **more,
    ))  # fmt: skip
    assert [finding.text for finding in review.findings if finding.severity != "note"] == []


GRID = [
    dict(zip(("leaves", "spines", "host_ports", "uplinks", "radix"), numbers, strict=True))
    for numbers in itertools.product((2, 5), (1, 2, 3), (2, 6), (1, 2, 4), (4, 8))
]


@pytest.mark.parametrize("counts", GRID, ids=lambda one: "-".join(map(str, one.values())))
def test_counts_agree_exactly_where_a_fabric_can_be_wired(counts) -> None:
    """By hand: ports of leaves, ports of spines; even spread is a warning apart."""
    fits = counts["host_ports"] + counts["uplinks"] <= counts["radix"]
    fits = fits and counts["leaves"] * counts["uplinks"] <= counts["spines"] * counts["radix"]
    fits = fits and not (counts["leaves"] > counts["radix"] and counts["uplinks"] >= counts["spines"])
    findings = review_counts(claims(**counts)).findings
    assert any(finding.severity == "contradiction" for finding in findings) != fits
    uneven = counts["uplinks"] % counts["spines"] != 0
    assert any(finding.kind == "spread" for finding in findings) == uneven


@pytest.mark.parametrize("mistake", MISTAKES[:10], ids=lambda one: one.name)
def test_what_is_offered_was_built(mistake: Mistake) -> None:
    """Its scenario builds, within its ports, with the counts that are named."""
    offer = review_counts(claims(**mistake.claims)).buildable
    if offer is None:
        assert not {"gpus", "hosts", "nics"} & set(mistake.claims)
        return
    summary = built_summary(offer.text)
    named = dict(offer.counts)
    assert named["leaf"] == f"{summary.nodes_by_role['leaf']:,}"
    for role, have in summary.ports_available_by_role.items():
        assert have is None or summary.ports_used_max_by_role[role] <= have
    if "gpus" in mistake.claims and mistake.kind != "reach":
        assert summary.endpoints == mistake.claims["gpus"]


def test_rounded_figures_are_what_they_are_rounded_from() -> None:
    """102 Tb/s of 256 NICs at 400G are 102.4; 103 are not."""
    keys = {"gpus": 256, "speed": "400G", "tiers": 2}
    assert check_counts(claims(**keys, host_bandwidth="102 Tb/s")).conflicts == ()
    assert check_counts(claims(**keys, host_bandwidth="103 Tb/s")).conflicts != ()
    ratios = {"host_ports": 48, "uplinks": 36, "leaves": 2}
    assert check_counts(claims(**ratios, oversubscription="1.33:1")).conflicts == ()
    assert check_counts(claims(**ratios, oversubscription="1.3:1")).conflicts == ()
    assert check_counts(claims(**ratios, oversubscription="1.4:1")).conflicts != ()


def test_the_order_of_claims_changes_nothing() -> None:
    """The same findings for permuted keys."""
    keys = MISTAKES[2].claims
    first = [finding.text for finding in review_counts(claims(**keys)).findings]
    again = dict(reversed(list(keys.items())))
    assert [finding.text for finding in review_counts(claims(**again)).findings] == first


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"leaves": -1}, "--leaves"),
        ({"oversubscription": "lots"}, "--oversubscription"),
        ({"oversubscription": "0:1"}, "--oversubscription"),
        ({"bisection": "25.6"}, "--bisection"),
        ({"bisection": "0 Tb/s"}, "--bisection"),
        ({"model": "eth-64x4000"}, "--model"),
        ({"kind": "star"}, "--kind"),
        ({"gpus": 10**9}, "--gpus"),
        ({"cost": math.nan}, "--cost"),
    ],
)
def test_a_value_that_is_none_is_refused_by_its_flag(keys, text) -> None:
    """FP2302, and a way out."""
    with pytest.raises(ScenarioError, match=text) as error:
        claims(**keys)
    assert error.value.problems[0].code == "FP2302"


SIBLINGS: dict[str, tuple[dict[str, Any], str]] = {
    "one switch": ({"cables": 200, "radix": 144, "switches": 1}, "200 cables need 200 switch ports"),
    "a leaf under a spine": (
        {"cables": 200, "radix": 144, "leaves": 1, "spines": 1}, "200 cables need 200 leaf ports",
    ),
    "fewer cables than a NIC for each host": (
        {"hosts": 64, "radix": 64, "leaves": 8, "spines": 4, "uplinks": 32, "cables": 300}, "300 cables is none of",
    ),
    "fewer NICs than hosts": ({"hosts": 16, "nics": 8}, "16 hosts x 1 NIC a host = at least 16 NICs"),
    "the bisection of 1:1 at 2:1": (
        {"gpus": 1024, "speed": "400G", "radix": 64, "oversubscription": "2:1", "bisection": "204.8 Tb/s"},
        "bisection at 2:1 is 102.4 Tb/s, not 204.8 Tb/s",
    ),
    "spine ports, though the leaves are wrong too": (
        {"gpus": 512, "leaves": 8, "uplinks": 64, "spines": 4, "radix": 64},
        "512 uplinks need 512 spine ports, and there are 256",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SIBLINGS)
def test_siblings_of_known_mistakes_are_named_too(case) -> None:
    keys, text = SIBLINGS[case]
    said = [one.text for one in review_counts(claims(**keys)).findings if one.severity == "contradiction"]
    assert any(text in each for each in said), said


def test_cables_on_ports_that_are_broken_out_are_no_contradiction() -> None:
    """A leaf of 64 ports of 800G has 128 ends of 400G: 120 cables are not too many; 130 are."""
    keys = {"model": "eth-64x800", "speed": "400G", "leaves": 1, "spines": 1}
    assert check_counts(claims(**keys, cables=120)).conflicts == ()
    assert check_counts(claims(**keys, cables=130)).conflicts != ()
