"""Slots that a scheduler's files give on hosts: collected line by line, turned into places of ranks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import FormatError, Problem, TrafficError, nearest_hint
from topologies.former_names import renamed_listed
from traffic.host_names import HostNames
from traffic.placement import PlacementSite

_NAMED = 8  # nodes that one sentence names


@dataclass(frozen=True)
class _Take:
    """What is used of a host, and where it was listed."""

    name: str
    line: int | None
    slots: int
    busy: frozenset[int]


class Slots:
    """GPUs by host in the order they are listed."""

    def __init__(self, site: PlacementSite, path: str) -> None:
        self._site, self._path = site, path
        self._hosts = HostNames(site.hosts)
        self._taken: dict[int, _Take] = {}
        self._problems: list[Problem] = []
        self._passed: dict[str, list[str]] = {}  # names by the reason
        self._foreign: list[tuple[str, int | None]] = []
        self._noted: dict[str, list[str]] = {}

    def problem(self, line: int | None, message: str, hint: str) -> None:
        """Note what is wrong with a line."""
        self._problems.append(Problem(message, code="FP6210", file=self._path, line=line, hint=hint))

    def refuse(self, problem: Problem, of: str = "") -> None:
        """Note a field that cannot be followed; nodes that have it share a problem where no line is known."""
        if problem.line is not None or all(problem.message not in noted.message for noted in self._problems):
            self._problems.append(replace(problem, message=f"{of}{problem.message}"))

    def note(self, what: str, name: str) -> None:
        """Say something of a node; nodes of which the same is said share a sentence."""
        self._noted.setdefault(what, []).append(name)

    def known(self, name: str) -> bool:
        """Whether a host of the job may be meant."""
        return bool(self._hosts.find(name))

    def host(self, line: int | None, name: str) -> int | None:
        """Number of a host, by its name with or without a domain; None after a problem."""
        meant = self._hosts.find(name)
        if len(meant) == 1:
            return meant[0]
        if meant:
            several = listed(self._site.hosts[number] for number in meant)
            self.problem(line, f"host {name!r} may be {several}", "write the whole name")
            return None
        known = dict.fromkeys(self._site.hosts)
        self.problem(
            line,
            f"unknown host {name!r}",
            renamed_listed(name, known)
            or nearest_hint(name, known, otherwise=f"hosts are named like {self._site.hosts[0]}"),
        )
        return None

    def add(self, line: int | None, name: str, slots: int | None = None, *, busy: Collection[int] = ()) -> None:
        """Take a host's first GPUs that are not ``busy``; all of them if ``slots`` is None."""
        gpus = self._site.gpus_per_host
        host = self.host(line, name)
        if host is None:
            return
        if host in self._taken:
            other = self._taken[host]
            first = f", as {other.name!r}" + (f" on line {other.line}" if other.line else "")
            self.problem(
                line, f"host {name!r} is listed twice{first if other.name != name else ''}",
                "give it one line with slots=n",
            )  # fmt: skip
        elif slots is not None and not 1 <= slots <= gpus:
            self.problem(line, f"{slots} slots on {name!r}, which has {gpus} GPUs", f"slots is 1 to {gpus}")
        else:
            self._taken[host] = _Take(name, line, gpus if slots is None else slots, frozenset(busy))

    def pass_over(self, name: str, why: str) -> None:
        """Count a host that is listed but cannot be used."""
        self._passed.setdefault(why, []).append(name)

    def leave_out(self, line: int | None, name: str) -> None:
        """Count a node that is no host of the job."""
        self._foreign.append((name, line))

    def check(self) -> None:
        """Raise with all problems noted."""
        if self._problems:
            raise FormatError(self._problems)

    def places(self) -> Ints:
        """Host and GPU of every rank, shape (ranks, 2).

        Raises
        ------
        FormatError
            With all problems noted (FP6210).
        TrafficError
            When there are too few slots (FP4025).
        """
        self._check_foreign()
        self.check()
        free = self._site.free.copy()
        for host, take in self._taken.items():
            free[host, [gpu for gpu in take.busy if gpu < free.shape[1]]] = False
            free[host, np.flatnonzero(free[host])[take.slots :]] = False
        order = np.array(list(self._taken), dtype=np.int64)
        place, gpu = np.nonzero(free[order])
        if len(place) < self._site.ranks:
            unusable = sum(len(names) for names in self._passed.values())
            beside = f", besides {unusable:,} that are not usable" if unusable else ""
            foreign = listed(name for name, _ in self._foreign)
            notes = [f"not usable: {grouped(self._passed)}"] if unusable else []
            raise TrafficError(
                f"{self._path} has {len(place):,} slots on {len(order):,} hosts{beside}, "
                f"but there are {self._site.ranks:,} ranks",
                where="placement.path",
                hint=f"list more hosts, or say gpus: {len(place)}" if len(place) else "list hosts that are usable",
                notes=[*notes, *([f"no hosts of the job: {foreign}"] if foreign else [])],
                code="FP4025",
            )
        self._say()
        return column(np.stack([order[place], gpu], axis=1)[: self._site.ranks], np.int32)

    def _check_foreign(self) -> None:
        """A node is left out only where it is clear: others are hosts, and it is none by a former name."""
        passed = {number for names in self._passed.values() for name in names for number in self._hosts.find(name)}
        present = passed | set(self._taken)
        absent = {host for number, host in enumerate(self._site.hosts) if number not in present}
        former = [(name, line) for name, line in self._foreign if renamed_listed(name.split(".")[0], absent)]
        for name, line in former:
            self.host(line, name.split(".")[0])
        if self._foreign and not former and not self._taken and not self._passed and not self._problems:
            name, line = self._foreign[0]
            count = len(self._foreign)
            raise FormatError(
                f"a cluster of another fabric: 0 of {count:,} names match hosts of the job, which are "
                f"{len(self._site.hosts):,}",
                file=self._path,
                line=line,
                notes=(f"nodes there are named like {name}, hosts of the job like {self._site.hosts[0]}",),
                hint="another file; or nodes: {name, first} of the scenario as the cluster names them",
                code="FP6286",
            )

    def _say(self) -> None:
        """Say which nodes of the file are not used, and what else was noted."""
        if self._passed:
            self._site.say(f"{self._path}: not used: {grouped(self._passed)}")
        if self._foreign:
            foreign = listed(name for name, _ in self._foreign)
            self._site.say(f"{self._path}: left out, as they are no hosts of the job: {foreign}")
        for what, names in self._noted.items():
            self._site.say(f"{self._path}: {listed(names)}: {what}")


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them, the first few of many.

    >>> listed(f"n{number}" for number in range(11))
    'n0, n1, n2, n3, n4, n5, n6, n7 and 3 more'
    """
    every = list(names)
    more = f" and {len(every) - _NAMED:,} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more


def grouped(names: Mapping[str, list[str]]) -> str:
    """Names by the reason they share.

    >>> grouped({"DOWN": ["n1", "n2"], "IDLE+DRAIN": ["n7"]})
    'n1, n2 (DOWN); n7 (IDLE+DRAIN)'
    """
    return "; ".join(f"{listed(some)} ({why})" for why, some in names.items())
