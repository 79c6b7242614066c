"""A closer look at windows: routed as by ``fabric route --down``, with single failures and limits in failure cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from fabric.evaluation.limits import limit_name_and_text
from fabric.failures.chunks import Ground
from fabric.failures.request import FailureRequest
from fabric.failures.result import FailureCase
from fabric.failures.sweep import judge_limit, limit_sweep, worst_case
from fabric.operate.drain.partition import members
from fabric.operate.drain.work import Work
from fabric.pipeline.phase_options import limits_of
from fabric.pipeline.run import Run, run_scenario
from fabric.routing.progress import Progress, Reporter, silent
from fabric.scenario.limit_schema import LimitSpec


@dataclass(frozen=True, eq=False)
class Look:
    """A window as it was looked at."""

    run: Run
    worst_failure: FailureCase | None
    broken: tuple[str, ...]  # limits in failure cases, and limits of the run that do not hold


@dataclass(eq=False)
class Looks:
    """Looks at sets of works, each once; ``failures`` says whether single failures are swept."""

    run: Run
    works: tuple[Work, ...]
    failures: bool
    progress: Reporter = silent
    known: dict[int, Look] = field(default_factory=dict)

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """Places of limits with ``when`` that hold before the work, and so have to in every window."""
        if not self.failures:
            return ()
        return tuple(place for place, _ in self._whens if not self._breaks(self.run, place))

    @cached_property
    def not_kept(self) -> tuple[str, ...]:
        """Limits with ``when`` that do not hold before the work either."""
        return tuple(self._text(place) for place, _ in self._whens if self.failures and place not in self.kept)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not looked at, and why."""
        if self.failures or not self._whens:
            return ()
        names = ", ".join(self._text(place) for place, _ in self._whens)
        return (f"without --failures nobody has judged {names}",)

    @property
    def _whens(self) -> tuple[tuple[int, LimitSpec], ...]:
        limits = enumerate(limits_of(self.run.loaded, self.run.request))
        return tuple((place, limit) for place, limit in limits if limit.when is not None)

    def at(self, works: int) -> Look:
        """One window."""
        if works not in self.known:
            names = ", ".join(self.works[place].name for place in members(works))
            self.progress(Progress(f"window {names}"))
            self.known[works] = self._look(works)
        return self.known[works]

    def selectors(self, works: int) -> tuple[str, ...]:
        """What ``--down`` takes to have the state of a window."""
        every = (text for place in members(works) for text in self.works[place].part.selectors)
        return tuple(dict.fromkeys(every))

    def _look(self, works: int) -> Look:
        request = replace(self.run.request, down=(*self.run.request.down, *self.selectors(works)))
        run = run_scenario(self.run.loaded, request, like=self.run)
        before = {limit.id for limit in self.run.result.limits if limit.ok is False}
        broken = [
            f"{limit.id} {limit.text}" for limit in run.result.limits if limit.ok is False and limit.id not in before
        ]
        worst = None
        if self.failures:
            broken += [self._text(place) for place in self.kept if self._breaks(run, place)]
            worst = self._worst(run)
        return Look(run, worst, tuple(broken))

    def _worst(self, run: Run) -> FailureCase | None:
        """The worst single failure of a link or a switch on top."""
        request = FailureRequest(route=run.request, expected=False)
        return worst_case(Ground.of(run, request), request)

    def _breaks(self, run: Run, place: int) -> bool:
        """Whether a limit does not hold in some case of its set."""
        limit = limits_of(run.loaded, run.request)[place]
        sweep = limit_sweep(Ground.of(run, FailureRequest(route=run.request, expected=False)), limit)
        judged, _ = judge_limit(sweep, place)
        return judged.verdict.ok is False

    def _text(self, place: int) -> str:
        return " ".join(limit_name_and_text(place, limits_of(self.run.loaded, self.run.request)[place]))


def new_faults(look: Look, known: tuple[str, ...]) -> Iterator[str]:
    """What a look shows that the quick figures of the state did not."""
    yield from (text for text in look.broken if text not in known)
