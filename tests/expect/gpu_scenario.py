"""A scenario small enough to be drawn often, with GPUs, rails and units that only spines join."""

from __future__ import annotations

SCENARIO = """\
version: 1
name: rails
seed: 3
nodes:
  - {group: gpu, model: hgx-h100-8, count: 8, nics: {main: {model: cx7-400, count: 8, rail: per-gpu}}}
fabrics:
  main:
    topology:
      kind: rail-optimised
      tiers: 2
      nodes_per_unit: 4
      leaf: {model: eth-64x400, down: 4, up: 4}
      spine: {model: eth-64x400, count: 4}
    routing: {router: ecmp-hash}
workloads:
  - {id: shuffle, kind: alltoall, members: gpu, fabric: main, size: 1 GiB}
"""
