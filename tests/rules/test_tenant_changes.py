"""Changes of tables with tenants: nobody meets another's packets in any round, whichever of its steps are done."""

from __future__ import annotations

import json

import numpy as np
import pytest
from rule_cases import verdict_on
from tenant_cases import SHARED, Simulator, packets_of, tenant_file, tenant_rules

from fabric.cli.main import run
from fabric.rules.change_plan import DENY, LET, plan_change, take_steps
from fabric.rules.change_proof import first_crossing
from fabric.rules.dialect import DIALECTS
from fabric.rules.verify.tables import parts_of

MOVED = SHARED.replace('"a[0],b[1]"', '"a[0]"').replace('["a1", "b0"]', '["a1", "b0", "b1"]')  # b1 changes its tenant
PLAIN = SHARED.split("tenants:")[0]


def tables_of(planned):
    """Tables by name of the switch."""
    return {table.name: table for table in planned.rules.tables()}


def change_of(planned, old, new):
    """Rounds from one to another."""
    return plan_change(planned.plan, old, new, families=(4,), parts=parts_of(DIALECTS.find("ovs")))


@pytest.mark.parametrize("before", [SHARED, MOVED, PLAIN])
def test_no_order_of_the_steps_of_a_round_lets_tenants_meet(tmp_path, before):
    """Brute force: random parts of every round, simulated; from the round on that sets the rules of tenants."""
    old = tables_of(tenant_rules(tmp_path, before, router="single-path"))
    planned = tenant_rules(tmp_path, SHARED, router="ecmp")
    change = change_of(planned, old, tables_of(planned))
    assert change.rounds[0].title == DENY or before == SHARED
    assert all(part.title not in (DENY, LET) for part in change.rounds[1:-1])
    assert first_crossing(planned.plan, planned.rules.tenancy, old, change, (4,)) is None
    rng = np.random.default_rng(3)
    state = dict(old)
    for part in change.rounds:
        for done in [1.0] if part.title == DENY else [0.3, 0.7, 1.0]:
            steps = [step for step in part.steps if rng.random() < done]
            mixed = {
                name: take_steps(table, [step for step in steps if step.switch == name])
                for name, table in state.items()
            }
            tables = {
                planned.plan.topology.node(name): (list(table.rules), list(table.groups))
                for name, table in mixed.items()
            }
            simulator = Simulator(planned.plan, tables)
            assert simulator.crossings(planned.rules.tenancy, packets_of(planned.plan, tables)) == set()
        state = {name: take_steps(table, [s for s in part.steps if s.switch == name]) for name, table in state.items()}


def test_a_rule_that_runs_and_lets_tenants_meet_until_it_is_removed_refuses_the_change(tmp_path, capsys):
    """It stands above the rules at ports, and the plan removes it late."""
    path = tenant_file(tmp_path)
    for out in ("old", "new"):
        assert run(["export", "openflow", str(path), "-o", str(tmp_path / out), "-q"]) == 0
    flows = tmp_path / "old" / "switches" / "leaf0.flows"
    flows.write_text("cookie=0x1,priority=5000,ip,in_port=1,actions=output:2\n" + flows.read_text())
    flags = ["--diff", str(tmp_path / "old"), "-o", str(tmp_path / "out")]
    assert run(["export", "openflow", str(path), "--router", "single-path", *flags]) == 3
    assert not (tmp_path / "out").exists()
    text = capsys.readouterr().err
    assert "FP8068" in text
    assert "leaf0 in by port 1: priority 5000" in text


def test_the_way_back_to_tables_without_tenants_says_that_it_does_not_keep_them_apart(tmp_path):
    """Forth always; back only to tables that keep them apart themselves."""
    plain, path = tmp_path / "plain.fabric.yaml", tenant_file(tmp_path)
    plain.write_text(PLAIN, encoding="utf-8")
    assert run(["export", "openflow", str(plain), "-o", str(tmp_path / "bare"), "-q"]) == 0
    for old, back in (("bare", False), ("first", True)):
        out = tmp_path / f"from-{old}"
        flags = ["--router", "single-path", "--diff", str(tmp_path / old), "-o", str(out), "-q"]
        if old == "first":
            assert run(["export", "openflow", str(path), "-o", str(tmp_path / old), "-q"]) == 0
        assert run(["export", "openflow", str(path), *flags]) == 0
        record = json.loads((out / "change" / "change.json").read_text())
        assert record["tenants_apart"] == {"forth": True, "back": back}
        assert verdict_on(path, out).holds


def test_infiniband_partitions_are_proved_from_their_file_and_an_edited_one_is_found(tmp_path, capsys):
    """A guest in a partition, a member left out, and a line that is none of ours."""
    path, out = tmp_path / "ib.fabric.yaml", tmp_path / "ib"
    path.write_text(
        "version: 1\nname: ib\nfabrics:\n  main:\n    topology: {kind: fat-tree, radix: 4, speed: 200G}\n"
        "    routing: {router: ftree}\ntenants:\n"
        '  - {name: hospital, members: "pod0/edge[0-1]/h[0-1]"}\n  - {name: bank, members: "pod1/edge0/h[0-1]"}\n',
        encoding="utf-8",
    )
    assert run(["export", "lft", str(path), "-o", str(out), "-q"]) == 0
    assert run(["verify", "rules", str(path), str(out)]) == 0
    assert "tenants apart: 3 tenants, 16 ports of hosts" in capsys.readouterr().out
    file = out / "partitions.conf"
    text = file.read_text()
    guid = text.split("bank=")[1].split("=full")[0].split()[-1]
    file.write_text(text.replace("hospital=0x0001, ipoib, indx0 :", f"hospital=0x0001, ipoib, indx0 : {guid}=full,"))
    assert run(["verify", "rules", str(path), str(out)]) == 1
    assert (
        "of tenant hospital and pod1/edge0/h0 of tenant bank exchange packets with key 0x0001"
        in capsys.readouterr().out
    )
    file.write_text(text.replace(f"{guid}=full", f"{guid}=limited"))
    assert run(["verify", "rules", str(path), str(out)]) == 0  # limited and full still meet
    file.write_text(text.replace(f"{guid}=full,", ""))
    assert run(["verify", "rules", str(path), str(out)]) == 1
    assert "have no partition in common" in capsys.readouterr().out
    file.write_text(text.replace("ALL=limited", "ALL=full"))
    assert run(["verify", "rules", str(path), str(out)]) == 1
    assert "key 0x7fff" in capsys.readouterr().out
    file.write_text(text.replace("bank=0x0002", "bank=0x0001"))
    assert run(["verify", "rules", str(path), str(out)]) == 3
    file.write_text(text + "mgid=ff12::1 :\n")
    assert run(["verify", "rules", str(path), str(out)]) == 3
    assert "FP8066" in capsys.readouterr().err
