"""Which experts a token visits when some are more popular: the choice of least assumption that has the given loads.

A token's set S of k experts has a probability proportional to the product of their weights, summed over the choices of
M of G groups that hold S (conditional Poisson sampling; with equal weights every choice of groups, then of experts in
them, is as likely as the others). Of all distributions with the same loads it has the most entropy. Weights are found
so that every expert is visited as often as was counted; ratios of sums over all choices then say how often a host has
none of a token's experts. A layer's sums are coefficients of a product of polynomials, one factor 1 + w·x an expert.

References
----------
Chen, Dempster and Liu, Biometrika 81 (1994), "Weighted finite population sampling to maximize entropy" (the fit, for
one group); Fisher's noncentral hypergeometric distribution is its law of counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError

_CLOSE = 1e-9  # between a load that is fitted and one that is given
_ENOUGH = 1e-6  # where it comes no closer
_MOST_TURNS = 400


@dataclass(frozen=True, eq=False)
class ExpertChoice:
    """How tokens of some layers choose their experts."""

    visited: Floats  # shape (L, E), probability that a token visits an expert; rows add up to k
    top_k: int
    groups: int = 1
    limit: int = 1  # groups that a token's experts may be in

    @cached_property
    def weights(self) -> Floats:
        """Weights of the experts, shape (L, E), mean 1 in a layer.

        Raises
        ------
        TrafficError
            When no routing within the limit has these loads (FP4047).
        """
        target = np.clip(self.visited, 0.0, 1 - 1e-9)
        odds = target / (1 - target)
        weights = odds / odds.mean(axis=1, keepdims=True)
        weights = self._climbed(weights) if self.limit < self.groups else self._turned(weights, odds)
        with np.errstate(divide="ignore", invalid="ignore"):  # of loads that cannot be: what comes out is no number
            apart = float(np.abs(self._chosen(weights) - self.visited).max())
        if not apart < _ENOUGH:
            raise TrafficError(
                f"no routing to {self.top_k} experts in {self.limit} of {self.groups} groups has these loads",
                where="expert_load.path",
                hint="they were counted without this limit, or of another model: check groups and group_limit",
                code="FP4047",
            )
        return column(weights, np.float64)

    def _turned(self, weights: Floats, odds: Floats) -> Floats:
        """Weights scaled by how far each expert's odds are off, until they are not: four or five turns."""
        for _ in range(_MOST_TURNS):
            chosen = self._chosen(weights)
            if float(np.abs(chosen - self.visited).max()) < _CLOSE:
                break
            chosen = np.clip(chosen, 1e-300, 1 - 1e-15)
            weights = np.where(odds > 0, weights * odds * (1 - chosen) / chosen, 0.0)
            weights = weights / weights.mean(axis=1, keepdims=True)
        return weights

    def _climbed(self, weights: Floats) -> Floats:
        """Weights of most likelihood, which have the loads; it is concave in their logarithms.

        Raises
        ------
        TrafficError
            See :attr:`weights`.
        """
        from scipy.optimize import minimize

        used = weights > 0

        def put(logarithms: Floats) -> Floats:
            result = np.zeros_like(weights)
            result[used] = np.exp(np.clip(logarithms, -200, 200))
            return result

        def loss(logarithms: Floats) -> tuple[float, Floats]:
            own = put(logarithms)
            value = float(np.log(self._sums(own)).sum() - (self.visited[used] * logarithms).sum())
            return value, np.asarray((self._chosen(own) - self.visited)[used])

        options = {"maxiter": _MOST_TURNS, "maxfun": 2 * _MOST_TURNS, "ftol": 1e-15, "gtol": _CLOSE}
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            best = minimize(loss, np.log(weights[used]), jac=True, method="L-BFGS-B", options=options)
        return put(np.asarray(best.x))

    def visits(self, place: Ints) -> Floats:
        """How often a place has one of a token's experts, shape (L, places).

        Parameters
        ----------
        place : ndarray of int, shape (E,)
            Place of every expert, from 0.
        """
        places, layers = int(place.max()) + 1, len(self.visited)
        kept = place[None, :] != np.arange(places)[:, None]
        without = (self.weights[:, None, :] * kept).reshape(layers * places, -1)
        missed = self._sums(without).reshape(layers, places) / self._sums(self.weights)[:, None]
        return column(1 - missed, np.float64)

    def _by_group(self, weights: Floats) -> Floats:
        return weights.reshape(len(weights), self.groups, -1)

    def _sums(self, weights: Floats) -> Floats:
        """Sum over all choices, shape (L,)."""
        factors = self._factors(self._by_group(weights))[-1]
        return np.asarray(self._before(factors)[-1][:, self.limit, self.top_k])

    def _factors(self, weights: Floats) -> Floats:
        """Polynomials of the first 0, 1, ... experts of each group, shape (1 + E/G, L, G, k + 1)."""
        layers, groups, size = weights.shape
        result = np.zeros((size + 1, layers, groups, self.top_k + 1))
        result[0, ..., 0] = 1
        for number in range(size):
            result[number + 1] = result[number]
            result[number + 1, ..., 1:] += weights[:, :, number, None] * result[number, ..., :-1]
        return result

    def _before(self, factors: Floats) -> list[Floats]:
        """Choices among the first 0, 1, ... groups, each of shape (L, M + 1, k + 1): groups taken, experts taken."""
        layers, groups, width = factors.shape
        first = np.zeros((layers, self.limit + 1, width))
        first[:, 0, 0] = 1
        result = [first]
        for group in range(groups):
            following = result[-1].copy()
            for taken in range(width):
                following[:, 1:, taken:] += factors[:, group, taken, None, None] * result[-1][:, :-1, : width - taken]
            result.append(following)
        return result

    def _chosen(self, weights: Floats) -> Floats:
        """Probability of a visit to every expert under these weights, shape (L, E): w/Z · dZ/dw."""
        own = self._by_group(weights)
        ahead, behind = self._factors(own), self._factors(own[:, :, ::-1])[::-1]  # behind[i]: experts i and later
        factors = ahead[-1]
        before, after = self._before(factors), self._before(factors[:, ::-1])[::-1]
        total, k = before[-1][:, self.limit, self.top_k], self.top_k
        slope = np.zeros_like(factors)  # of Z by a coefficient of a group's polynomial
        for group in range(self.groups):
            for taken in range(k + 1):
                left = before[group][:, : self.limit, : k - taken + 1]
                right = after[group + 1][:, self.limit - 1 :: -1, k - taken :: -1]
                slope[:, group, taken] = (left * right).sum(axis=(1, 2))
        one, two = np.indices((k + 1, k + 1))
        reach = np.where(one + two + 1 <= k, one + two + 1, 0)
        hankel = np.where(one + two + 1 <= k, slope[..., reach], 0.0)
        each = np.einsum("slgi,lgij,slgj->lgs", ahead[:-1], hankel, behind[1:], optimize=True)
        return np.asarray((own * each).reshape(weights.shape) / total[:, None])
