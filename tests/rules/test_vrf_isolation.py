"""VRFs per tenant in FRR's files: what they hold, and the proof against packets that are simulated one by one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rule_cases import SCENARIOS
from tenant_cases import SHARED, tenant_file
from vrf_cases import VrfSimulator

from fabric.cli.main import run
from fabric.pipeline.tables import export_baseline
from fabric.rules.errors import RuleError
from fabric.rules.export_baseline import ExportBaseline
from fabric.rules.verify.findings import Isolation
from fabric.rules.verify.vrf_proof import prove_vrfs
from fabric.scenario.load import load_scenario

# SHARED: leaf0 has a0 of hospital and a1 of bank, leaf1 b0 of bank and b1 of hospital, leaf2 s0 of storage and free0.
Edit = Callable[[Path], None]


def exported(folder: Path, text: str = SHARED, *flags: str) -> tuple[Path, Path]:
    """Scenario and folder of an export for FRR."""
    path, out = tenant_file(folder, text), folder / "out"
    assert run(["export", "routes", str(path), "-o", str(out), "-q", *flags]) == 0
    return path, out


def ground_of(path: Path, out: Path) -> ExportBaseline:
    """Addresses and tenants of an export."""
    return export_baseline(out, load_scenario(str(path), overrides=[]))


def proof_of(ground: ExportBaseline, out: Path) -> Isolation:
    """What the proof says of the files as they are."""
    return prove_vrfs(out, ground.manifest, ground.plan, ground.tenancy)


def change(out: Path, file: str, old: str, new: str, *, every: bool = False) -> None:
    """Edit a file of an export; the text has to be there."""
    path = out / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new) if every else text.replace(old, new, 1))


@pytest.fixture
def made(tmp_path):
    """Folder of an export, and its ground."""
    path, out = exported(tmp_path)
    return out, ground_of(path, out)


def test_exported_vrfs_keep_tenants_apart_and_their_own_together(made):
    """4 VRFs and the default one on 5 switches; 6 + 12 cables and 5 switches are the single failures covered.

    Domains: 4 VRFs and the default, for each IP version; IPv6 has no sessions, so each of its 25 tables is one.
    """
    out, ground = made
    proof = proof_of(ground, out)
    assert proof.holds, proof.findings
    assert (proof.tenants, proof.access_ports) == (("hospital", "bank", "storage", "unassigned"), 6)
    assert (proof.points, proof.classes, proof.failures) == (2 * 25, 5 + 25, 6 + 12 + 5)


def test_a_vrf_announces_who_may_be_met_and_nobody_else(made):
    """At leaf0 hospital's VRF announces a0 alone, that of storage both; at leaf2 all three announce s0."""
    out, ground = made
    conf = {name: (out / "switches" / f"{name}.conf").read_text() for name in ("leaf0", "leaf2", "spine0")}
    block = {
        (name, vrf): re.findall(r"  network (\S+)", text.split(f"vrf vrf-{vrf}\n bgp")[1].split("!")[0])
        for name, text in conf.items()
        for vrf in ("hospital", "bank", "storage", "unassigned")
    }
    address = {name: str(ground.plan.ipv4(ground.plan.topology.node(name))) for name in ("a0", "a1", "s0", "free0")}
    assert block["leaf0", "hospital"] == [f"{address['a0']}/32"]
    assert block["leaf0", "bank"] == [f"{address['a1']}/32"]
    assert block["leaf0", "storage"] == ["10.64.0.0/29"]
    assert block["leaf0", "unassigned"] == []
    assert block["leaf2", "hospital"] == block["leaf2", "bank"] == block["leaf2", "storage"] == [f"{address['s0']}/32"]
    assert block["leaf2", "unassigned"] == [f"{address['free0']}/32"]
    assert [block["spine0", vrf] for vrf in ("hospital", "bank", "storage", "unassigned")] == [[], [], [], []]


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("fat-tree", "pod[0-1]/edge[0-1]/h0", "pod[0-3]/edge[0-1]/h1"),
        ("dual-homed", "osd[0-3],gpu[0,2,4]", "osd[4-7],gpu[1,3]"),
        ("rails", "gpu[0,3]", "gpu[1,2]"),
    ],
)
def test_vrfs_hold_on_three_tiers_with_two_links_a_host_and_with_rails(tmp_path, name, one, other):
    """Both IP versions, by the command, with a link down where one is."""
    text = SCENARIOS[name].split("workloads:")[0]
    text += f"tenants:\n  - {{name: one, members: '{one}'}}\n  - {{name: other, members: '{other}'}}\n"
    path, out = exported(tmp_path, text, "--family", "both", "--router", "bgp-ucmp")
    assert run(["verify", "rules", str(path), str(out)]) == 0
    ground = ground_of(path, out)
    simulated = VrfSimulator(out, ground.plan)
    got = set(simulated.reached())
    meets, of = ground.tenancy.meets, ground.tenancy.of
    ends = ground.plan.node_at.tolist()
    assert got == {(src, dst) for src in ends for dst in ends if src != dst and meets[of[src], of[dst]]}


def test_simulated_packets_reach_who_may_be_met_and_no_other_under_every_failure(made):
    """24 states: BGP converges in each, and every host sends to every address."""
    out, ground = made
    simulator = VrfSimulator(out, ground.plan)
    meets, of = ground.tenancy.meets, ground.tenancy.of
    whole = {(src, dst) for src in ground.plan.node_at.tolist() for dst in ground.plan.node_at.tolist() if src != dst}
    whole = {(src, dst) for src, dst in whole if meets[of[src], of[dst]]}
    states = list(simulator.failures())
    assert len(states) == 1 + 6 + 12 + 5
    for number, dead in enumerate(states):
        got = set(simulator.reached(dead))
        assert got <= whole
        assert number or got == whole


FAULTS: dict[str, tuple[Edit, set[tuple[str, str]]]] = {
    "a sub-interface in another VRF": (
        lambda out: change(out, "links/leaf0.ip", "eth3.101 master vrf-hospital", "eth3.101 master vrf-bank"),
        {("bank", "hospital"), ("hospital", "bank")},
    ),
    "VLANs swapped at one end": (
        lambda out: (
            change(out, "links/leaf0.ip", "name eth3.101 type vlan id 101", "name eth3.101 type vlan id 9"),
            change(out, "links/leaf0.ip", "name eth3.102 type vlan id 102", "name eth3.102 type vlan id 101"),
            change(out, "links/leaf0.ip", "name eth3.101 type vlan id 9", "name eth3.101 type vlan id 102"),
        ),
        {("bank", "hospital"), ("hospital", "bank")},
    ),
    "an import too many": (
        lambda out: change(
            out, "switches/leaf0.conf", "  network 10.64.0.3/32", "  network 10.64.0.3/32\n  import vrf vrf-hospital"
        ),
        {("bank", "hospital")},
    ),
    "a static route too many": (
        lambda out: change(
            out, "switches/leaf0.conf", "vrf vrf-bank\n",
            "vrf vrf-bank\n ip route 10.64.0.2/32 eth1 nexthop-vrf vrf-hospital\n",
        ),
        {("bank", "hospital")},
    ),
    "two VRFs with one table": (
        lambda out: change(out, "links/leaf0.ip", "vrf-bank type vrf table 1002", "vrf-bank type vrf table 1001"),
        {("bank", "hospital"), ("hospital", "bank")},
    ),
    "a tagged interface of another VRF at a host": (
        lambda out: change(
            out, "links/leaf2.ip", "link set eth3 up",
            "link add link eth2 name eth2.101 type vlan id 101\nlink set eth2.101 master vrf-hospital\n"
            "link set eth3 up",
        ),
        {("unassigned", "hospital"), ("unassigned", "storage")},
    ),
    "a VRF that drops nothing, and a host in the main table": (
        lambda out: (
            change(out, "switches/leaf0.conf", " ip route 0.0.0.0/0 blackhole 254\n", "", every=True),
            change(out, "switches/leaf0.conf", "!\nend", "!\nip route 10.64.0.2/32 eth1\nend"),
        ),
        {("bank", "hospital")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_is_found_with_a_packet_that_the_simulator_delivers(made, fault):
    """The pairs named are those that exchange packets; each counter-example arrives in some state of the fabric."""
    out, ground = made
    edit, wanted = FAULTS[fault]
    edit(out)
    proof = proof_of(ground, out)
    assert {(one.src_tenant, one.dst_tenant) for one in proof.crossings} == wanted
    topology, simulator = ground.plan.topology, VrfSimulator(out, ground.plan)
    for one in proof.crossings:
        if one.packet.family != 4:
            continue
        first, last = one.hops[0], one.hops[-1]
        arrives = [
            topology.node(one.dst)
            in simulator.receivers(
                topology.node(first.switch),
                first.in_port,
                first.in_vlan,
                one.packet.dst,
                dead,
                simulator.converge(dead),
            )
            for dead in simulator.failures()
        ]
        assert any(arrives), one
        assert (last.to, one.hops[0].switch) == (one.dst, first.switch)
        assert all(a.to == b.switch and a.out_vlan == b.in_vlan for a, b in zip(one.hops, one.hops[1:], strict=False))


def test_the_vlan_of_every_hop_is_named(made):
    """VLANs swapped at eth3 of leaf0: a0 goes out untagged and over VLAN 102 into the VRF of bank."""
    out, ground = made
    FAULTS["VLANs swapped at one end"][0](out)
    one = next(one for one in proof_of(ground, out).crossings if one.src_tenant == "hospital")
    assert [(hop.switch, hop.in_vlan, hop.vrf, hop.out_vlan, hop.to) for hop in one.hops] == [
        ("leaf0", 0, "vrf-hospital", 102, "spine0"),
        ("spine0", 102, "vrf-bank", 102, "leaf1"),
        ("leaf1", 102, "vrf-bank", 0, "b0"),
    ]


def test_a_hosts_port_in_the_default_vrf_is_found(made):
    """a0 meets nobody then; the two files of leaf0 disagree about eth1."""
    out, ground = made
    change(out, "links/leaf0.ip", "link set eth1 master vrf-hospital\n", "")
    found = proof_of(ground, out).findings
    assert {(one.kind, one.switch) for one in found} >= {("ambiguous", "leaf0"), ("cut-off", "leaf0")}
    assert not any(one.kind == "crossing" for one in found)


def test_a_session_taken_away_at_one_end_of_every_link_cuts_members_off(made):
    """Hospital at leaf0 has no neighbours: b1 is not reached; nothing crosses."""
    out, ground = made
    path = out / "switches" / "leaf0.conf"
    head, own, rest = re.split(r"(router bgp \d+ vrf vrf-hospital\n(?: .*\n)*)", path.read_text())
    path.write_text(head + re.sub(r".*neighbor.*\n", "", own) + rest)
    found = proof_of(ground, out).findings
    assert {one.kind for one in found} == {"cut-off"}
    assert any("tenant hospital may meet hospital" in one.words for one in found)


def random_edit(out: Path, rng: np.random.Generator) -> None:
    """One line of one file of one switch gone, doubled into another VRF, or with another number."""
    files = sorted(out.glob("links/*.ip")) + sorted(out.glob("switches/*.conf"))
    path = files[int(rng.integers(len(files)))]
    lines = path.read_text().splitlines()
    kind = int(rng.integers(4))
    vrfs = ["vrf-hospital", "vrf-bank", "vrf-storage", "vrf-unassigned"]
    if path.suffix == ".ip":
        at = [at for at, line in enumerate(lines) if ("master" if kind % 2 else "vlan id") in line]
        one = at[int(rng.integers(len(at)))]
        if kind == 0:
            port = lines[one].split()[3]
            ids = [line for line in lines if f"link {port} name" in line and line != lines[one]]
            other = lines.index(ids[int(rng.integers(len(ids)))])
            a, b = lines[one].rsplit(" ", 1), lines[other].rsplit(" ", 1)
            lines[one], lines[other] = f"{a[0]} {b[1]}", f"{b[0]} {a[1]}"
        elif kind == 2:
            lines[one] = f"{lines[one].rsplit(' ', 1)[0]} {int(rng.integers(200, 300))}"
        elif kind == 1:
            lines[one] = f"{lines[one].rsplit(' ', 1)[0]} {vrfs[int(rng.integers(4))]}"
        else:
            del lines[one]
    elif kind == 0:
        at = [at for at, line in enumerate(lines) if re.match(r" ip route|  network| neighbor|  neighbor", line)]
        del lines[at[int(rng.integers(len(at)))]]
    elif kind == 1:
        at = [at for at, line in enumerate(lines) if line.startswith("  maximum-paths")]
        lines.insert(at[int(rng.integers(len(at)))], f"  import vrf {vrfs[int(rng.integers(4))]}")
    else:
        static = [line for line in lines if re.match(r" ip route \S+ eth", line)]
        places = [at for at, line in enumerate(lines) if line.startswith("vrf ")]
        if static:
            moved = static[int(rng.integers(len(static)))]
            lines.insert(places[int(rng.integers(len(places)))] + 1, moved)
            if kind == 3:
                where = [at for at, line in enumerate(lines) if line.startswith("  maximum-paths")]
                lines.insert(where[int(rng.integers(len(where)))], f"  network {moved.split()[2]}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """An export to be copied, and its ground."""
    path, out = exported(tmp_path_factory.mktemp("vrfs"))
    return out, ground_of(path, out)


@pytest.mark.parametrize("seed", range(40))
def test_the_crossings_of_random_edits_are_those_that_the_simulator_delivers(kept, tmp_path, seed):
    """Two edits. Of these 40 states 27 cross; with a cable cut or a switch dead nothing crosses that was not found."""
    kept_out, ground = kept
    out = tmp_path / "out"
    shutil.copytree(kept_out, out)
    rng = np.random.default_rng(seed)
    random_edit(out, rng)
    random_edit(out, rng)
    simulator, of, meets = VrfSimulator(out, ground.plan), ground.tenancy.of, ground.tenancy.meets
    states = list(simulator.failures())
    some = [states[0], *(states[int(at)] for at in rng.integers(1, len(states), 2))]
    crossed = [
        {(int(of[src]), int(of[dst])) for src, dst in simulator.reached(dead) if not meets[of[src], of[dst]]}
        for dead in some
    ]
    names = ground.tenancy.names
    found = {(names.index(one.src_tenant), names.index(one.dst_tenant)) for one in proof_of(ground, out).crossings}
    assert found == crossed[0]
    assert found >= crossed[1] | crossed[2]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("switches/leaf0.conf", "  redistribute connected"),
        ("switches/leaf0.conf", "  import vrf route-map storage"),
        ("switches/leaf0.conf", " ip route 10.0.0.0/8 10.72.0.1"),
        ("switches/leaf0.conf", " ip route 10.0.0.0/8 eth3"),
        ("switches/leaf0.conf", "pbr-map all seq 1"),
        ("switches/leaf0.conf", "  network 10.64.0.300/32"),
        ("links/leaf0.ip", "route add default dev eth1 table 1002"),
        ("links/leaf0.ip", "link add br0 type bridge"),
        ("links/leaf0.ip", "link set eth2 master vrf-nobody"),
        ("links/leaf0.ip", "link add link eth3 name eth3.7 type vlan id 101"),
    ],
)
def test_a_line_that_no_export_writes_is_refused_with_its_place(made, file, line):
    """It might make tenants meet."""
    out, ground = made
    path = out / file
    path.write_text(path.read_text().replace("!\nend\n", "") + line + "\n")
    with pytest.raises(RuleError, match=r"no line of an export|leads out of|not appear|no VRF|is made twice") as caught:
        proof_of(ground, out)
    problem = caught.value.problems[0]
    assert problem.code == "FP8057"
    assert problem.line


def test_a_session_with_a_host_is_refused(made):
    """a0 could announce whatever it likes."""
    out, ground = made
    change(
        out, "switches/leaf0.conf", " neighbor 10.72.0.1 ", " neighbor 10.64.0.2 remote-as 65000\n neighbor 10.72.0.1 "
    )
    with pytest.raises(RuleError, match=r"10\.64\.0\.2, which is no switch's address"):
        proof_of(ground, out)


def test_a_switch_without_files_is_refused(made):
    """By the manifest, and by the folder."""
    out, ground = made
    (out / "links" / "spine0.ip").unlink()
    with pytest.raises(RuleError, match="cannot be read"):
        proof_of(ground, out)
    record = json.loads((out / "manifest.json").read_text())
    record["switches"] = record["switches"][1:]
    (out / "manifest.json").write_text(json.dumps(record))
    from fabric.rules.manifest import read_manifest

    with pytest.raises(RuleError, match="leaf0 has no configuration"):
        prove_vrfs(out, read_manifest(out), ground.plan, ground.tenancy)


def test_more_sessions_than_the_bound_are_refused_with_what_fits(tmp_path, monkeypatch, capsys):
    """4 VRFs and the switches' own over 4 uplinks: 20 at a leaf and 30 at a spine of 6 links; 24 leave 3 tenants."""
    monkeypatch.setattr("fabric.rules.tenants.vrfs.MOST_SESSIONS", 24)
    path = tenant_file(tmp_path)
    assert run(["export", "routes", str(path), "-o", str(tmp_path / "out")]) == 3
    text = capsys.readouterr().err
    assert "spine0 would have 30 BGP sessions: 6 links, 4 tenants" in text
    assert "at most 3 tenants fit" in text
    assert not (tmp_path / "out").exists()


def test_the_export_says_what_vrfs_cost_and_the_command_shows_a_crossing(tmp_path, capsys):
    """12 links x 5 sessions instead of 12; then an edit: exit code 1, the VRF of every hop, and the same as JSON."""
    path, out = tenant_file(tmp_path), tmp_path / "out"
    assert run(["export", "routes", str(path), "-o", str(out)]) == 0
    assert "4 VRFs need 60 BGP sessions instead of 12, 30 of them at spine0" in capsys.readouterr().err
    FAULTS["a sub-interface in another VRF"][0](out)
    assert run(["verify", "rules", str(path), str(out)]) == 1
    text = capsys.readouterr().out
    assert "tenants not apart" in text
    assert "VRF vrf-bank: out of port 3 VLAN 101 to spine0" in text
    assert run(["verify", "rules", str(path), str(out), "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["dialect"], record["holds"]) == ("VrfsVerdict", "frr", False)
    hop = record["isolation"]["crossings"][0]["hops"][0]
    assert set(hop) == {"switch", "in_port", "in_vlan", "vrf", "out_port", "out_vlan", "to"}


def test_names_of_vrfs_are_names_of_interfaces_of_linux_and_unique(tmp_path):
    """15 characters at most, whatever tenants are called."""
    text = SHARED.replace("name: hospital", "name: the-university-hospital").replace(
        "[hospital,", "[the-university-hospital,"
    )
    _, out = exported(tmp_path, text)
    rows = [line.split(",") for line in (out / "vrfs.csv").read_text().splitlines()[1:]]
    assert all(len(row[0]) <= 15 for row in rows)
    assert len({row[0] for row in rows}) == len({row[2] for row in rows}) == len({row[3] for row in rows}) == 4
