"""The file that nccl-tests writes with ``-J FILE``: 2.17.5 and later, schema 1 to 3 (``src/util.cu``)."""

from __future__ import annotations

import re

from topologies.errors import FormatError
from topologies.reading.json_value import JsonValue, parse_json
from traffic.nccl_tests.run import Device, MeasuredRow, Printed, RawRun, Timing

_HINT = "a file of nccl-tests -J, or the text that the program printed"
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_CODE = "FP6270"


def is_report(text: str) -> bool:
    """Whether a text begins as such a file does."""
    start = text.lstrip()[:4000]
    return start.startswith("{") and any(
        f'"{key}"' in start for key in ("nccl_version", "results", "start_time", "args")
    )


def read_report(text: str, file: str) -> tuple[RawRun, bool]:
    """The run, and whether the file was whole; one that a killed job has cut is read as far as its rows are whole.

    Raises
    ------
    FormatError
        When it is not JSON, or not of this shape.
    """
    try:
        report, whole = parse_json(text, file, code=_CODE, hint=_HINT), True
    except FormatError:
        shortened = _cut_after_last_row(text)
        if shortened is None:
            raise
        report, whole = parse_json(shortened, file, code=_CODE, hint=_HINT), False
    config = report.get("config")
    per_process = config.get("nthreads").whole(1, least=1) * config.get("ngpus").whole(1, least=1)
    arguments = [word.text() for word in report.get("args").each()]
    footer = report.get("out_of_bounds")
    average = _average(report)
    rows = tuple(_row(row) for row in report.get("results").each())
    run = RawRun(
        line=None,
        program=arguments[0] if arguments else None,
        rows=rows,
        devices=tuple(_device(device) for device in config.get("devices").each()),
        ranks_per_device=per_process,
        per_process=per_process,
        average_busbw=average.number() if not average.absent and average.value != "nan" else None,
        wrong=None if footer.absent else footer.get("count").whole(0),
        settings=_settings(report),
    )
    return run, whole


def _average(report: JsonValue) -> JsonValue:
    """The footer's figure; spelled bandwidith before 2.18."""
    for key, name in (("average_bus_bandwidth", "bandwidth"), ("average_bus_bandwidith", "bandwidith")):
        if not report.get(key).absent:
            return report.get(key).get(name)
    return report.get("average_bus_bandwidth")


def _settings(report: JsonValue) -> dict[str, str]:
    """Variables of the environment that steer the library; no others are kept."""
    pairs = (entry.text().partition("=") for entry in report.get("env").each())
    return {name: value for name, _, value in pairs if name.startswith("NCCL_")}


def _device(device: JsonValue) -> Device:
    return Device(
        rank=device.need("rank").whole(),
        host=device.need("hostname").text(),
        group=device.get("group").whole(0),
        product=device.get("device_info").text(""),
    )


def _row(row: JsonValue) -> MeasuredRow:
    return MeasuredRow(
        where=row.path,
        line=None,
        size_bytes=row.need("size").whole(),
        count=row.get("count").whole(0),
        datatype=row.get("type").text("").lower(),
        redop=row.get("redop").text("").lower(),
        root=int(row.get("root").number(-1)),
        out_of_place=_timing(row.get("out_of_place")),
        in_place=_timing(row.get("in_place")),
    )


def _timing(half: JsonValue) -> Timing | None:
    if half.absent:
        return None
    host_time = not half.get("cpu_time").absent
    time = half.get("cpu_time") if host_time else half.need("time")
    wrong = half.get("nwrong")
    return Timing(
        _printed(time), _printed(half.need("alg_bw")), _printed(half.need("bus_bw")),
        None if wrong.absent else wrong.number(), host_time,
    )  # fmt: skip


def _printed(value: JsonValue) -> Printed:
    return Printed(value.number(least=0), 0.5e-6)


def _cut_after_last_row(text: str) -> str | None:
    """The text up to its last whole row, closed; None where no row is whole."""
    start = re.search(r'"results"\s*:\s*\[', text)
    if start is None:
        return None
    depth, end = 0, 0
    for token in _TOKENS.finditer(text, start.end()):
        if token[0] in ("{", "["):
            depth += 1
        elif token[0] in ("}", "]"):
            depth -= 1
            if depth < 0:
                return None  # the list ends: what is wrong is elsewhere
            end = token.end() if depth == 0 else end
    return text[:end] + "]}" if end else None
