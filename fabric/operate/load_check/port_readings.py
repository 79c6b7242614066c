"""Readings of ports, whatever they came from, and the rates of links that they tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from fabric.operate.load_check.counter_rates import Met, mean_gbps
from fabric.operate.load_check.result import MeasuredRates, Measurement
from fabric.operate.monitoring.link_labels import MeasuredLinks, PortEnd
from topologies.columns import Floats
from topologies.errors import FormatError
from topologies.units import format_seconds, percent

_LEAST_SHARE = 0.1  # of what was read: with less it is of another fabric


@dataclass
class PortReadings:
    """Samples of counters by port and side, and ports that are down.

    Attributes
    ----------
    samples : dict
        (port, "sent" or "received") -> readings, shape (S, 2): time, s, and bytes.
    """

    source: str
    samples: dict[tuple[PortEnd, str], Floats] = field(default_factory=dict)
    down: set[PortEnd] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def rates_of(readings: PortReadings, reporting: Mapping[str, MeasuredLinks]) -> Measurement:
    """Rates of the links of all fabrics.

    Raises
    ------
    FormatError
        Hardly anything read belongs to the plan (FP9863), clocks have no time in common (FP9864), or a counter of
        32 bits may have wrapped more than once (FP9865).
    """
    ends = {end for links in reporting.values() for side in (links.sent, links.received) for end in side.values()}
    _check_match(readings, ends)
    span, apart = _common_time(readings, ends)
    met = Met()
    rates = tuple(_of_fabric(readings, links, met) for links in reporting.values())
    if met.ambiguous:
        raise FormatError(
            f"the counter of {met.ambiguous[0]} falls and is never at 2^32 or more: with 32 bits, its port may fill "
            "them more than once between readings",
            file=readings.source, code="FP9865",
            hint="read counters of 64 bits: ifHCOutOctets, perfquery -x; if this is one, from after it started anew",
        )  # fmt: skip
    notes = [*readings.notes, *apart, *_said(met), *_unknown(rates)]
    return Measurement(readings.source, rates, span, tuple(notes))


def _check_match(readings: PortReadings, ends: set[PortEnd]) -> None:
    seen = {port for port, _ in readings.samples}
    if not seen:
        raise FormatError("no counter was read", file=readings.source, code="FP9863", hint="a longer window?")
    mine = seen & ends
    if len(mine) >= _LEAST_SHARE * min(len(seen), len(ends)) and mine:
        return
    example, wanted = min(seen, key=_words), min(ends, key=_words, default=None)
    asks = f"; the plan looks for {_words(wanted)}" if wanted is not None else ""
    raise FormatError(
        f"{len(mine):,} of {len(seen):,} ports that were read are of the plan ({percent(len(mine) / len(seen))}), such "
        f"as {_words(example)}{asks}",
        file=readings.source, code="FP9863", hint="--names FILE says what exporters call devices and ports",
    )  # fmt: skip


def _words(port: PortEnd) -> str:
    return f"{port.instance} {port.port}"


def _common_time(readings: PortReadings, ends: set[PortEnd]) -> tuple[float, list[str]]:
    """Seconds that most devices cover, and what to say of those whose clocks are apart."""
    spans: dict[str, tuple[float, float]] = {}
    for (port, _), samples in readings.samples.items():
        if port in ends and len(samples) > 1:
            first, last = float(samples[:, 0].min()), float(samples[:, 0].max())
            low, high = spans.get(port.instance, (first, last))
            spans[port.instance] = (min(low, first), max(high, last))
    if not spans:
        return 0.0, []
    begin = float(np.median([first for first, _ in spans.values()]))
    end = float(np.median([last for _, last in spans.values()]))
    whole = max(end - begin, 1e-9)
    off = [
        name for name, (first, last) in spans.items()
        if min(last, end) - max(first, begin) < 0.5 * min(whole, last - first)
    ]  # fmt: skip
    if len(off) * 2 >= len(spans) and len(spans) > 1:
        apart = max(first for first, _ in spans.values()) - min(last for _, last in spans.values())
        raise FormatError(
            f"readings of {len(off):,} of {len(spans):,} devices are of another time than the others', up to "
            f"{format_seconds(max(apart, 0.0))} apart",
            file=readings.source, code="FP9864", hint="set the clocks (NTP), or take readings of one time",
        )  # fmt: skip
    notes = []
    if off:
        for key in [key for key in readings.samples if key[0].instance in off]:
            del readings.samples[key]
        notes.append(f"clocks apart: readings of {', '.join(sorted(off)[:5])} are of another time, and left out")
    return end - begin, notes


def _of_fabric(readings: PortReadings, links: MeasuredLinks, met: Met) -> MeasuredRates:
    net = links.topology
    gbps = np.full(len(net.links), np.nan)
    down = np.zeros(len(net.links), dtype=np.bool_)
    line = net.links.capacity_gbps
    for link in links.links:
        for end, side in ((links.sent.get(link), "sent"), (links.received.get(link), "received")):
            if end is None:
                continue
            down[link] |= end in readings.down
            samples = readings.samples.get((end, side))
            if samples is not None and np.isnan(gbps[link]):
                gbps[link] = mean_gbps(samples, float(line[link]), met, net.link_name(link))
    return MeasuredRates(links.fabric, gbps, down)


def _said(met: Met) -> Iterable[str]:
    if met.resets:
        yield f"{met.resets:,} times a counter started anew: that time is left out"
    if met.wraps:
        yield f"{met.wraps:,} times a counter of 32 bits wrapped: added"
    if met.too_fast:
        yield f"{met.too_fast:,} times a counter grew by more than its port can send: that time is left out"
    if met.holes:
        yield f"{met.holes:,} holes between readings: rates are means across them"
    if met.short:
        yield f"{met.short:,} counters without two readings that belong together: their links are unknown"


def _unknown(rates: Iterable[MeasuredRates]) -> Iterable[str]:
    for one in rates:
        unknown = int((~one.known).sum())
        if unknown:
            yield f"{unknown:,} of {len(one.gbps):,} links of {one.fabric} were not measured"
