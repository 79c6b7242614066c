"""Quantities as people write them, and the one place that parses them.

Inside, rates are Gbps (1e9 bit/s, one direction), volumes bytes, times seconds, lengths metres, compute FLOP/s.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

_NUMBER = r"(?P<number>[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
_QUANTITY = re.compile(rf"^\s*{_NUMBER}\s*(?P<unit>[A-Za-z%µ/]*)\s*$")

_DECIMAL = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}
_RATE_GBPS = {
    **{f"{p}b/s": f / 1e9 for p, f in _DECIMAL.items()},
    **{f"{p}bit/s": f / 1e9 for p, f in _DECIMAL.items()},
    **{f"{p}bps": f / 1e9 for p, f in _DECIMAL.items()},
    **{f"{p}B/s": 8 * f / 1e9 for p, f in (_DECIMAL | _BINARY).items()},
}
_SPEED_GBPS = {**_RATE_GBPS, "G": 1.0, "T": 1000.0, "M": 1e-3}
_BYTES = {f"{p}B": f for p, f in (_DECIMAL | _BINARY).items()}
# As nccl-tests reads them: a letter alone, or none, is a power of 1024; MB and MiB are what they are elsewhere.
_MESSAGE = _BYTES | {"": 1.0} | {f"{p}": 1024.0**n for n, both in enumerate(("kK", "mM", "gG", "tT"), 1) for p in both}
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_METRES = {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3}
_WATTS = {"mW": 1e-3, "W": 1.0, "kW": 1e3, "MW": 1e6}
_FLOPS = {f"{p}FLOP/s": f for p, f in _DECIMAL.items()} | {f"{p}FLOPS": f for p, f in _DECIMAL.items()}
_RATIO = {"%": 0.01, "": 1.0}
MOST_BARE = 10.0  # as a ratio without a % sign; a larger number is most likely meant in percent


def _parse(value: object, units: dict[str, float], what: str, example: str) -> float:
    """Number times unit; a bare number is refused unless the table has the empty unit."""
    if isinstance(value, bool) or value is None:
        raise ValueError(f"{value!r} is not a {what}; write for example {example}")
    found = _QUANTITY.match(str(value))
    if not found:
        raise ValueError(f"{value!r} is not a {what}; write for example {example}")
    unit = found["unit"]
    if unit not in units:
        if not unit:
            raise ValueError(f"{value!r} has no unit; write for example {example}")
        raise ValueError(f"unknown unit {unit!r} in {value!r}; write a {what} as {example}")
    quantity = float(found["number"].replace("_", "")) * units[unit]
    if not math.isfinite(quantity):
        raise ValueError(f"{value!r} is too large for a {what}")
    return quantity


def parse_rate_gbps(value: object) -> float:
    """Data rate in one direction, Gbps.

    >>> parse_rate_gbps("400 Gb/s"), parse_rate_gbps("50 GB/s")
    (400.0, 400.0)
    """
    return _parse(value, _RATE_GBPS, "data rate", "'400 Gb/s' (bits) or '50 GB/s' (bytes)")


def parse_speed_gbps(value: object) -> float:
    """Port speed, Gbps; the shorthand ``400G`` is allowed here and nowhere else.

    >>> parse_speed_gbps("400G")
    400.0
    """
    return _parse(value, _SPEED_GBPS, "port speed", "'400G'")


_BITS = re.compile(r"^(?P<prefix>[kmgt]?)(?:bps|b/s|bits?/s|bits?ps|bits?(?:_?per_?s(?:ec)?)?)$")


def unit_gbps(text: str) -> float | None:
    """Gbps of one unit of data rate as people and programs spell it; None for what is not one.

    Case is free for bits only: ``MBps`` may be bytes or bits, so it is none.

    >>> unit_gbps("Mbps"), unit_gbps("G"), unit_gbps("MBITPERSEC"), unit_gbps("GB/s"), unit_gbps("MBps")
    (0.001, 1.0, 0.001, 8.0, None)
    """
    unit = text.strip().replace(" ", "")
    if unit in ("", "b", "bit"):
        return None
    if unit in _SPEED_GBPS:
        return _SPEED_GBPS[unit]
    if unit == "K":
        return 1e-6
    found = _BITS.match(unit.lower())
    if found is None or ("B" in unit and not unit.isupper() and "bit" not in unit.lower()):
        return None
    return _DECIMAL[found["prefix"].upper()] / 1e9


def parse_bytes(value: object) -> float:
    """Data volume, bytes.

    >>> parse_bytes("1 GiB")
    1073741824.0
    """
    return _parse(value, _BYTES, "data volume", "'1 GiB' or '1 GB'")


def parse_message_bytes(value: object) -> float:
    """Size of a message as nccl-tests reads it, bytes: ``1M`` is 2^20; ``1MB`` is 10^6, ``1MiB`` 2^20.

    >>> parse_message_bytes("1M"), parse_message_bytes("1MB"), parse_message_bytes("8")
    (1048576.0, 1000000.0, 8.0)
    """
    return _parse(value, _MESSAGE, "message size", "'1M' or '1MiB' (2^20 bytes), '1MB' (10^6 bytes)")


def parse_seconds(value: object) -> float:
    """Time, seconds.

    >>> parse_seconds("30 min")
    1800.0
    """
    return _parse(value, _SECONDS, "time", "'30 s' or '5 min'")


def parse_metres(value: object) -> float:
    """Length, metres."""
    return _parse(value, _METRES, "length", "'3 m'")


def parse_watts(value: object) -> float:
    """Power, W.

    >>> parse_watts("17.3 kW")
    17300.0
    """
    return _parse(value, _WATTS, "power", "'12 kW'")


def parse_flops(value: object) -> float:
    """Compute speed, FLOP/s.

    >>> parse_flops("989 TFLOP/s")
    989000000000000.0
    """
    return _parse(value, _FLOPS, "compute speed", "'989 TFLOP/s'")


def parse_ratio(value: object) -> float:
    """A ratio written as a percentage or a plain number; a plain number above 10 is refused as a percentage unsaid.

    >>> parse_ratio("100%"), parse_ratio(0.4), parse_ratio("2000%")
    (1.0, 0.4, 20.0)
    >>> parse_ratio(80)
    Traceback (most recent call last):
    ValueError: 80 is 8,000 % where it has no % sign; write 80% or 0.8
    """
    ratio = _parse(value, _RATIO, "ratio", "'100%' or 1.0")
    if ratio > MOST_BARE and "%" not in str(value):
        refused = f"{str(value).strip()} is {_short(ratio * 100)} % where it has no % sign"
        raise ValueError(f"{refused}; write {_short(ratio, '')}% or {_short(ratio / 100, '', point=True)}")
    return ratio


HOURS_PER_MONTH = 730.5  # of a year of 365.25 days
_PER_MONTH = {
    **dict.fromkeys(("h", "hour"), HOURS_PER_MONTH),
    **dict.fromkeys(("d", "day"), HOURS_PER_MONTH / 24),
    **dict.fromkeys(("week",), HOURS_PER_MONTH / 168),
    **dict.fromkeys(("month",), 1.0),
    **dict.fromkeys(("y", "year"), 1 / 12),
}
_BETWEEN_H = {
    **dict.fromkeys(("h", "hour", "hours"), 1.0),
    **dict.fromkeys(("d", "day", "days"), 24.0),
    **dict.fromkeys(("month", "months"), HOURS_PER_MONTH),
    **dict.fromkeys(("y", "year", "years"), 12 * HOURS_PER_MONTH),
}
_FAILURES = re.compile(
    rf"^\s*(?:(?P<mtbf>MTBF|MTTF)\s*{_NUMBER.replace('number', 'between')}\s*(?P<of>[A-Za-z]+)"
    rf"|{_NUMBER}\s*(?:(?P<fit>FIT)|(?P<percent>%)?\s*/\s*(?P<per>[A-Za-z]+)))\s*$"
)
_FAILURES_EXAMPLE = "'0.057 %/month', '2 %/year', '0.3/year', '500 FIT' or 'MTBF 50000 h'"


def parse_failures_per_month(value: object) -> float:
    """How often one part fails, failures a month of 730.5 hours.

    ``0.057 %/month`` is 57 failures a month among 100,000 parts; ``FIT`` failures in 10^9 hours; ``MTBF`` the mean time
    from a repair to the next failure.

    >>> parse_failures_per_month("0.057 %/month"), round(parse_failures_per_month("1.2/year"), 9)
    (0.00057, 0.1)
    >>> round(parse_failures_per_month("500 FIT"), 9), parse_failures_per_month("MTBF 730.5 h")
    (0.00036525, 1.0)
    """
    parts = None if isinstance(value, bool) else _FAILURES.match(str(value))
    if parts is None:
        text = str(value).strip()
        bare = isinstance(value, int | float) or bool(re.fullmatch(rf"{_NUMBER}\s*%?", text))
        missing = f"{value!r} does not say in what time" if bare else f"{value!r} is not a failure rate"
        raise ValueError(f"{missing}; write for example {_FAILURES_EXAMPLE}")
    if parts["mtbf"]:
        hours = float(parts["between"].replace("_", "")) * _known(parts["of"], _BETWEEN_H, value)
        if not 0 < hours < math.inf:
            raise ValueError(f"{value!r} is no time between failures; write for example 'MTBF 50000 h'")
        return HOURS_PER_MONTH / hours
    number = float(parts["number"].replace("_", ""))
    if number < 0:
        raise ValueError(f"{value!r} is negative; a part that never fails has 0 %/month")
    if parts["percent"] and number > 100:
        count = _short(number / 100)
        raise ValueError(
            f"{value!r} is not a probability: more than all of them; failures that come {count} times are "
            f"{count}/{parts['per']}"
        )
    rate = number * HOURS_PER_MONTH * 1e-9 if parts["fit"] else number * _known(parts["per"], _PER_MONTH, value)
    rate = rate / 100 if parts["percent"] else rate
    if not math.isfinite(rate):
        raise ValueError(f"{value!r} is too large for a failure rate")
    return rate


def _known(unit: str, units: dict[str, float], value: object) -> float:
    """Value of a unit of time."""
    if unit not in units:
        raise ValueError(f"unknown unit {unit!r} in {value!r}; write for example {_FAILURES_EXAMPLE}")
    return units[unit]


def _short(number: float, separator: str = ",", *, point: bool = False) -> str:
    """A number with the digits it has, at most nine; ``point`` keeps one decimal."""
    text = f"{number:{separator}.9g}"
    return f"{text}.0" if point and text.isdecimal() else text


def _quantity(parse: Any, example: str, units: dict[str, float], description: str, *, positive: bool) -> Any:
    """Pydantic metadata of a quantity: parser, bound, JSON schema with a pattern for editors."""
    alternatives = "|".join(sorted((re.escape(unit) for unit in units if unit), key=len, reverse=True))
    optional = "?" if "" in units else ""
    pattern = rf"^\s*[+-]?(\d[\d_]*(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*({alternatives}){optional}\s*$"
    text: dict[str, Any] = {"type": "string", "pattern": pattern}
    schema: dict[str, Any] = {"anyOf": [{"type": "number", "maximum": MOST_BARE}, text]} if "" in units else text
    schema |= {"description": description, "examples": [example]}
    bound = Field(gt=0) if positive else Field(ge=0)
    return (BeforeValidator(parse), bound, WithJsonSchema(schema))


_rate = _quantity(parse_rate_gbps, "400 Gb/s", _RATE_GBPS, "Data rate per direction", positive=False)
_speed = _quantity(parse_speed_gbps, "400G", _SPEED_GBPS, "Port speed per direction", positive=True)
_volume = _quantity(parse_bytes, "1 GiB", _BYTES, "Data volume", positive=False)
_time = _quantity(parse_seconds, "30 s", _SECONDS, "Time", positive=False)
_length = _quantity(parse_metres, "3 m", _METRES, "Length", positive=False)
_power = _quantity(parse_watts, "12 kW", _WATTS, "Power", positive=False)
_flops = _quantity(parse_flops, "989 TFLOP/s", _FLOPS, "Compute speed", positive=True)
_ratio = _quantity(parse_ratio, "100%", _RATIO, "Ratio; 100% is 1", positive=False)

_failures = (
    BeforeValidator(parse_failures_per_month),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*((MTBF|MTTF)\s*[\d._eE+]+\s*[A-Za-z]+|[\d._eE+-]+\s*(FIT|%?\s*/\s*[A-Za-z]+))\s*$",
            "description": "How often one part fails",
            "examples": ["0.057 %/month"],
        }
    ),
)

RateGbps = Annotated[float, *_rate]
SpeedGbps = Annotated[float, *_speed]
VolumeBytes = Annotated[float, *_volume]
TimeS = Annotated[float, *_time]
LengthM = Annotated[float, *_length]
PowerW = Annotated[float, *_power]
ComputeFlops = Annotated[float, *_flops]
Ratio = Annotated[float, *_ratio]
FailuresPerMonth = Annotated[float, *_failures]
Count = Annotated[int, Field(ge=1, strict=True)]
CountOrZero = Annotated[int, Field(ge=0, strict=True)]


def format_gbps(gbps: float) -> str:
    """A rate for people: one decimal and the right prefix.

    >>> format_gbps(409600), format_gbps(400), format_gbps(0.0125), format_gbps(0)
    ('409.6 Tb/s', '400 Gb/s', '12.5 Mb/s', '0 Gb/s')
    >>> format_gbps(4.066e-05), format_gbps(4.28e-08), format_gbps(3e-11)
    ('40.7 kb/s', '42.8 b/s', '0.03 b/s')
    """
    if 0 < gbps < 1e-3:
        bps = gbps * 1e9
        if bps < 9.95:
            return f"{bps:.3g} b/s"
        value, prefix = (bps / 1000, "k") if bps >= 1000 else (bps, "")
    else:
        value, prefix = (gbps / 1000, "T") if gbps >= 10_000 else (gbps * 1000, "M") if 0 < gbps < 1 else (gbps, "G")
    return f"{value:,.1f}".removesuffix(".0") + f" {prefix}b/s"


def precise_gbps(gbps: float) -> str:
    """A rate with enough digits to tell it from another that is nearly the same.

    >>> precise_gbps(399.998)
    '399.998 Gb/s'
    """
    return f"{gbps:.6g} Gb/s"


def _scaled(value: float, steps: tuple[tuple[float, str], ...]) -> str:
    """Three significant figures in the largest unit that gives at least 1 after rounding."""
    for factor, unit in steps:
        rounded = float(f"{value / factor:.3g}")
        if rounded >= 1 or (factor, unit) == steps[-1]:
            return f"{rounded:,.0f} {unit}" if rounded >= 100 else f"{rounded:g} {unit}"
    raise ValueError("no units")


def format_bytes(volume: float) -> str:
    """A decimal volume for people.

    >>> format_bytes(8.69e9), format_bytes(999.9e9)
    ('8.69 GB', '1 TB')
    """
    return _scaled(volume, ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")))


def format_message(volume: float) -> str:
    """The size of a message in the binary units of nccl-tests, short.

    >>> format_message(1048576), format_message(1.5 * 2**30), format_message(1e6), format_message(8)
    ('1M', '1.5G', '977K', '8')
    """
    for factor, letter in ((2.0**40, "T"), (2.0**30, "G"), (2.0**20, "M"), (2.0**10, "K")):
        if volume >= factor:
            return f"{volume / factor:.3g}{letter}"
    return f"{volume:.0f}"


def size_label(volume: float) -> str:
    """A volume as people name sizes of buffers, exact and without a space: in powers of two where it is one of them.

    >>> size_label(2**20), size_label(1e9), size_label(1500), size_label(8), size_label(3 * 2**20), size_label(2.5e9)
    ('1MiB', '1GB', '1500B', '8B', '3MiB', '2500MB')
    """
    for units in (_BINARY, {key: value for key, value in _DECIMAL.items() if value > 1 and key != "K"}):
        for unit, factor in sorted(units.items(), key=lambda entry: -entry[1]):
            if volume >= factor and volume % factor == 0:
                return f"{volume / factor:.0f}{unit}B"
    return f"{volume:.17g}B"


def format_seconds(seconds: float) -> str:
    """A duration for people.

    >>> format_seconds(0.189), format_seconds(4.67), format_seconds(0.9996), format_seconds(0)
    ('189 ms', '4.67 s', '1 s', '0 s')
    """
    if seconds == 0:
        return "0 s"
    if seconds >= 600:
        return f"{float(f'{seconds / 60:.3g}'):,g} min"
    return _scaled(seconds, ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")))


def precise_seconds(seconds: float) -> str:
    """A duration with enough digits to tell it from another that is nearly the same.

    >>> precise_seconds(5.0000001)
    '5.0000001 s'
    """
    return f"{seconds:.9g} s"


def to_one(ratio: float, places: int = 0) -> str:
    """Oversubscription for people, downlink to uplink bandwidth: the side that is more has up to three decimals.

    >>> to_one(7.0), to_one(48 / 7), to_one(16 / 18), to_one(3.0, places=2)
    ('7:1', '6.857:1', '1:1.125', '3.00:1')
    """
    larger = ratio if ratio >= 1 or ratio <= 0 else 1 / ratio
    whole, _, decimals = f"{larger + 1e-9:,.3f}".partition(".")
    kept = decimals.rstrip("0").ljust(places, "0")
    text = f"{whole}.{kept}" if kept else whole
    return f"{text}:1" if larger == ratio else f"1:{text}"


def format_watts(watts: float) -> str:
    """Power for people.

    >>> format_watts(10200), format_watts(747), format_watts(1.25e6)
    ('10.2 kW', '747 W', '1.25 MW')
    """
    return _scaled(watts, ((1e6, "MW"), (1e3, "kW"), (1.0, "W")))


def format_joules(joules: float | None) -> str:
    """Energy for people; ``-`` when there is none.

    >>> format_joules(750), format_joules(93300), format_joules(2.5e6), format_joules(None)
    ('750 J', '93.3 kJ', '2.5 MJ', '-')
    """
    if joules is None:
        return "-"
    return _scaled(joules, ((1e9, "GJ"), (1e6, "MJ"), (1e3, "kJ"), (1.0, "J")))


_MOST_DIGITS = 6  # of a percentage; what is less above a full link is rounding


def percent(ratio: float | None, digits: int = 1) -> str:
    """A ratio for people; ``-`` when there is none, ``∞`` for load on nothing.

    >>> percent(2.2737), percent(None), percent(12.5, 0)
    ('227.4 %', '-', '1,250 %')
    """
    if ratio is None:
        return "-"
    return "∞" if ratio == float("inf") else f"{percent_number(ratio, digits)} %"


def peak_percent(ratio: float | None, digits: int = 1) -> str:
    """A utilisation, with enough digits to tell one just above a full link from that.

    >>> peak_percent(2.2737), peak_percent(1.00004), peak_percent(1.0)
    ('227.4 %', '100.004 %', '100.0 %')
    """
    if ratio is None or not 1.0 < ratio < 2.0:
        return percent(ratio, digits)
    while digits < _MOST_DIGITS and float(f"{ratio * 100:.{digits}f}") <= 100.0:
        digits += 1
    return percent(ratio, digits)


def percent_number(ratio: float, digits: int = 0) -> str:
    """A ratio in percent without the sign, where that stands elsewhere.

    >>> percent_number(0.974), percent_number(12.345, 1)
    ('97', '1,234.5')
    """
    return f"{ratio * 100:,.{digits}f}"


def precise_percent(ratio: float) -> str:
    """A ratio with enough digits to tell it from another that is nearly the same.

    >>> precise_percent(1.0000001)
    '100.00001 %'
    """
    return f"{ratio * 100:.9g} %"


def excess(ratio: float | None, digits: int = 1) -> str:
    """A relative difference, with enough digits to tell a small one from none.

    >>> excess(0.07), excess(0.00002), excess(1e-9), excess(0.0104, 2)
    ('7.0 %', '0.00200 %', '0.0 %', '1.04 %')
    """
    if ratio is None:
        return "-"
    if abs(ratio) < 1e-7:
        return percent(0.0, digits)
    return percent(ratio, 5 if abs(ratio) < 0.001 else digits)


def signed_percent(ratio: float) -> str:
    """A relative change.

    >>> signed_percent(0.25), signed_percent(-1.5)
    ('+25.0 %', '-150.0 %')
    """
    return f"{ratio * 100:+,.1f} %"


def points(change: float) -> str:
    """The difference of two ratios, in percentage points.

    >>> points(0.25), points(-19.57)
    ('+25.0 pt', '-1,957.0 pt')
    """
    return f"{change * 100:+,.1f} pt"
