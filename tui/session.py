"""What is looked at, without a terminal: the opened scenario, its results, the current position, the trail back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Literal

from fabric.evaluation.hottest import by_heat
from fabric.evaluation.severity import worst_of_each_fabric, worst_phase
from fabric.faces.views.heat import Direction, HeatMap, heat_map
from fabric.faces.views.links import METRICS, Metric, link_table, metric_values
from fabric.faces.views.tree import FabricTree
from fabric.failures.verdicts import decided
from fabric.output.table import Table
from fabric.pipeline.run import Run
from fabric.result import PhaseRoute, RouteResult
from fabric.whatif.changes import ChangeSet, History
from fabric.whatif.live import LiveRoutes
from topologies.errors import TopologyError
from topologies.named_parts import find_link

_MAPS_KEPT = 8
LARGE = 500_000  # links, above which what screens show is worked out in a thread

Kind = Literal["", "tier", "unit", "pod", "switch", "host", "link", "job", "phase"]


@dataclass(frozen=True)
class Selection:
    """What the next screen is about; ``link`` is the id of a link on the fabric looked at."""

    kind: Kind = ""
    name: str = ""
    link: int = -1
    number: int = -1  # of a unit or pod


@dataclass(frozen=True)
class Place:
    """One entry of the navigation trail: a screen and its selection."""

    screen: str
    selection: Selection = field(default_factory=Selection)

    @property
    def words(self) -> str:
        """As it stands in the path."""
        return self.selection.name or self.screen


class Session:
    """State of one open scenario; changed by the app, shown by the screens."""

    def __init__(self, run: Run) -> None:
        self.loaded, self.request = run.loaded, run.request
        loaded, result = run.loaded, run.result
        self.base = self.result = result
        self.history = History()
        self.live = LiveRoutes(run, decided)
        self.direction: Direction = "up"
        self.metric: Metric = "offered"
        self.stale = False  # the result is of before the last change
        self.trail: list[Place] = [Place("overview")]
        self.pointed = Selection()  # what was under the cursor of the screen before: cursors begin there
        self._maps: dict[tuple[PhaseRoute, str, Metric, Direction], HeatMap] = {}  # the last one asked for last
        self._links: tuple[PhaseRoute, Metric, Table] | None = None
        self._tree: FabricTree | None = None
        self._preparing = Lock()
        worst = worst_phase(result.routes)
        self.fabric = worst.fabric if worst else next(iter(loaded.scenario.fabrics), "")
        self.phase = worst.phase if worst else ""

    # ---- what-ifs -----------------------------------------------------------------------------------------------

    @property
    def changes(self) -> ChangeSet:
        """The changes that are tried."""
        return self.history.now

    def take(self, history: History, result: RouteResult) -> None:
        """The present state is another; what was selected may be gone, the phase too, and links have other ids."""
        self.history, self.result, self.stale = history, result, False
        if self.phase not in self.phases and self.phases:
            self.look_at(self.fabric)
        self.trail = [replace(place, selection=self._again(place.selection)) for place in self.trail]
        self.pointed = self._again(self.pointed)

    def _again(self, selection: Selection) -> Selection:
        """The same selection in the present state."""
        return self.link(selection.name) if selection.kind == "link" else selection

    # ---- results ------------------------------------------------------------------------------------------------

    @property
    def entry(self) -> PhaseRoute | None:
        """The routed phase looked at."""
        return self.entry_of(self.result)

    @property
    def base_entry(self) -> PhaseRoute | None:
        """The same phase before any change."""
        return self.entry_of(self.base)

    def entry_of(self, result: RouteResult) -> PhaseRoute | None:
        """The phase looked at in a result; another one of the fabric where it has none of that name."""
        mine = [entry for entry in result.routes if entry.fabric == self.fabric]
        return next((entry for entry in mine if entry.phase == self.phase), mine[0] if mine else None)

    @property
    def fabrics(self) -> list[str]:
        """Fabrics with routed phases."""
        return list(dict.fromkeys(entry.fabric for entry in self.result.routes))

    @property
    def phases(self) -> list[str]:
        """Phases of the fabric looked at."""
        return [entry.phase for entry in self.result.routes if entry.fabric == self.fabric]

    @property
    def phase_words(self) -> str:
        """``[2/5] dp.reduce_scatter``."""
        names = self.phases
        return f"[{names.index(self.phase) + 1}/{len(names)}] {self.phase}" if self.phase in names else "no phase"

    def step_phase(self, steps: int) -> None:
        """Another phase of the fabric, round and round."""
        names = self.phases
        if names:
            at = names.index(self.phase) if self.phase in names else 0
            self.phase = names[(at + steps) % len(names)]

    def step_fabric(self) -> None:
        """The next fabric, at its worst phase."""
        names = self.fabrics
        if names:
            self.look_at(names[(names.index(self.fabric) + 1) % len(names)] if self.fabric in names else names[0])

    def look_at(self, fabric: str, phase: str | None = None) -> None:
        """A fabric, and its worst phase or the one named; what was selected on another fabric is left."""
        if fabric != self.fabric:
            self.trail = [place if place.selection.kind == "job" else Place(place.screen) for place in self.trail]
            self.pointed = Selection()
        self.fabric = fabric
        worst = {entry.fabric: entry.phase for entry in worst_of_each_fabric(self.result.routes)}
        self.phase = phase if phase is not None else worst.get(fabric, "")

    def step_direction(self) -> None:
        """Up or down."""
        self.direction = "down" if self.direction == "up" else "up"

    def step_metric(self) -> None:
        """The next metric."""
        self.metric = METRICS[(METRICS.index(self.metric) + 1) % len(METRICS)]

    # ---- maps -----------------------------------------------------------------------------------------------------

    def heat(self, entry: PhaseRoute, kind: str) -> HeatMap:
        """A heat map of a phase; the last ones are kept, as keys come back to them."""
        return self._map(entry, kind, self.metric, self.direction)

    def _map(self, entry: PhaseRoute, kind: str, metric: Metric, direction: Direction) -> HeatMap:
        key = (entry, kind, metric, direction)
        kept = self._maps.pop(key, None)
        if kept is None:
            kept = heat_map(entry.topology, metric_values(entry, metric), kind, direction)
        self._maps[key] = kept
        while len(self._maps) > _MAPS_KEPT:
            del self._maps[next(iter(self._maps))]
        return kept

    # ---- tables of all links --------------------------------------------------------------------------------------

    def links_by_load(self, entry: PhaseRoute) -> Table:
        """All links of a phase, hottest first; the last table is kept, as dialogues and filters come back to it."""
        return self._link_table(entry, self.metric)

    def _link_table(self, entry: PhaseRoute, metric: Metric) -> Table:
        kept = self._links
        if kept is None or kept[0] is not entry or kept[1] != metric:
            kept = self._links = (entry, metric, link_table(entry, metric))
        return kept[2]

    def tree(self, entry: PhaseRoute) -> FabricTree:
        """The fabric of a phase as a tree; the last one is kept."""
        kept = self._tree
        if kept is None or kept.route is not entry:
            kept = self._tree = FabricTree(entry)
        return kept

    def is_ready(self, kinds: Sequence[str]) -> bool:
        """Whether what screens and maps of ``kinds`` show is at hand, or takes no time as the fabric is not large."""
        entry = self.entry
        if entry is None or len(entry.topology.links) < LARGE:
            return True
        maps = all((entry, kind, self.metric, self.direction) in self._maps for kind in kinds)
        links, tree = self._links, self._tree
        has_links = links is not None and links[0] is entry and links[1] == self.metric
        return maps and has_links and tree is not None and tree.route is entry

    def prepare(self, kinds: Sequence[str]) -> None:
        """Work out what ``is_ready`` asks for; called in a thread, while the session may go on to another phase."""
        entry, metric, direction = self.entry, self.metric, self.direction
        if entry is None:
            return
        with self._preparing:
            by_heat(entry)
            entry.topology.link_name(0)
            for kind in kinds:
                self._map(entry, kind, metric, direction)
            self._link_table(entry, metric)
            self.tree(entry).root()

    # ---- the way ------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        """Where we are."""
        return self.trail[-1]

    @property
    def selection(self) -> Selection:
        """What the present screen is about."""
        return self.trail[-1].selection

    def go(self, screen: str, selection: Selection | None = None) -> None:
        """Down to another screen; the way back is kept."""
        self.trail.append(Place(screen, selection or self.selection))

    def jump(self, screen: str, pointed: Selection = Selection()) -> None:
        """To a screen by its number: the way begins anew, what is selected stays; ``pointed`` is under the cursor."""
        self.trail, self.pointed = [Place(screen, self.selection)], pointed

    def follow(self, selection: Selection) -> bool:
        """The cursor is on something else: where something is selected, that is selected now."""
        follows = self.selection.kind not in ("", "job") and selection != self.selection and selection.kind != ""
        if follows:
            self.select(selection)
        return follows

    def select(self, selection: Selection) -> None:
        """Another selection on the same screen."""
        self.trail[-1] = Place(self.trail[-1].screen, selection)

    @property
    def clears(self) -> bool:
        """Whether going back means to select nothing: the way begins here, with something selected."""
        return len(self.trail) == 1 and self.selection.kind != ""

    def back(self) -> bool:
        """Up to where we came from; where the way begins select nothing, then to the overview; False when there."""
        if len(self.trail) > 1:
            self.trail.pop()
        elif self.clears:
            self.trail, self.pointed = [Place(self.place.screen)], Selection()
        elif self.place.screen != "overview":
            self.trail = [Place("overview")]
        else:
            return False
        return True

    def link_id(self, name: str) -> int:
        """Id of a link of the fabric looked at, by its name; -1 when there is none."""
        entry = self.entry
        if entry is None:
            return -1
        try:
            links = find_link(entry.topology, name, fabric=entry.fabric)
        except TopologyError:  # it reads as several different links
            return -1
        return int(links[0]) if len(links) else -1

    def link(self, name: str) -> Selection:
        """A link of the fabric looked at, by its name."""
        return Selection("link", name, self.link_id(name))

    # ---- commands -----------------------------------------------------------------------------------------------

    def selector(self, found: Selection) -> str | None:
        """What ``--down`` takes for a selection; None when it is nothing that can fail."""
        entry = self.entry
        if entry is None:
            return None
        if found.kind == "link" and found.link >= 0:
            topology = entry.topology
            src, dst = topology.links.src[found.link], topology.links.dst[found.link]
            ordinal = f"#{topology.parallel_ordinal[found.link] + 1}" if topology.parallel_count[found.link] > 1 else ""
            return f"fabric={entry.fabric} link={topology.nodes.name[src]}:{topology.nodes.name[dst]}{ordinal}"
        if found.kind in ("switch", "host"):
            return found.name
        if found.kind in ("unit", "pod"):
            return f"fabric={entry.fabric} {found.kind}={found.number}"
        return None

    def command(self) -> str:
        """The command line that prints what is looked at."""
        words = self.changes.words(self.loaded, self.request)
        if self.fabric:
            words += [f"--fabric={self.fabric}"]
        if self.phase:
            words += [f"--phase={self.phase}"]
        return shlex.join(words)
