"""Local volumes of the servers for Kubernetes: a StorageClass a device class, a PersistentVolume a device.

Volumes are local: their node is the server, by ``kubernetes.io/hostname`` and by the label that says its group of first
switches, as ``fabric export labels`` writes it. Classes bind late (``WaitForFirstConsumer``), so that a pod goes where
topology lets it and its volume with it. Written as JSON documents one after another, which is YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from fabric.share.storage.cluster import StorageCluster
from topologies.errors import ScenarioError

FILE = "volumes.yaml"
HOSTNAME = "kubernetes.io/hostname"
_NODE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_GIB = 2**30


def manifests(cluster: StorageCluster) -> Iterator[dict[str, Any]]:
    """Storage classes, then volumes.

    Raises
    ------
    ScenarioError
        When the scenario does not say which devices servers have, or a host cannot be the name of a node (FP9763).
    """
    cluster.check_devices("devices")
    for host in cluster.hosts:
        if not _NODE.fullmatch(host) or len(host) > 63:
            raise ScenarioError(
                f"{host!r} cannot be the name of a node of Kubernetes",
                hint="63 small letters, digits, dots and dashes at most",
                code="FP9763",
            )
    for kind in dict.fromkeys(one.device_class for one in cluster.devices):
        yield {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": _named(f"{cluster.id}-{kind}")},
            "provisioner": "kubernetes.io/no-provisioner",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Retain",
        }
    for at, host in enumerate(cluster.hosts):
        for devices in cluster.devices:
            for number in range(devices.count):
                yield _volume(cluster, at, host, devices.device_class, devices.size_bytes, number)


def _volume(cluster: StorageCluster, at: int, host: str, kind: str, size: float, number: int) -> dict[str, Any]:
    terms = [{"key": HOSTNAME, "operator": "In", "values": [host]}]
    terms += [{"key": key, "operator": "In", "values": [value]} for key, value in cluster.labels[at].items()]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _named(f"{cluster.id}-{host}-{kind}-{number}")},
        "spec": {
            "capacity": {"storage": f"{int(size // _GIB)}Gi"},
            "volumeMode": "Filesystem",
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": _named(f"{cluster.id}-{kind}"),
            "local": {"path": f"/mnt/disks/{kind}-{number}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": terms}]}},
        },
    }


def _named(text: str) -> str:
    """A name of an object: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9.-]", "-", text.lower())


def volumes_text(cluster: StorageCluster) -> str:
    """All documents."""
    return "".join(f"---\n{json.dumps(one, indent=1)}\n" for one in manifests(cluster))
