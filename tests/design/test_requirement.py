"""Requirement files: the example of the page, flags that say the same, defaults, and what is refused where."""

from __future__ import annotations

from math import inf

import jsonschema
import pytest

from fabric.cli.main import run
from fabric.design.requirement import hosts_of, needs_of
from fabric.design.requirement_file import load_requirement
from fabric.design.requirement_schema import requirement_schema
from fabric.design.scenario_text import failing_parts, scenario_text
from fabric.design.search import Search
from fabric.pipeline.prepared import prepare
from fabric.request import RouteRequest
from fabric.scenario.diagnostics import render
from fabric.scenario.load import load_scenario_text
from topologies.errors import FabricError

EXAMPLE = """\
version: 1
name: design-2k
require:
  gpus: 2048
  gpus_per_node: 8
  nic: {count: 8, speed: 400G}
  bisection: {ratio: 1.0}
  survive: [any-single-spine, any-single-leaf-uplink]
  growth: {gpus: 8192, without: recabling-leaves}
  workload: ./llama70b.workload.yaml
candidates:
  kinds: [rail-optimised, fat-tree, leaf-spine, dragonfly-plus]
  switches: [eth-64x400, eth-64x800, ib-64x400]
objective: [step_time, cost, power, cables]     # lexicographic; or weights: {cost: 1, power: 0.2}
"""
JOB = """\
kind: training
model: {layers: 8, hidden: 1024, ffn_hidden: 4096, heads: 16, kv_heads: 4, vocab: 32000}
parallelism: {tp: 8, dp: auto}
batch: {global: 1024, micro: 1, sequence: 2048}
compute: {peak: 989 TFLOP/s, kernel_efficiency: 0.75}
"""
SMALL = {"require": {"gpus": 512, "nic": "400G"}}


@pytest.fixture
def example(tmp_path):
    """The example of a requirement, with its job beside it."""
    (tmp_path / "llama70b.workload.yaml").write_text(JOB, encoding="utf-8")
    path = tmp_path / "r.yaml"
    path.write_text(EXAMPLE, encoding="utf-8")
    return path


def test_the_example_asks_for_what_it_says(example):
    """2,048 GPUs are 256 hosts of 8 NICs; 8,192 later are 768 hosts more; full bisection is 1:1."""
    requirement = load_requirement(example)
    (need,) = needs_of(requirement).values()
    assert (need.hosts, need.nics, need.nic_gbps, need.rail) == (256, 8, 400.0, "per-gpu")
    assert (need.oversubscription, need.reserve_hosts) == (1.0, 768)
    assert need.single_failures == ("spine", "leaf-uplink")
    assert [job.id for job in requirement.spec.require.workloads] == ["llama70b"]
    assert requirement.objective.text == "step_time, then cost, then power, then cables"
    assert requirement.objective.counted.text == "cost, then power, then cables"


def test_the_example_and_variants_of_it_are_valid_by_the_schema(example):
    import yaml

    schema = requirement_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    data = yaml.safe_load(EXAMPLE)
    jsonschema.Draft202012Validator(schema).validate(data)
    for nic in ("400G", "8x400", {"speed": "400G", "ports": 2}, {"speed": "400G", "ports": [1, 2]}):
        written = {**data["require"], "nic": nic, "growth": [{"gpus": 4096}, {"gpus": 8192, "floor": "80%"}]}
        jsonschema.Draft202012Validator(schema).validate({**data, "require": written})
    for objective in ("cost", {"cost": 1, "power": 0.2}, {"weights": {"cost": 1}}):
        jsonschema.Draft202012Validator(schema).validate({**data, "objective": objective})
    with pytest.raises(jsonschema.ValidationError, match="gpu"):
        jsonschema.Draft202012Validator(schema).validate({**data, "gpu": 8})


def test_flags_say_what_a_file_says(tmp_path):
    """Shorthands and keys written out come to the same needs."""
    from fabric.cli.commands.design import command, keys_of_flags

    line = "--gpus 2048 --gpus-per-node 8 --nic 8x400 --oversub 2:1 --max-tiers 2 --leaf eth-64x400 --survive"
    context = command.make_context("design", [*line.split(), "any single spine", "--growth", "8192"])
    given = {name: value for name, value in context.params.items() if name not in ("requirement", "top")}
    by_flags = load_requirement(given=keys_of_flags(given))
    path = tmp_path / "r.yaml"
    path.write_text(
        "version: 1\n"
        "require: {gpus: 2048, gpus_per_node: 8, nic: {count: 8, speed: 400G}, oversubscription: '2:1',"
        " survive: [any-single-spine], growth: [{gpus: 8192}]}\n"
        "candidates: {max_tiers: 2, leaf: [eth-64x400]}\n",
        encoding="utf-8",
    )
    assert needs_of(by_flags) == needs_of(load_requirement(path))


def test_flags_change_what_a_file_says(example):
    requirement = load_requirement(example, given={"require": {"gpus": 1024}, "candidates": {"max_tiers": 2}})
    (need,) = needs_of(requirement).values()
    assert (need.hosts, need.max_tiers, need.switches) == (128, 2, ("eth-64x400", "eth-64x800", "ib-64x400"))


def test_every_default_that_is_taken_is_said():
    defaults = "\n".join(load_requirement(given=SMALL).defaults)
    for key in ("gpus_per_node: 8", "nic.count: 8", "oversubscription: 1:1", "survive", "max_tiers: 3", "runs: 2 m"):
        assert key in defaults
    given = {"require": {**SMALL["require"], "gpus_per_node": 4, "oversubscription": "2:1"}, "objective": "power"}
    said = "\n".join(load_requirement(given=given).defaults)
    assert "gpus_per_node" not in said
    assert "oversubscription" not in said
    assert "objective" not in said


@pytest.mark.parametrize(
    ("require", "hosts", "gpus"),
    [
        ({"gpus": 512}, 64, 512),
        ({"gpus": 513}, 65, 520),
        ({"gpus": 4}, 1, 4),
        ({"gpus": 100, "node": "gb200-nvl72-tray"}, 25, 100),
        ({"hosts": 40}, 40, 0),
        ({"gpus": 512, "hosts": 128}, 128, 512),
    ],
)
def test_hosts_take_all_gpus(require, hosts, gpus):
    found = hosts_of(load_requirement(given={"require": {**require, "nic": "400G"}}))
    assert (found.count, found.gpus) == (hosts, gpus)


@pytest.mark.parametrize(
    ("keys", "ceiling"),
    [
        ({"oversubscription": "3:2"}, 1.5),
        ({"oversubscription": 4}, 4.0),
        ({"bisection": {"ratio": "50%"}}, 2.0),
        ({"oversubscription": "any"}, inf),
        ({"bus_bandwidth": "184 GB/s"}, 2.0),
        ({"limits": [{"workload": "job", "metric": "step_time", "max": "5 s"}]}, inf),
        ({}, 1.0),
    ],
)
def test_the_ceiling_of_oversubscription(keys, ceiling):
    """184 GB/s of bus bandwidth are half of 8 x 400 Gb/s at 92 % payload."""
    job = {"id": "job", "kind": "collective", "collective": "all-reduce", "size": "1 GiB"}
    require = {"gpus": 512, "nic": "400G", "workloads": [job], **keys}
    (need,) = needs_of(load_requirement(given={"require": require})).values()
    assert need.oversubscription == pytest.approx(ceiling)


def test_several_fabrics_each_have_a_need():
    fabrics = {
        "backend": {},
        "storage": {"nic": "2x200", "hosts": 40, "group": "ceph", "oversubscription": "4:1", "survive": []},
    }
    require = {**SMALL["require"], "fabrics": fabrics, "survive": ["any-single-spine"]}
    needs = needs_of(load_requirement(given={"require": require}))
    assert (needs["backend"].hosts, needs["storage"].hosts) == (64, 104)
    assert (needs["storage"].nics, needs["storage"].rail, needs["storage"].oversubscription) == (2, "shared", 4.0)
    assert (needs["backend"].single_failures, needs["storage"].single_failures) == (("spine",), ())


BAD = {
    "gpu: 8, nic: 400G": "unknown key 'gpu'",
    "gpus: 8, nic: 400": "400 has no unit",
    "gpus: 8, nic: 8 of 400": "is not NICs of a host",
    "gpus: 0, nic: 400G": "'gpus' should be at least 1",
    "nic: 400G": "neither gpus nor hosts",
    "gpus: 8": "no NICs are given for fabric 'backend'",
    "gpus: 8, nic: 400G, oversubscription: '0:1'": "is not an oversubscription",
    "gpus: 8, nic: 400G, oversubscription: 2, bisection: {ratio: 0.5}": "say the same thing",
    "gpus: 8, nic: 400G, survive: [any-two-spines]": "is not a single failure",
    "gpus: 8, nic: {model: cx7-40}": "unknown NIC model 'cx7-40'",
    "gpus: 8, node: hgx": "unknown node model",
    "gpus: 64, hosts: 4, gpus_per_node: 8, nic: 400G": "4 hosts of 8 GPUs have 32, not 64",
    "gpus: 64, gpus_per_node: 0, nic: 400G": "64 GPUs in nodes without GPUs",
    "gpus: 64, nic: 400G, bus_bandwidth: 500 GB/s": "more than the NICs of a host carry",
    "gpus: 64, nic: 400G, growth: {gpus: 32}": "stage 1 has 32 gpus, 32 fewer than the requirement",
    "gpus: 64, nic: 400G, growth: [{gpus: 128}, {gpus: 96}, {gpus: 128}]": "stage 2 has 96 gpus, 32 fewer than stage 1",
    "gpus: 64, nic: 400G, growth: [{gpus: 64}]": "as many than the requirement",
    "gpus: 64, nic: 400G, limits: [{fabric: backnd, metric: offered, max: 1}]": "unknown fabric 'backnd'",
    "gpus: 64, nic: 400G, workload: none.yaml": "cannot read",
    "gpus: 64, nic: 400G, budget: {cost_usd: 9}, fabrics: {a: {}, b: {}}": "one budget for 2 fabrics",
}


@pytest.mark.parametrize(("require", "message"), BAD.items())
def test_mistakes_are_refused_with_line_and_column(require, message, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(f"version: 1\nrequire: {{{require}}}\n", encoding="utf-8")
    with pytest.raises(FabricError) as caught:
        needs_of(load_requirement(path))
    text = render(caught.value.problems, {})
    assert message in text
    assert all(problem.line == 2 and problem.column for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("candidates: {kinds: [leafspine]}", "did you mean 'leaf-spine'"),
        ("candidates: {switches: [eth-64x4000]}", "did you mean 'eth-64x400'"),
        ("candidates: {kinds: [bcube]}", "no family counts bcube"),
        ("candidates: {max_tiers: 9}", "at most 4"),
        ("objective: prize", "nothing is called"),
        ("objective: [cost, cost]", "names something twice"),
        ("objective: {cost: -1}", "not a number above 0"),
        ("objective: {step_time: 1}", "step_time has no weight"),
        ("fabrics: {}", "unknown key 'fabrics'"),
    ],
)
def test_mistakes_outside_require(line, message, tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(f"version: 1\nrequire: {{gpus: 8, nic: 400G}}\n{line}\n", encoding="utf-8")
    with pytest.raises(FabricError) as caught:
        load_requirement(path)
    assert message.partition(" '")[0] in render(caught.value.problems, {})
    assert caught.value.problems[0].line == 3


def test_a_scenario_is_told_from_a_requirement(tmp_path, capsys):
    path = tmp_path / "s.yaml"
    path.write_text("version: 1\nname: x\nfabrics: {}\n", encoding="utf-8")
    with pytest.raises(FabricError, match="this is a scenario"):
        load_requirement(path)
    assert run(["schema", "requirement"]) == 0
    assert '"fabric requirement"' in capsys.readouterr().out


def test_validate_knows_requirements(example, capsys):
    assert run(["validate", str(example)]) == 0
    example.write_text(EXAMPLE.replace("gpus: 2048", "gpus: many"), encoding="utf-8")
    assert run(["validate", str(example)]) == 3
    assert f"{example}:4:9" in capsys.readouterr().err


def counted_of(requirement):
    """The best leaf-spine of every fabric."""
    needs = needs_of(requirement)
    objective = requirement.objective
    return {
        name: Search(need, requirement.catalogue, objective, families=("leaf-spine",)).next()
        for name, need in needs.items()
    }


def test_the_scenario_of_a_design_loads_and_sends(example):
    """It has the hosts, the job, and a limit for every failure that has to be survived."""
    requirement = load_requirement(example, given={"require": {"growth": []}})
    designs = counted_of(requirement)
    loaded = load_scenario_text(scenario_text(requirement, designs), example.parent / "d.fabric.yaml")
    prepared = prepare(loaded, RouteRequest())
    assert prepared.network.warnings == ()
    assert prepared.network.gpus("backend") == 2048
    assert [traffic.id for traffic in prepared.traffic] == ["llama70b"]
    assert [limit.when for limit in loaded.scenario.limits] == ["any-single-spine", "any-single-leaf-spine-link"]
    assert failing_parts(designs["backend"], "leaf") == ("leaf",)


def test_a_scenario_with_two_fabrics_has_both_and_the_hosts_of_one():
    fabrics = {"backend": {}, "storage": {"nic": "2x200", "hosts": 40, "group": "ceph"}}
    requirement = load_requirement(given={"require": {**SMALL["require"], "fabrics": fabrics}})
    loaded = load_scenario_text(scenario_text(requirement, counted_of(requirement)), "d.fabric.yaml")
    prepared = prepare(loaded, RouteRequest())
    assert prepared.network.warnings == ()
    assert [(node.group, node.count) for node in loaded.scenario.nodes] == [("gpu", 64), ("ceph", 40)]
    assert set(prepared.network.topologies) == {"backend", "storage"}


def test_a_single_nic_is_refused():
    """One GPU with one NIC, or one host: nobody to send to."""
    for keys in ({"gpus": 1, "nic": "400G"}, {"hosts": 1, "nic": "1x400"}):
        with pytest.raises(FabricError, match="a single NIC"):
            needs_of(load_requirement(given={"require": keys}))


def test_gpus_that_do_not_spread_evenly_over_the_hosts_are_refused():
    """512 over 3 hosts would be 171 in the fullest; 512 over 4 are 128 each."""
    with pytest.raises(FabricError, match="512 GPUs do not spread evenly over 3 hosts"):
        hosts_of(load_requirement(given={"require": {"gpus": 512, "hosts": 3, "nic": "400G"}}))
    hosts = hosts_of(load_requirement(given={"require": {"gpus": 512, "hosts": 4, "nic": "400G"}}))
    assert hosts.gpus_per_host == 128
