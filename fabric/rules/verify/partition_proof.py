"""The proof that no two tenants meet in a partition of InfiniBand, from ``partitions.conf`` and ``lids.csv``.

Two ports exchange packets where they have a key in common and one of them is a full member (InfiniBand Architecture
Specification 1.3, section 10.9). Both ends check, whatever the way between them: so it holds for every routing and
every failure. The port of the subnet manager is a full member of the default partition and is left out: it is nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fabric.rules.addressing import AddressPlan
from fabric.rules.own_files import read_rows
from fabric.rules.tenancy import Tenancy
from fabric.rules.tenants.partitions import Partition, read_partitions
from fabric.rules.verify.findings import Finding, Isolation

LIDS = "lids.csv"
LID_COLUMNS = ("lid", "port_guid", "name", "node")


def prove_partitions(folder: Path, plan: AddressPlan, tenancy: Tenancy) -> Isolation:
    """Whether every two ports of an export meet exactly where their tenants do.

    Raises
    ------
    RuleError
        FP8066 for a partition file that cannot be read, FP8023 for ``lids.csv``.
    """
    topology = plan.topology
    guid_of: dict[int, int] = {}
    findings: list[Finding] = []
    for row in read_rows(folder / LIDS, LID_COLUMNS):
        name = row.text("node")
        if not topology.has_node(name):
            findings.append(Finding("missing-table", name, "", f"line {row.line}: the scenario has no such node"))
        elif tenancy.of[topology.node(name)] >= 0:
            guid_of[topology.node(name)] = int(row.text("port_guid"), 16)
    partitions = read_partitions(folder)
    known = set(guid_of.values())
    for one in partitions:
        strange = next((guid for guid in one.full if guid not in known), None)
        if strange is not None:
            words = f"partition {one.name} has port {strange:#018x}, which is of no endpoint in {LIDS}"
            findings.append(Finding("crossing", one.name, "", words))
    kinds = _alike(guid_of, partitions, tenancy)
    findings += _compare(list(kinds.items()), partitions, tenancy, topology.nodes.name)
    return Isolation(
        tenants=tuple(tenancy.names),
        shared=tuple(tenancy.shared),
        access_ports=len(guid_of),
        points=len(partitions),
        classes=len(kinds),
        failures=int(topology.is_cable.sum()) + len(plan.switches),
        crossings=(),
        findings=tuple(findings),
    )


Kind = tuple[int, tuple[bool | None, ...]]  # tenant, and membership of every partition


def _alike(guid_of: Mapping[int, int], partitions: Sequence[Partition], tenancy: Tenancy) -> dict[Kind, list[int]]:
    """Endpoints by tenant and membership."""
    found: dict[Kind, list[int]] = {}
    for node, guid in guid_of.items():
        has = tuple(one.full.get(guid, one.everybody) for one in partitions)
        found.setdefault((int(tenancy.of[node]), has), []).append(node)
    return found


def _compare(
    kinds: Sequence[tuple[Kind, list[int]]], partitions: Sequence[Partition], tenancy: Tenancy, names: Sequence[str]
) -> list[Finding]:
    """Kinds that meet though their tenants do not, and those that do not though their tenants do."""
    found: list[Finding] = []
    for at, ((tenant, has), nodes) in enumerate(kinds):
        for (other, its), others in kinds[at:]:
            pair = _two(nodes, others)
            if pair is None:
                continue
            one, two = (names[node] for node in pair)
            common = [
                part
                for part, (a, b) in zip(partitions, zip(has, its, strict=True), strict=True)
                if a is not None and b is not None and (a or b)
            ]
            apart = not tenancy.meets[tenant, other]
            ends = f"{one} of tenant {tenancy.names[tenant]} and {two} of tenant {tenancy.names[other]}"
            if apart and common:
                words = f"{ends} exchange packets with key {common[0].key:#06x}"
                found.append(Finding("crossing", common[0].name, two, words))
            elif not apart and not common:
                found.append(Finding("cut-off", one, two, f"{ends} have no partition in common"))
    return found


def _two(nodes: Sequence[int], others: Sequence[int]) -> tuple[int, int] | None:
    """Two different endpoints, one of each."""
    return next(((a, b) for a in nodes[:2] for b in others[:2] if a != b), None)
