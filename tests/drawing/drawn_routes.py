"""Networks and routed phases for drawings, and a small reader of the DOT they give."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from fabric.result import PhaseRoute
from fabric.routing.router import Certificate
from topologies.assemble import assemble
from topologies.builder import TOPOLOGIES
from topologies.topology import Topology


def built(kind: str, **parameters: object) -> Topology:
    """A topology as a scenario would ask for it."""
    return TOPOLOGIES[kind](parameters)


def two_leaves() -> Topology:
    """Two leaves with two parallel 100G cables each to one spine, and a host on each leaf.

        s0
      //  \\\\
     l0    l1
     |      |
     h0    h1
    """
    net = assemble("two-leaves", "test")
    leaf, spine = net.switches("leaf", ["l0", "l1"], level=1), net.switches("spine", ["s0"], level=2)
    net.cables(net.hosts(["h0", "h1"]), leaf, 200.0)
    net.cables(leaf, np.repeat(spine, 2), 100.0, parallel=2)
    return net.freeze()


def ring(size: int) -> Topology:
    """Routers in a ring, all of one level, each an endpoint."""
    net = assemble(f"ring({size})", "test")
    ids = net.nodes("router", [f"r{i}" for i in range(size)], level=1, nics=1)
    net.cables(ids, np.roll(ids, -1), 10.0)
    return net.freeze()


def routed(topology: Topology, utilisation: float | np.ndarray = 0.25, **changes: object) -> PhaseRoute:
    """A phase whose links have the given utilisation, whatever traffic that would take."""
    links = len(topology.links)
    load = np.broadcast_to(np.asarray(utilisation, dtype=np.float64), (links,))
    offered = np.where(np.isfinite(load), load, 0.0) * topology.capacity_gbps
    worst = int(np.argmax(load)) if links else 0
    values: dict[str, object] = {
        "fabric": "main",
        "phase": "shuffle",
        "router": "ecmp",
        "topology": topology,
        "classes": (),
        "link_gbps": offered[:, None],
        "utilisation": load,
        "max_utilisation": float(load.max(initial=0.0)),
        "hottest_link": topology.link_name(worst) if links else "",
        "best_possible": Certificate(0.0, ""),
        "certificate": None,
        "links_over_capacity": int((load > 1).sum()),
        "unreachable_pairs": 0,
        "unreachable": (),
        "jobs_cut": (),
        "tiers": (),
        "window_s": {},
        "solver": "",
        "solve_time_s": 0.0,
        "partial": False,
    }
    return PhaseRoute(**(values | changes))  # type: ignore[arg-type]


def link(topology: Topology, src: str, dst: str) -> int:
    """Id of the first directed link between two nodes."""
    ends = (topology.links.src == topology.node(src)) & (topology.links.dst == topology.node(dst))
    return int(np.flatnonzero(ends)[0])


@dataclass(frozen=True)
class Line:
    """A line of a drawing."""

    tail: str
    head: str
    text: str  # of the label, or of the tooltip where there is none
    colour: str
    width: float
    dashed: bool


@dataclass(frozen=True)
class Picture:
    """What a DOT text of ours draws."""

    boxes: dict[str, str]  # id: label
    lines: list[Line]

    def between(self, a: str, b: str) -> Line:
        """The line between the boxes whose labels start with ``a`` and ``b``."""
        ends = [{key for key, text in self.boxes.items() if text.split("\n")[0].startswith(name)} for name in (a, b)]
        found = [
            entry
            for entry in self.lines
            if (entry.tail in ends[0] and entry.head in ends[1]) or (entry.tail in ends[1] and entry.head in ends[0])
        ]
        assert len(found) == 1, f"{len(found)} lines between {a} and {b}"
        return found[0]


def picture(dot: str) -> Picture:
    """Read boxes and lines back; names in these tests hold nothing that needs escaping."""
    boxes = {key: text.replace("\\n", "\n") for key, text in re.findall(r'^  (n\d+) \[label="([^"]*)"', dot, re.M)}
    lines = []
    for tail, head, attributes in re.findall(r"^  (n\d+) -- (n\d+) \[(.*)\];$", dot, re.M):
        plate = re.search(r'bgcolor="#ffffff">(.*?)</td>', attributes)
        tooltip = re.search(r'tooltip="([^"]*)"', attributes)
        text = plate[1].replace("<br/>", "\n") if plate else tooltip[1].replace("\\n", "\n") if tooltip else ""
        colour = re.search(r'color="(#\w+)"', attributes)
        width = re.search(r"penwidth=([\d.]+)", attributes)
        assert colour
        assert width
        lines.append(Line(tail, head, text, colour[1], float(width[1]), "style=dashed" in attributes))
    return Picture(boxes, lines)


def cables_in(text: str) -> int:
    """Cables a label counts."""
    return sum(int(count.replace(",", "")) for count in re.findall(r"([\d,]+) (?:x \d|of other)", text))
