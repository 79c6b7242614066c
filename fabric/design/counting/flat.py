"""Networks without levels, counted: their sizes are written out, and a table of them is what a model chooses from.

How much bandwidth is enough is said by the **uniform load**: what the links of a kind between switches would carry on
average, over what they can, if every NIC sent at its full rate evenly to all others, along shortest paths. A ratio of
at most 1 carries an all-to-all at the rate of the NICs, where routing spreads it evenly. It does not say that any
other traffic is carried: half of the NICs sending to the other half may need twice that, and the NICs of two switches
that send to each other share the one or few cables between them. What the jobs need is decided by routing them. The
ceiling of a need's oversubscription is that of the uniform load here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from fabric.design.counting.layout import Layout, Sizes, Wire, host_link
from fabric.design.counting.port_options import PortOption, host_options
from fabric.design.counting.shares import Share, one_plane, shares
from fabric.design.family import Formulation, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue
from topologies.oversubscription import exact, gbps_fraction

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel

# Uniform loads that are aimed at, as parts of the most allowed: designs with more bandwidth, for jobs that need it.
_STEPS = (Fraction(1), Fraction(1, 2))
_ANY = (Fraction(10**9), Fraction(8), Fraction(4), Fraction(2), Fraction(1), Fraction(1, 2))


@dataclass(frozen=True)
class Ground:
    """What the sizes of a flat network of one plane are made from: one way of using the ports of a model.

    Attributes
    ----------
    link_ratio : Fraction
        Speed of a NIC port over that of a link between switches.
    """

    share: Share
    option: PortOption
    link_ratio: Fraction

    @property
    def ports(self) -> int:
        """Ports of a switch."""
        return self.option.ports

    @property
    def hosts(self) -> int:
        """Hosts that there is room for, each whole on one switch."""
        return self.share.room

    @property
    def nics(self) -> int:
        """Ports that a host takes of its switch."""
        return self.share.nics

    @property
    def most_hosts(self) -> int:
        """Hosts that a switch has ports for."""
        return self.ports // self.nics

    def hosts_on(self, switches: int) -> int:
        """Hosts on the fullest of so many switches, room in reserve included."""
        return -(-self.hosts // switches)

    def links_used(self, switches: int) -> int:
        """NIC ports on the fullest switch, of the hosts that there are: they are spread evenly."""
        return -(-self.share.need.hosts // switches) * self.nics

    @cached_property
    def aims(self) -> tuple[Fraction, ...]:
        """Uniform loads to aim at, the highest first."""
        return loads_of(self.share.need)

    def fewest_links(self, sent: int, among: int, aim: Fraction) -> int:
        """Fewest links that carry what ``sent`` / ``among`` NIC ports send, each at no more than the load aimed at."""
        ratio = self.link_ratio
        carried = ratio.denominator * among * aim.numerator
        return max(-(-ratio.numerator * sent * aim.denominator // carried), 1)

    def keys(self) -> dict[str, Any]:
        """Keys of the topology that all flat builders have."""
        slower = self.share.gbps != self.option.gbps
        return {
            "switch": self.option.spec(),
            "speed": f"{self.option.gbps:g}G",
            **({"host_speed": f"{self.share.gbps:g}G"} if slower else {}),
        }


def loads_of(need: FabricNeed) -> tuple[Fraction, ...]:
    """Uniform loads to aim at: what is allowed and parts of it; a range of them where anything is."""
    if need.oversubscription == inf:
        return _ANY
    most = exact(need.oversubscription)
    return tuple(most * step for step in _STEPS)


def load_allowed(need: FabricNeed) -> Fraction | None:
    """Highest uniform load allowed; None where any is."""
    return None if need.oversubscription == inf else exact(need.oversubscription)


def grounds(need: FabricNeed, catalogue: Catalogue, *, planes: bool = True) -> Iterator[Ground]:
    """Every way of using a model for the hosts, on one plane, and with NICs split over several."""
    single = one_plane(need)
    for share in [*([single] if single else []), *(shares(need) if planes else ())]:
        if not share.leaf_may_die():
            continue
        for option in host_options(need, catalogue, share.gbps):
            yield Ground(share, option, gbps_fraction(share.gbps) / gbps_fraction(option.gbps))


def within_tiers(need: FabricNeed, switches: int) -> bool:
    """Whether a path of so many switches is no longer than one up and down the tiers allowed."""
    return switches <= 2 * need.max_tiers - 1


def flat_variant(
    family: str, ground: Ground, roles: Sequence[str], tiers: Sequence[str], sizes: Iterable[Sizes]
) -> Variant | None:
    """The variant of sizes that are written out, those left out that another is no worse than; None without any.

    Parameters
    ----------
    tiers : sequence of str
        Tier of the hosts first.
    """
    best = _not_dominated(list(sizes))
    if not best:
        return None
    option = ground.option
    between = (Wire(tier, option.gbps, option.end(), option.end()) for tier in tiers[1:])
    wires = (host_link(ground.share, option, tier=tiers[0]), *between)
    layout = Layout(family, ground.share, tuple(roles), (option,) * len(roles), wires, family)
    floor = layout.floor(
        [min(each.switches[at] for each in best) for at in range(len(roles))],
        [min(each.cables[at] for each in best) for at in range(len(tiers) - 1)],
    )
    return layout.variant(floor, lambda model: _formulate(model, layout, best))


def _formulate(model: CpModel, layout: Layout, sizes: Sequence[Sizes]) -> Formulation:
    """One variable, the position in the list of sizes; counts follow from it by a table."""
    counts = [(*each.switches, *each.cables) for each in sizes]
    roles = len(sizes[0].switches)
    if len(sizes) == 1:
        return layout.formulation(counts[0][:roles], counts[0][roles:], (), lambda _: sizes[0])
    index = model.new_int_var(0, len(sizes) - 1, "size")
    columns = [
        model.new_int_var(min(values), max(values), f"count {place}")
        for place, values in enumerate(zip(*counts, strict=True))
    ]
    model.add_allowed_assignments([index, *columns], [(at, *row) for at, row in enumerate(counts)])

    def read(value: Callable[[Any], int]) -> Sizes:
        return sizes[value(index)]

    return layout.formulation(columns[:roles], columns[roles:], (index,), read)


def _not_dominated(sizes: list[Sizes]) -> list[Sizes]:
    """Sizes without those that have as many of everything as another or more, and no lower load; in a fixed order."""
    if not sizes:
        return []
    rows = [(*each.switches, *each.cables, each.uniform_load or 0.0) for each in sizes]
    order = sorted(range(len(rows)), key=lambda at: (rows[at], repr(sizes[at].topology)))
    table = np.array([rows[at] for at in order], dtype=np.float64)
    kept: list[int] = []
    for at in range(len(order)):
        # Those before are no greater in the first count, so that only they can be no greater in all.
        if not kept or not (table[kept] <= table[at]).all(axis=1).any():
            kept.append(at)
    return [sizes[order[at]] for at in kept]
