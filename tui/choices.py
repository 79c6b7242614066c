"""What the dialogues choose from: all keys, and all things of a session that one can go to."""

from __future__ import annotations

from dataclasses import dataclass

from fabric.output.table import Column, Table
from topologies.topology import Topology
from tui.keys import KEYS, SCREENS, Key, keys_of
from tui.search import fuzzy
from tui.session import Selection, Session


def key_table(keys: list[Key], query: str) -> Table:
    """Keys whose words match; those of ``keys`` are numbered as given."""
    found = fuzzy(query, [f"{key.words} {key.cli} {key.shown}" for key in keys], len(keys))
    columns = (
        Column("key", "key", [key.shown for key in keys], width=5),
        Column("words", "what it does", [key.words for key in keys], width=40),
        Column("cli", "command line", [key.cli for key in keys], width=18, priority=1),
        Column("where", "only on", [", ".join(key.screens) or "" for key in keys], width=12, priority=2),
    )
    columns = (columns[1], columns[0], columns[2], columns[3])
    return Table.of(columns, len(keys)).ordered(found)


def help_keys(screen: str) -> list[Key]:
    """All keys, those of a screen first."""
    first = keys_of(screen)
    return [*first, *(key for key in KEYS if key not in first)]


@dataclass(frozen=True)
class Target:
    """Somewhere to go."""

    words: str
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


def targets(session: Session) -> list[Target]:
    """Everything with a name: screens, phases, jobs, tiers, units, pods, switches, hosts."""
    found = [Target(title, "screen", name, session.selection) for name, (_, title, _) in SCREENS.items()]
    found += [Target(phase, "phase", "phases", Selection("phase", phase)) for phase in session.phases]
    found += [Target(job.id, "job", "flows", Selection("job", job.id)) for job in session.result.jobs]
    entry = session.entry
    if entry is None:
        return found
    topology = entry.topology
    found += [Target(tier, "tier", "heat", Selection("tier", tier)) for tier in topology.tiers]
    for kind, words, column in (("unit", "SU", topology.nodes.unit), ("pod", "pod", topology.nodes.pod)):
        numbers = sorted(set(column[topology.is_switch].tolist()) - {-1})
        found += [
            Target(f"{words}{at}", kind, "topology", Selection(kind, f"{words}{at}", number=at))  # type: ignore[arg-type]
            for at in numbers
        ]
    return [*found, *_nodes(topology)]


def target_table(session: Session, found: list[Target], query: str) -> Table:
    """Targets that match; ``a > b`` finds the links from one switch to another.

    Links found are appended to ``found``, so that a row's id is its place there.
    """
    order = _links(session, found, query) if ">" in query else fuzzy(query, [target.words for target in found])
    columns = (
        Column("name", "name", [target.words for target in found], width=40),
        Column("kind", "kind", [target.kind for target in found], width=8),
    )
    table = Table.of(columns, len(found))
    return table.ordered(order)


def _links(session: Session, found: list[Target], query: str) -> list[int]:
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
                order.append(len(found))
                found.append(Target(name, "link", "flows", Selection("link", name, link)))
        if len(order) > 200:
            break
    return order
