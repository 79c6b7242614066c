"""Hash imbalance or structure: how often hashing alone would load a link, or some link like it, as much as this one.

n equal flows distributed by a fair hash onto m like links put k or more on a given one with the binomial tail
P(X >= k), X ~ Bin(n, 1/m); on at least one of M links about 1 - (1 - P)^M, which treats links as independent.
(M. Raab, A. Steger: "Balls into Bins - A Simple and Tight Analysis", RANDOM 1998, section 1.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fabric.evaluation.link_flows import LinkFlows
from fabric.result import PhaseRoute
from fabric.routing.router import traits_of


@dataclass(frozen=True)
class HashImbalance:
    """What chance says about one link under hashing.

    Attributes
    ----------
    choices : int
        Like links the sending switch hashes its flows onto, this one among them.
    dealt, mean, here : int, float, int
        Flows hashed onto them, their mean per link, and those on this link.
    probability : float
        That a given link draws at least as many; ``any_probability`` that one of all ``like`` links does.
    """

    choices: int
    dealt: int
    mean: float
    here: int
    probability: float
    like: int
    any_probability: float

    @property
    def is_likely(self) -> bool:
        """Whether a fair hash gives a link like this in one seed of twenty or more, while the mean would fit."""
        return self.any_probability >= 0.05


def hash_imbalance_of(route: PhaseRoute, flows: LinkFlows) -> HashImbalance | None:
    """Hash imbalance of a link of single hashed flows; None for fluids and for links without alternatives."""
    routed = route.routed
    if routed is None or traits_of(routed.routing.router).placement != "hashed" or routed.routing.paths is None:
        return None
    topology, link = route.topology, flows.link
    links, direction = topology.links, topology.direction
    here = int(links.src[link])
    alike = (links.tier == links.tier[link]) & (direction == direction[link]) & topology.up
    siblings = np.flatnonzero(alike & (links.src == here))
    if direction[link] <= 0 or len(siblings) < 2:
        return None  # downwards there is no choice on a leaf-spine: the spine that was drawn decides
    edges = _edges(routed.graph.link_of, siblings)
    dealt = int(np.isin(routed.routing.paths.edge, edges).sum())
    choices = len(siblings)
    return chance(choices, dealt, flows.total_subflows, int(alike.sum()))


def _edges(link_of: np.ndarray, links: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.isin(link_of, links))


def chance(choices: int, dealt: int, here: int, like: int) -> HashImbalance:
    """Balls in bins.

    >>> found = chance(choices=2, dealt=2, here=2, like=1)
    >>> round(found.probability, 9), round(found.any_probability, 9)
    (0.25, 0.25)
    """
    from scipy.stats import binom

    one = float(binom.sf(here - 1, dealt, 1 / choices)) if here > 0 else 1.0
    some = float(-np.expm1(like * np.log1p(-min(one, 1 - 1e-15))))
    return HashImbalance(choices, dealt, dealt / choices, here, one, like, some)
