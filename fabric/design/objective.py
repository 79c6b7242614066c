"""What is to be least, and what switches and links count for it.

Figures are whole numbers of thousandths (of a US$, a watt, a kilogram, a metre, a cable), so that sums are exact and
the order of designs does not depend on that of additions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fabric.design.counted import Counted
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue
from topologies.errors import nearest_hint
from topologies.link_kits import LinkEnd, LinkKit, kits

MEASURES = {"cost": "US$", "power": "W", "carbon": "kg CO2e", "cables": "cables", "cable_m": "m", "ports": "ports"}
STEP_TIME = "step_time"  # of designs that were routed; nothing to count with
_ROW_FIGURES = {"cost": "a price", "power": "max_w", "carbon": "carbon_kg"}
_EXACT = 1000


@dataclass(frozen=True)
class Objective:
    """Sums of weighted measures, the first to be least first; a name alone weighs 1."""

    order: tuple[tuple[tuple[str, float], ...], ...]

    @staticmethod
    def of(*names: str) -> Objective:
        """Measures one after another."""
        return Objective(tuple(((name, 1.0),) for name in names))

    @property
    def counted(self) -> Objective:
        """What can be counted before anything is routed; cost where that is nothing."""
        rest = tuple(terms for terms in self.order if terms[0][0] != STEP_TIME)
        return Objective(rest) if rest else Objective.of("cost")

    @property
    def text(self) -> str:
        """For people: ``cost, then power``; with weights ``1 x cost (US$) + 20 x power (W)``."""
        return ", then ".join(_term_text(terms) for terms in self.order)

    @property
    def unit(self) -> str:
        """Unit of the first sum; empty where it has several."""
        ((name, weight), *rest) = self.order[0]
        return MEASURES.get(name, "s") if not rest and weight == 1 else ""


def _term_text(terms: tuple[tuple[str, float], ...]) -> str:
    if len(terms) == 1 and terms[0][1] == 1:
        return terms[0][0]
    return " + ".join(f"{weight:g} x {name} ({MEASURES[name]})" for name, weight in terms)


def objective_of(value: object) -> Objective:
    """An objective as it is written: a name, a list of names, or weights by name.

    Raises
    ------
    ValueError
        When a name is unknown or repeated, or a weight is not above 0.
    """
    if isinstance(value, Mapping):
        return Objective((_weights(value),))
    if isinstance(value, str):
        value = [part for part in value.replace(",", " ").split() if part]
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"objective is one of {', '.join([*MEASURES, STEP_TIME])}, a list of them, or weights by name")
    order = [_weights(part) if isinstance(part, Mapping) else ((_known(part), 1.0),) for part in value]
    if len(set(order)) < len(order):
        raise ValueError("objective names something twice; what is least once stays least")
    return Objective(tuple(order))


def _weights(value: Mapping[Any, Any]) -> tuple[tuple[str, float], ...]:
    given = value["weights"] if set(value) == {"weights"} else value
    if not isinstance(given, Mapping) or not given:
        raise ValueError("weights are numbers by name, for example {cost: 1, power: 20}")
    terms = []
    for name, weight in given.items():
        known = _known(name)
        if known == STEP_TIME:
            raise ValueError("step_time has no weight, for nothing is routed while designs are counted; write a list")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < 1e9:
            raise ValueError(f"weight {weight!r} of {name} is not a number above 0")
        terms.append((known, float(weight)))
    return tuple(terms)


def _known(name: object) -> str:
    text = str(name).replace("-", "_")
    if text not in MEASURES and text != STEP_TIME:
        raise ValueError(f"nothing is called {name!r} here; {nearest_hint(text, [*MEASURES, STEP_TIME], 'one of')}")
    return text


class MissingFigureError(Exception):
    """A model has not the figure that is to be counted, or nothing makes a link; the text says which."""


def figures_of_switch(catalogue: Catalogue, model: str) -> dict[str, float | None]:
    """What one switch counts for every measure."""
    row = catalogue.switches[model]
    cost = None if row.usd is None else row.usd + (row.licence_usd or 0.0)
    return {
        "cost": cost, "power": row.max_w, "carbon": row.carbon_kg, "cables": 0.0, "cable_m": 0.0,
        "ports": float(row.ports),
    }  # fmt: skip


def figures_of_link(kit: LinkKit, length_m: float) -> dict[str, float | None]:
    """What one link counts for every measure."""
    return {
        "cost": kit.cost_usd(length_m), "power": kit.max_w, "carbon": kit.carbon_kg, "cables": 1.0,
        "cable_m": length_m, "ports": 0.0,
    }  # fmt: skip


@dataclass
class Rates:
    """What switches and links of one need count for, by the sums of an objective, in thousandths."""

    need: FabricNeed
    catalogue: Catalogue
    objective: Objective
    _links: dict[tuple[float, LinkEnd, LinkEnd, str], LinkKit] = field(default_factory=dict)

    def switch(self, model: str) -> tuple[int, ...]:
        """Of one switch.

        Raises
        ------
        MissingFigureError
            When the catalogue lacks a figure.
        """
        return self._sums(figures_of_switch(self.catalogue, model), model)

    def link(self, gbps: float, lower: LinkEnd, upper: LinkEnd, run: str) -> tuple[int, ...]:
        """Of one link, as the best kit for the objective makes it.

        Raises
        ------
        MissingFigureError
            When nothing makes it, or the catalogue lacks a figure.
        """
        kit = self.kit(gbps, lower, upper, run)
        return self._sums(figures_of_link(kit, self.need.length_m[run]), kit.parts[0][0])

    def kit(self, gbps: float, lower: LinkEnd, upper: LinkEnd, run: str) -> LinkKit:
        """The best way to make a link.

        Raises
        ------
        MissingFigureError
            When nothing of the catalogue makes it.
        """
        key = (gbps, lower, upper, run)
        if key not in self._links:
            length_m = self.need.length_m[run]
            ways = [kit for kit in kits(self.catalogue, gbps, lower, upper) if kit.reach_m >= length_m]
            if not ways:
                raise MissingFigureError(_no_kit(gbps, lower, upper, length_m))
            self._links[key] = min(ways, key=lambda kit: (*self._order(kit, length_m), kit.parts))
        return self._links[key]

    def _order(self, kit: LinkKit, length_m: float) -> Iterator[tuple[bool, float]]:
        figures = figures_of_link(kit, length_m)
        for terms in (*self.objective.order, (("cost", 1.0),), (("power", 1.0),)):
            values = [(figures[name], weight) for name, weight in terms]
            known = all(value is not None for value, _ in values)
            yield not known, sum((value or 0.0) * weight for value, weight in values) if known else 0.0

    def _sums(self, figures: Mapping[str, float | None], model: str) -> tuple[int, ...]:
        sums = []
        for terms in self.objective.order:
            total = 0.0
            for name, weight in terms:
                value = figures[name]
                if value is None:
                    raise MissingFigureError(f"{model} has no {_ROW_FIGURES[name].removeprefix('a ')}")
                total += weight * value
            sums.append(round(total * _EXACT))
        return tuple(sums)

    def value(self, counted: Counted) -> tuple[float, ...]:
        """The sums of a design, in units."""
        totals = [0] * len(self.objective.order)
        for switches in counted.switches:
            for place, each in enumerate(self.switch(switches.model)):
                totals[place] += each * switches.count
        for cables in counted.cables:
            for place, each in enumerate(self.link(cables.gbps, cables.lower, cables.upper, cables.run)):
                totals[place] += each * cables.count
        return tuple(total / _EXACT for total in totals)


def in_units(total: int) -> float:
    """A sum of thousandths in its unit."""
    return total / _EXACT


def thousandths(value: float) -> int:
    """A figure in thousandths, rounded down."""
    return int(value * _EXACT)


def _no_kit(gbps: float, lower: LinkEnd, upper: LinkEnd, length_m: float) -> str:
    ends = f"{lower.links} and {upper.links} links a cage" if max(lower.links, upper.links) > 1 else "single cages"
    return f"no cable or optic of the catalogue makes a link of {gbps:g}G over {length_m:g} m between {ends}"
