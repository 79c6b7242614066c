"""Feeds of measured demand that is text: nfdump, prometheus."""

from __future__ import annotations

import json
from typing import Any

from demand_files import Files, one, reader_of
from feeding import Feed, ReaderFeeds

from traffic.formats.nfdump import FIELDS as NFDUMP_FIELDS
from traffic.formats.prometheus import _DEVICE_LABELS, _RECEIVED, _SENT

OLD = {"ts": "2026-11-01 10:00:00", "te": "2026-11-01 10:00:10", "sa": "10.0.0.1", "da": "10.0.0.2", "ibyt": "1000"}
NEW = {"firstSeen": "2026-11-01 10:00:00.000", "lastSeen": "2026-11-01 10:00:10.000", "srcAddr": "10.0.0.1",
       "dstAddr": "10.0.0.2", "inBytes": "1000"}  # fmt: skip
OTHER = {"ts": "2026-11-01 10:00:02", "te": "2026-11-01 10:00:08", "sa": "10.0.0.3", "da": "10.0.0.4", "ibyt": "7",
         "firstSeen": "2026-11-01 10:00:02.500", "lastSeen": "2026-11-01 10:00:08.000", "srcAddr": "10.0.0.3",
         "dstAddr": "10.0.0.4", "inBytes": "7", "bytes": "7", "obyt": "9", "outBytes": "9"}  # fmt: skip


def table(*rows: dict[str, str], end: str = "", **keys: Any) -> Files:
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return one("\n".join(lines) + "\n" + end, **keys)


def changed(column: str) -> Feed:
    """A record, and the same with another value in one column."""
    base = OLD if column in OLD else NEW
    if column == "bytes":
        base = {("bytes" if key == "inBytes" else key): value for key, value in NEW.items()}
    return Feed(table(base), table({**base, column: OTHER[column]}))


def added(column: str, value: str = "0") -> Feed:
    """A record without a column and with it."""
    base = OLD if column in ("obyt", "evt", "fwd") else NEW
    return Feed(table(base), table({**base, column: value}))


def seen_by_two(column: str, one_value: str, other_value: str) -> Feed:
    """A flow that is told of once, and by two."""
    base = OLD if column in ("ra", "dir") else NEW
    both = [{**base, column: value} for value in (one_value, other_value)]
    same = [{**base, column: one_value} for _ in range(2)]
    return Feed(table(*same, repeats="once"), table(*both, repeats="once"))


def label(column: str) -> Feed:
    """Two exporters tell of one flow, or of two that differ in a column."""
    base = {**OLD, "ra": "127.0.0.1", column: "1"} if column in ("sp", "dp", "pr") else {
        **NEW, "routerIP": "127.0.0.1", column: "1"}  # fmt: skip
    other = {**base, ("ra" if "ra" in base else "routerIP"): "127.0.0.2"}
    return Feed(table(base, other, repeats="once"), table(base, {**other, column: "2"}, repeats="once"))


def without(base: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in base.items() if key != name}


DURATION = {
    "td": Feed(table({**without(OLD, "te"), "td": "10.000"}), table({**without(OLD, "te"), "td": "20.000"})),
    "duration": Feed(
        table({**without(NEW, "lastSeen"), "duration": "00:00:10.000"}),
        table({**without(NEW, "lastSeen"), "duration": "1d 00:00:10.000"}),
    ),
}

SUMMARY = "Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n1,{},1,0,0,0\n"
FAST = {"cnt": "1", "firstSeen": "1700000000000", "lastSeen": "1700000010000", "srcAddr": "10.0.0.1",
        "dstAddr": "10.0.0.2", "bytes": "1000"}  # fmt: skip
NFDUMP = ReaderFeeds(
    "demand format", "nfdump", reader_of("nfdump"),
    {
        **{name: changed(name) for name in (*OLD, *NEW, "bytes")},
        **DURATION,
        **{name: added(name, OTHER[name]) for name in ("obyt", "outBytes")},
        **{name: seen_by_two(name, "127.0.0.1", "127.0.0.2") for name in ("ra", "routerIP")},
        **{name: seen_by_two(name, "0", "1") for name in ("dir", "direction")},
        **{name: label(name) for name in ("sp", "srcPort", "dp", "dstPort", "pr", "proto")},
        **{name: added(name, "130") for name in ("fwd", "fwdStatus")},
        **{name: added(name, "CREATE") for name in ("evt", "event")},
        **{name: added(name, "10.9.9.9") for name in ("xsa", "xda", "nsa", "nda", "srcXIP", "dstXIP")},
        "af": Feed(table(FAST), table({**FAST, "af": "2"})),
        "val": added("val"),
        "Summary": Feed(table(OLD, end=SUMMARY.format(1000)), table(OLD, end=SUMMARY.format(4000)), raises=True),
        **{name: added("mpls1" if name == "mpls*" else name) for name in NFDUMP_FIELDS.names("harmless")},
    },
    unknown=added("zz_unheard_of"),
)  # fmt: skip
SENT, RECEIVED = _SENT[0], _RECEIVED[0]


def series(name: str, host: int, *values: float | str, **labels: str) -> dict[str, Any]:
    metric = {"__name__": name, "instance": f"10.0.0.{host + 1}:9100", **labels}
    return {
        "metric": {key: value for key, value in metric.items() if value},
        "values": [[100 + 10 * at, str(value)] for at, value in enumerate(values)],
    }


def answer(entries: list[dict[str, Any]], **top: Any) -> str:
    data = {"resultType": "matrix", "result": entries}
    return json.dumps({"status": "success", "data": data, **top})


def hosts(sent: str = SENT, received: str = RECEIVED, amount: float = 1e9, **labels: str) -> list[dict[str, Any]]:
    """Two hosts that send to each other, and a third that only receives."""
    return [
        series(sent, 0, 0, amount, **labels), series(sent, 1, 0, 2e9, **labels),
        series(received, 1, 0, 1e9, **labels), series(received, 2, 0, 2e9, **labels),
    ]  # fmt: skip


def counter(name: str) -> Feed:
    """Counters of other names, and this one among them."""
    names = (name, RECEIVED) if name in _SENT else (SENT, name)
    return Feed(one(answer(hosts(*names))), one(answer(hosts(*names, amount=7e9) if name in _SENT else
                                                    [*hosts(*names), series(name, 3, 0, 5e9)])))  # fmt: skip


BASE = one(answer(hosts()))
TABLE = "time,node,tx_bytes,rx_bytes\n0,h0,0,0\n8,h0,3e9,0\n0,h1,0,0\n8,h1,1e9,4e9\n0,h2,0,0\n8,h2,2e9,1e9\n"
FILES = {"f": answer([series("", 0, 0, 1e9), series("", 1, 0, 2e9)]),
         "r": answer([series("", 1, 0, 1e9), series("", 2, 0, 2e9)])}  # fmt: skip
PROMETHEUS = ReaderFeeds(
    "demand format", "prometheus", reader_of("prometheus"),
    {
        "status": Feed(BASE, one(json.dumps({"status": "error", "errorType": "timeout", "error": "too long"}))),
        "resultType": Feed(BASE, one(answer([]).replace("matrix", "vector"))),
        "value": Feed(BASE, one(answer([{"metric": {}, "value": [1, "2"]}]))),
        "histograms": Feed(BASE, one(answer([{"metric": {}, "histograms": []}, ]).replace("[]", "[[1, {}]]"))),
        "warnings": Feed(BASE, one(answer(hosts(), warnings=["a store was not reached"]))),
        "infos": Feed(BASE, one(answer(hosts(), infos=["not a counter?"]))),
        "stats": Feed(BASE, one(answer(hosts()).replace('"result":', '"stats": {}, "result":'))),
        "errorType": Feed(BASE, one(answer(hosts(), errorType=""))),
        "error": Feed(BASE, one(answer(hosts(), error=""))),
        "values": Feed(BASE, one(answer(hosts(amount=3e9)))),
        **{name: counter(name) for name in (*_SENT, *_RECEIVED)},
        **{name: Feed(BASE, one(answer([*hosts(), series(name, 0, 0, 1)])))
           for name in ("ifOutOctets", "ifInOctets", "node_network_transmit_packets_total",
                        "node_network_receive_packets_total")},
        "__name__": Feed(Files(FILES, keys={"received": "r", "values": "counters"}), one(FILES["f"]), raises=True),
        "instance": Feed(BASE, one(answer(hosts()).replace("10.0.0.1:", "10.0.0.4:"))),
        **{name: Feed(one(answer(hosts())), one(answer([*hosts(), series(SENT, 0, 0, 5e9, **{name: "eth1"})])))
           for name in _DEVICE_LABELS},
        "job": Feed(BASE, one(answer(hosts(job="node")))),
        "NaN": Feed(BASE, one(answer([*hosts()[:3], series(RECEIVED, 2, 0, 2e9, "NaN")]))),
        "counter falls": Feed(
            BASE, one(answer([*hosts()[:3], series(RECEIVED, 2, 3e9, 2e9)])),
        ),
        "one sample": Feed(BASE, one(answer([*hosts(), series(SENT, 3, 5)]))),
        "time": Feed(one(TABLE), one(TABLE.replace("8,h0", "16,h0"))),
        "node": Feed(one(TABLE), one(TABLE.replace(",h2,", ",h3,"))),
        "tx_bytes": Feed(one(TABLE), one(TABLE.replace("3e9,0", "4e9,0"))),
        "rx_bytes": Feed(one(TABLE), one(TABLE.replace("1e9,4e9", "1e9,6e9"))),
    },
    unknown=Feed(BASE, one(answer(hosts(zz_unheard_of="x")))),
)  # fmt: skip

READERS = [NFDUMP, PROMETHEUS]
