"""What `fabric expect` answers: the table that nccl-tests would print, with a band and the mark to sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric.result import Assumption


@dataclass(frozen=True)
class Rate:
    """One figure of nccl-tests: the time of an operation, and both of its bandwidths."""

    time_s: float
    algbw_gbytes_per_s: float  # buffer over time
    busbw_gbytes_per_s: float  # times the bus factor of the operation


@dataclass(frozen=True)
class SizeRow:
    """One size of buffer. Percentiles are of the bandwidth over draws of the hash: one draw in twenty is below p5."""

    size_bytes: float
    algorithm: str  # that the library chooses for this size
    protocol: str
    ideal: Rate  # the busiest NIC or scale-up link at line rate times its efficiency, no latency, no contention
    expected: Rate  # median
    p5: Rate
    p95: Rate
    pass_mark_busbw_gbytes_per_s: float


@dataclass(frozen=True)
class CollectiveTest:
    """One operation over the sizes asked for."""

    collective: str
    ranks: int
    fabric: str
    draws: int
    rows: tuple[SizeRow, ...]
    hosts: int = 0
    where: str = ""  # which GPUs the ranks have
    router: str = ""  # empty where no host is left
    hashed: bool = False  # whether the router draws
    flows_per_pair: int = 1  # that a pair of NICs is hashed by
    limited_by: str = ""  # what holds the largest size back, in words

    @property
    def algorithm(self) -> str:
        """That of all sizes; auto where they differ."""
        names = {row.algorithm for row in self.rows}
        return names.pop() if len(names) == 1 else "auto"


@dataclass(frozen=True)
class CheckRow:
    """One measured size beside what is expected."""

    collective: str
    size_bytes: float
    in_place: bool
    measured: Rate
    expected: Rate
    pass_mark_busbw_gbytes_per_s: float  # that it is judged by
    ok: bool
    judged_by: str = "bandwidth"  # or time, where latency rules


@dataclass(frozen=True)
class Explanation:
    """A cause that was simulated, and how well its curve fits the one measured (1: as well as can be)."""

    cause: str
    fit: float
    detail: str


@dataclass(frozen=True)
class Check:
    """A log held against the table."""

    path: str
    verdict: str  # pass or fail
    rows: tuple[CheckRow, ...]
    explanations: tuple[Explanation, ...] = ()
    notes: tuple[str, ...] = ()  # how rows were judged, and what of the log does not fit the scenario


@dataclass(frozen=True, eq=False)
class ExpectResult:
    """Everything `fabric expect` answers."""

    tests: tuple[CollectiveTest, ...]
    percentile: float  # of the bandwidth, from which the mark is taken
    margin: float  # that the mark is below it
    check: Check | None = None
    assumptions: tuple[Assumption, ...] = ()
    settings: Mapping[str, str] | None = None
