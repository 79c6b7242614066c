"""Routes of endpoints: those with several links choose between them, by weights of the plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from fabric.rules.compile import Compiler
from fabric.rules.planned import PlannedRules
from fabric.rules.table import Bucket, prefix_text


class HostRoute(NamedTuple):
    """A prefix, and the ports of a host that lead there with their weights."""

    node: int  # topology node
    family: int
    prefix: str
    ways: tuple[Bucket, ...]


def chosen_routes(planned: PlannedRules) -> Iterator[HostRoute]:
    """Routes of endpoints with several links, host by host."""
    graph = planned.programme.decisions.graph
    topology, plan = planned.rules.topology, planned.plan
    compiler = Compiler(plan, planned.programme, planned.rules.families, {}, {})
    several = np.flatnonzero(~topology.nodes.forwards & (graph.source >= 0) & (topology.nodes.nics > 0))
    for node in several.tolist():
        if not graph.is_terminal[graph.source[node]]:
            continue
        rules, groups = compiler.rules(int(graph.source[node]), node)
        buckets = {group.id: group.buckets for group in groups}
        for rule in rules:
            ways: tuple[Bucket, ...] = ()
            if rule.action.kind == "output":
                ways = (Bucket(rule.action.value, 1),)
            elif rule.action.kind == "group":
                ways = buckets[rule.action.value]
            if rule.match.family:
                yield HostRoute(node, rule.match.family, prefix_text(rule.match.family, *rule.match[1:3]), ways)
