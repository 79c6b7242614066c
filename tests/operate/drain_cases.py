"""Small fabrics with jobs on a part of them, and works on their switches."""

from __future__ import annotations

import numpy as np

from fabric.operate.drain.work import Work, works_on
from fabric.pipeline.run import Run, run_scenario
from fabric.scenario.load import load_scenario_text

TEXT = """\
version: 1
name: drained
nodes:
  - {{group: busy, count: {busy}, gpus: 8, nics: {{main: {{count: 1, speed: 100G}}}}}}
  - {{group: idle, count: {idle}, gpus: 8, nics: {{main: {{count: 1, speed: 100G}}}}}}
fabrics:
  main:
    topology: {{kind: fat-tree, radix: {radix}, speed: 100G}}
    routing: {{router: ecmp}}
workloads:
  - {{id: job, kind: {kind}, fabric: main, size: 1 GB, members: busy}}
"""


def routed(radix: int = 4, busy: int = 6, kind: str = "all-to-all", more: str = "") -> Run:
    """A fat tree whose first hosts have a job."""
    text = TEXT.format(radix=radix, busy=busy, idle=radix**3 // 4 - busy, kind=kind) + more
    return run_scenario(load_scenario_text(text, "drained.fabric.yaml"))


def random_case(seed: int, most: int = 8) -> tuple[Run, tuple[Work, ...], int]:
    """A run, works on random aggregation and core switches, and how many windows there are."""
    random = np.random.default_rng(seed)
    radix = int(random.choice([4, 6]))
    hosts = radix**3 // 4
    busy = int(random.integers(hosts // 4, 3 * hosts // 4))
    run = routed(radix, busy, str(random.choice(["all-to-all", "permutation"])))
    names = [name for name in run.network.topologies["main"].nodes.name if "agg" in name or "core" in name]
    chosen = random.choice(names, size=min(most, len(names)), replace=False).tolist()
    return run, works_on(run.network, chosen, 1800.0), int(random.integers(2, 5))
