"""``lldp``: a folder of ``lldpctl -f json0`` outputs, one file per device, named after it; read only.

Who hears whom on which port. Of two devices with files, both must hear the cable. A device that is heard to bridge or
route forwards, one that does neither is a host; a server with a general operating system that bridges for its
containers is a host too, which is a guess and said, as is all that is guessed of a device that tells no capabilities. A
name that is a file's with a domain is that file's device. Speeds are those of auto-negotiation where a file has them.

References
----------
lldpd, lldpctl(8), output format ``json0`` and src/client/display.c; IEEE 802.1AB and 802.3 annex on link aggregation
and MAC/PHY status.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from topologies.discovered import Device, PortCable, sound_cables, topology_of_devices
from topologies.errors import FormatError, Problem
from topologies.format_registry import Imported, TopologyFormat
from topologies.host_roles import HOST, SWITCH, NodeFacts, some, word_kind
from topologies.reading.fields import HARMLESS, MODELLED, REPORTED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue, parse_json
from topologies.reading.text_input import EVERY_PROBLEM, Findings, read_text, shown
from topologies.topology import Topology

_FORWARDS = ("Bridge", "Router")
_SPEED = re.compile(r"(\d+)(?:p(\d))?(G)?(?:ig)?base", re.IGNORECASE)
_GENERAL_SYSTEM = re.compile(
    r"ubuntu|debian|red hat|rhel|centos|rocky|almalinux|suse|sles|fedora|oracle linux|amazon linux|windows|esxi|dgx os",
    re.IGNORECASE,
)
_NETWORK_SYSTEM = re.compile(r"cumulus|sonic|vyos|dent|picos|fboss|arista|junos|nx-os|ios|onie|opx", re.IGNORECASE)

FIELDS = DeclaredFields(
    "topology format",
    "lldp",
    "lldpd, lldpctl(8) -f json0 and src/client/display.c; IEEE 802.1AB, 802.1Q and 802.3",
    [
        Field("interface.name", MODELLED, "port of the device the file is of"),
        Field("interface.via", MODELLED, "where LLDP and another protocol hear a port, LLDP holds"),
        Field("interface.chassis", MODELLED, "the neighbour"),
        Field("interface.port", MODELLED, "the neighbour's port"),
        Field("interface.vlan", REPORTED, "virtual networks are left out: every cable carries all traffic"),
        Field("interface.ppvid", REPORTED, "virtual networks are left out: every cable carries all traffic"),
        Field("interface.unknown-tlvs", REPORTED, "elements of vendors, such as lossless classes, are left out"),
        *(
            Field(f"interface.{name}", HARMLESS, what)
            for name, what in {
                "rid": "number of the remote", "age": "time since it was first heard", "pi": "protocols of the port",
                "lldp-med": "inventory and policies of media devices", "ttl": "time to live",
            }.items()
        ),
        Field("chassis.name", MODELLED, "name of the neighbour"),
        Field("chassis.id", MODELLED, "its name where it gives none"),
        Field("chassis.descr", MODELLED, "a general operating system makes a bridging device a host"),
        Field("chassis.capability", MODELLED, "whether it forwards"),
        Field("chassis.mgmt-ip", HARMLESS, "address of management"),
        Field("chassis.mgmt-iface", HARMLESS, "interface of management"),
        Field("capability Bridge", MODELLED, "enabled: it forwards"),
        Field("capability Router", MODELLED, "enabled: it forwards"),
        *(
            Field(f"capability {kind}", HARMLESS, "does not say that it forwards")
            for kind in ("Other", "Repeater", "Wlan", "Tel", "Docsis", "Station")
        ),
        Field("port.id", MODELLED, "the neighbour's port, where it is a name"),
        Field("port.descr", MODELLED, "the neighbour's port, where its id is none"),
        Field("port.auto-negotiation", MODELLED, "speed of the cable"),
        Field("port.aggregation", REPORTED, "members of a link aggregation are taken for parallel cables"),
        Field("port.mfs", HARMLESS, "largest frame"),
        Field("port.ttl", HARMLESS, "time to live"),
        Field("port.power", HARMLESS, "power over the cable"),
        Field("auto-negotiation.current", MODELLED, "speed of the cable"),
        Field("auto-negotiation.supported", HARMLESS, "whether speeds are negotiated"),
        Field("auto-negotiation.enabled", HARMLESS, "whether speeds are negotiated"),
        Field("auto-negotiation.advertised", HARMLESS, "speeds that were offered"),
    ],
)  # fmt: skip


@dataclass(frozen=True)
class _Heard:
    """The neighbour on a port."""

    far: str
    far_port: str
    gbps: float
    file: Path
    by_lldp: bool


@dataclass
class _Neighbour:
    """What those who hear a device know of it."""

    forwards: bool | None = None  # None: it tells no capabilities
    general: bool = False
    heard: bool = False
    hears: set[str] = field(default_factory=set)


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
        self.name = folder.name
        self.problems: list[Problem] = []
        self.present: list[str] = []
        self.heard: dict[tuple[str, str], _Heard] = {}
        self.known: dict[str, _Neighbour] = {path.stem: _Neighbour() for path in self.files}
        self.own = set(self.known)
        self.aliases: dict[str, str] = {}
        for path in self.files:
            findings = Findings(path, limit=EVERY_PROBLEM)
            self._file(path, findings)
            self.problems += findings.found

    def _file(self, path: Path, findings: Findings) -> None:
        text = read_text(path)
        try:
            data = parse_json(text, str(path), code="FP6003", hint="write it with lldpctl -f json0")
            interfaces = list(_interfaces(replace(data, code="FP6250")))
        except FormatError as error:
            self.problems += error.problems
            return
        for port, interface in interfaces:
            line = _line_of(text, port)
            try:
                self._interface(path, port, interface, findings, line)
            except FormatError as error:
                self.problems += [replace(problem, line=line) for problem in error.problems]

    def _interface(self, path: Path, port: str, interface: JsonValue, findings: Findings, line: int | None) -> None:
        name, chassis = _chassis(interface)
        far_port = _far_port(interface)
        if not port or name is None or far_port is None:
            message = f"interface {shown(port or None)} does not name a neighbour with its port"
            findings.add(message, code="FP6004", line=line, hint="keep chassis name and port id in the output")
            return
        by_lldp = interface.get("via").text("LLDP").upper().startswith("LLDP")
        before = self.heard.get((path.stem, port))
        if before is not None and before.by_lldp == by_lldp:
            message = f"{path.stem} hears two neighbours on {port}"
            findings.add(message, code="FP6007", line=line, hint="a hub or a stale entry; keep one")
            return
        if before is not None and before.by_lldp:
            return
        far = self._device(name)
        self.present += _present(interface, chassis)
        self.heard[path.stem, port] = _Heard(far, far_port, _gbps(interface), path, by_lldp)
        self._learn(self.known.setdefault(far, _Neighbour()), chassis)
        self.known[path.stem].hears.add(far)

    def _device(self, name: str) -> str:
        """The device of a name: that of the file whose name is the first part of it, else itself."""
        short = name.split(".", 1)[0]
        if name in self.own or short not in self.own:
            return name
        self.aliases[name] = short
        return short

    def _learn(self, known: _Neighbour, chassis: JsonValue) -> None:
        known.heard = True
        capabilities = list(_many(chassis.get("capability")))
        if capabilities:
            able = any(
                _enabled(entry.get("enabled")) and entry.get("type").text("") in _FORWARDS for entry in capabilities
            )
            known.forwards = bool(known.forwards) or able
        descr = _text(chassis.get("descr")) or ""
        known.general |= bool(_GENERAL_SYSTEM.search(descr) and not _NETWORK_SYSTEM.search(descr))

    # ---- what devices are -----------------------------------------------------------------------------------------

    def devices(self, findings: Findings) -> tuple[dict[str, Device], bool]:
        """Every device, and whether the files say what they are."""
        kinds = {name: self._kind(name, known) for name, known in self.known.items()}
        guessed = {why: [name for name, (_, reason) in kinds.items() if reason == why] for why in _GUESSES}
        for why, names in guessed.items():
            if names:
                findings.note(f"{some(names)} {why} in {self.name}; hosts: [PATTERN, ...] beside path says otherwise")
        if self.aliases:
            full, short = next(iter(self.aliases.items()))
            findings.note(
                f"{len(self.aliases):,} devices are heard under a longer name than their file's, such as {full}: they "
                f"are taken for the same, {short}"
            )
        devices = {name: Device(name, host=host) for name, (host, _) in kinds.items()}
        return devices, any(host for host, _ in kinds.values())

    def _kind(self, name: str, known: _Neighbour) -> tuple[bool | None, str]:
        """Whether a device is a host, None where nothing says, and the guess that says so."""
        if known.forwards is False:
            return True, ""
        if known.forwards:
            return (True, _BRIDGING) if known.general else (False, "")
        by_name = word_kind(name)
        if known.general and by_name != SWITCH:
            return True, _BY_SYSTEM
        if by_name is not None:
            return by_name == HOST, (_BY_NAME if by_name == HOST else "")
        if known.heard and name not in self.own:
            return True, _SILENT
        neighbours = [self.known[other] for other in known.hears]
        if not known.heard and neighbours and all(other.forwards for other in neighbours):
            return True, _HEARS_SWITCHES
        return None, ""


_BRIDGING = "bridge or route, and are servers by their operating system: they are taken for hosts"
_BY_SYSTEM = "tell no capabilities, and are taken for hosts by their operating system"
_BY_NAME = "tell no capabilities, and are taken for hosts by their names"
_SILENT = "tell no capabilities and have no file, and are taken for hosts"
_HEARS_SWITCHES = "are heard by nobody and hear only devices that forward, and are taken for hosts"
_GUESSES = (_BRIDGING, _BY_SYSTEM, _BY_NAME, _SILENT, _HEARS_SWITCHES)


def _interfaces(data: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Interfaces by name, of either ``json0`` or the irregular ``json``."""
    if not isinstance(data.value, dict):
        raise data.wrong("a mapping {...} is expected", hint="write it with lldpctl -f json0")
    for part in _many(data.get("lldp")):
        for entry in _many(part.get("interface")):
            if "name" in entry.keys:
                yield entry.get("name").text(""), entry
            else:  # the plain form: {"eth0": {...}}
                yield from entry.items()


def _many(value: JsonValue) -> Iterator[JsonValue]:
    """The mappings of a list, or the one there is."""
    rows = value.each() if isinstance(value.value, list) else [] if value.absent else [value]
    for row in rows:
        if not isinstance(row.value, dict):
            raise row.wrong(f"a mapping {{...}} is expected, not {shown(row.value)}")
        yield row


def _text(value: JsonValue) -> str | None:
    """The text of ``[{"value": "spine1"}]`` or ``"spine1"``."""
    if isinstance(value.value, list):
        value = next(value.each(), value.get("") if isinstance(value.value, dict) else JsonValue(None, value.file))
    if isinstance(value.value, dict):
        value = value.get("value")
    return value.text("") or None


def _enabled(value: JsonValue) -> bool:
    """``true``, or the ``on`` and ``yes`` of older versions."""
    return value.value is True or (isinstance(value.value, str) and value.value.lower() in ("on", "yes", "true"))


def _chassis(interface: JsonValue) -> tuple[str | None, JsonValue]:
    """Name of the neighbour and what it says of itself."""
    chassis = next(_many(interface.get("chassis")), JsonValue({}, interface.file))
    name = _text(chassis.get("name"))
    if name is None and "id" not in chassis.keys and len(chassis.keys) == 1:  # the plain form: {"spine1": {...}}
        name, inner = next(chassis.items())
        if not isinstance(inner.value, dict):
            raise inner.wrong(f"a mapping {{...}} is expected, not {shown(inner.value)}")
        return name, inner
    return name or _text(chassis.get("id")), chassis


def _port(interface: JsonValue) -> JsonValue:
    return next(_many(interface.get("port")), JsonValue({}, interface.file))


def _far_port(interface: JsonValue) -> str | None:
    """The neighbour's port by its id where that is a name, else by its description, else by any id."""
    port = _port(interface)
    ids = list(_many(port.get("id")))
    named = [entry for entry in ids if entry.get("type").value in ("ifname", "local", None)]
    texts = [*(_text(entry) for entry in named[:1]), _text(port.get("descr")), *(_text(entry) for entry in ids[:1])]
    return next((text for text in texts if text), None)


def _gbps(interface: JsonValue) -> float:
    negotiated = next(_many(_port(interface).get("auto-negotiation")), JsonValue({}, interface.file))
    found = _SPEED.search(_text(negotiated.get("current")) or "")
    if found is None:
        return float("nan")
    return float(f"{found[1]}.{found[2] or 0}") * (1.0 if found[3] else 0.001)


def _present(interface: JsonValue, chassis: JsonValue) -> list[str]:
    """Fields that a neighbour comes with."""
    port = _port(interface)
    parts = {"interface": interface, "chassis": chassis, "port": port}
    names = [f"{part}.{key}" for part, value in parts.items() for key in value.keys if not value.get(key).absent]
    for negotiated in _many(port.get("auto-negotiation")):
        names += [f"auto-negotiation.{key}" for key in negotiated.keys]
    return names + [f"capability {entry.get('type').text('')}" for entry in _many(chassis.get("capability"))]


def _line_of(text: str, port: str) -> int | None:
    place = text.find(f'"{port}"')
    return None if place < 0 else text.count("\n", 0, place) + 1


def _cables(folder: _Folder, findings: Findings) -> list[PortCable]:
    """Every cable once; of two devices with files, both must hear it."""
    cables: dict[tuple[tuple[str, str], tuple[str, str]], PortCable] = {}
    for (device, port), heard in folder.heard.items():
        far, far_port = heard.far, heard.far_port
        back = folder.heard.get((far, far_port))
        if far in folder.own and (back is None or (back.far, back.far_port) != (device, port)):
            says = "hears nothing there" if back is None else f"hears {back.far} {back.far_port} there"
            folder.problems.append(
                Problem(
                    f"{device} {port} hears {far} {far_port}, but {far} {says}",
                    code="FP6007",
                    file=str(heard.file),
                    hint="a stale entry or a cable of one direction; clear LLDP and collect again",
                )
            )
            continue
        speeds = sorted({end.gbps for end in (heard, back) if end is not None and end.gbps == end.gbps})
        if len(speeds) > 1:
            findings.note(
                f"{device} {port} is {speeds[1]:g}G at one end and {speeds[0]:g}G at the other: the lower holds"
            )
        ends = (min((device, port), (far, far_port)), max((device, port), (far, far_port)))
        cables.setdefault(ends, PortCable(*ends, speeds[0] if speeds else float("nan")))
    return list(cables.values())


def _topology(folder: _Folder, path: Path) -> Imported:
    findings = Findings(path, limit=EVERY_PROBLEM)
    devices, told = folder.devices(findings)
    sound = sound_cables(_cables(folder, findings), devices, findings)
    folder.problems += findings.found
    if not sound and folder.problems:
        raise FormatError(folder.problems)
    findings.note(*FIELDS.notes(folder.present))
    built = topology_of_devices(path.name, list(devices.values()), sound)
    return Imported(built, tuple(folder.problems), findings.notes, NodeFacts(told=told or None))


def read_sound(path: Path) -> Imported:
    """Read what is sound of the files of a folder."""
    return _topology(_Folder(path), path)


def read(path: Path) -> Topology | Imported:
    """Read a folder of LLDP neighbours."""
    imported = read_sound(path)
    if imported.problems:
        raise FormatError(imported.problems)
    return imported


SUMMARY = "Folder of lldpctl -f json0 files, one per device; read only"
FORMAT = TopologyFormat("lldp", (), read, None, read_sound)
