"""What an export folder says about itself: its manifest, and the CSV files of links, hosts, flows and addresses."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import File
from fabric.rules.errors import RuleError

SCHEMA = 1
MANIFEST, VERIFIED = "manifest.json", "verified.json"
LINKS, HOSTS, FLOWS, ADDRESSES = "links.csv", "hosts.csv", "flows.csv", "addresses.csv"
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
    record: dict[str, Any]


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export folder.

    Raises
    ------
    RuleError
        When there is none, it is of a newer version, or does not say what it has to.
    """
    path = folder / MANIFEST
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RuleError(
            f"{folder} is not an export: {MANIFEST} cannot be read: {error.strerror}",
            hint="fabric export openflow SCENARIO -o FOLDER writes one",
            code="FP8023",
        ) from None
    except ValueError as error:
        raise RuleError(f"{path} is not JSON: {error}", hint="export again", code="FP8023") from None
    if not isinstance(record, dict) or record.get("kind") != "RulesExport":
        raise RuleError(f"{path} is not of an export of rules", hint="export again", code="FP8023")
    if record.get("schema") != SCHEMA:
        raise RuleError(
            f"{path} has schema {record.get('schema')!r}; this version reads {SCHEMA}",
            hint="use the version of fabric that wrote it, or export again",
            code="FP8023",
        )
    try:
        return Manifest(
            fabric=str(record["fabric"]),
            phase=None if record["phase"] is None else str(record["phase"]),
            router=str(record["router"]),
            dialect=str(record["dialect"]),
            families=tuple(int(family) for family in record["families"]),
            number=int(record["fabric_number"]),
            tolerance=float(record["tolerance"]),
            switches=tuple(
                SwitchEntry(str(entry["name"]), str(entry["file"]), int(entry["datapath"]))
                for entry in record["switches"]
            ),
            record=record,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RuleError(f"{path} lacks or garbles {error}", hint="export again", code="FP8023") from None


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def read_csv(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV file of ours with their line numbers; RuleError when columns are missing."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RuleError(f"{path} cannot be read: {error.strerror}", hint="export again", code="FP8023") from None
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        raise RuleError(f"{path} has no column {', '.join(missing)}", hint="export again", code="FP8023")
    return [(reader.line_num, row) for row in reader]


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
    yield File("addresses.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")
