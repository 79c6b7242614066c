"""Routing the states of a session: each set of changes once, however often one goes back to it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from fabric.pipeline.run import Run, run_scenario
from fabric.result import RouteResult
from fabric.routing.progress import Reporter, silent
from fabric.scenario.load import LoadedScenario, with_overrides
from fabric.whatif.changes import ChangeSet

Finish = Callable[[Run, Reporter], Run]  # what is judged of a run after it is routed
_MOST_KEPT = 16
_MOST_KEPT_LINKS = 4_000_000  # loads of links kept in all: a large fabric keeps fewer states


class LiveRoutes:
    """Runs by set of changes; the base is always kept, and lends its fabrics and traffic to states that share them.

    Parameters
    ----------
    finish : callable
        Judges a state further once it is routed, as the base was: limits in failure cases.
    listed : bool
        Whether states are shown; of those that are only compared, neither links nor rates of flows are listed.
    """

    def __init__(self, base: Run, finish: Finish = lambda run, _: run, *, listed: bool = True) -> None:
        self.base = base
        self._finish = finish
        self._listed = listed
        self._kept: OrderedDict[tuple[object, ...], Run] = OrderedDict()
        self._empty = ChangeSet().key

    def known(self, changes: ChangeSet) -> Run | None:
        """The run of a state that was routed before."""
        if changes.key == self._empty:
            return self.base
        run = self._kept.get(changes.key)
        if run is not None:
            self._kept.move_to_end(changes.key)
        return run

    def scenario(self, changes: ChangeSet) -> LoadedScenario:
        """The scenario with the overrides of a state.

        Raises
        ------
        FabricError
            When an override does not fit.
        """
        if not changes.sets:
            return self.base.loaded
        run = self._kept.get(changes.key)
        if run is not None:
            return run.loaded
        return with_overrides(self.base.loaded, changes.sets)

    def run(self, changes: ChangeSet, progress: Reporter = silent) -> Run:
        """The run of a state; an exception of ``progress`` stops the work and is passed on.

        Raises
        ------
        FabricError
            As loading and routing do; nothing is kept then.
        """
        known = self.known(changes)
        if known is not None:
            return known
        drawn = self.base.result.draws
        request = replace(changes.request(self.base.request), draws=len(drawn) if drawn is not None else None)
        request = request if self._listed else replace(request, top=0)
        loaded = self.scenario(changes)
        routed = run_scenario(loaded, request, like=self.base, progress=progress, rates=self._listed)
        run = self._finish(routed, progress)
        self._kept[changes.key] = run
        self._forget()
        return run

    def route(self, changes: ChangeSet, progress: Reporter = silent) -> RouteResult:
        """The result of a state; see ``run``."""
        return self.run(changes, progress).result

    def _forget(self) -> None:
        while len(self._kept) > 1 and (len(self._kept) > _MOST_KEPT or self._links() > _MOST_KEPT_LINKS):
            self._kept.popitem(last=False)

    def _links(self) -> int:
        return sum(route.link_gbps.size for run in self._kept.values() for route in run.result.routes)
