"""Feeds of HDFS' topology."""

from __future__ import annotations

from pathlib import Path

from feeding import Feed, Outcome, ReaderFeeds

from traffic.storage.hdfs_topology import FIELDS, read_racks

SERVERS = ("dn0", "dn1", "dn2")


def topology(*, rack: str = "/a", name: str = "dn1", state: str = "") -> str:
    return f"Rack: /a\n   10.0.0.1:9866 (dn0.example)\n   10.0.0.2:9866 ({name}){state}\n\nRack: {rack}\n   dn2:9866\n"


def read(document: str, folder: Path) -> Outcome:
    return Outcome(read_racks(document, str(folder / "racks.txt"), SERVERS).tolist())


READERS = [
    ReaderFeeds(
        "storage",
        "hdfs topology",
        read,
        {
            "Rack": Feed(topology(), topology(rack="/b")),
            "(": Feed(topology(), topology(name="other"), raises=True),
            **{
                field.name: Feed(topology(), topology(state=f" {field.name}"))
                for field in FIELDS
                if field.name not in ("Rack", "(")
            },
        },
        unknown=Feed(topology(), topology(state=" Quite Unheard Of")),
        unknown_name="Quite Unheard Of",
    )
]
