"""Links that stay up with a part of their capacity: a port at half its rate, a lane lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from topologies.columns import column
from topologies.errors import TopologyError
from topologies.named_parts import NamedSets, nothing_named, select
from topologies.topology import Topology
from topologies.units import parse_ratio


def read_slow(text: str) -> tuple[str, float]:
    """Selector and the part of the capacity that is left, of ``SELECTOR=50%``.

    Raises
    ------
    TopologyError
        When there is no part, or it is not between 0 and 1 (FP3106).

    >>> read_slow("leaf0 -> spine1=50%"), read_slow("unit=3=0.75")
    (('leaf0 -> spine1', 0.5), ('unit=3', 0.75))
    """
    selector, equals, part = text.rpartition("=")
    try:
        left = parse_ratio(part) if equals and selector.strip() else None
    except ValueError as error:
        raise _bad(text, str(error)) from None
    if left is None:
        raise _bad(text, "it does not say what is left")
    if not 0 < left < 1:
        raise _bad(text, f"{part.strip()} is not between 0 % and 100 %, both excluded")
    return selector.strip(), left


def _bad(text: str, why: str) -> TopologyError:
    return TopologyError(
        f"--slow {text!r}: {why}",
        hint="write SELECTOR=50%, such as 'leaf0 -> spine1=50%'; what leaves nothing is --down",
        code="FP3106",
    )


def apply_slowed(
    topologies: Mapping[str, Topology], slow: Sequence[tuple[str, float]], *, sets: NamedSets | None = None
) -> dict[str, Topology]:
    """Leave a part of the capacity of what selectors name, in both directions; of a node, of all its links.

    Where several selectors name a link, their parts multiply.

    Raises
    ------
    TopologyError
        When a selector matches nothing (FP3110), or reads as several different links.
    """
    result = dict(topologies)
    for selector, left in dict.fromkeys(slow):
        known = False
        for name, topology in topologies.items():
            nodes, links = select(topology, name, selector, sets)
            if nodes or links:
                known = True
                result[name] = _slowed(result[name], nodes, links, left)
        if not known:
            raise nothing_named(selector, topologies.values(), sets)
    return result


def _slowed(topology: Topology, nodes: Sequence[int], links: Sequence[int], left: float) -> Topology:
    ends = np.zeros(len(topology.nodes), dtype=np.bool_)
    ends[np.asarray(nodes, dtype=np.int64)] = True
    chosen = ends[topology.links.src] | ends[topology.links.dst]
    if topology.circuit is not None:
        chosen |= ends[topology.circuit] & (topology.circuit >= 0)
    some = np.asarray(links, dtype=np.int64)
    chosen[some] = True
    back = topology.links.reverse[some]
    chosen[back[back >= 0]] = True
    rows = column(np.flatnonzero(chosen), np.int32)
    return topology.with_slowed(rows, column(np.full(len(rows), left), np.float64))
