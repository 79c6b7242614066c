"""Every declared field of Ceph's trees, pools and rules, fed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from feeding import Feed, Outcome, ReaderFeeds

sys.path.insert(0, str(Path(__file__).parents[1] / "traffic"))
from traffic_clusters import cluster, context

from traffic.storage.pools import FIELDS as POOL_FIELDS
from traffic.workload import WORKLOADS

Document = Mapping[str, Any]


def read(document: Document, folder: Path) -> Outcome:
    """Run a cluster of four servers by the documents; keys that end in _file are written beside."""
    keys = dict(document)
    for key in ("osd_tree", "pools", "crush_rules"):
        if key in keys:
            (folder / key).write_text(json.dumps(keys[key]))
            keys[key] = key
    given = context(cluster(2), folder)
    spec = {"kind": "ceph", "servers": "ceph", "clients": "gpu", "write": "60 Gb/s", "read": "60 Gb/s", **keys}
    job = WORKLOADS["ceph"](spec, context=given)
    matrix = {}
    for phase in job.phases:
        flows = np.zeros((6, 6))
        np.add.at(flows, (phase.flows.src, phase.flows.dst), phase.flows.amount)
        matrix[phase.name] = flows.round(6).tolist()
    return Outcome(matrix, (*given.said, *job.assumptions))


def tree(**first_osd: Any) -> dict[str, Any]:
    """A root, a host each for osd.0 to osd.3."""
    nodes: list[dict[str, Any]] = [{"id": -1, "name": "default", "type": "root", "children": [-2, -3, -4, -5]}]
    for number in range(4):
        own = first_osd if number == 0 else {}
        osd = {"id": number, "name": f"osd.{number}", "type": "osd", "crush_weight": 1.0, **own}
        nodes += [{"id": -2 - number, "name": f"osd{number}", "type": "host", "children": [number]}, osd]
    return {"nodes": nodes}


def pool(**more: Any) -> list[dict[str, Any]]:
    return [{"pool_name": "a", "type": 1, "size": 2, "pg_num": 64, **more}]


CODED = {"type": 3, "size": 3, "min_size": 3, "stripe_width": 8192}


def osd(feed_key: str, value: Any, *, raises: bool = False, **keys: Any) -> Feed:
    base = {"replication": 2, **keys}
    return Feed({"osd_tree": tree(), **base}, {"osd_tree": tree(**{feed_key: value}), **base}, raises=raises)


def changed(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Feed:
    """Nodes of a tree in which osd.0 weighs more have something else."""
    nodes = tree(crush_weight=5.0)["nodes"]
    other = [node | change(node) for node in nodes]
    return Feed({"osd_tree": {"nodes": nodes}, "replication": 2}, {"osd_tree": {"nodes": other}, "replication": 2})


def bucket(number: int, **more: Any) -> Feed:
    """The node at a place of the tree has something else."""
    other = tree()
    other["nodes"][number] |= more
    keys = {"replication": 2, "crush_root": "default"}
    return Feed({"osd_tree": tree(), **keys}, {"osd_tree": other, **keys})


def top(**more: Any) -> Feed:
    return Feed({"osd_tree": tree(), "replication": 2}, {"osd_tree": tree() | more, "replication": 2})


TREE_FEEDS = {
    "nodes": top(nodes=tree()["nodes"][:7]),
    "id": Feed(
        {"osd_tree": tree(), "replication": 2}, {"osd_tree": tree(id="first"), "replication": 2}, raises=True
    ),
    "name": changed(lambda node: {"name": {-2: "osd3", -5: "osd0"}[node["id"]]} if node["id"] in (-2, -5) else {}),
    "type": changed(lambda node: {"type": "chassis"} if node["id"] == -2 else {}),
    "children": bucket(0, children=[-2, -3, -4]),
    "device_class": Feed(
        {"osd_tree": tree(), "replication": 2, "device_class": "any"},
        {"osd_tree": {"nodes": [one | ({"device_class": "ssd"} if one["id"] > 0 else {}) for one in tree()["nodes"]]},
         "replication": 2, "device_class": "ssd"},
    ),
    "crush_weight": osd("crush_weight", 3.0),
    "reweight": osd("reweight", 0.2),
    "status": osd("status", "down"),
    "exists": osd("exists", 0),
    "primary_affinity": osd("primary_affinity", 0.0),
    "pool_weights": osd("pool_weights", {"1": {"weight": 1}}),
    "stray": top(stray=[{"id": 9}]),
    "summary": top(summary={"total_kb": 1}),
    "type_id": osd("type_id", 0),
    "depth": osd("depth", 2),
    "kb*": osd("kb_used", 7),
    "utilization": osd("utilization", 7.1),
    "var": osd("var", 1.1),
    "pgs": osd("pgs", 12),
}  # fmt: skip


def pools(without: Mapping[str, Any], having: Mapping[str, Any], accepted: Mapping[str, Any] | None = None) -> Feed:
    base = {"osd_tree": tree()}
    return Feed(base | {"pools": pool(**without)}, base | {"pools": pool(**having)}, accepted)


def rule(number: int, *steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"rule_id": number, "steps": [*steps], **more}


TAKE = {"op": "take", "item": -1, "item_name": "default"}
LEAF = {"op": "chooseleaf_firstn", "num": 0, "type": "host"}
EMIT = {"op": "emit"}
PLAIN = rule(0, TAKE, LEAF, EMIT)
ON_ONE = rule(1, {"op": "take", "item_name": "osd1"}, {"op": "choose_firstn", "num": 1, "type": "osd"}, EMIT, TAKE,
              {"op": "chooseleaf_firstn", "num": -1, "type": "host"}, EMIT)  # fmt: skip


def ruled(key: str) -> Feed:
    base = {"osd_tree": tree(), "crush_rules": [PLAIN, ON_ONE]}
    return Feed(base | {"pools": pool(**{key: 0})}, base | {"pools": pool(**{key: 1})})


def targets(key: str) -> Feed:
    return pools({key: 64, "pg_placement_num": 64}, {key: 128, "pg_placement_num": 64})


POOL_FEEDS = {
    "pool_name": Feed(
        {"osd_tree": tree(), "pools": pool() + pool(pool_name="b", size=3), "pool": "a"},
        {"osd_tree": tree(), "pools": pool(size=3) + pool(pool_name="b"), "pool": "a"},
    ),
    "type": pools(CODED | {"type": 1}, CODED),
    "size": pools({}, {"size": 3}),
    "min_size": Feed(
        {"osd_tree": tree(), "pools": pool(**CODED)},
        {"osd_tree": tree(), "pools": pool(**CODED | {"min_size": 1})},
        raises=True,
    ),
    "stripe_width": pools(CODED | {"min_size": 2}, CODED | {"min_size": 2, "stripe_width": 4096}),
    "crush_rule": ruled("crush_rule"),
    "crush_ruleset": ruled("crush_ruleset"),
    "pg_num": pools({}, {"pg_num": 3}),
    "pg_placement_num": pools({}, {"pg_placement_num": 3}),
    "pg_num_target": targets("pg_num_target"),
    "pg_placement_num_target": targets("pg_placement_num_target"),
    "pg_num_pending": targets("pg_num_pending"),
    "fast_read": pools(CODED, CODED | {"fast_read": True}),
    "read_tier": pools({"read_tier": -1}, {"read_tier": 3}),
    "write_tier": pools({"write_tier": -1}, {"write_tier": 3}),
    "tiers": pools({"tiers": []}, {"tiers": [4]}),
    "tier_of": pools({"tier_of": -1}, {"tier_of": 4}),
    "cache_mode": pools({"cache_mode": "none"}, {"cache_mode": "writeback"}),
    "is_stretch_pool": pools({"is_stretch_pool": False}, {"is_stretch_pool": True}),
    "peering_crush_bucket_count": pools({"peering_crush_bucket_count": 0}, {"peering_crush_bucket_count": 2}),
    "migrat*": pools({}, {"migration_target": 4}),
    "flags_names": pools({"flags_names": "hashpspool"}, {"flags_names": "hashpspool,nodelete"}),
    **{
        field.name: pools({"flags_names": "hashpspool"}, {"flags_names": "hashpspool," + field.name.split("=")[1]})
        for field in POOL_FIELDS
        if "=" in field.name
    },
}
for field in POOL_FIELDS:
    if field.name not in POOL_FEEDS:
        POOL_FEEDS[field.name] = pools({}, {field.name.replace("*", "x"): "1"})


def rules(without: Any, having: Any, *, raises: bool = False, **keys: Any) -> Feed:
    base = {"osd_tree": tree(), "replication": 2, **keys}
    return Feed(base | {"crush_rules": without}, base | {"crush_rules": having}, raises=raises)


def step(place: int, having: Mapping[str, Any], without: Mapping[str, Any] | None = None) -> Feed:
    """One step of the plain rule has something else."""
    steps = [TAKE, LEAF, EMIT]
    before = [*steps[:place], without or steps[place], *steps[place + 1 :]]
    after = [*steps[:place], having, *steps[place + 1 :]]
    return rules([rule(0, *before)], [rule(0, *after)])


def extra(having: Mapping[str, Any]) -> Feed:
    return rules([PLAIN], [rule(0, having, TAKE, LEAF, EMIT)])


ONE = {"op": "take", "item_name": "osd1"}
OSD = {"op": "choose_firstn", "num": 1, "type": "osd"}
REST = [EMIT, TAKE, {"op": "chooseleaf_firstn", "num": -1, "type": "host"}, EMIT]
RULE_FEEDS = {
    "rule_id": rules([PLAIN, ON_ONE], [PLAIN | {"rule_id": 1}, ON_ONE | {"rule_id": 0}], crush_rule=0),
    "steps": rules([PLAIN], [ON_ONE]),
    "take": rules([PLAIN], [rule(0, ONE, OSD, *REST)]),
    "choose_firstn": rules([PLAIN], [rule(0, ONE, OSD, *REST)]),
    "choose_indep": rules([PLAIN], [rule(0, ONE, OSD | {"op": "choose_indep"}, *REST)]),
    "chooseleaf_firstn": rules([rule(0, ONE, OSD, *REST)], [rule(0, TAKE, LEAF, *REST)]),
    "chooseleaf_indep": rules([rule(0, ONE, OSD, *REST)], [rule(0, TAKE, LEAF | {"op": "chooseleaf_indep"}, *REST)]),
    "emit": rules([rule(0, ONE, OSD, EMIT, TAKE, LEAF, EMIT)], [rule(0, ONE, OSD, TAKE, LEAF, EMIT)]),
    "item": rules([rule(0, TAKE, LEAF, EMIT)], [rule(0, {"op": "take", "item": -3}, OSD, *REST)]),
    "item_name": rules([PLAIN], [rule(0, ONE, OSD, *REST)]),
    "num": rules(
        [rule(0, TAKE, LEAF, EMIT, ONE, OSD, EMIT)], [rule(0, TAKE, LEAF | {"num": -1}, EMIT, ONE, OSD, EMIT)]
    ),
    "type": rules([PLAIN], [rule(0, TAKE, LEAF | {"type": "rack"}, EMIT)], raises=True),
    "choose_msr": extra({"op": "choose_msr", "num": 0, "type": "host"}),
    "choosemsr*": extra({"op": "choosemsr", "num": 0, "type": "host"}),
    "opcode": extra({"opcode": 77, "arg1": 1, "arg2": 2}),
    "set_msr_*": extra({"op": "set_msr_descents", "num": 5}),
    "noop": extra({"op": "noop"}),
    "op": extra({"op": "noop"}),
    "set_choose_*": extra({"op": "set_choose_tries", "num": 100}),
    "set_chooseleaf_*": extra({"op": "set_chooseleaf_tries", "num": 5}),
    **{name: rules([PLAIN], [PLAIN | {name: 3}]) for name in ("rule_name", "ruleset", "min_size", "max_size")},
}

READERS = [
    ReaderFeeds("storage", "osd tree", read, TREE_FEEDS, unknown=osd("zz_unheard_of", 7)),
    ReaderFeeds("storage", "pools", read, POOL_FEEDS, unknown=pools({}, {"zz_unheard_of": 7})),
    ReaderFeeds("storage", "crush rules", read, RULE_FEEDS, unknown=rules([PLAIN], [PLAIN | {"zz_unheard_of": 7}])),
]
