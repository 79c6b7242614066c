"""Pools of a Ceph cluster, as ``ceph osd pool ls detail -f json`` prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from topologies.errors import FormatError, TrafficError, nearest_hint
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue, parse_json

WAY = "write it by: ceph osd pool ls detail -f json"
_STRIPE_UNIT = 4096  # bytes; Ceph's default, from which stripe_width tells k
_TIER = "clients talk to the cache tier and not to this pool; name that one as pool, and see kind: tiering"
_TIER_TRAFFIC = "what moves between a cache tier and its pool is left out; kind: tiering"
_CACHE = "settings of a cache tier"
_MARK = "epochs and marks"
FIELDS = DeclaredFields(
    "storage",
    "pools",
    "pg_pool_t::dump of Ceph; ceph osd pool ls detail",
    [
        Field("pool_name", MODELLED, "the key pool chooses by it"),
        Field("type", MODELLED, "1 or replicated, 3 or erasure"),
        Field("size", MODELLED, "copies, or chunks k + m"),
        Field("min_size", MODELLED, "checks k of an erasure code: it is k or k + 1"),
        Field("stripe_width", MODELLED, "k stripe units of 4 KiB, for an erasure code; others need the key erasure"),
        Field(
            "crush_rule", MODELLED, "the rule of crush_rules or crush_map; without them the tree must be of one kind"
        ),
        Field("crush_ruleset", MODELLED, "crush_rule in old releases"),
        Field("pg_num", MODELLED, "placement groups, where pg_placement_num is absent"),
        Field("pg_placement_num", MODELLED, "placement groups that lie by themselves"),
        Field("pg_num_target", REPORTED, "the pool is about to have another number of placement groups"),
        Field("pg_placement_num_target", REPORTED, "the pool is about to have another number of placement groups"),
        Field("pg_num_pending", REPORTED, "the pool is about to have another number of placement groups"),
        Field("fast_read", MODELLED, "reads of an erasure code ask all chunks"),
        Field("read_tier", REFUSED, _TIER),
        Field("write_tier", REFUSED, _TIER),
        Field("tiers", REPORTED, _TIER_TRAFFIC),
        Field("tier_of", REPORTED, _TIER_TRAFFIC),
        Field("cache_mode", REPORTED, _TIER_TRAFFIC),
        Field("is_stretch_pool", REPORTED, "where its members lie is the rule's (crush_rules)"),
        Field("peering_crush_bucket_count", REPORTED, "where its members lie is the rule's (crush_rules)"),
        Field("flags_names=full", REPORTED, "the pool takes no writes now"),
        Field("flags_names=full_quota", REPORTED, "the pool takes no writes now"),
        Field("flags_names=eio", REPORTED, "the pool answers with errors now"),
        Field("flags_names=ec_optimizations", REPORTED, "small reads and writes touch fewer chunks than is counted"),
        Field("flags_names", HARMLESS, "other flags: hashpspool, nodelete, noscrub and so on"),
        Field("flags", HARMLESS, "the flags as a number"),
        Field("pool_id", HARMLESS, "a number"),
        Field("pool", HARMLESS, "a number"),
        Field("pg_autoscale_mode", HARMLESS, "who sets pg_num"),
        Field("erasure_code_profile", HARMLESS, "a name; k and m are by stripe_width and size, or the key erasure"),
        Field("application_metadata", HARMLESS, "what uses it"),
        Field("options", HARMLESS, "compression and checksums are behind the network; targets of the autoscaler"),
        Field("object_hash", HARMLESS, "how objects get their group"),
        Field("peering_crush_bucket_*", HARMLESS, "when a group may serve"),
        Field("peering_crush_mandatory_member", HARMLESS, "when a group may serve"),
        Field("auid", HARMLESS, "an owner"),
        Field("create_time", HARMLESS, "a time"),
        Field("last_*", HARMLESS, _MARK),
        Field("snap_*", HARMLESS, "snapshots"),
        Field("pool_snaps", HARMLESS, "snapshots"),
        Field("removed_snaps", HARMLESS, "snapshots"),
        Field("quota_*", HARMLESS, "limits"),
        Field("target_max_*", HARMLESS, _CACHE),
        Field("cache_*", HARMLESS, _CACHE),
        Field("hit_set_*", HARMLESS, _CACHE),
        Field("use_gmt_hitset", HARMLESS, _CACHE),
        Field("min_read_recency_for_promote", HARMLESS, _CACHE),
        Field("min_write_recency_for_promote", HARMLESS, _CACHE),
        Field("grade_table", HARMLESS, _CACHE),
        Field("expected_num_objects", HARMLESS, "how directories were split"),
        Field("crash_replay_interval", HARMLESS, "a time"),
        Field("nonprimary_shards", HARMLESS, "which chunks may lead"),
        Field("read_balance*", HARMLESS, "how even primaries are today"),
        Field("migrat*", REPORTED, "the pool moves to another; what that sends is left out"),
    ],
)
# Reported fields that say something only when they differ from this.
_IDLE: Mapping[str, tuple[object, ...]] = {
    "tiers": ([],),
    "tier_of": (-1,),
    "cache_mode": ("none", ""),
    "is_stretch_pool": (False,),
    "peering_crush_bucket_count": (0,),
    "read_tier": (-1,),
    "write_tier": (-1,),
}
_TARGETS = {
    "pg_num_target": "pg_num",
    "pg_placement_num_target": "pg_placement_num",
    "pg_num_pending": "pg_num",
}
_TYPES = {"1": False, "replicated": False, "3": True, "erasure": True}


@dataclass(frozen=True)
class PoolDetail:
    """One pool, as its cluster has it."""

    name: str
    size: int
    erasure: bool
    data: int | None  # k of an erasure code; None where it does not follow from the file
    rule: int | None
    groups: int
    fast_read: bool
    notes: tuple[str, ...] = ()


def read_pool(text: str, path: str, name: str | None) -> PoolDetail:
    """The pool called ``name``, or the only one.

    Raises
    ------
    FormatError
        When it is not such a document (FP6212), has something else at a place (FP6250), or a field that cannot be
        followed (FP6251).
    TrafficError
        When there is no such pool, or several and none is named (FP4053).
    """
    document = parse_json(text, path, hint=WAY)
    if not isinstance(document.value, list):
        raise document.wrong("no list of pools", hint=WAY, code="FP6212")
    pools = {entry.need("pool_name").text(): entry for entry in document.each()}
    if not pools:
        raise document.wrong("no pool in it", hint=WAY, code="FP6212")
    if name is None and len(pools) == 1:
        name = next(iter(pools))
    if name is None or name not in pools:
        raise TrafficError(
            "which pool?" if name is None else f"there is no pool {name!r}",
            where="pool",
            hint=nearest_hint(name or "", pools, "pools"),
            code="FP4053",
        )
    return _pool(pools[name], name)


def _pool(entry: JsonValue, name: str) -> PoolDetail:
    kind = entry.get("type").text("1")
    if kind not in _TYPES:
        raise entry.get("type").wrong(f"{kind} is neither 1 (replicated) nor 3 (erasure)")
    size, groups = entry.need("size").whole(least=1, most=255), entry.need("pg_num").whole(least=1, most=2**24)
    ruled = entry.get("crush_ruleset") if entry.get("crush_rule").absent else entry.get("crush_rule")
    telling = [key for key, value in entry.items() if _tells(key, value, entry)]
    problems = FIELDS.refusals(telling, entry.file)
    if problems:
        raise FormatError(problems)
    return PoolDetail(
        name,
        size,
        _TYPES[kind],
        _data_chunks(entry, size) if _TYPES[kind] else None,
        None if ruled.absent else ruled.whole(),
        min(entry.get("pg_placement_num").whole(groups, least=1), groups),
        entry.get("fast_read").value in (True, 1),
        FIELDS.notes([*telling, *_flags(entry)]),
    )


def _tells(key: str, value: JsonValue, entry: JsonValue) -> bool:
    """Whether a field is there and says something."""
    if value.absent or FIELDS.treatment(key) in (MODELLED, HARMLESS):
        return False
    if key in _TARGETS:
        return value.whole() != entry.get(_TARGETS[key]).whole(entry.get("pg_num").whole(0))
    return value.value not in _IDLE.get(key, ())


def _flags(entry: JsonValue) -> list[str]:
    names = [f"flags_names={flag}" for flag in entry.get("flags_names").text("").split(",")]
    return [name for name in names if name in FIELDS]


def _data_chunks(entry: JsonValue, size: int) -> int | None:
    """k of an erasure code by stripe_width, where min_size agrees."""
    width, least = entry.get("stripe_width").whole(0), entry.get("min_size").whole(0)
    data, rest = divmod(width, _STRIPE_UNIT)
    sound = not rest and 1 <= data < size and (least == 0 or data <= least <= data + 1)
    return data if sound else None
