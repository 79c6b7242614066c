"""An engine that follows cases, for phases whose loads follow a rule; None where they do not, or do not fit memory."""

from __future__ import annotations

import numpy as np

from fabric.evaluation.phases import PreparedPhase
from fabric.failures.engine import PhaseEngine, SweepPhase
from fabric.failures.fluid.columns import Lines, Rows
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
from fabric.failures.fluid.split_rows import rows_by_splits
from fabric.failures.frozen import FrozenEngine
from fabric.failures.frozen_splits import efficiency_of, prepared_of, rule_of
from fabric.routing.graph import DemandRows
from fabric.routing.shortest_splits import SweepNet
from fabric.routing.utilisation import SAME
from topologies.budget import free_bytes, memory_limit
from topologies.columns import Ints
from topologies.errors import RoutingError

_MEMORY_PART = 0.5  # of the memory that is free, for the rows of one phase


def fluid_engine(phase: SweepPhase, plain: PhaseEngine) -> FluidEngine | None:
    """An engine that follows cases where routing converges, or None; ``plain`` does those that cannot be followed."""
    rule = rule_of(phase)
    if rule is None:
        return None
    try:
        prepared = prepared_of(phase)
    except RoutingError:  # pairs of endpoints with several links, too many to be looked at one by one
        return None
    net, demand = dummy_net(prepared.graph, rule), prepared.demand
    lines = _lines(phase, prepared, net, frozen=False)
    wanted = DemandRows(
        np.array(demand.dest, np.int32), np.array(demand.start, np.int64), np.array(demand.src, np.int32)
    )
    nodes, hops = count_rows(net, wanted)
    columns = lines.gbps.shape[1]
    if not _fits(int(nodes.sum()), int(hops.sum()), columns):
        return None
    rows = empty_rows(wanted.dest, nodes, hops, columns, len(phase.topology.links))
    rows_by_rule(net, lines.slot_link, wanted, rows)
    return _engine(phase, plain, prepared, net, lines, rows)


def frozen_fluid_engine(phase: SweepPhase, plain: FrozenEngine) -> FluidEngine | None:
    """An engine that follows cases of frozen groups, or None where they do not fit memory."""
    prepared, splits = plain.prepared, plain.splits
    net = dummy_net(prepared.graph, "equal")  # nothing is routed again
    lines = _lines(phase, prepared, net, frozen=True)
    columns = lines.gbps.shape[1]
    if not _fits(len(splits.edge), len(splits.edge), columns):
        return None
    return _engine(phase, plain, prepared, net, lines, rows_by_splits(prepared.graph, prepared.demand, splits, columns))


def _lines(phase: SweepPhase, prepared: PreparedPhase, net: SweepNet, *, frozen: bool) -> Lines:
    efficiency, classes = efficiency_of(phase), prepared.demand.gbps.shape[1]
    columns = classes + (efficiency < 1)
    return lines_of(prepared.graph, net, columns, frozen=frozen, classes=classes, extra=1 / efficiency - 1)


def _fits(nodes: int, hops: int, columns: int) -> bool:
    """Whether rows of these sizes are no more than their part of the memory."""
    size_bytes = hops * ROW_BYTES + nodes * (NODE_BYTES + 8 * columns)
    return size_bytes <= free_bytes(memory_limit()) * _MEMORY_PART


def _engine(
    phase: SweepPhase, plain: PhaseEngine, prepared: PreparedPhase, net: SweepNet, lines: Lines, rows: Rows
) -> FluidEngine | None:
    """The engine, where its intact state is the phase's own; else None."""
    graph, demand, intact = prepared.graph, prepared.demand, phase.intact.utilisation
    ends = ends_of(graph, demand, prepared.pairs, _places(rows, len(demand.src)))
    settle(lines, rows, ends.gbps, lines.gbps)
    end_loads(graph, demand, lines.gbps)
    if not np.allclose(utilisation_of(lines, lines.gbps), intact, rtol=SAME, atol=SAME**2):
        return None
    lines.link["utilisation"] = intact
    return FluidEngine(FluidState(lines, rows, ends, net, ranking_of(phase, lines)), plain)


def _places(rows: Rows, entries: int) -> Ints:
    """Node of its row at which every entry of the demand enters, shape (nnz,)."""
    places = np.zeros(entries, np.int32)
    start, entry = rows.row["node_start"], rows.node["entry"][:-1]
    first = np.repeat(start[:-1], np.diff(start))
    entered = entry >= 0
    places[entry[entered]] = (np.arange(len(entry)) - first)[entered]
    return places
