"""A CRUSH map of the servers of a scenario, as text that ``crushtool -c`` compiles.

Buckets are the pods of the fabric where racks do not cross them, racks, and hosts; OSDs are numbered host by host,
class by class. Weights are TiB, as Ceph gives OSDs. There is a rule for every device class, and one for all; the
failure domain is the layout's. Tunables are those of Ceph since Jewel. Ceph takes a map with ``ceph osd setcrushmap
-i``; numbers of OSDs have to be those of the cluster, which for one that stands is only by chance: there, take the
rule and the buckets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fabric.share.storage.cluster import StorageCluster
from topologies.errors import ScenarioError

TIB = 2.0**40
ROOT = "default"
TYPES = ("osd", "host", "rack", "pod", "root")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_TUNABLES = (
    "choose_local_tries 0", "choose_local_fallback_tries 0", "choose_total_tries 50", "chooseleaf_descend_once 1",
    "chooseleaf_vary_r 1", "chooseleaf_stable 1", "straw_calc_version 1", "allowed_bucket_algs 54",
)  # fmt: skip


def crush_text(cluster: StorageCluster, failure_domain: str) -> str:
    """The map.

    Raises
    ------
    ScenarioError
        When the scenario does not say which OSDs servers have, or a name is none of CRUSH (FP9763).
    """
    cluster.check_devices("OSDs")
    for name in (*cluster.hosts, *cluster.racks, *cluster.pods):
        if name and not _NAME.fullmatch(name):
            raise ScenarioError(
                f"{name!r} cannot be the name of a bucket of CRUSH",
                hint="letters, digits, dots, dashes and _",
                code="FP9763",
            )
    tree = _Tree(cluster)
    parts = [
        "# begin crush map",
        *(f"tunable {text}" for text in _TUNABLES),
        "",
        "# devices",
        *(f"device {number} osd.{number} class {kind}" for number, kind, _ in tree.osds()),
        "",
        "# types",
        *(f"type {number} {name}" for number, name in enumerate(TYPES)),
        "",
        "# buckets",
        *tree.buckets(),
        "# rules",
        *_rules(cluster, failure_domain),
        "# end crush map",
    ]
    return "\n".join(parts) + "\n"


class _Tree:
    """Buckets from the hosts up."""

    def __init__(self, cluster: StorageCluster) -> None:
        self.cluster = cluster
        self.next_id = 0

    def osds(self) -> Iterator[tuple[int, str, float]]:
        """Number, class and weight of every OSD."""
        own = [one for devices in self.cluster.devices for one in [devices] * devices.count]
        for host in range(len(self.cluster.hosts)):
            for at, devices in enumerate(own):
                yield host * len(own) + at, devices.device_class, devices.size_bytes / TIB

    def buckets(self) -> Iterator[str]:
        """Hosts, racks, pods, the root; every bucket after what is in it."""
        cluster = self.cluster
        osds = list(self.osds())
        each = len(osds) // len(cluster.hosts)
        weight = sum(one[2] for one in osds[:each])
        level = {}
        for at, host in enumerate(cluster.hosts):
            items = [(f"osd.{number}", size) for number, _, size in osds[at * each : (at + 1) * each]]
            yield from self._bucket("host", host, items)
            level[host] = weight
        racks = dict(zip(cluster.hosts, cluster.racks, strict=True))
        pods = dict(zip(cluster.racks, cluster.pods, strict=True))
        for kind, above in (("rack", racks), ("pod", pods)):
            if not all(above.get(name, "") for name in level):
                continue
            groups: dict[str, list[tuple[str, float]]] = {}
            for name, size in level.items():
                groups.setdefault(above[name], []).append((name, size))
            level = {}
            for name, items in groups.items():
                yield from self._bucket(kind, name, items)
                level[name] = sum(size for _, size in items)
        yield from self._bucket("root", ROOT, list(level.items()))

    def _bucket(self, kind: str, name: str, items: list[tuple[str, float]]) -> Iterator[str]:
        self.next_id -= 1
        yield f"{kind} {name} {{"
        yield f"\tid {self.next_id}"
        yield "\talg straw2"
        yield "\thash 0"
        yield from (f"\titem {item} weight {size:.5f}" for item, size in items)
        yield "}"


def rule_names(cluster: StorageCluster) -> dict[str, int]:
    """Numbers of the rules by name: all OSDs, then by class."""
    classes = dict.fromkeys(one.device_class for one in cluster.devices)
    return {name: number for number, name in enumerate((cluster.id, *(f"{cluster.id}-{kind}" for kind in classes)))}


def _rules(cluster: StorageCluster, failure_domain: str) -> Iterator[str]:
    classes = ["", *dict.fromkeys(f" class {one.device_class}" for one in cluster.devices)]
    for (name, number), only in zip(rule_names(cluster).items(), classes, strict=True):
        yield f"rule {name} {{"
        yield f"\tid {number}"
        yield f"\ttype {'erasure' if cluster.erasure else 'replicated'}"
        yield "\tmin_size 1"  # Ceph before 17 asks for both, later versions read over them
        yield f"\tmax_size {max(10, cluster.members)}"
        if cluster.erasure:
            yield "\tstep set_chooseleaf_tries 5"
            yield "\tstep set_choose_tries 100"
        yield f"\tstep take {ROOT}{only}"
        yield f"\tstep chooseleaf {'indep' if cluster.erasure else 'firstn'} 0 type {failure_domain}"
        yield "\tstep emit"
        yield "}"
