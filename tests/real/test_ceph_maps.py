"""Placement groups as Ceph's own programs put them: CRUSH maps through crushtool, trees from osdmaptool."""

from __future__ import annotations

import json
import re
import subprocess

import numpy as np
import pytest
from real_programs import require
from traffic_clusters import cluster, phase, run

from topologies.errors import FormatError
from traffic.storage.crush import read_crush_map
from traffic.storage.crush_rules import by_number, draw, read_crush_rules
from traffic.storage.osd_tree import OsdTree, read_osd_tree

pytestmark = pytest.mark.real_ceph
require("crushtool", "osdmaptool", root=False)
KEYS = {"servers": "ceph", "clients": "gpu", "replication": 2, "write": "60 Gb/s"}


def call(*words: str, folder) -> str:
    """What a program prints."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout or done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve OSDs in six hosts in three racks; copies go to different hosts, and the names are the scenario's."""
    place = tmp_path_factory.mktemp("crush")
    layers = ["host", "straw2", "2", "rack", "straw2", "2", "root", "straw2", "0"]
    call("crushtool", "--build", "--num_osds", "12", "-o", "built.bin", *layers, folder=place)
    call("crushtool", "-d", "built.bin", "-o", "map.txt", folder=place)
    text = re.sub(r"\bhost(\d)", r"osd\1", (place / "map.txt").read_text())
    (place / "map.txt").write_text(text)
    call("crushtool", "-c", "map.txt", "-o", "map.bin", folder=place)
    return place


@pytest.mark.parametrize("name", ["map.bin", "map.txt"])
def test_the_loads_are_those_of_crushtools_mappings(folder, name):
    """Rule 0 with two copies: our primaries and pairs are counted from what crushtool itself shows."""
    job = run("ceph", cluster(2, servers=6), folder, **KEYS, crush_map=name, placement_groups=512)
    shown = call("crushtool", "-i", "map.bin", "--test", "--show-mappings", "--rule", "0", "--num-rep", "2", "--min-x",
                 "0", "--max-x", "511", folder=folder)  # fmt: skip
    members = np.array([[int(osd) // 2 for osd in row.split(",")] for row in re.findall(r"\[([\d,]+)\]", shown)])
    assert members.shape == (512, 2)
    written = phase(job, "ceph.write").flows.received(8)[2:]
    np.testing.assert_allclose(written, np.bincount(members[:, 0], minlength=6) / 512 * 60)
    copies = np.zeros((6, 6))
    np.add.at(copies, (members[:, 0], members[:, 1]), 60 / 512)
    np.fill_diagonal(copies, 0)
    flows = phase(job, "ceph.replicate").flows
    for src, dst, rate in zip(flows.src.tolist(), flows.dst.tolist(), flows.amount.tolist(), strict=True):
        assert rate == pytest.approx(copies[src - 2, dst - 2])
    assert flows.total == pytest.approx(copies.sum())


def test_our_straws_agree_with_crush_on_average(folder):
    """20,000 groups over uneven hosts: shares of hosts as members are within 1.5 points of CRUSH's."""
    text = (folder / "map.txt").read_text()
    heavy = re.sub(r"(item osd\.[01] weight) 1\.000", r"\1 3.000", text)
    heavy = re.sub(r"(item osd0 weight) 2\.000", r"\1 6.000", heavy)
    heavy = re.sub(r"(item rack0 weight) 4\.000", r"\1 8.000", heavy)
    (folder / "heavy.txt").write_text(heavy)
    compare(folder, "heavy.txt", [0], size=2, rule_text="")


CLASSES = """
device 0 osd.0 class ssd
device 1 osd.1 class hdd
device 2 osd.2 class ssd
device 3 osd.3 class hdd
device 4 osd.4 class ssd
device 5 osd.5 class hdd
device 6 osd.6 class ssd
device 7 osd.7 class hdd
device 8 osd.8 class hdd
device 9 osd.9 class hdd
device 10 osd.10 class hdd
device 11 osd.11 class hdd
"""
RULES = """
rule ssd { id 1
 type replicated
 min_size 1
 max_size 10
 step take root class ssd
 step chooseleaf firstn 0 type host
 step emit
}
rule part { id 2
 type replicated
 min_size 1
 max_size 10
 step take rack1
 step chooseleaf firstn 0 type host
 step emit
}
rule coded { id 3
 type erasure
 min_size 1
 max_size 10
 step set_chooseleaf_tries 5
 step take root class hdd
 step choose indep 2 type rack
 step chooseleaf indep 2 type host
 step emit
}
rule both { id 4
 type replicated
 min_size 1
 max_size 10
 step take root class ssd
 step chooseleaf firstn 1 type host
 step emit
 step take root class hdd
 step chooseleaf firstn -1 type rack
 step emit
}
"""


@pytest.mark.parametrize(("rule", "size"), [(1, 3), (2, 2), (3, 4), (4, 3)])
def test_rules_are_drawn_as_crush_maps_them(folder, rule, size):
    """One class, a part of the tree, an erasure code that chooses twice, primaries on one class, copies on others."""
    compare(folder, "classes.txt", [rule], size=size, rule_text=RULES)


def up(printed: str) -> OsdTree:
    """The tree of osdmaptool, whose OSDs are not there yet, with all up and in."""
    document = json.loads(printed[printed.index("{") :])
    for node in document["nodes"]:
        if node["id"] >= 0:
            node |= {"exists": 1, "status": "up", "reweight": 1.0}
    return read_osd_tree(json.dumps(document), "tree.json")[0]


def compare(folder, name, rules, *, size, rule_text):
    """Shares of OSDs as primaries and as members, ours beside CRUSH's over 20,000 groups."""
    if rule_text:
        text = re.sub(r"(?m)^device .*\n", "", (folder / "map.txt").read_text())
        text = text.replace("# types", CLASSES + "# types")
        root = re.search(r"(?m)^root (\S+) \{", text)
        text = text.replace("# end crush map", rule_text.replace("take root", f"take {root[1]}") + "# end crush map")
        text = re.sub(r"(item osd\.[089] weight) 1\.000", r"\1 2.000", text)
        (folder / name).write_text(text)
    call("crushtool", "-c", name, "-o", "one.bin", folder=folder)
    call("osdmaptool", "--createsimple", "12", "--with-default-pool", "--clobber", "one.om", folder=folder)
    call("osdmaptool", "one.om", "--import-crush", "one.bin", folder=folder)
    done = subprocess.run(["osdmaptool", "one.om", "--tree=json-pretty"], cwd=folder, capture_output=True, text=True,
                          check=True)  # fmt: skip
    tree = up(done.stdout)
    dump = call("crushtool", "-i", "one.bin", "--dump", folder=folder)
    read, said = read_crush_rules(dump[dump.index("{") :], "rules.json")
    assert said == ()
    for number in rules:
        hosts, theirs = read_crush_map(folder / name, name, number, 20_000, size)
        assert set(hosts) <= set(tree.host)
        ours = draw(tree, by_number(read, number), 20_000, size, np.random.default_rng(0))
        assert (ours >= 0).all()
        for mine, crush in ((ours[:, 0], theirs[:, 0]), (ours, theirs)):
            shares = [np.bincount(some[some >= 0].ravel(), minlength=12) / (some >= 0).sum() for some in (mine, crush)]
            np.testing.assert_allclose(shares[0], shares[1], atol=0.015)
        own = [[len(set(row)) for row in np.array(tree.host)[some[:200]].tolist()] for some in (ours, theirs)]
        assert max(own[0]) == max(own[1])


def test_a_tree_of_osdmaptool_is_read(folder):
    """The document of ``ceph osd tree -f json`` without a cluster, with our CRUSH map in it."""
    call("osdmaptool", "--createsimple", "12", "--with-default-pool", "om.bin", folder=folder)
    call("osdmaptool", "om.bin", "--import-crush", "map.bin", folder=folder)
    done = subprocess.run(["osdmaptool", "om.bin", "--tree=json-pretty"], cwd=folder, capture_output=True, text=True,
                          check=True)  # fmt: skip
    with pytest.raises(FormatError, match="none of its 12 OSDs keeps anything: 12 "):
        read_osd_tree(done.stdout[done.stdout.index("{") :], "tree.json")
    tree = up(done.stdout)
    assert tree.number.tolist() == list(range(12))
    assert tree.host == tuple(f"osd{number // 2}" for number in range(12))
    assert len(tree.buckets(tree.roots[0], "rack")) == 3


def test_a_map_that_crushtool_refuses_is_an_error(folder):
    """Its own words; a rule that is none."""
    (folder / "bad.txt").write_text("# begin crush map\ndevice 0 osd.0\nhost a { item osd.7 weight 1.0 }\n")
    with pytest.raises(FormatError, match="crushtool refused the map"):
        run("ceph", cluster(2, servers=6), folder, **KEYS, crush_map="bad.txt")
    with pytest.raises(FormatError, match=r"rule 7 places nothing|crushtool refused"):
        run("ceph", cluster(2, servers=6), folder, **KEYS, crush_map="map.bin", crush_rule=7)
