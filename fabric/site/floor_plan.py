"""From the site's keys to its floor: racks and trays, checked."""

from __future__ import annotations

from collections.abc import Iterator

from fabric.scenario.floor import floor_places, matching, place_names
from fabric.scenario.site_schema import SiteSpec
from fabric.site.site_plan import FloorPlan, RackPlace
from fabric.site.trays import Trays
from topologies.columns import column
from topologies.errors import Problem, nearest_hint


def floor_plan(site: SiteSpec) -> FloorPlan:
    """The floor of a planned site; :func:`floor_problems` says what is wrong with it."""
    trays = trays_of(site)
    points = trays.point_m
    racks = []
    for place in floor_places(site):
        if place.has_rack:
            point = trays.point(place.row, place.place)
            x_m, y_m = points[point].tolist()
            power = float("inf") if site.rack_power is None else site.rack_power
            racks.append(
                RackPlace(
                    place.name, place.row, place.place, x_m, y_m, site.rack_units, power, point, place.for_network
                )
            )
    return FloorPlan(
        racks=tuple(racks),
        tray_m=site.overhead_tray,
        point_m=points,
        segments=trays.segments,
        segment_names=trays.segment_names,
        area_mm2=column([site.trays.area_mm2] * len(trays.segments), "float64"),
        trays=trays,
        unit_m=site.unit_height,
        slack=site.slack,
        loop_m=site.service_loop,
    )


def trays_of(site: SiteSpec) -> Trays:
    """Trays of a planned site: along all rows and across them at both ends where it does not say."""
    rows, per_row = site.rows or 0, site.racks_per_row or 0
    along = range(rows) if site.trays.rows is None else [row for row in site.trays.rows if row < rows]
    both_ends = (0, per_row - 1)
    cross = both_ends if site.trays.cross is None else [place for place in site.trays.cross if place < per_row]
    return Trays(rows, per_row, site.rack_pitch, site.row_pitch, tuple(sorted(set(along))), tuple(sorted(set(cross))))


def floor_problems(site: SiteSpec) -> Iterator[Problem]:
    """What is wrong with a floor, at the keys that say it."""
    yield from _names(site)
    yield from _beyond(site)
    top = site.rack_units * site.unit_height
    if site.overhead_tray < top:
        yield Problem(
            f"the trays are {site.overhead_tray:g} m above the floor, below the top of racks of {site.rack_units} units "
            f"({top:.2f} m)",
            code="FP3307",
            where=("site", "overhead_tray"),
            hint=f"raise overhead_tray above {top:.2f} m, or lower rack_units",
        )
    places = [place for place in floor_places(site) if place.has_rack]
    if not places:
        yield Problem(
            "no_rack leaves no rack at all",
            code="FP3306",
            where=("site", "no_rack"),
            hint="name only the places that have none",
        )
        return
    if site.switches == "network-racks" and not any(place.for_network for place in places):
        yield Problem(
            "switches stand in network racks only, and no rack is one",
            code="FP3306",
            where=("site", "switches"),
            hint="name racks in network_racks, or set switches: any",
        )
    yield from _unreachable(site)


def _names(site: SiteSpec) -> Iterator[Problem]:
    """Patterns that name no place."""
    names = place_names(site.rack_name, site.rows or 0, site.racks_per_row or 0)
    for key in ("no_rack", "network_racks"):
        for number, pattern in enumerate(getattr(site, key)):
            if not matching(names, (pattern,)):
                yield Problem(
                    f"no place on the floor is called {pattern!r}",
                    code="FP3306",
                    where=("site", key, number),
                    hint=nearest_hint(pattern, names, otherwise=f"places are called {names[0]} to {names[-1]}"),
                )


def _beyond(site: SiteSpec) -> Iterator[Problem]:
    """Trays at rows and places that the floor does not have."""
    for key, most, what in (("rows", site.rows or 0, "rows"), ("cross", site.racks_per_row or 0, "places in a row")):
        for number, value in enumerate(getattr(site.trays, key) or ()):
            if value >= most:
                yield Problem(
                    f"{value} is beyond the floor, which has {most} {what}",
                    code="FP3306",
                    where=("site", "trays", key, number),
                    hint=f"count from 0: the last is {most - 1}",
                )


def _unreachable(site: SiteSpec) -> Iterator[Problem]:
    """Rows with racks that no tray joins to the others."""
    trays = trays_of(site)
    racks = [place for place in floor_places(site) if place.has_rack]
    first = next((place for place in racks if trays.has_tray[place.row]), racks[0])
    lost = [
        place
        for place in racks
        if not float(trays.distance_m(first.row, first.place, place.row, place.place)) < float("inf")
    ]
    rows = sorted({place.row for place in lost})
    if not rows:
        return
    some = ", ".join(str(row) for row in rows[:3]) + (", …" if len(rows) > 3 else "")
    called = "row" if len(rows) == 1 else "rows"
    place = lost[0]
    bare = not trays.has_tray[place.row]
    why = "no tray runs along it" if bare else "no tray crosses from another row to it"
    hint = (
        f"add {place.row} to trays.rows, name a crossing at its racks in trays.cross, or its racks in no_rack"
        if bare
        else "name a place where a tray crosses all rows in trays.cross, such as [0]"
    )
    yield Problem(
        f"no tray reaches {called} {some} from rack {first.name}: of rack {place.name}, {why}",
        code="FP3303",
        where=("site", "trays", "rows" if bare and site.trays.rows is not None else "cross"),
        hint=hint,
    )
