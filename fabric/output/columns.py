"""Kinds of columns: names, counts, ratios, rates, times, volumes. Each has one text for people, made here alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from fabric.output.table import Column
from topologies import units
from topologies.units import format_bytes, format_gbps, format_seconds, percent, signed_percent

NEVER = "never"  # a time that does not end: demand has no path


def ratio_text(value: float | None, digits: int = 1) -> str:
    """A ratio in percent.

    >>> ratio_text(2.2737), ratio_text(None), ratio_text(float("nan"))
    ('227.4 %', '-', '-')
    """
    return "-" if value is None or math.isnan(value) else percent(float(value), digits)


def load_text(utilisation: float | None) -> str:
    """Offered over capacity; None is load on a link without capacity.

    >>> load_text(1.5), load_text(None)
    ('150.0 %', '∞')
    """
    return ratio_text(math.inf if utilisation is None else utilisation)


def count_text(value: float | None) -> str:
    """A whole number.

    >>> count_text(2048), count_text(None)
    ('2,048', '-')
    """
    return "-" if value is None else f"{value:,.0f}"


def rate_text(gbps: float | None) -> str:
    """A rate in Gb/s under a header that says so; small ones with two digits, so that they do not look like none.

    >>> rate_text(1819.0), rate_text(0.0123), rate_text(0.0)
    ('1,819.0', '0.012', '0.0')
    """
    if gbps is None:
        return "-"
    return f"{gbps:.2g}" if 0 < gbps < 0.05 else f"{gbps:,.1f}"


def speed_text(gbps: float | None) -> str:
    """The capacity of a link in Gb/s, without a decimal that is zero.

    >>> speed_text(400.0), speed_text(12.5)
    ('400', '12.5')
    """
    return "-" if gbps is None else f"{gbps:,.1f}".removesuffix(".0")


def amount_text(value: float | None) -> str:
    """How much of something countable in parts, such as failures or GPU-hours: three digits, all of large ones.

    >>> [amount_text(value) for value in (1.7512, 48213.4, 0.0123, 0.0, None)]
    ['1.75', '48,213', '0.0123', '0', '-']
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"


def length_text(metres: float | None) -> str:
    """A length in metres under a header that says so: to the centimetre, without zeros at the end.

    >>> length_text(17.33), length_text(20.0), length_text(48288.4), length_text(None)
    ('17.33', '20', '48,288', '-')
    """
    if metres is None:
        return "-"
    return f"{metres:,.0f}" if metres >= 1000 else f"{metres:.2f}".rstrip("0").rstrip(".")


def factor_text(value: float | None) -> str:
    """How many times as much.

    >>> factor_text(1.5), factor_text(None)
    ('1.50x', '-')
    """
    return "-" if value is None else f"{value:.2f}x"


def seconds_text(value: float | None) -> str:
    """A time; ``-`` where there is none.

    >>> seconds_text(0.189), seconds_text(None)
    ('189 ms', '-')
    """
    return "-" if value is None else format_seconds(value)


def ending_text(value: float | None) -> str:
    """A time that may never end."""
    return NEVER if value is None else format_seconds(value)


def points_text(change: float | None) -> str:
    """A difference of two ratios, in percentage points.

    >>> points_text(0.25), points_text(None)
    ('+25.0 pt', '-')
    """
    return "-" if change is None else units.points(change)


def relative_text(change: float | None) -> str:
    """A relative difference.

    >>> relative_text(-0.5), relative_text(None)
    ('-50.0 %', '-')
    """
    return "-" if change is None else signed_percent(change)


def optional(text: Callable[[Any], str]) -> Callable[[Any], str]:
    """The text of a value, ``-`` for None."""

    def shown(value: Any) -> str:
        return "-" if value is None else text(value)

    return shown


class Maker(Protocol):
    """What makes a column of one kind; ``layout`` has further attributes of ``Column``."""

    def __call__(self, name: str, header: str, values: Any, **layout: Any) -> Column:
        """A column."""


Special = tuple[Maker, str, dict[str, Any]]  # kind, header, layout


def _kind(unit: str, text: Callable[[Any], str], width: int) -> Maker:
    """Columns of numbers of one unit."""

    def make(name: str, header: str, values: Any, **layout: Any) -> Column:
        return Column(name, header, values, **{"text": text, "numeric": True, "unit": unit, "width": width, **layout})

    return make


def named(name: str, header: str, values: Any, **layout: Any) -> Column:
    """Names and other words; ``-`` where there are none."""
    return Column(name, header, values, **{"text": _word, **layout})


def _word(value: Any) -> str:
    return "-" if value is None or value == "" else str(value)


counts = _kind("", count_text, 7)
ratios = _kind("ratio", ratio_text, 8)
loads = _kind("ratio", load_text, 8)
rates = _kind("Gbps", rate_text, 9)
speeds = _kind("Gbps", speed_text, 8)
capacities = _kind("Gbps", optional(format_gbps), 10)
factors = _kind("ratio", factor_text, 7)
amounts = _kind("", amount_text, 9)
times = _kind("s", seconds_text, 8)
endings = _kind("s", ending_text, 8)
volumes = _kind("bytes", optional(format_bytes), 9)
lengths = _kind("m", length_text, 8)
points = _kind("ratio", points_text, 11)
relatives = _kind("ratio", relative_text, 9)
fine_ratios = _kind("ratio", partial(ratio_text, digits=4), 10)


def from_records(
    rows: Sequence[Mapping[str, Any]], names: Iterable[str], special: Mapping[str, Special]
) -> list[Column]:
    """Columns of flat records.

    Parameters
    ----------
    rows : sequence of mapping
        One per row; a missing key is not a value.
    names : iterable of str
        The columns, in order.
    special : mapping
        Kind, header and layout of columns that are not words under their own name.
    """
    columns = []
    for name in names:
        make, header, layout = special.get(name, (named, name.replace("_", " "), {}))
        columns.append(make(name, header, [row.get(name) for row in rows], **layout))
    return columns
