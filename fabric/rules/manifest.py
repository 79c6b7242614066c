"""What an export folder says about itself: its manifest, and the CSV files of links, hosts, flows and addresses."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import File
from fabric.rules.errors import RuleError
from fabric.rules.own_files import read_record
from topologies.errors import FormatError
from topologies.printable import spreadsheet_cell
from topologies.reading.json_value import JsonValue

SCHEMA = 1
_MOST_FABRICS = 65_535
_STEM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
MANIFEST, VERIFIED = "manifest.json", "verified.json"
LINKS, HOSTS, FLOWS, ADDRESSES = "links.csv", "hosts.csv", "flows.csv", "addresses.csv"
ADDRESSES_JSON = "addresses.json"
LINK_COLUMNS = (
    "a",
    "a_port",
    "b",
    "b_port",
    "capacity_gbps",
    "planned_gbps",
    "programmed_gbps",
    "planned_utilisation",
    "programmed_utilisation",
)
HOST_COLUMNS = ("host", "prefix", "via", "port", "weight")
FLOW_COLUMNS = ("src", "dst", "src_address", "dst_address", "src_port", "dst_port", "gbps")
ADDRESS_COLUMNS = ("kind", "node", "interface", "ipv4", "ipv6", "mac", "asn", "site", "gateway4", "gateway6")


@dataclass(frozen=True)
class SwitchEntry:
    """A switch of an export: its name, the stem of its files, its datapath id."""

    name: str
    file: str
    datapath: int


@dataclass(frozen=True)
class Manifest:
    """``manifest.json`` as it was read back."""

    fabric: str
    phase: str | None
    router: str
    dialect: str
    families: tuple[int, ...]
    number: int
    tolerance: float
    switches: tuple[SwitchEntry, ...]
    what_if: Mapping[str, tuple[str, ...]]  # down, up, slow and set, as given to the export
    scenario: str
    sha256: str  # of the scenario file
    separate_utilisation: float | None = None  # of the fullest link, where every switch hashes by a seed of its own
    alike_utilisation: float | None = None  # the same where all hash alike; None: an export that does not say


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export folder.

    Raises
    ------
    RuleError
        When there is none, it is of a newer version, or does not say what it has to.
    """
    path = folder / MANIFEST
    top = read_record(path, hint="fabric export openflow SCENARIO -o FOLDER writes one")
    try:
        if top.get("kind").text("") != "RulesExport":
            raise RuleError(f"{path} is not of an export of rules", hint="export again", code="FP8023")
        if top.get("schema").whole(0) != SCHEMA:
            raise RuleError(
                f"{path} has schema {top.get('schema').text('')!r}; this version reads {SCHEMA}",
                hint="use the version of fabric that wrote it, or export again",
                code="FP8023",
            )
        return Manifest(
            fabric=top.need("fabric").text(),
            phase=None if top.get("phase").absent else top.get("phase").text(),
            router=top.need("router").text(),
            dialect=top.need("dialect").text(),
            families=tuple(family.whole(among=(4, 6)) for family in top.need("families").each()),
            number=top.need("fabric_number").whole(most=_MOST_FABRICS),
            tolerance=top.need("tolerance").number(least=0.0),
            switches=tuple(
                SwitchEntry(entry.need("name").text(), _stem(entry.need("file")), entry.need("datapath").whole())
                for entry in top.need("switches").each()
            ),
            what_if={key: tuple(one.text() for one in value.each()) for key, value in top.get("what_if").items()},
            scenario=top.get("scenario").text(""),
            sha256=top.get("sha256").text(""),
            separate_utilisation=_figure(top.get("hash").get("separate_max_utilisation")),
            alike_utilisation=_figure(top.get("hash").get("alike_max_utilisation")),
        )
    except FormatError as error:
        raise RuleError(replace(problem, hint=problem.hint or "export again") for problem in error.problems) from None


def _figure(value: JsonValue) -> float | None:
    """A number from 0, or nothing."""
    return None if value.absent else value.number(least=0.0)


def _stem(value: JsonValue) -> str:
    """The name of a switch's files, which lie in the export."""
    stem = value.text()
    if not _STEM.fullmatch(stem):
        raise value.wrong(f"{stem!r} is not the name of a file of an export")
    return stem


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([spreadsheet_cell(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return text.getvalue()


def address_rows(plan: AddressPlan) -> Iterator[tuple[object, ...]]:
    """All addresses of a plan: endpoints, loopbacks of switches, links between switches."""
    topology = plan.topology
    names, links = topology.nodes.name, topology.links
    for node in plan.node_at.tolist():
        site = int(plan.site_of[node])
        address, bits = plan.site_prefix(4, site)
        yield (
            "endpoint", names[node], "", plan.ipv4(node), plan.ipv6(node), plan.mac(node), "",
            _text(4, address, bits), _text(4, plan.gateway(4, site)), _text(6, plan.gateway(6, site)),
        )  # fmt: skip
    for node in plan.switches.tolist():
        asn = int(plan.asn[node])
        yield "loopback", names[node], "lo", plan.loopback4(node), plan.loopback6(node), plan.mac(node), asn, "", "", ""
    from fabric.rules.ports import Ports

    ports = Ports(topology)
    for link in range(len(links)):
        address4 = plan.link4(link)
        if address4 is not None:
            port = int(ports.of_link[link])
            yield "link", names[links.src[link]], f"port{port}", address4, plan.link6(link), "", "", "", "", ""


def _text(family: int, address: int, bits: int | None = None) -> str:
    from ipaddress import IPv4Address, IPv6Address

    found = IPv4Address(address) if family == 4 else IPv6Address(address)
    return str(found) if bits is None else f"{found}/{bits}"


def address_files(plan: AddressPlan) -> Iterator[File]:
    """The address plan as CSV and as JSON."""
    rows = [tuple("" if value is None else str(value) for value in row) for row in address_rows(plan)]
    yield File(ADDRESSES, to_csv(ADDRESS_COLUMNS, rows))
    record = {
        "schema": SCHEMA,
        "kind": "AddressPlan",
        "fabric": plan.fabric,
        "underlay": str(plan.underlay),
        "underlay6": str(plan.underlay6),
        "links": str(plan.links),
        "loopback": str(plan.loopback),
        "link_prefix": plan.link_prefix,
        "items": [dict(zip(ADDRESS_COLUMNS, row, strict=True)) for row in rows],
    }
    yield File(ADDRESSES_JSON, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
