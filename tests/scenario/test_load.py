"""Scenario files that are right load into what they say."""

from __future__ import annotations

import hashlib
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from scenario_stubs import REGISTRIES

from fabric.scenario.load import LoadError, load_scenario
from fabric.scenario.schema import Scenario, not_yet_modelled
from fabric.scenario.templates import template_names, template_text
from fabric.scenario.topology_schema import FileTopology
from topologies.errors import Problem, ScenarioError, TopologyError

DATA = Path(__file__).parent / "data"
SMALL = """\
version: 1
name: demo
fabrics:
  main:
    topology: {kind: fat-tree, radix: 4, speed: 100G}
nodes:
  - {group: gpu, count: 4, nics: {main: {speed: 100G}}}
workloads:
  - {id: shuffle, kind: alltoall, members: gpu, size: 1 GiB}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write files into an empty working directory."""
    monkeypatch.chdir(tmp_path)

    def write_all(**files: str) -> None:
        for name, text in files.items():
            Path(f"{name}.yaml").write_text(text, encoding="utf-8")

    return write_all


def load(path="main.yaml", *overrides):
    return load_scenario(path, overrides=overrides, registries=REGISTRIES)


def test_nodes_of_a_group_may_count_from_one(tmp_path):
    """``gpu001`` to ``gpu003``: no spare node 0 is needed to speak of hosts as a scheduler names them."""
    (tmp_path / "main.yaml").write_text(
        "version: 1\nname: ones\nfabrics: {f: {topology: {kind: leaf-spine, leaves: 2, spines: 1, hosts_per_leaf: 2,"
        " host_speed: 100G, uplink_speed: 100G}}}\n"
        "nodes: [{group: gpu, count: 3, first: 1, name: 'gpu{index:03d}', nics: {f: {speed: 100G}}}]\n"
    )
    loaded = load_scenario(tmp_path / "main.yaml", registries=REGISTRIES)
    assert loaded.scenario.nodes[0].host_names() == ("gpu001", "gpu002", "gpu003")


def test_the_complete_example_loads_as_written():
    loaded = load_scenario(DATA / "complete.yaml")
    scenario = loaded.scenario
    assert [node.group for node in scenario.nodes] == ["gpu", "ceph"]
    assert scenario.nodes[0].gpus_per_node == 8
    assert scenario.nodes[0].host_names()[:2] == ("n000", "n001")
    assert scenario.nodes[0].nics["backend"].gbps == 400
    assert [node.group for node in scenario.attached("storage")] == ["gpu", "ceph"]
    assert scenario.fabrics["backend"].kind == "rail-optimised"
    assert [(limit.max, limit.unit) for limit in scenario.limits] == [
        (1.0, "ratio"),
        (5.5, "s"),
        (60.0, "s"),
        (0, "count"),
    ]
    assert [workload.id for workload in scenario.workloads] == ["llama70b", "ceph-background"]
    assert loaded.directory == DATA
    assert loaded.sha256 == hashlib.sha256((DATA / "complete.yaml").read_bytes()).hexdigest()


def test_what_the_complete_example_sets_too_early_is_listed_once():
    later = not_yet_modelled(load_scenario(DATA / "complete.yaml").scenario)
    assert {"defaults.units"} <= set(later)
    assert not {
        "measured",
        "site",
        "site.rows",
        "site.racks_per_row",
        "fabrics.backend.cables",
        "nodes.per_rack",
    } & set(later)
    assert len(later) == len(set(later))


def test_the_quick_start_loads_as_written():
    scenario = load_scenario(DATA / "quickstart.yaml").scenario
    assert scenario.seed == 0
    assert [node.group for node in scenario.attached("main")] == ["hosts"]
    assert not_yet_modelled(scenario) == []


@pytest.mark.parametrize("name", template_names())
def test_a_template_loads(name, write):
    write(main=template_text(name))
    assert load_scenario("main.yaml").scenario.version == 1


def test_there_are_templates_for_the_first_steps():
    assert {"leaf-spine", "rail-optimised", "fat-tree", "storage"} <= set(template_names())


def test_an_unknown_template_names_the_nearest():
    with pytest.raises(ScenarioError, match="did you mean 'fat-tree'"):
        template_text("fattree")


def test_the_leaf_spine_template_is_the_quick_start_with_comments(write):
    write(main=template_text("leaf-spine"))
    assert load_scenario("main.yaml").scenario == load_scenario(DATA / "quickstart.yaml").scenario


def test_a_topology_may_come_from_a_file(write):
    write(main="version: 1\nname: wan\nfabrics: {wan: {topology: {kind: file, format: repetita, path: a.graph}}}\n")
    topology = load().scenario.fabrics["wan"].topology
    assert topology == FileTopology(kind="file", format="repetita", path="a.graph")


def test_the_spec_of_a_workload_has_no_id(write):
    write(main=SMALL)
    (workload,) = load().scenario.workloads
    assert (workload.id, workload.kind) == ("shuffle", "all-to-all")
    assert "id" not in type(workload.spec).model_fields
    assert workload.spec.size == 2**30


def test_keys_that_begin_with_x_are_dropped_unread_but_may_be_aliased(write):
    """The date would be refused anywhere else."""
    text = SMALL.replace("topology: {kind", "x-seen: 2026-11-23\n    topology: {<<: *common, x-a: no, kind")
    write(
        main=text.replace(", speed: 100G}\nnodes", "}\nnodes").replace(
            "version", "x-common: &common {speed: 100G}\nversion"
        )
    )
    assert load().scenario.fabrics["main"].topology.speed == 100


def test_explicit_keys_win_over_merged_ones(write):
    text = SMALL.replace("radix: 4", "<<: [{radix: 6}, {radix: 8, speed: 50G}], radix: 4")
    write(main=text)
    topology = load().scenario.fabrics["main"].topology
    assert (topology.radix, topology.speed) == (4, 100)


def test_included_files_come_first_and_the_later_wins(write):
    """Lists of nodes and workloads merge by name, limits add up."""
    limit = "limits: [{fabric: main, metric: offered, max: %s}]\n"
    write(
        base=SMALL + limit % "100%",
        more="seed: 3\nnodes: [{group: gpu, count: 8}, {group: cpu, count: 1, nics: {main: {speed: 50G}}}]\n",
        main="include: [base.yaml, ./more.yaml]\nname: over\n" + limit % "50%",
    )
    loaded = load()
    scenario = loaded.scenario
    assert (scenario.name, scenario.seed) == ("over", 3)
    assert [(node.group, node.count) for node in scenario.nodes] == [("gpu", 8), ("cpu", 1)]
    assert [limit.max for limit in scenario.limits] == [1.0, 0.5]
    assert [file.path for file in loaded.inputs] == ["main.yaml", "base.yaml", "more.yaml"]


def test_includes_are_relative_to_the_including_file(tmp_path, write):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "one.yaml").write_text("include: [two.yaml]\n")
    (tmp_path / "parts" / "two.yaml").write_text("seed: 7\n")
    write(main="include: [parts/one.yaml]\n" + SMALL)
    assert load().scenario.seed == 7


def test_a_file_included_twice_counts_once(write):
    write(
        limits="limits: [{fabric: main, metric: offered, max: 1}]\n",
        one="include: [limits.yaml]\n",
        two="include: [limits.yaml]\n",
        main="include: [one.yaml, two.yaml]\n" + SMALL,
    )
    assert len(load().scenario.limits) == 1


def test_catalogue_files_are_read_by_either_way_of_naming_them(write):
    write(
        site="switches:\n- {model: own, ports: 8, speed: 100G, source: ours}\n",
        main="include: [{catalog: builtin}, site.yaml, {catalog: site.yaml}]\n" + SMALL,
    )
    assert [path.name for path in load().catalogues] == ["site.yaml", "site.yaml"]


def test_an_error_in_an_included_file_names_that_file(write):
    write(part="seed: -1\n", main="include: [part.yaml]\n" + SMALL)
    with pytest.raises(LoadError, match=r"part\.yaml:1:7: 'seed' should be at least 0"):
        load()


def test_standard_input_is_read_for_a_dash(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(SMALL.encode())))
    assert load("-").scenario.name == "demo"


@pytest.mark.parametrize(
    ("path", "message"),
    [("none.yaml", "no such file"), (".", "is a directory"), ("main.yaml/x", "no such file"), ("\0", "null")],
)
def test_a_file_that_cannot_be_read_is_an_error_with_its_reason(path, message, write):
    write(main=SMALL)
    with pytest.raises(LoadError, match=message) as caught:
        load(path)
    assert [problem.code for problem in caught.value.problems] == ["FP1000"]


def test_a_missing_file_names_the_nearest(write):
    write(main=SMALL)
    with pytest.raises(LoadError, match=r"did you mean main\.yaml\?"):
        load("mian.yaml")


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("seed=4", lambda scenario: scenario.seed == 4),
        ("fabrics.main.routing.router=optimal", lambda scenario: scenario.fabrics["main"].routing.router == "optimal"),
        ("nodes.gpu.count=8", lambda scenario: scenario.nodes[0].count == 8),
        ("nodes.0.count=8", lambda scenario: scenario.nodes[0].count == 8),
        ("workloads.shuffle.size=2 MiB", lambda scenario: scenario.workloads[0].spec.size == 2**21),
        ("nodes.gpu.nics={main: {speed: 50G}}", lambda scenario: scenario.nodes[0].nics["main"].gbps == 50),
        ("fabrics.extra={topology: {kind: fat-tree, radix: 4, speed: 1G}}", lambda s: "extra" in s.fabrics),
        ("limits=[{fabric: main, metric: offered, max: 1}]", lambda scenario: len(scenario.limits) == 1),
    ],
)
def test_an_override_replaces_one_value(override, read, write):
    write(main=SMALL)
    loaded = load("main.yaml", override)
    assert read(loaded.scenario)
    assert f"{loaded.overrides[0].path}={loaded.overrides[0].value}" == override


def test_overrides_apply_in_order(write):
    write(main=SMALL)
    assert load("main.yaml", "seed=1", "seed=2").scenario.seed == 2


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "not PATH=VALUE"),
        ("a..b=1", "not PATH=VALUE"),
        ("fabrics.mian.routing.router=ecmp", "did you mean 'main'"),
        ("workloads.shufle.size=1 B", "did you mean 'shuffle'"),
        ("fabrics.main.rooting.router=ecmp", "did you mean 'routing'"),
        ("nodes.7.count=1", "there is: gpu"),
        ("seed.x=1", "there is no 'x'"),
        ("seed=no", "means false"),
        ("seed=[", "syntax"),
        ("seed=", "not empty"),
        ("workloads.shuffle.members=gpus", "unknown node group 'gpus'"),
    ],
)
def test_a_wrong_override_is_an_error_at_the_option(override, message, write):
    write(main=SMALL)
    with pytest.raises(LoadError, match=message) as caught:
        load("main.yaml", override)
    assert {problem.file for problem in caught.value.problems} == {f"--set {override}"}


def test_errors_of_later_stages_are_located(write):
    """Lists are found by index and by name; a key the text does not have stands for what holds it."""
    write(main=SMALL)
    loaded = load()
    error = TopologyError(
        [
            Problem("a", where=("fabrics", "main", "topology", "radix")),
            Problem("b", where=("fabrics", "main", "topology", "radix"), on_key=True),
            Problem("c", where=("fabrics", "main", "routing", "router")),
            Problem("d", where=("workloads", "shuffle", "size")),
            Problem("e", where=("workloads", 0, "size")),
            Problem("f", where=("nodes", "gpu")),
            Problem("g", file="other", line=1),
        ]
    )
    located = loaded.locate(error)
    assert isinstance(located, TopologyError)
    assert located.sources == {"main.yaml": SMALL}
    assert [(p.line, p.column, p.length) for p in located.problems] == [
        (5, 39, 1), (5, 32, 5), (4, 3, 4), (9, 55, 5), (9, 55, 5), (7, 5, 51), (1, None, 1),
    ]  # fmt: skip


def test_a_scenario_cannot_be_changed(write):
    write(main=SMALL)
    with pytest.raises(ValueError, match="frozen"):
        load().scenario.seed = 3
    assert issubclass(Scenario.model_fields["seed"].annotation, int)


def test_more_errors_than_asked_for_are_counted(write):
    from fabric.scenario.diagnostics import render

    write(main=SMALL + "".join(f"k{number}: 1\n" for number in range(25)))
    with pytest.raises(LoadError, match="unknown key") as caught:
        load()
    text = render(caught.value.problems, caught.value.sources)
    assert text.count("error[FP2101]") == 20
    assert "5 more errors; --max-errors 25 shows all\n\n25 errors in main.yaml (exit 3)" in text
