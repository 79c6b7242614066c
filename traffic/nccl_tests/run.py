"""What one run of nccl-tests printed, whether as text or as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from topologies.errors import Problem
from traffic.nccl_tests.operations import Operation


@dataclass(frozen=True)
class Printed:
    """A number as it stands in the log, and half a unit of its last digit."""

    value: float
    rounding: float

    @classmethod
    def of(cls, text: str) -> Printed:
        """The number that a text stands for.

        >>> Printed.of("93.35")
        Printed(value=93.35, rounding=0.005)
        >>> Printed.of("1.2e+06").rounding
        50000.0
        """
        mantissa, _, exponent = text.lower().partition("e")
        decimals = len(mantissa.partition(".")[2])
        return cls(float(text), 0.5 * 10.0 ** (int(exponent or 0) - decimals))

    @property
    def low(self) -> float:
        """The least that is printed like this."""
        return self.value - self.rounding

    @property
    def high(self) -> float:
        """The most that is printed like this."""
        return self.value + self.rounding


@dataclass(frozen=True)
class Timing:
    """One half of a row: out of place or in place."""

    time_us: Printed
    algbw: Printed  # GB/s, as busbw
    busbw: Printed
    wrong: float | None = None  # wrong elements, of versions that count them; None where nothing was checked
    host_time: bool = False  # the time is that of the host's calls (-C 1), not that of the operation

    @property
    def time_s(self) -> float:
        """Time of the operation, by the bandwidth where the one printed is another."""
        return self.time_us.value * 1e-6


@dataclass(frozen=True)
class MeasuredRow:
    """One row of the table."""

    where: str  # line 12, or results[3]
    line: int | None
    size_bytes: int
    count: int  # elements; of operations of shares, those of one rank's share
    datatype: str
    redop: str
    root: int
    out_of_place: Timing | None
    in_place: Timing | None

    @property
    def timings(self) -> tuple[tuple[bool, Timing], ...]:
        """Whether in place, and what was measured."""
        both = ((False, self.out_of_place), (True, self.in_place))
        return tuple((in_place, timing) for in_place, timing in both if timing is not None)


@dataclass(frozen=True)
class Device:
    """One rank, as the header lists it."""

    rank: int
    host: str
    group: int = 0
    product: str = ""


@dataclass(frozen=True, eq=False)
class RawRun:
    """A run as it was read, before its numbers are held against each other."""

    line: int | None
    program: str | None  # such as all_reduce_perf
    rows: tuple[MeasuredRow, ...]
    devices: tuple[Device, ...] = ()
    devices_complete: bool = True
    ranks_per_device: int = 1  # JSON lists one device of a process
    per_process: int | None = None  # ranks of a process, by the header
    average_busbw: float | None = None  # of the footer; None where there is none
    wrong: int | None = None  # of the footer
    columns: frozenset[str] = frozenset()  # of older tables, which have those of their operation; empty for others
    settings: Mapping[str, str] = field(default_factory=dict)  # NCCL_… that the log names


@dataclass(frozen=True, eq=False)
class Run:
    """A run whose numbers agree with each other."""

    file: str
    line: int | None
    operation: Operation
    ranks: int | None  # of one communicator; None where the log does not tell
    ranks_between: tuple[int, int] | None  # what its bandwidths allow, where they tell
    groups: int  # communicators that ran at a time
    hosts: tuple[str, ...]  # of the first communicator, by rank; empty where the log lists none
    products: tuple[str, ...]  # GPUs, as the driver names them
    rows: tuple[MeasuredRow, ...]
    wrong: int  # values that came out wrong
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Log:
    """A whole file: its runs, and what is to be said of them."""

    file: str
    runs: tuple[Run, ...]
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
