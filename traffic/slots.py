"""Slots that a scheduler's files give on hosts: collected line by line, turned into places of ranks."""

from __future__ import annotations

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import FormatError, Problem, TrafficError, nearest_hint
from topologies.former_names import renamed_listed
from traffic.placement import PlacementSite


class Slots:
    """GPUs by host in the order they are listed."""

    def __init__(self, site: PlacementSite, path: str) -> None:
        self._site, self._path = site, path
        self._index = {name: number for number, name in enumerate(site.hosts)}
        self._taken: dict[int, int] = {}
        self._problems: list[Problem] = []
        self._passed = 0

    def problem(self, line: int, message: str, hint: str) -> None:
        """Note what is wrong with a line."""
        self._problems.append(Problem(message, code="FP6210", file=self._path, line=line, hint=hint))

    def host(self, line: int, name: str, *, short: bool = False) -> int | None:
        """Number of a host; ``short`` also takes a name without its domain. None after a problem."""
        found = self._index.get(name)
        if found is None and short:
            found = self._index.get(name.split(".", 1)[0])
        if found is None:
            self.problem(
                line,
                f"unknown host {name!r}",
                renamed_listed(name, self._index)
                or nearest_hint(name, self._index, otherwise=f"hosts are named like {next(iter(self._index))}"),
            )
        return found

    def add(self, line: int, name: str, slots: int | None = None, *, short: bool = False) -> None:
        """Take a host's first GPUs; all of them if ``slots`` is None."""
        gpus = self._site.gpus_per_host
        host = self.host(line, name, short=short)
        if host is None:
            return
        if host in self._taken:
            self.problem(line, f"host {name!r} is listed twice", "give it one line with slots=n")
        elif slots is not None and not 1 <= slots <= gpus:
            self.problem(line, f"{slots} slots on {name!r}, which has {gpus} GPUs", f"slots is 1 to {gpus}")
        else:
            self._taken[host] = gpus if slots is None else slots

    def pass_over(self) -> None:
        """Count a host that is listed but cannot be used."""
        self._passed += 1

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
        self.check()
        free = self._site.free.copy()
        for host, slots in self._taken.items():
            free[host, np.flatnonzero(free[host])[slots:]] = False
        order = np.array(list(self._taken), dtype=np.int64)
        place, gpu = np.nonzero(free[order])
        if len(place) < self._site.ranks:
            beside = f", besides {self._passed:,} that are not usable" if self._passed else ""
            raise TrafficError(
                f"{self._path} has {len(place):,} slots on {len(order):,} hosts{beside}, "
                f"but there are {self._site.ranks:,} ranks",
                where="placement.path",
                hint=f"list more hosts, or say gpus: {len(place)}",
                code="FP4025",
            )
        return column(np.stack([order[place], gpu], axis=1)[: self._site.ranks], np.int32)
