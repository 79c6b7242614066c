"""A family small enough to be tried number by number: boxes of one model, each joined to every other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from fabric.design.counted import CableCount, Counted, SwitchCount
from fabric.design.family import Family, Floor, Formulation, LinkTerm, SwitchTerm, Variant
from fabric.design.need import FabricNeed
from topologies.catalogue import Catalogue, SwitchModel
from topologies.link_kits import LinkEnd

END = LinkEnd()


def variants(need: FabricNeed, catalogue: Catalogue) -> Iterator[Variant]:
    """Two models, in every combination: boxes below, joints above."""
    rows = sorted((row for row in catalogue.switches.values() if row.speed == need.nic_gbps), key=lambda row: row.model)
    for low, high in product(rows, rows):
        yield variant(need, low, high)


def variant(need: FabricNeed, low: SwitchModel, high: SwitchModel, *, floored: bool = True) -> Variant:
    """Boxes with so many NICs on each; at least as many links to joints as NICs."""

    def formulate(model):
        boxes = model.new_int_var(1, 12, "boxes")
        joints = model.new_int_var(1, 12, "joints")
        links = model.new_int_var(1, need.endpoints * 2, "links")
        model.add(boxes * low.ports >= need.endpoints + links)
        model.add(joints * high.ports >= links)
        model.add(links >= need.endpoints)
        model.add(boxes + joints <= 12)

        def read(value):
            return counted(need, low, high, value(boxes), value(joints), value(links))

        return Formulation(
            (SwitchTerm("leaf", low.model, boxes), SwitchTerm("spine", high.model, joints)),
            (
                LinkTerm("host-leaf", need.endpoints, need.nic_gbps, END, END, "host"),
                LinkTerm("leaf-spine", links, need.nic_gbps, END, END, "upper"),
            ),
            (boxes, joints, links),
            read,
        )

    floor = Floor(
        (SwitchTerm("leaf", low.model, -(-2 * need.endpoints // low.ports)), SwitchTerm("spine", high.model, 1)),
        (
            LinkTerm("host-leaf", need.endpoints, need.nic_gbps, END, END, "host"),
            LinkTerm("leaf-spine", need.endpoints, need.nic_gbps, END, END, "upper"),
        ),
    )
    return Variant("toy", f"toy {low.model} {high.model}", (low.model, high.model), formulate, floor if floored else None)


def counted(need: FabricNeed, low: SwitchModel, high: SwitchModel, boxes: int, joints: int, links: int) -> Counted:
    """The design of some numbers."""
    return Counted(
        "toy",
        {"kind": "toy", "boxes": boxes, "joints": joints, "links": links, "low": low.model, "high": high.model},
        1,
        (SwitchCount("leaf", low.model, boxes, low.ports), SwitchCount("spine", high.model, joints, high.ports)),
        (
            CableCount("host-leaf", need.endpoints, need.nic_gbps, END, END, "host"),
            CableCount("leaf-spine", links, need.nic_gbps, END, END, "upper"),
        ),
        {"leaf": need.endpoints / links},
    )


def every_design(need: FabricNeed, catalogue: Catalogue) -> list[Counted]:
    """All designs, tried one by one."""
    rows = [row for row in catalogue.switches.values() if row.speed == need.nic_gbps]
    return [
        counted(need, low, high, boxes, joints, links)
        for low, high in product(rows, rows)
        for boxes, joints in product(range(1, 13), range(1, 13))
        if boxes + joints <= 12
        for links in range(need.endpoints, 2 * need.endpoints + 1)
        if boxes * low.ports >= need.endpoints + links and joints * high.ports >= links
    ]


FAMILY = Family("leaf-spine", variants, lambda need, catalogue: None)
