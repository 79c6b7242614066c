"""Two designs and a conflict, made up."""

from __future__ import annotations

from dataclasses import replace

import toy_family

from fabric.design.need import FabricNeed
from fabric.design.result import Conflict, Design, WorstFailure
from topologies.catalogue import builtin

_NEED = FabricNeed("backend", hosts=4, gpus_per_host=8, nics=8, nic_gbps=400.0)
_ROW = builtin().switches["eth-64x400"]
_FIRST = Design(
    "toy eth-64x400",
    "leaf-spine",
    {"backend": toy_family.counted(_NEED, _ROW, _ROW, 1, 1, 32)},
    "version: 1\n",
    32,
    {"leaf": 1, "spine": 1},
    {"host-leaf": 32, "leaf-spine": 32},
    {"400g-dr4": 64},
    90_000.0,
    90_000.0,
    3400.5,
    None,
    704.0,
    {"leaf": 1.0},
    {"job": 1.25, "other": 0.5},
    0.875,
    WorstFailure("leaf0", {"job": None, "other": 0.75}, 24, 1.5),
    chosen=True,
)
DESIGNS = (
    _FIRST,
    replace(
        _FIRST,
        name="toy | other",
        value=120_000.0,
        cost_usd=None,
        power_w=None,
        max_utilisation=None,
        oversubscription_by_role={"leaf": 2.0, "spine": 1.5},
        step_time_s={},
        worst_failure=None,
        chosen=False,
        why_not="33.3 % more of the objective",
    ),
)
CONFLICT = (
    Conflict("require.gpus", "64 hosts", "32 hosts would do"),
    Conflict("candidates.kinds", "toy", "clos would do"),
)
