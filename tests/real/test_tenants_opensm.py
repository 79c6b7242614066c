"""The exported partition file in OpenSM on a simulated fabric: the keys that every host's port gets."""

from __future__ import annotations

import re

import pytest
from ib_lab import IbLab
from real_programs import require

from fabric.cli.main import run

require("opensm", "ibsim", "smpquery", "ip")
pytestmark = pytest.mark.real_ib

SCENARIO = """\
version: 1
name: ib
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 200G}
    routing: {router: ftree}
tenants:
  - {name: hospital, members: "pod[0-1]/edge0/h[0-1]", key: 257}
  - {name: bank, members: "pod[2-3]/edge0/h[0-1]"}
  - {name: storage, members: pod0/edge1/h0, shared_with: all}
"""
DEFAULT, FULL = 0x7FFF, 0x8000


def keys_of(lab: IbLab, lid: int) -> list[int]:
    """Keys in the table of a host's port, in their order, empty places left out."""
    text = lab.run("smpquery", "pkeys", str(lid), "1")
    found = [
        int(word, 16) for line in text.splitlines() for word in re.findall(r"0x[0-9a-f]{4}\b", line.partition(":")[2])
    ]
    return [key for key in found if key]


def test_every_port_has_exactly_the_keys_of_its_tenant_and_of_what_it_is_served_by(tmp_path):
    """Full members of their own, limited ones of storage; but for the manager limited in the default partition."""
    path, out = tmp_path / "ib.fabric.yaml", tmp_path / "out"
    path.write_text(SCENARIO, encoding="utf-8")
    assert run(["export", "lft", str(path), "-o", str(out), "-q"]) == 0
    rows = [line.split(",") for line in (out / "lids.csv").read_text().splitlines()[1:]]
    lid_of = {row[3]: int(row[0]) for row in rows}
    tenant_of = {line.split(",")[2]: line.split(",")[0] for line in (out / "tenants.csv").read_text().splitlines()[1:]}
    manager = next(row for row in rows if row[3] == "pod3/edge1/h1")  # of no tenant
    own = {"hospital": 257, "bank": 2, "storage": 3, "unassigned": 1}
    with IbLab(out / "net.txt", manager[2]) as lab:
        (lab.folder / "guid2lid").write_text((out / "guid2lid").read_text())
        lab.sweep("-R", "file", "-U", str(out / "opensm.lfts"), "--honor_guid2lid", "-P", str(out / "partitions.conf"))
        keys = {name: keys_of(lab, lid_of[name]) for name in tenant_of}
    assert len(keys) == 16
    for name, tenant in tenant_of.items():
        wanted = {FULL | own[tenant], FULL | DEFAULT if name == manager[3] else DEFAULT}
        wanted |= {3} if tenant in ("hospital", "bank") else set()
        assert set(keys[name]) == wanted, name
        assert tenant == "storage" or keys[name][0] == FULL | own[tenant]  # the one that programs take
    for one, has in keys.items():
        for other, its in keys.items():
            common = {key & DEFAULT for key in has} & {key & DEFAULT for key in its}
            meet = any(FULL | key in (*has, *its) for key in common if manager[3] not in (one, other))
            pair = {tenant_of[one], tenant_of[other]}
            if one != other and manager[3] not in (one, other):
                assert meet == (len(pair) == 1 or ("storage" in pair and "unassigned" not in pair)), (one, other)
