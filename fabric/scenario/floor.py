"""Places for racks on the floor of a site, row after row, and what each is for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from fabric.scenario.site_schema import SiteSpec


@dataclass(frozen=True)
class FloorPlace:
    """A place for a rack."""

    name: str
    row: int
    place: int  # along the row
    has_rack: bool
    for_network: bool  # kept for switches


def floor_places(site: SiteSpec) -> tuple[FloorPlace, ...]:
    """All places of a planned site, row by row; those that the template gives one name are told apart by a number.

    ``r0 #2`` is the second place called ``r0``.
    """
    rows, per_row = site.rows or 0, site.racks_per_row or 0
    names = place_names(site.rack_name, rows, per_row)
    missing, network = matching(names, site.no_rack), matching(names, site.network_racks)
    return tuple(
        FloorPlace(name, number // per_row, number % per_row, name not in missing, name in network)
        for number, name in enumerate(names)
    )


@lru_cache(maxsize=16)
def place_names(template: str, rows: int, per_row: int) -> tuple[str, ...]:
    """Names of all places.

    >>> place_names("r{row}c{rack}", 2, 2), place_names("r{row}", 1, 2)
    (('r0c0', 'r0c1', 'r1c0', 'r1c1'), ('r0 #1', 'r0 #2'))
    """
    plain = [template.format(row=row, rack=place) for row in range(rows) for place in range(per_row)]
    often, seen = Counter(plain), Counter[str]()
    names = []
    for name in plain:
        seen[name] += 1
        names.append(f"{name} #{seen[name]}" if often[name] > 1 else name)
    return tuple(names)


def matching(names: Iterable[str], patterns: Iterable[str]) -> frozenset[str]:
    """Names that one of the patterns matches; ``*`` and ``?`` stand for any characters."""
    wanted = tuple(patterns)
    return frozenset(name for name in names if any(fnmatchcase(name, pattern) for pattern in wanted))
