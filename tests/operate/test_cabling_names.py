"""Names that are heard: other spellings, domains, addresses, interfaces no plan has; and data of another fabric."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugged_rooms import as_planned, heard, plan_of, swap

from fabric.operate.cabling.aliases import read_aliases
from fabric.operate.cabling.components import differences
from fabric.operate.cabling.names import PlanNames
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.seen import Seen, see
from fabric.operate.observed.neighbours import Neighbours
from topologies.errors import FormatError


@pytest.fixture
def ends(tmp_path: Path) -> PlannedEnds:
    """Two pods of a fat tree of radix 4: names with slashes, hosts with one NIC."""
    file = tmp_path / "tree.yaml"
    text = "version: 1\nname: tree\nfabrics:\n  main: {topology: {kind: fat-tree, radix: 4, speed: 100G}}\n"
    file.write_text(text, encoding="utf-8")
    return plan_of(file)[1]


def told(ends: PlannedEnds, device: object, port: object) -> Neighbours:
    """Everything as planned, told under other names: functions of a name and of an end."""
    plain = heard(ends, as_planned(ends))
    into = Neighbours(files=[Path("room.json")])
    for name in plain.heard_by:
        into.listen(device(name))  # type: ignore[operator]
    for near, own, far, its in plain.rows():
        into.add(device(near), port(near, own), (device(far[0]),), (port(far[0], its[0]),))  # type: ignore[operator]
    return into


def all_right(seen: Seen) -> bool:
    """Whether every cable is seen and right."""
    difference = differences(seen)
    return bool(difference.right.all()) and len(seen) == len(seen.ends) // 2 and not difference.absent.any()


@pytest.mark.parametrize(
    "spelling",
    [str.upper, lambda name: name.replace("/", "-"), lambda name: name.replace("/", "_") + ".dc1.example.org"],
)
def test_case_marks_and_domains_do_not_matter(ends: PlannedEnds, spelling: object) -> None:
    assert all_right(see(PlanNames(ends), told(ends, spelling, lambda device, port: port.upper())))


def test_interfaces_of_hosts_are_learned_and_said(ends: PlannedEnds) -> None:
    """enp1s0 of sixteen hosts is nic0 by what fifteen of them hear; the sixteenth is still found in the wrong port."""

    def port(device: str, name: str) -> str:
        return name.replace("nic0", "enp1s0")

    right = see(PlanNames(ends), told(ends, lambda name: name, port))
    assert all_right(right)
    room = as_planned(ends)
    hosts = [end for end in range(len(ends)) if not ends.is_switch[end]]
    swap(room, hosts[0], hosts[5])
    plain = heard(ends, room)
    plain.port = [port("", name) for name in plain.port]
    plain.far_port = [(port("", names[0]),) for names in plain.far_port]
    seen = see(PlanNames(ends), plain)
    assert "enp1s0 = nic0 (28 of 28)" in " ".join(seen.notes)
    assert [len(one.plugged) for one in differences(seen).components] == [2]


def test_names_and_addresses_of_a_file(ends: PlannedEnds, tmp_path: Path) -> None:
    """A host by another name, whose NIC is told by its MAC; a pattern for all others."""
    file = tmp_path / "names.csv"
    host = next(ends.at(end).device for end in range(len(ends)) if not ends.is_switch[end])
    rows = ["device,port,alias", f"{host},,node-a", f"{host},nic0,00:1b:21:aa:bb:cc", "*/h*,nic0,eth4"]
    file.write_text("\n".join(rows) + "\n", encoding="utf-8")

    def device(name: str) -> str:
        return "node-a" if name == host else name

    def port(name: str, own: str) -> str:
        return "001b.21aa.bbcc" if name == host else own.replace("nic0", "eth4")

    assert all_right(see(PlanNames(ends, read_aliases(file), file), told(ends, device, port)))


@pytest.mark.parametrize(
    ("row", "message", "line"),
    [
        ("pod0/egde0,,x", "the plan has no device 'pod0/egde0'", 2),
        ("pod0/edge0,port77,x", "pod0/edge0 has no port 'port77'", 2),
        ("pod0/edge0,port1,", "this row has no alias", 2),
    ],
)
def test_a_row_that_fits_nothing_is_refused_at_its_line(
    ends: PlannedEnds, tmp_path: Path, row: str, message: str, line: int
) -> None:
    file = tmp_path / "names.csv"
    file.write_text(f"device,port,alias\n{row}\n", encoding="utf-8")
    with pytest.raises(FormatError, match=message) as caught:
        PlanNames(ends, read_aliases(file), file)
    assert (caught.value.problems[0].code, caught.value.problems[0].line) == ("FP6604", line)


def test_data_of_another_fabric_is_refused_with_the_share_that_matches(ends: PlannedEnds) -> None:
    """4 of 36 devices are called as in the plan."""

    def device(name: str) -> str:
        return name if name.startswith("core") else f"other-{name}"

    with pytest.raises(FormatError, match=r"another fabric: 4 of 36 devices told of \(11 %\)") as caught:
        see(PlanNames(ends), told(ends, device, lambda device, port: port))
    assert caught.value.problems[0].code == "FP6605"


def test_ports_that_no_plan_has_are_outside_of_it(ends: PlannedEnds) -> None:
    """Management ports of switches on a switch of another network: told, and nothing of ours."""
    plain = heard(ends, as_planned(ends))
    for number, name in enumerate(ends.devices):
        plain.add(name, "eth0", ("oob-switch",), (f"swp{number}",))
    seen = see(PlanNames(ends), plain)
    assert all_right(seen)
    assert seen.outside == len(ends.devices)


def with_names(ends: PlannedEnds, tmp_path: Path, rows: list[str]) -> PlanNames:
    """Names of a plan with those of a file."""
    file = tmp_path / "names.csv"
    file.write_text("\n".join(["device,port,alias", *rows]) + "\n", encoding="utf-8")
    return PlanNames(ends, read_aliases(file), file)


def test_a_system_that_counts_ports_from_zero_is_as_planned(ends: PlannedEnds, tmp_path: Path) -> None:
    """Every planned name but the last is that of another port here."""
    rows = [
        f"{switch},port{number},port{number - 1}" for switch in ("core*", "*/agg?", "*/edge?") for number in range(1, 5)
    ]
    lower = {f"port{number}": f"port{number - 1}" for number in range(1, 5)}
    seen = see(
        with_names(ends, tmp_path, rows), told(ends, lambda name: name, lambda device, port: lower.get(port, port))
    )
    assert all_right(seen)
    assert seen.conflicts == ()


def test_names_that_are_exchanged_are(ends: PlannedEnds, tmp_path: Path) -> None:
    """Two devices by each other's name; of data that has none exchanged, both are wrong."""
    rows = ["pod0/edge0,,pod1/edge1", "pod1/edge1,,pod0/edge0"]
    other = {"pod0/edge0": "pod1/edge1", "pod1/edge1": "pod0/edge0"}
    names = with_names(ends, tmp_path, rows)
    assert all_right(see(names, told(ends, lambda name: other.get(name, name), lambda device, port: port)))
    assert not all_right(see(names, told(ends, lambda name: name, lambda device, port: port)))


@pytest.mark.parametrize(
    ("rows", "message", "line"),
    [
        (["pod0/edge0,,pod0/edge1"], "but it is the plan's name of pod0/edge1", 2),
        (["pod0/edge0,port1,PORT2"], "but it is the plan's name of pod0/edge0:port2", 2),
        (["pod0/edge0,port1,x", "pod0/edge0,port2,x"], "line 2 gives it to pod0/edge0:port1", 3),
        (["pod0/edge0,,x", "pod0/edge1,,x"], "line 2 gives it to pod0/edge0", 3),
        (["pod0/edge0/h0,nic0,00:1b:21:aa:bb:cc", "pod0/edge0/h1,nic0,001b.21aa.bbcc"], "line 2 gives it to", 3),
        (["pod0/edge?,,x"], "the same line gives it to pod0/edge0", 2),
    ],
)
def test_a_name_of_two_is_refused_with_both(
    ends: PlannedEnds, tmp_path: Path, rows: list[str], message: str, line: int
) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        with_names(ends, tmp_path, rows)
    assert (caught.value.problems[0].code, caught.value.problems[0].line) == ("FP6604", line)


TWO = """\
version: 1
name: two
nodes: [{group: gpu, count: 4, gpus: 1, nics: {one: {speed: 100G}, other: {speed: 100G}}}]
fabrics:
  one:
    topology: &net
      {kind: leaf-spine, leaves: 2, spines: 1, hosts_per_leaf: 2, host_speed: 100G, uplink_speed: 100G}
  other: {topology: *net}
"""


def test_a_switch_name_of_two_fabrics_is_refused_until_it_is_said_which(tmp_path: Path) -> None:
    """Switches of one fabric tell by names that the other's have as well."""
    file = tmp_path / "two.yaml"
    file.write_text(TWO, encoding="utf-8")
    ends = plan_of(file)[1]
    own = {name.removeprefix("other/"): name for name in ends.devices if name.startswith("other/")}
    plain = heard(ends, {end: end ^ 1 for end in range(len(ends)) if ends.fabric[end] == 1})
    plain.heard_by = {name.removeprefix("other/"): 0 for name in ends.devices if not name.startswith("one/")}
    plain.device = [name.removeprefix("other/") for name in plain.device]
    plain.far_device = [(far[0].removeprefix("other/"),) for far in plain.far_device]
    with pytest.raises(
        FormatError, match="leaf0 may be any of 2 devices of the plan: one/leaf0, other/leaf0"
    ) as caught:
        see(PlanNames(ends), plain)
    assert caught.value.problems[0].code == "FP6606"
    seen = see(with_names(ends, tmp_path, [f"{name},,{short}" for short, name in own.items()]), plain)
    assert differences(seen).right.all()
    assert len(seen) == len(ends) // 4


def test_hosts_of_the_plan_on_other_switches_are_another_fabric(ends: PlannedEnds) -> None:
    """16 of 17 devices are known, and no switch is."""
    plain = Neighbours(files=[Path("room.json")])
    for name in ends.devices:
        if "/h" in name:
            plain.listen(name)
            plain.add(name, "nic0", ("elsewhere",), ("port1",))
    with pytest.raises(FormatError, match="0 of 1 devices beside hosts told of are switches of the plan"):
        see(PlanNames(ends), plain)
