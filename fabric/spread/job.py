"""What a piece of work is, so that any process that has this program can do a part of it.

A job is a number of units (failure cases, draws, points of a grid) in a fixed order. A task is a stretch of them. What
units come to must not depend on the tasks that they were done in: then any number of workers, and any number of
interruptions, give the same totals.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fabric.spread.shipment import Shipment
from fabric.spread.version import Version

State = Any  # what ``prepare`` makes and ``work`` takes


@dataclass(frozen=True, order=True)
class Task:
    """Units ``first`` to ``last`` (not included)."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first


@dataclass(frozen=True, eq=False)
class Job:
    """All that the tasks of a piece of work share.

    Attributes
    ----------
    name : str
        As people call it: ``failure sweep``.
    unit : str
        What is counted, in the plural: ``cases``.
    units : int
        How many there are.
    prepare : str
        ``module:function`` of the loaded scenario and ``arguments``: makes, once in every worker, what work takes.
    work : str
        ``module:function`` of that, the first unit and the one after the last: what they come to, as plain values
        (numbers, texts, None, lists, mappings, arrays).
    arguments : object
        Whatever ``prepare`` needs besides the scenario; it can be pickled.
    asked : mapping
        The request as plain values: what a checkpoint must have been asked for too.
    state : object, optional
        What ``prepare`` would make, where this process has it already.
    prove, fingerprint : str
        ``module:function`` of the state, and what it must give in every worker, so that one that reads the scenario
        otherwise is refused; empty: nothing is asked.
    unit_s : float, optional
        Time of a unit on one core, counted; None: measured.
    """

    name: str
    unit: str
    units: int
    prepare: str
    work: str
    scenario: Shipment
    arguments: Any
    asked: Mapping[str, Any] = field(default_factory=dict)
    state: State = None
    prove: str = ""
    fingerprint: str = ""
    unit_s: float | None = None

    @property
    def identity(self) -> dict[str, str]:
        """What makes it this job and no other: part -> its text; the units of equal ones come to the same."""
        return {
            "version": Version.own().text,
            **self.scenario.identity,
            **{f"request {key}": repr(value) for key, value in sorted(self.asked.items())},
            "work": f"{self.units:,} {self.unit} of {self.work}",
        }

    @property
    def key(self) -> str:
        """Hash of its identity."""
        text = "\n".join(f"{part}\0{value}" for part, value in self.identity.items())
        return hashlib.sha256(text.encode()).hexdigest()


def named_function(name: str) -> Callable[..., Any]:
    """The function that a text ``module:function`` names.

    >>> named_function("math:gcd")(12, 18)
    6
    """
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
