"""The file of ``fabric plan change``: works with what each drains, how long it takes, and what comes before it."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from fabric.failures.part_finder import PartFinder
from fabric.operate.drain.work import Work, checked
from fabric.pipeline.network import Network
from fabric.scenario.diagnostics import locate
from fabric.scenario.explain import explain
from fabric.scenario.field_types import Name
from fabric.scenario.keys import Keys
from fabric.scenario.load import LoadError, SourceFiles
from topologies.errors import Problem, ScenarioError, nearest_hint
from topologies.registry import Spec
from topologies.units import Count, TimeS

_BEGIN = "begin with version: 1 and work: [{id: spines, drain: role=spine, takes: 30 min}]"


class WorkSpec(Spec):
    """One thing to do, or with ``each`` one for every part that it names."""

    id: Name = Field(description="What it is called in the plan", examples=["firmware"])
    drain: str | list[str] = Field(
        description="What carries nothing meanwhile, as --down takes it", examples=["role=spine", ["spine00", "leaf3"]]
    )
    each: bool = Field(default=False, description="Whether every switch or link that drain names is a work of its own")
    takes: TimeS | None = Field(default=None, description="From the drain to the undrain", examples=["30 min"])
    after: list[Name] = Field(
        default_factory=list, description="Ids of works that are done in windows before it", examples=[["firmware"]]
    )


class WorkFileSpec(Spec):
    """Works on the switches and cables of a scenario."""

    version: Literal[1] = 1
    name: str = Field(default="change", description="What the change is called in the answer")
    takes: TimeS = Field(default=1800.0, description="How long a work takes that does not say so", examples=["30 min"])
    windows: Count | None = Field(default=None, description="Windows at most; default: as many as cost least")
    at_most: Count | None = Field(default=None, description="Works in one window; default: any number")
    work: Annotated[list[WorkSpec], Field(min_length=1)]


@cache
def work_schema() -> dict[str, Any]:
    """JSON Schema of the file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **WorkFileSpec.model_json_schema(),
        "title": "fabric work",
    }


def load_work(path: str) -> WorkFileSpec:
    """Read and check a file of works.

    Raises
    ------
    LoadError
        With every problem, located.
    """
    files = SourceFiles()
    try:
        tree = files.merged(path, "a plan of work is a mapping of keys", _BEGIN)
        data = tree.plain()
        try:
            spec = WorkFileSpec.model_validate(data)
        except ValidationError as error:
            problems = explain(error.errors(include_url=False), data, Keys(work_schema, data), "plan of work")
            raise ScenarioError(locate(problems, tree)) from None
        problems = _unknown(spec)
        if problems:
            raise ScenarioError(locate(problems, tree))
    except ScenarioError as error:
        raise LoadError(error.problems, files.sources) from None
    return spec


def _unknown(spec: WorkFileSpec) -> list[Problem]:
    """Ids given twice, and works that wait for one that is not there."""
    problems, known = [], [work.id for work in spec.work]
    for place, work in enumerate(spec.work):
        if work.id in known[:place]:
            problems.append(
                Problem(f"two works are called {work.id}", code="FP2104", where=("work", place, "id"),
                        hint="give every work an id of its own")
            )  # fmt: skip
        for at, name in enumerate(work.after):
            if name not in known:
                problems.append(
                    Problem(f"unknown work {name!r}", code="FP2105", where=("work", place, "after", at),
                            hint=nearest_hint(name, known, "works"))
                )  # fmt: skip
    return problems


def works_of(spec: WorkFileSpec, network: Network) -> tuple[Work, ...]:
    """The works of a checked file on the fabrics of a scenario.

    Raises
    ------
    TopologyError
        When a selector names nothing (FP3110).
    ScenarioError
        As ``work.checked``.
    """
    finder = PartFinder(network)
    works: list[Work] = []
    places: dict[str, tuple[int, ...]] = {}
    waits: list[tuple[str, ...]] = []
    for entry in spec.work:
        texts = [entry.drain] if isinstance(entry.drain, str) else entry.drain
        takes = spec.takes if entry.takes is None else entry.takes
        if entry.each:
            found = {(part.fabric, part.name): part for text in texts for part in finder.each(text)}
            own = [Work(f"{entry.id} {part.name}", part, takes) for part in found.values()]
        else:
            own = [Work(entry.id, finder.as_one(texts), takes)]
        places[entry.id] = tuple(range(len(works), len(works) + len(own)))
        works += own
        waits += [tuple(entry.after)] * len(own)
    return checked(
        tuple(
            Work(work.name, work.part, work.takes_s, tuple(place for name in names for place in places[name]))
            for work, names in zip(works, waits, strict=True)
        )
    )
