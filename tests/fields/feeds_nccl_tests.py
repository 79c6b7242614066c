"""Feeds of the logs of nccl-tests."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from feeding import Feed, Outcome, ReaderFeeds

sys.path.insert(0, str(Path(__file__).parents[1] / "traffic"))
from nccl_tests_logs import Printed, json_log, text_log

from traffic.nccl_tests.read import read_log
from traffic.nccl_tests.run import Run, Timing

SMALL = Printed(hosts=("a", "b"), gpus=2, sizes=(1 << 20, 1 << 24))
UNNAMED = replace(SMALL, version="2.13", checked=False)
NO_HEADER = replace(SMALL, program="all_gather", version="2.13", devices=False)
OLD = replace(SMALL, version="2.9")


def _timing(run: Run, timing: Timing) -> tuple[float, ...]:
    """What the planner goes by: the host's time is none of it."""
    time = 0.0 if timing.host_time else timing.time_us.value
    return (time, timing.algbw.value, timing.busbw.value)


def _run(run: Run) -> Any:
    rows = [
        (row.size_bytes, [(in_place, _timing(run, timing)) for in_place, timing in row.timings]) for row in run.rows
    ]
    return (run.operation.name, run.ranks, run.groups, run.hosts, run.wrong, rows)


def read(document: str, folder: Path) -> Outcome:
    path = folder / "run.log"
    path.write_text(document, encoding="utf-8")
    log = read_log(path)
    return Outcome([_run(run) for run in log.runs], tuple(note.split(": ", 1)[1] for note in log.notes))


def swapped(printed: Printed, before: str, after: str) -> str:
    text = text_log(printed)
    assert before in text
    return text.replace(before, after)


def changed_json(**values: Any) -> str:
    report = json.loads(json_log(SMALL))
    config = {name: values.pop(name) for name in ("ngpus", "nthreads", "devices") if name in values}
    return json.dumps({**report, **values, "config": {**report["config"], **config}})


def with_half(name: str, **values: float) -> str:
    report = json.loads(json_log(SMALL))
    for row in report["results"]:
        row[name] = {**row[name], **values} if values else None
    return json.dumps(report)


def half_as_fast() -> Printed:
    return replace(SMALL, busbw=lambda size: SMALL.busbw(size) / 2)


DEVICES = json.loads(json_log(SMALL))["config"]["devices"]
GATHER = json_log(replace(SMALL, program="gather"))

READERS = [
    ReaderFeeds(
        "measured run",
        "nccl-tests",
        read,
        {
            "size": Feed(text_log(SMALL), text_log(replace(SMALL, sizes=(1 << 21, 1 << 25)))),
            "count": Feed(text_log(NO_HEADER), text_log(replace(NO_HEADER, hosts=("a",), gpus=8))),
            "redop": Feed(
                text_log(replace(UNNAMED, program="all_gather", checked=True)),
                text_log(replace(UNNAMED, program="reduce_scatter", checked=True)),
            ),
            "root": Feed(text_log(replace(UNNAMED, program="sendrecv")), text_log(replace(UNNAMED, program="reduce"))),
            "time": Feed(text_log(SMALL), text_log(half_as_fast())),
            "cputime": Feed(text_log(replace(SMALL, version="2.19")), text_log(replace(SMALL, host_time=True))),
            "algbw": Feed(text_log(SMALL), text_log(half_as_fast())),
            "busbw": Feed(text_log(SMALL), text_log(half_as_fast())),
            "#wrong": Feed(text_log(replace(SMALL, footer=False)), text_log(replace(SMALL, footer=False, wrong=3))),
            "error": Feed(text_log(OLD), text_log(OLD).replace("5e-07", "1e-06")),
            "i_*": Feed(text_log(SMALL), text_log(replace(SMALL, per_iteration=True))),
            "timestamp": Feed(text_log(SMALL), text_log(replace(SMALL, timestamps=True))),
            "Rank": Feed(text_log(SMALL), text_log(replace(SMALL, gpus=4))),
            "Group": Feed(
                text_log(SMALL), swapped(SMALL, "#\n#  ", "#  Rank  9 Group  1 Pid 1 on c device 0 [0] X\n#\n#  ")
            ),
            "on": Feed(text_log(SMALL), text_log(replace(SMALL, hosts=("a", "c")))),
            "Pid": Feed(text_log(SMALL), swapped(SMALL, "Pid   424", "Pid   524")),
            "device": Feed(text_log(SMALL), swapped(SMALL, "device  1", "device  7")),
            "nThread": Feed(text_log(SMALL), swapped(SMALL, "nThread 1", "nThread 2")),
            "Collective test starting": Feed(
                text_log(replace(SMALL, program="gather")), text_log(replace(SMALL, program="scatter"))
            ),
            "Out of bounds values": Feed(
                text_log(OLD), text_log(OLD).replace("Out of bounds values : 0 OK", "Out of bounds values : 4 FAILED")
            ),
            "Avg bus bandwidth": Feed(
                text_log(SMALL), swapped(SMALL, "Avg bus bandwidth    : ", "Avg bus bandwidth    : 9")
            ),
            "NCCL_ALGO": Feed(text_log(SMALL), text_log(replace(SMALL, settings={"NCCL_ALGO": "Ring"}))),
            "NCCL_PROTO": Feed(text_log(SMALL), text_log(replace(SMALL, settings={"NCCL_PROTO": "LL"}))),
            "out_of_place": Feed(json_log(SMALL), with_half("out_of_place")),
            "in_place": Feed(json_log(SMALL), with_half("in_place")),
            "args": Feed(GATHER, GATHER.replace("gather_perf", "scatter_perf")),
            "devices": Feed(json_log(SMALL), changed_json(devices=[{**DEVICES[0], "hostname": "z"}, DEVICES[1]])),
            "ngpus": Feed(json_log(SMALL), json_log(replace(SMALL, gpus=4))),
            "nthreads": Feed(json_log(replace(SMALL, gpus=1)), changed_json(ngpus=1, nthreads=2)),
            "env": Feed(json_log(SMALL), changed_json(env=["HOME=/root", "TOKEN=1"])),
            "start_time": Feed(json_log(SMALL), changed_json(start_time="2030-01-01 00:00:00")),
        },
    )
]
