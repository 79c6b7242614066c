"""Feeding demand formats: files by name, keys, and what the reader makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feeding import Outcome
from traffic_clusters import plain

from traffic.workload import DEMAND_FORMATS

ADDRESSES = "address,node\n" + "".join(f"10.0.0.{host + 1},h{host}\nfd00::{host + 1},h{host}\n" for host in range(4))


@dataclass(frozen=True)
class Files:
    """Files of a folder; the reader is given the one called ``path``, or the folder where that is empty."""

    files: Mapping[str, str | bytes]
    path: str = "f"
    keys: Mapping[str, Any] = field(default_factory=dict)


def one(content: str | bytes, **keys: Any) -> Files:
    """One file."""
    return Files({"f": content}, keys=keys)


def reader_of(name: str) -> Callable[[Files, Path], Outcome]:
    """Reads files by the format ``name``."""

    def read(document: Files, folder: Path) -> Outcome:
        (folder / "in").mkdir()
        for file, content in document.files.items():
            data = content.encode() if isinstance(content, str) else content
            (folder / "in" / file).write_bytes(data)
        entry = DEMAND_FORMATS[name]
        keys = {key: folder / "in" / value if key == "received" else value for key, value in document.keys.items()}
        if "addresses" in entry.model.model_fields:
            (folder / "addresses.csv").write_text(ADDRESSES)
            keys = {"addresses": folder / "addresses.csv", "max_unknown": 1.0, **keys}
        topology = plain(4).topologies["main"]
        rows = entry.function(path=folder / "in" / document.path, topology=topology, **keys)
        table = sorted(zip(rows.src.tolist(), rows.dst.tolist(), rows.rate_gbps.round(15).tolist(), strict=True))
        return Outcome((table, rows.queue_pairs), (*rows.warnings, *rows.notes))

    return read
