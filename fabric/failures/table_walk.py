"""Traffic on tables whose links die: what every link carries, and what is lost where no table has a way left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from fabric.failures.table_columns import TableColumns
from fabric.failures.table_demand import TableDemand, pairs_hit, table_demand
from fabric.routing.router import PairTraffic
from fabric.routing.table_options import Carrier
from fabric.routing.tables.decisions import ARRIVED
from fabric.routing.tables.shared_hash import OWN, buckets_by_hash, choices_by_hash
from fabric.routing.tables.walk import DecisionColumns, walk_columns
from fabric.rules.failover import Failover, live_parts, next_live
from topologies.columns import Bools, Floats, Ints, Longs, column

_HOST: Failover = "live-weights"  # a bond, or routes of Linux: a host leaves a dead port at once


@dataclass(frozen=True, eq=False)
class Carried:
    """What tables do with a phase in one state of the links."""

    link_gbps: Floats  # shape (L, C)
    lost_gbps: Floats  # shape (C,), on the way
    unsent_gbps: Floats  # shape (C,), of pairs of which one end has no link left
    hit: Longs  # shape (C,), pairs of which something is lost, or nothing sent


@dataclass(frozen=True, eq=False)
class TableWalk:
    """A phase on tables, and what they do when links die.

    Attributes
    ----------
    failover : str
        What switches do by themselves; hosts leave a dead port whatever the switches do, unless ``frozen``.
    alike : bool
        Whether all switches hash by one seed, so that tiers choose alike.
    frozen : bool
        Whether hosts too go on sending into dead links: nobody has seen the failure yet.
    """

    columns: TableColumns
    pairs: tuple[PairTraffic, ...]
    failover: Failover
    carrier: Carrier
    alike: bool = False
    frozen: bool = False
    dead: Bools = field(default_factory=lambda: column([], np.bool_))  # shape (L,) or empty, dead from the start

    def with_dead(self, links: Ints) -> TableWalk:
        """The same with links dead from the start."""
        return replace(self, dead=self.mask(links))

    def mask(self, links: Ints) -> Bools:
        """Links that are dead with these, shape (L,)."""
        gone = np.zeros(len(self.columns.topology.links), dtype=np.bool_) if not len(self.dead) else self.dead.copy()
        gone[links] = True
        return column(gone, np.bool_)

    @cached_property
    def _everything(self) -> TableDemand:
        """The demand where no endpoint is cut off."""
        every = np.ones(len(self.columns.topology.nodes), dtype=np.bool_)
        return table_demand(self.columns, self.pairs, every & self._attached[0], every & self._attached[1])

    @cached_property
    def _attached(self) -> tuple[Bools, Bools]:
        return self.columns.source_of >= 0, self.columns.column_of >= 0

    @cached_property
    def _ways(self) -> list[tuple[int, ...]]:
        """Of every decision of a switch its bucket by value of the hash, where all hash alike."""
        found: list[tuple[int, ...]] = []
        start, weight = self.columns.start.tolist(), self.columns.weight
        for decision, (low, high) in enumerate(pairwise(start)):
            single = high - low < 2 or self.columns.is_host[self.columns.owner[decision]]
            weights = () if single else tuple(weight[low:high].tolist())
            found.append(buckets_by_hash(weights, self.carrier) if weights else ())
        return found

    def carry(self, links: Ints) -> Carried:
        """What every link carries when ``links`` are dead, beside those that are from the start."""
        columns, gone = self.columns, self.mask(links)
        dead = gone[columns.link]
        sends, receives = self._ends(gone)
        whole = bool((sends == self._attached[0]).all() and (receives == self._attached[1]).all())
        demand = self._everything if whole else table_demand(columns, self.pairs, sends, receives)
        part = self._parts(dead)
        head = np.where(dead, columns.nodes + 1, columns.head).astype(np.int32)
        choice = self._choices(dead)
        buckets, lost = self._walk(demand, part, head, choice)
        loads = np.zeros((len(columns.topology.links), demand.gbps.shape[1]))
        np.add.at(loads, columns.link[~dead], buckets[~dead])
        received, lost_gbps, hit = demand.received, np.zeros(loads.shape[1]), demand.left_out
        if lost.any():
            some = demand.rows.dest[lost]
            row_of = np.full(columns.code.shape[1], -1, dtype=np.int32)
            row_of[some] = np.arange(len(some))
            arrives = self._arrives(some, part, head, choice)
            more, missing = pairs_hit(columns, self.pairs, sends, receives, arrives, row_of)
            received, lost_gbps, hit = received - missing, missing.sum(axis=0), hit + more
        for links_of, each in ((columns.out_link, demand.sent), (columns.back_link, received)):
            single = np.flatnonzero(links_of >= 0)
            loads[links_of[single]] = each[single]
        unsent = self._everything.sent.sum(axis=0) - demand.sent.sum(axis=0)
        return Carried(
            column(loads, np.float64), column(lost_gbps, np.float64), column(unsent, np.float64), column(hit, np.int64)
        )

    def _ends(self, gone: Bools) -> tuple[Bools, Bools]:
        """Which endpoints have a link left to send, and to receive."""
        columns = self.columns
        links, forwards = columns.topology.links, columns.topology.nodes.forwards
        up = columns.topology.up & ~gone
        sends, receives = (part.copy() for part in self._attached)
        nodes = np.arange(len(forwards))
        sends &= forwards | np.isin(nodes, links.src[up])
        receives &= forwards | np.isin(nodes, links.dst[up])
        return sends, receives

    def _parts(self, dead: Bools) -> Floats:
        """Part of the traffic of every bucket, shape of ``link``; dead ones keep theirs where nobody leaves them."""
        columns = self.columns
        part = columns.part.copy()
        if self.frozen:
            return part
        for decision in np.unique(columns.decision_of[dead]).tolist():
            cells = slice(*columns.start[decision : decision + 2].tolist())
            host = bool(columns.is_host[columns.owner[decision]])
            rule, carrier = (_HOST, "exact") if host else (self.failover, self.carrier)
            if rule == "lost":
                continue
            live = (~dead[cells]).tolist()
            if any(live):  # else what arrives is lost
                part[cells] = live_parts(rule, carrier, columns.weight[cells].tolist(), live)  # type: ignore[arg-type]
        return part

    def _choices(self, dead: Bools) -> Ints:
        """What every value of the one hash takes, shape (K, H); H is 0 where every switch hashes by itself."""
        columns = self.columns
        if not self.alike:
            return column(np.empty((0, 0)), np.int32)
        ways: Sequence[tuple[int, ...]] = self._ways
        if self.failover == "next-slot" and dead.any():
            changed = list(ways)
            for decision in np.unique(columns.decision_of[dead]).tolist():
                cells = slice(*columns.start[decision : decision + 2].tolist())
                changed[decision] = next_live(ways[decision], (~dead[cells]).tolist())
            ways = changed
        return choices_by_hash(columns.start, ways, [0 if way else OWN for way in ways], self.carrier)

    def _walk(self, demand: TableDemand, part: Floats, head: Ints, choice: Ints) -> tuple[Floats, Bools]:
        """Gbps of every bucket by class, and to which destinations something is lost."""
        columns = self.columns
        edge = np.arange(len(columns.link), dtype=np.int32)
        if not choice.shape[1]:
            decisions = DecisionColumns(columns.code, columns.start, edge, part, head)
            walked = walk_columns(decisions, demand.rows, demand.gbps)
            return walked.edge_gbps, walked.lost_gbps > 0
        decisions = DecisionColumns(columns.code, columns.start, edge, part, head, choice)
        each = [
            walk_columns(decisions, demand.rows, demand.gbps[:, code : code + 1])
            for code in range(demand.gbps.shape[1])
        ]
        loads = np.column_stack([one.edge_gbps.sum(axis=1) for one in each])
        return loads, np.any([one.lost_gbps > 0 for one in each], axis=0)

    def _arrives(self, dests: Ints, part: Floats, head: Ints, choice: Ints) -> Floats:
        """Part of what every node sends to some destinations that arrives, shape (V + 2, Q)."""
        if not choice.shape[1]:
            return self._arriving(dests, part, head)
        chosen = np.flatnonzero(choice[:, 0] >= 0)
        mine = np.isin(self.columns.decision_of, chosen)
        total: Floats = np.zeros((len(self.columns.code), len(dests)))
        for value in range(choice.shape[1]):
            taken = np.where(mine, 0.0, part)
            taken[choice[chosen, value]] = 1.0
            total += self._arriving(dests, taken, head)
        return column(total / choice.shape[1], np.float64)

    def _arriving(self, dests: Ints, part: Floats, head: Ints) -> Floats:
        """The same with given parts: what arrives from the nodes behind, again and again until nothing changes."""
        columns = self.columns
        code = columns.code[:, dests]
        shape = (len(columns.start) - 1, len(columns.code))
        from scipy.sparse import csr_array

        onward = csr_array((part, (columns.decision_of, head)), shape=shape)
        arrives: Floats = (code == ARRIVED).astype(np.float64)
        decides = code >= 0
        column_index = np.broadcast_to(np.arange(len(dests)), code.shape)
        for _ in range(columns.nodes):
            behind = onward @ arrives
            after = arrives.copy()
            after[decides] = behind[code[decides], column_index[decides]]
            if np.array_equal(after, arrives):
                break
            arrives = after
        return arrives
