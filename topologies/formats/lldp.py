"""``lldp``: a folder of ``lldpctl -f json0`` outputs, one file per device, named after it; read only.

Who hears whom on which port. Devices that others hear but that have no file of their own are taken as they describe
themselves: hosts unless they bridge or route. Of two devices with files, both must hear the cable. Speeds are those of
auto-negotiation where the file has them.

References
----------
lldpd, lldpctl(8), output format ``json0``; IEEE 802.1AB and 802.3 annex on link aggregation and MAC/PHY status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from topologies.discovered import Device, PortCable, sound_cables, topology_of_devices
from topologies.errors import FormatError, Problem
from topologies.format_registry import Imported, TopologyFormat
from topologies.text_input import EVERY_PROBLEM, Findings, read_text, shown
from topologies.topology import Topology

_FORWARDS = ("Bridge", "Router")
_SPEED = re.compile(r"(\d+)(G)?(?:ig)?base", re.IGNORECASE)


class _Folder:
    """All files of a folder, and what was wrong with them."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise FormatError(
                "LLDP comes as a folder", file=str(folder), hint="one lldpctl -f json0 file per device", code="FP6001"
            )
        self.files = sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.is_file())
        if not self.files:
            hint = "lldpctl -f json0 > NAME.json on every device"
            raise FormatError("no .json file in the folder", file=str(folder), hint=hint, code="FP6001")
        self.problems: list[Problem] = []
        self.heard: dict[tuple[str, str], tuple[str, str, float, Path]] = {}
        self.devices: dict[str, Device] = {path.stem: Device(path.stem, host=None) for path in self.files}
        self.own = set(self.devices)
        for path in self.files:
            findings = Findings(path, limit=EVERY_PROBLEM)
            self._file(path, findings)
            self.problems += findings.found

    def _file(self, path: Path, findings: Findings) -> None:
        text = read_text(path)
        try:
            data = json.loads(text)
        except ValueError as error:
            line = getattr(error, "lineno", None)
            findings.add(f"not JSON: {error}", code="FP6003", line=line, hint="write it with lldpctl -f json0")
            return
        for interface in _interfaces(data):
            port = interface.get("name")
            line = _line_of(text, port)
            far, far_port, forwards = _neighbour(interface)
            if not isinstance(port, str) or far is None or far_port is None:
                message = f"interface {shown(port)} does not name a neighbour with its port"
                findings.add(message, code="FP6004", line=line, hint="keep chassis name and port id in the output")
                continue
            if (path.stem, port) in self.heard:
                message = f"{path.stem} hears two neighbours on {port}"
                findings.add(message, code="FP6007", line=line, hint="a hub or a stale entry; keep one")
                continue
            self.heard[path.stem, port] = (far, far_port, _gbps(interface), path)
            if far not in self.devices:
                self.devices[far] = Device(far, host=not forwards)


def _interfaces(data: Any) -> Iterator[dict[str, Any]]:
    """Interfaces of either ``json0`` or the irregular ``json``."""
    for part in _many(data.get("lldp") if isinstance(data, dict) else None):
        for entry in _many(part.get("interface")):
            if "name" in entry:
                yield entry
            else:  # the plain form: {"eth0": {...}}
                for name, rest in entry.items():
                    if isinstance(rest, dict):
                        yield {"name": name, **rest}


def _many(value: Any) -> list[dict[str, Any]]:
    rows = value if isinstance(value, list) else [value]
    return [row for row in rows if isinstance(row, dict)]


def _text(value: Any) -> str | None:
    """The text of ``[{"value": "spine1"}]`` or ``"spine1"``."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, str) and value else None


def _neighbour(interface: dict[str, Any]) -> tuple[str | None, str | None, bool]:
    """Name and port of the neighbour, and whether it forwards."""
    chassis = next(iter(_many(interface.get("chassis"))), {})
    name = _text(chassis.get("name"))
    if name is None and "id" not in chassis and len(chassis) == 1:  # the plain form: {"spine1": {...}}
        name, chassis = next((key, value) for key, value in chassis.items())
    name = name or _text(chassis.get("id"))
    port = next(iter(_many(interface.get("port"))), {})
    ids = _many(port.get("id"))
    by_name = [entry for entry in ids if entry.get("type") in ("ifname", "local", None)]
    far = _text(by_name) or _text(port.get("descr")) or _text(ids)
    able = [entry for entry in _many(chassis.get("capability")) if entry.get("enabled")]
    return name, far, any(entry.get("type") in _FORWARDS for entry in able)


def _gbps(interface: dict[str, Any]) -> float:
    port = next(iter(_many(interface.get("port"))), {})
    current = _text(next(iter(_many(port.get("auto-negotiation"))), {}).get("current"))
    found = _SPEED.search(current or "")
    return float("nan") if found is None else float(found[1]) * (1.0 if found[2] else 0.001)


def _line_of(text: str, port: Any) -> int | None:
    place = text.find(f'"{port}"')
    return None if place < 0 else text.count("\n", 0, place) + 1


def _topology(folder: _Folder, path: Path) -> Topology:
    cables: dict[tuple[tuple[str, str], tuple[str, str]], PortCable] = {}
    findings = Findings(path, limit=EVERY_PROBLEM)
    for (device, port), (far, far_port, gbps, file) in folder.heard.items():
        back = folder.heard.get((far, far_port))
        if far in folder.own and (back is None or back[:2] != (device, port)):
            says = "hears nothing there" if back is None else f"hears {back[0]} {back[1]} there"
            folder.problems.append(
                Problem(
                    f"{device} {port} hears {far} {far_port}, but {far} {says}",
                    code="FP6007",
                    file=str(file),
                    hint="a stale entry or a cable of one direction; clear LLDP and collect again",
                )
            )
            continue
        ends = (min((device, port), (far, far_port)), max((device, port), (far, far_port)))
        cables.setdefault(ends, PortCable(*ends, gbps))
    sound = sound_cables(list(cables.values()), folder.devices, findings)
    folder.problems += findings.found
    return topology_of_devices(path.name, list(folder.devices.values()), sound)


def read_sound(path: Path) -> Imported:
    """Read what is sound of the files of a folder."""
    folder = _Folder(path)
    built = _topology(folder, path)
    return Imported(built, tuple(folder.problems))


def read(path: Path) -> Topology:
    """Read the files of a folder.

    Raises
    ------
    FormatError
        With everything that is wrong in them.
    """
    sound = read_sound(path)
    if sound.problems:
        raise FormatError(sound.problems)
    return sound.topology


SUMMARY = "Folder of lldpctl -f json0 files, one per device; read only"
FORMAT = TopologyFormat("lldp", (), read, None, read_sound)
