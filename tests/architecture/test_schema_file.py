"""The JSON Schema that editors use is the one the code makes."""

from __future__ import annotations

import json
from pathlib import Path

from fabric.scenario.json_schema import scenario_schema

SCHEMA = Path(__file__).resolve().parents[2] / "examples" / "fabric-scenario-v1.schema.json"


def test_the_committed_schema_is_current():
    """Renew it by ``fabric schema -o examples/fabric-scenario-v1.schema.json --force``."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == scenario_schema()
