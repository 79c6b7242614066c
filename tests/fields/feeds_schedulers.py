"""Every declared field of host files, Slurm and Kubernetes, fed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from feeding import Feed, Outcome, ReaderFeeds

from traffic.parallelism import Parallelism
from traffic.placement import Placement, PlacementSite
from traffic.schedulers.kubernetes_fields import CONDITIONS
from traffic.schedulers.kubernetes_fields import FIELDS as KUBERNETES_FIELDS
from traffic.schedulers.slurm_fields import COLUMNS, STATES, SUFFIXES
from traffic.schedulers.slurm_fields import FIELDS as SLURM_FIELDS

HOSTS = ("n0", "n1", "n2", "n3")


def placed(order: str, name: str) -> Callable[[Any, Path], Outcome]:
    """Place eight ranks (or as many as the document says) by a file."""

    def read(document: tuple[str, Mapping[str, Any]], folder: Path) -> Outcome:
        text, keys = document
        (folder / name).write_text(text)
        given = dict(keys)
        ranks = given.pop("ranks", 4)
        site = PlacementSite(
            HOSTS, 8, Parallelism().resolve(ranks), np.random.default_rng(0), folder, np.ones((4, 8), np.bool_)
        )
        answer = Placement(order=order, path=name, **given).place(site)
        return Outcome(answer.tolist(), tuple(site.said))

    return read


# ---- Slurm -----------------------------------------------------------------------------------------------------------


def slurm_node(name: str = "n0", state: str = "IDLE", gres: str = "gpu:h100:8", **values: str) -> str:
    more = "".join(f" {key}={value}" for key, value in values.items())
    return f"NodeName={name} Gres={gres} State={state}{more}\n"


LAST = slurm_node("n1")
IDLE = slurm_node() + LAST


def slurm(without: str, having: str, **keys: Any) -> Feed:
    return Feed((without, keys), (having, keys))


def slurm_value(key: str, value: str, other: str = "", **keys: Any) -> Feed:
    """The first node has a value; without it, another or none."""
    before = slurm_node(**{key: other}) if other else slurm_node()
    return slurm(before + LAST, slurm_node(**{key: value}) + LAST, **keys)


def sinfo(column: str, value: str, other: str) -> Feed:
    table = "NODELIST STATE {0}\nn0 idle {1}\n"
    return slurm(table.format("NODES", 1), table.format(column, value or other))


def slurm_feeds() -> dict[str, Feed]:
    feeds = {
        "NodeName": slurm(slurm_node("n0") + LAST, slurm_node("n2") + LAST),
        "NodeHostName": slurm(
            slurm_node("alias") + LAST, slurm_node("alias", NodeHostName="n2") + LAST),
        "NodeAddr": slurm(slurm_node("alias") + LAST, slurm_node("alias", NodeAddr="n2") + LAST),
        "Gres": slurm(IDLE, slurm_node(gres="gpu:h100:2,gpu:a100:1") + LAST, ranks=8),
        "Gres=gpu:MIG": slurm(IDLE, slurm_node(gres="gpu:1g.10gb:8") + LAST),
        "Gres=shard": slurm_value("GresUsed", "gpu:h100:0(IDX:N/A),shard:h100:3(3/8)", "gpu:h100:0(IDX:N/A)"),
        "Gres=mps": slurm_value("GresUsed", "gpu:h100:0(IDX:N/A),mps:h100:30", "gpu:h100:0(IDX:N/A)"),
        "GresUsed": slurm_value("GresUsed", "gpu:h100:2(IDX:0,3)"),
        "GresDrain": slurm_value("GresDrain", "gpu:h100:1(IDX:1)"),
        "AllocTRES": slurm_value("AllocTRES", "cpu=9,gres/gpu=6", ranks=8),
        "CfgTRES": slurm(
            slurm_node(state="MIXED") + LAST, slurm_node(state="MIXED", CfgTRES="cpu=9,gres/gpu=8") + LAST
        ),
        "Partitions": slurm(
            slurm_node() + slurm_node("n1", Partitions="a"),
            slurm_node(Partitions="a,b") + slurm_node("n1", Partitions="a"),
            partition="a",
        ),
        "ReservationName": slurm(
            slurm_node() + slurm_node("n1", ReservationName="a"),
            slurm_node(ReservationName="a") + slurm_node("n1", ReservationName="a"),
            reservation="a",
        ),
        "ActiveFeatures": slurm_value("ActiveFeatures", "h100", ranks=16),
        "Weight": slurm_value("Weight", "7", ranks=16),
        "Owner": slurm_value("Owner", "amy(1001)"),
        "MCS_label": slurm_value("MCS_label", "secret"),
        "AVAIL": sinfo("AVAIL", "inact", ""),
    }  # fmt: skip
    for state in STATES:
        without = IDLE if state != "IDLE" else slurm_node(state="DOWN") + LAST
        shown = state if state in ("IDLE", "MIXED", "ALLOCATED", "DOWN") else f"IDLE+{state}"
        feeds[f"State={state}"] = slurm(without, slurm_node(state=shown) + LAST)
    for letter in SUFFIXES:
        feeds[f"suffix {letter} of State"] = slurm(IDLE, slurm_node(state=f"IDLE{letter}") + LAST)
    for field in SLURM_FIELDS:
        name = field.name.removesuffix("*")
        if field.name not in feeds and name in COLUMNS:
            feeds[field.name] = sinfo(name, "1", "1")
        elif field.name not in feeds and ":" in name:
            feeds[field.name] = sinfo(name, "2:48:2", "")
        elif field.name not in feeds:
            feeds[field.name] = slurm_value(f"{name}Cur" if field.name.endswith("*") else name, "State=DOWN")
    return feeds


# ---- Kubernetes ------------------------------------------------------------------------------------------------------


def node(name: str = "n0", **parts: Any) -> dict[str, Any]:
    made = {
        "metadata": {"name": name},
        "spec": {},
        "status": {"allocatable": {"nvidia.com/gpu": "8"}, "conditions": [{"type": "Ready", "status": "True"}]},
    }
    return {key: value | parts.get(key, {}) for key, value in made.items()} | {
        key: value for key, value in parts.items() if key not in made
    }


def kubernetes(without: Any, having: Any, **keys: Any) -> Feed:
    accepted = keys.pop("accepted", None)
    raises = keys.pop("raises", False)

    def document(nodes: Any, keys: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        return json.dumps({"items": nodes} if isinstance(nodes, list) else nodes), keys

    return Feed(document(without, keys), document(having, keys), accepted and document(having, keys | accepted), raises)


def first(raises: bool = False, keys: Mapping[str, Any] | None = None, **parts: Any) -> Feed:
    """The first of two nodes has something."""
    return kubernetes([node(), node("n1")], [node(**parts), node("n1")], raises=raises, **(keys or {}))


def running(**spec: Any) -> dict[str, Any]:
    """A pod that holds 6 GPUs of the first node."""
    container = {"resources": {"requests": {"nvidia.com/gpu": "6"}}}
    name = node()["metadata"]["name"]
    return {
        "kind": "Pod", "metadata": {"name": "p"}, "status": {"phase": "Running"},
        "spec": {"nodeName": name, "containers": [container], **spec},
    }  # fmt: skip


def condition(name: str, status: str = "True") -> Feed:
    return first(status={"conditions": [{"type": "Ready", "status": "True"}, {"type": name, "status": status}]})


def kubernetes_feeds() -> dict[str, Feed]:
    both = [node(), node("n1")]
    held = [*both, running()]
    feeds = {
        "Pod": kubernetes(both, held),
        "Pod.spec.resourceClaims": kubernetes(held, [*both, running(resourceClaims=[{"name": "nic"}])]),
        "kind": kubernetes(both, {"kind": "PodList", "items": both}, raises=True),
        "items": kubernetes(both, [node("n1"), node()]),
        "apiVersion": kubernetes(both, {"apiVersion": "v1", "items": both}),
        "metadata": kubernetes(both, {"metadata": {"resourceVersion": ""}, "items": both}),
        "metadata.name": first(metadata={"name": "n3"}),
        "metadata.labels": first(metadata={"labels": {"zone": "z"}}, keys={"sort": "zone"}),
        "metadata.deletionTimestamp": first(metadata={"deletionTimestamp": "2026-11-28T00:00:00Z"}),
        "metadata.*": first(metadata={"annotations": {"a": "b"}}),
        "spec.unschedulable": first(spec={"unschedulable": True}),
        "spec.taints": first(spec={"taints": [{"key": "a", "effect": "NoSchedule"}]}),
        "spec.*": first(spec={"podCIDR": "10.0.0.0/24"}),
        "status.allocatable": first(status={"allocatable": {"nvidia.com/gpu": "2"}}),
        "status.capacity": kubernetes(
            [node(status={"allocatable": None}), node("n1")],
            [node(status={"allocatable": None, "capacity": {"nvidia.com/gpu": "8"}}), node("n1")],
        ),
        "status.*": first(status={"nodeInfo": {"kubeletVersion": "v1.30.0"}}),
        "Ready": first(status={"conditions": [{"type": "Ready", "status": "False"}]}),
        **{name: condition(name) for name in CONDITIONS},
        **{
            effect: first(spec={"taints": [{"key": "a", "effect": effect}]})
            for effect in ("NoSchedule", "NoExecute", "PreferNoSchedule")
        },
    }
    for field in KUBERNETES_FIELDS:
        if field.treatment == "refused":
            name = field.name.replace("*", "1g.10gb") if "mig" in field.name else field.name.replace("*", "x")
            other = "a.com/gpu" if name == "nvidia.com/gpu" else "nvidia.com/gpu"
            own = [node(status={"allocatable": {other: "8"}})]
            theirs = [node(status={"allocatable": {name: "8"}})]
            feeds[field.name] = kubernetes(own, theirs, resource=other, accepted={"resource": name})
    return feeds


# ---- host files ------------------------------------------------------------------------------------------------------


def hosts(without: str, having: str) -> Feed:
    return Feed((without, {}), (having, {}))


BARE = "n0\nn1\n"
FILE_FEEDS = {
    "host": hosts(BARE, "n[1,0]\n"),
    "slots": hosts(BARE, "n0 slots = 2\nn1\n"),
    "max_slots": hosts(BARE, "n0 max_slots=2\nn1\n"),
    "max-slots": hosts(BARE, "n0 max-slots=2\nn1\n"),
    "host:n": hosts(BARE, "n0:2\nn1\n"),
    "#": hosts(BARE, "# slots=2\nn0 # slots=2\nn1\n"),
    "rank": hosts(BARE, "".join(f"rank {rank}=n2 slot={rank}\n" for rank in range(4))),
    "slot": hosts(
        "".join(f"rank {rank}=n2 slot={rank}\n" for rank in range(4)),
        "".join(f"rank {rank}=n2 slot={rank + 1}\n" for rank in range(4)),
    ),
    "slot=socket:core": hosts(BARE, "rank 0=n2 slot=0:1-3\n"),
    "rank=+n": hosts(BARE, "rank 0=+n1 slot=1\n"),
    "user*": hosts(BARE, "n0 username=amy\n"),
    **{name: hosts(BARE, f"n0 {name}=1\n") for name in ("binding", "sockets", "cpu", "port")},
}

READERS = [
    ReaderFeeds(
        "placement",
        "slurm",
        placed("slurm", "nodes.txt"),
        slurm_feeds(),
        unknown=slurm_value("zz_unheard_of", "7"),
    ),
    ReaderFeeds(
        "placement",
        "kubernetes",
        placed("kubernetes", "nodes.json"),
        kubernetes_feeds(),
        unknown=kubernetes([node()], [node(zz_unheard_of=7)]),
    ),
    ReaderFeeds("placement", "file", placed("file", "hosts"), FILE_FEEDS, unknown=hosts(BARE, "n0 zz_unheard_of=7\n")),
]
