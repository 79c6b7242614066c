"""The files of a layout as a folder: a CRUSH map, racks of HDFS, volumes of Kubernetes; and the map read back."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fabric.output.whole_folder import FolderKind, check_folder, whole_folder
from fabric.share.storage.cluster import NEARFULL, StorageCluster
from fabric.share.storage.crush_map import crush_text
from fabric.share.storage.hdfs_files import SCRIPT, hdfs_files
from fabric.share.storage.volumes import FILE, volumes_text
from topologies.errors import ScenarioError
from topologies.units import percent
from traffic.storage.crush import read_crush_map

STORAGE = FolderKind("a storage layout", ScenarioError, "FP9765")
CRUSH = "crush-map.txt"
FORMS = ("crush", "hdfs", "volumes")
_GROUPS = 1024


def check_storage_folder(folder: Path, *, force: bool) -> None:
    """Refuse a place that cannot become such a folder (FP9765)."""
    check_folder(folder, STORAGE, force=force)


def storage_files(cluster: StorageCluster, failure_domain: str, forms: Sequence[str] = FORMS) -> dict[str, str]:
    """Texts by path of some of the formats.

    Raises
    ------
    ScenarioError
        When the scenario does not say what a format needs (FP9763, FP9764).
    """
    made: dict[str, str] = {}
    if "crush" in forms:
        made[CRUSH] = crush_text(cluster, failure_domain)
    if "hdfs" in forms:
        made |= {f"hdfs/{name}": text for name, text in hdfs_files(cluster)}
    if "volumes" in forms:
        made[f"kubernetes/{FILE}"] = volumes_text(cluster)
    return made


def possible_forms(cluster: StorageCluster) -> tuple[str, ...]:
    """Formats that the scenario says enough for.

    Raises
    ------
    ScenarioError
        When there is none (FP9763).
    """
    needs = {"crush": bool(cluster.devices), "hdfs": all(cluster.racks), "volumes": bool(cluster.devices)}
    forms = tuple(form for form in FORMS if needs[form])
    if not forms:
        raise ScenarioError(
            f"there is nothing to write: the scenario says neither which devices the servers of {cluster.id} "
            "have, nor how they stand in racks",
            hint="devices: [{class: nvme, count: 24, size: 7.68 TB}] in the workload, per_rack in the group",
            code="FP9763",
        )
    return forms


def write_storage(
    cluster: StorageCluster, failure_domain: str, folder: Path, *, forms: Sequence[str], force: bool
) -> tuple[tuple[str, ...], str]:
    """Write the folder; what is in it, and how the CRUSH map was read back, in words.

    Raises
    ------
    ScenarioError
        When the scenario does not say what a format needs, it cannot be written (FP9765), or the map does not do what
        it should (FP9766).
    """
    files = storage_files(cluster, failure_domain, forms)
    said = ""
    with whole_folder(folder, STORAGE, force=force) as beside:
        for name, text in files.items():
            (beside / name).parent.mkdir(parents=True, exist_ok=True)
            (beside / name).write_text(text, "utf-8")
            if name.endswith(SCRIPT):
                (beside / name).chmod(0o755)
        if CRUSH in files:
            said = read_back(beside / CRUSH, cluster, failure_domain)
    return tuple(files), said


def read_back(path: Path, cluster: StorageCluster, failure_domain: str) -> str:
    """Map placement groups by Ceph's own ``crushtool`` and look whether two of their parts share a failure domain.

    Raises
    ------
    FormatError
        When crushtool refuses the map (FP6213).
    ScenarioError
        When parts of one object share a failure domain, or a group finds too few OSDs (FP9766): the map is not written.
    """
    if shutil.which("crushtool") is None:
        return "crushtool is not installed: the CRUSH map was not read back"
    hosts, members = read_crush_map(path, CRUSH, 0, _GROUPS, cluster.members)
    domain_of = dict(zip(cluster.hosts, cluster.racks if failure_domain == "rack" else cluster.hosts, strict=True))
    names = np.array([domain_of[host] for host in hosts])
    several = [len(set(names[row].tolist())) for row in members]
    if (members < 0).any() or min(several) < cluster.members:
        raise ScenarioError(
            f"crushtool puts parts of one object into the same {failure_domain}, or finds too few OSDs",
            hint="more racks or hosts than parts of an object, or failure_domain: host",
            code="FP9766",
        )
    return (
        f"crushtool maps {_GROUPS:,} placement groups by the CRUSH map: no two parts of one are in the same "
        f"{failure_domain}"
    )


def fullness(cluster: StorageCluster) -> str:
    """What is to be said about how full the servers become; '' where Ceph would not warn."""
    if cluster.fullest is None or cluster.fullest <= NEARFULL:
        return ""
    return (
        f"the fullest server is {percent(cluster.fullest)} full, above the {percent(NEARFULL, 0)} at which Ceph warns"
    )
