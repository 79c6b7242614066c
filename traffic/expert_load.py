"""Loads of experts that differ: what an exchange of tokens goes by, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from topologies.columns import Floats, Ints, column
from traffic.expert_choice import ExpertChoice


@dataclass(frozen=True, eq=False)
class ExpertLoad:
    """Probability that a token visits each expert, by layer with experts."""

    visited: Floats  # shape (layers with experts, E), or (1, E) where all are alike; rows add up to top_k
    layers: tuple[int, ...]  # layers of the model that have experts
    top_k: int
    choices: dict[tuple[int, int], ExpertChoice] = field(default_factory=dict)  # those asked for so far
    places: dict[tuple[int, int, bytes], Floats] = field(default_factory=dict)  # visits of places asked for so far

    def choice(self, groups: int, limit: int) -> ExpertChoice:
        """How tokens choose within a limit, fitted once."""
        limited = (groups, limit) if limit < groups else (1, 1)
        if limited not in self.choices:
            self.choices[limited] = ExpertChoice(self.visited, self.top_k, *limited)
        return self.choices[limited]

    def visits(self, place: Ints, groups: int, limit: int) -> Floats:
        """How often a place has one of a token's experts, worked out once; see :meth:`ExpertChoice.visits`."""
        key = (groups, limit, place.tobytes())
        if key not in self.places:
            self.places[key] = self.choice(groups, limit).visits(place)
        return self.places[key]

    def of_layers(self, layers: Sequence[int], *, back: bool) -> LayerLoad:
        """Loads of some layers of the model; those without experts are left out."""
        wanted = [self.layers.index(layer) for layer in layers if layer in self.layers]
        return LayerLoad(self, (0,) if len(self.visited) == 1 else tuple(wanted), back)

    def busiest(self, ranks: int) -> dict[int, float]:
        """Load of the busiest of the ranks that share the experts over their mean, by layer."""
        shares = self.of_layers(self.layers, back=False).rank_shares(ranks)
        over = np.broadcast_to(shares.max(axis=1) * ranks, len(self.layers))
        return dict(zip(self.layers, over.tolist(), strict=True))

    def imbalance(self, ranks: int) -> float:
        """The same, the mean over layers."""
        over = self.busiest(ranks).values()
        return sum(over) / len(over)


@dataclass(frozen=True, eq=False)
class LayerLoad:
    """What an exchange of tokens in some layers goes by."""

    load: ExpertLoad
    rows: tuple[int, ...]  # of ``load.visited``
    back: bool  # results on their way back from the experts

    def rank_shares(self, ranks: int) -> Floats:
        """Part of the visits that are to each rank's experts, shape (layers, ranks); a rank has E/n neighbours."""
        visited = self.load.visited[list(self.rows)]
        owner = np.arange(visited.shape[1]) * ranks // visited.shape[1]
        return column(visited @ np.eye(ranks)[owner] / self.load.top_k, np.float64)

    def visits(self, host: Ints, groups: int | None, limit: int | None) -> Floats:
        """Probability that a host has an expert of a token, shape (layers, hosts); ``host`` is that of every rank."""
        experts = np.arange(self.load.visited.shape[1])
        place = column(host[experts * len(host) // len(experts)], np.int32)
        by_layer = self.load.visits(place, groups or 1, limit or groups or 1)
        return column(by_layer[list(self.rows)], np.float64)


def uneven(sent: Floats, received: Floats) -> float:
    """Time of layers one by one over that of their sum: each waits for its own busiest rank; shapes (layers, ranks)."""
    together = max(float(sent.mean(axis=0).max()), float(received.mean(axis=0).max()))
    return float(np.maximum(sent.max(axis=1), received.max(axis=1)).mean()) / together if together else 1.0
