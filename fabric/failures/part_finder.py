"""The parts of a network: by kind, and those that texts select; every part with the texts that take it down again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from fabric.failures.part import PART_KINDS, Part, PartKind
from fabric.pipeline.host_parts import HostsOfFabric, LinksOfNodes
from fabric.pipeline.named_sets import ScenarioSets
from fabric.pipeline.network import Network
from topologies.columns import Ints, Longs, column
from topologies.errors import TopologyError
from topologies.named_parts import SELECTABLE, nothing_named, select, switch_nodes
from topologies.parts import parts_of
from topologies.topology import Topology

Chosen = Mapping[str, tuple[Sequence[int], Sequence[int]]]  # by fabric: nodes and links

_ODD = re.compile(r"[\s:#=→]|->")  # in the name of a node: a text with it may read otherwise


class PartFinder:
    """Finds parts of one network; what is down in it is no part any more."""

    def __init__(self, network: Network) -> None:
        assert network.sets is not None
        self.sets: ScenarioSets = network.sets
        self.topologies = network.topologies
        self._links_of = {fabric: LinksOfNodes(topology) for fabric, topology in network.topologies.items()}

    def hosts_of(self, fabric: str) -> HostsOfFabric:
        """Hosts and NICs of a fabric."""
        return self.sets.hosts_of[fabric]

    # ---- by kind --------------------------------------------------------------------------------------------------

    def of_kind(self, kind: PartKind, fabric: str | None = None) -> tuple[Part, ...]:
        """All parts of a kind; with ``fabric`` those that have links on it."""
        makers = {
            "link": self._links,
            "cable": self._cables,
            "switch": self._switches,
            "nic": self._nics,
            "nic-port": self._nic_ports,
            "host": self._hosts,
            "rack": self._racks,
            "line-card": self._cards,
        }
        if kind in SELECTABLE:
            parts = self._numbered(kind)
        elif kind in makers:
            parts = makers[kind]()
        else:
            parts = self._groups(kind)
        here = (part for part in parts if part.links and fabric in (None, *part.links))
        return tuple(here) if kind in ("link", "switch", "host") else distinct(here)

    def _links(self) -> Iterator[Part]:
        for fabric, topology in self.topologies.items():
            rows = np.flatnonzero(topology.is_cable & topology.up)
            back = topology.links.reverse[rows]
            if self._odd[fabric] or self._shares_names(fabric) or not ((back >= 0) & topology.up[back]).all():
                yield from (self.link(fabric, link) for link in rows.tolist())
                continue
            both = column(np.stack([rows, back], axis=1), np.int32)  # what self.link gives, many times as fast
            tiers = [topology.tiers[tier] for tier in topology.links.tier[rows].tolist()]
            for ends, name, tier in zip(both, _link_names(topology, rows), tiers, strict=True):
                yield Part("link", name, {fabric: ends}, selectors=(name,), role=tier, fabric=fabric)

    def _switches(self) -> Iterator[Part]:
        for fabric, topology in self.topologies.items():
            for node in np.flatnonzero(switch_nodes(topology)).tolist():
                yield self.switch(fabric, node)

    def _cables(self) -> Iterator[Part]:
        for fabric, topology in self.topologies.items():
            order, start = _by_cable(topology)
            for first, last in zip(start[:-1].tolist(), start[1:].tolist(), strict=True):
                links = order[first:last].tolist()
                texts = tuple(self.link_text(fabric, link) for link in links)
                name = " + ".join(topology.link_name(link) for link in links)
                tier = topology.tiers[topology.links.tier[links[0]]]
                yield self.part("cable", name, {fabric: ((), links)}, texts, role=tier)

    def _cards(self) -> Iterator[Part]:
        for fabric, topology in self.topologies.items():
            for name, links in self.sets.cards_of(fabric).items():
                card = f"line-card={name}"
                text = self._text(card, fabric, lambda other, name=name: name in self.sets.cards_of(other))
                role = topology.roles[topology.nodes.role[topology.links.src[links[0]]]]
                yield self.part("line-card", name, {fabric: ((), links.tolist())}, (text,), role=role)
        yield from self._groups("line-card")

    def _nics(self) -> Iterator[Part]:
        for fabric in self.topologies:
            hosts = self.hosts_of(fabric)
            for name, card in hosts.nics.items():
                text = self._text(f"nic={name}", fabric, lambda other, name=name: name in self.hosts_of(other).nics)
                group = hosts.group_of.get(card.host, "")
                yield self.part("nic", name, {fabric: ((), card.links.tolist())}, (text,), role=group)

    def _nic_ports(self) -> Iterator[Part]:
        for fabric, topology in self.topologies.items():
            for card in self.hosts_of(fabric).nics.values():
                for link in card.links.tolist():
                    name = f"{topology.nodes.name[topology.links.src[link]]}:port{topology.src_port[link] + 1}"
                    tier = topology.tiers[topology.links.tier[link]]
                    texts = (self.link_text(fabric, link, by_port=True),)
                    yield self.part("nic-port", name, {fabric: ((), [link])}, texts, role=tier)

    def _hosts(self) -> Iterator[Part]:
        names = dict.fromkeys(host for fabric in self.topologies for host in self.hosts_of(fabric).nodes)
        for host in names:
            yield self.host(host)

    def _racks(self) -> Iterator[Part]:
        added = [group.name for group in self.sets.scenario.risk_groups if group.kind == "rack"]
        for rack in dict.fromkeys((*self.sets.racks, *added)):
            yield self.together("rack", rack, (f"rack={rack}",), role="rack")

    def _groups(self, kind: PartKind) -> Iterator[Part]:
        for group in self.sets.scenario.risk_groups:
            if group.kind == kind:
                yield self.together(kind, group.name, (f"group={group.name}",), role=group.kind)

    def _numbered(self, kind: PartKind) -> Iterator[Part]:
        """Switches of every unit, pod, plane or rail."""
        for fabric, topology in self.topologies.items():
            numbers: Ints = getattr(topology.nodes, kind)
            switches = switch_nodes(topology) & (numbers >= 0)
            for number in np.unique(numbers[switches]).tolist():
                nodes = np.flatnonzero(switches & (numbers == number)).tolist()
                text = self._text(f"{kind}={number}", fabric, lambda other: self._has_numbers(other, kind))
                yield self.part(kind, f"{kind}={number}", {fabric: (nodes, ())}, (text,), role=kind)

    def _has_numbers(self, fabric: str, kind: str) -> bool:
        topology = self.topologies[fabric]
        return bool((getattr(topology.nodes, kind)[switch_nodes(topology)] >= 0).any())

    # ---- one by one -----------------------------------------------------------------------------------------------

    def link(self, fabric: str, link: int) -> Part:
        """A link, both directions."""
        topology = self.topologies[fabric]
        back = int(topology.links.reverse[link])
        first = link if back < 0 else min(link, back)
        tier = topology.tiers[topology.links.tier[first]]
        text = self.link_text(fabric, first)
        return self.part("link", topology.link_name(first), {fabric: ((), [first])}, (text,), role=tier)

    def switch(self, fabric: str, node: int) -> Part:
        """A switch with all its links, or with the circuits through it."""
        topology = self.topologies[fabric]
        name, role = topology.nodes.name[node], topology.roles[topology.nodes.role[node]]
        text = self._text(name, fabric, lambda other: self._knows(other, name))
        return self.part("switch", name, {fabric: ([node], ())}, (text,), role=role)

    def host(self, host: str) -> Part:
        """A host, with its NICs on all fabrics."""
        chosen = {fabric: (self.hosts_of(fabric).nodes.get(host, ()), ()) for fabric in self.topologies}
        group = next((group for one in self.topologies if (group := self.hosts_of(one).group_of.get(host, ""))), "host")
        return self.part("host", host, chosen, (f"host={host}",), role=group, hosts=(host,))

    def nic(self, fabric: str, node: int) -> Part:
        """An endpoint that is one of several of its host."""
        topology = self.topologies[fabric]
        name = topology.nodes.name[node]
        text = self._text(name, fabric, lambda other: self._knows(other, name))
        return self.part("nic", name, {fabric: ([node], ())}, (text,), role=topology.roles[topology.nodes.role[node]])

    def together(self, kind: PartKind, name: str, texts: Sequence[str], *, role: str = "") -> Part:
        """What several texts select, as one part.

        Raises
        ------
        TopologyError
            When a text names nothing (FP3110).
        """
        chosen: dict[str, tuple[set[int], set[int]]] = {fabric: (set(), set()) for fabric in self.topologies}
        for text in texts:
            for fabric, (nodes, links) in self.selected(text).items():
                chosen[fabric][0].update(nodes)
                chosen[fabric][1].update(links)
        columns = {fabric: (sorted(nodes), sorted(links)) for fabric, (nodes, links) in chosen.items()}
        return self.part(kind, name, columns, tuple(texts), role=role, hosts=self._hosts_within(columns))

    def part(
        self,
        kind: PartKind,
        name: str,
        chosen: Chosen,
        texts: tuple[str, ...],
        *,
        role: str = "",
        hosts: tuple[str, ...] = (),
    ) -> Part:
        """A part of nodes and links, by fabric."""
        links: dict[str, Ints] = {}
        for fabric, (nodes, some) in chosen.items():
            gone = self._links_with(fabric, nodes, some)
            if len(gone):
                links[fabric] = gone
        alone = next(iter(links)) if len(links) == 1 else ""
        return Part(kind, name, links, selectors=texts, hosts=hosts, role=role, fabric=alone)

    def _links_with(self, fabric: str, nodes: Sequence[int], links: Sequence[int]) -> Ints:
        """Links that are lost with nodes and links, both directions, those that are up."""
        topology = self.topologies[fabric]
        if not len(nodes) and len(links) == 1:
            back = int(topology.links.reverse[links[0]])
            both = column(sorted({int(links[0]), back} - {-1}), np.int32)
        else:
            some = np.asarray(links, dtype=np.int64)
            back_of = topology.links.reverse[some]
            both = self._links_of[fabric].of_all(nodes) if len(nodes) else column([], np.int32)
            if len(some):
                both = column(np.unique(np.concatenate([both, some, back_of[back_of >= 0]])), np.int32)
        up = topology.up[both]
        return both if up.all() else column(both[up], np.int32)

    # ---- by text --------------------------------------------------------------------------------------------------

    def selected(self, text: str) -> dict[str, tuple[list[int], list[int]]]:
        """Nodes and links that a text selects, by fabric.

        Raises
        ------
        TopologyError
            When it names nothing (FP3110); the hint has the nearest name.
        """
        chosen = {fabric: select(topology, fabric, text, self.sets) for fabric, topology in self.topologies.items()}
        if not any(nodes or links for nodes, links in chosen.values()):
            raise nothing_named(text, self.topologies.values(), self.sets)
        return chosen

    def each(self, text: str) -> Iterator[Part]:
        """Every switch, link, host or NIC that a text selects, by itself; a host where all its NICs are."""
        for fabric, (nodes, links) in self.selected(text).items():
            topology = self.topologies[fabric]
            is_switch, inside = switch_nodes(topology), set(nodes)
            of_node = {node: host for host, own in self.hosts_of(fabric).nodes.items() for node in own}
            whole = {host for host, own in self.hosts_of(fabric).nodes.items() if inside.issuperset(own)}
            for node in nodes:
                if is_switch[node]:
                    yield self.switch(fabric, node)
                elif of_node.get(node) in whole:
                    yield self.host(of_node[node])
                else:
                    yield self.nic(fabric, node)
            for link in links:
                yield self.link(fabric, link)

    def as_one(self, texts: Sequence[str]) -> Part:
        """Texts as one part; of the kind that one text names, such as a spine, a rack or a power feed.

        Raises
        ------
        TopologyError
            When a text names nothing (FP3110).
        """
        if len(texts) == 1:
            key, _, name = texts[0].partition("=")
            kind = next((kind for kind in PART_KINDS if kind == self._kind_of_set(key, name)), None)
            if kind is not None:
                return self.together(kind, texts[0] if kind in SELECTABLE else name, texts, role=kind)
            alone = list(self.each(texts[0]))
            if len(alone) == 1:
                return alone[0]
        return self.together("group", " + ".join(texts), texts)

    def _kind_of_set(self, key: str, name: str) -> str:
        """Kind of the part that ``key=name`` is by itself; empty where it is none."""
        kinds = {group.name: group.kind for group in self.sets.scenario.risk_groups}
        if name in kinds and key in ("group", kinds[name]):
            return kinds[name]
        return key if (key == "rack" and name in self.sets.racks) or (key in SELECTABLE and name.isdigit()) else ""

    def _hosts_within(self, chosen: Chosen) -> tuple[str, ...]:
        """Hosts all of whose endpoints, on all fabrics, are among the nodes."""
        nodes = {fabric: set(inside) for fabric, (inside, _) in chosen.items()}
        touched = {
            host: None
            for fabric, inside in nodes.items()
            if inside
            for host, own in self.hosts_of(fabric).nodes.items()
            if not inside.isdisjoint(own)
        }
        return tuple(
            host
            for host in touched
            if all(nodes[fabric].issuperset(self.hosts_of(fabric).nodes.get(host, ())) for fabric in nodes)
        )

    # ---- texts ----------------------------------------------------------------------------------------------------

    def _knows(self, fabric: str, name: str) -> bool:
        return self.topologies[fabric].has_node(name) or name in self.hosts_of(fabric).nodes

    def _text(self, text: str, fabric: str, also: object) -> str:
        """A text, with its fabric where another one has the same."""
        assert callable(also)
        shared = any(also(other) for other in self.topologies if other != fabric)
        return f"fabric={fabric} {text}" if shared else text

    def _shares_names(self, fabric: str) -> bool:
        """Whether another fabric has switches or hosts of the same names, so that texts have to say which."""
        own = set(self.topologies[fabric].nodes.name)
        return any(not own.isdisjoint(other.nodes.name) for name, other in self.topologies.items() if name != fabric)

    @cached_property
    def _odd(self) -> Mapping[str, bool]:
        """By fabric: whether a name holds what stands between names in a text."""
        return {
            fabric: any(_ODD.search(name) for name in topology.nodes.name)
            for fabric, topology in self.topologies.items()
        }

    def link_text(self, fabric: str, link: int, *, by_port: bool = False) -> str:
        """The text that selects one link, its other direction with it."""
        topology = self.topologies[fabric]
        src, dst = topology.nodes.name[topology.links.src[link]], topology.nodes.name[topology.links.dst[link]]
        port = f"{src}:port{topology.src_port[link] + 1}"

        def both(other: str) -> bool:
            return self.topologies[other].has_node(src) and (by_port or self.topologies[other].has_node(dst))

        text = self._text(port if by_port else topology.link_name(link), fabric, both)
        if not self._odd[fabric]:
            return text
        for one in (text, f"fabric={fabric} {port}", port):
            if self._reads_as(fabric, one, link):
                return one
        return text

    def _reads_as(self, fabric: str, text: str, link: int) -> bool:
        try:
            return select(self.topologies[fabric], fabric, text, self.sets) == ([], [link])
        except TopologyError:
            return False


def _link_names(topology: Topology, rows: Longs) -> list[str]:
    """``Topology.link_name`` of many links."""
    names, links = topology.nodes.name, topology.links
    columns = (links.src, links.dst, topology.parallel_ordinal, topology.parallel_count)
    return [
        f"{names[src]} -> {names[dst]}" + (f" #{ordinal + 1}" if count > 1 else "")
        for src, dst, ordinal, count in zip(*(values[rows].tolist() for values in columns), strict=True)
    ]


def distinct(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts in order, each once: of one kind, those that take the same links are one; without what takes none."""
    seen: dict[tuple[object, ...], Part] = {}
    for part in parts:
        links = tuple((fabric, gone.tobytes()) for fabric, gone in sorted(part.links.items()))
        slowed = tuple((fabric, gone.tobytes()) for fabric, (gone, _) in sorted(part.slowed.items()))
        if links or slowed:
            seen.setdefault((part.kind, links, slowed), part)
    return tuple(seen.values())


def _by_cable(topology: Topology) -> tuple[Ints, Ints]:
    """Links that are up, one direction each, sorted by the cable they are in, and where every cable starts.

    Links that leave a node in parts of one port are in the cable that splits it.
    """
    links = topology.links
    rows = np.flatnonzero(topology.is_cable & topology.up)
    place = np.full(len(links), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    one_way = np.where(topology.is_cable, np.arange(len(links)), links.reverse)
    ports = np.round(1 / np.maximum(links.src_ports, 1e-9)).astype(np.int64)
    joined: list[tuple[int, int]] = []
    for ways in np.unique(ports[ports > 1]).tolist():
        some = np.flatnonzero(ports == ways)
        order = some[np.argsort(links.src[some], kind="stable")]
        first = np.searchsorted(links.src[order], links.src[order], side="left")
        rank = np.arange(len(order)) - first
        head = order[first + rank // ways * ways]
        joined += zip(place[one_way[order]].tolist(), place[one_way[head]].tolist(), strict=True)
    pairs = np.array([pair for pair in joined if min(pair) >= 0], dtype=np.int64).reshape(-1, 2)
    renamed = parts_of(len(rows), pairs[:, 0], pairs[:, 1])
    count = int(renamed.max(initial=-1)) + 1
    order = np.argsort(renamed, kind="stable")
    start = np.searchsorted(renamed[order], np.arange(count + 1))
    return column(rows[order], np.int32), column(start, np.int32)
