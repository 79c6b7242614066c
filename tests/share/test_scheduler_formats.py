"""Every format for schedulers, of every builder: what is read back is the tree, and a moved host is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scheduler_plans import KINDS, built, plan_of, words_of_differences, written

from fabric.share.schedulers.format import SCHEDULER_FORMATS, ExportOptions, SchedulerPlan
from fabric.share.schedulers.switch_tree import SwitchTree, TreeLevel
from fabric.share.schedulers.tree_sets import group_facts, tree_branches
from topologies.errors import FormatError, ScenarioError

CASES = {
    "slurm tree": ("slurm", ExportOptions()),
    "slurm block": ("slurm", ExportOptions(style="block", block_by="unit")),
    "slurm yaml": ("slurm", ExportOptions(style="yaml", block_by="unit")),
    "kueue": ("kueue", ExportOptions()),
    "volcano": ("volcano", ExportOptions()),
    "topograph": ("topograph", ExportOptions()),
    "labels": ("labels", ExportOptions()),
    "labels of topograph": ("labels", ExportOptions(labels="topograph-1")),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", CASES)
def test_what_is_written_is_read_back_as_the_tree(tmp_path: Path, case: str, kind: str) -> None:
    form, options = CASES[case]
    plan = plan_of(built(kind), options=options)
    assert words_of_differences(written(tmp_path, plan, form), plan, form) == []


@pytest.mark.parametrize("case", CASES)
def test_several_fabrics_are_read_back_each_by_itself(tmp_path: Path, case: str) -> None:
    form, options = CASES[case]
    one, other = built("fat-tree"), replace(built("rail-optimised"), name="storage")
    plan = plan_of(one, other, options=options)
    assert words_of_differences(written(tmp_path, plan, form), plan, form) == []


# What is changed in which file of an export of a leaf-spine of 4 leaves of 4 hosts, and what is then said.
MOVES = {
    "slurm tree": ("topology.conf", "Nodes=leaf0-h[0-3]", "Nodes=leaf0-h[0-2]", "net switch leaf0 lacks leaf0-h3"),
    "slurm block": ("topology.conf", "leaf1-h[0-3]", "leaf1-h[0-3],leaf0-h9", "net block leaf1 has leaf0-h9"),
    "slurm yaml": ("topology.yaml", 'switch: "leaf2"', 'switch: "leafX"', "net switch leaf2 is not in the folder"),
    "kueue": ("topology.yaml", "fabric-planner/net.leaf", "leaf", "net Topology net lacks fabric-planner/net.leaf"),
    "volcano": ("hypernodes.json", '"tier": 2', '"tier": 3', "net HyperNode net lacks tier 2 and has tier 3"),
    "topograph": ("model.yaml", '["leaf3-h[0-3]"]', '["leaf3-h[0-1]"]', "net switch leaf3 lacks leaf3-h2, leaf3-h3"),
    "labels": ("nodes.json", '"fabric-planner/net.leaf": "leaf0"', '"fabric-planner/net.leaf": "leaf1"', "leaf0-h0"),
    "labels of topograph": ("label-nodes.sh", "tier-0=leaf0", "tier-0=leaf1", "in label-nodes.sh lacks"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_changed_since_is_found(tmp_path: Path, case: str) -> None:
    form, options = CASES[case]
    plan = plan_of(built("leaf-spine"), options=options)
    folder = written(tmp_path, plan, form)
    name, old, new, said = MOVES[case]
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    assert any(said in words for words in words_of_differences(folder, plan, form))


def test_a_changed_table_of_names_is_found(tmp_path: Path) -> None:
    plan = plan_of(built("leaf-spine"))
    folder = written(tmp_path, plan, "slurm")
    text = (folder / "names.csv").read_text()
    (folder / "names.csv").write_text(text.replace(",leaf0-h0\n", ",leaf0-hX\n"))
    assert words_of_differences(folder, plan, "slurm") == ["names.csv: host  leaf0/h0 lacks leaf0-h0 and has leaf0-hX"]


def test_a_file_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    plan = plan_of(built("leaf-spine"))
    folder = written(tmp_path, plan, "slurm")
    (folder / "topology.conf").write_text("SwitchName=a Nodes=n[1-2]\nSwitchName=b\n")
    with pytest.raises(FormatError, match="names a switch or a block and what is in it"):
        words_of_differences(folder, plan, "slurm")


def test_a_switch_inside_of_itself_is_refused(tmp_path: Path) -> None:
    plan = plan_of(built("leaf-spine"))
    folder = written(tmp_path, plan, "slurm")
    (folder / "topology.conf").write_text("SwitchName=a Switches=b\nSwitchName=b Switches=a\n")
    with pytest.raises(FormatError, match="is inside of itself"):
        words_of_differences(folder, plan, "slurm")


def test_slurm_numbers_switches_by_16_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from fabric.share.schedulers.formats import slurm

    monkeypatch.setattr(slurm, "_MOST_SWITCHES", 4)
    with pytest.raises(ScenarioError, match="5 groups; Slurm numbers switches by 16 bits: 4 at most"):
        list(SCHEDULER_FORMATS["slurm"].write(plan_of(built("leaf-spine"))))


def test_groups_with_one_group_in_them_are_left_out_of_switches() -> None:
    """Leaves a and b are pod m0, c is pod m1 alone: Slurm is told of m0, and of c right under the top."""
    levels = (
        TreeLevel("leaf", ("a", "b", "c"), np.array([0, 0, 1], np.int32)),
        TreeLevel("pod", ("m0", "m1"), np.array([0, 0], np.int32)),
        TreeLevel("fabric", ("top",), np.array([-1], np.int32)),
    )
    tree = SwitchTree("top", ("h0", "h1", "h2"), np.array([0, 1, 2], np.int32), levels, np.zeros(3, np.bool_))
    assert [(branch.name, branch.groups or branch.hosts) for branch in tree_branches(tree)] == [
        ("a", ("h0",)), ("b", ("h1",)), ("c", ("h2",)), ("m0", ("a", "b")), ("top", ("m0", "c")),
    ]  # fmt: skip
    names = {name: name for level in levels for name in level.names}
    assert sorted(group_facts("", tree, names, {host: host for host in tree.hosts})) == [
        " a",
        " b",
        " c",
        " m0",
        " top",
    ]


def _lines(plan: SchedulerPlan) -> list[str]:
    return next(iter(SCHEDULER_FORMATS["slurm"].write(plan))).text.splitlines()


def test_blocks_are_in_the_order_of_the_tree_with_sizes_that_stay_inside_its_groups() -> None:
    """Fat tree of radix 8: 32 edges of 4 hosts in 8 pods of 4 edges; sizes 4, 4 edges = 16, all 32 = 128."""
    lines = _lines(plan_of(built("fat-tree"), options=ExportOptions(style="block", block_by="unit")))
    assert lines[1] == "BlockName=pod0-edge0 Nodes=pod0-edge0-h[0-3]"
    assert lines[-1] == "BlockSizes=4,16,128"


def test_blocks_of_twelve_are_joined_by_four_only() -> None:
    """12 leaves under one top: 8 at a time would leave 4 over; 4 at a time fit three times."""
    wide = built("leaf-spine", leaf={"count": 12, "radix": 8, "speed": "400G", "down": 4}, spine={"count": 4})
    lines = _lines(plan_of(wide, options=ExportOptions(style="block", block_by="unit")))
    assert lines[-1] == "BlockSizes=4,16"


@pytest.mark.parametrize(
    ("labels", "levels"),
    [("topograph-0", ["leaf", "spine", "core"]), ("topograph-1", ["tier-0", "tier-1", "tier-2"])],
)
def test_profiles_of_labels_name_levels_from_the_lowest(labels: str, levels: list[str]) -> None:
    plan = plan_of(built("fat-tree"), options=ExportOptions(labels=labels))
    facts = SCHEDULER_FORMATS["labels"].facts(plan)["net node pod1-edge2-h3"]
    values = dict(item.rpartition("/")[2].split("=") for item in facts)
    assert [values[level] for level in levels] == ["pod1-edge2", "pod1", "net"]


def test_kueue_labels_leave_out_the_top() -> None:
    plan = plan_of(built("fat-tree"), options=ExportOptions(labels="kueue"))
    facts = SCHEDULER_FORMATS["kueue"].facts(plan)
    keys = ("cloud.provider.com/topology-block", "cloud.provider.com/topology-rack", "kubernetes.io/hostname")
    assert facts["net Topology net"] == keys
    assert facts["net node pod1-edge2-h3"] == (f"{keys[0]}=pod1", f"{keys[1]}=pod1-edge2")


def test_keys_of_ones_own_are_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys.yaml").write_text("levels: [example.com/leaf, 'example.com/{word}']\ndomain: example.com/nvl\n")
    plan = plan_of(built("fat-tree"), options=ExportOptions(labels=f"custom:{tmp_path}/keys.yaml"))
    facts = SCHEDULER_FORMATS["labels"].facts(plan)["net node pod0-edge0-h0"]
    assert facts == ("example.com/fabric=net", "example.com/leaf=pod0-edge0", "example.com/pod=pod0")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("levels: [a]\n", "have keys for 1 levels, and the tree of net has 3"),
        ("levels: []\n", "no key is given"),
        ("levels: [EXAMPLE.com/leaf]\n", "is not a key of a label"),
        ("levels: [a]\nnvl: b\n", "is not a key of label keys"),
        ("levels: ['{fabric}', '{fabric}', '{fabric}']\n", "give two levels of net one key"),
        ("levels: ['a{word}b-', x]\n", "is not a key of a label"),
    ],
)
def test_keys_that_are_none_are_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "keys.yaml").write_text(text)

    def tried() -> None:
        plan = plan_of(built("fat-tree"), options=ExportOptions(labels=f"custom:{tmp_path}/keys.yaml"))
        SCHEDULER_FORMATS["labels"].facts(plan)

    with pytest.raises((FormatError, ScenarioError), match=said):
        tried()


def test_an_unknown_profile_of_labels_names_the_nearest() -> None:
    with pytest.raises(ScenarioError, match="'topograf-1' is not a profile of labels"):
        plan_of(built("leaf-spine"), options=ExportOptions(labels="topograf-1"))
