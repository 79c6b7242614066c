"""A floor plan among the wishes of a requirement: its mistakes are errors; what does not fit into it is a conflict."""

from __future__ import annotations

import re

from fabric.design.requirement import Requirement
from fabric.design.result import Conflict
from fabric.scenario.diagnostics import locate
from fabric.site.floor_plan import floor_problems
from topologies.errors import Problem, ScenarioError

_NO_ROOM = ("FP3321", "FP3322", "FP3325")  # hosts or switches that find no rack
_KEY = re.compile(r"\bsite\.[a-z_]+(?:\.[a-z_]+)*")


def check_floor(requirement: Requirement) -> None:
    """Refuse a floor plan that is wrong whatever stands on it.

    Raises
    ------
    ScenarioError
        For names of places that there are not, no rack at all, or a row that no tray reaches (FP3323 to FP3327).
    """
    site = requirement.spec.site
    problems = [] if site is None or not site.planned else list(floor_problems(site))
    if problems:
        error = ScenarioError(locate(problems, requirement.tree))
        vars(error)["sources"] = dict(requirement.sources)
        raise error


def is_no_room(problem: Problem) -> bool:
    """Whether hosts or switches do not fit into the racks."""
    return problem.code in _NO_ROOM


def is_of_hosts(problem: Problem) -> bool:
    """Whether the hosts do not, whatever switches there are."""
    return problem.code == "FP3321" or (problem.code == "FP3322" and problem.where[:1] == ("nodes",))


def room_conflict(requirement: Requirement, problem: Problem) -> tuple[Conflict, ...]:
    """The key of the floor plan that does not fit, and what of the requirement needs it."""
    require = requirement.spec.require
    named = _KEY.search(problem.hint)
    if problem.where[:1] == ("site",) or named is None:
        key = ".".join(str(part) for part in problem.where if isinstance(part, str))
    else:
        key = named.group()
    floor = Conflict(key, _wish(requirement, key), f"{problem.message}; {problem.hint}")
    if not is_of_hosts(problem):
        return (floor,)
    if problem.code == "FP3322" and require.node is not None:
        return floor, Conflict("require.node", require.node, "a node that a rack has room and power for")
    size = ("require.gpus", f"{require.gpus:,} GPUs") if require.gpus else ("require.hosts", f"{require.hosts:,} hosts")
    return floor, Conflict(*size, "as many as the racks have room and power for")


def _wish(requirement: Requirement, key: str) -> str:
    """A key as it was written."""
    value: object = requirement.raw
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "not given; its default" if value is None else f"{key.rpartition('.')[2]}: {value}"
