"""The operations that nccl-tests has programs for, and how each turns bytes and time into its two bandwidths.

The factors are those of ``GetBw`` in the source of each program (nccl-tests 2.19, ``src/*.cu``); ``doc/PERFORMANCE.md``
there derives those of the bus.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from topologies.errors import nearest

REDUCTIONS = frozenset({"sum", "prod", "max", "min", "avg", "mulsum"})
DATATYPE_BYTES = {
    "int8": 1, "uint8": 1, "char": 1, "f8e4m3": 1, "f8e5m2": 1, "fp8_e4m3": 1, "fp8_e5m2": 1,
    "half": 2, "float16": 2, "bfloat16": 2,
    "int32": 4, "uint32": 4, "int": 4, "float": 4,
    "int64": 8, "uint64": 8, "double": 8,
}  # fmt: skip
_SUFFIX = "_perf"


def _one(ranks: float) -> float:
    return 1.0


def _others(ranks: float) -> float:
    """Share of the buffer that comes from, or goes to, other ranks."""
    return (ranks - 1) / ranks


def _twice(ranks: float) -> float:
    return 2 * _others(ranks)


@dataclass(frozen=True)
class Operation:
    """One program of nccl-tests."""

    name: str  # as we write it
    program: str  # without _perf
    bus: Callable[[float], float]  # busbw / algbw of so many ranks
    algorithm: Callable[[float], float] = _one  # algbw / (size / time)
    reduces: bool = False  # has a reduction in column redop
    rooted: bool = False  # has a root
    in_place_checked: bool = True  # whether #wrong is a number in place too
    shared_out: bool = False  # column count is of one rank's share, size of all of them

    @property
    def redop_column(self) -> bool:
        """Whether older tables of it have a column for the reduction; that of all-to-all is empty."""
        return self.reduces or self.name == "all-to-all"

    @property
    def factor_for_many(self) -> float:
        """Factor of the bus, or where that is 1 of algbw, that very many ranks come to."""
        return 2.0 if self.bus is _twice else 1.0

    @property
    def tells_ranks(self) -> bool:
        """Whether its bandwidths tell how many ranks there were."""
        return self.bus is not _one or self.algorithm is not _one


OPERATIONS = (
    Operation("all-reduce", "all_reduce", _twice, reduces=True),
    Operation("all-gather", "all_gather", _others, shared_out=True),
    Operation("reduce-scatter", "reduce_scatter", _others, reduces=True, shared_out=True),
    Operation("all-to-all", "alltoall", _others, in_place_checked=False, shared_out=True),
    Operation("broadcast", "broadcast", _one, rooted=True),
    Operation("reduce", "reduce", _one, reduces=True, rooted=True),
    Operation("send-recv", "sendrecv", _one, reduces=True, in_place_checked=False),
    Operation("gather", "gather", _others, rooted=True, shared_out=True),
    Operation("scatter", "scatter", _others, rooted=True, shared_out=True),
    Operation("hypercube", "hypercube", _one, algorithm=_others, shared_out=True),
)
# Before 2.9 the two share operations counted what moves as algbw; busbw is the same.
OLDER = (
    Operation("all-gather", "all_gather", _one, algorithm=_others, shared_out=True),
    Operation("reduce-scatter", "reduce_scatter", _one, algorithm=_others, reduces=True, shared_out=True),
)
_BY_PROGRAM = {operation.program: operation for operation in OPERATIONS}
_BY_NAME = {operation.name: operation for operation in OPERATIONS}


def operation_of_program(program: str) -> Operation | None:
    """The operation of a program by its file name, with or without path and ``_perf``; None for another one.

    >>> operation_of_program("./build/all_reduce_perf").name
    'all-reduce'
    """
    name = program.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".exe")
    for ending in ("_mpi", _SUFFIX):  # some build scripts add _mpi
        name = name.removesuffix(ending)
    return _BY_PROGRAM.get(name)


def operation_named(name: str) -> Operation | None:
    """The operation by our name, or by that of its program."""
    return _BY_NAME.get(name) or operation_of_program(name)


def near_operation(name: str) -> str | None:
    """The name that is nearest to one that is none."""
    return nearest(name, _BY_NAME)
