"""``fabric show`` and ``fabric convert`` as users run them."""

import json

import pytest

from fabric.cli.main import run

SCENARIO = """\
version: 1
name: two
fabrics:
  main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}
  grid: {topology: {kind: torus, dims: [4, 4], speed: 100G}}
"""


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "two.fabric.yaml"
    path.write_text(SCENARIO)
    return str(path)


def answer(capsys, *words):
    assert run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_paths_are_diameter_mean_and_counts(scenario, capsys):
    main, grid = answer(capsys, "show", "paths", scenario)["fabrics"]
    assert (main["diameter_hops"], grid["diameter_hops"]) == (4, 4)
    assert [(row["hops"], row["pairs"], row["least_paths"]) for row in main["by_hops"]] == [
        (0, 16, 1), (2, 32, 2), (4, 192, 4),
    ]  # fmt: skip
    assert grid["mean_hops"] == pytest.approx(32 / 15)


def test_bisection_is_by_tier_and_by_a_halving(scenario, capsys):
    main, grid = answer(capsys, "show", "bisection", scenario)["fabrics"]
    assert [(row["tier"], row["cables"], row["bisection_gbps"], row["ratio"]) for row in main["tiers"]] == [
        ("host-edge", 16, 800.0, 1.0), ("edge-aggregation", 16, 800.0, 1.0), ("aggregation-core", 16, 800.0, 1.0),
    ]  # fmt: skip
    assert main["cut"] is None
    assert grid["cut"]["cables"] == 8


@pytest.mark.parametrize("what", ["paths", "bisection"])
@pytest.mark.parametrize("form", ["table", "plain", "csv", "ndjson", "md"])
def test_every_form_has_every_fabric(scenario, capsys, what, form):
    assert run(["show", what, scenario, "-f", form]) == 0
    out = capsys.readouterr().out
    assert "main" in out
    assert "grid" in out


def test_build_says_shape_and_ports(scenario, capsys):
    main, grid = answer(capsys, "build", scenario)["fabrics"]
    assert (main["gpus"], main["pods"], main["planes"], main["groups"], main["diameter_hops"]) == (None, 4, 1, 0, 4)
    assert main["port_gbps_by_tier"]["host-edge"] == 100.0
    assert grid["diameter_hops"] == 4


@pytest.mark.parametrize("name", ["net.csv", "net.json", "net.graphml"])
def test_a_fabric_goes_out_and_comes_in(scenario, tmp_path, capsys, name):
    out, again = str(tmp_path / name), str(tmp_path / f"again-{name}")
    assert run(["convert", scenario, "--fabric", "main", "-o", out]) == 0
    assert run(["convert", out, "-o", again]) == 0
    assert (tmp_path / name).read_bytes() == (tmp_path / f"again-{name}").read_bytes()
    assert run(["convert", scenario, "--fabric", "main", "-o", out]) == 2  # it is there
    assert "--force" in capsys.readouterr().err


def test_what_is_wrong_is_left_out_with_exit_code_6_or_refused(scenario, tmp_path, capsys):
    out = tmp_path / "net.csv"
    assert run(["convert", scenario, "--fabric", "main", "-o", str(out), "-q"]) == 0
    out.write_text(out.read_text().replace("pod0/edge0/h0,pod0/edge0,100.0", "pod0/edge0/h0,pod0/edge0,fast", 1))
    other = tmp_path / "file.fabric.yaml"
    other.write_text("version: 1\nname: f\nfabrics:\n  main: {topology: {kind: file, format: csv, path: net.csv}}\n")
    capsys.readouterr()
    assert run(["build", str(other), "--json"]) == 6
    found = capsys.readouterr()
    assert json.loads(found.out)["fabrics"][0]["cables"] == 47
    assert "net.csv:2:" in found.err
    assert "gbps is 'fast'" in json.loads(found.out)["warnings"][0]
    assert run(["build", str(other), "--strict"]) == 3
    assert run(["convert", str(out), "-o", str(tmp_path / "x.csv")]) == 6
    assert run(["convert", str(out), "-o", str(tmp_path / "y.csv"), "--strict"]) == 3
    assert not (tmp_path / "y.csv").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["SCENARIO", "-o", "OUT/x.csv"], "--fabric: which of main, grid"),
        (["SCENARIO", "--fabric", "main"], "-o FILE says where"),
        (["SCENARIO", "--fabric", "mian", "-o", "OUT/x.csv"], "did you mean 'main'"),
        (["SCENARIO", "--fabric", "main", "--speed", "1G", "-o", "OUT/x.csv"], "a scenario tells its speeds"),
        (["OUT/none.csv", "-o", "OUT/x.csv"], "no such file"),
        (["SCENARIO", "--fabric", "main", "-o", "OUT/x.xyz"], "belongs to no topology format"),
        (["SCENARIO", "--fabric", "main", "--to", "lldp", "-o", "OUT/x"], "read only"),
    ],
)
def test_mistakes_of_convert_are_explained(scenario, tmp_path, capsys, words, said):
    argv = [word.replace("SCENARIO", scenario).replace("OUT", str(tmp_path)) for word in words]
    assert run(["convert", *argv]) in (2, 3)
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["two.fabric.yaml"]


def test_validate_takes_catalogues_and_topology_files(scenario, tmp_path, capsys):
    site, cables = tmp_path / "site.yaml", tmp_path / "net.csv"
    site.write_text("switches:\n- {model: own, ports: 8, speed: 100G, source: ours}\n")
    assert run(["convert", scenario, "--fabric", "main", "-o", str(cables)]) == 0
    assert run(["validate", str(site), str(cables), scenario]) == 0
    assert capsys.readouterr().out.count(": ok") == 3
    site.write_text(site.read_text().replace("ports: 8", "ports: many"))
    cables.write_text(cables.read_text().replace("100.0", "fast", 1))
    assert run(["validate", str(site), str(cables)]) == 3
    err = capsys.readouterr().err
    assert "site.yaml:2:" in err
    assert "net.csv:2:" in err
