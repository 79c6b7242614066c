"""The catalogue: every row sound, rows of the user in place of ours, NetBox device types."""

import pytest
import yaml

from fabric.cli.main import run
from fabric.pipeline.prepared import build
from fabric.scenario.catalogue_file import read_catalogue
from fabric.scenario.load import LoadError, load_scenario
from topologies.catalogue import SECTIONS, Catalogue, builtin
from topologies.errors import FabricError, TopologyError
from topologies.netbox import interface_gbps, switch_row

SCENARIO = """\
version: 1
name: own
include: [{catalog: builtin}, {catalog: ./site.yaml}]
nodes:
- {group: gpu, model: own-node, count: 4, nics: {main: {model: own-nic, count: 4, rail: per-gpu}}}
fabrics:
  main: {topology: {kind: leaf-spine, leaf: {model: own-leaf, count: 2, up: 4}, spine: {model: own-leaf, count: 2}}}
"""
SITE = """\
switches:
- {model: own-leaf, ports: 16, speed: 200G, breakouts: [2x100], source: ours}
nics:
- {model: own-nic, speed: 200G, source: ours}
nodes:
- {model: own-node, gpus: 4, source: ours}
"""
DEVICE = {
    "manufacturer": "NVIDIA", "model": "SN5600", "slug": "nvidia-sn5600",
    "interfaces": [
        {"name": "mgmt0", "type": "1000base-t", "mgmt_only": True},
        *({"name": f"swp{i}", "type": "800gbase-x-osfp"} for i in range(64)),
        {"name": "swp65", "type": "25gbase-x-sfp28"},
    ],
    "power-ports": [{"name": "PSU1", "maximum_draw": 1000}, {"name": "PSU2", "maximum_draw": 1000}],
}  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(site=SITE, scenario=SCENARIO):
        (tmp_path / "site.yaml").write_text(site)
        path = tmp_path / "own.fabric.yaml"
        path.write_text(scenario)
        return path

    return write


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_of_ours_has_a_source_and_its_figures_in_order(section):
    rows = getattr(builtin(), section)
    assert rows
    for row in rows.values():
        assert row.source
        typical, most = getattr(row, "typical_w", None), getattr(row, "max_w", None)
        assert typical is None or most is None or typical <= most
        assert row.estimate or getattr(row, "usd", None) is None  # prices are nobody's data sheet


def test_rows_of_the_user_are_used_for_switches_nics_and_nodes(written):
    loaded = load_scenario(written())
    network = build(loaded)
    net = network.topologies["main"]
    assert set(net.links.capacity_gbps.tolist()) == {200.0}
    assert net.nodes.radix.max() == 16
    assert network.gpus("main") == 16


def test_a_nic_has_the_ports_of_its_model_unless_told(written):
    """Four ports need four planes; a fabric that cables one of each says so."""
    site = SITE.replace("{model: own-nic, speed: 200G,", "{model: own-nic, speed: 200G, ports: 4,")
    with pytest.raises(TopologyError, match="have 4 ports, and a leaf-spine cables one of each"):
        build(load_scenario(written(site)))
    told = SCENARIO.replace("model: own-nic, count: 4,", "model: own-nic, ports: 1, count: 4,")
    assert build(load_scenario(written(site, told))).topologies["main"].nodes.nics.max() == 1
    planes = SCENARIO[: SCENARIO.index("fabrics:")] + (
        "fabrics:\n  main: {topology: {kind: multi-plane, planes: 4, plane: "
        "{kind: leaf-spine, leaf: {model: own-leaf, count: 2, up: 4}, spine: {model: own-leaf, count: 2}}}}\n"
    )
    net = build(load_scenario(written(site, planes))).topologies["main"]
    assert net.nodes.nics[net.endpoint_nodes].tolist() == [4] * 16


def test_a_row_of_the_user_takes_the_place_of_ours(written):
    site = "switches:\n- {model: eth-64x400, ports: 32, speed: 400G, source: ours}\n"
    scenario = SCENARIO[: SCENARIO.index("nodes:")] + (
        "fabrics:\n  main: {topology: {kind: fat-tree, switch: {model: eth-64x400}}}\n"
    )
    assert build(load_scenario(written(site, scenario))).topologies["main"].nodes.radix.max() == 32
    assert builtin().switches["eth-64x400"].ports == 64


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (SITE.replace("ports: 16", "portz: 16"), "did you mean 'ports'"),
        (SITE.replace("speed: 200G, b", "speed: -200G, b"), "site.yaml:2"),
        (SITE.replace("model: own-leaf", "model: other-leaf"), "unknown switch model 'own-leaf'"),
        ("- {model: own-leaf}\n", "a catalogue is a mapping of sections"),
        (SITE.replace("switches:", "swiches:"), "did you mean 'switches'"),
    ],
)
def test_mistakes_are_told_with_their_place(written, site, words):
    with pytest.raises(LoadError) as caught:
        load_scenario(written(site))
    assert words in " ".join(f"{problem} {problem.label} {problem.hint}" for problem in caught.value.problems)


def test_breakouts_of_a_model_are_those_it_has(written):
    scenario = SCENARIO.replace("leaf: {model: own-leaf,", "leaf: {model: own-leaf, breakout: 4x50,")
    with pytest.raises(TopologyError, match=r"does not break its ports out as 4x50.*it can: 2x100"):
        build(load_scenario(written(scenario=scenario)))


@pytest.mark.parametrize(
    ("kind", "gbps"),
    [
        ("100gbase-x-qsfp28", 100.0), ("400gbase-x-qsfpdd", 400.0), ("800gbase-x-osfp", 800.0), ("2.5gbase-t", 2.5),
        ("1000base-t", 1.0), ("100base-tx", 0.1), ("infiniband-ndr", 400.0), ("infiniband-hdr", 200.0),
        ("virtual", None), ("lag", None), ("other", None),
    ],
)  # fmt: skip
def test_interface_types_of_netbox_are_speeds(kind, gbps):
    assert interface_gbps(kind) == gbps


def test_a_netbox_device_type_is_a_row(written, tmp_path, capsys):
    row, said = switch_row(DEVICE)
    assert any("64 x 800G are its ports; not counted: 1 x 25G" in text for text in said)
    assert any("as one of 2 supplies is spare" in text for text in said)
    assert (row.model, row.ports, row.speed, row.max_w) == ("nvidia-sn5600", 64, 800.0, 1000.0)
    assert "1 x 25G" in row.source
    with pytest.raises(TopologyError, match="no interface of a known speed"):
        switch_row(DEVICE | {"interfaces": [{"name": "x", "type": "virtual"}]})
    import yaml

    device, site = tmp_path / "device.yaml", tmp_path / "site.yaml"
    device.write_text(yaml.safe_dump(DEVICE))
    assert run(["catalog", "add", str(device), "-o", str(site)]) == 0
    assert run(["catalog", "add", str(device), "-o", str(site)]) == 3
    assert "--replace" in capsys.readouterr().err
    assert run(["catalog", "add", str(device), "-o", str(site), "--force"]) == 2  # which is about files alone
    assert run(["catalog", "add", str(device), "-o", str(site), "--replace"]) == 0
    assert run(["catalog", "show", "nvidia-sn5600", "--catalog", str(site), "--json"]) == 0
    assert '"ports": 64' in capsys.readouterr().out
    scenario = SCENARIO[: SCENARIO.index("nodes:")] + (
        "fabrics:\n  main: {topology: {kind: fat-tree, switch: {model: nvidia-sn5600, breakout: 8x100}}}\n"
    )
    path = tmp_path / "own.fabric.yaml"
    for include in ("./site.yaml", "./device.yaml"):  # a device type may be included as it is
        path.write_text(scenario.replace("./site.yaml", include).replace("8x100", "2x400"))
        assert load_scenario(path).scenario.fabrics["main"].topology.switch.ports == 128


@pytest.mark.parametrize("role", ["switch", "nic", "node", "optic", "cable"])
def test_every_kind_is_listed(role, capsys):
    assert run(["catalog", "list", "--role", role, "-f", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 2
    assert all(line.startswith(role) for line in lines[1:])


def test_rows_of_every_section_are_written_as_they_are_read(tmp_path, capsys):
    """Also lists of lengths, depths and standards: what ``catalog add`` writes gives the same rows again."""
    from importlib import resources

    for section in SECTIONS:
        text = resources.files("topologies").joinpath("data", f"{section}.yaml").read_text(encoding="utf-8")
        (tmp_path / "in.yaml").write_text(f"{section}:\n{text}")
        assert run(["catalog", "add", str(tmp_path / "in.yaml"), "-o", str(tmp_path / f"{section}.yaml")]) == 0
        again = read_catalogue(tmp_path / f"{section}.yaml", Catalogue())
        assert dict(getattr(again, section)) == dict(getattr(builtin(), section))


@pytest.mark.parametrize(
    ("template", "words"),
    [("swp", "gives all ports one name"), ("p{prot}", "has {prot}"), ("p{port", "bad template of port names")],
)
def test_templates_of_port_names_that_cannot_tell_ports_apart_are_refused(template, words, tmp_path):
    row = {"model": "s", "ports": 4, "speed": "100G", "port_name": template, "source": "x"}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump({"switches": [row]}))
    with pytest.raises(FabricError) as refused:
        read_catalogue(tmp_path / "own.yaml", builtin())
    assert words in str(refused.value)


def test_vendors_call_ports_as_they_do():
    """Cumulus counts ports from 1 and parts from 0, InfiniBand cages and their ports from 1, SONiC lanes from 0."""
    rows = builtin().switches
    assert rows["eth-64x800"].port_label(64, 2, 2) == "swp64s1"
    assert [rows["ib-64x400"].port_label(port) for port in (1, 2, 64)] == ["1/1", "1/2", "32/2"]
    assert [rows["eth-32x100"].port_label(port) for port in (1, 2, 32)] == ["Ethernet0", "Ethernet4", "Ethernet124"]
    assert rows["ib-64x400"].port_label(3, 2, 2) == "2/2"
