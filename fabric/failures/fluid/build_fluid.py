"""An engine that follows cases, for phases whose loads follow a rule; None where they do not, or do not fit memory."""

from __future__ import annotations

import numpy as np

from fabric.failures.engine import PhaseEngine, SweepPhase
from fabric.failures.fluid.columns import Rows
from fabric.failures.fluid.ends_state import ends_of
from fabric.failures.fluid.fluid_engine import FluidEngine
from fabric.failures.fluid.network_state import (
    FluidState,
    dummy_net,
    end_loads,
    lines_of,
    ranking_of,
    utilisation_of,
)
from fabric.failures.fluid.row_state import NODE_BYTES, ROW_BYTES, count_rows, empty_rows, rows_by_rule, settle
from fabric.failures.frozen_splits import efficiency_of, prepared_of, rule_of
from fabric.routing.graph import DemandRows
from fabric.routing.utilisation import SAME
from topologies.budget import free_bytes, memory_limit
from topologies.columns import Ints
from topologies.errors import RoutingError

_MEMORY_PART = 0.5  # of the memory that is free, for the rows of one phase


def fluid_engine(phase: SweepPhase, plain: PhaseEngine, *, frozen: bool) -> FluidEngine | None:
    """An engine that follows cases, or None; ``plain`` does the cases that cannot be followed."""
    rule = rule_of(phase)
    if rule is None:
        return None
    try:
        prepared = prepared_of(phase)
    except RoutingError:  # pairs of endpoints with several links, too many to be looked at one by one
        return None
    graph, demand = prepared.graph, prepared.demand
    net, efficiency = dummy_net(graph, rule), efficiency_of(phase)
    classes = demand.gbps.shape[1]
    columns = classes + (efficiency < 1)
    lines = lines_of(graph, net, columns, frozen=frozen, classes=classes, extra=1 / efficiency - 1)
    wanted = DemandRows(
        np.array(demand.dest, np.int32), np.array(demand.start, np.int64), np.array(demand.src, np.int32)
    )
    nodes, hops = count_rows(net, wanted)
    size_bytes = int(hops.sum()) * ROW_BYTES + int(nodes.sum()) * (NODE_BYTES + 8 * columns)
    if size_bytes > free_bytes(memory_limit()) * _MEMORY_PART:
        return None
    rows = empty_rows(wanted.dest, nodes, hops, columns, len(phase.topology.links))
    rows_by_rule(net, lines.slot_link, wanted, rows)
    ends = ends_of(graph, demand, prepared.pairs, _places(rows, len(demand.src)))
    settle(lines, rows, ends.gbps, lines.gbps)
    end_loads(graph, demand, lines.gbps)
    intact = phase.intact.utilisation
    if not np.allclose(utilisation_of(lines, lines.gbps), intact, rtol=SAME, atol=SAME**2):
        return None
    lines.link["utilisation"] = intact
    state = FluidState(lines, rows, ends, net, ranking_of(phase, lines))
    return FluidEngine(state, plain)


def _places(rows: Rows, entries: int) -> Ints:
    """Node of its row at which every entry of the demand enters, shape (nnz,)."""
    places = np.zeros(entries, np.int32)
    start, entry = rows.row["node_start"], rows.node["entry"][:-1]
    first = np.repeat(start[:-1], np.diff(start))
    entered = entry >= 0
    places[entry[entered]] = (np.arange(len(entry)) - first)[entered]
    return places
