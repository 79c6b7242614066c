"""What the network can do before anything is sent: diameter, the capacity of every cut, and who is attached where."""

from __future__ import annotations

from fabric.faces.report.content import Block, Folded, Section, Words
from fabric.faces.report.section import ReportSection
from fabric.faces.report.source import ReportSource
from fabric.faces.views.attached import LEAVES_SHOWN, leaf_table
from fabric.faces.views.shape import CUTS_SHOWN, cut_notes, cut_table, diameter_text
from topologies.bisection import bisection
from topologies.distances import diameter_hops

_HOW = (
    "The diameter counts links between switches on the shortest path of the two endpoints that are farthest apart. A "
    "cut is what traffic from the hosts beneath it has to cross; “of full” is its capacity over what these hosts send, "
    "and “least of full” the same of the leaf, pod or group that has least. All rates are one direction, and what is "
    "down does not count. A halving that was found, and not proved to be the narrowest, is an upper bound."
)


def shape_section(source: ReportSource) -> Section:
    """Diameter and cuts of every fabric, and the hosts of its leaves."""
    blocks: list[Block] = []
    for name, topology in source.network.topologies.items():
        halves = bisection(topology, seed=source.loaded.scenario.seed)
        blocks += [
            Words(f"{name}: {diameter_text(diameter_hops(topology))}."),
            cut_table({name: halves}).only(*CUTS_SHOWN).titled(f"{name}: cuts"),
            *(Words(f"{text[0].upper()}{text[1:]}.") for text in cut_notes(halves)),
        ]
        hosts = leaf_table({name: topology})
        if len(hosts) and source.network.gpus(name) is not None:
            blocks.append(Folded(hosts.only(*LEAVES_SHOWN).titled(f"{name}: hosts by switch")))
    return Section("shape", "Shape and cuts", _HOW, tuple(blocks))


SUMMARY = "diameter, the capacity of every cut, and who is attached where"
ORDER = 35
SECTION = ReportSection(shape_section)
