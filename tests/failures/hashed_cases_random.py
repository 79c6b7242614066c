"""Random fabrics, hashed flows and damage; and a comparison of every column that engines answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from oracle_fabrics import STEADY, larger_case

from fabric.evaluation.phases import route_phase
from fabric.failures.cases import Damage
from fabric.failures.engine import LinkWorst, SweepPhase
from fabric.routing.names import HASH_FUNCTIONS
from fabric.routing.router import HashOptions, RoutingOptions
from fabric.scenario.latency_schema import FabricLatency
from topologies.columns import column
from traffic.demands import Demands, Flows, UniformBlock

COLUMNS = ("max_utilisation", "hottest", "links_over_capacity", "unreachable_pairs", "peak", "cut")


def hashed_phase(net, parts, *, router="ecmp-hash", seed=7, queue_pairs=3, **options):
    """Steady traffic of one job per part, hashed, as a sweep is given it."""
    classes = tuple(replace(STEADY, job=f"job{at}", flows_per_pair=queue_pairs) for at in range(len(parts)))
    demands = Demands("main", classes, tuple(parts))
    options = RoutingOptions(seed=seed, **options)
    route = route_phase(net, demands, "steady", router=router, options=options, efficiency=1.0)
    return SweepPhase("main", "steady", net, demands, router, options, 1.0, FabricLatency(), route)


def random_phase(seed, *, resilient):
    """A random network, two jobs, the hash function by the seed; some links down or slow before any case."""
    case, rng = larger_case(seed), np.random.default_rng(seed)
    first = rng.random(len(case.flows.src)) < 0.5
    flows = case.flows
    parts = [Flows(flows.src[mask], flows.dst[mask], flows.amount[mask]) for mask in (first, ~first)]
    net, ends = case.net, case.net.endpoint_nodes
    if seed % 3 == 0:
        parts[0] = replace(parts[0], blocks=(UniformBlock(column(ends[: 2 + seed % 3], np.int32), 3.0),))
    if seed % 2:
        slow = rng.choice(len(net.links), 2, replace=False)
        net = net.with_slowed(column(slow, np.int32), column([0.5, 0.8], np.float64))
    function = HASH_FUNCTIONS[seed % len(HASH_FUNCTIONS)]
    return hashed_phase(net, parts, hash=HashOptions(function=function, resilient=resilient))


def random_damage(rng, links, cases, *, most=4):
    """Up to ``most`` - 1 dead links a case, and up to two slow ones."""
    dead = [np.unique(rng.integers(links, size=rng.integers(0, most))).astype(np.int32) for _ in range(cases)]
    slow = [np.setdiff1d(rng.integers(links, size=rng.integers(0, 3)), gone).astype(np.int32) for gone in dead]
    return damage_from(dead, slow, [rng.choice([0.25, 0.5, 0.9], size=len(links)) for links in slow])


def damage_from(dead, slow=None, left=None):
    """Columns from one array a case."""
    slow = [np.empty(0, np.int32) for _ in dead] if slow is None else slow
    left = [np.empty(0) for _ in dead] if left is None else left

    def starts(parts):
        return column(np.concatenate([[0], np.cumsum([len(part) for part in parts])]), np.int64)

    def joined(parts, kind):
        return column(np.concatenate([np.empty(0, kind), *parts]), kind)

    return Damage(starts(dead), joined(dead, np.int32), starts(slow), joined(slow, np.int32), joined(left, np.float64))


def together(damage, one, two):
    """Damage of one case that does what two do."""
    (dead, slow, left), (dead2, slow2, left2) = damage.of(one), damage.of(two)
    gone = np.union1d(dead, dead2).astype(np.int32)
    factor: dict[int, float] = {}
    for link, part in zip([*slow, *slow2], [*left, *left2], strict=True):
        if link not in gone:
            factor[int(link)] = factor.get(int(link), 1.0) * part
    links = sorted(factor)
    return gone, np.array(links, dtype=np.int32), np.array([factor[link] for link in links])


def all_pairs_of(damage, first=0, last=None):
    """Every case with every later one, written out."""
    rows = [
        together(damage, one, two)
        for one in range(first, len(damage) if last is None else last)
        for two in range(one + 1, len(damage))
    ]
    return damage_from(*zip(*rows, strict=True))


def assert_alike(ours, theirs, our_worst: LinkWorst, their_worst: LinkWorst):
    """Every column to 1e-9, and the worst cases of every link; cases that fill it equally may change places."""
    for name in COLUMNS:
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-9, atol=0, err_msg=name)
    np.testing.assert_allclose(our_worst.utilisation, their_worst.utilisation, rtol=1e-9, atol=0)
    alone = np.ones(our_worst.utilisation.shape, dtype=bool)
    values = their_worst.utilisation
    close = np.isclose(values[:, 1:], values[:, :-1], rtol=1e-9, atol=0)
    alone[:, 1:] &= ~close
    alone[:, :-1] &= ~close
    alone[:, -1] = False  # others that are as full may have been left out
    np.testing.assert_array_equal(our_worst.case[alone], their_worst.case[alone])
