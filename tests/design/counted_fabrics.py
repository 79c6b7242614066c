"""Counted designs of all families, small: random needs over catalogues of tests, solved for some objective or other."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from types import SimpleNamespace

from ortools.sat.python import cp_model

from fabric.design.counted import Counted
from fabric.design.family import Formulation, Variant
from fabric.design.need import FabricNeed
from topologies.builder import TOPOLOGIES
from topologies.catalogue import Catalogue, SwitchModel, builtin
from topologies.hosts import HostGroup
from topologies.topology import Topology


def switch(model: str, ports: int, gbps: int, **keys: object) -> SwitchModel:
    """A model of a catalogue of tests."""
    row = {"model": model, "ports": ports, "speed": f"{gbps}G", "source": "test", **keys}
    return SwitchModel.model_validate(row)


_ROWS = (
    switch("s8", 8, 400, usd=5_000),
    switch("s12", 12, 400, usd=9_000, breakouts=["2x200"]),
    switch("s16", 16, 800, usd=17_000, breakouts=["2x400", "4x200"]),
    switch("s10", 10, 200, usd=3_000, breakouts=[]),
    switch("i8", 8, 400, usd=4_000, ports_per_cage=2, protocol="infiniband"),
)
SMALL = Catalogue(switches={row.model: row for row in _ROWS}, optics=builtin().optics, cables=builtin().cables)


def host_group(need: FabricNeed, counted: Counted) -> HostGroup:
    """The hosts of a need with their NICs split as the design says."""
    names = tuple(f"h{number}" for number in range(need.hosts))
    gbps = need.nic_gbps / counted.nic_ports
    return HostGroup("hosts", names, need.nics, gbps, need.rail, ports=counted.nic_ports)


def build(need: FabricNeed, catalogue: Catalogue, counted: Counted) -> Topology:
    """The topology that a design's keys build."""
    entry = TOPOLOGIES[counted.kind]
    spec = entry.model.model_validate(dict(counted.topology), context=SimpleNamespace(catalogue=catalogue))
    return entry(spec, hosts=[host_group(need, counted)])


def solved(model: cp_model.CpModel, formulation: Formulation, weights: Random) -> Counted | None:
    """The design that is cheapest by random weights of its counts."""
    terms = (*formulation.switches, *formulation.links)
    model.minimize(sum(weights.randint(0, 100) * term.count for term in terms))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers, solver.parameters.random_seed = 1, 1
    found = solver.solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    return formulation.read(solver.value) if found else None


def designs(variant: Variant, weights: Random, most: int) -> Iterator[Counted]:
    """Some designs of a variant, all different in what it decides."""
    barred: list[list[int]] = []
    for _ in range(most):
        model = cp_model.CpModel()
        formulation = variant.formulate(model)
        if formulation is None:
            return
        for values in barred:
            model.add_forbidden_assignments(list(formulation.decides), [values])
        seen: list[int] = []
        counted = solved(model, remembered(formulation, seen), weights)
        if counted is None:
            return
        yield counted
        if not seen:
            return
        barred.append(seen)


def remembered(formulation: Formulation, seen: list[int]) -> Formulation:
    """The same, that writes the values of what is decided into ``seen`` when it is read."""

    def read(value):  # type: ignore[no-untyped-def]
        seen.extend(value(variable) for variable in formulation.decides)
        return formulation.read(value)

    return Formulation(formulation.switches, formulation.links, formulation.decides, read)
