"""Cheap imports, and our own names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("ortools", "scapy", "textual", "numba", "networkx", "graphviz", "scipy", "numpy", "pydantic")


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after running ``code``."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_loads_nothing_heavy():
    """``fabric --help`` answers from a table."""
    loaded = loaded_after("from fabric.cli.main import run\nrun(['--help'])")
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("package", ["topologies", "traffic", "fabric", "tui"])
def test_the_packages_are_ours(package):
    """Other distributions use these names too; here they come from this tree."""
    code = f"import {package}; print({package}.__file__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert Path(done.stdout.strip()).is_relative_to(ROOT)


def test_ecmp_needs_no_solver():
    """Routing by ECMP loads neither OR-Tools nor scapy nor textual nor networkx."""
    example = ROOT / "examples" / "quickstart.fabric.yaml"
    loaded = loaded_after(
        f"from fabric.cli.main import run\nrun(['route', '-q', '-o', '/dev/null', '--force', {str(example)!r}])"
    )
    assert loaded.isdisjoint({"ortools", "scapy", "textual", "networkx", "graphviz"})


def test_router_names_are_those_of_the_registry():
    """The list that the command line reads without loading kernels is complete."""
    from fabric.routing.names import router_names
    from fabric.routing.router import ROUTERS as REGISTRY

    assert list(router_names()) == REGISTRY.names()
