"""Which nodes of a file are hosts, which endpoints are their NICs, and what is said of it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from topologies.errors import FabricError, FormatError
from topologies.format_registry import import_topology
from topologies.host_nics import nic_template
from topologies.host_roles import HostKeys, some, word_kind
from topologies.hosts import HostGroup

DATA = Path(__file__).parent.parent / "data" / "hosts-of-files"


def endpoints(net) -> list[str]:
    """Names of the endpoints, sorted."""
    return sorted(net.nodes.name[node] for node in net.endpoint_nodes.tolist())


def role(net, name: str) -> str:
    """Role of a node."""
    return net.roles[net.nodes.role[net.node(name)]]


def gpu(count: int, *, nics: int = 1, rail="shared", name: str = "node{}", ports: int = 1) -> HostGroup:
    """A node group of a scenario."""
    return HostGroup("gpu", tuple(name.format(index) for index in range(count)), nics, 400.0, rail, ports=ports)


# ---- InfiniBand ------------------------------------------------------------------------------------------------------


def test_the_aggregation_engine_of_a_switch_is_no_host_and_its_port_none_for_a_cable():
    found = import_topology(DATA / "aggregation.ibnet")
    assert endpoints(found.topology) == ["node1.mlx5_0", "node2.mlx5_0"]
    assert found.topology.nodes.radix[found.topology.node("MF0;leaf1:MQM8700/U1")] == 40
    assert [note for note in found.notes if "Aggregation Node" in note and note.endswith(": 1")]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('# "Mellanox Technologies Aggregation Node"', '# "renamed by a map"'),  # by the system's GUID alone
        ("sysimgguid=0x100\ncaguid", "sysimgguid=0x108\ncaguid"),  # by its description alone
    ],
)
def test_an_engine_is_known_by_its_description_or_by_its_system(tmp_path, old, new):
    path = tmp_path / "net.ibnet"
    text = (DATA / "aggregation.ibnet").read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert endpoints(import_topology(path, strict=True).topology) == ["node1.mlx5_0", "node2.mlx5_0"]


@pytest.mark.parametrize("drop", ["Aggregation Node", "H-0000000000000108"])
def test_a_dump_that_was_filtered_line_by_line_reads_the_same(tmp_path, drop):
    """``grep -v`` leaves the port line of the engine without its node, or drops both."""
    path = tmp_path / "net.ibnet"
    kept = [line for line in (DATA / "aggregation.ibnet").read_text().splitlines() if drop not in line]
    path.write_text("\n".join(kept))
    found = import_topology(path, strict=True)
    assert endpoints(found.topology) == ["node1.mlx5_0", "node2.mlx5_0"]
    assert any("whose node has no line" in note for note in found.notes)


SUBNET = """\
Non-Chassis Nodes

vendid=0x2c9
switchguid=0x1(1)
Switch\t40 "S-01"\t\t# "leaf1" enhanced port 0 lid 1 lmc 0
[1][ext 4]\t"H-a1"[1](a1) \t\t# "node0 HCA-1" lid 2 4xNDR s=4 w=2 v=5
[2]\t"H-a2"[1](a2) \t\t# "ufm-appliance HCA-1" lid 3 4xNDR
[3]\t"H-a3"[1](a3) \t\t# "skyway gw1" lid 4 4xNDR
[9]\t"R-07"[1](77) \t\t# "rt" lid 9 4xNDR

rtguid=0x7
Rt\t2 "R-07"\t\t# "rt"
[1](77) \t"S-01"[9]\t\t# lid 9 lmc 0 "leaf1" lid 1 4xNDR

Ca\t1 "H-a1"\t\t# "node0 HCA-1"
[1](a1) \t"S-01"[1][ext 4]\t\t# lid 2 lmc 0 "leaf1" lid 1 4xNDR s=4 w=2 v=5

Ca\t1 "H-a2"\t\t# "ufm-appliance HCA-1"
[1](a2) \t"S-01"[2]\t\t# lid 3 lmc 0 "leaf1" lid 1 4xNDR

Ca\t1 "H-a3"\t\t# "skyway gw1"
[1](a3) \t"S-01"[3]\t\t# lid 4 lmc 0 "leaf1" lid 1 4xNDR
"""


def test_routers_are_left_out_and_appliances_send_nothing_unless_the_user_says_so(tmp_path):
    path = tmp_path / "net.ibnet"
    path.write_text(SUBNET)
    found = import_topology(path, strict=True)
    net = found.topology
    assert endpoints(net) == ["node0.HCA-1"]
    assert role(net, "ufm-appliance.HCA-1") == role(net, "skyway.gw1") == "management"
    assert not net.has_node("rt")
    assert net.ports_used[net.node("leaf1")] == 3
    assert [word for word in ("Rt:", "appliances") if not any(word in note for note in found.notes)] == []
    told = import_topology(path, keys=HostKeys(hosts=("node*", "ufm*"))).topology
    assert endpoints(told) == ["node0.HCA-1", "ufm-appliance.HCA-1"]


def test_a_switch_of_more_ports_than_there_can_be_is_refused():
    with pytest.raises(FormatError, match="has 254 at most"):
        import_topology(DATA / "ibnet-ports-1e12.ibnet", strict=True)


def adapters(tmp_path: Path, numbers: tuple[int, ...]) -> Path:
    """One host with adapters of these numbers, in this order, on one switch."""
    path = tmp_path / "net.ibnet"
    ports = "".join(
        f'[{port}]\t"H-{number}"[1]({number})\t# "node0 mlx5_{number}" lid 3 4xNDR\n'
        for port, number in enumerate(numbers, 1)
    )
    own = "".join(
        f'\nCa\t1 "H-{number}"\t# "node0 mlx5_{number}"\n'
        f'[1]({number})\t"S-1"[{port}]\t# lid 3 lmc 0 "leaf1" lid 1 4xNDR\n'
        for port, number in enumerate(numbers, 1)
    )
    path.write_text(f'Switch\t40 "S-1"\t# "leaf1" base port 0 lid 1 lmc 0\n{ports}{own}')
    return path


def test_adapters_are_nics_in_the_order_of_their_numbers(tmp_path):
    path = adapters(tmp_path, (10, 9, 1, 11))
    found = import_topology(path, groups=[gpu(1, nics=4, rail="per-gpu")])
    assert found.endpoints["node0"] == tuple(f"node0.mlx5_{number}" for number in (1, 9, 10, 11))
    rails = [int(found.topology.nodes.rail[found.topology.node(name)]) for name in found.endpoints["node0"]]
    assert rails == [0, 1, 2, 3]
    assert any("by number, such as mlx5_1, mlx5_9" in note for note in found.notes)


def test_adapters_chooses_and_orders_and_leaves_out_the_others(tmp_path):
    path = adapters(tmp_path, (0, 1, 2))
    keys = HostKeys(adapters=("mlx5_2", "mlx5_0"))
    found = import_topology(path, keys=keys, groups=[gpu(1, nics=2, rail="per-gpu")])
    assert found.endpoints["node0"] == ("node0.mlx5_2", "node0.mlx5_0")
    assert not found.topology.has_node("node0.mlx5_1")
    assert found.topology.is_cable.sum() == 2
    assert any("left out" in note and "node0.mlx5_1" in note for note in found.notes)


def test_more_adapters_than_the_scenario_says_are_not_guessed_away(tmp_path):
    path = adapters(tmp_path, (0, 1, 2))
    with pytest.raises(FormatError, match=r"has 2 NICs a host, node0 has 3 .*mlx5_0, mlx5_1, mlx5_2") as caught:
        import_topology(path, groups=[gpu(1, nics=2, rail="per-gpu")])
    assert caught.value.problems[0].code == "FP6013"
    with pytest.raises(FormatError, match="no adapter 'mlx5_7'"):
        import_topology(path, keys=HostKeys(adapters=("mlx5_7",)), groups=[gpu(1, rail="per-gpu")])


def test_without_node_groups_a_host_with_several_adapters_is_one_host_and_says_so():
    found = import_topology(DATA / "adapters.ibnet")
    assert endpoints(found.topology) == ["node0", "node1"]
    assert found.topology.nodes.nics[found.topology.endpoint_nodes].tolist() == [2, 2]
    assert found.topology.is_cable.sum() == 4
    assert any("2 hosts" in note and "node0 (mlx5_0, mlx5_1)" in note for note in found.notes)
    apart = import_topology(DATA / "adapters.ibnet", keys=HostKeys(nics="{host}"))
    assert len(endpoints(apart.topology)) == 4


def test_machines_of_one_name_are_not_joined(tmp_path):
    path = tmp_path / "net.ibnet"
    path.write_text((DATA / "adapters.ibnet").read_text().replace("node1", "node0"))
    found = import_topology(path)
    assert len(endpoints(found.topology)) == 4
    assert any("call themselves node0" in note for note in found.notes)


# ---- LLDP ------------------------------------------------------------------------------------------------------------


def hears(port: str, far: str, far_port: str, descr: str, *kinds: str) -> dict:
    """One interface as ``lldpctl -f json0`` prints it."""
    return {
        "name": port,
        "via": "LLDP",
        "chassis": [
            {
                "name": [{"value": far}],
                "descr": [{"value": descr}],
                "capability": [{"type": kind, "enabled": True} for kind in kinds],
            }
        ],
        "port": [
            {
                "id": [{"type": "ifname", "value": far_port}],
                "auto-negotiation": [{"current": [{"value": "400GbaseDR4"}]}],
            }
        ],
    }


def lldp(tmp_path: Path, **devices: list[dict]) -> Path:
    folder = tmp_path / "lldp"
    folder.mkdir()
    for name, interfaces in devices.items():
        (folder / f"{name}.json").write_text(json.dumps({"lldp": [{"interface": interfaces}]}))
    return folder


def test_a_server_that_bridges_for_its_containers_is_a_host_and_a_long_name_the_files_device(tmp_path):
    linux = ("Ubuntu 22.04.4 LTS Linux 5.15.0", "Bridge", "Router")
    folder = lldp(
        tmp_path,
        leaf1=[
            hears("swp1", "n0.example.org", "eth0", *linux),
            hears("swp9", "spine1", "swp1", "Cumulus Linux", "Bridge"),
        ],
        leaf2=[
            hears("swp1", "n0.example.org", "eth1", *linux),
            hears("swp9", "spine1", "swp2", "Cumulus Linux", "Bridge"),
        ],
        spine1=[
            hears("swp1", "leaf1.example.org", "swp9", "Cumulus Linux", "Bridge"),
            hears("swp2", "leaf2.example.org", "swp9", "Cumulus Linux", "Bridge"),
        ],
        n0=[
            hears("eth0", "leaf1", "swp1", "Cumulus Linux", "Bridge"),
            hears("eth1", "leaf2", "swp1", "Cumulus Linux", "Bridge"),
        ],
    )
    found = import_topology(folder, "lldp", strict=True)
    net = found.topology
    assert endpoints(net) == ["n0"]
    assert net.is_cable.sum() == 4
    assert [role(net, name) for name in ("leaf1", "leaf2", "spine1")] == ["leaf", "leaf", "spine"]
    assert any("servers by their operating system" in note for note in found.notes)
    split = import_topology(folder, "lldp", groups=[gpu(1, nics=2, rail="per-gpu", name="n{}")])
    assert split.endpoints["n0"] == ("n0.eth0", "n0.eth1")


@pytest.mark.parametrize(
    ("folder", "words"), [("lldp-deep", "nested more than 100 deep"), ("lldp-chassis-null", "chassis.n1: a mapping")]
)
def test_lldp_of_the_wrong_shape_is_refused_with_its_place(folder, words):
    for strict in (True, False):
        with pytest.raises(FormatError, match=words) as caught:
            import_topology(DATA / folder, "lldp", speed=100.0, strict=strict)
        assert caught.value.problems[0].file.endswith("leaf1.json")


# ---- containerlab ----------------------------------------------------------------------------------------------------


def lab(tmp_path: Path, nodes: str, links: list[str]) -> Path:
    path = tmp_path / "net.clab.yml"
    rows = "".join(f'    - endpoints: ["{end.replace(" ", chr(34) + ", " + chr(34))}"]\n' for end in links)
    path.write_text(f"name: lab\ntopology:\n  nodes:\n{nodes}  links:\n{rows}")
    return path


def test_containers_at_the_edge_of_switches_are_hosts_and_never_forward():
    found = import_topology(DATA / "lab.clab.yml", "containerlab", speed=100.0)
    net = found.topology
    assert endpoints(net) == ["client1", "client2"]
    assert not net.nodes.forwards[net.endpoint_nodes].any()
    assert net.nodes.nics.sum() == 2
    assert [role(net, name) for name in ("leaf1", "leaf2", "spine1")] == ["leaf", "leaf", "spine"]
    assert any("client1, client2 are taken for hosts" in note and "hosts: [PATTERN" in note for note in found.notes)


@pytest.mark.parametrize(
    ("nodes", "hosts"),
    [
        ("    a: {kind: nokia_srlinux}\n    b: {kind: nokia_srlinux}\n    m: {kind: nokia_srlinux}\n", []),
        ("    a: {kind: linux}\n    b: {kind: linux}\n    m: {kind: linux}\n", []),
        (
            "    a: {kind: linux}\n    b: {kind: linux}\n    m: {kind: linux, image: quay.io/frrouting/frr}\n",
            ["a", "b"],
        ),
        ("    pc1: {kind: linux}\n    pc2: {kind: linux}\n    router1: {kind: linux}\n", ["pc1", "pc2"]),
        ("    a: {kind: keysight_ixia-c-one}\n    b: {kind: linux}\n    m: {kind: vr-xrv}\n", ["a", "b"]),
    ],
)
def test_kinds_images_and_names_tell_hosts_and_a_lab_of_routers_stays_one(tmp_path, nodes, hosts):
    one, other, middle = [line.strip().split(":")[0] for line in nodes.splitlines()]
    path = lab(tmp_path, nodes, [f"{one}:eth1 {middle}:e1", f"{other}:eth1 {middle}:e2"])
    found = import_topology(path, "containerlab", speed=100.0)
    if hosts:
        assert endpoints(found.topology) == hosts
    else:
        assert endpoints(found.topology) == sorted([one, other, middle])
        assert found.topology.nodes.forwards.all()
        assert any("all 3 are taken for routers" in note for note in found.notes)


def test_a_container_behind_which_another_hangs_forwards(tmp_path):
    """client - fw - leaf: the firewall is a Linux container and no host."""
    nodes = "    client: {kind: linux}\n    box: {kind: linux}\n    leaf: {kind: arista_ceos}\n    b: {kind: linux}\n"
    path = lab(tmp_path, nodes, ["client:eth1 box:eth1", "box:eth2 leaf:e1", "b:eth1 leaf:e2"])
    net = import_topology(path, "containerlab", speed=100.0).topology
    assert endpoints(net) == ["b", "client"]
    assert net.nodes.forwards[net.node("box")]


@pytest.mark.parametrize(("name", "code"), [("alias-bomb", "FP1005"), ("alias-chain", "FP1005"), ("deep", "FP1008")])
def test_a_lab_that_never_ends_is_refused_at_once(name, code):
    start = time.process_time()
    with pytest.raises(FabricError) as caught:
        import_topology(DATA / f"{name}.clab.yml", "containerlab", speed=100.0)
    assert time.process_time() - start < 1
    assert [problem.code for problem in caught.value.problems] == [code]


# ---- cabling sheets and whatever else says no roles ------------------------------------------------------------------


def sheet(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "net.csv"
    path.write_text("a,b,gbps\n" + "\n".join(f"{row},400" for row in rows) + "\n")
    return path


def test_node_groups_of_the_scenario_decide_and_their_hosts_never_forward():
    found = import_topology(DATA / "cables.csv", groups=[gpu(3, name="n{:03d}")])
    net = found.topology
    assert endpoints(net) == ["n000", "n001", "n002"]
    assert not net.nodes.forwards[net.endpoint_nodes].any()
    assert any("such as n000 2: the file's cables hold" in note for note in found.notes)


def test_a_name_for_every_port_is_a_nic_of_the_host_by_prefix_or_template(tmp_path):
    path = sheet(tmp_path, "n0-p0,leaf1", "n0-p1,leaf2", "n1-p0,leaf1", "n1-p1,leaf2", "leaf1,spine1", "leaf2,spine1")
    group = gpu(2, nics=2, rail="per-gpu", name="n{}")
    for keys in (HostKeys(), HostKeys(nics="{host}-{nic}")):
        found = import_topology(path, keys=keys, groups=[group])
        assert found.endpoints == {"n0": ("n0-p0", "n0-p1"), "n1": ("n1-p0", "n1-p1")}
    shared = import_topology(path, groups=[gpu(2, nics=2, name="n{}")])
    assert endpoints(shared.topology) == ["n0", "n1"]
    assert shared.topology.is_cable.sum() == 6


def test_one_name_with_several_cables_becomes_a_nic_for_each(tmp_path):
    path = sheet(tmp_path, "n0,leaf1", "n0,leaf2", "n1,leaf1", "n1,leaf2", "leaf1,spine1", "leaf2,spine1")
    found = import_topology(path, groups=[gpu(2, nics=2, rail="per-gpu", name="n{}")])
    net = found.topology
    assert found.endpoints == {"n0": ("n0.nic0", "n0.nic1"), "n1": ("n1.nic0", "n1.nic1")}
    names = net.nodes.name
    ends = {(names[a], names[b]) for a, b in zip(net.links.src, net.links.dst, strict=True)}
    assert {("n0.nic0", "leaf1"), ("n0.nic1", "leaf2"), ("leaf2", "n1.nic1")} <= ends
    np.testing.assert_array_equal(net.links.src[net.links.reverse], net.links.dst)
    assert any("in the order of the file's cables" in note for note in found.notes)


@pytest.mark.parametrize(
    ("rows", "hosts"),
    [
        (["n0,leaf1", "n0,leaf2", "n1,leaf1", "leaf1,spine1", "leaf2,spine1"], ["n0", "n1"]),
        (["server1,x", "server2,y", "x,y"], ["server1", "server2"]),
        (["a,b", "b,c", "c,a"], None),
        (["core1,core2", "core1,paris", "core2,paris", "paris,lyon"], None),  # lyon hangs behind paris
    ],
)
def test_names_and_structure_are_a_guess_that_is_told_or_all_are_routers(tmp_path, rows, hosts):
    found = import_topology(sheet(tmp_path, *rows))
    net = found.topology
    if hosts is None:
        assert len(endpoints(net)) == len(net.nodes)
        assert any("are taken for routers" in note for note in found.notes)
    else:
        assert endpoints(net) == hosts
        assert any("are taken for hosts" in note for note in found.notes)


def test_roles_of_the_file_are_told_and_nothing_is_guessed(tmp_path):
    path = tmp_path / "net.csv"
    path.write_text("a,b,gbps,a_role,b_role\nserver1,leaf1,400,router,router\nleaf1,spine1,400,router,router\n")
    found = import_topology(path)
    assert len(endpoints(found.topology)) == 3
    assert found.notes == ()


def test_hosts_and_roles_beside_the_path_overrule_everything(tmp_path):
    path = sheet(tmp_path, "server1,x", "b,x", "x,y")
    found = import_topology(path, keys=HostKeys(hosts=("server*", "b"), roles={"y": "core"}))
    assert endpoints(found.topology) == ["b", "server1"]
    assert role(found.topology, "y") == "core"
    assert found.topology.nodes.level[found.topology.node("y")] == 3
    for keys in (HostKeys(hosts=("nothing*",)), HostKeys(roles={"nothing*": "leaf"}), HostKeys(nics="{host}@{nic}")):
        with pytest.raises(FormatError, match="matches no node") as caught:
            import_topology(path, keys=keys)
        assert caught.value.problems[0].code == "FP6013"


def test_hosts_of_a_group_that_the_file_has_not_are_said(tmp_path):
    path = sheet(tmp_path, "n0,leaf1", "n1,leaf1")
    found = import_topology(path, groups=[gpu(3, name="n{}")])
    assert any("1 of the 3 hosts of group gpu are not in net.csv: n2" in note for note in found.notes)
    none = import_topology(path, groups=[gpu(3, name="gpu{}")])
    assert any("no host of group gpu" in note for note in none.notes)


@pytest.mark.parametrize("template", ["{nic}", "{host} {port}", "{host} {host}", "{host:>3}"])
def test_a_template_names_host_and_nic(template):
    with pytest.raises(ValueError, match="template"):
        nic_template(template)


def test_words_in_names_are_whole_words():
    assert word_kind("swiss1") is None
    assert word_kind("leaf-3") == "switch"
    assert word_kind("gpu007") == "host"
    assert some(["a", "b"]) == "a, b"
