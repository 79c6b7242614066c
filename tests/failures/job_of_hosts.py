"""Jobs for tests of what failures cost them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fabric.failures.job_reaction import FailingJob


def job_of(hosts: int = 4, **keys: Any) -> FailingJob:
    """A job on some hosts of eight GPUs each."""
    keys = {"reaction": "stall", "spares": 0, "restart_h": 0.0, "checkpoint_h": None, "write_h": None, **keys}
    keys.setdefault("share_per_host", 1 / hosts)
    return FailingJob(
        id="job",
        hosts=tuple(f"h{number}" for number in range(hosts)),
        gpus_of_host=np.full(hosts, 8, dtype=np.int32),
        **keys,
    )
