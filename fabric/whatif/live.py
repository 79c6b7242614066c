"""Routing the states of a session: each set of changes once, however often one goes back to it."""

from __future__ import annotations

from collections import OrderedDict

from fabric.pipeline.stages import route
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario, load_scenario
from fabric.whatif.changes import ChangeSet

_MOST_KEPT = 16
_MOST_KEPT_LINKS = 4_000_000  # loads of links kept in all: a large fabric keeps fewer states


class LiveRoutes:
    """Results by set of changes; the base is always kept.

    Parameters
    ----------
    base : RouteResult
        What ``loaded`` and ``request`` came to.
    """

    def __init__(self, loaded: LoadedScenario, request: RouteRequest, base: RouteResult) -> None:
        self.loaded, self.request, self.base = loaded, request, base
        self._kept: OrderedDict[tuple[object, ...], tuple[LoadedScenario, RouteResult]] = OrderedDict()
        self._empty = ChangeSet().key

    def known(self, changes: ChangeSet) -> RouteResult | None:
        """The result of a state that was routed before."""
        if changes.key == self._empty:
            return self.base
        found = self._kept.get(changes.key)
        if found is None:
            return None
        self._kept.move_to_end(changes.key)
        return found[1]

    def scenario(self, changes: ChangeSet) -> LoadedScenario:
        """The scenario with the overrides of a state.

        Raises
        ------
        FabricError
            When an override does not fit.
        """
        if not changes.sets:
            return self.loaded
        kept = self._kept.get(changes.key)
        if kept is not None:
            return kept[0]
        given = [f"{entry.path}={entry.value}" for entry in self.loaded.overrides]
        return load_scenario(self.loaded.path, overrides=[*given, *changes.sets])

    def route(self, changes: ChangeSet, progress: Reporter = silent) -> RouteResult:
        """The result of a state; an exception of ``progress`` stops the work and is passed on.

        Raises
        ------
        FabricError
            As loading and routing do; nothing is kept then.
        """
        known = self.known(changes)
        if known is not None:
            return known
        loaded = self.scenario(changes)
        result = route(loaded, changes.request(self.request), progress=progress)
        self._kept[changes.key] = (loaded, result)
        self._forget()
        return result

    def _forget(self) -> None:
        while len(self._kept) > 1 and (len(self._kept) > _MOST_KEPT or self._links() > _MOST_KEPT_LINKS):
            self._kept.popitem(last=False)

    def _links(self) -> int:
        return sum(entry.link_gbps.size for _, result in self._kept.values() for entry in result.routes)
