"""The verification of an export: every source to every destination, and the loads of the links.

Nothing of the tables in memory is used: rules, groups, host routes and single flows come from the files; the fabric,
its addresses and what it has to carry from the scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fabric.routing.router import PairTraffic
from fabric.routing.tables.shared_hash import OWN, choices_by_hash, sets_alike
from fabric.routing.tables.walk import DecisionColumns, every_row, walk_columns
from fabric.rules.addressing import AddressPlan
from fabric.rules.dialect import DIALECTS
from fabric.rules.manifest import LINK_COLUMNS, LINKS, Manifest
from fabric.rules.own_files import read_rows
from fabric.rules.table import LOCAL, prefix_text
from fabric.rules.tenancy import Tenancy
from fabric.rules.tenants.carried import check_dialect
from fabric.rules.verify.findings import Finding, Verdict
from fabric.rules.verify.flows import walk_flows
from fabric.rules.verify.isolation import prove_isolation
from fabric.rules.verify.rows import DROPPED, SINK, Rows, cut_rows
from fabric.rules.verify.tables import ReadTables, read_tables
from topologies.columns import Floats, Ints, column
from topologies.units import precise_gbps

MOST_FINDINGS = 1000
SAME = 1e-6  # loads that differ by less than this part of the link's capacity are equal

Quiet = Callable[[str], None]


def verify_export(
    folder: Path,
    manifest: Manifest,
    plan: AddressPlan,
    pairs: Sequence[PairTraffic],
    *,
    tenancy: Tenancy | None = None,
    progress: Quiet = lambda _: None,
) -> Verdict:
    """Follow the tables of an export folder.

    Parameters
    ----------
    plan : AddressPlan
        Of the scenario, with its failures.
    pairs : sequence of PairTraffic
        What the planned phase sends.
    tenancy : Tenancy, optional
        Whose endpoints are whose, where nothing may pass between tenants.
    """
    dialect = DIALECTS.find(manifest.dialect)
    tables = read_tables(folder, manifest, dialect, plan, progress=progress, keep=tenancy is not None)
    findings = list(tables.findings)
    isolation = None
    if tenancy is not None:
        progress("following every packet of every tenant")
        check_dialect(dialect)
        entries = {node: [both] for node, both in tables.entries.items()}
        isolation = prove_isolation(plan, entries, tenancy, manifest.families)
        findings += isolation.findings
    sources = first_tables(tables)
    planned = _read_links(folder, plan, findings)
    walked: Floats = np.zeros(len(plan.topology.links))
    classes = 0
    for index, family in enumerate(manifest.families):
        progress(f"following every destination, IPv{family}")
        rows, dead = cut_rows(tables, index)
        findings += dead
        classes += len(rows.pieces)
        offered = pairs if index == 0 and not tables.flows else ()
        loads, met, loops, lost = walk_all(tables, rows, sources, offered)
        findings += _explain_losses(tables, rows, sources, family, loops, lost)
        findings += _check_delivery(tables, rows, family, met)
        if index == 0:
            walked = loads
    flows = 0
    if tables.flows:
        walked, flows, wrong = walk_flows(folder, tables)
        findings += wrong
    verdict = _verdict(manifest, plan, tables, planned, walked, findings, (classes, len(sources), flows))
    return replace(verdict, isolation=isolation)


def _verdict(
    manifest: Manifest,
    plan: AddressPlan,
    tables: ReadTables,
    planned: tuple[Floats, Floats],
    walked: Floats,
    findings: list[Finding],
    counts: tuple[int, int, int],
) -> Verdict:
    """Compare loads, and put everything together."""
    topology = plan.topology
    inner = _carried_by_tables(tables)
    capacity = np.maximum(topology.with_left_capacity.links.capacity_gbps, 1e-12)
    off = np.abs(walked - planned[1]) / capacity
    wrong = np.flatnonzero(inner & (off > SAME))
    for link in wrong[np.argsort(-off[wrong], kind="stable")][:20].tolist():
        words = f"{precise_gbps(walked[link])} by the tables, {precise_gbps(planned[1][link])} reported in {LINKS}"
        name = topology.nodes.name[int(topology.links.src[link])]
        findings.append(Finding("load", name, topology.link_name(link), words))
    error = float((np.abs(walked - planned[0]) / capacity)[inner].max(initial=0.0))
    live = topology.up
    found = np.where(inner, walked, planned[1])
    return Verdict(
        fabric=manifest.fabric,
        dialect=manifest.dialect,
        families=manifest.families,
        switches=len(manifest.switches),
        rules=tables.rules,
        groups=tables.groups,
        destinations=len(plan.node_at),
        classes=counts[0],
        sources=counts[1],
        flows=counts[2],
        planned_max_utilisation=float((planned[0] / capacity)[live].max(initial=0.0)),
        programmed_max_utilisation=float((planned[1] / capacity)[live].max(initial=0.0)),
        found_max_utilisation=float((found / capacity)[live].max(initial=0.0)),
        weight_error=error,
        found_gbps=found,
        hash_seeds=DIALECTS.find(manifest.dialect).seeds,
        hash_alike=sum(one != OWN for one in sets_alike(tables.seeds)),
        findings=tuple(dict.fromkeys(findings))[:MOST_FINDINGS],
    )


def _carried_by_tables(tables: ReadTables) -> np.ndarray:
    """Links whose load the tables decide: between switches, and to and from hosts with several links."""
    topology = tables.plan.topology
    here = tables.index >= 0
    return np.asarray(here[topology.links.src] & here[topology.links.dst] & topology.nodes.forwards[topology.links.dst])


def _read_links(folder: Path, plan: AddressPlan, findings: list[Finding]) -> tuple[Floats, Floats]:
    """Planned and programmed loads of all links as the export says, Gbps, shape (L,) each."""
    topology = plan.topology
    planned, programmed = np.zeros(len(topology.links)), np.zeros(len(topology.links))
    from fabric.rules.ports import Ports

    ports = Ports(topology)
    for row in read_rows(folder / LINKS, LINK_COLUMNS):
        low, port, high = row.text("a"), row.whole("a_port"), row.text("b")
        link = ports.link(topology.node(low), port) if topology.has_node(low) else -1
        if link < 0 or topology.nodes.name[int(topology.links.dst[link])] != high:
            words = f"line {row.line}: the scenario has no link from {low} port {port} to {high}"
            findings.append(Finding("load", low, high, words))
            continue
        planned[link], programmed[link] = row.number("planned_gbps"), row.number("programmed_gbps")
    return planned, programmed


def first_tables(tables: ReadTables) -> Ints:
    """Places where traffic begins: switches with endpoints of one live link, hosts with several, switches that are."""
    topology = tables.plan.topology
    place = _entry(tables)
    ends = topology.endpoint_nodes
    found = np.unique(place[ends])
    return column(found[found >= 0], np.int32)


def _entry(tables: ReadTables) -> Ints:
    """Place where every endpoint's traffic meets the first table, shape (N,), -1 where it is cut off."""
    topology, index = tables.plan.topology, tables.index
    found = index.copy()
    links = np.flatnonzero(topology.up & ~topology.nodes.forwards[topology.links.src] & (index[topology.links.src] < 0))
    found[topology.links.src[links]] = index[topology.links.dst[links]]
    found[~topology.nodes.forwards & (topology.nodes.nics == 0)] = -1
    return column(found, np.int32)


def walk_all(
    tables: ReadTables, rows: Rows, sources: Ints, pairs: Sequence[PairTraffic]
) -> tuple[Floats, np.ndarray, np.ndarray, np.ndarray]:
    """Send one packet from every source to every row, and the demand beside it.

    Returns
    -------
    loads : ndarray, shape (L,)
    met : ndarray, shape (nodes, R)
        Whether a deliverer is met on the way to a row.
    loops, lost : ndarray, shape (R,)
    """
    count, width = len(rows.pieces), len(sources)
    gbps = np.ones((count * width, 2))
    gbps[:, 1] = _demand(tables, rows, sources, pairs).ravel() if len(pairs) else 0.0
    edge = np.arange(len(rows.link), dtype=np.int32)
    head = rows.head[rows.link]
    decisions = DecisionColumns(rows.code, rows.start, edge, rows.part, head)
    met = np.zeros((len(rows.code), count), dtype=np.bool_)
    walked = walk_columns(decisions, every_row(count, sources), gbps, met)
    carried = walked.edge_gbps[:, 1]
    choice = _choices(tables, rows)
    if len(pairs) and choice.shape[1]:
        alike = DecisionColumns(rows.code, rows.start, edge, rows.part, head, choice)
        carried = walk_columns(alike, every_row(count, sources), gbps[:, 1:]).edge_gbps.sum(axis=1)
    loads = np.zeros(len(tables.plan.topology.links))
    np.add.at(loads, rows.link, carried)
    return loads, met, walked.loops, walked.lost_gbps > 0


def _choices(tables: ReadTables, rows: Rows) -> Ints:
    """What every value of the hash does at switches that hash alike, as their files say."""
    sets = sets_alike(tables.seeds)
    return choices_by_hash(rows.start, rows.by_hash, [sets[place] for place in rows.owner.tolist()], tables.carrier)


def _demand(tables: ReadTables, rows: Rows, sources: Ints, pairs: Sequence[PairTraffic]) -> Floats:
    """Gbps from every source to every row, shape (R, sources)."""
    entry = _entry(tables)
    column_of = np.full(len(rows.code) + 1, -1, dtype=np.int64)
    column_of[sources] = np.arange(len(sources))
    total = np.zeros((len(rows.pieces), len(sources)))
    for pair in pairs:
        flows, unit = pair.flows, pair.gbps_per_unit
        row, source = rows.row_of[flows.dst], column_of[entry[flows.src]]
        known = (row >= 0) & (source >= 0)
        np.add.at(total, (row[known], source[known]), flows.amount[known] * unit)
        for block in flows.blocks:
            row, source = rows.row_of[block.members], column_of[entry[block.members]]
            known = (row >= 0) & (source >= 0)
            some_rows, to = np.unique(row[known], return_counts=True)
            some_sources, back = np.unique(source[known], return_counts=True)
            total[np.ix_(some_rows, some_sources)] += np.outer(to, back) * (block.amount * unit)
            np.add.at(total, (row[known], source[known]), -block.amount * unit)
    return total


def _explain_losses(
    tables: ReadTables, rows: Rows, sources: Ints, family: int, loops: np.ndarray, lost: np.ndarray
) -> list[Finding]:
    """A trace for every row in which a packet loops or is lost though a live path exists."""
    findings: list[Finding] = []
    component = _components(tables) if lost.any() else np.empty(0, dtype=np.int32)
    for row in np.flatnonzero(loops | lost).tolist():
        if len(findings) >= MOST_FINDINGS:
            break
        piece = next((one for one in rows.pieces[row] if one.endpoint >= 0), None)
        if piece is None:
            if loops[row]:
                piece = rows.pieces[row][0]
            else:
                continue  # addresses that nobody has may be dropped anywhere
        offset = piece.first
        target = prefix_text(family, *tables.plan.prefix(family, offset, 0)).rsplit("/", 1)[0]
        for kind, source, steps in _bad_walks(tables, rows, row, sources):
            if kind == "black-hole" and len(component) and not _joined(tables, component, source, piece.endpoint):
                continue
            words = "comes back to a switch it has passed" if kind == "loop" else "no rule leads on"
            findings.append(Finding(kind, steps[-1].split(" ")[0], target, words, tuple(steps)))
            break
    return findings


def _bad_walks(tables: ReadTables, rows: Rows, row: int, sources: Ints) -> list[tuple[str, int, list[str]]]:
    """Walks towards a row that loop or are lost, one per source at most, found depth first."""
    topology = tables.plan.topology
    found: list[tuple[str, int, list[str]]] = []
    dead: dict[int, bool] = {}
    for source in sources.tolist():
        stack: list[tuple[int, list[int]]] = [(source, [])]
        while stack:
            place, path = stack.pop()
            if place == len(tables.nodes) or dead.get(place):
                continue
            code = int(rows.code[place, row])
            before = [int(topology.links.src[link]) for link in path]
            if code == SINK:
                continue
            if tables.nodes[place] in before or code == DROPPED:
                found.append(("loop" if code != DROPPED else "black-hole", source, _steps(tables, path, place)))
                break
            if len(path) > 64:
                continue
            if place != source:
                dead[place] = False
            for at in range(int(rows.start[code]), int(rows.start[code + 1])):
                link = int(rows.link[at])
                stack.append((int(rows.head[link]), [*path, link]))
        if len(found) >= 4:
            break
    return found


def _steps(tables: ReadTables, path: list[int], last: int) -> list[str]:
    """A walk hop by hop."""
    topology = tables.plan.topology
    steps = [
        f"{topology.nodes.name[int(topology.links.src[link])]} out of port {int(tables.ports.of_link[link])}"
        for link in path
    ]
    return [*steps, f"{tables.name(last)} "]


def _components(tables: ReadTables) -> Ints:
    """Component of every node over live links, shape (N,)."""
    topology = tables.plan.topology
    live = np.flatnonzero(topology.up)
    size = len(topology.nodes)
    matrix = coo_array((np.ones(len(live)), (topology.links.src[live], topology.links.dst[live])), shape=(size, size))
    return column(connected_components(matrix, directed=True, connection="strong")[1], np.int32)


def _joined(tables: ReadTables, component: Ints, source: int, endpoint: int) -> bool:
    """Whether a live path joins a source and an endpoint."""
    return endpoint < 0 or bool(component[tables.nodes[source]] == component[endpoint])


def _check_delivery(tables: ReadTables, rows: Rows, family: int, met: np.ndarray) -> list[Finding]:
    """Deliverers that packets meet hand every address to the endpoint that has it, and to nobody what nobody has."""
    topology, plan, ports = tables.plan.topology, tables.plan, tables.ports
    findings: list[Finding] = []
    for row, pieces in enumerate(rows.pieces):
        for piece in pieces:
            for place, ways in piece.ways:
                if not met[place, row]:
                    continue
                node = tables.nodes[place]
                wrong = ""
                if not ways and piece.endpoint >= 0 and topology.nodes.forwards[node]:
                    wrong = "black-hole"
                for port, _ in ways:
                    link = ports.link(node, port) if port != LOCAL else -1
                    to = node if port == LOCAL else int(topology.links.dst[link]) if link >= 0 else -1
                    if port != LOCAL and (to < 0 or topology.nodes.forwards[to]):
                        continue
                    if to != piece.endpoint or piece.last - piece.first > 1:
                        wrong = "misdelivery" if piece.endpoint >= 0 else "leak"
                if wrong and len(findings) < MOST_FINDINGS:
                    address, bits = plan.prefix(family, piece.first, 0)
                    target = prefix_text(family, address, bits).rsplit("/", 1)[0]
                    findings.append(Finding(wrong, topology.nodes.name[node], target, _WORDS[wrong]))
    return findings


_WORDS = {
    "black-hole": "the switch that should deliver it drops it",
    "misdelivery": "goes out of the port of another host",
    "leak": "an address that nobody has is delivered to a host",
}
