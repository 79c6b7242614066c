"""What the rows of every command are: one declaration for the command line, the reference, and the notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from fabric.output.row_kind import RowKind

PAIRS_SHOWN = 12  # pairs on a link that are explained
FAILURES_SHOWN = 10  # cases and links of a sweep, where nothing else is asked
LINKS_SHOWN = 20  # links of a phase, where nothing else is asked
CABLES_SHOWN = 20  # cables of a schedule, where nothing else is asked

LINKS = RowKind(
    "links",
    (
        "fabric", "phase", "link", "a", "a_port", "b", "b_port", "tier", "capacity_gbps", "offered_gbps",
        "carried_gbps", "utilisation", "shares",
    ),
    more=("direction", "state", "cause", "p5", "p95"),
    shown=("link", "utilisation", "p5", "p95", "offered_gbps", "capacity_gbps", "cause", "phase", "fabric"),
    ratios=("utilisation", "p5", "p95"),
    most=LINKS_SHOWN,
    group=("fabric", "phase"),
)  # fmt: skip

ROUTERS = RowKind(
    "routers, phase by phase",
    (
        "fabric", "phase", "router", "max_utilisation", "p50", "p95", "p99", "throughput", "above_best", "stretch",
        "lower_bound", "gap", "links_over_capacity", "unreachable_pairs", "hottest_link", "solver", "partial",
        "refused", "routing_basis",
    ),
    more=("mean", "p5"),
    shown=(
        "fabric", "phase", "router", "max_utilisation", "p5", "p95", "p99", "above_best", "stretch", "throughput",
        "solver",
    ),
    ratios=(
        "max_utilisation", "mean", "p5", "p50", "p95", "p99", "throughput", "above_best", "stretch", "lower_bound",
        "gap",
    ),
)  # fmt: skip

TIERS = RowKind(
    "tiers of cables",
    ("fabric", "tier", "cables", "capacity_gbps"),
    more=("port_gbps",),
    shown=("fabric", "tier", "cables", "port_gbps", "capacity_gbps"),
)

DISTANCES = RowKind(
    "distances between endpoints",
    ("fabric", "hops", "pairs", "least_paths", "mean_paths", "most_paths"),
    more=("share",),
    shown=("fabric", "hops", "pairs", "share", "least_paths", "mean_paths", "most_paths"),
    ratios=("share",),
)

LEAVES = RowKind("switches with hosts", ("fabric", "switch", "ports", "hosts"))

HOSTS = RowKind("hosts by switch", ("fabric", "host", "group", "endpoint", "switch", "links"))

CUTS = RowKind(
    "cuts",
    (
        "fabric", "cut", "kind", "cables", "gbps", "beneath_gbps", "bisection_gbps", "ratio", "least_ratio", "least_at",
    ),
    ratios=("ratio", "least_ratio"),
)  # fmt: skip

BILL = RowKind(
    "rows of a bill",
    (
        "item", "model", "count", "cost", "power_w", "estimate", "source", "fabric", "usd", "max_power_w",
        "embodied_kg", "lead_days", "cable_m",
    ),
    shown=("item", "model", "count", "usd", "cost", "power_w", "lead_days", "estimate", "fabric"),
    key="rows",
)  # fmt: skip

RACKS = RowKind(
    "racks of the floor plan",
    (
        "rack", "row", "place", "hosts", "switches", "units_used", "units_left", "power_w", "power_left_w", "devices",
    ),
    shown=("rack", "hosts", "switches", "units_used", "units_left", "power_w", "power_left_w", "devices"),
    key="racks",
)  # fmt: skip

PHASES = RowKind(
    "phases of workloads",
    (
        "workload", "name", "collective", "fabric", "group_size", "payload_bytes_per_rank", "sent_bytes_per_rank",
        "sent_bytes_on_fabric_per_rank", "total_bytes", "pairs", "flows", "steady", "rate_gbps", "overlaps_compute",
        "every_step", "ideal_s", "exposed_s", "rate_needed_gbps", "rate_average_gbps", "rate_peak_gbps",
        "sent_bytes_inside_per_rank", "handed_on_bytes_per_rank", "inside_s",
    ),
    more=("after",),
    shown=(
        "workload", "name", "collective", "fabric", "group_size", "payload_bytes_per_rank", "sent_bytes_per_rank",
        "sent_bytes_on_fabric_per_rank", "sent_bytes_inside_per_rank", "inside_s", "total_bytes", "pairs",
        "rate_needed_gbps", "ideal_s", "exposed_s",
    ),
)  # fmt: skip

CELLS = RowKind(
    "pairs of the demand matrix",
    ("fabric", "src", "dst", "volume_bytes", "rate_gbps"),
    most=20,
)

FORMULAE = RowKind(
    "formulae",
    ("workload", "phase", "figure", "ranks", "expression", "with_numbers", "value", "unit", "source"),
    more=("terms",),
)

COLLECTIVE = RowKind(
    "the collective",
    (
        "collective", "algorithm", "ranks", "ranks_per_host", "size_bytes", "bus_factor", "bus_factor_by_page",
        "sent_bytes_per_rank", "sent_bytes_on_fabric_per_rank", "received_bytes_on_fabric_per_rank",
        "sent_bytes_inside_per_rank", "total_bytes", "pairs", "nic_time_s", "lower_bound_s", "hosts_of_token",
        "hosts_of_token_worst",
    ),
)  # fmt: skip

EXPECTED = RowKind(
    "sizes of messages, test by test",
    (
        "collective", "algorithm", "protocol", "ranks", "fabric", "size_bytes", "count", "type", "redop", "root",
        "expected_time_s", "expected_algbw_gbytes_per_s", "expected_busbw_gbytes_per_s", "ideal_time_s",
        "ideal_algbw_gbytes_per_s", "ideal_busbw_gbytes_per_s", "p5_time_s", "p5_algbw_gbytes_per_s",
        "p5_busbw_gbytes_per_s", "p95_time_s", "p95_algbw_gbytes_per_s", "p95_busbw_gbytes_per_s",
        "pass_mark_busbw_gbytes_per_s",
    ),
    shown=(
        "collective", "size_bytes", "count", "type", "redop", "root", "algorithm", "protocol", "expected_time_s",
        "expected_algbw_gbytes_per_s", "expected_busbw_gbytes_per_s", "p5_busbw_gbytes_per_s",
        "p95_busbw_gbytes_per_s", "ideal_busbw_gbytes_per_s", "pass_mark_busbw_gbytes_per_s",
    ),
)  # fmt: skip

CHECKED = RowKind(
    "measured rows",
    (
        "collective", "size_bytes", "in_place", "measured_time_s", "expected_time_s", "measured_busbw_gbytes_per_s",
        "expected_busbw_gbytes_per_s", "of_expected", "pass_mark_busbw_gbytes_per_s", "judged_by", "ok",
    ),
    shown=(
        "collective", "size_bytes", "in_place", "measured_time_s", "measured_busbw_gbytes_per_s",
        "expected_busbw_gbytes_per_s", "of_expected", "pass_mark_busbw_gbytes_per_s", "judged_by", "ok",
    ),
    ratios=("of_expected",),
)  # fmt: skip

FIGURES = RowKind(
    "figures of both sides",
    ("subject", "what", "a", "b", "change", "relative", "unit", "a_ok", "b_ok", "limit"),
    more=("verdict", "differs"),
    shown=("subject", "what", "a", "b", "change", "relative", "limit", "verdict"),
    ratios=("relative",),
)

PAIRS = RowKind(
    "pairs on a link",
    ("job", "phase", "collective", "src", "dst", "pairs", "subflows", "offered_gbps"),
    more=("share",),
    shown=("collective", "src", "dst", "offered_gbps", "subflows", "pairs"),
    ratios=("share",),
    most=PAIRS_SHOWN,
)

PROBLEMS = RowKind(
    "problems",
    ("file", "severity", "code", "message", "path", "line", "column", "hint"),
)

REVIEWED = RowKind(
    "findings of a review",
    ("severity", "kind", "subject", "text", "arithmetic", "fix", "fabric"),
    shown=("severity", "kind", "text", "fix", "fabric"),
    key="findings",
)

MODELS = RowKind(
    "models",
    (
        "role", "model", "product", "ports", "speed_gbps", "links", "gpus", "medium", "reach_m", "length_m",
        "tcam_entries", "groups", "group_members", "typical_w", "max_w", "usd", "estimate", "source",
        "domain_gpus", "scale_up_gbps", "ends", "standard", "stock_m", "usd_per_m", "lead_days", "carbon_kg",
        "ports_per_cage", "rack_units", "depth_m",
    ),
    more=("size", "watts", "longest_m"),
    shown=(
        "role", "model", "product", "size", "speed_gbps", "medium", "longest_m", "scale_up_gbps", "domain_gpus",
        "watts", "usd", "estimate",
    ),
    key="models",
)  # fmt: skip

TABLES = RowKind(
    "exported tables",
    (
        "fabric", "folder", "dialect", "router", "phase", "switches", "rules", "groups", "most_rules",
        "most_rules_at", "planned_max_utilisation", "programmed_max_utilisation", "oversubscription", "hash_seeds",
        "limits_ok", "verified",
    ),
    shown=(
        "fabric", "router", "phase", "switches", "rules", "groups", "most_rules_at", "most_rules",
        "planned_max_utilisation", "programmed_max_utilisation",
    ),
    ratios=("planned_max_utilisation", "programmed_max_utilisation", "oversubscription"),
)  # fmt: skip

ADDRESSES = RowKind(
    "addresses",
    (
        "fabric", "kind", "node", "interface", "ipv4", "ipv6", "mac", "asn", "site", "gateway4", "gateway6",
    ),
    shown=("fabric", "kind", "node", "interface", "ipv4", "ipv6", "mac", "asn"),
)  # fmt: skip

CABLES = RowKind(
    "cables",
    (
        "label", "fabric", "tier", "a_node", "a_port", "a_rack", "a_unit", "b_node", "b_port", "b_rack", "b_unit",
        "length_m", "bought_m", "media", "model", "a_optic", "b_optic", "leg", "legs", "route", "colour", "bundle",
        "pull_order",
    ),
    shown=(
        "pull_order", "bundle", "a_rack", "a_unit", "a_node", "a_port", "b_rack", "b_unit", "b_node", "b_port",
        "length_m", "bought_m", "media", "colour", "route",
    ),
    most=CABLES_SHOWN,
    key="cables",
)  # fmt: skip

PROFILES = RowKind("cable profiles", ("format", "profile", "summary", "suffixes", "read_by"))

DIALECTS = RowKind(
    "dialects",
    ("format", "dialect", "summary", "loses", "hash_seeds", "failover", "proof", "experimental", "followed"),
    shown=("format", "dialect", "summary", "proof", "hash_seeds", "failover", "loses"),
)

WATCHED = RowKind(
    "fabrics that are watched",
    ("fabric", "folder", "profile", "router", "links", "measured", "band_limits", "margin", "alerts_tested", "draws"),
    shown=("fabric", "profile", "router", "links", "measured", "band_limits", "margin", "alerts_tested", "draws"),
    ratios=("margin",),
)

SCHEDULED = RowKind(
    "exports for schedulers",
    ("format", "of", "name", "folder", "hosts", "levels", "groups", "ranks", "mapped", "differences", "read_by"),
    shown=("format", "name", "hosts", "levels", "groups", "ranks", "mapped", "differences"),
)

LOADS = RowKind(
    "links, measured and predicted",
    ("fabric", "link", "tier", "predicted_gbps", "measured_gbps", "drift", "low_gbps", "high_gbps", "state"),
    shown=("fabric", "link", "predicted_gbps", "measured_gbps", "drift", "low_gbps", "high_gbps", "state"),
    ratios=("drift",),
    most=20,
    key="links",
)

FINDINGS = RowKind(
    "findings",
    ("kind", "switch", "destination", "words", "trace"),
    most=20,
)

DIFFERENCES = RowKind(
    "differences",
    ("switch", "kind", "about", "ours", "theirs", "cookie"),
    shown=("switch", "kind", "about", "ours", "theirs"),
    most=100,
)

HOPS = RowKind(
    "hops",
    (
        "path", "probability", "hop", "switch", "in_port", "rule", "group", "bucket", "out_port", "part", "end",
    ),
    ratios=("probability", "part"),
)  # fmt: skip

SWITCHES = RowKind(
    "switches",
    (
        "switch", "address", "datapath", "state", "tables", "groups_to_add", "groups_to_change", "groups_to_remove",
        "rules_to_add", "rules_to_change", "rules_to_remove", "confirmed", "unsure", "unsent", "installed", "missing",
        "unexpected", "shared_hash", "words",
    ),
    more=("add", "change", "remove"),
    shown=(
        "switch", "address", "state", "tables", "add", "change", "remove", "confirmed", "installed", "missing",
        "unexpected",
    ),
)  # fmt: skip

CLAIMS = RowKind(
    "claims, phase by phase",
    (
        "fabric", "phase", "router", "max_utilisation_claimed", "max_utilisation_found", "hottest_link",
        "lower_bound_claimed", "lower_bound_found", "gap_claimed", "gap_found", "verdict", "refuted", "not_checked",
        "objective", "objective_unit", "objective_value_claimed", "objective_value_found", "objective_bound_claimed",
        "objective_bound_found", "objective_target", "levels_gap_claimed", "levels_gap_found",
    ),
    shown=(
        "fabric", "phase", "router", "max_utilisation_claimed", "max_utilisation_found", "lower_bound_claimed",
        "lower_bound_found", "gap_found", "verdict",
    ),
    ratios=(
        "max_utilisation_claimed", "max_utilisation_found", "lower_bound_claimed", "lower_bound_found", "gap_claimed",
        "gap_found", "objective_target", "levels_gap_claimed", "levels_gap_found",
    ),
    key="phases",
)  # fmt: skip

FAILURES = RowKind(
    "failure cases",
    (
        "id", "what", "kind", "count", "fabric", "max_utilisation", "hottest_link", "links_over_capacity",
        "unreachable_pairs", "gpus_cut_off", "state", "stretch", "per_month", "lost_gpu_hours_per_month",
    ),
    more=("effect",),
    shown=(
        "what", "kind", "count", "max_utilisation", "links_over_capacity", "effect", "gpus_cut_off",
        "lost_gpu_hours_per_month",
    ),
    ratios=("max_utilisation", "stretch", "effect"),
    most=FAILURES_SHOWN,
    key="failures",
)  # fmt: skip

WORST_LINKS = RowKind(
    "links by their worst case",
    (
        "fabric", "phase", "link", "tier", "capacity_gbps", "intact_utilisation", "worst_utilisation", "cause",
        "causes",
    ),
    shown=("link", "intact_utilisation", "worst_utilisation", "cause", "tier", "phase", "fabric"),
    ratios=("intact_utilisation", "worst_utilisation"),
    most=FAILURES_SHOWN,
    key="links",
)  # fmt: skip

POINTS = RowKind(
    "points of the grid; every varied key is a column, too",
    (
        "point", "max_utilisation", "fabric", "phase", "hottest_link", "links_over_capacity", "unreachable_pairs",
        "job", "time_s", "stretch", "limits_failed", "error", "code",
    ),
    more=("jobs", "failed", "partial", "set"),
    shown=(
        "point", "max_utilisation", "hottest_link", "links_over_capacity", "unreachable_pairs", "time_s", "stretch",
        "failed", "error",
    ),
    ratios=("max_utilisation", "stretch"),
    key="points",
)  # fmt: skip


GROWTH = RowKind(
    "stages of growth",
    (
        "stage", "gpus", "nodes", "switches_bought", "cables_bought", "optics_bought", "cost_usd", "total_usd", "kept",
        "moved", "added", "removed", "touched", "touched_part", "least_touched", "floor", "least_capacity",
        "floor_kept", "states_routed", "steps", "max_utilisation", "other_usd", "other_touched",
    ),
    more=("switches", "cables", "other_total_usd"),
    shown=(
        "stage", "gpus", "switches_bought", "cables_bought", "cost_usd", "total_usd", "touched", "touched_part",
        "least_touched", "floor", "least_capacity", "states_routed", "max_utilisation",
    ),
    ratios=("touched_part", "floor", "least_capacity", "max_utilisation"),
    key="stages",
)  # fmt: skip

WORK = RowKind(
    "steps of the work",
    (
        "stage", "fabric", "step", "action", "drained", "moved", "plugged", "least_capacity", "capacity_after", "text",
    ),
    shown=("stage", "fabric", "step", "action", "drained", "moved", "plugged", "least_capacity", "text"),
    ratios=("least_capacity", "capacity_after"),
    key="steps",
)  # fmt: skip


WINDOWS = RowKind(
    "windows of work",
    (
        "window", "drained", "works", "hours", "lost", "max_utilisation", "hottest_link", "stretch", "gpus_cut_off",
        "worst_failure", "worst_failure_utilisation", "kept", "broken",
    ),
    shown=(
        "window", "drained", "hours", "lost", "max_utilisation", "gpus_cut_off", "worst_failure",
        "worst_failure_utilisation", "kept",
    ),
    ratios=("max_utilisation", "worst_failure_utilisation"),
    key="windows",
)  # fmt: skip

SHARINGS = RowKind(
    "jobs beside each other",
    (
        "job", "beside", "slowdown", "worst", "best", "links", "phase", "beside_phase", "link", "phase_stretch",
    ),
    shown=("job", "beside", "slowdown", "worst", "best", "link", "phase", "beside_phase", "phase_stretch", "links"),
    ratios=("slowdown", "worst", "best", "phase_stretch"),
    most=PAIRS_SHOWN,
    key="pairs",
)  # fmt: skip


NODES = RowKind(
    "nodes of a cluster",
    ("name", "gpus", "gpus_free", "cores_free", "memory_free_bytes", "storage_free_bytes", "state"),
    key="nodes",
)
PLACEMENTS = RowKind(
    "placements of a job",
    (
        "placement", "hosts", "groups", "step_time_s", "ideal_step_time_s", "bound_step_time_s", "above_bound",
        "checkpoint_time_s", "read_utilisation", "read_gbps", "phase", "stretch", "hottest_link", "names", "chosen",
    ),
    shown=(
        "placement", "hosts", "groups", "step_time_s", "ideal_step_time_s", "bound_step_time_s", "above_bound",
        "checkpoint_time_s", "phase", "stretch", "hottest_link",
    ),
    ratios=("above_bound", "read_utilisation", "stretch"),
    key="placements",
)  # fmt: skip


STORED = RowKind(
    "files of a storage layout",
    ("format", "file", "workload", "failure_domain", "servers", "racks", "devices", "read_back"),
    shown=("format", "file", "workload", "failure_domain", "servers", "racks", "devices"),
)

LAYOUTS = RowKind(
    "layouts of a storage cluster",
    (
        "layout", "failure_domain", "read_from", "core_read_gbps", "max_utilisation", "hottest_link", "recovery_s",
        "fastest_s", "in_rack", "balance", "kept", "chosen",
    ),
    shown=(
        "layout", "core_read_gbps", "max_utilisation", "recovery_s", "fastest_s", "in_rack", "balance", "kept",
        "chosen",
    ),
    ratios=("max_utilisation", "balance"),
    key="layouts",
)  # fmt: skip


def points_of(names: Sequence[str]) -> RowKind:
    """Points of a grid whose axes have these names; a name that a figure has gets ``vary_`` in front."""
    axes = tuple(f"vary_{name}" if name in POINTS.names else name for name in names)
    return replace(
        POINTS, columns=("point", *axes, *POINTS.columns[1:]), shown=("point", *axes, *POINTS.shown[1:]),
        what="points of the grid",
    )  # fmt: skip


DESIGNS = RowKind(
    "designs",
    (
        "name", "topology_kind", "gpus", "switches", "cables", "cost_usd", "power_w", "cable_m", "oversubscription",
        "step_time", "max_utilisation", "worst_failure", "value", "above_best", "chosen", "scenario",
    ),
    shown=(
        "chosen", "name", "switches", "cables", "cost_usd", "power_w", "cable_m", "oversubscription", "step_time",
        "worst_failure", "above_best",
    ),
    ratios=("max_utilisation", "above_best"),
    key="designs",
)  # fmt: skip

MOVES = RowKind(
    "moves that put cabling right",
    (
        "move", "kind", "fabric", "what", "actions", "from_device", "from_port", "from_rack", "from_unit", "to_device",
        "to_port", "to_rack", "to_unit", "harmless", "max_utilisation", "step_time_s", "job",
    ),
    more=("places",),
    shown=(
        "move", "kind", "fabric", "what", "places", "actions", "harmless", "max_utilisation", "step_time_s", "job",
    ),
    ratios=("max_utilisation",),
    most=CABLES_SHOWN,
    key="moves",
)  # fmt: skip

FIX_LIST = RowKind(
    "steps of the work on cables",
    (
        "move", "step", "kind", "action", "from_device", "from_port", "from_rack", "from_unit", "to_device", "to_port",
        "to_rack", "to_unit", "other_device", "other_port", "other_rack", "other_unit", "harmless",
    ),
    key="steps",
)  # fmt: skip
