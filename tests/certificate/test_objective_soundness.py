"""Whatever is changed in a file of any objective: when the check says that it holds, plain programmes say so too."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from certificate_files import certified, members, save
from oracle_fabrics import Case
from scipy.optimize import linprog

from fabric.certificate_check import check_certificate, read_certificate
from topologies.assemble import assemble
from topologies.errors import FormatError

COLUMNS = (
    "phase0/objective_price", "phase0/stage_price", "phase0/stage_edge", "phase0/served_part", "phase0/served_stage",
    "phase0/splits_part", "phase0/splits_edge", "phase0/paths_gbps", "phase0/paths_edge", "phase0/demand_gbps",
    "phase0/demand_dst", "fabric0/link_capacity_gbps", "fabric0/link_weight", "fabric0/link_up",
)  # fmt: skip
CLAIMS = ("value", "bound", "most_utilisation", "levels_gap")
FILES = 40
CLOSE = 4e-6  # the check's tolerances, of value and bound together


def _case(seed, scale):
    """Five routers in a ring with chords of random speed; six demands between them."""
    rng, net = np.random.default_rng(seed), assemble("ring", "random")
    ids = [int(node) for node in net.nodes("router", [f"r{each}" for each in range(5)], level=1, nics=1)]
    for low in range(5):
        net.cables([ids[low]], [ids[(low + 1) % 5]], float(rng.choice([40.0, 100.0])), weight=float(rng.choice([1, 2])))
    net.cables([ids[0]], [ids[2]], 10.0)
    rows = []
    for _ in range(6):
        src, dst = rng.choice(5, 2, replace=False)
        rows.append((ids[int(src)], ids[int(dst)], float(rng.choice([10.0, 30.0, 70.0])) * scale))
    return Case(net.freeze(), tuple(rows))


class _Plain:
    """Flows by pair and link, and the part of every pair that is admitted."""

    def __init__(self, phase):
        fabric, demand = phase.fabric, phase.demand
        amounts = {}
        for src, dst, gbps in zip(demand.src.tolist(), demand.dst.tolist(), demand.gbps.tolist(), strict=True):
            if gbps > 0:
                amounts[src, dst] = amounts.get((src, dst), 0.0) + gbps
        self.pairs, self.gbps = list(amounts), np.array(list(amounts.values()))
        self.room = np.where(fabric.link_up, fabric.link_capacity_gbps, 0.0)
        links, nodes, count = len(self.room), len(fabric.node_name), len(self.pairs)
        self.weight, self.flows = np.tile(fabric.link_weight, count), links * count
        self.balance = np.zeros((count * nodes, self.flows + count))
        for pair, (src, dst) in enumerate(self.pairs):
            for link in range(links):
                self.balance[pair * nodes + fabric.link_src[link], pair * links + link] += 1
                self.balance[pair * nodes + fabric.link_dst[link], pair * links + link] -= 1
            self.balance[pair * nodes + src, self.flows + pair] -= self.gbps[pair]
            self.balance[pair * nodes + dst, self.flows + pair] += self.gbps[pair]
        self.capacity = np.hstack([np.tile(np.eye(links), count), np.zeros((links, count))])

    def best(self, cost, least, most, target=1.0):
        """Least cost, with parts between ``least`` and ``most``; None where that does not fit."""
        parts = [(low, max(low, high)) for low, high in zip(least, most, strict=True)]
        bounds = [(0, None)] * self.flows + parts
        found = linprog(
            cost, self.capacity, self.room * target, self.balance, np.zeros(len(self.balance)), bounds, method="highs"
        )
        return float(found.fun) if found.status == 0 else None

    def throughput(self):
        count = len(self.pairs)
        return -self.best(np.append(np.zeros(self.flows), -self.gbps), np.zeros(count), np.ones(count))

    def cost(self, target):
        count = len(self.pairs)
        return self.best(np.append(self.weight, np.zeros(count)), np.ones(count), np.ones(count), target)

    def level(self):
        """Highest part that all pairs can have at once: their columns of parts as one."""
        one = np.zeros(self.flows + 1)
        one[-1] = -1.0
        balance = np.column_stack([self.balance[:, : self.flows], self.balance[:, self.flows :].sum(axis=1)])
        bounds = [(0, None)] * self.flows + [(0, 1)]
        capacity, zero = self.capacity[:, : self.flows + 1], np.zeros(len(balance))
        return -float(linprog(one, capacity, self.room, balance, zero, bounds).fun)

    def most_of(self, pair, parts):
        """Most that one pair can get while none that has no more than it loses."""
        cost = np.zeros(self.flows + len(self.pairs))
        cost[self.flows + pair] = -1.0
        least = np.where(parts <= parts[pair], parts * (1 - 1e-9), 0.0)
        return -self.best(cost, least, np.ones(len(self.pairs)))


def _parts(phase, pairs):
    """Admitted part of every pair."""
    served = {}
    if phase.served is not None:
        ends = zip(phase.served.src.tolist(), phase.served.dst.tolist(), strict=True)
        served = dict(zip(ends, phase.served.part.tolist(), strict=True))
    points = [(int(phase.send_point[src]), int(phase.receive_point[dst])) for src, dst in pairs]
    return np.array([served.get(ends, 1.0) for ends in points])


def _check_truth(phase):
    """Value and bound of a file that holds, against the programmes."""
    plain, claims, parts = _Plain(phase), phase.proven, None
    if phase.objective == "max-throughput":
        best = plain.throughput()
        assert claims.value <= best * (1 + CLOSE) + 1e-6
        assert claims.bound >= best * (1 - CLOSE) - 1e-6
    elif phase.objective == "min-cost":
        best = plain.cost(claims.most_utilisation * (1 + 2e-6))
        assert best is not None
        assert claims.value >= best * (1 - CLOSE) - 1e-6
        exact = plain.cost(claims.most_utilisation)
        assert exact is None or claims.bound <= exact * (1 + CLOSE) + 1e-6
    else:
        best = plain.level()
        assert claims.value <= best * (1 + CLOSE) + 1e-6
        assert claims.bound >= best * (1 - CLOSE) - 1e-6
        parts = _parts(phase, plain.pairs)
        for pair in np.flatnonzero(parts < 1 - 1e-6):
            most = plain.most_of(int(pair), parts)
            assert most <= parts[pair] * (1 + claims.levels_gap + 1e-5) + 1e-6


def _one_changed(found, rng):
    """A file with one or two entries of columns, or claims, changed."""
    changed = {**found, "manifest.json": copy.deepcopy(found["manifest.json"])}
    present = [f"{name}.npy" for name in COLUMNS if len(found.get(f"{name}.npy", ()))]
    for _ in range(int(rng.integers(1, 3))):
        if rng.random() < 0.3:
            claims = changed["manifest.json"]["phases"][0]["objective_claims"]
            name = str(rng.choice([name for name in CLAIMS if claims[name] is not None]))
            claims[name] *= float(rng.choice([0.5, 0.999, 1.00001, 1.001, 2.0]))
            continue
        name = str(rng.choice(present))
        values = changed[name].copy()
        at, other = rng.integers(len(values), size=2)
        if values.dtype == np.bool_:
            values[at] = not values[at]
        elif values.dtype.kind == "f" and rng.random() < 0.5:
            values[at] *= rng.choice([0.0, 0.5, 0.999, 1.001, 2.0])
        else:
            values[at] = values[other]
        changed[name] = values
    return changed


@pytest.mark.parametrize(
    ("objective", "scale", "options"),
    [("max-throughput", 1.0, {}), ("max-min-fair", 1.0, {}), ("min-cost", 0.3, {"target_utilisation": 1.0})],
)
@pytest.mark.parametrize("seed", range(3))
def test_no_file_that_holds_is_false(objective, scale, options, seed, tmp_path):
    """40 files with one or two changes; what holds is true, and the file as written is among it."""
    path, rng = tmp_path / "c.zip", np.random.default_rng(seed)
    _, verdict = certified(path, _case(seed, scale), "optimal", objective=objective, gap=1e-6, **options)
    assert verdict.verdict == "holds"
    (phase,) = read_certificate(path).phases
    _check_truth(phase)
    found, counts = members(path), {"holds": 0, "refuted": 0}
    for _ in range(FILES):
        try:
            file = read_certificate(save(path, _one_changed(found, rng)))
        except FormatError:
            continue
        (verdict,) = check_certificate(file)
        counts[verdict.verdict] += 1
        if verdict.verdict == "holds":
            _check_truth(file.phases[0])
    assert counts["refuted"] > 10
    assert counts["holds"] > 0
