"""Everything that fails: the parts of a sweep, and the hosts, GPUs and software of the jobs; with rates, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fabric.failures.job_reaction import FailingJob, gpus_by_host
from fabric.failures.part import Part
from fabric.failures.rates import PartRate, Rates
from topologies.columns import Floats, Ints, column
from topologies.units import HOURS_PER_MONTH


@dataclass(frozen=True, eq=False)
class Fleet:
    """P parts of the network first, then H hosts, H times the GPUs of a host, and J times the software of a job."""

    parts: tuple[Part, ...]
    causes: tuple[str, ...]
    cause: Ints  # shape (P + 2H + J,)
    per_month: Floats  # failures of each while it works
    repair_h: Floats
    host: Ints  # host that goes, over all jobs; -1 of network parts and software
    job: Ints  # job whose software it is; -1 of others
    used: tuple[tuple[str, str], ...]  # kinds and roles with their rates
    without_rate: tuple[str, ...]  # kinds that nothing is known of

    def __len__(self) -> int:
        return len(self.cause)

    @property
    def rate_per_h(self) -> Floats:
        """Failures an hour of each while it works."""
        return self.per_month / HOURS_PER_MONTH

    @property
    def load(self) -> Floats:
        """Mean time down over mean time up."""
        return self.rate_per_h * self.repair_h

    @property
    def failures_per_month(self) -> Floats:
        """Of each, the time that it is down in it."""
        return self.per_month / (1 + self.load)


def cause_of(kind: str, role: str) -> str:
    """What losses are counted by.

    >>> cause_of("switch", "spine"), cause_of("gpu", "")
    ('switch spine', 'gpu')
    """
    return f"{kind} {role}".rstrip()


def is_random(part: Part) -> bool:
    """Whether a part fails by chance, and fully: drains are planned, and of degraded parts no rates are known."""
    return not part.drained and bool(part.links or part.hosts)


def fleet_of(parts: Sequence[Part], jobs: Sequence[FailingJob], rates: Rates) -> Fleet:
    """All that fails and has a rate above 0."""
    rows: list[tuple[str, PartRate, int, int]] = []
    kept: list[Part] = []
    used: dict[tuple[str, str], None] = {}
    without: dict[str, None] = {}
    for part in filter(is_random, parts):
        rate = rates.rate(part.kind, part.role)
        if rate is None:
            without[part.kind] = None
            continue
        used[part.kind, part.role] = None
        if rate.per_month > 0:
            kept.append(part)
            rows.append((cause_of(part.kind, part.role), _while_down(rate, part), -1, -1))
    listed = {part.kind for part in parts}
    gpus = gpus_by_host(jobs)
    for kind, each in (("host", np.ones(len(gpus))), ("gpu", gpus)):
        own = rates.rate(kind)
        if own is not None and kind not in listed and len(gpus):
            used[kind, ""] = None
            scaled = [PartRate(own.per_month * count, own.repair_s, own.source) for count in each.tolist()]
            rows += [(kind, rate, host, -1) for host, rate in enumerate(scaled) if rate.per_month > 0]
    software = rates.rate("software")
    for place, job in enumerate(jobs):
        if software is not None and software.per_month > 0:
            used["software", ""] = None
            rows.append(("software", PartRate(software.per_month * job.gpus, 0.0, software.source), -1, place))
    causes = tuple(dict.fromkeys(name for name, *_ in rows))
    number = {name: place for place, name in enumerate(causes)}
    return Fleet(
        parts=tuple(kept),
        causes=causes,
        cause=column([number[name] for name, *_ in rows], np.int32),
        per_month=column([rate.per_month for _, rate, _, _ in rows], np.float64),
        repair_h=column([rate.repair_s / 3600 for _, rate, _, _ in rows], np.float64),
        host=column([host for _, _, host, _ in rows], np.int32),
        job=column([job for *_, job in rows], np.int32),
        used=tuple(used),
        without_rate=tuple(without),
    )


def _while_down(rate: PartRate, part: Part) -> PartRate:
    """Of what flaps only the part of the time that it is down counts."""
    return rate if part.time_down == 1 else PartRate(rate.per_month, rate.repair_s * part.time_down, rate.source)
