"""Reading a log of nccl-tests whole: text or JSON, one run or several."""

from __future__ import annotations

import re
from pathlib import Path

from topologies.errors import FormatError
from topologies.reading.fields import HARMLESS, MODELLED, REPORTED, DeclaredFields, Field
from topologies.reading.text_input import MAX_PROBLEMS, Findings
from traffic.nccl_tests.agreement import agreed, average_note
from traffic.nccl_tests.json_report import is_report, read_report
from traffic.nccl_tests.lines import lines_of, log_text
from traffic.nccl_tests.operations import Operation
from traffic.nccl_tests.run import Log, RawRun, Run
from traffic.nccl_tests.text_log import TextReader

FIELDS = DeclaredFields(
    "measured run",
    "nccl-tests",
    "nccl-tests v1.0 to v2.19, src/common.cu and src/util.cu, text and the file of -J, whose entries go by their keys",
    [
        Field("size", MODELLED, "bytes of the buffer of a rank, or of all shares together"),
        Field(
            "count", MODELLED, "elements; against the size it tells shares, and so the ranks of a table without header"
        ),
        Field("redop", MODELLED, "tells operations apart where the log does not name its program"),
        Field("root", MODELLED, "tells operations apart where the log does not name its program"),
        Field("time", MODELLED, "of one operation, microseconds; what a row is judged by where latency rules"),
        Field("cputime", MODELLED, "of the host's calls; the time is taken from the bandwidth"),
        Field("algbw", MODELLED, "held against size and time"),
        Field("busbw", MODELLED, "what a row is judged by where bandwidth rules; its factor tells the ranks"),
        Field("#wrong", MODELLED, "values that came out wrong: the run does not pass"),
        Field(
            "error", HARMLESS, "of versions before 2.12, the largest difference; the footer counts those out of bounds"
        ),
        Field("i_*", HARMLESS, "spread over iterations (-I)"),
        Field("timestamp", HARMLESS, "when a row was printed (-S)"),
        Field("Rank", MODELLED, "how many ranks there are"),
        Field("Group", MODELLED, "communicators that ran at a time; several are not predicted"),
        Field("on", MODELLED, "host of a rank"),
        Field("Pid", HARMLESS, "a process"),
        Field("device", HARMLESS, "number and address of a GPU; ranks of a host take its GPUs in order"),
        Field("nThread", HARMLESS, "arguments of the program: the rows are what ran"),
        Field("Collective test starting", MODELLED, "the program; a command line in the log says it too"),
        Field("Out of bounds values", MODELLED, "as #wrong"),
        Field("Avg bus bandwidth", REPORTED, "is held against the rows; where it is not theirs, rows are missing"),
        Field("NCCL_ALGO", REPORTED, "--algorithm predicts a run that is made so"),
        Field("NCCL_PROTO", REPORTED, "--protocol predicts a run that is made so"),
        Field("out_of_place", MODELLED, "JSON: time, alg_bw, bus_bw and nwrong, as the columns of the text"),
        Field("in_place", MODELLED, "JSON: as out_of_place"),
        Field("args", MODELLED, "JSON: the program is the first of them"),
        Field("devices", MODELLED, "JSON: one rank of every process with its host; ngpus and nthreads tell the others"),
        Field("ngpus", MODELLED, "JSON: GPUs of a thread of a process"),
        Field("nthreads", MODELLED, "JSON: threads of a process"),
        Field("env", HARMLESS, "JSON: variables of the environment; nothing is kept but NCCL_..."),
        Field("start_time", HARMLESS, "JSON: when it ran"),
    ],
    unknown="harmless",
)
_WANTED = "the output of a program of nccl-tests, such as all_reduce_perf, or its file of -J"
# Programs whose output is taken for that of nccl-tests, by what begins it.
_OTHERS = (
    (re.compile(r"# OSU [\w -]*Test|OSU MPI"), "OSU micro-benchmarks"),
    (re.compile(r"BW peak\[|RDMA_(?:Write|Read) BW Test|Send BW Test|t_min\[usec\]"), "perftest (ib_write_bw)"),
    (re.compile(r"iperf|\[ *ID\] Interval"), "iperf"),
    (re.compile(r"Intel\(R\) MPI Benchmarks|#bytes #repetitions"), "Intel MPI Benchmarks"),
    (re.compile(r"nvbandwidth|Bidirectional Bandwidth|bandwidthTest"), "nvbandwidth or bandwidthTest"),
)  # fmt: skip


def read_log(path: str | Path, collective: Operation | None = None) -> Log:
    """The runs of a log, whose numbers agree with each other.

    Parameters
    ----------
    path : path
        Text or JSON of nccl-tests, also gzipped.
    collective : Operation, optional
        What was run, for logs that do not name it.

    Raises
    ------
    FormatError
        FP6270 where there is no whole row of such a table, FP6271 for numbers that contradict each other, FP6272 where
        the operation cannot be told, FP6273 for a program that is not predicted; each with its line.
    """
    file = str(path)
    text = log_text(path)
    findings = Findings(file, limit=MAX_PROBLEMS)
    raw_runs = _json(text, file, findings) if is_report(text) else _text(text, file, findings)
    runs: list[Run] = []
    for raw in raw_runs:
        run = agreed(raw, findings, file, collective)
        if run is None:
            continue
        _say(run, raw, findings)
        if run.rows:
            runs.append(run)
    findings.finish()
    if not runs:
        raise FormatError("no row has a size above 0", file=file, hint=_WANTED, code="FP6270")
    return Log(file, tuple(runs), findings.notes)


def _json(text: str, file: str, findings: Findings) -> list[RawRun]:
    raw, whole = read_report(text, file)
    if not raw.rows:
        raise FormatError("it has no results", file=file, hint=_WANTED, code="FP6270")
    if not whole:
        findings.note(f"{file}: the file is cut short; the {len(raw.rows)} whole rows of it are read")
    return [raw]


def _text(text: str, file: str, findings: Findings) -> list[RawRun]:
    log = TextReader().read(lines_of(text, file))
    sound = [raw for raw in log.runs if raw.rows]
    failure = log.failures[0] if log.failures else None
    if not sound:
        if failure is not None:
            message = f"the run failed before its first row was whole: {failure[1][:120]}"
            raise FormatError(message, file=file, line=failure[0], hint=_WANTED, code="FP6270")
        if log.cut:
            message = "the table is cut off within its first row"
            raise FormatError(message, file=file, line=log.cut[0], hint="the whole log", code="FP6270")
        if log.runs:
            message = "the header of nccl-tests has no row below it"
            raise FormatError(
                message, file=file, line=log.runs[0].line, hint="the log of a run that ended", code="FP6270"
            )
        raise _no_table(text, file)
    for line in log.cut:
        findings.note(f"{file}:{line}: this row is not whole and left out")
    for raw in log.runs:
        if not raw.rows:
            findings.note(f"{file}:{raw.line}: the run that begins here has no row, and is left out")
        elif raw.average_busbw is None and raw.wrong is None:
            end = f"{file}:{raw.rows[-1].line}"
            findings.note(f"{end}: the table ends without its footer: the log is cut short, or the run was stopped")
    if failure is not None:
        findings.note(f"{file}:{failure[0]}: {failure[1][:120]}")
    return sound


def _no_table(text: str, file: str) -> FormatError:
    name = next((name for pattern, name in _OTHERS if pattern.search(text[:100_000])), None)
    first = next((number for number, line in enumerate(text.split("\n"), 1) if line.strip()), None)
    if first is None:
        message = "the file is empty"
    elif name is not None:
        message = f"this is the output of {name}, not of nccl-tests"
    else:
        message = "there is no table of nccl-tests in it"
    return FormatError(message, file=file, line=first, hint=_WANTED, code="FP6270")


def _say(run: Run, raw: RawRun, findings: Findings) -> None:
    place = f"{run.file}:{run.line}" if run.line else run.file
    if raw.program is None:
        findings.note(f"{place}: the log does not name its program; by its columns it is {run.operation.program}_perf")
    if not run.hosts and run.ranks is not None:
        findings.note(f"{place}: the log lists no ranks; by its rows there are {run.ranks}")
    if average := average_note(raw):
        findings.note(f"{place}: {average}")
    if run.wrong:
        findings.note(f"{place}: {run.wrong} values came out wrong, so that its bandwidths are those of a faulty run")
    empty = sum(row.size_bytes == 0 for row in raw.rows)
    if empty:
        findings.note(f"{place}: {empty} rows of 0 bytes are left out")
    if any(timing.host_time for row in raw.rows for _, timing in row.timings):
        findings.note(f"{place}: cputime (-C 1) is that of the host's calls; times are taken from the bandwidths")
    for name in ("NCCL_ALGO", "NCCL_PROTO"):
        if name in run.settings:
            findings.note(f"{place}: the run was made with {name}={run.settings[name]}")
