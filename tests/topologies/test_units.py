"""Quantities as people write them: every parser, every prefix, and what each refuses."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from topologies import units
from topologies.units import (
    Count,
    CountOrZero,
    LengthM,
    RateGbps,
    Ratio,
    SpeedGbps,
    parse_bytes,
    parse_flops,
    parse_metres,
    parse_rate_gbps,
    parse_ratio,
    parse_seconds,
    parse_speed_gbps,
)


@pytest.mark.parametrize(
    ("text", "gbps"),
    [
        ("400 Gb/s", 400),
        ("400Gbit/s", 400),
        ("400 Gbps", 400),
        ("50 GB/s", 400),
        ("1 Tb/s", 1000),
        ("100 Mb/s", 0.1),
        ("8 kb/s", 8e-6),
        ("1 KiB/s", 8192e-9),
        ("1_000 Gb/s", 1000),
        (".5 Gb/s", 0.5),
        ("4e2 Gb/s", 400),
        ("  400 Gb/s ", 400),
    ],
)
def test_a_data_rate_is_read_in_gbps(text, gbps):
    """A byte is 8 bits; decimal prefixes are powers of 1000, binary ones of 1024."""
    assert parse_rate_gbps(text) == pytest.approx(gbps, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "gbps"), [("400G", 400), ("1.6T", 1600), ("100M", 0.1), ("400 Gb/s", 400), ("50 GB/s", 400)]
)
def test_a_port_speed_also_has_the_short_form(text, gbps):
    """400G on a port means 400 Gb/s."""
    assert parse_speed_gbps(text) == pytest.approx(gbps, rel=1e-12)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_bytes, "1 GiB", 2**30),
        (parse_bytes, "64MiB", 64 * 2**20),
        (parse_bytes, "1 GB", 1e9),
        (parse_bytes, "512 B", 512),
        (parse_seconds, "30 s", 30),
        (parse_seconds, "30 min", 1800),
        (parse_seconds, "2 h", 7200),
        (parse_seconds, "1 d", 86400),
        (parse_seconds, "5 ms", 5e-3),
        (parse_seconds, "5 us", 5e-6),
        (parse_seconds, "5 µs", 5e-6),
        (parse_seconds, "5 ns", 5e-9),
        (parse_metres, "3 m", 3),
        (parse_metres, "2 km", 2000),
        (parse_metres, "30 cm", 0.3),
        (parse_flops, "989 TFLOP/s", 989e12),
        (parse_flops, "1 PFLOPS", 1e15),
        (parse_ratio, "100%", 1),
        (parse_ratio, "40 %", 0.4),
        (parse_ratio, 0.4, 0.4),
        (parse_ratio, "0.4", 0.4),
    ],
)
def test_each_quantity_is_read_in_its_own_unit(parse, text, value):
    """The unit table of each quantity, one prefix of each kind."""
    assert parse(text) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_rate_gbps, "400", "'400' has no unit; write for example '400 Gb/s'"),
        (parse_rate_gbps, 400, "400 has no unit"),
        (parse_rate_gbps, "400G", "unknown unit 'G' in '400G'; write a data rate as '400 Gb/s'"),
        (parse_rate_gbps, "400 gb/s", "unknown unit 'gb/s'"),
        (parse_rate_gbps, "fast", "'fast' is not a data rate"),
        (parse_rate_gbps, "nan Gb/s", "'nan Gb/s' is not a data rate"),
        (parse_rate_gbps, True, "True is not a data rate"),
        (parse_rate_gbps, None, "None is not a data rate"),
        (parse_rate_gbps, "", "'' is not a data rate"),
        (parse_speed_gbps, "400", "'400' has no unit; write for example '400G'"),
        (parse_speed_gbps, "400 GHz", "unknown unit 'GHz' in '400 GHz'; write a port speed as '400G'"),
        (parse_bytes, "1 Gb", "unknown unit 'Gb' in '1 Gb'; write a data volume as '1 GiB' or '1 GB'"),
        (parse_bytes, 1024, "1024 has no unit"),
        (parse_seconds, "5", "'5' has no unit; write for example '30 s' or '5 min'"),
        (parse_seconds, "5 m", "unknown unit 'm' in '5 m'; write a time"),
        (parse_metres, "3 ft", "unknown unit 'ft' in '3 ft'; write a length as '3 m'"),
        (parse_flops, "989 TFLOP", "unknown unit 'TFLOP'"),
        (parse_ratio, "3:1", "'3:1' is not a ratio"),
        (parse_ratio, "3 x", "unknown unit 'x'"),
    ],
)
def test_what_cannot_be_decided_is_refused(parse, text, message):
    """A missing or foreign unit is an error that shows how to write it, never a guess."""
    with pytest.raises(ValueError, match=f"^{message.replace('(', '.').replace(')', '.')}"):
        parse(text)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (SpeedGbps, "0G", "greater than 0"),
        (RateGbps, "-1 Gb/s", "greater than or equal to 0"),
        (LengthM, "-3 m", "greater than or equal to 0"),
        (Ratio, "-1%", "greater than or equal to 0"),
        (Count, 0, "greater than or equal to 1"),
        (Count, 2.0, "valid integer"),
        (Count, True, "valid integer"),
        (CountOrZero, -1, "greater than or equal to 0"),
    ],
)
def test_the_types_carry_their_bounds(kind, value, message):
    """Bounds travel with the type, so that every builder has them."""
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(("kind", "value"), [(RateGbps, "0 Gb/s"), (Ratio, 0), (CountOrZero, 0)])
def test_zero_is_allowed_where_nothing_makes_sense(kind, value):
    """No traffic is a rate; no port speed is not a port."""
    assert TypeAdapter(kind).validate_python(value) == 0


def test_the_schema_lets_an_editor_check_a_speed():
    """The JSON schema of a speed is a string with a pattern; that of a ratio may be a bare number."""
    speed = TypeAdapter(SpeedGbps).json_schema()
    assert speed["type"] == "string"
    assert speed["examples"] == ["400G"]
    assert {"type": "number", "maximum": 10} in TypeAdapter(Ratio).json_schema()["anyOf"]


@given(st.integers(11, 100_000) | st.floats(10.01, 1e5))
def test_a_bare_number_above_ten_is_a_percentage_without_its_sign(number):
    """100 could be 100 % or 10,000 %; both have a spelling, and each can be read."""
    for written in (number, str(number), f" {number} "):
        with pytest.raises(ValueError, match=r" % where it has no % sign; write \S+% or \S+$") as caught:
            parse_ratio(written)
        percentage, ratio = str(caught.value).split("write ")[1].split(" or ")
        assert parse_ratio(percentage) == pytest.approx(number / 100, rel=1e-8)
        if number / 100 <= 10:
            assert parse_ratio(ratio) == pytest.approx(number / 100, rel=1e-8)
    assert parse_ratio(f"{number * 100!r}%") == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(("written", "ratio"), [(10, 10), ("10", 10), (1, 1), (0, 0), ("1000%", 10), ("20_000 %", 200)])
def test_up_to_ten_a_bare_number_is_a_ratio(written, ratio):
    """Ten times the capacity is a load that incasts reach."""
    assert parse_ratio(written) == ratio


@given(st.floats(1e-3, 1e9), st.sampled_from(["kb/s", "Mb/s", "Gb/s", "Tb/s"]))
def test_bits_and_bytes_differ_by_eight(number, unit):
    """The same number of bytes per second is eight times the rate."""
    bits, volume = parse_rate_gbps(f"{number!r} {unit}"), parse_rate_gbps(f"{number!r} {unit.replace('b', 'B')}")
    assert math.isclose(volume, 8 * bits, rel_tol=1e-12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (units.format_gbps(400), "400 Gb/s"),
        (units.format_gbps(0.1), "100 Mb/s"),
        (units.format_gbps(9999), "9,999 Gb/s"),
        (units.format_gbps(409_600), "409.6 Tb/s"),
        (units.format_bytes(8.69e9), "8.69 GB"),
        (units.format_bytes(12), "12 B"),
        (units.format_bytes(5e18), "5,000 PB"),
        (units.format_seconds(0), "0 s"),
        (units.format_seconds(0.189), "189 ms"),
        (units.format_seconds(3e-6), "3 µs"),
        (units.format_seconds(4e-9), "4 ns"),
        (units.format_seconds(1800), "30 min"),
    ],
)
def test_quantities_are_printed_with_a_prefix(text, expected):
    """Three significant figures, thousands apart."""
    assert text == expected
