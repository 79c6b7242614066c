"""Paths through many switches: Open vSwitch's own trace, from bridge to bridge, against ours."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ovs_lab import OvsLab
from real_programs import require

from fabric.cli.main import run
from fabric.pipeline.tables import address_plans
from fabric.request import RouteRequest
from fabric.rules.changes import read_tables_of
from fabric.rules.trace import Tracer
from fabric.scenario.load import load_scenario

require("ovs-vswitchd", "ovsdb-server", "ovs-ofctl", "ip")
pytestmark = pytest.mark.real_ovs

SCENARIO = """\
version: 1
name: k8
fabrics:
  main:
    topology: {kind: fat-tree, radix: 8, speed: 100G}
    routing: {router: wcmp}
"""
DOWN = ("link=pod0/agg0:core0", "link=pod3/edge1:pod3/agg2", "link=pod5/agg1:core5")


@pytest.mark.slow
def test_traces_of_open_vswitch_pass_the_switches_of_ours(tmp_path):
    """80 switches of a damaged k = 8 fat tree wired by patch ports, 60 flows with a hash given: the same switches in
    the same order, also where three links that failed make the weights uneven."""
    path = tmp_path / "k8.fabric.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    out = tmp_path / "out"
    flags = [word for thing in DOWN for word in ("--down", thing)]
    assert run(["export", "openflow", str(path), "-o", str(out), "-q", *flags]) == 0
    loaded = load_scenario(str(path), overrides=[])
    plan = address_plans(loaded, RouteRequest())[0]  # as built: the lab has all wires, the tables do not use the dead
    tracer = Tracer(read_tables_of(out), address_plans(loaded, RouteRequest(down=DOWN))[0])
    names = plan.topology.nodes.name
    rng = np.random.default_rng(5)
    with OvsLab(plan, wires="patch", hosts=False) as lab:
        lab.load(out)
        lengths = set()
        for _ in range(60):
            src, dst = (names[node] for node in rng.choice(plan.node_at, 2, replace=False).tolist())
            slot = int(rng.integers(1, 256))
            packet = tracer.packet(src, dst)
            ((switch, in_port),) = tracer.entries(src)
            ours = tracer.trace(packet, (switch, in_port), slot=slot)
            assert ours.end == "delivered"
            flow = f"udp,in_port={in_port},nw_src={packet.src_text},nw_dst={packet.dst_text},dp_hash={slot}"
            text = lab.trace(plan.topology.node(switch), flow)
            bridges = re.findall(r'^ *bridge\("(\S+)"\)', text, re.MULTILINE)
            assert bridges == [lab.bridge(plan.topology.node(name)) for name in ours.names]
            lengths.add(len(bridges))
        assert lengths >= {3, 5}
