"""Flow records: both directions, every version's columns, times, summaries, several exporters."""

from __future__ import annotations

from pathlib import Path

import pytest
from traffic_clusters import plain, run

from topologies.errors import FormatError
from traffic.formats.nfdump import read_nfdump

MEASURED = Path(__file__).parent / "measured"
ADDRESSES = "address,node\n" + "".join(f"10.0.0.{host + 1},h{host}\n" for host in range(4))


def rows(folder: Path, text: str, **keys):
    (folder / "flows.csv").write_text(text)
    (folder / "a.csv").write_text(ADDRESSES)
    return read_nfdump(folder / "flows.csv", plain(4).topologies["main"], addresses=folder / "a.csv", **keys)


def rates(read) -> dict[tuple[int, int], float]:
    triples = zip(read.src.tolist(), read.dst.tolist(), read.rate_gbps.tolist(), strict=True)
    return {(src, dst): pytest.approx(rate, rel=1e-9) for src, dst, rate in triples}


@pytest.mark.parametrize("name", ["both-ways.csv", "one-way.csv"])
def test_both_directions_of_a_record_count(tmp_path, name):
    """nfdump -B and without: 1 GB one way and 3 GB back in 59 s."""
    (tmp_path / "a.csv").write_text(ADDRESSES)
    job = run("matrix", plain(4), tmp_path, format="nfdump", path=str(MEASURED / name), addresses="a.csv")
    flows = job.phases[0].flows
    triples = zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)
    assert {(src, dst): rate for src, dst, rate in triples} == {
        (0, 1): pytest.approx(8 / 59), (1, 0): pytest.approx(24 / 59)}  # fmt: skip


SINCE_173 = (
    "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,bpp,bps,flows\n"
    "2026-11-01 10:00:00.000,00:00:04.000,6,10.0.0.1,1,10.0.0.2,2,100,1000000,10,80,1\n"
    "2026-11-01 10:00:05.000,00:00:05.000,6,10.0.0.2,2,10.0.0.1,1,100,500000,10,80,1\n"
)
FAST = (
    "cnt,af,firstSeen,lastSeen,proto,srcAddr,srcPort,dstAddr,dstPort,srcAS,dstAS,input,output,flags,srcTos,packets,"
    "bytes\n"
    "1,2,1793527200000,1793527204000,6,10.0.0.1,1,10.0.0.2,2,0,0,1,2,........,0,100,1000000\n"
    "2,2,1793527205000,1793527210000,6,10.0.0.2,2,10.0.0.1,1,0,0,1,2,........,0,100,500000\n"
)
OWN = (
    "firstSeen,lastSeen,srcAddr,dstAddr,inBytes,outBytes\n"
    "1793527200.000,1793527210.000,10.0.0.1,10.0.0.2,1000000,500000\n"
)


@pytest.mark.parametrize("text", [SINCE_173, FAST, OWN], ids=["1.7.3", "csv-fast", "csv:%tsr,%ter,%sa,%da,%ibyt,%obyt"])
def test_columns_of_every_version_give_the_same(tmp_path, text):
    """1 MB and 0.5 MB in 10 s: a duration in place of an end, milliseconds, seconds; both directions in one record."""
    assert rates(rows(tmp_path, text)) == {(0, 1): 0.8e-3, (1, 0): 0.4e-3}


def test_outputs_that_were_put_together_are_read(tmp_path):
    """The header again in between."""
    head, first, second = SINCE_173.splitlines(keepends=True)
    assert rates(rows(tmp_path, head + first + head + second)) == {(0, 1): 0.8e-3, (1, 0): 0.4e-3}


SUMMARY = "Summary\nflows,bytes,packets,avg_bps,avg_pps,avg_bpp\n2,{},200,0,0,0\n"


def test_the_summary_is_held_against_the_records(tmp_path):
    """1.5 MB are; a way back that was not printed shows there."""
    assert rates(rows(tmp_path, SINCE_173 + SUMMARY.format(1_500_000)))
    with pytest.raises(
        FormatError, match=r"flows\.csv:6:1: the Summary says 4,500,000 bytes, the records add up to 1,500,000"
    ):
        rows(tmp_path, SINCE_173 + SUMMARY.format(4_500_000))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",1000000,", ",1.0 M,", r"flows\.csv:2: .*'1\.0 M' is rounded; print plain numbers: nfdump -N"),
        (",1000000,", ",-5,", r"flows\.csv:2: .*'-5' is not a number of bytes"),
        ("2026-11-01 10:00:00.000", "never", r"flows\.csv:2: a record is not understood"),
        ("srcAddr", "dstAddr", r"columns sa are missing|the column 'dstAddr' appears twice"),
        ("firstSeen,duration", "ts,val", r"val: statistics of nfdump -s"),
        (",", ";", "separate the columns with commas"),
        ("10.0.0.1", '"10.0.0.1', "not CSV"),
        ("10.0.0.1", "10.0.0.1\0", "not CSV: a NUL character"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path, old, new, message):
    """With file and line."""
    with pytest.raises(FormatError, match=message):
        rows(tmp_path, SINCE_173.replace(old, new))


def test_one_moment_tells_no_rate(tmp_path):
    """All records begin and end together."""
    text = "ts,te,sa,da,ibyt\n2026-11-01 10:00:00,2026-11-01 10:00:00,10.0.0.1,10.0.0.2,1000\n"
    with pytest.raises(FormatError, match=r"all records \(1 kB\) have the same time"):
        rows(tmp_path, text)
    assert rates(rows(tmp_path, text, duration=10.0)) == {(0, 1): 8e-7}


TWO_EXPORTERS = (
    "ts,te,sa,da,sp,dp,pr,ibyt,dir,ra\n"
    "2026-11-01 10:00:00,2026-11-01 10:00:10,10.0.0.1,10.0.0.2,1,2,TCP,1000000,0,127.0.0.1\n"
    "2026-11-01 10:00:00,2026-11-01 10:00:10,10.0.0.1,10.0.0.2,1,2,TCP,900000,{}\n"
)


@pytest.mark.parametrize("teller", ["0,127.0.0.2", "1,127.0.0.1"], ids=["two routers", "ingress and egress"])
def test_a_flow_that_two_tell_of_is_for_the_user_to_decide(tmp_path, teller):
    """1 MB, of which another router, or the same one on the way out, saw 0.9."""
    text = TWO_EXPORTERS.format(teller)
    with pytest.raises(FormatError, match=r"1 flows are told of by several exporters.*47\.4 % of the bytes") as refusal:
        rows(tmp_path, text)
    assert refusal.value.problems[0].code == "FP6228"
    assert rates(rows(tmp_path, text, repeats="once")) == {(0, 1): 0.8e-3}
    assert rates(rows(tmp_path, text, repeats="all")) == {(0, 1): 1.52e-3}


def test_the_share_of_strangers_is_said_and_a_matrix_without_most_traffic_refused(tmp_path):
    """0.5 of 1.5 MB are of a stranger; then all."""
    text = SINCE_173.replace("10.0.0.2,2,10.0.0.1,1", "10.0.0.7,2,10.0.0.1,1")
    assert rows(tmp_path, text).warnings == (
        "1 address belongs to no endpoint: 10.0.0.7; 33.3 % of the bytes are left out with them",
    )
    strangers = SINCE_173.replace("10.0.0.", "10.9.9.")
    with pytest.raises(FormatError, match=r"2 addresses belong to no endpoint: .*; 100\.0 % of the bytes"):
        rows(tmp_path, strangers)
    with pytest.raises(FormatError, match="nothing is left of the demand: 2 addresses belong to no endpoint"):
        run("matrix", plain(4), tmp_path, format="nfdump", path="flows.csv", max_unknown=1.0)
