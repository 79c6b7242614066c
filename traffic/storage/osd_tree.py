"""The OSDs of a Ceph cluster and the buckets they are in, as ``ceph osd tree -f json`` prints them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from topologies.columns import Floats, Ints, column
from topologies.errors import TrafficError, nearest_hint
from topologies.reading.fields import HARMLESS, MODELLED, REPORTED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue, parse_json

WAY = "write it by: ceph osd tree -f json"
FIELDS = DeclaredFields(
    "storage",
    "osd tree",
    "OSDMap::print_tree and CrushTreeDumper of Ceph; ceph osd tree, ceph osd df tree and ceph osd crush tree",
    [
        Field("nodes", MODELLED, "buckets and OSDs"),
        Field("id", MODELLED, "OSDs have numbers from 0, buckets below"),
        Field("name", MODELLED, "hosts are the servers of the scenario; crush_root and rules name buckets"),
        Field("type", MODELLED, "root, host, rack and so on: failure_domain and rules choose by it"),
        Field("children", MODELLED, "what is in a bucket"),
        Field("device_class", MODELLED, "pools use one class by their rule (crush_rules) or the key device_class"),
        Field("crush_weight", MODELLED, "share of the placement groups"),
        Field("reweight", MODELLED, "share of its placement groups that it keeps; 0 is out; absent is 1"),
        Field("status", MODELLED, "up; one that is not keeps nothing, as after Ceph has marked it out; absent is up"),
        Field("exists", MODELLED, "0: it is not there"),
        Field("primary_affinity", MODELLED, "how often it is the primary of what it keeps; absent is 1"),
        Field("pool_weights", REPORTED, "weights by pool are left out; crush_map has them"),
        Field("stray", REPORTED, "OSDs in no bucket keep nothing"),
        Field("summary", HARMLESS, "totals"),
        Field("type_id", HARMLESS, "the number of the type"),
        Field("depth", HARMLESS, "how it is printed"),
        Field("kb*", HARMLESS, "how full it is"),
        Field("utilization", HARMLESS, "how full it is"),
        Field("var", HARMLESS, "how full it is"),
        Field("pgs", HARMLESS, "placement groups it has today, of all pools"),
    ],
)


@dataclass(frozen=True)
class TreeNode:
    """A bucket or an OSD."""

    name: str
    kind: str  # type of a bucket, osd for an OSD
    children: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class OsdTree:
    """Buckets by id, and the OSDs in columns; row ``i`` is ``osd.{number[i]}``."""

    path: str
    nodes: Mapping[int, TreeNode]
    number: Ints  # shape (O,)
    weight: Floats  # shape (O,), what CRUSH goes by
    live: Floats  # shape (O,), share of its groups that it keeps: 0 where down or out
    affinity: Floats  # shape (O,), 0..1
    device_class: tuple[str, ...]  # '' where there is none

    @cached_property
    def position(self) -> Mapping[int, int]:
        """Row of every OSD."""
        return {int(number): row for row, number in enumerate(self.number)}

    @cached_property
    def parent(self) -> Mapping[int, int]:
        """Bucket of every bucket and OSD."""
        return {child: number for number, node in self.nodes.items() for child in node.children}

    @cached_property
    def roots(self) -> tuple[int, ...]:
        """Buckets in no other that have OSDs."""
        return tuple(
            number for number in self.nodes if number < 0 and number not in self.parent and len(self.under(number))
        )

    def under(self, number: int) -> Ints:
        """Rows of the OSDs in a bucket."""
        rows = {self.position[one] for one in self._below(number) if one in self.position}
        return column(sorted(rows), np.int32)

    def buckets(self, number: int, kind: str) -> list[int]:
        """Buckets of a type in a bucket."""
        return [one for one in self._below(number) if one < 0 and one != number and self.nodes[one].kind == kind]

    def _below(self, number: int) -> list[int]:
        seen, ahead = {number: None}, [number]
        while ahead:
            node = self.nodes.get(ahead.pop())
            fresh = [child for child in (node.children if node else ()) if child not in seen and child in self.nodes]
            seen |= dict.fromkeys(fresh)
            ahead += fresh
        return list(seen)

    @cached_property
    def host(self) -> tuple[str, ...]:
        """Host of every OSD; '' where it is in none."""
        return tuple(self.above(int(number), "host") for number in self.number)

    def above(self, number: int, kind: str) -> str:
        """Name of the bucket of a type that something is in; '' where it is in none."""
        seen = {number}
        while number in self.parent and self.parent[number] not in seen:
            number = self.parent[number]
            seen.add(number)
            if self.nodes[number].kind == kind:
                return self.nodes[number].name
        return ""

    def classes(self, rows: Iterable[int]) -> tuple[str, ...]:
        """Device classes of some OSDs."""
        return tuple(sorted({self.device_class[row] for row in rows}))

    def named(self, name: str, *, where: str) -> int:
        """The bucket, or OSD, of a name.

        Raises
        ------
        TrafficError
            When there is none (FP4052).
        """
        for number, node in self.nodes.items():
            if node.name == name:
                return number
        names = [node.name for number, node in self.nodes.items() if number < 0]
        raise TrafficError(
            f"{self.path} has no bucket {name!r}", where=where, hint=nearest_hint(name, names, "buckets"), code="FP4052"
        )


def read_osd_tree(text: str, path: str) -> tuple[OsdTree, tuple[str, ...]]:
    """The tree, and what is to be said of its fields.

    Raises
    ------
    FormatError
        When it is not such a document (FP6212), or has something else at a place (FP6250).
    """
    document = parse_json(text, path, hint=WAY)
    if not isinstance(document.value, dict) or "nodes" not in document.keys:
        raise document.wrong("no OSD tree: there is no 'nodes'", hint=WAY, code="FP6212")
    present = {key: None for key in document.keys if key != "stray" or list(document.get("stray").each())}
    entries: dict[int, JsonValue] = {}
    for entry in document.get("nodes").each():
        number = entry.need("id").whole(least=-(2**31), most=2**31 - 1)
        if "~" in entry.get("name").text(""):  # a shadow of one device class
            continue
        if number in entries:
            raise entry.wrong(f"id {number} is there twice", hint=WAY, code="FP6212")
        entries[number] = entry
        present |= {key: None for key in entry.keys if key != "pool_weights" or entry.get(key).keys}
    tree, states = _tree(entries, path)
    if not len(tree.number):
        raise document.wrong("no OSD in the tree", hint=WAY, code="FP6212")
    if not (tree.weight * tree.live).any():
        raise document.wrong(
            f"none of its {len(tree.number):,} OSDs keeps anything: {_counted(states, tree)}",
            hint="take the tree while OSDs are up and in",
            code="FP6212",
        )
    return tree, (*FIELDS.notes(present), *_down(states))


def _tree(entries: Mapping[int, JsonValue], path: str) -> tuple[OsdTree, dict[int, str]]:
    nodes, rows, states = {}, [], {}
    for number, entry in entries.items():
        kind = entry.get("type").text("osd" if number >= 0 else "")
        name = entry.get("name").text(f"osd.{number}" if number >= 0 else "")
        children = tuple(child.whole(least=-(2**31), most=2**31 - 1) for child in entry.get("children").each())
        nodes[number] = TreeNode(name, "osd" if number >= 0 else kind, children if number < 0 else ())
        if number < 0:
            continue
        status = entry.get("status").text("up")
        exists = entry.get("exists").whole(1, most=1)
        up = status == "up" and exists
        states[number] = "" if up else status if exists else "gone"
        rows.append(
            (
                number,
                entry.need("crush_weight").number(least=0),
                entry.get("reweight").number(1.0, least=0) * bool(up),
                min(entry.get("primary_affinity").number(1.0, least=0), 1.0),
                entry.get("device_class").text(""),
            )
        )
    rows.sort()
    tree = OsdTree(
        path,
        nodes,
        column([row[0] for row in rows], np.int32),
        column([row[1] for row in rows], np.float64),
        column([row[2] for row in rows], np.float64),
        column([row[3] for row in rows], np.float64),
        tuple(row[4] for row in rows),
    )
    return tree, states


def _counted(states: Mapping[int, str], tree: OsdTree) -> str:
    """``3 down, 2 out``."""
    words = [state or "out" for state in states.values()]
    return ", ".join(f"{words.count(word):,} {word}" for word in dict.fromkeys(words))


def _down(states: Mapping[int, str]) -> tuple[str, ...]:
    """Which OSDs keep nothing because they are not up."""
    away: dict[str, list[str]] = {}
    for number, state in states.items():
        if state:
            away.setdefault(state, []).append(f"osd.{number}")
    return tuple(
        f"{', '.join(some[:6])}{f' and {len(some) - 6:,} more' if len(some) > 6 else ''}: {state}, "
        "taken to keep nothing, as after Ceph has marked them out"
        for state, some in away.items()
    )


def alike(names: tuple[str, ...], rack: Ints) -> OsdTree:
    """A tree of servers that weigh the same, in racks."""
    racks = np.unique(rack).tolist()
    in_rack = {number: tuple(int(-1000 - row) for row in np.flatnonzero(rack == number)) for number in racks}
    nodes = {-1: TreeNode("default", "root", tuple(-2_000_000 - at for at in range(len(racks))))}
    nodes |= {-2_000_000 - at: TreeNode(f"rack{at}", "rack", in_rack[number]) for at, number in enumerate(racks)}
    nodes |= {-1000 - row: TreeNode(name, "host", (row,)) for row, name in enumerate(names)}
    nodes |= {row: TreeNode(f"osd.{row}", "osd") for row in range(len(names))}
    ones = column(np.ones(len(names)), np.float64)
    return OsdTree("", nodes, column(np.arange(len(names)), np.int32), ones, ones, ones, ("",) * len(names))
