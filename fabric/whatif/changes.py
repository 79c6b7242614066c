"""Changes tried on a scenario: failures, overrides, more demand; sets of them, and the way back."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from fabric.request import RouteRequest
from fabric.routing.router import ROUTERS, router_label, traits_of
from fabric.scenario.load import LoadedScenario


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes
    ----------
    text : str
        For people: ``down spine07``.
    sets : tuple of str
        ``PATH=VALUE`` overrides.
    down, up : tuple of str
        Selectors of what fails, and of what is spared.
    slowed : tuple of str
        What is degraded, as ``--slow`` takes it.
    scale : float
        Factor on all demand.
    enabled : bool
        A change may be kept in the list and left out.
    slow : bool
        Routing it may take as long as the time limit allows, so it is not tried unasked.
    fabric : str
        The one fabric that it changes; empty where it may change several.
    is_bound : bool
        Whether nobody can do it exactly: it divides traffic perfectly, which hashed flows are not.
    places : tuple of str
        Jobs whose placement it changes, for which a better one may be searched.
    """

    text: str
    sets: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    scale: float = 1.0
    enabled: bool = True
    slow: bool = False
    fabric: str = ""
    is_bound: bool = False
    slowed: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


def down(selector: str) -> Change:
    """Something fails."""
    return Change(f"down {selector}", down=(selector,))


def degraded(text: str) -> Change:
    """Something keeps a part of its capacity: ``SELECTOR=50%``."""
    return Change(f"slow {text}", slowed=(text,))


def override(text: str) -> Change:
    """One key of the scenario has another value: ``PATH=VALUE``."""
    return Change(f"set {text}", sets=(text,))


def router(fabric: str, name: str) -> Change:
    """Another router on a fabric."""
    return Change(
        f"router {router_label(name)} on {fabric}",
        sets=(f"fabrics.{fabric}.routing.router={name}",),
        slow=traits_of(name).slow,
        fabric=fabric,
        is_bound=traits_of(name).is_bound,
    )


def placement(loaded: LoadedScenario, order: str) -> Change:
    """Another order of ranks, for all training jobs."""
    jobs = training_jobs(loaded)
    sets = tuple(f"workloads.{job}.placement.order={order}" for job in jobs)
    return Change(f"placement {order}", sets=sets, places=tuple(jobs))


def queue_pairs(loaded: LoadedScenario, count: int) -> Change:
    """Another number of queue pairs per connection, for all training jobs."""
    paths = [f"workloads.{job}.collectives.qps_per_connection={count}" for job in training_jobs(loaded)]
    return Change(f"{count} queue pairs per connection", sets=tuple(paths))


def scaled(factor: float) -> Change:
    """All demand times a factor."""
    return Change(f"demand x {factor:g}", scale=factor)


def training_jobs(loaded: LoadedScenario) -> list[str]:
    """Ids of the workloads that train, in order."""
    return [workload.id for workload in loaded.scenario.workloads if workload.kind == "training"]


@dataclass(frozen=True)
class ChangeSet:
    """Changes in the order they were made; of two overrides of one key the later holds."""

    changes: tuple[Change, ...] = ()

    def __len__(self) -> int:
        return len(self.changes)

    def with_added(self, change: Change) -> ChangeSet:
        """One more; an equal one that is there already is enabled instead."""
        for at, known in enumerate(self.changes):
            if replace(known, enabled=True) == replace(change, enabled=True):
                return self if known.enabled else self.toggled(at)
        return ChangeSet((*self.changes, change))

    def without(self, at: int) -> ChangeSet:
        """The changes without the one at this position."""
        return ChangeSet((*self.changes[:at], *self.changes[at + 1 :]))

    def toggled(self, at: int) -> ChangeSet:
        """One enabled or disabled."""
        change = self.changes[at]
        return ChangeSet((*self.changes[:at], replace(change, enabled=not change.enabled), *self.changes[at + 1 :]))

    def with_toggled(self, change: Change) -> ChangeSet:
        """Without ``change`` where it is there, else with it."""
        for at, known in enumerate(self.changes):
            if replace(known, enabled=True) == replace(change, enabled=True):
                return self.without(at)
        return ChangeSet((*self.changes, change))

    @property
    def enabled(self) -> tuple[Change, ...]:
        """Those that hold."""
        return tuple(change for change in self.changes if change.enabled)

    @property
    def sets(self) -> tuple[str, ...]:
        """Overrides that hold: the last of every path, in order of their last mention."""
        last: dict[str, str] = {}
        for change in self.enabled:
            for text in change.sets:
                path = text.partition("=")[0]
                last.pop(path, None)
                last[path] = text
        return tuple(last.values())

    @property
    def down(self) -> tuple[str, ...]:
        """Selectors of failures that hold, each once."""
        return tuple(dict.fromkeys(selector for change in self.enabled for selector in change.down))

    @property
    def up(self) -> tuple[str, ...]:
        """Selectors of what is spared."""
        return tuple(dict.fromkeys(selector for change in self.enabled for selector in change.up))

    @property
    def slowed(self) -> tuple[str, ...]:
        """What is degraded, each once."""
        return tuple(dict.fromkeys(text for change in self.enabled for text in change.slowed))

    @property
    def scale(self) -> float:
        """Factor on all demand: the product."""
        factor = 1.0
        for change in self.enabled:
            factor *= change.scale
        return factor

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for sets that route alike: failures in any order, overrides whose paths do not touch in any order."""
        paths = sorted(text.partition("=")[0] for text in self.sets)
        nested = any(later.startswith(f"{earlier}.") for earlier, later in pairwise(paths))
        sets: object = self.sets if nested else frozenset(self.sets)
        return sets, frozenset(self.down), frozenset(self.up), frozenset(self.slowed), self.scale

    def request(self, base: RouteRequest) -> RouteRequest:
        """What the pipeline is asked for: the base's request and these failures and this scale."""
        return replace(
            base,
            down=(*base.down, *self.down),
            up=(*base.up, *self.up),
            slow=(*base.slow, *self.slowed),
            scale=base.scale * self.scale,
        )

    def words(self, loaded: LoadedScenario, base: RouteRequest, *, verb: str = "route") -> list[str]:
        """The command line that reproduces the state, word by word."""
        given = [f"{entry.path}={entry.value}" for entry in loaded.overrides]
        asked = self.request(base)
        found = ["fabric", verb, loaded.path]
        found += [f"--set={text}" for text in (*given, *self.sets)]
        found += [f"--down={selector}" for selector in asked.down]
        found += [f"--up={selector}" for selector in asked.up]
        found += [f"--slow={text}" for text in asked.slow]
        found += [f"--router={asked.router}"] if asked.router else []
        found += [f"--scale={asked.scale:g}"] if asked.scale != 1 else []
        return found

    def command(self, loaded: LoadedScenario, base: RouteRequest = RouteRequest()) -> str:
        """The command line that reproduces the state, quoted for a shell."""
        return shlex.join(self.words(loaded, base))


@dataclass(frozen=True)
class History:
    """The present set of changes, those before it, and those undone."""

    now: ChangeSet = field(default_factory=ChangeSet)
    past: tuple[ChangeSet, ...] = ()
    future: tuple[ChangeSet, ...] = ()

    def then(self, changes: ChangeSet) -> History:
        """A new present; what was undone is forgotten."""
        return self if changes == self.now else History(changes, (*self.past, self.now))

    def undone(self) -> History:
        """One back; itself where nothing was done."""
        if not self.past:
            return self
        return History(self.past[-1], self.past[:-1], (self.now, *self.future))

    def redone(self) -> History:
        """Redo; itself where nothing was undone."""
        if not self.future:
            return self
        return History(self.future[0], (*self.past, self.now), self.future[1:])


def suggested_routers() -> tuple[str, ...]:
    """Routers that may help a congested fabric, in the order that they give themselves.

    >>> suggested_routers()
    ('spray', 'wcmp', 'optimal')
    """
    positions = [(entry.traits.suggested, entry.name) for entry in ROUTERS if entry.traits.suggested is not None]
    return tuple(name for _, name in sorted(positions))


def candidates(loaded: LoadedScenario, fabrics: Sequence[str]) -> list[Change]:
    """Single changes without new hardware that may help against congestion, those that apply to this scenario."""
    found: list[Change] = []
    jobs = training_jobs(loaded)
    specs = {workload.id: workload.spec for workload in loaded.scenario.workloads}
    orders = {getattr(getattr(specs[job], "placement", None), "order", "") for job in jobs}
    if jobs and orders != {"rail-aligned"}:
        found.append(placement(loaded, "rail-aligned"))
    for fabric in fabrics:
        now = loaded.scenario.fabrics[fabric].routing.router
        found += [router(fabric, name) for name in suggested_routers() if name != now]
    hashed = [name for name in fabrics if traits_of(loaded.scenario.fabrics[name].routing.router).placement == "hashed"]
    if jobs and hashed:
        counts = [getattr(getattr(specs[job], "collectives", None), "qps_per_connection", None) or 1 for job in jobs]
        found.append(queue_pairs(loaded, 2 * max(counts)))
    return found
