"""Names that builders gave before all followed one rule, and what the same nodes are called now (docs/names.md).

Looked up only where a name is not found, to say the present one. A rule is a pattern of the former name, and a function
that makes the present one from its numbers; what belongs to a node, ``/h3`` or ``.nic1``, keeps its name under it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from topologies.topology import Topology, role_nodes

_TAIL = re.compile(r"((?:/h\d+)?(?:\.nic\d+)?)$")


@dataclass(frozen=True)
class _Part:
    """The nodes whose names begin with ``prefix``: a whole fabric, or one plane of it."""

    topology: Topology
    prefix: str = ""

    def nodes(self, role: str) -> list[int]:
        """Ids of the nodes of a role, in order."""
        names = self.topology.nodes.name
        return [node for node in role_nodes(self.topology, role).tolist() if names[node].startswith(self.prefix)]

    def at(self, role: str, position: int) -> str | None:
        """Name of the node at a position among those of its role."""
        nodes = self.nodes(role)
        return self.topology.nodes.name[nodes[position]][len(self.prefix) :] if position < len(nodes) else None

    def unit(self, pod: int, segment: int) -> int:
        """Number of a segment of a pod in the whole fabric; -1 where there is none."""
        tors = np.array(self.nodes("tor"), dtype=np.int64)
        inside = np.unique(self.topology.nodes.unit[tors[self.topology.nodes.pod[tors] == pod]]) if len(tors) else tors
        return int(inside[segment]) if segment < len(inside) else -1


_Rule = tuple[str, Callable[..., str | None]]


def _named(form: str) -> Callable[..., str | None]:
    """The numbers of the former name, put into a form."""
    return lambda _, *numbers: form.format(*numbers)


def _in_order(role: str) -> Callable[..., str | None]:
    """The former name counted the nodes of a role."""
    return lambda part, number: part.at(role, number)


def _in_layer(part: _Part, layer: int, number: int) -> str | None:
    """Switches of a BCube, counted inside of their layer."""
    inside = [node for node in part.nodes("switch") if part.topology.nodes.unit[node] == layer]
    return part.topology.nodes.name[inside[number]][len(part.prefix) :] if number < len(inside) else None


def _on_face(part: _Part, dimension: int, place: int) -> str | None:
    """Optical switches, counted inside of their dimension."""
    grid = part.at("switch", 0) or ""
    per_face = len(part.nodes("ocs")) // (grid.count(".") + 1)
    return part.at("ocs", dimension * per_face + place) if place < per_face else None


def _in_segment(form: str) -> Callable[..., str | None]:
    """Segments were counted inside of their pod."""
    return lambda part, pod, segment, *rest: form.format(part.unit(pod, segment), *rest)


_CLOS: tuple[_Rule, ...] = ((r"core(\d+)/(\d+)", _named("plane{}/core{}")),)
_RAILS: tuple[_Rule, ...] = (
    (r"su(\d+)-r(\d+)-leaf", _named("unit{}/leaf{}")),
    (r"su(\d+)/leaf(\d+)", _named("unit{}/leaf{}")),
    (r"su(\d+)/n(\d+)", _named("unit{}/h{}")),
    (r"spine(\d+)", _named("spine{}")),
    (r"pod(\d+)-r(\d+)-spine(\d+)", _named("pod{}/rail{}/spine{}")),
    (r"core(\d+)", _in_order("core")),
)
_GRID: tuple[_Rule, ...] = ((r"s(\d+(?:\.\d+)*)", _named("switch{}")), (r"ocs(\d+)\.(\d+)", _on_face))

_RULES: Mapping[str, tuple[_Rule, ...]] = {
    "clos": _CLOS,
    "rail-only": (
        (r"r(\d+)/(leaf\d+|spine\d+|pod\d+/(?:leaf|spine)\d+)", _named("rail{}/{}")),
        (r"r(\d+)/core(\d+)/(\d+)", _named("rail{}/plane{}/core{}")),
        (r"d(\d+)", _named("h{}")),
    ),
    "rail-optimised": _RAILS,
    "superpod": _RAILS,
    "dual-plane": (
        (r"pod(\d+)/seg(\d+)/r(\d+)/tor(\d+)", _in_segment("unit{}/rail{}/tor{}")),
        (r"pod(\d+)/seg(\d+)/backup(\d+)", _in_segment("unit{}/backup{}")),
        (r"seg(\d+)", _named("unit{}")),
    ),
    "torus": _GRID,
    "hyperx": _GRID,
    "slim-fly": (
        (r"a/(\d+)\.(\d+)", _named("switch0.{}.{}")),
        (r"b/(\d+)\.(\d+)", _named("switch1.{}.{}")),
    ),
    "bcube": ((r"h(\d+)", _in_order("host")), (r"layer(\d+)/switch(\d+)", _in_layer)),
    "dcell": ((r"h(\d+)", _in_order("host")), (r"cell(\d+)/switch", _in_order("switch"))),
}
"""Rules by the kind of builder; the kinds that are not listed kept their names."""

_ANY: tuple[_Rule, ...] = tuple(dict.fromkeys(rule for rules in _RULES.values() for rule in rules))


def present_name(topology: Topology, former: str) -> str | None:
    """What the node with a former default name is called now; None where there is none.

    Examples
    --------
    >>> from topologies.builder import TOPOLOGIES
    >>> fabric = TOPOLOGIES["superpod"]({"scalable_units": 3, "nodes_per_unit": 4, "gpus_per_node": 4, "radix": 8})
    >>> present_name(fabric, "su2/leaf3")
    'unit2/leaf3'
    """
    several = topology.kind == "multi-plane"
    rules = _ANY if several else _RULES.get(topology.kind, ())
    found = [*_names(_Part(topology), former, rules, in_planes=several), without_zeros(former)]
    return next((name for name in found if name != former and topology.has_node(name)), None)


def without_zeros(former: str) -> str:
    """The name of a listed node without the zeros that its number once began with.

    >>> without_zeros("gpu007.nic0"), without_zeros("gpu010")
    ('gpu7.nic0', 'gpu10')
    """
    return re.sub(r"(?<=\D)0+(?=\d+(?:\.nic\d+)?$)", "", former)


def renamed_listed(former: str, known: Container[str]) -> str:
    """The sentence that says what a listed node is called now that its number has no leading zeros; empty if none."""
    name = without_zeros(former)
    return _sentence("node", former, name) if name != former and name in known else ""


def _names(part: _Part, former: str, rules: tuple[_Rule, ...], *, in_planes: bool) -> Iterable[str]:
    """Present names that a former one may stand for, in a part of a fabric."""
    plane = re.fullmatch(r"(plane\d+/)(.+)", former) if in_planes else None
    if plane is not None:
        inside = _Part(part.topology, part.prefix + plane[1])
        yield from (plane[1] + name for name in _names(inside, plane[2], rules, in_planes=True))
    tail = _TAIL.search(former)
    for stem, rest in dict.fromkeys([(former, ""), (former[: tail.start()], tail[1]) if tail else (former, "")]):
        for pattern, new in rules:
            match = re.fullmatch(pattern, stem)
            name = new(part, *(_number(text) for text in match.groups())) if match else None
            if name is not None:
                yield name + rest


def _number(text: str) -> int | str:
    """A number without its leading zeros; what is more than a number, such as coordinates, stays."""
    return int(text) if text.isdecimal() else text


def renamed(topology: Topology, former: str) -> str:
    """The sentence that says what a node with a former default name is called now; empty where there is none."""
    name = present_name(topology, former)
    if name is None:
        return ""
    role = topology.roles[topology.nodes.role[topology.node(name)]]
    return _sentence(role, former, name)


def renamed_notes(renamed: Mapping[str, str], file: str) -> list[str]:
    """The note that a file of data calls nodes by their former names, and how it was read; none if it does not."""
    if not renamed:
        return []
    former, name = next(iter(renamed.items()))
    more = f", and {len(renamed) - 1:,} more" if len(renamed) > 1 else ""
    return [f"{file}: former names of nodes are read as the present ones: {former} is {name}{more}"]


def _sentence(role: str, former: str, name: str) -> str:
    return f"{role} names follow one rule now: {former} is {name}"
