"""Which cables stay from one stage to the next: every one is counted once, and no more are touched than need be."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from growth_fabrics import GROWN, built, hosts, leaf_spine

from fabric.growth.choose import MOST_TOUCHED, next_fabric, room_for
from fabric.growth.rewiring import Rewiring, rewire
from fabric.growth.rule import BuiltFabric
from fabric.scenario.registries import Registries
from topologies.errors import ScenarioError
from topologies.topology import Topology

REGISTRIES = Registries()


def chain(name: str) -> list[tuple[BuiltFabric, BuiltFabric, Rewiring]]:
    """Every stage with the one before it."""
    keys, sizes, nics = GROWN[name]
    present, steps = built(keys, sizes[0], nics), []
    for size in sizes[1:]:
        following = next_fabric(present, hosts(size, nics), REGISTRIES, where=())
        steps.append((present, following.built, following.rewiring))
        present = following.built
    return steps


def cable(one: str, other: str, gbps: float) -> tuple[str, str, float]:
    """A cable by its two ends, in one order, and its speed."""
    low, high = sorted((one, other))
    return low, high, gbps


def pairs(topology: Topology) -> Counter[tuple[str, str, float]]:
    """Cables by their two ends and speed."""
    names, links = topology.nodes.name, topology.links
    cables = np.flatnonzero(topology.is_cable).tolist()
    return Counter(
        cable(names[links.src[row]], names[links.dst[row]], float(links.capacity_gbps[row])) for row in cables
    )


@pytest.mark.parametrize("name", GROWN)
def test_every_cable_is_kept_moved_removed_or_added(name: str) -> None:
    """Kept + moved + added are the new stage's cables, kept + moved + removed the old one's."""
    for before, after, rewiring in chain(name):
        kept, moved = len(rewiring.kept), len(rewiring.moved)
        assert kept + moved + len(rewiring.added) == int(after.topology.is_cable.sum())
        assert kept + moved + len(rewiring.removed) == int(before.topology.is_cable.sum())
        rows = np.concatenate([rewiring.kept[:, 1], rewiring.moved[:, 1], rewiring.added])
        assert sorted(rows.tolist()) == list(range(len(rewiring.after)))


@pytest.mark.parametrize("name", GROWN)
def test_no_fewer_are_touched_than_degrees_allow_and_cables_of_hosts_stay(name: str) -> None:
    """The bound by degrees is below what is touched; hosts keep their leaves."""
    for before, _, rewiring in chain(name):
        assert rewiring.least_touched <= rewiring.touched
        lower = rewiring.before.lower[np.concatenate([rewiring.moved[:, 0], rewiring.removed]).astype(int)]
        assert before.topology.is_switch[lower].all()


@pytest.mark.parametrize("name", [name for name in GROWN if name != "dragonfly" and "odd" not in name])
def test_at_most_a_quarter_is_touched(name: str) -> None:
    """What minimal re-wiring of a Clos needs: (1 - 1/g) / g of the new cables at growth g, a quarter at most."""
    assert all(rewiring.touched_part <= MOST_TOUCHED for _, _, rewiring in chain(name))


def test_doubled_two_tiers_touch_a_quarter_and_no_less() -> None:
    """8 leaves of 8 uplinks on 4 spines to 16 on 8: every old leaf keeps 4 of 8 uplinks, 32 of 128 cables move."""
    old, new = built(leaf_spine(16), 64).topology, built(leaf_spine(16), 128).topology
    rewiring = rewire(old, new)
    assert (rewiring.touched, rewiring.least_touched, rewiring.touched_part) == (32, 32, 0.25)


@pytest.mark.parametrize(("radix", "before", "after"), [(4, 4, 8), (6, 9, 18), (8, 8, 16), (8, 16, 32)])
def test_the_fewest_are_touched_of_all_ways_to_name_the_devices(radix: int, before: int, after: int) -> None:
    """Brute force over which old spine becomes which new one, leaves where their hosts are."""
    old, new = built(leaf_spine(radix), before).topology, built(leaf_spine(radix), after).topology
    ours, theirs = pairs(old), pairs(new)
    spines = [[node for node in one.nodes.name if node.startswith("spine")] for one in (old, new)]
    best = 0
    for chosen in permutations(spines[1], len(spines[0])):
        to = dict(zip(spines[0], chosen, strict=True))
        renamed: Counter[tuple[str, str, float]] = Counter()
        for (one, other, gbps), count in ours.items():
            renamed[cable(to.get(one, one), to.get(other, other), gbps)] += count
        best = max(best, (renamed & theirs).total())
    assert len(rewire(old, new).kept) == best


def test_the_fewest_are_touched_where_a_third_tier_comes() -> None:
    """Brute force over which of four old spines becomes which of the eight of two pods; leaves follow their hosts."""
    steps = chain("leaf-spine, then three tiers")
    old, new, rewiring = steps[-1]
    names = old.topology.nodes.name, new.topology.nodes.name
    leaf = {names[0][node]: names[1][to] for node, to in enumerate(rewiring.device.tolist()) if to >= 0}
    spines = [[n for n in one if n.rpartition("/")[2].startswith("spine")] for one in names]
    ours, theirs = pairs(old.topology), pairs(new.topology)
    used = sorted({end for low, high, _ in theirs for end in (low, high) if end in spines[1]
                   and any(other in set(leaf.values()) for other in (low, high))})  # fmt: skip
    gain = {
        (one, other): sum(
            min(count, theirs[cable(leaf[low if high == one else high], other, gbps)])
            for (low, high, gbps), count in ours.items()
            if one in (low, high)
        )
        for one, other in product(spines[0], used)
    }
    best = max(
        sum(gain[pairing] for pairing in zip(spines[0], chosen, strict=True))
        for chosen in permutations(used, len(spines[0]))
    )
    between = sum(count for (low, high, _), count in ours.items() if low in spines[0] or high in spines[0])
    assert rewiring.touched == between - best


@pytest.mark.parametrize("name", [name for name in GROWN if name not in ("rail-only", "dragonfly")])
def test_with_room_for_the_last_stage_nothing_is_touched(name: str) -> None:
    """Every stage is the next one with fewer hosts."""
    keys, sizes, nics = GROWN[name]
    last = next_fabric(built(keys, sizes[0], nics), hosts(sizes[-1], nics), REGISTRIES, where=()).built
    after = room_for(last, last, hosts(sizes[-1], nics), REGISTRIES, where=())
    for size in sizes[-2::-1]:
        before = room_for(last, after, hosts(size, nics), REGISTRIES, where=())
        assert rewire(before.topology, after.topology).touched == 0
        after = before


def test_a_kind_whose_tiers_follow_from_its_size_keeps_no_ports() -> None:
    """Every rail of a rail-only fabric is as small as can be: one switch, then two tiers."""
    keys, sizes, nics = GROWN["rail-only"]
    last = next_fabric(built(keys, sizes[0], nics), hosts(sizes[-1], nics), REGISTRIES, where=()).built
    with pytest.raises(ScenarioError, match="cannot keep ports for the last stage"):
        room_for(last, last, hosts(sizes[0], nics), REGISTRIES, where=())


def test_a_fabric_that_cannot_grow_says_why_and_which_can() -> None:
    """A fat tree of 8-port switches has 128 hosts, no more."""
    with pytest.raises(ScenarioError, match="does not grow to 129 nodes") as caught:
        next_fabric(built({"kind": "fat-tree", "radix": 8, "speed": "400G"}, 16), hosts(129), REGISTRIES, where=())
    assert "clos" in caught.value.problems[0].hint
