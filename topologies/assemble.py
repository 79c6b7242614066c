"""Incremental builder that freezes into a ``Topology``.

Everything is added in bulk: a call adds a whole role or a whole tier. Cables are added lower end first; the tier's name
is ``lower-upper`` by role, such as ``leaf-spine``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from topologies.budget import check_memory, network_counts
from topologies.columns import Ints
from topologies.elements import Links, Nodes
from topologies.node_names import check_unique
from topologies.topology import Topology

_NODE_COLUMNS = ("role", "level", "pod", "unit", "rail", "plane", "radix", "nics", "forwards")
_LINK_COLUMNS = ("src", "dst", "capacity_gbps", "weight", "tier", "reverse", "src_ports", "length_m", "delay_us")
_WHOLE = ("src", "dst", "tier", "reverse", "circuit")  # columns of whole numbers


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of a table that were added by one call; a column has one value for every second row, or for every row."""

    first: int
    count: int
    columns: Mapping[str, tuple[Any, ...]]  # of links there and back where there are two

    def fill(self, key: str, whole: NDArray[Any]) -> None:
        """Write a column of the part to its place in that of the whole."""
        sides = self.columns[key]
        for side, values in enumerate(sides):
            whole[self.first + side : self.first + self.count : len(sides)] = values


def _column(key: str, parts: Sequence[_Part], count: int, dtype: DTypeLike) -> NDArray[Any]:
    """A read-only column of all parts."""
    whole = np.empty(count, dtype=dtype)
    for part in parts:
        part.fill(key, whole)
    whole.flags.writeable = False
    return whole


class Assembler:
    """Collects nodes and cables; ``freeze`` gives the topology."""

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self._names: list[str] = []
        self._roles: list[str] = []
        self._tiers: list[str] = []
        self._nodes: list[_Part] = []
        self._links: list[_Part] = []
        self._link_count = 0
        self._said: list[str] = []

    def say(self, *texts: str) -> None:
        """Say where the fabric differs from what was asked for."""
        self._said.extend(text for text in texts if text not in self._said)

    def _code(self, table: list[str], word: str) -> int:
        if word not in table:
            table.append(word)
        return table.index(word)

    def _check(self, nodes: int, cables: int) -> None:
        """Refuse what would not fit the memory together with what is there (FP3050)."""
        built, cabled = len(self._names), self._link_count // 2
        there = network_counts(built, cabled).size_bytes
        check_memory(network_counts(built + nodes, cabled + cables), "this fabric", built_bytes=there)

    def nodes(
        self,
        role: str,
        names: Sequence[str],
        *,
        level: int,
        pod: ArrayLike = -1,
        unit: ArrayLike = -1,
        rail: ArrayLike = -1,
        plane: ArrayLike = -1,
        radix: ArrayLike = 0,
        nics: ArrayLike = 0,
        forwards: bool = True,
    ) -> Ints:
        """Add nodes of one role; scalar attributes hold for all. Returns their ids."""
        count = len(names)
        self._check(count, 0)
        first = len(self._names)
        self._names.extend(names)
        values = {
            "role": self._code(self._roles, role),
            "level": level,
            "pod": pod,
            "unit": unit,
            "rail": rail,
            "plane": plane,
            "radix": radix,
            "nics": nics,
            "forwards": forwards,
        }
        self._nodes.append(_Part(first, count, {key: (_own(value),) for key, value in values.items()}))
        return np.arange(first, first + count, dtype=np.int32)

    def switches(self, role: str, names: Sequence[str], *, level: int, radix: int = 0, **attributes: Any) -> Ints:
        """Add switches: nodes that forward and are not endpoints."""
        return self.nodes(role, names, level=level, radix=radix, **attributes)

    def hosts(self, names: Sequence[str], *, nics: ArrayLike = 1, role: str = "host", **attributes: Any) -> Ints:
        """Add endpoints that do not forward: hosts, or single NICs where each is an endpoint of its own."""
        return self.nodes(role, names, level=0, nics=nics, forwards=False, **attributes)

    def cables(
        self,
        lower: ArrayLike,
        upper: ArrayLike,
        gbps: ArrayLike,
        *,
        tier: str | None = None,
        parallel: int = 1,
        back_gbps: ArrayLike | None = None,
        weight: ArrayLike = 1.0,
        back_weight: ArrayLike | None = None,
        lower_ports: float = 1.0,
        upper_ports: float = 1.0,
        length_m: ArrayLike = np.nan,
        delay_us: ArrayLike = np.nan,
        through: ArrayLike = -1,
    ) -> None:
        """Add full-duplex cables ``lower[i] - upper[i]``, ``parallel`` of each.

        Parameters
        ----------
        gbps, back_gbps : float or array
            Capacity from lower to upper, and back (the same unless given), Gbps.
        lower_ports, upper_ports : float
            Ports one cable takes at each end; 0.5 at the switch end of a two-way breakout.
        through : int or array
            Optical switch each cable is patched through; -1 for none.
        """
        low, high = np.broadcast_arrays(np.asarray(lower, np.int32), np.asarray(upper, np.int32))
        self._check(0, low.size * parallel)
        low, high = np.repeat(low, parallel), np.repeat(high, parallel)
        count = len(low)
        if not count:
            return
        name = tier or self._tier_name(int(low[0]), int(high[0]))
        first, end = self._link_count, self._link_count + 2 * count

        def both(forward: ArrayLike, back: ArrayLike) -> tuple[Any, Any]:
            return self._per_cable(forward, parallel, count), self._per_cable(back, parallel, count)

        self._append(
            2 * count,
            src=(low, high),
            dst=(high, low),
            capacity_gbps=both(gbps, gbps if back_gbps is None else back_gbps),
            weight=both(weight, weight if back_weight is None else back_weight),
            tier=(self._code(self._tiers, name),),
            reverse=(np.arange(first + 1, end, 2), np.arange(first, end, 2)),
            src_ports=both(lower_ports, upper_ports),
            length_m=both(length_m, length_m),
            delay_us=both(delay_us, delay_us),
            circuit=both(through, through),
        )

    @staticmethod
    def _per_cable(value: ArrayLike, parallel: int, count: int) -> Any:
        array = _own(value)
        return np.repeat(array, parallel) if array.ndim and len(array) != count else array

    def one_way(
        self,
        src: ArrayLike,
        dst: ArrayLike,
        gbps: ArrayLike,
        *,
        tier: str | None = None,
        weight: ArrayLike = 1.0,
        length_m: ArrayLike = np.nan,
        delay_us: ArrayLike = np.nan,
    ) -> None:
        """Add links that exist in one direction only."""
        tail, head = np.atleast_1d(np.asarray(src, np.int32)), np.atleast_1d(np.asarray(dst, np.int32))
        count = len(tail)
        if not count:
            return

        name = tier or self._tier_name(int(tail[0]), int(head[0]))
        self._append(
            count,
            src=(_own(tail),),
            dst=(_own(head),),
            capacity_gbps=(_own(gbps),),
            weight=(_own(weight),),
            tier=(self._code(self._tiers, name),),
            reverse=(-1,),
            src_ports=(1.0,),
            length_m=(_own(length_m),),
            delay_us=(_own(delay_us),),
            circuit=(-1,),
        )

    def full_mesh(self, lower: ArrayLike, upper: ArrayLike, gbps: float, *, parallel: int = 1, **keys: Any) -> None:
        """Cable every lower node to every upper node, ``parallel`` cables each."""
        low, high = np.asarray(lower), np.asarray(upper)
        self._check(0, len(low) * len(high) * parallel)
        self.cables(np.repeat(low, len(high)), np.tile(high, len(low)), gbps, parallel=parallel, **keys)

    def _tier_name(self, low: int, high: int) -> str:
        return f"{self._role_of(low)}-{self._role_of(high)}"

    def _role_of(self, node: int) -> str:
        part = self._nodes[bisect_right(self._nodes, node, key=lambda each: each.first) - 1]
        return self._roles[int(part.columns["role"][0])]

    def _append(self, count: int, **columns: tuple[Any, ...]) -> None:
        self._links.append(_Part(self._link_count, count, columns))
        self._link_count += count

    def freeze(self) -> Topology:
        """The finished topology, everything up.

        Raises
        ------
        TopologyError
            When two nodes share a name.
        """
        check_unique(self._names, "names must be unique; node groups are distinguished by name: '{group}-{index}'")
        nodes = {
            key: _column(key, self._nodes, len(self._names), np.bool_ if key == "forwards" else np.int32)
            for key in _NODE_COLUMNS
        }
        links = {key: self._link_column(key) for key in _LINK_COLUMNS}
        up = np.ones(self._link_count, dtype=np.bool_)
        up.flags.writeable = False
        return Topology(
            name=self.name,
            kind=self.kind,
            roles=tuple(self._roles),
            tiers=tuple(self._tiers),
            nodes=Nodes(name=tuple(self._names), **nodes),
            links=Links(**links),
            up=up,
            circuit=self._link_column("circuit") if self._has_circuits() else None,
            said=tuple(self._said),
        )

    def _link_column(self, key: str) -> NDArray[Any]:
        return _column(key, self._links, self._link_count, np.int32 if key in _WHOLE else np.float64)

    def _has_circuits(self) -> bool:
        return any((np.asarray(part.columns["circuit"][0]) >= 0).any() for part in self._links)


def _own(values: ArrayLike) -> NDArray[Any]:
    """An array that no caller changes afterwards."""
    return np.array(values)


def assemble(name: str, kind: str) -> Assembler:
    """Start a topology."""
    return Assembler(name, kind)
