"""A certificate's network and demand against those of a scenario, which somebody else has derived."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from fabric.certificate_check.columns import DemandColumns, FabricColumns, Floats, PhaseColumns
from fabric.certificate_check.demand import projection
from fabric.certificate_check.finding import HOLDS, REFUTED, Finding

_ALIKE = 1e-9  # relative; amounts and capacities this close are the same
_PROJECTIONS = 2


@dataclass(frozen=True, eq=False)
class Given:
    """The network of a phase and what goes over it, as the scenario has them."""

    fabric: FabricColumns
    demand: DemandColumns


def check_given(phase: PhaseColumns, given: Given | None) -> list[Finding]:
    """Whether a phase is about the network and the demand of the scenario.

    Parameters
    ----------
    given : Given or None
        None: the scenario has no such phase.
    """
    if given is None:
        words = f"it sends nothing in a phase {phase.phase} over a fabric {phase.fabric.name}"
        return [Finding("scenario", REFUTED, words)]
    wrong = _other_links(phase.fabric, given.fabric) or _other_demand(phase.fabric, phase.demand, given.demand)
    return [Finding("scenario", REFUTED, wrong) if wrong else Finding("scenario", HOLDS)]


def _other_links(ours: FabricColumns, theirs: FabricColumns) -> str:
    """The first difference between two networks, in words; empty where there is none."""
    if len(ours.node_name) != len(theirs.node_name):
        return f"it has {len(theirs.node_name):,} nodes, the file {len(ours.node_name):,}"
    other = (ours.node_name != theirs.node_name) | (ours.node_forwards != theirs.node_forwards)
    if other.any():
        node = int(np.argmax(other))
        return f"its node {theirs.node_name[node]} is {ours.node_name[node]} in the file, or another kind of node"
    if len(ours.link_src) != len(theirs.link_src):
        return f"it has {len(theirs.link_src):,} links, the file {len(ours.link_src):,}"
    for words, differs in (
        ("joins other nodes", (ours.link_src != theirs.link_src) | (ours.link_dst != theirs.link_dst)),
        ("is up in one and down in the other", ours.link_up != theirs.link_up),
        ("has another capacity", _differ(ours.link_capacity_gbps, theirs.link_capacity_gbps)),
        ("has another weight", _differ(ours.link_weight, theirs.link_weight)),
    ):
        if differs.any():
            return f"its link {theirs.link_name(int(np.argmax(differs)))} {words}"
    return ""


def _differ(ours: Floats, theirs: Floats) -> np.ndarray:
    return np.asarray(np.abs(ours - theirs) > _ALIKE * np.maximum(ours, theirs))


def _other_demand(fabric: FabricColumns, ours: DemandColumns, theirs: DemandColumns) -> str:
    """The first node that exchanges other amounts with anyone, in words; empty where there is none.

    However demand is written, as rows or blocks, every node's amounts are weighed with random numbers of its partners
    and summed; the numbers follow from both demands, so that a check repeats to the last bit.
    """
    digest = hashlib.sha256()
    for demand in (ours, theirs):
        for column in (demand.src, demand.dst, demand.gbps, demand.block_start, demand.block_member, demand.block_gbps):
            digest.update(np.ascontiguousarray(column).tobytes())
    rng = np.random.default_rng(int.from_bytes(digest.digest()[:8], "big"))
    nodes = np.arange(len(fabric.node_name))
    for _ in range(_PROJECTIONS):
        weight = rng.random(len(nodes)) + 0.5
        for verb in ("sends", "receives"):
            sums = [
                projection(
                    demand, (demand.src, demand.dst) if verb == "sends" else (demand.dst, demand.src), weight, nodes
                )
                for demand in (ours, theirs)
            ]
            differs = _differ(*sums)
            if differs.any():
                node = int(np.argmax(differs))
                return f"{fabric.node_name[node]} {verb} other amounts in it than in the file"
    return ""
