"""Importing the traffic package stays cheap, and every entry's example is valid."""

from __future__ import annotations

import subprocess
import sys

import pytest

from traffic.workload import PLACEMENTS, WORKLOADS


def test_loading_all_workloads_imports_no_solver_and_no_graph_library():
    """A fresh interpreter, all plug-ins loaded."""
    heavy = ("networkx", "ortools", "scapy", "scipy", "numba")
    load = "import sys; from traffic.workload import WORKLOADS; WORKLOADS.names()"
    code = f"{load}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("entry", [*WORKLOADS, *PLACEMENTS], ids=lambda entry: entry.name)
def test_examples_are_valid(entry):
    """And the model has a JSON schema for editors."""
    entry.model.model_validate({"kind": entry.name, **entry.example})
    assert entry.model.model_json_schema()["properties"]["kind"]
