"""Destinations cut into sets of addresses that every switch treats alike, and what each does with them.

A site's addresses are alike at most switches. Switches whose rules cut a site, or that hand it to a port of a host, are
its *deliverers*: what they do is compared address by address, and where they only deliver or drop, the walk ends at
them, so that one walk serves the whole site.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fabric.rules.table import LOCAL
from fabric.rules.verify.behaviour import Ways
from fabric.rules.verify.findings import Finding
from fabric.rules.verify.tables import ReadTables
from topologies.columns import Ints, Longs, column

SINK, DROPPED = -2, -1


@dataclass(frozen=True)
class Piece:
    """Addresses from ``first`` to before ``last`` of one site, and what its deliverers do with them."""

    first: int
    last: int
    endpoint: int  # topology node at ``first``, -1 when none is
    ways: tuple[tuple[int, Ways], ...]  # (place of the deliverer, ways)


@dataclass(frozen=True, eq=False)
class Rows:
    """One row per set of addresses; code as for ``fabric.routing.tables.walk``, places of ``ReadTables`` for nodes."""

    code: Ints  # shape (nodes + 1, R); the last node stands for every delivered packet
    start: Longs  # shape (K + 1,), ways of all nodes
    link: Ints  # topology link of every way
    part: np.ndarray
    by_hash: tuple[tuple[int, ...], ...]  # shape (K,), place among the ways by value of the hash
    owner: Ints  # shape (K,), place of the node whose ways they are
    head: Ints  # shape (L,), place where a link leads
    pieces: tuple[tuple[Piece, ...], ...]  # by row
    row_of: Ints  # shape (N,), row of every endpoint, -1 for none


def cut_rows(tables: ReadTables, family_index: int) -> tuple[Rows, list[Finding]]:
    """Rows of all sites, and ports that do not exist or are down."""
    plan, topology = tables.plan, tables.plan.topology
    behaviours = [one[family_index] for one in tables.behaviours]
    end = len(tables.nodes)
    head = np.where(tables.index[topology.links.dst] >= 0, tables.index[topology.links.dst], end)
    head = np.where(topology.nodes.forwards[topology.links.dst], head, end)
    start, links, parts, base, findings = _flatten(tables, family_index)
    given = (taken for one in behaviours for taken in zip(one.by_hash, one.ways, strict=True))
    by_hash = tuple(
        taken if width == len(ways) else ()  # a way to a port that is not there is a finding of its own
        for (taken, ways), width in zip(given, np.diff(start).tolist(), strict=True)
    )
    owner = np.repeat(np.arange(end), [len(one.ways) for one in behaviours])
    delivers = _delivers(start, links, head, end)
    # What every node does at the first address of every site, and whether its rules cut the site.
    first = plan.sites.start
    last = first + plan.sites.size
    at_start = np.empty((end, len(first)), dtype=np.int32)
    cuts: dict[int, set[int]] = {}
    for place, made in enumerate(behaviours):
        interval = np.searchsorted(made.start, first, side="right") - 1
        at_start[place] = base[place] + made.way[interval]
        inside = np.searchsorted(made.start, last, side="left") - 1 > interval
        for site in np.flatnonzero(inside | delivers[at_start[place]]).tolist():
            cuts.setdefault(site, set()).add(place)
    columns: list[Ints] = []
    pieces: list[tuple[Piece, ...]] = []
    row_of = np.full(len(topology.nodes), -1, dtype=np.int32)
    for site in range(len(first)):
        places = sorted(cuts.get(site, ()))
        variants: dict[tuple[int, ...], list[Piece]] = {}
        for piece, codes in _pieces(tables, family_index, places, base, int(first[site]), int(last[site])):
            ends = tuple(SINK if _terminal(code, start, links, head, end) else code for code in codes)
            variants.setdefault(ends, []).append(piece)
        for ends, found in variants.items():
            code = at_start[:, site].copy()
            code[places] = ends
            for piece in found:
                if piece.endpoint >= 0:
                    row_of[piece.endpoint] = len(columns)
            columns.append(code)
            pieces.append(tuple(found))
    code = np.full((end + 1, len(columns)), SINK, dtype=np.int32)
    if columns:
        code[:end] = np.stack(columns, axis=1)
    empty = np.flatnonzero(np.diff(start) == 0)
    code[np.isin(code, empty)] = DROPPED
    rows = Rows(
        column(code, np.int32),
        column(start, np.int64),
        column(links, np.int32),
        column(parts, np.float64),
        by_hash,
        column(owner, np.int32),
        column(head, np.int32),
        tuple(pieces),
        column(row_of, np.int32),
    )
    return rows, findings


def _flatten(tables: ReadTables, family_index: int) -> tuple[Longs, Ints, np.ndarray, list[int], list[Finding]]:
    """Ways of all nodes as columns over links; ports that lead nowhere are left out and found."""
    topology, ports = tables.plan.topology, tables.ports
    starts, links, parts, base = [0], [], [], []
    findings: list[Finding] = []
    for place, node in enumerate(tables.nodes):
        base.append(len(starts) - 1)
        for ways in tables.behaviours[place][family_index].ways:
            for port, part in ways:
                if port == LOCAL:
                    continue
                link = ports.link(node, port)
                if link < 0 or not topology.up[link]:
                    words = f"port {port} is down" if link >= 0 else f"there is no port {port}"
                    findings.append(Finding("dead-port", topology.nodes.name[node], "", words))
                    if link < 0:
                        continue
                links.append(link)
                parts.append(part)
            starts.append(len(links))
    return (
        np.array(starts, dtype=np.int64),
        np.array(links, dtype=np.int32),
        np.array(parts, dtype=np.float64),
        base,
        list(dict.fromkeys(findings)),
    )


def _delivers(start: Longs, links: Ints, head: Ints, end: int) -> np.ndarray:
    """Which ways hand packets to a host, shape (K,)."""
    to_host = np.concatenate([[0], np.cumsum(head[links] == end)]) if len(links) else np.zeros(1, dtype=np.int64)
    return np.asarray(to_host[start[1:]] > to_host[start[:-1]])


def _terminal(code: int, start: Longs, links: Ints, head: Ints, end: int) -> bool:
    """Whether ways only deliver or drop."""
    return bool((head[links[start[code] : start[code + 1]]] == end).all())


def _pieces(
    tables: ReadTables, family_index: int, places: list[int], base: list[int], first: int, last: int
) -> list[tuple[Piece, list[int]]]:
    """A site cut wherever a deliverer's rules or the endpoints change."""
    plan = tables.plan
    made = [tables.behaviours[place][family_index] for place in places]
    bounds = {first}
    for one in made:
        low, high = np.searchsorted(one.start, [first, last])
        bounds.update(one.start[low:high].tolist())
    nodes = plan.node_at
    offsets = plan.offset[nodes]
    low, high = np.searchsorted(offsets, [first, last])
    at = {int(offset): int(node) for offset, node in zip(offsets[low:high], nodes[low:high], strict=True)}
    bounds.update(at)
    bounds.update(offset + 1 for offset in at if offset + 1 < last)
    cuts = [*sorted(bounds), last]
    found = []
    for begin, finish in pairwise(cuts):
        picked = [int(np.searchsorted(one.start, begin, side="right") - 1) for one in made]
        ways = tuple((place, one.ways[int(one.way[at_])]) for place, one, at_ in zip(places, made, picked, strict=True))
        codes = [base[place] + int(one.way[at_]) for place, one, at_ in zip(places, made, picked, strict=True)]
        found.append((Piece(begin, finish, at.get(begin, -1), ways), codes))
    return found
