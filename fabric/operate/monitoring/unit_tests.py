"""Unit tests of the rules for ``promtool test rules``: health is silent, every fault sets off its alert, draws do not.

Time goes in minutes. After half an hour of health every fault has a slot of its own, and the fabric is well again after
it. In the test of draws every minute is another draw of the hash, not one of those that the plan was made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from fabric.operate.draw_loads import drawn_means
from fabric.operate.monitoring.counters import Slot, State, counter_series
from fabric.operate.monitoring.faults import Fault, faults
from fabric.operate.monitoring.plan_series import BYTES, MonitoredFabric, link_series, switch_series
from fabric.operate.monitoring.profiles import Profile
from fabric.operate.monitoring.recording import MEASURED
from fabric.operate.monitoring.rule_text import number, quoted, series
from fabric.pipeline.run import Run

LONGEST_MINUTES = 60
_MOST_VALUES = 400_000  # of all series of the test of draws


def test_file(rule_files: Sequence[str], tests: str) -> str:
    """The head of a file of tests."""
    order = ["fabric_ports", "fabric_plan", "fabric_links", "fabric_measured_beside_predicted", "fabric_alerts"]
    files = "".join(f"- ../{name}\n" for name in rule_files)
    groups = "".join(f"- {name}\n" for name in order)
    return f"rule_files:\n{files}evaluation_interval: 1m\ngroup_eval_order:\n{groups}tests:\n{tests}"


def fault_tests(fabric: MonitoredFabric, profile: Profile, window_s: float) -> tuple[str, list[Fault]]:
    """One test: health, then every fault after the other."""
    wait = 2 * int(np.ceil(window_s / 60)) + 3  # until a mean over the window and the wait of the alert are full
    found = list(faults(fabric))
    slots, checks = [Slot(State(), max(30, wait))], []
    at = slots[0].minutes
    checks.append(_silent(at - 1))
    for fault in found:
        slots += [Slot(fault.state, wait), Slot(State(), wait)]
        checks += [_fires(fault, at + wait - 1), _silent(at + 2 * wait - 1)]
        at += 2 * wait
    lines = [f"- name: {quoted(f'{fabric.name}: health is silent, faults are told')}\n  interval: 1m\n  input_series:\n"]
    for name, values in counter_series(fabric, profile, slots):
        lines.append(f"  - series: {quoted(name)}\n    values: {quoted(values)}\n")
    return "".join([*lines, "  promql_expr_test:\n", *checks]), found


def _silent(minute: int) -> str:
    """No alert fires."""
    return f"  - expr: {quoted(_FIRING)}\n    eval_time: {minute}m\n    exp_samples: []\n"


_FIRING = 'ALERTS{alertstate="firing"}'


def _fires(fault: Fault, minute: int) -> str:
    """The fault's alert fires, and no other of its name."""
    keys = ", ".join(fault.labels)
    expr = f'count by ({keys}) (ALERTS{{alertname="{fault.alert}",alertstate="firing"}})'
    sample = series("", fault.labels)
    return (
        f"  - # {fault.words}\n    expr: {quoted(expr)}\n    eval_time: {minute}m\n    exp_samples:\n"
        f"    - labels: {quoted(sample)}\n      value: 1\n"
    )


def draw_tests(run: Run, fabric: MonitoredFabric, wanted: int) -> tuple[str, int]:
    """One test of as many draws as the size of the file allows; none where nothing is hashed."""
    if not fabric.plan.hashed or not fabric.measured.links:
        return "", 0
    count = int(min(wanted, _MOST_VALUES // len(fabric.measured.links)))
    if count < 1:
        return "", 0
    rates = drawn_means(run, fabric.name, count)
    lines = [f"- name: {quoted(f'{fabric.name}: {count:,} draws of the hash are silent')}\n  interval: 1m\n  input_series:\n"]
    for column, link in enumerate(fabric.measured.links):
        values = " ".join(number(float(value) * BYTES) for value in rates[:, link])
        name = series(MEASURED, fabric.measured.labels(link))
        lines.append(f"  - series: {quoted(name)}\n    values: {quoted(values)}\n")
        del column
    for rule in _constants(fabric):
        value = rule.expr.removeprefix("vector(").removesuffix(")")
        lines.append(
            f"  - series: {quoted(series(rule.name, rule.labels))}\n    values: {quoted(f'{value}+0x{count - 1}')}\n"
        )
    check = f"  - expr: {quoted(f'count_over_time(ALERTS[{count}m])')}\n    eval_time: {count - 1}m\n    exp_samples: []\n"
    return "".join([*lines, "  promql_expr_test:\n", check]), count


def _constants(fabric: MonitoredFabric) -> Iterator:  # type: ignore[type-arg]
    yield from link_series(fabric)
    yield from switch_series(fabric)
