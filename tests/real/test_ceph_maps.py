"""Placement groups as Ceph's own programs put them: CRUSH maps through crushtool, trees from osdmaptool."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
from real_programs import require
from traffic_clusters import cluster, phase, run

from topologies.errors import FormatError
from traffic.storage.crush import read_crush_map, read_osd_tree, straws

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
    osds, members = read_crush_map(folder / "heavy.txt", "heavy.txt", 0, 20_000, 2)
    assert osds.weight[:3].tolist() == [3.0, 3.0, 1.0]
    by_rule = _shares(osds, members)
    domain = osds.domains(_domain_of_rule(text))
    ours = _shares(osds, straws(osds, domain, 20_000, 2, np.random.default_rng(0)))
    np.testing.assert_allclose(ours, by_rule, atol=0.015)


def _domain_of_rule(text: str) -> str:
    """What the rule chooses leaves of, or OSDs."""
    found = re.search(r"step choose(?:leaf)? firstn 0 type (\w+)", text)
    return found[1] if found and found[1] != "osd" else "host"


def _shares(osds, members: np.ndarray) -> np.ndarray:
    hosts = sorted(set(osds.host))
    host = np.array([hosts.index(name) for name in osds.host])
    return np.bincount(host[members[members >= 0]], minlength=len(hosts)) / (members >= 0).sum()


def test_a_tree_of_osdmaptool_is_read(folder):
    """The document of ``ceph osd tree -f json`` without a cluster, with our CRUSH map in it."""
    call("osdmaptool", "--createsimple", "12", "--with-default-pool", "om.bin", folder=folder)
    call("osdmaptool", "om.bin", "--import-crush", "map.bin", folder=folder)
    done = subprocess.run(["osdmaptool", "om.bin", "--tree=json-pretty"], cwd=folder, capture_output=True, text=True,
                          check=True)  # fmt: skip
    osds = read_osd_tree(done.stdout[done.stdout.index("{") :], "tree.json")
    assert osds.number.tolist() == list(range(12))
    assert osds.host == tuple(f"osd{number // 2}" for number in range(12))
    assert len(set(osds.above["rack"])) == 3


def test_a_map_that_crushtool_refuses_is_an_error(folder):
    """Its own words; a rule that is none."""
    (folder / "bad.txt").write_text("# begin crush map\ndevice 0 osd.0\nhost a { item osd.7 weight 1.0 }\n")
    with pytest.raises(FormatError, match="crushtool refused the map"):
        run("ceph", cluster(2, servers=6), folder, **KEYS, crush_map="bad.txt")
    with pytest.raises(FormatError, match=r"rule 7 places nothing|crushtool refused"):
        run("ceph", cluster(2, servers=6), folder, **KEYS, crush_map="map.bin", crush_rule=7)
