"""Logs of nccl-tests: every version and launcher, numbers that contradict each other, files of something else."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from pathlib import Path

import nccl_tests_logs as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nccl_tests_logs import PREFIXES, PROGRAMS, Printed, json_log, text_log, wrapped

from topologies.errors import FormatError
from traffic.nccl_tests.operations import operation_named, operation_of_program
from traffic.nccl_tests.read import read_log

OLD = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce")
VERSIONS = [(version, name) for version in ("2.9", "2.13", "2.19") for name in PROGRAMS]
VERSIONS += [(version, name) for version in ("1.0", "2.0") for name in OLD]


def read(tmp_path: Path, text: str, **given_: object):
    path = tmp_path / "run.log"
    path.write_text(text, encoding="utf-8")
    return read_log(path, **given_)


def busbw_of(printed: Printed, size: int, *, in_place: bool) -> float:
    return printed.busbw(size) * (printed.in_place if in_place else 1.0)


def assert_read(printed: Printed, run) -> None:
    """Sizes, times and bandwidths are those that were printed, as far as their digits go."""
    assert run.operation.program == printed.program
    assert [row.size_bytes for row in run.rows] == list(printed.sizes)
    for row in run.rows:
        for in_place, timing in row.timings:
            expected = busbw_of(printed, row.size_bytes, in_place=in_place)
            assert timing.busbw.value == pytest.approx(expected, abs=timing.busbw.rounding * 1.001)
            if not printed.host_time:
                time_us = made.seconds(printed, row.size_bytes, in_place) * 1e6
                assert timing.time_us.value == pytest.approx(time_us, abs=timing.time_us.rounding * 1.001)


@pytest.mark.parametrize(("version", "name"), VERSIONS)
def test_every_version_of_every_program_is_read(tmp_path: Path, version: str, name: str) -> None:
    """Versions before 2.14 do not name their program; where columns leave several, --collective settles it."""
    printed = Printed(program=name, version=version)
    log = read(tmp_path, text_log(printed), collective=operation_of_program(name))
    (run,) = log.runs
    assert_read(printed, run)
    assert run.ranks == 16
    assert run.hosts == ("gpu-a",) * 8 + ("gpu-b",) * 8


@pytest.mark.parametrize(
    ("version", "name", "told"),
    [
        ("2.0", "all_reduce", "all-reduce"),
        ("2.0", "reduce_scatter", "reduce-scatter"),
        ("2.0", "broadcast", "broadcast"),
        ("2.9", "all_gather", "all-gather"),
        ("2.9", "alltoall", "all-to-all"),
        ("2.9", "sendrecv", "send-recv"),
        ("2.13", "alltoall", "all-to-all"),
        ("2.13", "all_gather", "all-gather"),
        ("2.13", "reduce", "reduce"),
    ],
)
def test_a_log_without_a_name_is_told_by_its_columns(tmp_path: Path, version: str, name: str, told: str) -> None:
    log = read(tmp_path, text_log(Printed(program=name, version=version)))
    assert log.runs[0].operation.name == told
    assert any("does not name its program" in note for note in log.notes)


@pytest.mark.parametrize("name", ["gather", "scatter"])
def test_what_columns_cannot_tell_is_asked_for(tmp_path: Path, name: str) -> None:
    with pytest.raises(FormatError, match=r"run\.log:1: .* gather or scatter.*--collective gather"):
        read(tmp_path, text_log(Printed(program=name, version="2.13")))


def test_a_command_line_before_the_table_names_the_program(tmp_path: Path) -> None:
    printed = Printed(program="gather", version="2.13")
    log = read(tmp_path, "+ mpirun -np 16 ./build/gather_perf -b 1M -e 1G -f 2 -g 1\n" + text_log(printed))
    assert log.runs[0].operation.name == "gather"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("version", ["2.9", "2.19"])
def test_launchers_and_the_library_may_print_around_it(tmp_path: Path, prefix: str, version: str) -> None:
    printed = Printed(version=version)
    for seed in range(5):
        log = read(tmp_path, wrapped(text_log(printed), prefix, noise=random.Random(seed)))
        (run,) = log.runs
        assert_read(printed, run)
        assert run.ranks == 16


@pytest.mark.parametrize(
    "options",
    [
        {"timestamps": True},
        {"per_iteration": True},
        {"per_iteration": True, "timestamps": True},
        {"host_time": True},
        {"checked": False},
        {"gpus": 1},
        {"gpus": 4, "hosts": ("a", "b", "c")},
        {"hosts": ("only",)},
        {"datatype": "bfloat16"},
        {"devices": False},
        {"sizes": (8, 1 << 10, 1 << 34)},
    ],
)
def test_options_of_a_run(tmp_path: Path, options: dict[str, object]) -> None:
    printed = replace(Printed(), **options)
    for text in (text_log(printed), json_log(printed)):
        (run,) = read(tmp_path, text).runs
        assert_read(printed, run)
        assert run.ranks == printed.ranks or not printed.devices


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("schema", [1, 2, 3])
def test_json_is_read_as_the_text_is(tmp_path: Path, name: str, schema: int) -> None:
    printed = Printed(program=name, settings={"NCCL_ALGO": "Ring"})
    (run,) = read(tmp_path, json_log(printed, schema)).runs
    assert_read(printed, run)
    assert run.ranks == 16
    assert run.hosts == ("gpu-a",) * 8 + ("gpu-b",) * 8
    assert run.settings == {"NCCL_ALGO": "Ring"}, "nothing else of the environment is kept"


def test_text_in_lines_of_docker(tmp_path: Path) -> None:
    printed = Printed()
    lines = [json.dumps({"log": f"{line}\n", "stream": "stdout"}) for line in text_log(printed).splitlines()]
    assert_read(printed, read(tmp_path, "\n".join(lines)).runs[0])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("packed", [False, True])
def test_encodings_and_gzip(tmp_path: Path, encoding: str, packed: bool) -> None:
    printed = Printed()
    text = "Köln, rack 4\r\n" + text_log(printed).replace("\n", "\r\n")
    data = text.encode(encoding)
    path = tmp_path / "run.log"
    path.write_bytes(gzip.compress(data) if packed else data)
    assert_read(printed, read_log(path).runs[0])


def test_a_gzip_that_is_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    rng = random.Random(1)
    filler = "".join(f"# {rng.random()}\n" for _ in range(20_000))
    path = tmp_path / "run.log.gz"
    path.write_bytes(gzip.compress((text_log(Printed()) + filler).encode())[:-50_000])
    assert_read(Printed(), read_log(path).runs[0])


def test_several_runs_in_one_log(tmp_path: Path) -> None:
    several = [
        Printed(program=name, version=version)
        for version in ("2.9", "2.19")
        for name in ("all_reduce", "alltoall", "broadcast")
    ]
    log = read(tmp_path, made.joined(text_log(printed) for printed in several))
    assert len(log.runs) == len(several)
    for printed, run in zip(several, log.runs, strict=True):
        assert_read(printed, run)


@pytest.mark.parametrize("cut", [60, 75, 90, 110, 120])
def test_a_row_that_messages_cut_in_two_is_joined(tmp_path: Path, cut: int) -> None:
    """Standard output is flushed by the block, so that a message of the library may stand within a row."""
    printed = Printed()
    lines = text_log(printed).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("    16777216"))
    broken = [lines[at][:cut] + made.NOISE[0], made.NOISE[4], made.NOISE[1], lines[at][cut:]]
    log = read(tmp_path, "\n".join([*lines[:at], *broken, *lines[at + 1 :]]))
    assert_read(printed, log.runs[0])
    assert not log.notes


@pytest.mark.parametrize("keep", [0.35, 0.5, 0.75, 0.9])
def test_a_truncated_log_gives_its_whole_rows_and_says_so(tmp_path: Path, keep: float) -> None:
    printed = Printed(sizes=tuple(1 << power for power in range(10, 31)))
    text = text_log(printed)
    table = text.index("     1024  ")
    cut = text[: table + int((len(text) - table) * keep * 0.9)]
    log = read(tmp_path, cut)
    (run,) = log.runs
    assert [row.size_bytes for row in run.rows] == list(printed.sizes)[: len(run.rows)]
    assert 0 < len(run.rows) < len(printed.sizes)
    assert any("without its footer" in note for note in log.notes)
    last = cut.rsplit("\n", 1)[1]
    assert any("not whole" in note for note in log.notes) == (12 < len(last) < len(text.split("\n")[-9]))


def test_a_truncated_json_gives_its_whole_rows_and_says_so(tmp_path: Path) -> None:
    text = json_log(Printed())
    cut = text[: text.index('"size": 1073741824') + 30]
    log = read(tmp_path, cut)
    assert [row.size_bytes for row in log.runs[0].rows] == [1 << 20, 16 << 20, 256 << 20]
    assert "cut short" in log.notes[0]


def test_a_log_that_begins_below_its_header(tmp_path: Path) -> None:
    """The rows tell the ranks: (n - 1) / n is not exact enough, and size over count is."""
    printed = Printed(program="all_gather", hosts=tuple("abcdefgh"), gpus=8)
    rows = text_log(printed).splitlines()[-8:-4]
    (run,) = read(tmp_path, "\n".join(rows)).runs
    assert run.ranks == 64
    assert not run.hosts


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(PROGRAMS)),
    hosts=st.integers(1, 40),
    gpus=st.sampled_from([1, 4, 8]),
    peak=st.floats(0.5, 900),
    first=st.integers(8, 20),
    rows=st.integers(1, 14),
    datatype=st.sampled_from(["float", "half", "bfloat16", "int8", "double"]),
    checked=st.booleans(),
    prefix=st.sampled_from(sorted(PREFIXES)),
    seed=st.integers(0, 10_000),
)
def test_what_is_printed_is_read(
    tmp_path_factory, name, hosts, gpus, peak, first, rows, datatype, checked, prefix, seed
) -> None:
    if hosts * gpus < 2:
        hosts = 2
    ranks = hosts * gpus
    sizes = tuple((1 << power) // (16 * ranks) * 16 * ranks for power in range(first, first + rows))
    sizes = tuple(size for size in sizes if size) or (16 * ranks,)
    printed = Printed(
        program=name, hosts=tuple(f"n{host}" for host in range(hosts)), gpus=gpus, datatype=datatype, checked=checked,
        busbw=lambda size: peak * size / (size + 1e6), sizes=sizes,
    )  # fmt: skip
    text = wrapped(text_log(printed), prefix, noise=random.Random(seed))
    (run,) = read(tmp_path_factory.mktemp("logs"), text).runs
    assert_read(printed, run)
    assert run.ranks == ranks
    assert run.operation.name == operation_named(name).name


def changed(text: str, size: int, column: int, value: str) -> str:
    """The log with one number of the row of a size changed; columns count from 0."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        cells = line.split()
        if cells[:1] == [str(size)]:
            cells[column] = value
            lines[number] = "  ".join(cells)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (6, "99.00", r"run\.log:\d+: out of place: 268435456 B in 12770.4 us are 21.02 GB/s, and algbw says 99"),
        (5, "127.70", r"run\.log:\d+: out of place: .*and algbw says 21.02"),
        (
            7,
            "59.00",
            r"run\.log:\d+: .*(busbw 59 is not algbw 21.02 times 1.875|rows are not those of all_reduce_perf)",
        ),
        (11, "80.00", r"run\.log:\d+: .*(busbw 80 is not algbw|rows are not those of)"),
        (10, "2.10", r"run\.log:\d+: in place: .*algbw says 2.1"),
        (0, "134217728", r"run\.log:\d+: .*"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(tmp_path: Path, column: int, value: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as refused:
        read(tmp_path, changed(text_log(Printed()), 256 << 20, column, value))
    assert refused.value.problems[0].code == "FP6271"
    assert refused.value.problems[0].hint


def test_ranks_that_the_rows_contradict_are_refused(tmp_path: Path) -> None:
    """A header of 16 ranks above rows of 8: 2 * 7 / 8 is 1.75."""
    header = text_log(Printed()).split("#      ")[0]
    table = text_log(Printed(hosts=("a",))).split("#      ", 1)[1]
    with pytest.raises(FormatError, match=r"run\.log:\d+: the header lists 16 ranks, and the rows are those of 8"):
        read(tmp_path, header + "#      " + table)


def test_a_table_of_another_operation_under_a_name_is_refused(tmp_path: Path) -> None:
    text = text_log(Printed(program="alltoall")).replace("alltoall", "all_reduce")
    with pytest.raises(FormatError, match=r"the rows are not those of all_reduce_perf.*all-to-all"):
        read(tmp_path, text)


def test_collective_that_the_log_contradicts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"--collective broadcast, and the log is of all-reduce"):
        read(tmp_path, text_log(Printed()), collective=operation_named("broadcast"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n# nothing here\n", "no table of nccl-tests"),
        ("# OSU MPI-CUDA Allreduce Latency Test v7.0\n# Size  Avg Latency(us)\n4  12.1\n", "OSU micro-benchmarks"),
        (" #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]\n 65536 5000 391 390\n", "perftest"),
        ("[ ID] Interval  Transfer  Bitrate\n[  5] 0.00-10.00 sec 11.0 GBytes 9.41 Gbits/sec\n", "iperf"),
        ('{"jobs": [1, 2]}', "no table of nccl-tests"),
        ('{"version": 3, "args": [], "results": []}', "it has no results"),
        ('{"version": 3, "args": ["all_reduce_perf"], "results": [{"size": "many"}]}', "whole number"),
        ('{"version": 3, "args": ["all_reduce_perf"], "results": [{"size": 8, "in_place": 3}]}', "mapping"),
        ("\0\1\2\3binary" * 50, "no table of nccl-tests"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message) as refused:
        read(tmp_path, text)
    assert refused.value.problems[0].code == "FP6270"


def test_a_run_that_failed_says_why(tmp_path: Path) -> None:
    text = text_log(Printed()).split("     1048576")[0]
    text += "gpu-a: Test NCCL failure common.cu:1005 'unhandled system error (run with NCCL_DEBUG=INFO)'\n"
    with pytest.raises(
        FormatError, match=r"run\.log:\d+: the run failed before its first row .*unhandled system error"
    ):
        read(tmp_path, text)


def test_a_table_without_rows_is_refused_at_its_header(tmp_path: Path) -> None:
    text = text_log(Printed()).split("     1048576")[0]
    with pytest.raises(FormatError, match=r"run\.log:2: the header of nccl-tests has no row"):
        read(tmp_path, text)


def test_a_program_that_is_not_predicted_is_refused(tmp_path: Path) -> None:
    text = text_log(Printed(program="alltoall")).replace("alltoall_perf", "alltoallv_perf")
    with pytest.raises(FormatError, match="alltoallv_perf are not predicted") as refused:
        read(tmp_path, text)
    assert refused.value.problems[0].code == "FP6273"


def test_sizes_with_a_unit_are_those_that_the_count_makes(tmp_path: Path) -> None:
    """16 MB beside 4194304 floats are 16777216 B; 16 MB beside 4000000 of them are 16000000 B."""
    text = text_log(Printed(sizes=(16 << 20,))).replace("    16777216", "       16 MB")
    assert read(tmp_path, text).runs[0].rows[0].size_bytes == 16 << 20
    text = text_log(Printed(sizes=(16_000_000,))).replace("    16000000", "         16M")
    assert read(tmp_path, text).runs[0].rows[0].size_bytes == 16_000_000
    text = text_log(Printed(program="alltoall", sizes=(1 << 30,))).replace("  1073741824", "        1GiB")
    assert read(tmp_path, text).runs[0].rows[0].size_bytes == 1 << 30


def test_wrong_values_and_a_wrong_footer_are_said(tmp_path: Path) -> None:
    log = read(tmp_path, text_log(Printed(wrong=3)))
    assert log.runs[0].wrong > 0
    assert any("values came out wrong" in note for note in log.notes)
    lines = text_log(Printed()).splitlines()
    lines = [line for line in lines if not line.startswith("     1048576")]
    log = read(tmp_path, "\n".join(lines))
    assert any("footer's Avg bus bandwidth of 30.1177 GB/s" in note for note in log.notes)


def test_what_the_run_was_told_to_use_is_said(tmp_path: Path) -> None:
    log = read(tmp_path, text_log(Printed(settings={"NCCL_PROTO": "LL"})))
    assert any("NCCL_PROTO=LL" in note for note in log.notes)
