"""Tables of addresses: prefixes, ports, IPv6, and rows that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from traffic_clusters import plain

from topologies.errors import FormatError
from traffic.addresses import AddressBook


def book(folder: Path, rows: str) -> AddressBook:
    (folder / "a.csv").write_text(f"address,node\n{rows}")
    return AddressBook(plain(4).topologies["main"], folder / "a.csv")


TABLE = """10.0.0.0/24,h0
10.0.0.128/25,h1
10.0.0.7,h2
10.0.0.8:9100,h2
10.0.0.9:1,h2
10.0.0.9:2,h3
fd00::/64,h3
FD00:0:0:1::1,h1
[fd00:0:0:2::1]:9100,h2
gpu7.example:9100,h1
"""


@pytest.mark.parametrize(
    ("address", "node"),
    [
        ("10.0.0.1", 0), ("10.0.0.200", 1), ("10.0.0.7", 2), ("10.0.0.7:9100", 2), ("10.0.0.8:9100", 2),
        ("10.0.0.8", 2),
        ("10.0.0.9:1", 2), ("10.0.0.9:2", 3), ("10.0.0.9", None), ("10.1.0.1", None), ("fd00::5", 3),
        ("fd00::1:0:0:0:1", 1), ("[fd00::5]:9100", 3), ("fd00:0:0:2::1", 2), ("fd00::5%eth0", 3), ("fd00:9::1", None),
        ("gpu7.example:9100", 1), ("gpu7.example", 1), ("gpu7.example:9200", 1), ("h2", 2), ("h2:9100", 2),
        ("leaf0", None), ("nobody", None),
    ],
)  # fmt: skip
def test_an_address_is_looked_up_as_written_then_without_its_port_then_by_prefix(tmp_path, address, node):
    """The longest prefix wins; an address whose ports are of two nodes is of neither without its port."""
    assert book(tmp_path, TABLE).node(address) == node


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("10.0.0.1,h0\n10.0.0.1,h1\n", r"a\.csv:3: 10\.0\.0\.1 is h1 here and h0 in line 2"),
        ("fd00::1,h0\nFD00:0::1,h1\n", r"a\.csv:3: FD00:0::1 is h1 here and h0 in line 2"),
        ("10.0.0.1/24,h0\n", r"a\.csv:2: '10\.0\.0\.1/24' is not a prefix"),
        ("10.0.0.1,h9\n", r"a\.csv:2: star has no node 'h9'"),
        (",h0\n", r"a\.csv:2: a row is address,node"),
        ("10.0.0.1\n", r"a\.csv:2:1: 1 fields, the header has 2"),
        ('"10.0.0.1,h0\n', r"a\.csv:2: not CSV"),
    ],
)
def test_rows_that_cannot_be_are_refused(tmp_path, rows, message):
    """With their line."""
    with pytest.raises(FormatError, match=message):
        book(tmp_path, rows)


def test_the_same_row_twice_is_no_contradiction(tmp_path):
    """Tables are put together from several."""
    assert book(tmp_path, "10.0.0.1,h0\n10.0.0.1,h0\n").node("10.0.0.1") == 0


def test_the_share_counts_bytes_and_not_addresses(tmp_path):
    """One stranger of 10 bytes, one of 20, in 100; and 5 that stay in a host."""
    addresses = book(tmp_path, "10.0.0.1,h0\n10.0.0.2,h1\n10.0.0.3,h1\n")
    for src, dst, size in (("10.0.0.1", "10.0.0.2", 65), ("10.9.0.1", "10.0.0.2", 10), ("10.0.0.1", "10.9.0.2", 20),
                           ("10.0.0.2", "10.0.0.3", 5)):  # fmt: skip
        addresses.pair(src, dst, size)
    assert addresses.warnings() == (
        "2 addresses belong to no endpoint: 10.9.0.2, 10.9.0.1; 30.0 % of the bytes are left out with them",
        "5 B from a node to itself cross no link and are left out",
    )


def test_former_names_in_a_table_are_read_as_the_present_ones_and_said(tmp_path):
    addresses = book(tmp_path, "10.0.0.1,h000\n10.0.0.2,h1\n")
    assert addresses.pair("10.0.0.1", "10.0.0.2", 10.0) is not None
    assert any("former names" in text and "h000 is h0" in text for text in addresses.warnings())
