"""Racks of HDFS servers: a table for Hadoop's ``TableMapping``, a script for ``ScriptBasedMapping``, what to see then.

All servers have a path of the same depth, as HDFS demands: ``/RACK``, or ``/POD/RACK`` where the fabric has pods that
racks do not cross. Hadoop makes addresses of names before it asks (``CachedDNSToSwitchMapping``), so that table and
script know every server by both: its name in the scenario, and its IPv4 addresses on the fabric of the workload, by the
plan that ``fabric export addresses`` writes. A server with another address is in the default rack.
"""

from __future__ import annotations

from collections.abc import Iterator

from fabric.share.storage.cluster import StorageCluster
from topologies.errors import ScenarioError

TABLE, SCRIPT, PRINTED = "topology.map", "topology.sh", "print-topology.txt"
PORT = 9866  # of a data node: dfs.datanode.address

_SCRIPT = """\
#!/bin/sh
# Rack of every host that is asked for, by {table} beside this script: net.topology.script.file.name.
# Hadoop asks by address. Addresses are those of fabric {fabric}, as "fabric export addresses" plans them: where a data
# node has another, name it in {table}.
# Unknown hosts are in {default}, which has the depth of all others.
here=$(dirname "$0")
for host in "$@"; do
    awk -v host="$host" -v rack={default} '$1 "" == host "" {{ rack = $2 }} END {{ print rack }}' "$here/{table}"
done
"""


def rack_paths(cluster: StorageCluster) -> dict[str, str]:
    """Path of every server.

    Raises
    ------
    ScenarioError
        When the scenario does not say how servers stand in racks (FP9764).
    """
    if not all(cluster.racks):
        raise ScenarioError(
            f"the scenario does not say how the servers of {cluster.id} stand in racks",
            where=("nodes",),
            hint="give per_rack of the group, or a site",
            code="FP9764",
        )
    paths = {}
    for host, rack, pod in zip(cluster.hosts, cluster.racks, cluster.pods, strict=True):
        paths[host] = "".join(f"/{word.replace('/', '-').replace(' ', '')}" for word in (pod, rack) if word)
    return paths


def hdfs_files(cluster: StorageCluster) -> Iterator[tuple[str, str]]:
    """Names and texts."""
    paths, addresses = rack_paths(cluster), cluster.find_addresses()
    own = dict(zip(cluster.hosts, addresses, strict=True))
    yield TABLE, "".join(f"{name}\t{path}\n" for host, path in paths.items() for name in (host, *own[host]))
    depth = next(iter(paths.values())).count("/")
    default = "/default-pod/default-rack" if depth == 2 else "/default-rack"
    yield SCRIPT, _SCRIPT.format(table=TABLE, default=default, fabric=cluster.fabric)
    racks: dict[str, list[str]] = {}
    for host, path in paths.items():
        racks.setdefault(path, []).append(host)
    lines = []
    for path, hosts in racks.items():
        lines += [f"Rack: {path}", *(f"   {own[host][0]}:{PORT} ({host})" for host in hosts), ""]
    yield PRINTED, "\n".join(lines)
