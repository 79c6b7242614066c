"""A fabric as full as its worst failure cases make it: every link by the case that is hardest on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fabric.evaluation.severity import worst_phase
from fabric.faces.drawing.dot import percent_text, shortened
from fabric.faces.views.failures import harm_text, link_cause, sweep_text
from fabric.failures.result import FailureResult, WorstLink
from fabric.result import PhaseRoute, RouteResult
from topologies.columns import Floats, column
from topologies.errors import FormatError, nearest_hint
from topologies.topology import Topology


def worst_case_route(result: RouteResult, failures: FailureResult, fabric: str | None = None) -> PhaseRoute:
    """A route of a fabric whose utilisation is that of every link's worst case, over all phases.

    Parameters
    ----------
    fabric : str, optional
        Which; default: the one with the fullest link in its worst case.

    Raises
    ------
    FormatError
        FP9105 where the sweep is not of this network: it names links that are not there.
    """
    worst = failures.links[0].fabric if failures.links else None
    wanted = fabric or worst
    routes = [entry for entry in result.routes if wanted in (None, entry.fabric)]
    route = worst_phase(routes) or worst_phase(result.routes)
    assert route is not None  # what is drawn is routed
    links = [link for link in failures.links if link.fabric == route.fabric]
    intact = np.max([entry.utilisation for entry in result.routes if entry.fabric == route.fabric], axis=0)
    utilisation = worst_utilisation(route.topology, intact, links)
    return replace(route, utilisation=column(utilisation, np.float64), unreachable_pairs=0)


def worst_utilisation(topology: Topology, intact: Floats, links: list[WorstLink]) -> Floats:
    """Utilisation of every directed link in its worst case, shape (L,); those that no case fills are as intact."""
    number = {topology.link_name(link): link for link in range(len(topology.links))}
    unknown = next((link.link for link in links if link.link not in number), None)
    if unknown is not None:
        raise FormatError(
            f"the sweep has a link {unknown!r}, which {topology.name} does not have",
            hint=nearest_hint(unknown, number, "links") or "sweep this scenario again: fabric failures SCENARIO",
            code="FP9105",
        )
    utilisation = np.array(intact, dtype=np.float64)
    rows = np.array([number[link.link] for link in links], dtype=np.int64)
    values = np.array([max(link.worst_utilisation, link.intact_utilisation) for link in links])
    utilisation[rows] = values
    return utilisation


def worst_case_heading(title: str, fabric: str, failures: FailureResult) -> tuple[str, ...]:
    """Which scenario and fabric, over which cases, and the fullest link with the failure behind it."""
    lines = [f"{shortened(title)} · {fabric} · every link in its worst failure case", sweep_text(failures)]
    links = [link for link in failures.links if link.fabric == fabric]
    fullest = max(links, key=lambda link: link.worst_utilisation, default=None)
    filled = max((link for link in links if link.causes), key=lambda link: link.worst_utilisation, default=None)
    if fullest is not None:
        lines.append("worst " + "; ".join(_in_words(link) for link in dict.fromkeys((fullest, filled)) if link))
    return (*lines, harm_text(failures))


def _in_words(link: WorstLink) -> str:
    """How full a link gets, and by which failure."""
    where = f"{percent_text(link.worst_utilisation)} on {shortened(link.link)}"
    if not link.causes:
        return f"{where}, as intact"
    return f"{where} when {shortened(link_cause(link))} fails, intact {percent_text(link.intact_utilisation)}"
