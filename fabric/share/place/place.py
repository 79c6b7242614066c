"""Places a job as a scheduler would, or as well as a search can, beside the order of the tree; all of them routed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fabric.routing.progress import Progress, Reporter, silent
from fabric.share.place.bound import StepBound, step_bound
from fabric.share.place.kueue import Request, kueue_hosts
from fabric.share.place.layouts import seated
from fabric.share.place.result import PlacementResult
from fabric.share.place.search import PlacementSearch
from fabric.share.place.setting import PlaceSetting
from fabric.share.place.slurm import slurm_hosts
from fabric.share.place.trial import Trial, Trials
from topologies.columns import Ints, column
from topologies.errors import ScenarioError, nearest_hint

Scheduler = Literal["best", "slurm", "kueue"]
SCHEDULERS: tuple[Scheduler, ...] = ("best", "slurm", "kueue")
TREE, WRITTEN = "tree order", "as written"
BOUND_SAME = 1e-9  # part by which a step may be below the bound, of rounding


@dataclass(frozen=True)
class PlaceRequest:
    """What is asked of a placement.

    Attributes
    ----------
    scheduler : str
        Whose placement is chosen.
    kueue : str
        Kind of topology request.
    level : str, optional
        What a group of the level is that Kueue is asked for; the lowest if absent.
    time_limit_s : float
        Of the search.
    """

    scheduler: Scheduler = "best"
    kueue: Request = "preferred"
    level: str | None = None
    time_limit_s: float = 40.0


def place_job(setting: PlaceSetting, request: PlaceRequest, *, progress: Reporter = silent) -> PlacementResult:
    """Route the placements that are asked for and choose one.

    With ``best`` all others are candidates, so that none of them is better.

    Raises
    ------
    ScenarioError
        When the level of a Kueue request does not exist (FP9723).
    """
    began = time.monotonic()
    trials = Trials(setting, progress)
    found: dict[str, Trial] = {}
    notes = list(setting.notes)
    for name, placed, text in _placements(setting, request):
        if placed is None:
            notes.append(text)
            continue
        like = next((trial for trial in found.values() if np.array_equal(trial.placed, placed)), None)
        progress(Progress(f"routing {name}"))
        found[name] = Trial(**{**vars(like), "name": name}) if like else trials.route(name, placed)
        notes += [text] if text else []
    bound = step_bound(setting)
    chosen = found.get(request.scheduler)
    search = None
    if request.scheduler == "best":
        known = [trial for trial in found.values() if _is_allowed(setting, trial)]
        search = PlacementSearch(setting, trials, known, began + request.time_limit_s, progress).run()
        if search.best.runs:
            notes.append(f"best is {search.best.name}")
            chosen = found["best"] = Trial(**{**vars(search.best), "name": "best"})
        else:
            notes.append(f"no placement that was tried can run: no path for {search.best.cut}")
    elif chosen is not None and not chosen.runs:
        notes.append(f"{chosen.name} would put the job where it cannot run: no path for {chosen.cut}")
        chosen = None
    _check_bound(bound, chosen)
    return PlacementResult(
        setting.loaded, setting, request.scheduler, tuple(found.values()), chosen, bound,
        search.candidates if search else 0, trials.routed, search.stopped if search else False,
        search.how if search else "", tuple(notes),
    )  # fmt: skip


def _check_bound(bound: StepBound | None, chosen: Trial | None) -> None:
    """A placement on whole free hosts below the bound proves the bound wrong: no answer is better than that one."""
    if bound is None or chosen is None or chosen.score.step_s >= bound.step_s * (1 - BOUND_SAME):
        return
    raise AssertionError(f"{chosen.name} takes {chosen.score.step_s:.9g} s, below the bound of {bound.step_s:.9g} s")


def _placements(setting: PlaceSetting, request: PlaceRequest) -> Iterator[tuple[str, Ints | None, str]]:
    """Name, places and a remark of every placement that is routed unasked."""
    ranks = np.arange(setting.ranks)
    remark = "" if _free(setting, setting.written) else "as written takes hosts that are not free, or parts of hosts"
    yield WRITTEN, setting.written, remark
    tree = setting.groups.tree_order
    tree = column(tree[setting.free[tree]][: setting.wanted], np.int32)
    yield TREE, seated(tree, column(ranks, np.int32), setting.per_host), ""
    for name in ("slurm", "kueue"):
        if request.scheduler not in (name, "best"):
            continue
        hosts = _slurm(setting) if name == "slurm" else _kueue(setting, request)
        if hosts is None:
            yield name, None, f"{name} would keep the job waiting: {_why(name, request)}"
        else:
            yield name, seated(hosts, column(ranks, np.int32), setting.per_host), ""


def _slurm(setting: PlaceSetting) -> Ints | None:
    return slurm_hosts(setting.groups, setting.free, setting.wanted)


def _kueue(setting: PlaceSetting, request: PlaceRequest) -> Ints | None:
    words = setting.groups.words
    if request.level is not None and request.level not in words:
        raise ScenarioError(
            f"--kueue-level {request.level!r} is not a level of {setting.fabric}",
            hint=nearest_hint(request.level, words, "levels"),
            code="FP9723",
        )
    level = words.index(request.level) if request.level is not None else 0
    return kueue_hosts(setting.groups, setting.hosts, setting.free, setting.wanted, request.kueue, level)


def _why(name: str, request: PlaceRequest) -> str:
    if name == "kueue" and request.kueue == "required":
        return f"no {request.level or 'lowest group'} has enough free hosts"
    return "no part of the network that meets has enough free hosts"


def _free(setting: PlaceSetting, placed: Ints) -> bool:
    hosts = np.unique(placed[:, 0])
    return bool(setting.free[hosts].all()) and len(hosts) == setting.wanted


def _is_allowed(setting: PlaceSetting, trial: Trial) -> bool:
    return _free(setting, trial.placed)
