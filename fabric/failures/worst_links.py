"""Compiled: joining the worst cases of every link."""

from __future__ import annotations

from fabric.routing.compiled import compiled_in_place
from topologies.columns import Floats, Ints, Longs


@compiled_in_place
def merge_worst(worst: Floats, case: Longs, other: Floats, other_case: Longs) -> None:
    """Take the worst of ``other`` into ``worst``; of equals the lower case number stays first."""
    places = worst.shape[1]
    for link in range(len(worst)):
        for at in range(places):
            value, number = other[link, at], other_case[link, at]
            if number < 0:
                break
            place = places - 1
            last, last_case = worst[link, place], case[link, place]
            if last > value or (last == value and 0 <= last_case < number):
                break
            while place > 0 and (
                worst[link, place - 1] < value or (worst[link, place - 1] == value and case[link, place - 1] > number)
            ):
                worst[link, place], case[link, place] = worst[link, place - 1], case[link, place - 1]
                place -= 1
            worst[link, place], case[link, place] = value, number


@compiled_in_place
def add_case(worst: Floats, case: Longs, number: int, links: Ints, values: Floats) -> None:
    """Take one case in: ``values`` of ``links``; of equals the lower case number stays first."""
    places = worst.shape[1]
    for at in range(len(links)):
        link, value = links[at], values[at]
        place = places - 1
        last, last_case = worst[link, place], case[link, place]
        if last > value or (last == value and 0 <= last_case < number):
            continue
        while place > 0 and (
            worst[link, place - 1] < value or (worst[link, place - 1] == value and case[link, place - 1] > number)
        ):
            worst[link, place], case[link, place] = worst[link, place - 1], case[link, place - 1]
            place -= 1
        worst[link, place], case[link, place] = value, number
