"""A small answer of ``fabric design``, as a file has it: two designs, one chosen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def _entry(name: str, kind: str, value: float, *, chosen: bool) -> dict[str, Any]:
    return {
        "name": name,
        "topology_kind": kind,
        "gpus": 64,
        "switches_by_role": {"leaf": 2, "spine": 2},
        "cables_by_tier": {"host-leaf": 64, "leaf-spine": 64},
        "optics_by_model": {"400g-dr4": 128},
        "value": value,
        "cost": value,
        "power_w": 6_800.0,
        "carbon_kg": None,
        "cable_m": 1_408.0,
        "oversubscription_by_role": {"leaf": 1.0},
        "step_time_s": {"llama": 1.5},
        "max_utilisation": 0.5,
        "worst_failure": {
            "case": "spine0",
            "step_time_s": {"llama": 1.6},
            "unreachable_pairs": 0,
            "max_utilisation": 1.0,
        },
        "scenario": f"{kind}.fabric.yaml",
        "chosen": chosen,
        "why_not": None if chosen else "10.0 % more of the objective",
        "notes": [],
    }


def write_design(folder: Path) -> Path:
    """The file."""
    path = folder / "design.json"
    record = {
        "kind": "DesignResult",
        "name": "small",
        "status": "OPTIMAL",
        "objective": "cost",
        "unit": "US$",
        "value": 200_000.0,
        "bound": 200_000.0,
        "gap": 0.0,
        "conflict": [],
        "defaults": ["require.survive: nothing"],
        "flips": ["clos would cost as little if eth-64x400 cost US$ 50,000, 11.1 % more than its US$ 45,000"],
        "rejected": [],
        "tried": 2,
        "notes": [],
        "designs": [
            _entry("leaf-spine eth-64x400", "leaf-spine", 200_000.0, chosen=True),
            _entry("clos eth-64x400", "clos", 220_000.0, chosen=False),
        ],
    }
    path.write_text(json.dumps(record), encoding="utf-8")
    return path
