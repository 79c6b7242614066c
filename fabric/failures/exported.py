"""Reaction ``exported``: what the tables of an export do by themselves when links die, dialect by dialect.

The tables are those of ``fabric export`` for the phase, on the fabric as it is intact: weights as groups hold them,
polarised where nobody seeds the hash of switches. Afterwards every switch knows its own links only
(``fabric.rules.failover``); hosts of several links leave a dead one at once. What arrives where no way is left is lost,
there and not before: it loads the links up to there, and its pairs count as unreachable, its jobs as cut. A pair of
which a part gets through is cut too, since a collective waits for all of it. Loads are those of many flows; single ones
scatter about them.

Dialects of routing protocols converge instead, by the engine of that reaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fabric.evaluation.phases import prepare_phase, route_prepared, tier_loads, usable_part, utilisation_of
from fabric.failures.cases import Damage
from fabric.failures.engine import LinkWorst, Outcomes, PhaseEngine, SweepPhase
from fabric.failures.plain import damaged_topology, unlike
from fabric.failures.table_columns import table_columns
from fabric.failures.table_walk import Carried, TableWalk
from fabric.result import Routed
from fabric.routing.router import places_flows, traits_of
from fabric.routing.tables.programme import Programme, programme
from fabric.routing.tables.table_decisions import check_programmable, table_decisions
from fabric.routing.utilisation import fullest, over_capacity
from fabric.rules.addressing import plan_addresses
from fabric.rules.compile import compile_tables
from fabric.rules.dialect import DIALECTS, Dialect
from fabric.rules.errors import RuleError
from topologies.columns import Floats, column
from topologies.topology import Topology


def exported_engine(phase: SweepPhase, dialect: str, converged: PhaseEngine) -> PhaseEngine:
    """An engine for the tables that a dialect would write for a phase.

    Its ``phase`` is the intact one as the tables carry it.

    Parameters
    ----------
    converged : PhaseEngine
        For dialects whose routes converge.

    Raises
    ------
    RuleError
        For a dialect that does not say what its tables do when a link dies (FP8031), that cannot carry this router's
        tables (FP8030), and for tables that are not looked at here (FP8032).
    """
    entry = failing_dialect(dialect)
    check_programmable(phase.router)
    made = _programme(phase, entry)
    _check_carried(phase, entry, made)
    if entry.failover == "converges" or entry.failover is None:
        return converged
    pairs = _routed(phase).pairs
    columns = table_columns(made, pairs)
    if traits_of(phase.router).endpoint_ports is not None and columns.is_host.any():
        raise RuleError(
            f"router {phase.router} gives hosts with several links no table of their own, so what they do when one "
            "dies is not known",
            hint="router ecmp, or reaction converged",
            code="FP8032",
        )
    walk = TableWalk(columns, pairs, entry.failover, entry.carrier, alike=entry.seeds == "nobody")
    engine = ExportedEngine(phase, walk)
    return replace(engine, phase=engine.carried_phase())


def failing_dialect(dialect: str) -> Dialect:
    """A dialect that says what its tables do when a link dies; else RuleError FP8031."""
    known = ", ".join(one.name for one in DIALECTS.values() if one.failover is not None)
    if not dialect:
        raise RuleError(
            "what exported tables do when a link dies is a question of their dialect, and none is named",
            hint=f"--dialect NAME, one of {known}",
            code="FP8031",
        )
    entry = DIALECTS.find(dialect)
    if entry.failover is None:
        raise RuleError(
            f"dialect {dialect} does not say what its tables do when a link dies",
            hint=f"its file declares failover=...; dialects that say it: {known}",
            code="FP8031",
        )
    return entry


def _programme(phase: SweepPhase, dialect: Dialect) -> Programme:
    """Decisions of a phase's tables with their weights, as an export makes them."""
    traits = traits_of(phase.router)
    if traits.placement == "placed":
        raise RuleError(
            f"router {phase.router} pins single flows by rules of their own, which know one port each",
            hint="router ecmp or wcmp has groups that fail over; reaction frozen or converged",
            code="FP8032",
        )
    prepared = prepare_phase(
        phase.topology,
        phase.demands,
        phase.phase,
        efficiency=phase.efficiency,
        per_endpoint=places_flows(phase.router),
        all_endpoints=True,
    )
    options = replace(phase.options, tables=replace(phase.options.tables, carrier=dialect.carrier), draws=1)
    route = route_prepared(prepared, router=traits.mean_router or phase.router, options=options)
    assert route.routed is not None
    routing = route.routed.routing
    if routing.admitted is not None:
        raise RuleError(
            f"objective {phase.options.objective} admits demand in part, which no table says",
            hint="objective min-max-utilisation",
            code="FP8032",
        )
    return programme(table_decisions(phase.router, prepared.graph, prepared.demand, routing), options.tables)


def _check_carried(phase: SweepPhase, dialect: Dialect, made: Programme) -> None:
    """Let the dialect refuse what it cannot say: it does so with its first file."""
    plan = plan_addresses(phase.topology, phase.fabric)
    rules = compile_tables(plan, made, router=phase.router, seed=phase.options.seed)
    next(iter(dialect.write(rules)), None)


def _routed(phase: SweepPhase) -> Routed:
    """The intact phase with its graph and demand."""
    assert phase.intact.routed is not None
    return phase.intact.routed


@dataclass(frozen=True, eq=False)
class ExportedEngine:
    """A phase on exported tables, case by case; ``phase.topology`` is as the damage so far has left it."""

    phase: SweepPhase
    walk: TableWalk

    @cached_property
    def _usable(self) -> Floats:
        """Part of every link's capacity that the router fills, shape (L,)."""
        routed = _routed(self.phase)
        return usable_part(routed.graph, routed.routing)

    def _utilisation(self, topology: Topology, carried: Carried) -> Floats:
        return utilisation_of(topology, carried.link_gbps.sum(axis=1), self._usable)

    def carried_phase(self) -> SweepPhase:
        """The phase with the loads that the tables give it before anything fails."""
        topology, intact = self.phase.topology, self.phase.intact
        carried = self.walk.carry(column([], np.int32))
        utilisation = self._utilisation(topology, carried)
        hottest = fullest(utilisation)
        after = replace(
            intact,
            link_gbps=carried.link_gbps,
            utilisation=utilisation,
            max_utilisation=float(utilisation.max(initial=0.0)),
            hottest_link="" if hottest is None else topology.link_name(hottest),
            links_over_capacity=int(over_capacity(utilisation).sum()),
            tiers=tier_loads(topology, utilisation),
            draws=None,
            link_bands=None,
            every_draw=None,
            spread=None,
        )
        return replace(self.phase, intact=after)

    def carried(self, damage: Damage, case: int) -> tuple[Topology, Carried]:
        """The fabric in one case, and what its links carry."""
        return damaged_topology(self.phase.topology, damage, case), self.walk.carry(damage.of(case)[0])

    def outcomes(self, damage: Damage, worst: LinkWorst, first: int = 0) -> Outcomes:
        """Every case of ``damage``; ``worst`` takes them in, numbered from ``first`` on."""
        jobs, before = self.phase.jobs, self.phase.intact.utilisation
        found = Outcomes.empty(len(damage), len(jobs))
        classes = self.phase.intact.classes
        for case in range(len(damage)):
            topology, carried = self.carried(damage, case)
            utilisation = self._utilisation(topology, carried)
            hottest = fullest(utilisation)
            found.max_utilisation[case] = utilisation.max(initial=0.0)
            found.hottest[case] = -1 if hottest is None else hottest
            found.links_over_capacity[case] = over_capacity(utilisation).sum()
            found.unreachable_pairs[case] = carried.hit.sum()
            for at, (job, steady) in enumerate(jobs):
                mine = [code for code, entry in enumerate(classes) if entry.job == job and entry.steady == steady]
                loaded = (carried.link_gbps[:, mine] > 0).any(axis=1)
                found.peak[case, at] = utilisation[loaded].max(initial=0.0)
                found.cut[case, at] = any(carried.hit[code] for code, entry in enumerate(classes) if entry.job == job)
            changed = np.flatnonzero(topology.up & unlike(utilisation, before))
            worst.add(first + case, changed.astype(np.int32), utilisation[changed])
        return found

    def utilisation(self, damage: Damage, case: int) -> Floats:
        """Offered over capacity of every link in one case, shape (L,)."""
        return self._utilisation(*self.carried(damage, case))

    def damaged(self, damage: Damage, case: int) -> ExportedEngine:
        """The same tables with a case's damage already done."""
        after = replace(self.phase, topology=damaged_topology(self.phase.topology, damage, case))
        return ExportedEngine(after, self.walk.with_dead(damage.of(case)[0]))
