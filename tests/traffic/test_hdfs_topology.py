"""Racks of HDFS as its own program prints them."""

from __future__ import annotations

import pytest

from topologies.errors import FormatError
from traffic.storage.hdfs_topology import read_racks

PRINTED = """Rack: /dc1/r1
   10.0.0.1:9866 (dn0.example.com) In Service
   10.0.0.2:9866 (dn1.example.com) In Service

Rack: /dc1/r2
   10.0.0.3:9866 (dn2.example.com)
   10.0.0.9:9866 (other.example.com) Decommissioned
"""


def test_servers_are_found_by_name_and_others_are_left_aside():
    assert read_racks(PRINTED, "racks.txt", ("dn2", "dn0", "dn1")).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Rack: /dc1/r1\n", "", r"racks\.txt:1: .*stands before the first rack"),
        ("(dn1.example.com)", "(dn0.example.com)", r"racks\.txt:3: dn0\.example\.com is listed twice, first on line 2"),
        ("10.0.0.2:9866 (dn1", "what is this? (dn1", r"racks\.txt:3: .*is no server and no rack"),
        ("(dn2.example.com)", "(dn7.example.com)", "server dn2 is in no rack"),
        ("(dn2.example.com)", "(dn2.example.com) Decommissioned", r"racks\.txt:6: Decommissioned: the server takes no"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_line(old, new, message):
    with pytest.raises(FormatError, match=message):
        read_racks(PRINTED.replace(old, new), "racks.txt", ("dn0", "dn1", "dn2"))
