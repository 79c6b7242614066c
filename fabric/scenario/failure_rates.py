"""How often parts fail and how long repairs take, as published; what nobody publishes is an estimate and says so.

A month is a twelfth of 365.25 days. Llama 3: 419 unexpected interruptions in 54 days of training on 16,384 GPUs with
eight to a host (table 5); each row counts those of its causes, per part.
"""

from __future__ import annotations

from dataclasses import dataclass

_HPN = "Qian et al., Alibaba HPN, SIGCOMM 2024"
_LLAMA = "Llama Team, The Llama 3 herd of models, 2024, table 5"
_MONTHS = 54 / 30.4375  # that the interruptions of Llama 3 were counted over
_LLAMA_GPUS = 16_384

HOUR_S = 3600.0


@dataclass(frozen=True)
class FailureRate:
    """Of one kind of part.

    Attributes
    ----------
    per_month : float
        Failures of one part a month, while it works.
    repair_s : float or None
        Mean time from the failure until it works again, s; None of what needs no repair.
    source : str
        Where the rate is from.
    repair_source : str
        Where the repair time is from.
    """

    key: str  # a kind of part, with or without the role or tier that it is of
    per_month: float
    repair_s: float | None
    source: str
    repair_source: str = "estimate"


def _of_llama(interruptions: int, parts: int) -> float:
    """Failures of one part a month."""
    return interruptions / parts / _MONTHS


BUILT_IN: tuple[FailureRate, ...] = (
    FailureRate("link", 0.057e-2, 4 * HOUR_S, f"{_HPN}: links between NIC and ToR; taken for all links"),
    FailureRate("switch", 0.051e-2, 6 * HOUR_S, f"{_HPN}: ToR switches; taken for all switches"),
    # GPU 148, HBM3 72, SRAM 19, system processor 17, silent data corruption 6, thermal interface and sensor 6.
    FailureRate("gpu", _of_llama(268, _LLAMA_GPUS), 12 * HOUR_S, f"{_LLAMA}: 268 of its GPUs and their memory"),
    # Maintenance 32; SSD, power supply 3 each; chassis, IO board, CPU, system memory 2 each.
    FailureRate("host", _of_llama(46, _LLAMA_GPUS // 8), 24 * HOUR_S, f"{_LLAMA}: 46 of hosts and their maintenance"),
    FailureRate("nic", _of_llama(7, _LLAMA_GPUS), 24 * HOUR_S, f"{_LLAMA}: 7 of NICs"),
    # Software bugs 54, NCCL watchdog timeouts 7, dependencies 2.
    FailureRate("software", _of_llama(63, _LLAMA_GPUS), None, f"{_LLAMA}: 63 of software, per GPU of a job"),
)

RATED_KINDS = (
    "link",
    "cable",
    "switch",
    "line-card",
    "nic",
    "nic-port",
    "host",
    "gpu",
    "software",
    "unit",
    "pod",
    "plane",
    "rail",
    "rack",
    "power-feed",
    "optics-batch",
    "group",
)
"""Kinds of part that may have a rate: those that fail in a sweep, GPUs of hosts, and the software of jobs."""


def built_in_rate(kind: str) -> FailureRate | None:
    """The row of a kind of part; None where nothing is published that we know of."""
    return next((row for row in BUILT_IN if row.key == kind), None)
