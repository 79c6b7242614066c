"""A scenario that routes at once."""

SCENARIO = """\
version: 1
name: f
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
workloads:
- {id: w, kind: all-to-all, fabric: main, size: 1 GiB}
"""
