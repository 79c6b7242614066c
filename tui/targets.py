"""Everything with a name that one can go to, found by a few letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.output.table import Column, Table
from topologies.topology import Topology
from tui.search import fuzzy
from tui.session import Selection, Session
from tui.view import View


@dataclass(frozen=True)
class Target:
    """Somewhere to go."""

    name: str
    kind: str
    screen: str
    selection: Selection


def _nodes(topology: Topology) -> list[Target]:
    targets = []
    switch = topology.is_switch.tolist()
    for name, is_switch in zip(topology.nodes.name, switch, strict=True):
        kind = "switch" if is_switch else "host"
        screen = "topology" if is_switch else "flows"
        targets.append(Target(name, kind, screen, Selection(kind, name)))  # type: ignore[arg-type]
    return targets


def targets(session: Session, views: Mapping[str, View]) -> list[Target]:
    """Everything with a name: screens, phases, jobs, tiers, units, pods, switches, hosts."""
    known = [Target(view.title, "screen", view.name, session.selection) for view in views.values()]
    known += [Target(phase, "phase", "phases", Selection()) for phase in session.phases]
    known += [Target(job.id, "job", "flows", Selection("job", job.id)) for job in session.result.jobs]
    entry = session.entry
    if entry is None:
        return known
    topology = entry.topology
    known += [Target(tier, "tier", "heat", Selection("tier", tier)) for tier in topology.tiers]
    for kind, prefix, column in (("unit", "SU", topology.nodes.unit), ("pod", "pod", topology.nodes.pod)):
        numbers = sorted(set(column[topology.is_switch].tolist()) - {-1})
        known += [
            Target(f"{prefix}{at}", kind, "topology", Selection(kind, f"{prefix}{at}", number=at))  # type: ignore[arg-type]
            for at in numbers
        ]
    return [*known, *_nodes(topology)]


def target_table(session: Session, known: list[Target], query: str) -> Table:
    """Targets that match; ``a > b`` finds the links from one switch to another.

    Links that match are appended to ``known``, so that a row's id is its place there.
    """
    order = _links(session, known, query) if ">" in query else fuzzy(query, [target.name for target in known])
    columns = (
        Column("name", "name", [target.name for target in known], width=40),
        Column("kind", "kind", [target.kind for target in known], width=8),
    )
    table = Table.of(columns, len(known))
    return Table(columns, table.order[order])


def _links(session: Session, known: list[Target], query: str) -> list[int]:
    entry = session.entry
    if entry is None:
        return []
    topology = entry.topology
    left, _, right = query.replace("-", "").partition(">")
    names = topology.nodes.name
    heads = set(fuzzy(right, names, 64)) if right.strip() else None
    order = []
    for src in fuzzy(left, names, 16):
        for link in (topology.links.src == src).nonzero()[0].tolist():
            if heads is None or int(topology.links.dst[link]) in heads:
                name = topology.link_name(link)
                order.append(len(known))
                known.append(Target(name, "link", "flows", Selection("link", name, link)))
        if len(order) > 200:
            break
    return order
