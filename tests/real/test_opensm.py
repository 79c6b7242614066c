"""Exported forwarding tables in OpenSM on a simulated fabric of 432 hosts."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest
from ib_lab import IbLab
from real_programs import require

from fabric.cli.main import run
from fabric.rules.lft import compare_lfts, parse_lfts

require("opensm", "ibsim", "ibnetdiscover", "ip")
pytestmark = pytest.mark.real_ib

SCENARIO = """\
version: 1
name: ib
fabrics:
  main:
    topology: {kind: fat-tree, radix: 12, speed: 200G}
    routing: {router: ftree}
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Folder of the export, our tables, and names by LID."""
    folder = tmp_path_factory.mktemp("ib")
    (folder / "ib.fabric.yaml").write_text(SCENARIO, encoding="utf-8")
    out = folder / "out"
    assert run(["export", "lft", str(folder / "ib.fabric.yaml"), "-o", str(out), "-q"]) == 0
    ours = parse_lfts((out / "opensm.lfts").read_text(), "opensm.lfts")
    rows = [line.split(",") for line in (out / "lids.csv").read_text().splitlines()[1:]]
    return out, ours, {int(row[0]): row[2] for row in rows}


@pytest.fixture(scope="module")
def lab(exported):
    """The exported fabric, simulated, with OpenSM's cache holding our LIDs."""
    out, _, names = exported
    with IbLab(out / "net.txt", names[181]) as made:
        (made.folder / "guid2lid").write_text((out / "guid2lid").read_text())
        yield made


def test_the_simulator_discovers_the_fabric_port_for_port(lab, exported):
    """180 switches, 432 hosts; every line of the net file is a link that ibnetdiscover sees."""
    out, _, _ = exported
    text = lab.run("ibnetdiscover")
    assert len(re.findall(r"^Switch\s", text, re.MULTILINE)) == 180
    assert len(re.findall(r"^Ca\s", text, re.MULTILINE)) == 432
    names = dict(re.findall(r'^(?:Switch|Ca)\s+\d+\s+"(\S+?)"\s+# "(.*?)"', text, re.MULTILINE))
    seen, here = set(), ""
    for line in text.splitlines():
        if match := re.match(r'(?:Switch|Ca)\s+\d+\s+"(\S+?)"', line):
            here = names[match[1]]
        elif match := re.match(r'\[(\d+)\](?:\(\w+\))?\s+"(\S+?)"\[(\d+)\]', line):
            seen.add((here, int(match[1]), names[match[2]], int(match[3])))
    meant, here = set(), ""
    for line in (out / "net.txt").read_text().splitlines():
        if match := re.match(r'(?:Switch|Hca) \d+ "(.*)"', line):
            here = match[1]
        elif match := re.match(r'\[(\d+)\] "(.*)"\[(\d+)\]', line):
            meant.add((here, int(match[1]), match[2], int(match[3])))
    assert seen == meant


def test_opensm_installs_our_tables_entry_by_entry(lab, exported):
    """``-R file -U``: what OpenSM dumps after its sweep has no entry that differs."""
    out, ours, _ = exported
    theirs = parse_lfts(lab.sweep("-R", "file", "-U", str(out / "opensm.lfts"), "--honor_guid2lid"), "dump")
    assert len(theirs) == len(ours) == 180
    assert compare_lfts(ours, theirs) == []


def destinations_per_port(tables, hosts):
    """For every switch, how many hosts each of its ports serves, the most first."""
    return {
        table.guid: sorted(Counter(port for lid, port in table.port.items() if lid in hosts).values(), reverse=True)
        for table in tables
    }


def test_opensms_ftree_spreads_destinations_as_ours_does(lab, exported):
    """Every switch: the numbers of hosts per port are those of OpenSM's own ftree engine."""
    _, ours, names = exported
    hosts = {lid for lid in names if lid > 180}
    theirs = parse_lfts(lab.sweep("-R", "ftree", "--honor_guid2lid"), "dump")
    assert destinations_per_port(theirs, hosts) == destinations_per_port(ours, hosts)


def test_shift_permutations_load_every_link_at_most_once(exported):
    """Walked through our tables, 40 shifts of the 432 hosts; the closed form of D-mod-k is 1."""
    out, ours, names = exported
    table = {one.name: one.port for one in ours}
    peer, here = {}, ""
    for line in (out / "net.txt").read_text().splitlines():
        if match := re.match(r'(?:Switch|Hca) \d+ "(.*)"', line):
            here = match[1]
        elif match := re.match(r'\[(\d+)\] "(.*)"\[(\d+)\]', line):
            peer[here, int(match[1])] = match[2]
    hosts = sorted(lid for lid in names if lid > 180)
    for shift in np.random.default_rng(3).choice(np.arange(1, 432), 40, replace=False).tolist():
        load: Counter[tuple[str, int]] = Counter()
        for place, lid in enumerate(hosts):
            target = hosts[(place + shift) % len(hosts)]
            at = peer[names[lid], 1]
            while at != names[target]:
                port = table[at][target]
                load[at, port] += 1
                at = peer[at, port]
        assert max(load.values()) == 1
