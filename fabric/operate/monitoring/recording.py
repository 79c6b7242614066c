"""Recording rules: counters of an exporter as rates of the plan's links, then measured beside predicted."""

from __future__ import annotations

from fabric.operate.monitoring.profiles import Profile
from fabric.operate.monitoring.rule_text import Rule, RuleGroup

_UP = 'direction="up",between="switches"'
MEASURED = "fabric_link_measured_bytes_per_second"
PREDICTED = "fabric_link_predicted_bytes_per_second"
CAPACITY = "fabric_link_capacity_bytes_per_second"


def port_group(profile: Profile, window: str) -> RuleGroup:
    """Rates of ports, whatever the exporter calls them."""
    rates = [
        ("fabric_port_sent_bytes_per_second", profile.sent),
        ("fabric_port_received_bytes_per_second", profile.received),
        ("fabric_port_errors_per_second", profile.errors),
    ]
    rules = [Rule(name, profile.reading(f"rate({counter}[{window}])")) for name, counter in rates]
    rules.append(Rule("fabric_port_up", profile.reading(f"({profile.up})")))
    return RuleGroup("fabric_ports", tuple(rules))


def link_group() -> RuleGroup:
    """Rates of links: a port's counter with the labels of the link that it sends or receives."""

    def joined(series: str, end: str) -> str:
        info = f'({CAPACITY}{{end="{end}"}} / {CAPACITY}{{end="{end}"}})'
        return f"fabric_port_{series} * on (instance, port) group_right () {info}"

    up = f'({CAPACITY}{{planned="up"}} / {CAPACITY}{{planned="up"}})'
    sent, received = joined("sent_bytes_per_second", "sent"), joined("received_bytes_per_second", "received")
    return RuleGroup(
        "fabric_links",
        (
            Rule(MEASURED, f"({sent}) or ({received})"),
            Rule("fabric_link_up", f"fabric_port_up * on (instance, port) group_right () {up}"),
        ),
    )


def beside_group() -> RuleGroup:
    """Measured beside predicted: by link, tier, switch, job and phase; predicted sums are over links that report."""

    def sums(keys: str, select: str = "") -> tuple[str, str]:
        chosen = f"{{{select}}}" if select else ""
        reporting = f"({PREDICTED}{chosen} and {MEASURED}{chosen})"
        return f"sum by ({keys}) ({MEASURED}{chosen})", f"sum by ({keys}) ({reporting})"

    tier, tier_plan = sums("fabric, tier, direction")
    switch, switch_plan = sums("fabric, tier, dst", _UP)
    all_of, all_plan = sums("fabric, tier", _UP)
    share = (
        f"({switch} / {switch_plan} and {_seen('fabric, tier, dst', 1)}) "
        f"/ on (fabric, tier) group_left () ({all_of} / {all_plan} and {_seen('fabric, tier', 0.9)})"
    )
    skew = (
        f"max by (fabric, tier, src) ({MEASURED}{{{_UP}}}) / avg by (fabric, tier, src) ({MEASURED}{{{_UP}}}) "
        f"and {_seen('fabric, tier, src', 1)}"
    )
    room = f"sum by (fabric, tier, direction) ({CAPACITY} and {MEASURED})"
    job = f"sum by (fabric, job) ({MEASURED} * on (fabric, link) group_right () fabric_job_link_share)"
    return RuleGroup(
        "fabric_measured_beside_predicted",
        (
            Rule("fabric_link_drift_ratio", f"{MEASURED} / ({PREDICTED} > 0) - 1"),
            Rule("fabric_link_utilisation_ratio", f"{MEASURED} / {CAPACITY}"),
            Rule("fabric_tier_measured_bytes_per_second", tier),
            Rule("fabric_tier_predicted_bytes_per_second", tier_plan),
            Rule("fabric_tier_measured_utilisation_ratio", f"{tier} / {room}"),
            Rule("fabric_tier_predicted_utilisation_ratio", f"{tier_plan} / {room}"),
            Rule("fabric_switch_share_ratio", f'label_replace({share}, "switch", "$1", "dst", "(.+)")'),
            Rule("fabric_switch_skew_ratio", f'label_replace({skew}, "switch", "$1", "src", "(.+)")'),
            Rule("fabric_job_measured_bytes_per_second", job),
            Rule(
                "fabric_job_drift_ratio",
                "fabric_job_measured_bytes_per_second / fabric_job_predicted_bytes_per_second - 1",
            ),
            Rule(
                "fabric_phase_attributed_bytes_per_second",
                "fabric_job_measured_bytes_per_second * on (fabric, job) group_right () fabric_phase_share",
            ),
            Rule(
                "fabric_phase_predicted_bytes_per_second",
                "fabric_job_predicted_bytes_per_second * on (fabric, job) group_right () fabric_phase_share",
            ),
        ),
    )


def _seen(keys: str, part: float) -> str:
    """Where at least this part of the links up reports: of fewer a hash may make anything."""
    reporting, there = f"{MEASURED}{{{_UP}}}", f'{CAPACITY}{{{_UP},planned="up"}}'
    return f"(count by ({keys}) ({reporting}) / count by ({keys}) ({there}) >= {part:g})"


def scale_up_group(window: str) -> RuleGroup:
    """NVLink of hosts, as DCGM's profiling fields tell it: bytes per second of every GPU."""
    return RuleGroup(
        "fabric_scale_up",
        (
            Rule(
                "fabric_host_scale_up_sent_bytes_per_second",
                f"sum by (Hostname) (avg_over_time(DCGM_FI_PROF_NVLINK_TX_BYTES[{window}]))",
            ),
            Rule(
                "fabric_host_scale_up_received_bytes_per_second",
                f"sum by (Hostname) (avg_over_time(DCGM_FI_PROF_NVLINK_RX_BYTES[{window}]))",
            ),
        ),
    )
