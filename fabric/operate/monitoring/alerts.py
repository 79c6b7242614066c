"""Alerts: what is measured against the limits that the plan gives."""

from __future__ import annotations

from fabric.operate.monitoring.recording import CAPACITY, MEASURED
from fabric.operate.monitoring.rule_text import Rule, RuleGroup

ABOVE, UNPLANNED, IDLE, SKEW = "FabricLinkAbovePlan", "FabricLinkNotPlanned", "FabricSpineIdle", "FabricEcmpSkew"
LINK_DOWN, PLANE_DOWN, RAIL_DOWN = "FabricLinkDown", "FabricPlaneDown", "FabricRailDown"
ERRORS, UNKNOWN = "FabricLinkErrors", "FabricLinksUnknown"


def _alert(name: str, expr: str, severity: str, wait: str, summary: str, description: str) -> Rule:
    texts = {"summary": summary, "description": description}
    return Rule(name, expr, {"severity": severity}, alert=True, for_=wait, annotations=texts)


def alert_group(window: str) -> RuleGroup:
    """All alerts; each waits for one window, so that a burst that the mean hides does not set it off alone."""
    value = "{{ $value | humanize }}"
    name = "{{ $labels.link }}"
    return RuleGroup(
        "fabric_alerts",
        (
            _alert(
                ABOVE,
                f"{MEASURED} > on (fabric, link) group_left () fabric_link_limit_bytes_per_second",
                "warning", window, f"{name} carries more than the plan allows",
                f"{value} B/s in the mean; the plan's band, with its tolerance, ends below. "
                "A job placed elsewhere, another router, or more demand.",
            ),
            _alert(
                UNPLANNED,
                f"{MEASURED} > on (fabric, link) group_left () fabric_link_unplanned_limit_bytes_per_second",
                "warning", window, f"{name} is used, and nothing of the plan crosses it", f"{value} B/s in the mean.",
            ),
            _alert(
                IDLE,
                "fabric_switch_share_ratio < on (fabric, switch) group_left () fabric_switch_least_share",
                "warning", window, "{{ $labels.switch }} gets less than any hash would leave it",
                f"{value} of its share of what the tier {{{{ $labels.tier }}}} carries.",
            ),
            _alert(
                SKEW,
                "fabric_switch_skew_ratio > on (fabric, switch) group_left () fabric_switch_skew_limit",
                "warning", window, "{{ $labels.switch }} spreads its traffic worse than its hash would",
                f"its fullest link up carries {value} times their mean.",
            ),
            _alert(
                LINK_DOWN, "fabric_link_up == 0 and on (fabric, link) fabric_link_needed", "warning", "1m",
                f"{name} is down, and a step waits for what crosses it", "Its port reports that it is not up.",
            ),
            *(
                _alert(
                    alert,
                    f'sum by (fabric, {part}) (fabric_link_up{{{part}!=""}}) == 0',
                    "critical", "1m", f"{part} {{{{ $labels.{part} }}}} of {{{{ $labels.fabric }}}} is down",
                    "No link of it is up.",
                )
                for alert, part in ((PLANE_DOWN, "plane"), (RAIL_DOWN, "rail"))
            ),
            _alert(
                ERRORS,
                "fabric_port_errors_per_second * on (instance, port) group_right () fabric_link_needed > 0",
                "warning", window, f"{name} has errors, and steps of {{{{ $labels.jobs }}}} wait for it",
                f"{value} packets with errors per second at {{{{ $labels.instance }}}} {{{{ $labels.port }}}}.",
            ),
            _alert(
                UNKNOWN,
                f"count by (fabric) ({CAPACITY} unless {MEASURED}) / count by (fabric) ({CAPACITY}) > 0.5",
                "warning", window, "most links of {{ $labels.fabric }} are not measured",
                f"{value} of them: no other alert of this fabric means much.",
            ),
        ),
    )  # fmt: skip
