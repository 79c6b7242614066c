"""Sizes of messages as nccl-tests takes them on its command line, and as it runs them."""

from __future__ import annotations

import pytest

from fabric.expect.nccl_tests import message_of, rate
from fabric.expect.request import collectives_of
from fabric.expect.sizes import parse_sizes, sizes_text
from topologies.errors import ScenarioError
from traffic.bare_collective import OPERATIONS, bus_factor

KIB, MIB, GIB = 2.0**10, 2.0**20, 2.0**30


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("1M", [MIB]),
        ("1m", [MIB]),
        ("1MB", [1e6]),
        ("1MiB", [MIB]),
        ("8", [8.0]),
        ("1M:16M", [MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB]),
        ("1M:20M", [MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB]),
        ("1K:64K:4", [KIB, 4 * KIB, 16 * KIB, 64 * KIB]),
        ("1G:2G:1.5", [GIB, 1.5 * GIB]),
        ("1M:4M:+1M", [MIB, 2 * MIB, 3 * MIB, 4 * MIB]),
        ("1G, 1M ,1M", [MIB, GIB]),
        ("1M:4M,3M", [MIB, 2 * MIB, 3 * MIB, 4 * MIB]),
        ("1.5 GiB", [1.5 * GIB]),
        ("1T", [2.0**40]),
    ],
)
def test_sizes_are_read_as_nccl_tests_reads_them(text: str, sizes: list[float]) -> None:
    """-b, -e, -f and -i in one text; a letter alone is a power of 1024."""
    assert list(parse_sizes(text)) == pytest.approx(sizes)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("", "is not a message size"),
        ("big", "is not a message size"),
        ("1Mb", "unknown unit 'Mb'"),
        ("1 Gb/s", "unknown unit 'Gb/s'"),
        ("-1M", "less than one element"),
        ("0", "less than one element"),
        ("3", "less than one element"),
        ("nan", "is not a message size"),
        ("1e999", "too large"),
        ("16G:1M", "goes from 16G down to 1M"),
        ("1M:", "is not a message size"),
        (":16G", "is not a message size"),
        ("1M:16G:1", "not a factor above 1"),
        ("1M:16G:0.5", "not a factor above 1"),
        ("1M:16G:x", "not a factor between sizes"),
        ("1M:16G:inf", "not a factor above 1"),
        ("1M:16G:+0", "less than one element"),
        ("1:2:3:4", "is no range of sizes"),
        ("8:16G:+8", "more than 1,000 sizes"),
        ("1M:16G:1.0000001", "more than 1,000 sizes"),
        ("1M,,2M", "is not a message size"),
    ],
)
def test_nonsense_is_refused_with_an_example(text: str, refused: str) -> None:
    """The message has the value and how to write it."""
    with pytest.raises(ValueError, match=r".") as error:
        parse_sizes(text)
    assert refused in str(error.value)


def test_the_range_in_short() -> None:
    """First and last."""
    assert sizes_text(parse_sizes("1M:16G")) == "1M to 16G"
    assert sizes_text(parse_sizes("8")) == "8"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all-reduce", ("all-reduce",)),
        ("all_reduce_perf", ("all-reduce",)),
        ("AllReduce", ("all-reduce",)),
        ("alltoall,sendrecv_perf,alltoall", ("all-to-all", "send-recv")),
        ("all", OPERATIONS),
    ],
)
def test_collectives_go_by_the_names_of_the_programs(text: str, names: tuple[str, ...]) -> None:
    """Each once, in the order given."""
    assert collectives_of(text) == names


@pytest.mark.parametrize("text", ["all-reduse", "", ",", "all-reduce,gossip"])
def test_an_unknown_collective_is_refused_with_the_nearest(text: str) -> None:
    """A slip names what it may have meant."""
    with pytest.raises(ScenarioError) as error:
        collectives_of(text)
    assert error.value.problems[0].code == "FP4015"
    assert error.value.problems[0].hint


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("ranks", [2, 3, 7, 128, 2048])
def test_messages_are_whole_and_stay_so(operation: str, ranks: int) -> None:
    """A part of every rank is a multiple of 16 bytes, and a size that was run is run again as it is."""
    for size in (16.0 * ranks, 1e6, MIB, 3.3 * GIB):
        message = message_of(operation, size, ranks)
        assert size - 16 * ranks < message.size_bytes <= size
        assert message_of(operation, message.size_bytes, ranks) == message
        in_parts = operation in ("all-gather", "reduce-scatter", "all-to-all")
        assert message.count * 4 * (ranks if in_parts else 1) == message.size_bytes
        assert not in_parts or message.count % 4 == 0


@pytest.mark.parametrize("operation", OPERATIONS)
def test_both_bandwidths_are_those_that_the_programs_print(operation: str) -> None:
    """1 GB in 10 ms is 100 GB/s; the bus factor of 16 ranks is that of PERFORMANCE.md."""
    share = 15 / 16
    factor = {
        "all-reduce": 2 * share, "reduce-scatter": share, "all-gather": share, "all-to-all": share,
        "broadcast": 1.0, "reduce": 1.0, "send-recv": 1.0,
    }[operation]  # fmt: skip
    shown = rate(operation, 16, 1e9, 0.01)
    assert shown.algbw_gbytes_per_s == pytest.approx(100.0)
    assert shown.busbw_gbytes_per_s == pytest.approx(100.0 * factor)
    assert bus_factor(operation, 16) == pytest.approx(factor)
