"""One room in every format that there is: what is written as the real commands print it is read as the plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from plugged_rooms import Plugged, as_planned, plan_of, swap

from fabric.cli.main import run
from fabric.operate.cabling.components import differences
from fabric.operate.cabling.names import PlanNames
from fabric.operate.cabling.planned import PlannedEnds
from fabric.operate.cabling.seen import see
from fabric.operate.observed.read import read_neighbours
from topologies.errors import FormatError

SCENARIO = """\
version: 1
name: formats
nodes: [{group: h, count: 4, per_rack: 2, nics: {main: {count: 2, speed: 400G}}}]
fabrics:
  main:
    topology: {kind: leaf-spine, leaf: {model: eth-64x400, count: 2, down: 4, up: 2},
               spine: {model: eth-64x400, count: 2}}
"""
Heard = list[tuple[str, str, str]]  # port, neighbour, its port


def by_device(ends: PlannedEnds, room: Plugged) -> dict[str, Heard]:
    """What every device hears."""
    told: dict[str, Heard] = {device: [] for device in ends.devices}
    for end, other in sorted(room.items()):
        here, there = ends.at(end), ends.at(other)
        told[here.device].append((here.port, there.device, there.port))
    return told


def each(write: Callable[[Heard], str], suffix: str = ".json") -> Callable[[dict[str, Heard], Path], Path]:
    """A file per device."""

    def files(told: dict[str, Heard], folder: Path) -> Path:
        for device, heard in told.items():
            (folder / f"{device}{suffix}").write_text(write(heard), encoding="utf-8")
        return folder

    return files


def json_of_lldpctl(heard: Heard) -> str:
    """The irregular form: a mapping for one interface, a list for several; chassis by name."""
    entries = [
        {
            port: {
                "via": "LLDP",
                "chassis": {far: {"id": {"type": "mac", "value": "02:00:00:00:00:01"}}},
                "port": {"id": {"type": "ifname", "value": far_port}, "auto-negotiation": {"current": "400GBaseCR4"}},
            }
        }
        for port, far, far_port in heard
    ]
    return json.dumps({"lldp": {"interface": entries[0] if len(entries) == 1 else entries}})


def json0_of_lldpctl(heard: Heard) -> str:
    entries = [
        {
            "name": port,
            "via": "LLDP",
            "chassis": [{"id": [{"type": "mac", "value": "02:00:00:00:00:01"}], "name": [{"value": far}]}],
            "port": [{"id": [{"type": "ifname", "value": far_port}], "descr": [{"value": "a cable"}]}],
        }
        for port, far, far_port in heard
    ]
    return json.dumps({"lldp": [{"interface": entries}]})


def sonic_table(heard: Heard) -> str:
    rows = [
        f"{port:<11}  {far:<14}  {far_port:<14}  {'BR':<12}  Eth1 (Port1)".rstrip() for port, far, far_port in heard
    ]
    return "\n".join(
        [
            "Capability codes: (R) Router, (B) Bridge, (O) Other",
            "LocalPort    RemoteDevice    RemotePortID    Capability    RemotePortDescr",
            "-----------  --------------  --------------  ------------  -----------------",
            *rows,
            "--------------------------------------------------",
            f"Total entries displayed:  {len(rows)}",
            "",
        ]
    )


def sonic_database(heard: Heard) -> str:
    return json.dumps(
        {
            f"LLDP_ENTRY_TABLE:{port}": {
                "expireat": 1.0, "ttl": -0.001, "type": "hash",
                "value": {"lldp_rem_sys_name": far, "lldp_rem_port_id": far_port, "lldp_rem_port_desc": "Eth1"},
            }
            for port, far, far_port in heard
        }
    )  # fmt: skip


def cumulus_names(heard: Heard) -> str:
    return json.dumps(
        {
            port: {
                "iface_obj": {"lldp": [{"adj_hostname": far, "adj_port": far_port, "adj_mac": "02:00:00:00:00:01"}]},
                "linkstate": "UP", "speed": "400G",
            }
            for port, far, far_port in heard
        }
    )  # fmt: skip


def cumulus_nvue(heard: Heard) -> str:
    return json.dumps(
        {
            port: {
                "link": {"speed": "400G"},
                "lldp": {"neighbor": {far: {"chassis": {"system-name": far}, "port": {"name": far_port}}}},
            }
            for port, far, far_port in heard
        }
        | {"lo": {"type": "loopback"}}
    )


def eos_detail(heard: Heard) -> str:
    return json.dumps(
        {
            "lldpNeighbors": {
                port: {
                    "lldpNeighborInfo": [
                        {
                            "systemName": far, "chassisId": "001c.73a0.fc18",
                            "neighborInterfaceInfo": {"interfaceId": f'"{far_port}"'},
                        }
                    ]
                }
                for port, far, far_port in heard
            }
        }
    )  # fmt: skip


def eos_brief(heard: Heard) -> str:
    rows = [
        {"port": port, "neighborDevice": far, "neighborPort": far_port, "ttl": 120} for port, far, far_port in heard
    ]
    return json.dumps({"tablesInserts": len(rows), "lldpNeighbors": rows})


def openconfig(heard: Heard) -> str:
    entries = [
        {
            "name": port,
            "neighbors": {"neighbor": [{"id": "1", "state": {"system-name": far, "port-id": far_port}}]},
        }
        for port, far, far_port in heard
    ]
    return json.dumps({"openconfig-lldp:lldp": {"interfaces": {"interface": entries}}})


def gnmic_get(told: dict[str, Heard], folder: Path) -> Path:
    """One answer with all targets, paths as it prints them."""
    answers = [
        {
            "source": f"{device}:57400", "timestamp": 1,
            "updates": [{"Path": "lldp/interfaces", "values": {"lldp/interfaces": json.loads(openconfig(heard))}}],
        }
        for device, heard in told.items()
    ]  # fmt: skip
    file = folder / "all.json"
    file.write_text(json.dumps(answers), encoding="utf-8")
    return file


def one_file(told: dict[str, Heard], folder: Path) -> Path:
    """All devices in one file."""
    file = folder / "room.json"
    text = json.dumps({device: json.loads(json0_of_lldpctl(heard)) for device, heard in told.items()})
    file.write_text(text, encoding="utf-8")
    return file


WRITERS = {
    "lldp json": ("lldp", each(json_of_lldpctl)),
    "lldp json0": ("lldp", each(json0_of_lldpctl)),
    "lldp in one file": ("lldp", one_file),
    "sonic table": ("sonic", each(sonic_table, ".txt")),
    "sonic database": ("sonic", each(sonic_database)),
    "cumulus": ("cumulus", each(cumulus_names)),
    "cumulus before": ("cumulus", each(json_of_lldpctl)),
    "cumulus nvue": ("cumulus", each(cumulus_nvue)),
    "eos detail": ("eos", each(eos_detail)),
    "eos brief": ("eos", each(eos_brief)),
    "gnmi": ("gnmi", each(openconfig)),
    "gnmic": ("gnmi", gnmic_get),
}


@pytest.fixture
def plan(tmp_path: Path) -> tuple[Path, PlannedEnds]:
    """Two leaves, two spines, four hosts with two NICs."""
    file = tmp_path / "formats.yaml"
    file.write_text(SCENARIO, encoding="utf-8")
    return file, plan_of(file)[1]


@pytest.mark.parametrize("form", WRITERS)
def test_a_room_is_read_as_it_is(form: str, plan: tuple[Path, PlannedEnds], tmp_path: Path) -> None:
    """All right as planned, both sides heard; with two ends swapped, one swap."""
    _, ends = plan
    name, write = WRITERS[form]
    for damaged in (False, True):
        room = as_planned(ends)
        if damaged:
            swap(room, 1, 9)
        folder = tmp_path / f"room-{damaged}"
        folder.mkdir()
        seen = see(PlanNames(ends), read_neighbours(name, write(by_device(ends, room), folder)))
        assert set(seen.sides.tolist()) == {2}
        assert len(seen) == len(ends) // 2
        assert [len(one.plugged) for one in differences(seen).components] == ([2] if damaged else [])


def test_what_we_export_to_netbox_is_all_right(plan: tuple[Path, PlannedEnds], tmp_path: Path) -> None:
    """Our own schedule, read back as what is plugged."""
    scenario, _ = plan
    room = str(tmp_path / "room.csv")
    assert run(["export", "cables", str(scenario), "--profile", "netbox", "-q", "-o", room]) == 0
    assert run(["verify", "cabling", str(scenario), "--observed", f"netbox:{room}", "-q"]) == 0


def test_speeds_are_told_where_a_format_has_them(plan: tuple[Path, PlannedEnds], tmp_path: Path) -> None:
    """400GBaseCR4 is as planned."""
    _, ends = plan
    folder = each(json_of_lldpctl)(by_device(ends, as_planned(ends)), tmp_path)
    assert set(see(PlanNames(ends), read_neighbours("lldp", folder)).gbps.tolist()) == {400.0}


def test_two_files_of_one_device_are_refused(plan: tuple[Path, PlannedEnds], tmp_path: Path) -> None:
    text = json0_of_lldpctl([("swp1s0", "h0", "nic0")])
    for name in ("leaf0.json", "leaf0.json0"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=r"leaf0 is told of in leaf0\.json as well") as caught:
        read_neighbours("lldp", tmp_path)
    assert caught.value.problems[0].code == "FP6602"


def test_a_wrong_shape_is_said_at_the_port_it_is_told_of(tmp_path: Path) -> None:
    """Line and column of the interface's name in the file."""
    file = tmp_path / "leaf0.json"
    file.write_text('{"lldp": [{"interface": [\n   {"name": "swp1", "chassis": [{}], "port": [{}]}\n]}]}\n', "utf-8")
    with pytest.raises(FormatError, match="swp1 does not name a neighbour") as caught:
        read_neighbours("lldp", file)
    (problem,) = caught.value.problems
    assert (problem.line, problem.column) == (2, 13)
