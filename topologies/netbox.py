"""NetBox device types as rows of the catalogue: ports and speeds from the types of their interfaces.

References
----------
NetBox documentation, "Device types" and "Interfaces: type"; github.com/netbox-community/devicetype-library, ``schema``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from topologies.catalogue import SwitchModel
from topologies.errors import TopologyError
from topologies.reading.fields import HARMLESS, MODELLED, REFUSED, REPORTED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue

_ETHERNET = re.compile(r"^(\d{1,5}(?:\.\d{1,3})?)([mgt]?)base-", re.IGNORECASE)
_INFINIBAND = {
    "infiniband-sdr": 10.0, "infiniband-ddr": 20.0, "infiniband-qdr": 40.0, "infiniband-fdr10": 40.0,
    "infiniband-fdr": 56.0, "infiniband-edr": 100.0, "infiniband-hdr": 200.0, "infiniband-ndr": 400.0,
    "infiniband-xdr": 800.0,
}  # fmt: skip
_SCALE = {"": 1e-3, "m": 1e-3, "g": 1.0, "t": 1e3}
_NO_PORTS = re.compile(r"(?i)\b(psu|power|pem|fan|ssd|storage|tray)")  # bays whose modules have no ports

_COMPONENTS = ("console-ports", "console-server-ports", "power-outlets", "inventory-items")
_TEXTS = ("name", "label", "description")

FIELDS = DeclaredFields(
    "device type",
    "netbox",
    "github.com/netbox-community/devicetype-library, schema/devicetype.json and components.json",
    (
        Field("manufacturer", MODELLED, "first word of the product"),
        Field("model", MODELLED, "rest of the product's name"),
        Field("slug", MODELLED, "name of the model in scenarios"),
        Field("is_powered", MODELLED, "false: it draws no power"),
        Field("interfaces", MODELLED, "ports: the most of one speed, of equals the fastest; others are said"),
        Field("interfaces.type", MODELLED, "speed of a port"),
        *(Field(f"interfaces.type {name}", HARMLESS, "not a port") for name in ("virtual", "bridge", "lag")),
        Field("interfaces.type *", REPORTED, "no speed of Ethernet or InfiniBand; such ports are not counted"),
        Field("interfaces.mgmt_only", MODELLED, "true: not a port of the fabric"),
        Field("interfaces.enabled", REPORTED, "ports that are off as delivered are counted"),
        Field("interfaces.lag", REPORTED, "ports of an aggregate are counted one by one"),
        Field("interfaces.bridge", HARMLESS, "configuration"),
        Field("interfaces.poe_mode", REPORTED, "power that ports feed to others is not in its power"),
        Field("interfaces.poe_type", HARMLESS, "see poe_mode"),
        Field("interfaces.rf_role", HARMLESS, "radio"),
        *(Field(f"interfaces.{name}", HARMLESS, "text") for name in _TEXTS),
        Field("power-ports", MODELLED, "supplies: where there are several, one is spare; said"),
        Field("power-ports.maximum_draw", MODELLED, "largest power of a supply, W"),
        Field("power-ports.allocated_draw", REPORTED, "not taken for power, which is of maximum_draw"),
        *(Field(f"power-ports.{name}", HARMLESS, "text") for name in (*_TEXTS, "type")),
        Field("module-bays", REPORTED, "ports of modules in them are not counted; without others it is refused"),
        *(Field(f"module-bays.{name}", HARMLESS, "text") for name in (*_TEXTS, "position")),
        Field("device-bays", REPORTED, "ports of devices in them are not counted; without others it is refused"),
        Field("front-ports", REPORTED, "ports that pass through are not counted"),
        Field("rear-ports", REPORTED, "ports that pass through are not counted"),
        Field("subdevice_role", REPORTED, "parent holds devices, child is part of one; it is counted by itself"),
        Field("module-types", REFUSED, "modules are not read; write a row with the ports of those that are in it"),
        *(Field(name, HARMLESS, "has no ports of the fabric") for name in _COMPONENTS),
        *(Field(name, HARMLESS, "size and looks; racks are not planned") for name in
          ("u_height", "is_full_depth", "airflow", "weight", "weight_unit", "front_image", "rear_image")),
        *(Field(name, HARMLESS, "text") for name in ("part_number", "description", "comments")),
    ),
)  # fmt: skip
_LISTED = ("interfaces", "power-ports", "module-bays")  # whose entries have fields of their own


def is_device_type(data: object) -> bool:
    """Whether a document is a NetBox device type."""
    return isinstance(data, Mapping) and {"manufacturer", "model", "slug"} <= set(data)


def interface_gbps(kind: str) -> float | None:
    """Speed of an interface type of NetBox, Gbps; None for those without one, such as ``virtual``.

    >>> interface_gbps("400gbase-x-qsfpdd"), interface_gbps("infiniband-ndr"), interface_gbps("lag")
    (400.0, 400.0, None)
    """
    found = _ETHERNET.match(kind)
    if found:
        return float(found[1]) * _SCALE[found[2].lower()]
    return _INFINIBAND.get(kind.lower())


def switch_row(data: Mapping[str, Any], file: str = "") -> tuple[SwitchModel, tuple[str, ...]]:
    """A switch of the catalogue from a device type, and what is to be said of it.

    It has as many ports as it has of its most common speed; of equals the fastest. Power is what the power ports draw
    together, one supply being spare where there are several.

    Raises
    ------
    FormatError
        When a field has the wrong shape (FP6250), or is refused (FP6251).
    TopologyError
        When no interface has a speed (FP2110).
    """
    device = JsonValue(data, file)
    notes = list(FIELDS.check(_present(device), file))
    speeds: Counter[float] = Counter()
    for entry in _entries(device, "interfaces"):
        gbps = interface_gbps(entry.get("type").text(""))
        if gbps and not entry.get("mgmt_only").flag():
            speeds[gbps] += 1
    slug = device.need("slug").text().strip()
    if not slug:
        raise device.get("slug").wrong("a name is expected")
    name = f"{device.need('manufacturer').text()} {device.need('model').text()}"
    bays = [key for key in ("module-bays", "device-bays") if any(True for _ in device.get(key).each())]
    if not speeds:
        hint = "interfaces need a type such as 400gbase-x-qsfpdd or infiniband-ndr"
        if bays:
            hint = f"its ports are in {bays[0]}: write a row of switches: with the ports of those that are in it"
        raise TopologyError(f"{name} has no interface of a known speed", hint=hint, code="FP2110")
    # The ports of the fabric are the most of them; among equals the fastest.
    speed, ports = max(speeds.items(), key=lambda item: (item[1], item[0]))
    others = ", ".join(f"{count} x {gbps:g}G" for gbps, count in sorted(speeds.items()) if gbps != speed)
    if others:
        notes.append(f"interfaces: {ports} x {speed:g}G are its ports; not counted: {others}")
    watts, said = _power_w(device)
    row = SwitchModel.model_validate(
        {
            "model": slug,
            "product": name,
            "ports": ports,
            "speed": f"{speed:g}G",
            "max_w": watts,
            "source": f"NetBox device type {slug}" + (f"; not counted: {others}" if others else ""),
        }
    )
    return row, tuple(f"{slug}: {note}" for note in (*notes, *said))


def _entries(device: JsonValue, key: str) -> Iterator[JsonValue]:
    """Entries of a list of components, each a mapping."""
    for entry in device.get(key).each():
        if entry.absent:
            raise entry.wrong("a mapping {...} is expected, not null")
        yield entry


def _present(device: JsonValue) -> list[str]:
    """Names of the fields that say something."""
    names = []
    for key, value in device.items():
        if value.absent or (key == "is_powered" and value.flag(True)):
            continue
        if key in ("device-bays", "front-ports", "rear-ports") and not any(True for _ in _entries(device, key)):
            continue
        if key == "module-bays" and all(
            _NO_PORTS.search(entry.get("name").text("")) for entry in _entries(device, key)
        ):
            continue
        names.append(key)
    for key in _LISTED:
        for entry in _entries(device, key):
            for name, value in entry.items():
                if (
                    value.absent
                    or (name == "enabled" and value.flag(True))
                    or (name == "mgmt_only" and not value.flag())
                ):
                    continue
                names.append(f"{key}.{name}")
                if key == "interfaces" and name == "type" and interface_gbps(value.text()) is None:
                    names.append(f"interfaces.type {value.text()}")
    return names


def _power_w(device: JsonValue) -> tuple[float | None, tuple[str, ...]]:
    """Largest power, W, None where the file has none; and what is to be said of it."""
    if not device.get("is_powered").flag(True):
        return 0.0, ()
    draws = [entry.get("maximum_draw") for entry in _entries(device, "power-ports")]
    watts = [draw.number(least=0.0) for draw in draws if not draw.absent]
    if not watts:
        return None, ()
    if len(watts) == 1:
        return watts[0], ()
    total = sum(watts) * (len(watts) - 1) / len(watts)
    said = f"power-ports: {total:g} W, as one of {len(watts)} supplies is spare"
    if len(watts) < len(draws):
        said += f"; {len(draws) - len(watts)} more have no maximum_draw"
    return total, (said,)
