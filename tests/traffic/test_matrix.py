"""Demand files: REPETITA and CSV, read and written, and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest
from traffic_clusters import plain, run

from topologies.errors import FormatError, TrafficError
from traffic.formats.csv_rows import read_csv, write_csv
from traffic.formats.repetita import read_repetita, write_repetita


@pytest.fixture
def inventory():
    """h0, h1, h2 on leaf0 (nodes 0 to 3)."""
    return plain(3)


def _write(path, text):
    path.write_text(text)
    return path.name


def test_repetita_rates_are_kbps(tmp_path, inventory):
    """38,292 kbit/s is 0.038292 Gbps; equal pairs add up."""
    text = "DEMANDS 3\nlabel src dest bw\nd0 0 1 38292\nd1 2 0 1e6\nd2 2 0 500000\n"
    job = run("matrix", inventory, tmp_path, format="repetita", path=_write(tmp_path / "a.demands", text))
    flows = job.phases[0].flows
    assert list(zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True)) == [
        (0, 1, pytest.approx(0.038292)),
        (2, 0, pytest.approx(1.5)),
    ]
    assert (job.phases[0].name, job.phases[0].steady) == ("matrix", True)


def test_the_unit_can_be_given(tmp_path, inventory):
    """Mbps."""
    text = "DEMANDS 1\nlabel src dest bw\nd0 0 1 250\n"
    name = _write(tmp_path / "a.demands", text)
    job = run("matrix", inventory, tmp_path, format="repetita", path=name, unit="Mbps")
    assert job.phases[0].rate_gbps == pytest.approx(0.25)


def test_csv_names_its_nodes(tmp_path, inventory):
    """Columns in any order, blank lines skipped."""
    name = _write(tmp_path / "a.csv", "dst,src,gbps\nh1,h0,12.5\n\nh0,h2,1\n")
    flows = run("matrix", inventory, tmp_path, format="csv", path=name).phases[0].flows
    assert (flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist()) == ([0, 2], [1, 0], [12.5, 1.0])


def test_demand_to_itself_is_left_out_and_told(tmp_path, inventory):
    """Diagonals of traffic matrices."""
    name = _write(tmp_path / "a.csv", "src,dst,gbps\nh0,h0,3\n")
    with pytest.raises(
        FormatError, match="nothing is left of the demand: 1 demands from a node to itself cross no"
    ) as one:
        run("matrix", inventory, tmp_path, format="csv", path=name)
    assert one.value.problems[0].code == "FP6226"
    (tmp_path / "a.csv").write_text("src,dst,gbps\nh0,h0,3\nh0,h1,2\n")
    job = run("matrix", inventory, tmp_path, format="csv", path=name)
    assert job.warnings == ("1 demands from a node to itself cross no link and are left out",)


@pytest.mark.parametrize(
    ("format", "text"),
    [
        ("csv", "src,dst,gbps\n"),
        ("csv", "src,dst,gbps\nh0,h1,0\n"),
        ("repetita", "DEMANDS 0\nlabel src dest bw\n"),
        ("sndlib", "DEMANDS (\n)\n"),
    ],
)
def test_a_file_of_which_nothing_is_left_is_an_error(tmp_path, inventory, format, text):  # noqa: A002
    """No rows, or rates of 0."""
    with pytest.raises(FormatError, match="the file has no demand above 0"):
        run("matrix", inventory, tmp_path, format=format, path=_write(tmp_path / "a.txt", text))


def test_rows_of_equal_pairs_add_up_and_it_is_said(tmp_path, inventory):
    """1 and 2 are 3."""
    name = _write(tmp_path / "a.csv", "src,dst,gbps\nh0,h1,1\nh0,h1,2\n")
    rows = read_csv(tmp_path / name, inventory.topologies["main"])
    assert rows.notes == ("1 rows are of pairs that have one already; rates of equal pairs add up",)
    assert run("matrix", inventory, tmp_path, format="csv", path=name).phases[0].rate_gbps == pytest.approx(3)


def test_a_key_that_a_format_has_no_use_for_is_refused(tmp_path, inventory):
    """The message names the formats that have."""
    name = _write(tmp_path / "a.csv", "src,dst,gbps\nh0,h1,1\n")
    with pytest.raises(TrafficError, match="csv has no use for duration, which is for nfdump, pcap"):
        run("matrix", inventory, tmp_path, format="csv", path=name, duration="5 s")


def test_what_is_written_is_read_back(tmp_path, inventory):
    """Both formats, digits and all."""
    topology = inventory.topologies["main"]
    (tmp_path / "a.csv").write_text("src,dst,gbps\nh0,h1,0.1\nh2,h1,12345.678\n")
    rows = read_csv(tmp_path / "a.csv", topology)
    write_csv(rows, topology, tmp_path / "b.csv")
    write_repetita(rows, tmp_path / "b.demands")
    for again in (read_csv(tmp_path / "b.csv", topology), read_repetita(tmp_path / "b.demands", topology)):
        np.testing.assert_array_equal(again.src, rows.src)
        np.testing.assert_array_equal(again.dst, rows.dst)
        np.testing.assert_allclose(again.rate_gbps, rows.rate_gbps, rtol=1e-15)


HEAD = "DEMANDS 1\nlabel src dest bw\n"


@pytest.mark.parametrize(
    ("format", "text", "message"),
    [
        ("repetita", "", r"a\.txt:1:1: expected 'DEMANDS n', found the end of the file"),
        ("repetita", "NODES 3\n", r"a\.txt:1:1: expected 'DEMANDS n', found 'NODES 3'"),
        ("repetita", "DEMANDS 1\nd 0 1 2\n", r"a\.txt:2:1: expected the header 'label src dest bw'"),
        ("repetita", HEAD, r"a\.txt:1:9: DEMANDS says 1 rows, 0 follow"),
        ("repetita", f"{HEAD}d0 0 1\n", r"a\.txt:3:1: 3 fields, a row has 4"),
        ("repetita", f"{HEAD}d0 0 9 1\n", r"a\.txt:3:6: '9' is not a node; nodes are numbered 0 to 4"),
        ("repetita", f"{HEAD}d0 0 3 1\n", r"a\.txt:3:6: leaf0 is a switch"),
        ("repetita", f"{HEAD}d0 0 1 -4\n", r"a\.txt:3:8: demand is '-4'; it is a number, 0 or more"),
        ("csv", "src,dst,rate\n", r"a\.txt:1:1: expected the header src,dst,gbps, found 'src,dst,rate'"),
        ("csv", "src,dst,gbps\nh0,h9,1\n", r"a\.txt:2: star has no node 'h9' .*names are like h0"),
        ("csv", "src,dst,gbps\nh0,h1\n", r"a\.txt:2:1: 2 fields, the header has 3"),
        ("csv", "src,dst,gbps\nh0,h1,1\nh0,h1,many\n", r"a\.txt:3: demand is 'many'"),
    ],
)
def test_mistakes_in_files_have_their_line(tmp_path, inventory, format, text, message):  # noqa: A002
    """File, line and where known column."""
    with pytest.raises(FormatError, match=message):
        run("matrix", inventory, tmp_path, format=format, path=_write(tmp_path / "a.txt", text))


def test_all_mistakes_are_reported_at_once(tmp_path, inventory):
    """Two rows, two problems."""
    name = _write(tmp_path / "a.csv", "src,dst,gbps\nh0,x,1\nh0,h1,-1\n")
    with pytest.raises(FormatError, match="no node 'x'") as found:
        run("matrix", inventory, tmp_path, format="csv", path=name)
    assert [problem.line for problem in found.value.problems] == [2, 3]


def test_an_unknown_format_names_the_nearest(tmp_path, inventory):
    """A typo."""
    with pytest.raises(TrafficError, match=r"unknown demand format 'repetitta' .*did you mean 'repetita'"):
        run("matrix", inventory, tmp_path, format="repetitta", path="a")


def test_a_missing_file_is_reported(tmp_path, inventory):
    """With its path."""
    with pytest.raises(FormatError, match=r"nowhere\.csv: cannot read the file"):
        run("matrix", inventory, tmp_path, format="csv", path="nowhere.csv")


def test_csv_takes_no_other_unit(tmp_path, inventory):
    """The column says gbps."""
    name = _write(tmp_path / "a.csv", "src,dst,gbps\n")
    with pytest.raises(FormatError, match="unit kbps contradicts the column gbps"):
        run("matrix", inventory, tmp_path, format="csv", path=name, unit="kbps")
