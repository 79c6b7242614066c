"""What is to be worked on: parts that are drained for it, how long each takes, and what has to be done before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fabric.failures.part import Part
from fabric.failures.part_finder import PartFinder
from fabric.pipeline.network import Network
from topologies.errors import ScenarioError

MOST_WORKS = 4_096


@dataclass(frozen=True, eq=False)
class Work:
    """One thing to do, with what is drained meanwhile.

    Attributes
    ----------
    part : Part
        Its links carry nothing while it lasts.
    takes_s : float
        From the drain to the undrain.
    after : tuple of int
        Positions of works that are done in windows before it.
    """

    name: str
    part: Part
    takes_s: float
    after: tuple[int, ...] = ()


def works_on(network: Network, selectors: Sequence[str], takes_s: float) -> tuple[Work, ...]:
    """One work for every switch, link, host or NIC that the selectors name; each once.

    Raises
    ------
    TopologyError
        When a selector names nothing (FP3110).
    ScenarioError
        When nothing of a part is up (FP3120), or there are too many (FP3121).
    """
    finder = PartFinder(network)
    found: dict[tuple[str, str], Part] = {}
    for text in selectors:
        for part in finder.each(text):
            found.setdefault((part.fabric, part.name), part)
    return checked(tuple(Work(part.name, part, takes_s) for part in found.values()))


def checked(works: tuple[Work, ...]) -> tuple[Work, ...]:
    """The works, if there is something to drain in each; those of one name with their fabric before it.

    Raises
    ------
    ScenarioError
        As ``works_on``.
    """
    if len(works) > MOST_WORKS:
        raise ScenarioError(
            f"{len(works):,} works are more than can be put in order",
            hint=f"plan at most {MOST_WORKS:,} at a time, such as one tier",
            code="FP3121",
        )
    idle = [work.name for work in works if not any(len(links) for links in work.part.links.values())]
    if idle:
        raise ScenarioError(
            f"{idle[0]}: no link of it is up, so there is nothing to drain",
            hint="leave it out, or take its --down away",
            code="FP3120",
        )
    known = Counter(work.name for work in works)
    return tuple(
        replace(work, name=f"{work.part.fabric} {work.name}") if known[work.name] > 1 and work.part.fabric else work
        for work in works
    )
