"""What nccl-tests calls a size: whole elements, the same number for every rank, in multiples of 16 bytes.

References
----------
nccl-tests, ``GetCollByteCount`` and ``GetBw`` of every program, and ``doc/PERFORMANCE.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric.expect.result import Rate
from traffic.bare_collective import bus_factor

TYPE = "float"
ELEMENT_BYTES = 4
_WHOLE = 4  # elements: 16 bytes, to which the part of a rank is cut
_IN_PARTS = ("all-gather", "reduce-scatter", "all-to-all")  # whose buffer has a part for every rank
_REDUCES = ("all-reduce", "reduce-scatter", "reduce")
_ROOTED = ("broadcast", "reduce")


@dataclass(frozen=True)
class Message:
    """A size as the program runs and prints it."""

    size_bytes: float
    count: int  # elements; of one rank's part where the buffer has parts
    redop: str
    root: int  # -1: there is none


def message_of(operation: str, size_bytes: float, ranks: int) -> Message:
    """The largest message of at most ``size_bytes`` that the program can run; of size 0 where there is none.

    >>> message_of("all-gather", 1048576, 100)
    Message(size_bytes=1048000.0, count=2620, redop='none', root=-1)
    """
    elements = int(size_bytes // ELEMENT_BYTES)
    parts = ranks if operation in _IN_PARTS else 1
    count = elements // ranks // _WHOLE * _WHOLE if parts > 1 else elements
    return Message(
        float(count * parts * ELEMENT_BYTES),
        count,
        "sum" if operation in _REDUCES else "none",
        0 if operation in _ROOTED else -1,
    )


def rate(operation: str, ranks: int, size_bytes: float, time_s: float) -> Rate:
    """Both bandwidths of a time, by the factors that the programs print.

    >>> rate("all-reduce", 8, 1e9, 0.01).busbw_gbytes_per_s
    175.0
    """
    algbw = size_bytes / 1e9 / time_s
    return Rate(time_s, algbw, algbw * bus_factor(operation, ranks))
