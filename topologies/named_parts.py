"""Nodes and links that a text names: one grammar for failures, explanations and screens.

    node        leaf0                        a name as it stands
    link        a->b   a -> b   a→b   a:b    from a to b, all that run in parallel
                a->b #2                      the second of them, as ``Topology.link_name`` writes it
                a:port4                      the link out of a's fourth port, counted as in ``Topology.src_port``
                link=a:b                     the same, spelled out
    switches    unit=3  pod=1  rail=0  plane=2  role=spine    all that have every one of these
    links       tier=leaf-spine              all of a tier; with words of switches, those with such an end
    sets        host=NAME  nic=NAME  rack=NAME  group=NAME  …   what the scenario knows by such a name (``NamedSets``)
    fabric      fabric=NAME …                any of the above, on one fabric

Imported names may hold ``:``, ``#``, ``->`` and blanks. So a name that stands as it is wins: over a link, and as an end
of a link over an ordinal or a port. A text that reads as several different links is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, Protocol

import numpy as np

from topologies.columns import Bools, Ints, column
from topologies.errors import TopologyError, nearest
from topologies.former_names import renamed
from topologies.topology import Topology, role_nodes

SELECTABLE = ("unit", "pod", "rail", "plane")
"""Columns that choose switches by number."""

WAYS = "name a node, or use link=A:B, unit=N, pod=N, role=NAME, tier=NAME, host=NAME, rack=NAME"
"""What a text may be, for hints."""

_ARROWS = re.compile(r"->|→|:")
_FABRIC = re.compile(r"(?:^|\s+)fabric=(\S+)(?=\s|$)")
_NEAR = 20_000  # names that are compared for a hint
_Kind = Literal["name", "ordinal", "port"]


class NamedSets(Protocol):
    """Nodes and links of a fabric that a scenario has a name for: hosts, racks, groups."""

    def named(self, fabric: str, key: str, name: str) -> tuple[Ints, Ints] | None:
        """Nodes and links on one fabric of what ``key=name`` says, such as ``rack=r00c03``; ``key`` may be empty.

        None where the key or the name is not known.
        """
        ...

    def names(self) -> Iterable[str]:
        """Names that a mistyped text may have meant."""
        ...


def find_nodes(topology: Topology, text: str) -> Ints:
    """Id of the node that a text names; empty where there is none."""
    name = next((name for name in (text, text.strip()) if topology.has_node(name)), None)
    return column([] if name is None else [topology.node(name)], np.int32)


def find_link(topology: Topology, text: str, *, fabric: str | None = None) -> Ints:
    """Ids of the links that a text names, in order; empty where there are none.

    Parameters
    ----------
    fabric : str, optional
        Name of the fabric, where the text may say ``fabric=NAME``; default: the topology's.

    Raises
    ------
    TopologyError
        When the text reads as several different links (FP3104).

    Examples
    --------
    >>> from topologies.assemble import assemble
    >>> net = assemble("pair", "example")
    >>> net.cables(net.switches("leaf", ["a"], level=1), net.switches("spine", ["b"], level=2), 100.0, parallel=2)
    >>> pair = net.freeze()
    >>> [find_link(pair, text).tolist() for text in ("a->b", "link=b:a", "a → b #2", "a:port2", "a->c")]
    [[0, 2], [1, 3], [2], [2], []]
    """
    if len(find_nodes(topology, text)):
        return column([], np.int32)
    rest, is_here = _on_fabric(text, topology.name if fabric is None else fabric)
    parts = (text, *((rest, rest.removeprefix("link=")) if is_here else ()))
    for part in dict.fromkeys(parts):
        links = _links(topology, part)
        if len(links):
            return links
    return column([], np.int32)


def select(topology: Topology, fabric: str, text: str, sets: NamedSets | None = None) -> tuple[list[int], list[int]]:
    """Nodes and links of one fabric that a text names; both empty where it names nothing there.

    Parameters
    ----------
    sets : NamedSets, optional
        What the scenario has names for, besides the nodes and links of the topology.

    Raises
    ------
    TopologyError
        When the text reads as several different links (FP3104).
    """
    nodes = find_nodes(topology, text)
    links = find_link(topology, text, fabric=fabric)
    rest, is_here = _on_fabric(text, fabric)
    if len(nodes) or len(links) or not is_here or not text.strip():
        return nodes.tolist(), links.tolist()
    nodes = find_nodes(topology, rest)
    if len(nodes):
        return nodes.tolist(), []
    nodes, links = _by_words(topology, fabric, rest, sets)
    return nodes.tolist(), links.tolist()


def hint_for(topologies: Iterable[Topology], text: str, others: Iterable[str] = ()) -> str:
    """A hint for a text that names nothing: the present name of a former one, or the nearest name; else empty.

    Parameters
    ----------
    others : iterable of str
        Names of other things that the text may have meant.
    """
    every = list(topologies)
    rest = _FABRIC.sub("", text).strip().removeprefix("link=")
    ends = [part for match in _ARROWS.finditer(rest) for part in (rest[: match.start()], rest[match.end() :])]
    ends = [end.strip() for end in ends]
    ends += [end.rpartition("#")[0].strip() for end in ends if "#" in end]
    texts = [end for end in dict.fromkeys((text.strip(), rest, *ends)) if end]
    sentences = [sentence for topology in every for end in texts if (sentence := renamed(topology, end))]
    if sentences:
        return "; ".join(dict.fromkeys(sentences))
    names = [*others, *(name for topology in every for name in topology.nodes.name[:_NEAR])]
    unknown = [end for end in ends if not any(topology.has_node(end) for topology in every)]
    words = (*unknown, rest) if 0 < len(unknown) < len(ends) else (rest, *unknown)
    for word in dict.fromkeys(words):
        close = nearest(word, names)
        if close is not None:
            return f"did you mean {close!r}?"
    return ""


def nothing_named(text: str, topologies: Iterable[Topology], sets: NamedSets | None = None) -> TopologyError:
    """The refusal of a text that selects nothing, with the nearest that would."""
    every = list(topologies)
    words = {f"fabric={topology.name}" for topology in every}
    words |= {f"role={role}" for topology in every for role in topology.roles}
    words |= {f"tier={tier}" for topology in every for tier in topology.tiers}
    unknown = [word for word in text.split() if word.startswith(("fabric=", "role=", "tier=")) and word not in words]
    close = nearest(unknown[0], sorted(words)) if unknown else None
    hint = f"did you mean {close!r}?" if close else hint_for(every, text, sets.names() if sets is not None else ())
    return TopologyError(
        f"{text!r} names nothing on {', '.join(topology.name for topology in every)}",
        hint=hint or WAYS,
        code="FP3110",
    )


def _on_fabric(text: str, fabric: str) -> tuple[str, bool]:
    """The text without ``fabric=NAME``, and whether that is this fabric."""
    match = _FABRIC.search(text)
    return _FABRIC.sub("", text, count=1).strip(), match is None or match[1] == fabric


def switch_nodes(topology: Topology) -> Bools:
    """What forwards or carries traffic of others and is no host, optical circuit switches among them, shape (N,)."""
    chosen = topology.is_switch.copy()
    if topology.circuit is not None:
        chosen[topology.circuit[topology.circuit >= 0]] = True
    return chosen


def _by_words(topology: Topology, fabric: str, text: str, sets: NamedSets | None) -> tuple[Ints, Ints]:
    """Nodes and links that have all of ``key=value``; none where a word is not known, all switches for no text."""
    none = column([], np.int32)
    whole = None if sets is None else _named(sets, fabric, text)
    if whole is not None:
        return whole
    nodes, links = switch_nodes(topology), np.zeros(len(topology.links), dtype=np.bool_)
    filters: list[Bools] = []
    tier: Bools | None = None
    known = False  # whether a set has been named that the other words choose from
    for word in text.split():
        key, _, value = word.partition("=")
        if key in SELECTABLE and value.isascii() and value.isdigit():
            filters.append(getattr(topology.nodes, key) == int(value))
        elif key == "role":
            filters.append(_mask(len(topology.nodes), role_nodes(topology, value)))
        elif key == "tier" and value in topology.tiers:
            tier = topology.links.tier == topology.tiers.index(value)
        elif sets is not None and (one := sets.named(fabric, key, value)) is not None:
            chosen = _mask(len(nodes), one[0]), _mask(len(links), one[1])
            nodes, links = (nodes & chosen[0], links & chosen[1]) if known else chosen
            known = True
        else:
            return none, none
    return _filtered(topology, nodes if known or tier is None else None, links, filters, tier)


def _filtered(
    topology: Topology, nodes: Bools | None, links: Bools, filters: list[Bools], tier: Bools | None
) -> tuple[Ints, Ints]:
    """Of nodes and links those that pass all filters: a node itself, a link one of its ends; ``None``: of any node."""
    src, dst = topology.links.src, topology.links.dst
    if tier is not None:
        links = tier if nodes is None else tier & (links | nodes[src] | nodes[dst])
        nodes = np.zeros(len(topology.nodes), dtype=np.bool_)
    assert nodes is not None
    for keep in filters:
        nodes, links = nodes & keep, links & (keep[src] | keep[dst])
    return column(np.flatnonzero(nodes), np.int32), column(np.flatnonzero(links), np.int32)


def _named(sets: NamedSets, fabric: str, text: str) -> tuple[Ints, Ints] | None:
    """What a whole text names, blanks included: ``rack=row 3``, or a name alone."""
    key, equals, name = text.partition("=")
    return sets.named(fabric, "", text) or (sets.named(fabric, key, name) if equals else None)


def _mask(count: int, chosen: Ints) -> Bools:
    mask = np.zeros(count, dtype=np.bool_)
    mask[chosen] = True
    return mask


# ---- links --------------------------------------------------------------------------------------------------------


def _links(topology: Topology, text: str) -> Ints:
    """Links that a text reads as: the one that is printed so, else those whose end is a name, an ordinal, a port."""
    readings: dict[_Kind, set[tuple[int, ...]]] = {"name": set(), "ordinal": set(), "port": set()}
    for kind, links in _readings(topology, text):
        if links:
            readings[kind].add(links)
    by_kind = list(readings.values())
    printed: list[set[tuple[int, ...]]] = [
        {links for links in known if len(links) == 1 and topology.link_name(links[0]) == name}
        for name in (text, text.strip())
        for known in by_kind
    ]
    for known in (*printed, *by_kind):
        if len(known) > 1:
            raise _ambiguous(topology, text, known)
        if known:
            return column(known.pop(), np.int32)
    return column([], np.int32)


def _ambiguous(topology: Topology, text: str, chosen: set[tuple[int, ...]]) -> TopologyError:
    link = min(links[0] for links in chosen)
    port = f"{topology.nodes.name[topology.links.src[link]]}:port{topology.src_port[link] + 1}"
    return TopologyError(
        f"{text!r} reads as {len(chosen)} different links, since names of nodes hold what stands between them",
        hint=f"name a link by its port, such as {port!r}",
        code="FP3104",
    )


def _readings(topology: Topology, text: str) -> Iterator[tuple[_Kind, tuple[int, ...]]]:
    """Every way to read a text as links."""
    for match in _ARROWS.finditer(text):
        rest = text[match.end() :]
        head, hash_sign, ordinal = rest.rpartition("#")
        port = rest.strip().removeprefix("port")
        for source in _ends(topology, text[: match.start()]):
            leaving = np.flatnonzero(topology.links.src == source)
            for target in _ends(topology, rest):
                yield "name", tuple(leaving[topology.links.dst[leaving] == target].tolist())
            for target in _ends(topology, head) if hash_sign and _is_number(ordinal) else ():
                links = leaving[topology.links.dst[leaving] == target]
                yield "ordinal", tuple(links[topology.parallel_ordinal[links] == int(ordinal) - 1].tolist())
            if port != rest.strip() and _is_number(port):
                yield "port", tuple(leaving[topology.src_port[leaving] == int(port) - 1].tolist())


def _ends(topology: Topology, text: str) -> list[int]:
    """Nodes that a text between separators may name; the blanks around it may be the name's own."""
    inner = text.removeprefix(" ")
    texts = dict.fromkeys((text, inner, text.removesuffix(" "), inner.removesuffix(" "), text.strip()))
    return [topology.node(name) for name in texts if topology.has_node(name)]


def _is_number(text: str) -> bool:
    return text.strip().isascii() and text.strip().isdigit()
