"""Topology: the fabric as a tree with its worst loads, and a switch as its face plate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from rich.style import Style
from textual.containers import Horizontal
from textual.widget import Widget

from fabric.faces.views.faceplate import ports
from fabric.faces.views.tree import Branch, FabricTree
from fabric.output.table import Column, Table
from topologies.units import percent
from tui.keys import Key
from tui.session import Selection
from tui.style import Look
from tui.view import View
from tui.view_screen import ViewScreen
from tui.widgets.faceplate import FacePlate
from tui.widgets.line_table import LineTable
from tui.widgets.pane import Pane

_PLACED = ("unit", "pod", "switch", "host", "link")  # selections that the tree has a line for
_KINDS = {"unit": "unit", "pod": "pod", "switch": "switch", "host": "host"}

SUMMARY = "The tree of the fabric with its worst loads; a switch as its face plate."
ORDER = 30


class TopologyScreen(ViewScreen):
    """Tree at the left, face plate at the right."""

    view = View(
        "topology",
        "3",
        "Topology",
        SUMMARY,
        keys=(
            Key("l,right", "open_branch", "", "Open the branch under the cursor, or go to the first inside."),
            Key("h,left", "close_branch", "", "Close the branch under the cursor, or go to the one around it."),
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self._open: set[tuple[str, ...]] = set()
        self._rows: list[Branch] = []
        self._tree: FabricTree | None = None
        self._went_to: object = None

    def body(self) -> Iterable[Widget]:
        """Tree and plate."""
        yield Horizontal(
            Pane(LineTable(id="tree", row_style=_style), title="Topology", id="map"),
            Pane(FacePlate(id="plate"), title="Switch", id="detail"),
            id="split",
        )

    # ---- the tree -----------------------------------------------------------------------------------------------

    def show_state(self) -> None:
        """Tree and plate of the phase; a selection is opened once, then the cursor is free."""
        session, entry = self.session, self.session.entry
        if entry is None:
            return
        if self._tree is None or self._tree.route is not entry:
            self._tree = self.session.tree(entry)
        root = self._tree.root()
        if not any(key[0] == root.name for key in self._open):
            self._open |= {root.key} | {child.key for child in self._tree.children(root)[:1]}
        target = session.selection if session.selection.kind in _PLACED else session.pointed
        wanted = (entry.fabric, target)
        cursor = None
        if wanted != self._went_to:
            self._went_to = wanted
            cursor = self._go_to(target)
        self._refill(cursor)
        self.query_one("#map", Pane).retitle(
            "Topology", "offered both ways, worst inside; h/l close/open, enter drills", "worst offered load inside"
        )

    def _refill(self, cursor: tuple[str, ...] | None = None) -> None:
        assert self._tree is not None
        table = self.query_one("#tree", LineTable)
        kept = cursor or (self._rows[table.cursor].key if table.cursor < len(self._rows) else None)
        self._rows = []
        self._walk(self._tree.root())
        at = next((i for i, row in enumerate(self._rows) if row.key == kept), table.cursor)
        table.show(_tree_table(self._rows, self._open), self.look, cursor=at, stale=self.session.stale)
        self._show_plate()

    def _walk(self, branch: Branch) -> None:
        assert self._tree is not None
        self._rows.append(branch)
        if branch.key in self._open:
            for child in self._tree.children(branch):
                self._walk(child)

    def _go_to(self, selection: Selection) -> tuple[str, ...] | None:
        """Open the branches that lead to what is selected."""
        entry = self.session.entry
        assert entry is not None and self._tree is not None  # noqa: PT018
        topology = entry.topology
        if selection.kind == "link" and 0 <= selection.link < len(topology.links):
            ends = (int(topology.links.src[selection.link]), int(topology.links.dst[selection.link]))
            switches = [node for node in ends if topology.is_switch[node]]
            if switches:
                node = min(switches, key=lambda node: int(topology.nodes.level[node]))
                plugs = ports(entry, node)
                links = {selection.link, int(topology.links.reverse[selection.link])}
                plate = self.query_one("#plate", FacePlate)
                plate.cursor = next((at for at, port in enumerate(plugs) if port.link in links), 0)
                return self._open_way(node)
        if selection.kind in ("switch", "host") and topology.has_node(selection.name):
            return self._open_way(topology.node(selection.name))
        if selection.kind in ("unit", "pod"):
            for role in self._tree.children(self._tree.root()):
                for child in self._tree.children(role):
                    if child.name == selection.name:
                        self._open |= {role.key, child.key}
                        return child.key
        return None

    def _open_way(self, node: int) -> tuple[str, ...]:
        assert self._tree is not None
        way = self._tree.way(node)
        self._open |= {branch.key for branch in way[:-1]}
        return way[-1].key

    def _branch(self) -> Branch | None:
        cursor = self.query_one("#tree", LineTable).cursor
        return self._rows[cursor] if cursor < len(self._rows) else None

    def action_open_branch(self) -> None:
        """Open the branch under the cursor, or go to the first inside."""
        branch = self._branch()
        if branch is None or self._tree is None:
            return
        if not branch.opens:
            self.shell.notify(f"nothing inside {branch.name}", timeout=3, markup=False)
        elif branch.key in self._open:
            self._refill(next((child.key for child in self._tree.children(branch)), branch.key))
        else:
            self._open.add(branch.key)
            self._refill()

    def action_close_branch(self) -> None:
        """Close the branch under the cursor, or go to the one it is in."""
        branch = self._branch()
        if branch is None or self._tree is None:
            return
        if branch.key in self._open:
            self._open.discard(branch.key)
            self._refill()
        elif len(branch.key) > 1:
            self._refill(branch.key[:-1])
        else:
            self.shell.notify(f"nothing around {branch.name}", timeout=3, markup=False)

    # ---- the plate ----------------------------------------------------------------------------------------------

    def _show_plate(self) -> None:
        branch, entry = self._branch(), self.session.entry
        plate, pane = self.query_one("#plate", FacePlate), self.query_one("#detail", Pane)
        if branch is None or entry is None or branch.node < 0:
            plate.show((), self.look)
            pane.retitle("Switch", "put the cursor on one")
            return
        plugs = ports(entry, branch.node)
        plate.show(plugs, self.look, stale=self.session.stale)
        used = sum(port.link >= 0 for port in plugs)
        pane.retitle(f"{branch.name}: {used} ports used, {len(plugs) - used} free", *self.look.legends())

    def on_line_table_moved(self, _: LineTable.Moved) -> None:
        """Another line: its plate; it is selected where something was."""
        if self.session.follow(self.selected()) and self.session.entry is not None:
            self._went_to = (self.session.entry.fabric, self.session.selection)
            self.refresh_lines()
        self._show_plate()

    def on_line_table_chosen(self, _: LineTable.Chosen) -> None:
        """Enter: open what can be opened, else the links of the switch or the flows of the host."""
        branch = self._branch()
        if branch is None:
            return
        if branch.node >= 0:
            self.shell.go("flows", Selection("switch" if branch.kind == "switch" else "host", branch.name))
        elif branch.key in self._open:
            self.action_close_branch()
        else:
            self.action_open_branch()

    def on_face_plate_chosen(self, message: FacePlate.Chosen) -> None:
        """Enter on a port: the flows of the fuller direction."""
        entry, port = self.session.entry, message.port
        if entry is None:
            return
        back = int(entry.topology.links.reverse[port.link])
        link = back if back >= 0 and port.into > port.out else port.link
        self.shell.go("flows", Selection("link", entry.topology.link_name(link), link))

    def selected(self) -> Selection:
        """The link of the port under the cursor of the plate; in the tree the switch, unit or pod."""
        entry, branch = self.session.entry, self._branch()
        plate = self.query_one("#plate", FacePlate)
        if self.focused is plate and plate.port is not None and plate.port.link >= 0 and entry is not None:
            link = plate.port.link
            return Selection("link", entry.topology.link_name(link), link)
        if branch is None or branch.kind not in _KINDS:
            return Selection()
        return Selection(_KINDS[branch.kind], branch.name, number=branch.number)  # type: ignore[arg-type]

    def view_table(self) -> Table | None:
        """The lines as shown."""
        return self.query_one("#tree", LineTable).table


def _tree_table(rows: list[Branch], opened: set[tuple[str, ...]]) -> Table:
    def label(row: Branch) -> str:
        mark = ("-" if row.key in opened else "+") if row.opens else " "
        return "  " * row.depth + f"{mark} {row.name}"

    def load(value: Any) -> str:
        return percent(float("inf") if value >= 1e9 else value)

    inside = [f"{row.nodes:,} hosts" if row.kind == "switch" else f"{row.nodes:,}" if row.nodes else "" for row in rows]
    return Table.of(
        (
            Column("name", "", [label(row) for row in rows], width=26),
            Column("inside", "inside", inside, numeric=True, width=10, priority=1),
            Column("max", "worst", np.array([row.worst for row in rows]), load, True, 9),
            Column("down", "down", [row.down or "" for row in rows], str, True, 5, 2),
        ),
        len(rows),
    )


def _style(table: Table, position: int, look: Look) -> Style | None:
    return look.load(float(table.record(position)["max"]))


SCREEN = TopologyScreen
