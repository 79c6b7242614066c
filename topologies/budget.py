"""The memory a command may take, and what is refused before anything is built that would take more.

Counting costs microseconds and building may cost minutes, so everything that grows with a number in a file is counted
first: nodes and cables of a fabric (``facts`` of its builder), nodes of the scenario, ranks and pairs of a workload,
bytes of a file. What does not fit is refused with the counts, the limit, and the key or flag that raises it.

The limit is what ``--max-memory`` or ``FABRIC_MAX_MEMORY`` says; else the least of the machine's memory, the control
group's limit and the address space (``ulimit -v``), less what the process has already.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from topologies.errors import FabricError, TopologyError, Where, as_where
from topologies.units import format_bytes, parse_bytes

VARIABLE = "FABRIC_MAX_MEMORY"
FLAG = "--max-memory"

# Peak of a build over numbers of nodes and directed links, by least squares over 20 builds of 400 to 170,000 nodes and
# up to 1.3 million links (tracemalloc, Python 3.12, numpy 2.3): names, their set, columns, and the parts they are
# joined from. tests/topologies/test_budget.py measures every builder again.
NODE_BYTES = 250
LINK_BYTES = 110
# Routing and judging a phase take this many times the fabric itself (`fabric route` of fat trees and random networks of
# 400,000 links: 3 to 9 times).
ROUTED = 4
NAME_BYTES = 150  # of a listed node: its name in the lists of the scenario, of its group and of its fabric
GPU_BYTES = 30  # of a GPU: whether it is taken, its endpoint on a fabric
ROW_BYTES = 120  # of a pair of ranks: rows of an exchange, sorted and joined
RANK_BYTES = 100  # of a rank: its host, GPU and coordinates
MOST_ROWS = 2**31 - 1  # ids are 32-bit numbers
SMALL_BYTES = 32e6  # nobody is refused less than this without a limit of his own; what the process has is not asked for


@dataclass(frozen=True)
class Limit:
    """How much memory there may be, and who says so."""

    limit_bytes: float
    source: str
    chosen: bool  # by a flag or a variable

    def __str__(self) -> str:
        return f"{format_bytes(self.limit_bytes)} ({self.source})"


_CHOSEN: ContextVar[float | None] = ContextVar("max_memory", default=None)


@contextmanager
def limited_to(limit_bytes: float | None) -> Iterator[None]:
    """Set the limit inside the block, bytes; None leaves it as it is."""
    if limit_bytes is None:
        yield
        return
    token = _CHOSEN.set(limit_bytes)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def memory_limit() -> Limit:
    """The limit that holds now."""
    chosen = _CHOSEN.get()
    if chosen is not None:
        return Limit(chosen, FLAG, True)
    text = os.environ.get(VARIABLE)
    if text:
        try:
            return Limit(parse_bytes(text), VARIABLE, True)
        except ValueError as error:
            raise FabricError(f"{VARIABLE}: {error}", hint=f"{VARIABLE}=64GB", code="FP1000") from None
    return min(_machine(), key=lambda limit: limit.limit_bytes)


def limit_is_chosen() -> bool:
    """Whether somebody says how much memory there is; what the machine has takes longer to look up."""
    return _CHOSEN.get() is not None or bool(os.environ.get(VARIABLE))


def _machine() -> list[Limit]:
    """Limits that the machine sets."""
    limits = [Limit(float("inf"), "no limit is known", False)]
    try:
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        limits.append(Limit(physical, "the machine's memory", False))
    except (ValueError, OSError, AttributeError):  # not every system tells
        pass
    limits += [Limit(size, "the memory limit of the control group", False) for size in _control_group()]
    try:
        import resource

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            limits.append(Limit(soft, "the address space, ulimit -v", False))
    except (ImportError, OSError):  # Windows has none
        pass
    return limits


def _control_group() -> Iterator[float]:
    """Limits of the control groups this process is in, of version 1 and 2."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return
    places = [Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            places.append(Path(f"/sys/fs/cgroup{path}/memory.max"))
        elif "memory" in controllers.split(","):
            places.append(Path(f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes"))
    for place in places:
        try:
            text = place.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if text.isdigit():
            yield float(text)


def _in_use(limit: Limit) -> float:
    """Bytes that the process has already: of address space where that is the limit, else of memory."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
        size = os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return 0.0
    return float(pages[0 if "ulimit" in limit.source else 1]) * size


def free_bytes(limit: Limit, built_bytes: float = 0.0) -> float:
    """What is left of a limit beside what is in use; a limit that was chosen is for what is built alone."""
    if limit.chosen:
        return limit.limit_bytes
    return max(limit.limit_bytes - max(_in_use(limit) - built_bytes, 0.0), SMALL_BYTES)


@dataclass(frozen=True)
class Counts:
    """How many things something comes to, by what people call them, and the bytes they take."""

    of: Sequence[tuple[str, int]]
    size_bytes: float
    rows: int = 0  # of the longest table, whose row numbers are ids

    def __str__(self) -> str:
        parts = [counted(number, what) for what, number in self.of if number]
        return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def network_counts(nodes: int, cables: int, of: Sequence[tuple[str, int]] = ()) -> Counts:
    """Counts of a network while it is built: two directed links a cable."""
    rows = of or [("nodes", nodes), ("cables", cables)]
    return Counts(rows, nodes * NODE_BYTES + 2 * cables * LINK_BYTES, max(nodes, 2 * cables))


def counted(number: int, what: str) -> str:
    """A count for people; huge ones in short, as nobody reads thirty digits.

    >>> counted(12345, "hosts"), counted(10**30, "hosts"), counted(1, "switches")
    ('12,345 hosts', '1e+30 hosts', '1 switch')
    """
    one = what.removesuffix("es") if what.endswith("ches") else what.removesuffix("s")
    return f"{short_number(number)} {one if number == 1 else what}"


def short_number(number: int) -> str:
    """A whole number for people: with commas, and rounded from 10^15 on."""
    if number < 10**15:
        return f"{number:,}"
    return f"{Decimal(number):.1e}".replace(".0e", "e")


def check_memory(
    counts: Counts,
    what: str,
    *,
    where: str | Where = (),
    times: float = 1.0,
    built_bytes: float = 0.0,
    error: type[FabricError] = TopologyError,
    code: str = "FP3050",
    smaller: str = "",
) -> None:
    """Refuse what does not fit the memory.

    Parameters
    ----------
    counts : Counts
        What would be built, and its bytes.
    what : str
        Subject of the sentence, such as ``this fabric``.
    where : str or path
        The key that asks for it.
    times : float
        How often those bytes are needed, by what is done with them.
    built_bytes : float
        What of it is there already, and so counts in what is in use.
    smaller : str
        Another way out than more memory.

    Raises
    ------
    FabricError
        Of the type ``error``, when it does not fit (FP3050), or ids would exceed 32 bits (FP3051).
    """
    wanted = counts.size_bytes * times
    if wanted <= SMALL_BYTES and _CHOSEN.get() is None and VARIABLE not in os.environ:
        return
    limit = memory_limit()
    free = free_bytes(limit, built_bytes)
    if wanted > free:
        beside = limit.limit_bytes - free
        raised = _rounded_up(wanted + beside)
        way_out = f"{FLAG} {raised}, or {VARIABLE}={raised}, raises the limit" if wanted < 1e15 else ""
        raise error(
            f"{what}: {counts}, about {_large(wanted)} of memory; the limit is {limit}",
            where=as_where(where),
            notes=[f"{format_bytes(beside)} of it are in use"] if beside > 0 else (),
            hint="; ".join(part for part in (smaller, way_out) if part) or "a smaller number",
            code=code,
        )
    if counts.rows > MOST_ROWS:
        raise error(
            f"{what}: {counts}; a table has at most {MOST_ROWS:,} rows, as ids have 32 bits",
            where=as_where(where),
            hint=smaller or "a smaller number",
            code="FP3051",
        )


def _large(size_bytes: float) -> str:
    """Bytes for people, also of what no unit is large enough for."""
    return format_bytes(size_bytes) if size_bytes < 1e18 else f"{size_bytes / 1e15:.2g} PB"


def _rounded_up(size_bytes: float) -> str:
    """A limit that is enough, as it is written on the command line.

    >>> _rounded_up(4.2e9), _rounded_up(120e6)
    ('5GB', '1GB')
    """
    return f"{max(-(-size_bytes // 1e9), 1):.0f}GB"
