"""The best counted designs of one fabric, in order of an objective, with a proved bound of all that were not given.

Best first over the variants of all families. A variant is known by ever better bounds of its best design: what its
terms cost at least by the domains of their variables, then what CP-SAT proves. It is given when no other's bound is
below.

The programme of a variant: whole-number variables and constraints of its family; least sum over switches and links of
their number times what one counts for (:class:`~fabric.design.objective.Rates`); caps on further sums; designs that
were given are forbidden. One thread, a fixed seed and deterministic limits: the same input gives the same designs.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Any

from fabric.design.counted import Counted
from fabric.design.family import FAMILIES, Floor, Formulation, Variant
from fabric.design.need import FabricNeed
from fabric.design.objective import MissingFigureError, Objective, Rates, in_units, thousandths
from topologies.catalogue import Catalogue

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver

_FIRST_EFFORT = 0.5  # deterministic seconds of the first solve of a variant
_EFFORTS = (1.0, 4.0, 16.0)  # times that, where it did not suffice


@dataclass
class _Entry:
    """A variant on its way: bounded, solved, given."""

    variant: Variant
    bound: int = 0  # thousandths; no design of it that was not given is below
    best: tuple[tuple[int, ...], tuple[int, ...], Counted] | None = None  # sums, values of decides, design
    given: list[tuple[int, ...]] = field(default_factory=list)
    efforts: int = 0  # solves in a row that ran into their limit
    exact: bool = False  # the best has the bound's value
    later: bool = False  # what has the bound's value is by name after the best design that is known

    def key(self) -> tuple[int, bool, tuple[int, ...], str, str]:
        """Order: bound; what may still hide a better one first; further sums; name."""
        sums = self.best[0][1:] if self.best is not None else ()
        return self.bound, self.exact or self.later, sums, self.variant.family, self.variant.name


class Search:
    """Designs of one need in order of an objective.

    Parameters
    ----------
    need : FabricNeed
        What the fabric has to do.
    catalogue : Catalogue
        What it may be made of.
    objective : Objective
        What is to be least; only what can be counted.
    families : sequence of str
        Families to look at alone; none: all that the need allows.

    Attributes
    ----------
    left_out : list of str
        What could not be counted, and why: figures that a model lacks, links that nothing makes.
    """

    def __init__(
        self, need: FabricNeed, catalogue: Catalogue, objective: Objective, *, families: Sequence[str] = ()
    ) -> None:
        self.need, self.catalogue, self.objective = need, catalogue, objective.counted
        self.left_out: list[str] = []
        self._rates = Rates(need, catalogue, self.objective)
        self._caps = [(Rates(need, catalogue, Objective.of(measure)), most) for measure, most in need.most]
        self._waiting: list[tuple[Any, _Entry]] = []
        self._solved = 0
        self._undecided: int | None = None  # the bound of variants that ran into the limit of the search
        for variant in variants_of(need, catalogue, families):
            self._admit(_Entry(variant))

    @property
    def solved(self) -> int:
        """Programmes that CP-SAT solved."""
        return self._solved

    @property
    def bound(self) -> float:
        """No design that was not given is below; inf where there is none left."""
        bounds = [self._waiting[0][1].bound] if self._waiting else []
        bounds += [] if self._undecided is None else [self._undecided]
        return in_units(min(bounds)) if bounds else inf

    def values_of(self, counted: Counted) -> tuple[float, ...]:
        """The sums of the objective for a design, in their units."""
        return self._rates.value(counted)

    def value_of(self, counted: Counted) -> float:
        """The first of them."""
        return self.values_of(counted)[0]

    def next(self) -> Counted | None:
        """The best design that was not given; None where there is none."""
        while self._waiting:
            _, entry = heapq.heappop(self._waiting)
            if entry.best is None or not (entry.exact or entry.efforts >= len(_EFFORTS)):
                self._improve(entry)
                continue
            _, decided, counted = entry.best
            entry.given.append(decided)
            entry.best, entry.exact, entry.efforts = None, False, 0
            if decided:
                self._push(entry)
            return counted
        return None

    def __iter__(self) -> Iterator[Counted]:
        while (counted := self.next()) is not None:
            yield counted

    def leave(self, family: str) -> None:
        """Look at no more designs of a family; the bound is that of the others then."""
        self._waiting = [pair for pair in self._waiting if pair[1].variant.family != family]
        heapq.heapify(self._waiting)

    def any(self) -> Counted | None:
        """Some design, the first that there is; None where there is none."""
        for _, entry in sorted(self._waiting, key=lambda pair: (pair[1].best is None, pair[0])):
            if entry.best is not None:
                return entry.best[2]
            model, form = self._formulated(entry.variant)
            if form is not None and (counted := _some(model, form)) is not None:
                return counted
        return None

    def _push(self, entry: _Entry) -> None:
        heapq.heappush(self._waiting, (entry.key(), entry))

    def _admit(self, entry: _Entry) -> None:
        """Bound a variant by its floor, or by the domains of its variables; drop it where it cannot be counted."""
        try:
            floor = entry.variant.floor
            if floor is not None:
                entry.bound = _total(floor, self._rates, 0)
                if any(_total(floor, rates, 0) > thousandths(most) for rates, most in self._caps):
                    return
                self._push(entry)
                return
            model, form = self._formulated(entry.variant)
            if form is None:
                return
            entry.bound = max(_least(_total(form, self._rates, 0)), 0)
            if not model.proto.variables and not model.proto.constraints:  # nothing to choose
                counted = form.read(int)
                entry.best = self._sums(counted), (), counted
                entry.bound, entry.exact = entry.best[0][0], True
        except MissingFigureError as missing:
            if str(missing) not in self.left_out:
                self.left_out.append(str(missing))
            return
        self._push(entry)

    def _formulated(self, variant: Variant) -> tuple[CpModel, Formulation | None]:
        from ortools.sat.python import cp_model

        model = cp_model.CpModel()
        form = variant.formulate(model)
        if form is None:
            return model, None
        for rates, most in self._caps:
            total = _total(form, rates, 0)
            if not isinstance(total, int):
                model.add(total <= thousandths(most))
            elif total > thousandths(most):
                return model, None
        return model, form

    def _sums(self, counted: Counted) -> tuple[int, ...]:
        return tuple(round(value * 1000) for value in self._rates.value(counted))

    def _known(self) -> _Entry | None:
        """The best of the variants whose best design is known."""
        return min((entry for _, entry in self._waiting if entry.best is not None), key=_Entry.key, default=None)

    def _improve(self, entry: _Entry) -> None:
        """Solve a variant, and queue it again with what that proved; drop it where nothing is left of it.

        What is not better than the best design known is not looked for: mostly that is proved before the search begins.
        """
        known = self._known()
        most = None
        if known is not None and known.best is not None:
            first = len(self.objective.order) > 1 or entry.key()[3:] < known.key()[3:]
            most = known.best[0][0] - (0 if first else 1)
        answer = self._solve(entry, most)
        if answer is None:  # none is left, or none so good
            if most is not None:
                entry.later = most + 1 == (known.best[0][0] if known is not None and known.best is not None else -1)
                entry.bound, entry.best, entry.efforts = max(entry.bound, most + 1), None, 0
                self._push(entry)
            return
        entry.later, entry.exact = False, answer.proved
        entry.bound = max(entry.bound, answer.bound)
        entry.efforts = 0 if answer.proved else entry.efforts + 1
        if answer.counted is not None:
            entry.best = self._sums(answer.counted), answer.decided, answer.counted
        elif entry.efforts >= len(_EFFORTS):
            self.left_out.append(f"{entry.variant.name}: not decided within the limit of the search")
            self._undecided = min(entry.bound, entry.bound if self._undecided is None else self._undecided)
            return
        self._push(entry)

    def _solve(self, entry: _Entry, most: int | None) -> _Answer | None:
        """Least sums, one after another; of the first at most ``most``. None where nothing is so good."""
        from ortools.sat.python import cp_model

        model, form = self._formulated(entry.variant)
        if form is None:
            return None
        if entry.given and form.decides:
            model.add_forbidden_assignments(list(form.decides), entry.given)
        if most is not None:
            model.add(_total(form, self._rates, 0) <= most)
        answer = None
        for place in range(len(self.objective.order)):
            total = _total(form, self._rates, place)
            model.minimize(total)
            solver = _solver(_FIRST_EFFORT * _EFFORTS[min(entry.efforts, len(_EFFORTS) - 1)])
            self._solved += 1
            status = solver.solve(model)
            if status == cp_model.MODEL_INVALID:
                raise ValueError(f"{entry.variant.name}: {model.validate()}")
            if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
                if status == cp_model.INFEASIBLE or answer is not None:
                    return answer
                return _Answer(entry.bound, False, (), None)
            read = _reader(solver)
            bound = round(solver.best_objective_bound) if place == 0 else answer.bound if answer is not None else 0
            proved = status == cp_model.OPTIMAL if place == 0 else answer is not None and answer.proved
            answer = _Answer(bound, proved, tuple(read(one) for one in form.decides), form.read(read))
            if status != cp_model.OPTIMAL:
                break
            model.add(total == round(solver.objective_value))
        return answer


@dataclass(frozen=True)
class _Answer:
    """What a solve gave: a bound of the first sum, and the best design of those that were looked for."""

    bound: int
    proved: bool
    decided: tuple[int, ...]
    counted: Counted | None


def variants_of(need: FabricNeed, catalogue: Catalogue, families: Sequence[str] = ()) -> Iterator[Variant]:
    """Variants of the families that a need allows, or of ``families`` among them, of the models that it allows."""
    for name in sorted(FAMILIES):
        if not FAMILIES[name].is_choice(need, name) or (families and name not in families):
            continue
        for variant in FAMILIES[name].variants(need, catalogue):
            if _allowed(need, variant.models):
                yield variant


def _allowed(need: FabricNeed, models: Sequence[str]) -> bool:
    leaf, *uppers = models
    if need.switches and not set(models) <= set(need.switches):
        return False
    if need.leaf_switches and leaf not in need.leaf_switches:
        return False
    return not need.upper_switches or set(uppers) <= set(need.upper_switches)


def _total(form: Formulation | Floor, rates: Rates, place: int) -> Any:
    """The sum of a design as an expression over its counts."""
    total: Any = 0
    for switches in form.switches:
        total = total + switches.count * rates.switch(switches.model)[place]
    for links in form.links:
        total = total + links.count * rates.link(links.gbps, links.lower, links.upper, links.run)[place]
    return total


def _least(total: Any) -> int:
    """The least that an expression can be by the domains of its variables."""
    if isinstance(total, int):
        return total
    from ortools.sat.python import cp_model

    flat = cp_model.FlatIntExpr(total)
    least = flat.offset
    for variable, factor in zip(flat.vars, flat.coeffs, strict=True):
        domain = variable.proto.domain
        least += factor * (domain[0] if factor > 0 else domain[-1])
    return int(least)


def _some(model: CpModel, form: Formulation) -> Counted | None:
    """A design that meets all constraints of a programme."""
    from ortools.sat.python import cp_model

    solver = _solver(_FIRST_EFFORT * _EFFORTS[-1])
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return form.read(_reader(solver))


def _solver(effort: float) -> CpSolver:
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = effort
    return solver


def _reader(solver: CpSolver) -> Callable[[Any], int]:
    return lambda variable: variable if isinstance(variable, int) else int(solver.value(variable))
