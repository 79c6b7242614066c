"""A small storage cluster for tests: 8 clients and 8 servers, two of each under a leaf, racks of two servers."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario
from fabric.share.storage.cluster import storage_workload
from fabric.share.storage.layouts import StorageAnswer, place_storage


def lake_text(servers: int = 8, **workload: Any) -> str:
    """leaf i has hosts of both groups: gpu(i), osd(i); the fabric is oversubscribed 2:1."""
    keys: dict[str, Any] = {
        "id": "lake", "kind": "storage", "servers": "osd", "clients": "gpu", "replication": 3, "read": "80 Gb/s",
        "write": "8 Gb/s", "stored": "200 TB",
        "devices": [{"class": "nvme", "count": 2, "size": "8 TB"}, {"class": "hdd", "count": 6, "size": "22 TB"}],
        "recovery": {"within": "6 h", "when": "host-loss"}, **workload,
    }  # fmt: skip
    switches = [
        {"name": "leaf{index}", "count": 4, "role": "leaf", "model": "eth-32x100"},
        {"name": "spine{index}", "count": 2, "role": "spine", "level": 2, "model": "eth-32x100"},
    ]
    hosts = [*(f"gpu{at}" for at in range(8)), *(f"osd{at}" for at in range(servers))]
    cables = [{"ends": [host, f"leaf{int(host[3:]) // 2 % 4}"], "speed": "100G"} for host in hosts]
    cables += [{"ends": [f"leaf{leaf}", f"spine{at}"], "speed": "100G"} for leaf in range(4) for at in range(2)]
    nic = {"front": {"model": "cx6-100"}}
    return yaml.safe_dump(
        {
            "version": 1,
            "name": "lake",
            "nodes": [
                {"group": "gpu", "count": 8, "gpus": 1, "name": "gpu{index}", "per_rack": 2, "nics": nic},
                {"group": "osd", "count": servers, "name": "osd{index}", "per_rack": 2, "nics": nic},
            ],
            "fabrics": {"front": {"topology": {"kind": "explicit", "switches": switches, "cables": cables}}},
            "workloads": [{key: value for key, value in keys.items() if value is not None}],
            "limits": [{"fabric": "front", "metric": "utilisation", "max": "100%"}],
        }
    )


def lake(folder: Any, servers: int = 8, **workload: Any) -> Run:
    """The same, routed."""
    path = folder / "lake.yaml"
    path.write_text(lake_text(servers, **workload))
    return run_scenario(load_scenario(path), RouteRequest())


def made_answer() -> StorageAnswer:
    """The layouts of the same."""
    with TemporaryDirectory() as folder:
        run = lake(Path(folder))
        return place_storage(run, storage_workload(run.loaded.scenario.workloads, None))
