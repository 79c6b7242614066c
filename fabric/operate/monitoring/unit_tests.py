"""Unit tests of the rules for ``promtool test rules``: health is silent, every fault sets off its alert, draws do not.

Time goes in minutes. After half an hour of health every fault has a slot of its own, and the fabric is well again after
it. In the test of draws every minute is another draw of the hash, not one of those that the plan was made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.operate.draw_loads import drawn_means
from fabric.operate.monitoring.counters import Slot, State, counter_series
from fabric.operate.monitoring.faults import Fault, faults
from fabric.operate.monitoring.plan_series import BYTES, PLAN_SERIES, MonitoredFabric
from fabric.operate.monitoring.profiles import Profile
from fabric.operate.monitoring.recording import MEASURED, PREDICTED
from fabric.operate.monitoring.rule_text import number, quoted, series
from fabric.operate.monitoring.some_links import sample_words, some_links
from fabric.pipeline.run import Run

_MOST_LINKS = 160  # of a test of faults; promtool takes 10,000 samples a query at most, and its time
_MOST_DRAWN = 96  # links whose draws are written down
_MOST_CELLS = 10_000_000  # loads of links over all draws of a test


@dataclass(frozen=True)
class RuleFiles:
    """Names of the files that tests load."""

    ports: str
    plan: str
    links: str
    measured: str
    alerts: str


def _test_file(name: str, rule_files: Sequence[str], tests: str, said: Sequence[str] = ()) -> str:
    """A file of tests; ``said`` stands above them."""
    order = ["fabric_ports", f"fabric_plan_{name}", "fabric_links", "fabric_measured_beside_predicted", "fabric_alerts"]
    files = "".join(f"- ../{name}\n" for name in rule_files)
    groups = "".join(f"- {name}\n" for name in order)
    head = "".join(f"# {line}\n" for line in said)
    return f"{head}rule_files:\n{files}evaluation_interval: 1m\ngroup_eval_order:\n{groups}tests:\n{tests}"


def fault_tests(
    fabric: MonitoredFabric, profile: Profile, window_s: float, files: RuleFiles
) -> tuple[str, list[Fault]]:
    """A file with one test: health, then every fault after the other; of some switches where there are many links."""
    whole, fabric = fabric, some_links(fabric, _MOST_LINKS)
    wait = 2 * int(np.ceil(window_s / 60)) + 3  # until a mean over the window and the wait of the alert are full
    found = list(faults(fabric))
    slots, checks = [Slot(State(), max(30, wait))], []
    at = slots[0].minutes
    checks.append(_silent(at - 1))
    for fault in found:
        slots += [Slot(fault.state, wait), Slot(State(), wait)]
        checks += [_fires(fault, at + wait - 1), _silent(at + 2 * wait - 1)]
        at += 2 * wait
    lines = [_head(f"{fabric.name}: health is silent, faults are told")]
    lines += [_input(name, values) for name, values in counter_series(fabric, profile, slots)]
    lines += _constants(fabric, at)
    tests = "".join([*lines, "  promql_expr_test:\n", *checks])
    rules = [files.ports, files.links, files.measured, files.alerts]
    return _test_file(fabric.name, rules, tests, sample_words(whole, fabric)), found


def plan_test(fabric: MonitoredFabric, files: RuleFiles) -> str:
    """A file with one test: the plan's constants are there, link by link, with their labels."""
    links = fabric.measured.links
    checks = []
    for link in dict.fromkeys([links[0], links[len(links) // 2], links[-1]]):
        labels = fabric.measured.labels(link)
        value = number(float(fabric.plan.mean_gbps[link]) * BYTES)
        name = {key: labels[key] for key in ("fabric", "link")}
        sample = series(PREDICTED, labels)
        checks.append(
            f"  - expr: {quoted(series(PREDICTED, name))}\n    eval_time: 1m\n    exp_samples:\n"
            f"    - labels: {quoted(sample)}\n      value: {value}\n"
        )
    head = f"- name: {quoted(f'{fabric.name}: the plan as series')}\n  interval: 1m\n"
    return _test_file(fabric.name, [files.plan], "".join([head, "  promql_expr_test:\n", *checks]))


def _head(name: str) -> str:
    return f"- name: {quoted(name)}\n  interval: 1m\n  input_series:\n"


def _input(name: str, values: str) -> str:
    return f"  - series: {quoted(name)}\n    values: {quoted(values)}\n"


def _silent(minute: int) -> str:
    """No alert fires."""
    return f"  - expr: {quoted(_FIRING)}\n    eval_time: {minute}m\n    exp_samples: []\n"


_FIRING = 'ALERTS{alertstate="firing"}'


def _fires(fault: Fault, minute: int) -> str:
    """The fault's alert fires, and no other of its name."""
    keys = ", ".join(fault.labels)
    expr = f'count by ({keys}) (ALERTS{{alertname="{fault.alert}",alertstate="firing"}})'
    samples = (series("", labels) for labels in (fault.labels, *fault.also))
    expected = "".join(f"    - labels: {quoted(sample)}\n      value: 1\n" for sample in samples)
    return f"  - # {fault.words}\n    expr: {quoted(expr)}\n    eval_time: {minute}m\n    exp_samples:\n{expected}"


def draw_tests(run: Run, fabric: MonitoredFabric, wanted: int, files: RuleFiles) -> tuple[str, int]:
    """A file with one test of as many draws as its size allows; empty where nothing is hashed."""
    if not fabric.plan.hashed or not fabric.measured.links or wanted < 1:
        return "", 0
    count = int(np.clip(_MOST_CELLS // len(fabric.plan.topology.links), 1, wanted))
    part = some_links(fabric, _MOST_DRAWN, whole_groups=True)
    rates = drawn_means(run, fabric.name, count)
    lines = [_head(f"{fabric.name}: {count:,} draws of the hash are silent")]
    for link in part.measured.links:
        values = " ".join(number(float(value) * BYTES) for value in rates[:, link])
        lines.append(_input(series(MEASURED, part.measured.labels(link)), values))
    lines += _constants(part, count)
    check = (
        f"  - expr: {quoted(f'count_over_time(ALERTS[{count}m])')}\n    eval_time: {count - 1}m\n    exp_samples: []\n"
    )
    tests = "".join([*lines, "  promql_expr_test:\n", check])
    return _test_file(fabric.name, [files.measured, files.alerts], tests, sample_words(fabric, part)), count


def _constants(fabric: MonitoredFabric, minutes: int) -> list[str]:
    """The plan as series that do not change."""
    made = (rule for make in PLAN_SERIES for rule in make(fabric))
    return [
        _input(series(rule.name, rule.labels), f"{rule.expr.removeprefix('vector(').removesuffix(')')}+0x{minutes - 1}")
        for rule in made
    ]
