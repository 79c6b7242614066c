"""Feeds of the demand formats that are text: csv, repetita, sndlib."""

from __future__ import annotations

from demand_files import one, reader_of
from feeding import Feed, ReaderFeeds

ROWS = "src,dst,gbps\nh0,h1,1\n"
CSV = ReaderFeeds(
    "demand format", "csv", reader_of("csv"),
    {
        "src": Feed(one(ROWS), one(ROWS.replace("h0,", "h2,"))),
        "dst": Feed(one(ROWS), one(ROWS.replace(",h1", ",h2"))),
        "gbps": Feed(one(ROWS), one(ROWS + "h0,h1,0.5\n")),
    },
    unknown=Feed(one(ROWS), one("src,dst,gbps,zz_unheard_of\nh0,h1,1,2\n")),
)  # fmt: skip

HEAD = "DEMANDS 1\nlabel src dest bw\n"
REPETITA = ReaderFeeds(
    "demand format", "repetita", reader_of("repetita"),
    {
        "DEMANDS": Feed(one(f"{HEAD}d 0 1 5\n"), one(f"{HEAD.replace('1', '2')}d 0 1 5\n"), raises=True),
        "label": Feed(one(f"{HEAD}d 0 1 5\n"), one(f"{HEAD}other 0 1 5\n")),
        "src": Feed(one(f"{HEAD}d 0 1 5\n"), one(f"{HEAD}d 2 1 5\n")),
        "dest": Feed(one(f"{HEAD}d 0 1 5\n"), one(f"{HEAD}d 0 2 5\n")),
        "bw": Feed(one(f"{HEAD}d 0 1 5\n"), one(f"{HEAD}d 0 1 6\n")),
    },
    unknown=Feed(one(f"{HEAD}d 0 1 5\n"), one(f"{HEAD.rstrip()} zz_unheard_of\nd 0 1 5 6\n")),
)  # fmt: skip


def xml(parts: str = "<demandValue>8</demandValue>", *, source: str = "h0", target: str = "h1", top: str = "") -> str:
    demand = f"<demand id='a'><source>{source}</source><target>{target}</target>{parts}</demand>"
    return f"<network xmlns='http://sndlib.zib.de/network' version='1.0'>{top}<demands>{demand}</demands></network>"


def native(row: str = "1 8 UNLIMITED", more: str = "", kind: str = "network") -> str:
    return f"?SNDlib native format; type: {kind}; version: 1.0\n{more}DEMANDS (\n  a ( h0 h1 ) {row}\n)\n"


VALUE = "<demandValue>8</demandValue>"
PLAIN = one(xml())
SNDLIB = ReaderFeeds(
    "demand format", "sndlib", reader_of("sndlib"),
    {
        "source": Feed(PLAIN, one(xml(source="h2"))),
        "target": Feed(PLAIN, one(xml(target="h2"))),
        "demandValue": Feed(PLAIN, one(xml("<demandValue>9</demandValue>"))),
        "routingUnit": Feed(PLAIN, one(xml(f"<routingUnit>155</routingUnit>{VALUE}"))),
        "unit": Feed(PLAIN, one(xml(top="<meta><unit>GBITPERSEC</unit></meta>"))),
        "maxPathLength": Feed(PLAIN, one(xml(f"{VALUE}<maxPathLength>3</maxPathLength>"))),
        "admissiblePaths": Feed(PLAIN, one(xml(f"{VALUE}<admissiblePaths/>"))),
        "granularity": Feed(PLAIN, one(xml(top="<meta><granularity>5min</granularity></meta>"))),
        "time": Feed(PLAIN, one(xml(top="<meta><time>20040301-0000</time></meta>"))),
        "origin": Feed(PLAIN, one(xml(top="<meta><origin>zhang</origin></meta>"))),
        "nodes": Feed(PLAIN, one(xml(top="<nodes/>"))),
        "links": Feed(PLAIN, one(xml(top="<links/>"))),
        "networkStructure": Feed(PLAIN, one(xml(top="<networkStructure><nodes/></networkStructure>"))),
        "NODES": Feed(one(native()), one(native(more="NODES (\n  h0 ( 1.0 2.0 ) () ()\n)\n"))),
        "LINKS": Feed(one(native()), one(native(more="LINKS (\n)\n"))),
        "META": Feed(one(native()), one(native(more="META (\n)\n"))),
        "ADMISSIBLE_PATHS": Feed(one(native()), one(native(more="ADMISSIBLE_PATHS (\n)\n"))),
        "DEMANDS": Feed(one(native()), one(native("30 8 UNLIMITED"))),
        "MODEL": Feed(one(native()), one(native(kind="model"))),
    },
    unknown=Feed(PLAIN, one(xml(f"{VALUE}<zz_unheard_of>3</zz_unheard_of>"))),
)  # fmt: skip

READERS = [CSV, REPETITA, SNDLIB]
