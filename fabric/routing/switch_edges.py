"""The edges between the switches of a fabric, which are the same for all demand, and what is found of them once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fabric.routing.twins import TwinNet, find_twins, twin_net
from topologies.columns import Ints, column
from topologies.parts import strong_parts


@dataclass(frozen=True, eq=False)
class SwitchEdges:
    """Edges between switches, the first ``count`` of all nodes of a routing graph."""

    count: int
    src: Ints  # shape (E,)
    dst: Ints

    @cached_property
    def twins(self) -> Ints:
        """Set of every switch that has the same links as others, shape (count,)."""
        return find_twins(self.src, self.dst, self.count)

    @cached_property
    def twin_net(self) -> TwinNet:
        """The network of those sets."""
        return twin_net(self.src, self.dst, self.twins, self.count)

    @cached_property
    def strong_part(self) -> Ints:
        """Number of the part of every switch inside which all reach each other, shape (count,)."""
        return strong_parts(self.count, self.src, self.dst)

    def with_others(self, label: Ints, nodes: int) -> Ints:
        """Labels of all ``nodes``: after the switches, each has one of its own."""
        fresh = int(label.max(initial=-1)) + 1
        return column(np.concatenate([label, fresh + np.arange(nodes - self.count)]), np.int32)
