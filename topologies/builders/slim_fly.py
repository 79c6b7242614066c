"""Slim Fly: the McKay-Miller-Širáň graphs of diameter two."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.builder import TOPOLOGIES, Hosts
from topologies.columns import Ints, column
from topologies.errors import TopologyError
from topologies.facts import Facts
from topologies.finite_field import Field as FiniteField
from topologies.finite_field import finite_field, prime_power
from topologies.flat import HostSpeed, Length, Parallel, Speed, flat_network
from topologies.hosts import AttachOrder
from topologies.node_names import node_names
from topologies.switches import Switch
from topologies.topology import Topology
from topologies.units import Count


def facts(q: int, p: int | None, speed: float, parallel: int = 1) -> Facts:
    """Closed form (Besta and Hoefler, SC 2014, section 2): 2q² routers of degree (3q−δ)/2."""
    degree = (3 * q - _delta(q)) // 2
    p = p or -(-degree // 2)
    cables = {"host-switch": 2 * q * q * p, "switch-switch": q * q * degree * parallel}
    return Facts(
        endpoints=2 * q * q * p,
        switches=2 * q * q,
        cables_by_tier=cables,
        tier_gbps={tier: count * speed for tier, count in cables.items()},
        ports_used_max=p + degree * parallel,
    )


@TOPOLOGIES.register("slim-fly", facts=facts, example={"q": 5, "p": 4, "speed": "100G"})
def slim_fly(
    q: Annotated[Count, Field(description="Order of the field, a prime power such as 5, 7, 8, 9")],
    speed: Speed,
    p: Annotated[
        Count | None, Field(description="Hosts of a switch; half of its network ports, rounded up, if absent")
    ] = None,
    host_speed: HostSpeed = None,
    switch: Switch = None,
    parallel: Parallel = 1,
    length: Length = None,
    attach_order: AttachOrder = "fill",
    hosts: Hosts = (),
) -> Topology:
    """Slim Fly: two halves of q x q switches, any two of all at most two hops apart.

    Switches (0, x, y) and (0, x, y') are cabled when y − y' is in X, (1, m, c) and (1, m, c') when c − c' is in X', and
    (0, x, y) and (1, m, c) when y = m·x + c.

    References
    ----------
    Besta and Hoefler, "Slim Fly: a cost effective low-diameter network topology", SC 2014, section 2.1.2; Hafner,
    "Geometric realisation of the graphs of McKay-Miller-Širáň", JCTB 90, 2004.
    """
    if prime_power(q) is None or q < 3:
        below = next((size for size in range(q - 1, 2, -1) if prime_power(size)), None)
        above = next(size for size in range(max(q + 1, 3), 2 * q + 4) if prime_power(size))
        choices = "; ".join(
            f"q {size} has {2 * size * size:,} switches of {(3 * size - _delta(size)) // 2} network ports"
            for size in (below, above)
            if size
        )
        raise TopologyError(
            f"q is {q}, which is not a prime power above 2; a Slim Fly needs a field of q elements",
            where="q",
            hint=choices,
            code="FP3043",
        )
    field = finite_field(q)
    degree = (3 * q - _delta(q)) // 2
    pairs = _pairs(field)
    names = node_names("switch", list(np.ndindex(2, q, q)))
    return flat_network(
        f"slim-fly(q={q})",
        "slim-fly",
        names,
        pairs,
        hosts=hosts,
        hosts_per_switch=-(-degree // 2) if p is None else p,
        speed=speed,
        host_speed=host_speed,
        switch=switch,
        attach_order=attach_order,
        parallel=parallel,
        length=length,
    )


def _delta(q: int) -> int:
    """δ of q = 4w + δ, one of −1, 0, 1 (odd q; 0 for powers of two)."""
    return {1: 1, 3: -1}.get(q % 4, 0)


def _generators(field: FiniteField) -> tuple[list[int], list[int]]:
    """The sets X and X' as exponents of the primitive element."""
    q, w = field.order, (field.order + 1) // 4
    if _delta(q) == 1:
        return list(range(0, q - 2, 2)), list(range(1, q - 1, 2))
    if _delta(q) == 0:
        return list(range(0, q - 1, 2)), list(range(1, q, 2))
    even = [*range(0, 2 * w - 1, 2), *range(2 * w - 1, 4 * w - 2, 2)]
    odd = [*range(1, 2 * w, 2), *range(2 * w, 4 * w - 1, 2)]
    return even, odd


def _pairs(field: FiniteField) -> tuple[Ints, Ints]:
    q = field.order
    element = np.arange(q)
    one, other = [], []
    for side, exponents in enumerate(_generators(field)):
        chosen = {field.power(exponent) for exponent in exponents}
        near = [(y, z) for y in range(q) for z in range(y + 1, q) if field.subtract(y, z) in chosen]
        low, high = (np.array([pair[end] for pair in near]) for end in (0, 1))
        base = side * q * q + element[:, None] * q
        one.append((base + low).ravel())
        other.append((base + high).ravel())
    x, m, c = np.meshgrid(element, element, element, indexing="ij")
    y = field.addition[field.multiplication[m, x], c]
    one.append((x * q + y).ravel())
    other.append((q * q + m * q + c).ravel())
    return column(np.concatenate(one), np.int32), column(np.concatenate(other), np.int32)
