"""Text of nccl-tests, of version 1 to 2.19, with whatever mpirun, Slurm, Kubernetes or the library put around it.

Nothing is assumed of prefixes: a row is known by its size, count and type in the middle of a line. A row that the
library's own messages cut in two is joined again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from traffic.nccl_tests.operations import DATATYPE_BYTES, REDUCTIONS, operation_of_program
from traffic.nccl_tests.run import Device, MeasuredRow, Printed, RawRun, Timing

_STARTS = re.compile(r"# Collective test starting:\s*(\S+)")
_ARGUMENTS = re.compile(r"\bnThread (\d+) nGpus (\d+) minBytes (\d+) maxBytes (\d+) step: (\d+)\((\w+)\)")
_DEVICE = re.compile(
    r"#\s+Rank\s+(\d+)\s+(?:Group\s+(\d+)\s+)?(?:Pid\s+\d+\s+)?on\s+(\S+)\s+device\s+\d+\s+\[[^\]]*\]\s*(.*)"
)
_CONCLUDED = re.compile(r"Collective test concluded")
_COLUMNS = re.compile(r"#\s+(size|bytes)\s+(?:count|N)\s+type\s(.*)")
_OUT_OF_BOUNDS = re.compile(r"\bOut of bounds values\s*:\s*(\d+)")
_AVERAGE = re.compile(r"\bAvg bus bandwidth\s*:\s*(\S+)")
_PROGRAM = re.compile(r"(?<![\w-])([a-z_]+_perf(?:_mpi)?)(?![\w.])")
_SETTING = re.compile(r"\b(NCCL_[A-Z0-9_]+)(?: set by environment to |=)([^\s.;,]+)")
_FAILED = re.compile(r"Test NCCL failure.*|Test CUDA failure.*|.*Test timeout \(\d+s\).*|Test failure common.*")
_LIBRARY = re.compile(r"[\w.-]+:\d+:\d+ \[\d+\] (?:[\w./]+:\d+ )?NCCL (?:INFO|WARN|TRACE|VERSION)|NCCL version \d")
_TYPES = "|".join(sorted(DATATYPE_BYTES, key=len, reverse=True))
_ROW = re.compile(
    rf"(?<![\w.])(\d+(?:\.\d+)?)\s*([KMGT]i?B?|B)?\s+(\d+)\s+({_TYPES})(?![\w])(?:\s+([a-z]+)(?![\w]))?", re.IGNORECASE
)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\Z")
_NUMBERS = re.compile(r"(?:\s*(?:N/A|[-+]?[\d.]+(?:[eE][-+]\d+)?))*")
_NOT_CHECKED = "N/A"
_TIMESTAMP = re.compile(r"\s\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s*\Z")
_REST_WITHIN = 200  # lines in which the rest of a row is looked for
_UNIT = {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BINARY = {"": 1.0, "K": 2.0**10, "M": 2.0**20, "G": 2.0**30, "T": 2.0**40}


@dataclass
class Layout:
    """What the header of a table says of its columns; ``known`` False where the log begins below it."""

    known: bool = False
    halves: int = 2
    per_iteration: bool = False
    host_time: bool = False
    newer: bool = True
    time_us: float = 1.0  # of the unit of its times
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, first: str, columns: str) -> Layout:
        """By the names of the columns; version 1 calls its size ``bytes`` and prints milliseconds."""
        names = columns.split()
        return cls(
            known=True,
            halves=max(names.count("algbw"), 1),
            per_iteration="i_min" in names,
            host_time="cputime" in names,
            newer="#wrong" in names,
            time_us=1e3 if first == "bytes" else 1.0,
            names=frozenset(names) | {"type"},
        )


@dataclass
class _Building:
    """A run while its lines are read."""

    line: int | None = None
    program: str | None = None
    layout: Layout = field(default_factory=Layout)
    rows: list[MeasuredRow] = field(default_factory=list)
    devices: dict[tuple[int, int], Device] = field(default_factory=dict)
    devices_complete: bool = True
    per_process: int | None = None
    average: float | None = None
    wrong: int | None = None
    settings: dict[str, str] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)  # lines of rows that are not whole

    def done(self) -> RawRun:
        return RawRun(
            line=self.line or (self.rows[0].line if self.rows else None),
            program=self.program,
            rows=tuple(self.rows),
            devices=tuple(self.devices[place] for place in sorted(self.devices)),
            devices_complete=self.devices_complete,
            per_process=self.per_process,
            average_busbw=self.average,
            wrong=self.wrong,
            columns=frozenset() if self.layout.newer else self.layout.names,
            settings=self.settings,
        )


@dataclass(frozen=True)
class TextLog:
    """The runs of a text, and what it says beside them."""

    runs: tuple[RawRun, ...]
    cut: tuple[int, ...]  # lines of rows that are not whole
    failures: tuple[tuple[int, str], ...]  # what the program said when it failed, by line
    programs: tuple[str, ...]  # of nccl-tests that it names


class TextReader:
    """Reads the lines of one log in order."""

    def __init__(self) -> None:
        self._runs: list[_Building] = []
        self._now = _Building()
        self._named: str | None = None  # a program that a command line names before its run
        self._programs: list[str] = []
        self._settings: dict[str, str] = {}
        self._failures: list[tuple[int, str]] = []
        self._pending: tuple[int, str] | None = None  # the beginning of a row that is not whole

    def read(self, lines: Iterable[tuple[int, str]]) -> TextLog:
        """All of it."""
        for number, line in lines:
            if self._pending is not None and number > self._pending[0] + _REST_WITHIN:
                self._give_up()
            self._line(number, line)
        self._give_up()
        self._close()
        runs = [run for run in self._runs if run.rows or run.line is not None or run.devices or run.cut]
        cut = tuple(line for run in runs for line in run.cut)
        return TextLog(tuple(run.done() for run in runs), cut, tuple(self._failures), tuple(self._programs))

    def _line(self, number: int, line: str) -> None:
        text = line
        if library := _LIBRARY.search(line):
            self._remember(number, line[library.start() :])
            text = line[: library.start()]
            if _ROW.search(text):  # its messages begin with the host's name, here right after a number
                text += _NUMBERS.match(library[0])[0]  # type: ignore[index]
        row = _ROW.search(text)
        if row is not None:
            self._give_up()
            self._row(number, text[row.start() :])
        elif self._pending is not None and "#" not in text and (rest := _trailing_numbers(text)):
            self._join(rest)
        elif "#" in text or ":" in text or "nThread" in text:
            self._heading(number, text)
        if row is None:
            self._remember(number, text)

    def _heading(self, number: int, text: str) -> None:
        now = self._now
        if starts := _STARTS.search(text):
            self._open(number)
            self._now.program = starts[1]
        elif arguments := _ARGUMENTS.search(text):
            if now.per_process is not None or now.rows:
                self._open(number)
            self._now.line = self._now.line or number
            self._now.per_process = int(arguments[1]) * int(arguments[2])
        elif device := _DEVICE.search(text):
            if now.rows:
                self._open(number)
            rank, group = int(device[1]), int(device[2] or 0)
            self._now.devices[group, rank] = Device(rank, device[3], group, device[4].strip())
        elif columns := _COLUMNS.search(text):
            if now.rows:
                self._open(number)
            self._now.layout = Layout.of(columns[1], columns[2])
            self._now.line = self._now.line or number
        elif out_of_bounds := _OUT_OF_BOUNDS.search(text):
            now.wrong = int(out_of_bounds[1])
        elif average := _AVERAGE.search(text):
            now.average = float(average[1]) if _NUMBER.match(average[1]) else None
            self._give_up()
        elif text.rstrip().endswith("...") and now.devices and not now.rows and "#" in text:
            now.devices_complete = False

    def _remember(self, number: int, text: str) -> None:
        """Programs and settings that are named, and failures."""
        program = _PROGRAM.search(text)
        if program is not None and not _CONCLUDED.search(text):
            name = program[1]
            if operation_of_program(name) is not None or name.startswith("alltoallv"):
                self._named = name
                self._programs.append(name)
        for setting in _SETTING.finditer(text):
            self._settings[setting[1]] = setting[2]
        if failed := _FAILED.search(text):
            self._failures.append((number, failed[0].strip()))

    def _open(self, number: int) -> None:
        """Another run begins; what a header has said of it already stays with it."""
        self._give_up()
        if self._now.rows or self._now.per_process is not None or self._now.average is not None:
            self._close()
            self._now = _Building()
        self._now.line = self._now.line or number

    def _close(self) -> None:
        self._now.settings = dict(self._settings)
        self._runs.append(self._now)

    def _row(self, number: int, text: str) -> None:
        if self._now.average is not None:  # rows after a footer are of another run, whose header is missing
            self._open(number)
        if self._named is not None:
            self._now.program = self._now.program or self._named
            self._named = None
        row = parse_row(number, text, self._now.layout)
        if row is None:
            begin = _ROW.match(text)
            end = begin.end() if begin else 0
            self._pending = (number, text[:end] + _NUMBERS.match(text[end:])[0])  # type: ignore[index]
        else:
            self._now.rows.append(row)

    def _join(self, rest: str) -> None:
        assert self._pending is not None
        number, begun = self._pending
        for between in ("", " "):
            row = parse_row(number, begun + between + rest, self._now.layout)
            if row is not None:
                self._now.rows.append(row)
                self._pending = None
                return

    def _give_up(self) -> None:
        if self._pending is not None:
            self._now.cut.append(self._pending[0])
            self._pending = None


def parse_row(number: int, text: str, layout: Layout) -> MeasuredRow | None:
    """The row that begins a text; None where columns are missing.

    A size with a unit is what count and type make of it, in whichever of the two kinds of units comes nearer.
    """
    begin = _ROW.match(text)
    if begin is None:
        return None
    redop = (begin[5] or "").lower()
    rest = text[begin.end(4) if redop not in REDUCTIONS | {"none"} else begin.end() :]
    numbers = _leading_numbers(_TIMESTAMP.sub(" ", rest))
    each = 8 if layout.per_iteration else 4
    halves = layout.halves if layout.known else len(numbers) // each
    has_root = len(numbers) - halves * each
    if halves not in (1, 2) or has_root not in (0, 1) or (layout.known and bool(has_root) != ("root" in layout.names)):
        return None
    root = -1
    if has_root == 0 and re.fullmatch(r"-1|\d{1,4}", numbers[0]):
        return None  # a root, and the last number is missing: times of under 10 ms have decimals
    if has_root:
        if not re.fullmatch(r"-?\d{1,7}", numbers[0]):
            return None
        root, numbers = int(numbers[0]), numbers[1:]
    timings = [_timing(numbers[at : at + 4], layout) for at in range(0, len(numbers), each)]
    datatype = begin[4].lower()
    size_bytes = _size_bytes(begin[1], (begin[2] or "").upper(), int(begin[3]) * DATATYPE_BYTES[datatype])
    if None in timings or size_bytes is None:
        return None
    return MeasuredRow(
        where=f"line {number}",
        line=number,
        size_bytes=size_bytes,
        count=int(begin[3]),
        datatype=datatype,
        redop=redop if redop in REDUCTIONS | {"none"} else "",
        root=root,
        out_of_place=timings[0],
        in_place=timings[1] if len(timings) > 1 else None,
    )


def _timing(numbers: list[str], layout: Layout) -> Timing | None:
    if _NOT_CHECKED in numbers[:3]:
        return None
    time = Printed.of(numbers[0])
    wrong = None if numbers[3] == _NOT_CHECKED or not layout.newer else float(numbers[3])
    return Timing(
        Printed(time.value * layout.time_us, time.rounding * layout.time_us),
        Printed.of(numbers[1]),
        Printed.of(numbers[2]),
        wrong,
        layout.host_time,
    )


def _size_bytes(number: str, unit: str, counted_bytes: int) -> int | None:
    prefix = unit[:1] if unit not in ("", "B") else ""
    if not prefix:
        return int(number) if "." not in number else None
    either = [float(number) * kind[prefix] for kind in (_BINARY, _UNIT)]
    if "I" in unit:
        either = either[:1]
    if counted_bytes:  # a share of it, or all of it
        either.sort(key=lambda size: abs(size / counted_bytes - max(round(size / counted_bytes), 1)))
        return max(round(either[0] / counted_bytes), 1) * counted_bytes
    return round(either[0])


def _is_number(word: str) -> bool:
    return bool(_NUMBER.match(word)) or word == _NOT_CHECKED


def _leading_numbers(text: str) -> list[str]:
    numbers = []
    for word in text.split():
        if not _is_number(word):
            break
        numbers.append(word)
    return numbers


def _trailing_numbers(text: str) -> str:
    """The numbers that end a line, with the blanks before them; empty where there are none."""
    words = _TIMESTAMP.sub(" ", text).split(" ")
    at = len(words)
    while at and (not words[at - 1] or _is_number(words[at - 1])):
        at -= 1
    rest = " ".join(words[at:])
    return rest if rest.strip() else ""
