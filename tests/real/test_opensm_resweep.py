"""A link of a simulated InfiniBand fabric dies, OpenSM sweeps again: its tables against router ``ftree`` converged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ib_lab import IbLab
from real_programs import require

from fabric.cli.main import run
from fabric.failures.cases import Cases, damage_of
from fabric.failures.choose import engine_of
from fabric.failures.part import Part
from fabric.failures.phases import sweep_phases
from fabric.failures.plain import PlainEngine, damaged_topology
from fabric.failures.reaction import EXPORTED
from fabric.pipeline.run import run_scenario
from fabric.request import RouteRequest
from fabric.rules.lft import parse_lfts
from fabric.rules.ports import Ports
from fabric.scenario.load import load_scenario
from topologies.columns import column

require("opensm", "ibsim", "ibnetdiscover", "ip")
pytestmark = pytest.mark.real_ib

SCENARIO = """\
version: 1
name: ib
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
    routing: {router: ftree}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 MB}
"""
CUT = ("pod0/edge0", "pod0/agg0")


def exported(folder: Path) -> tuple[Path, Path, dict[int, str], dict[str, str]]:
    """Scenario, folder, names by LID as in the files, and nodes by those names."""
    path, out = folder / "ib.fabric.yaml", folder / "out"
    path.write_text(SCENARIO, encoding="utf-8")
    assert run(["export", "lft", str(path), "-o", str(out), "-q"]) == 0
    rows = [line.split(",") for line in (out / "lids.csv").read_text().splitlines()[1:]]
    return path, out, {int(row[0]): row[2] for row in rows}, {row[2]: row[3] for row in rows}


class Walked:
    """Loads of all links when every pair follows the tables of a subnet manager."""

    def __init__(self, topology, tables, names: dict[int, str], nodes: dict[str, str]) -> None:
        self.topology, self.ports = topology, Ports(topology)
        lid_of = {topology.node(nodes[name]): lid for lid, name in names.items()}
        self.lid_of = lid_of
        self.port = {topology.node(nodes[table.name]): table.port for table in tables}

    def loads(self, pairs) -> tuple[np.ndarray, int]:
        """Gbps of every link, and pairs that are lost."""
        links, loads, lost = self.topology.links, np.zeros(len(self.topology.links)), 0
        for pair in pairs:
            for src, dst, amount in zip(*pair.flows.rows(), strict=True):
                link = int(self.ports.links(int(src))[0])
                for _ in range(8):
                    if link < 0 or not self.topology.up[link]:
                        lost += 1
                        break
                    loads[link] += amount * pair.gbps_per_unit
                    node = int(links.dst[link])
                    if node == dst:
                        break
                    link = self.ports.link(node, self.port[node].get(self.lid_of[int(dst)], 255))
        return loads, lost


def test_tables_before_and_after_a_cut_are_those_of_exported_and_converged(tmp_path):
    """16 hosts, all-to-all, an uplink of pod0/edge0 unlinked.

    Until a sweep, tables of OpenSM's own ftree engine go on sending into the dead link: 28 pairs lost, as reaction
    ``exported`` says, link by link. A sweep that installs our converged tables gives the loads of ``converged``, link
    by link. A sweep of OpenSM's own engine cuts nobody off and comes to the same fullest link, 2 x 93.3 %: it balances
    other links by counters, where our router numbers destinations.
    """
    path, out, names, nodes = exported(tmp_path)
    (phase,) = sweep_phases(run_scenario(load_scenario(str(path)), RouteRequest()))
    topology, pairs = phase.topology, phase.intact.routed.pairs
    links = topology.links
    edge, agg = (topology.node(name) for name in CUT)
    dead = np.flatnonzero((links.src == edge) & (links.dst == agg) | (links.src == agg) & (links.dst == edge))
    damage = damage_of(Cases.single((Part("link", "cut", {"main": column(dead, np.int32)}),)), "main")
    after = damaged_topology(topology, damage, 0)
    ours = PlainEngine(phase).route(damage, 0).link_gbps.sum(axis=1)
    folder = tmp_path / "after"
    words = ["export", "lft", str(path), "--down", f"link={CUT[0]}:{CUT[1]}", "-o", str(folder), "-q"]
    assert run(words) == 0
    host = next(name for name, node in nodes.items() if node.startswith("pod3/edge1/h"))
    with IbLab(out / "net.txt", host, console=True) as lab:
        (lab.folder / "guid2lid").write_text((out / "guid2lid").read_text())

        def walked(fabric, *engine: str) -> tuple[np.ndarray, int]:
            tables = parse_lfts(lab.sweep("-R", *engine, "--honor_guid2lid"), "dump")
            return Walked(fabric, tables, names, nodes).loads(pairs)

        stale = parse_lfts(lab.sweep("-R", "ftree", "--honor_guid2lid"), "dump")
        np.testing.assert_allclose(
            Walked(topology, stale, names, nodes).loads(pairs)[0], phase.intact.link_gbps.sum(axis=1), atol=1e-9
        )
        up = int(next(link for link in dead if links.src[link] == edge))
        name = {node: key for key, node in nodes.items()}[CUT[0]]
        lab.order(f'Unlink "{name}"[{Ports(topology).of_link[up]}]')
        loads, lost = Walked(after, stale, names, nodes).loads(pairs)
        _, carried = engine_of(phase, EXPORTED, "opensm").carried(damage, 0)
        assert lost == carried.hit.sum() == 28
        # The receivers' own links carry what arrives.
        np.testing.assert_allclose(loads, carried.link_gbps.sum(axis=1), atol=1e-9)
        loads, lost = walked(after, "file", "-U", str(folder / "opensm.lfts"))
        assert lost == 0
        np.testing.assert_allclose(loads, ours, atol=1e-9)
        loads, lost = walked(after, "ftree")
        assert lost == 0
        assert loads.max() == pytest.approx(ours.max()) == pytest.approx(2 * 93.333333, rel=1e-6)
