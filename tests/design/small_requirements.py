"""Requirements small enough to be judged design by design: 24 hosts of a GPU and a NIC, switches of 16 ports."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fabric.design.requirement import Requirement
from fabric.design.requirement_file import load_requirement

SWITCH = {
    "model": "tiny", "ports": 16, "speed": "400G", "source": "made up for tests", "estimate": True, "usd": 10_000.0,
    "typical_w": 300.0, "max_w": 400.0, "breakouts": [],
}  # fmt: skip
JOB = {"id": "all", "kind": "collective", "collective": "all-to-all", "size": "1 GiB"}


def requirement(folder: Path, *, switch: Mapping[str, Any] | None = None, **keys: Any) -> Requirement:
    """One of leaf-spines of ``tiny`` switches; keys of ``require`` may be given, ``site``, ``candidates`` and so on."""
    row = {key: value for key, value in {**SWITCH, **(switch or {})}.items() if value is not None}
    (folder / "tiny.yaml").write_text(yaml.safe_dump({"switches": [row]}), encoding="utf-8")
    require = {"gpus": 24, "gpus_per_node": 1, "nic": "400G", **keys.pop("require", {})}
    given = {
        "version": 1,
        "name": "small",
        "include": [{"catalog": "tiny.yaml"}],
        "require": require,
        "candidates": {"kinds": ["leaf-spine"], "switches": ["tiny"]},
        **keys,
    }
    path = folder / "small.requirement.yaml"
    path.write_text(yaml.safe_dump(given, sort_keys=False), encoding="utf-8")
    return load_requirement(str(path), given={})
