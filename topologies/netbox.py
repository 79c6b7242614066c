"""NetBox device types as rows of the catalogue: ports and speeds from the types of their interfaces.

References
----------
NetBox documentation, "Device types" and "Interfaces: type"; github.com/netbox-community/devicetype-library.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from topologies.catalogue import SwitchModel
from topologies.errors import TopologyError
from topologies.reading.fields import HARMLESS, MODELLED, REPORTED, DeclaredFields, Field
from topologies.reading.json_value import JsonValue

FIELDS = DeclaredFields(
    "device type",
    "netbox",
    'NetBox documentation, "Device types"; netbox-community/devicetype-library, schema/devicetype.json',
    [
        Field("manufacturer", MODELLED, "product, with the model"),
        Field("model", MODELLED, "product"),
        Field("slug", MODELLED, "name of the model in scenarios"),
        Field("interfaces", MODELLED, "ports of the speed that most interfaces have"),
        Field("interfaces.type", MODELLED, "speed of a port"),
        Field("interfaces.mgmt_only", MODELLED, "an interface of the management is no port"),
        Field("interfaces.enabled", REPORTED, "ports that are off by default count"),
        Field("power-ports", MODELLED, "one supply is spare where there are several"),
        Field("power-ports.maximum_draw", MODELLED, "largest power, W"),
        Field("module-bays", REPORTED, "ports on modules do not count: add them to ports of a row of your own"),
        Field("device-bays", REPORTED, "devices in bays do not count"),
        *(
            Field(name, HARMLESS, what)
            for name, what in {
                "part_number": "number of the product", "u_height": "height", "is_full_depth": "depth",
                "airflow": "direction of air", "weight": "weight", "weight_unit": "unit of weight",
                "front_image": "picture", "rear_image": "picture", "description": "text", "comments": "text",
                "subdevice_role": "parent or child of a bay", "is_powered": "whether it draws power",
                "console-ports": "consoles", "console-server-ports": "consoles", "power-outlets": "outlets",
                "front-ports": "of a patch panel", "rear-ports": "of a patch panel", "inventory-items": "parts",
                "interfaces.name": "name", "interfaces.label": "label", "interfaces.description": "text",
                "interfaces.poe_mode": "power over the cable", "interfaces.poe_type": "power over the cable",
                "interfaces.bridge": "name of a bridge", "interfaces.rf_role": "radio",
                "power-ports.name": "name", "power-ports.label": "label", "power-ports.type": "plug",
                "power-ports.allocated_draw": "power set aside", "power-ports.description": "text",
                "tags": "labels", "default_platform": "operating system",
            }.items()
        ),
    ],
)  # fmt: skip

_ETHERNET = re.compile(r"^(\d+(?:\.\d+)?)([mgt]?)base-", re.IGNORECASE)
_INFINIBAND = {
    "infiniband-sdr": 10.0, "infiniband-ddr": 20.0, "infiniband-qdr": 40.0, "infiniband-fdr10": 40.0,
    "infiniband-fdr": 56.0, "infiniband-edr": 100.0, "infiniband-hdr": 200.0, "infiniband-ndr": 400.0,
    "infiniband-xdr": 800.0,
}  # fmt: skip
_SCALE = {"": 1e-3, "m": 1e-3, "g": 1.0, "t": 1e3}


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


def device_type_notes(data: Mapping[str, Any], file: str) -> tuple[str, ...]:
    """What is to be said of a device type: the fields that its row leaves out."""
    device = JsonValue(data, file)
    present = [key for key in device.keys if not device.get(key).absent]
    for part in ("interfaces", "power-ports"):
        present += [
            f"{part}.{key}" for row in device.get(part).each() for key, value in row.items() if _says(key, value)
        ]
    return tuple(f"{device.get('slug').text()}: {text}" for text in FIELDS.notes(present))


def _says(key: str, value: JsonValue) -> bool:
    """Whether a field of a part says something: ``enabled`` does where it is not true."""
    return not value.absent and (key != "enabled" or value.value is not True)


def switch_row(data: Mapping[str, Any], file: str = "the device type") -> SwitchModel:
    """A switch of the catalogue from a device type: as many ports as it has of its fastest common speed.

    Management interfaces and ports of other speeds are left out; the source says which. Power is what the power ports
    draw together, one supply being spare where there are several.

    Raises
    ------
    FormatError
        When something else stands where a list, a text or a number is expected (FP6250); the message has its path.
    TopologyError
        When no interface has a speed (FP2110).
    """
    device = JsonValue(data, file)
    speeds = Counter(
        gbps
        for entry in device.get("interfaces").each()
        if not entry.get("mgmt_only").flag() and (gbps := interface_gbps(entry.get("type").text(""))) is not None
    )
    name = f"{device.get('manufacturer').text()} {device.get('model').text()}"
    if not speeds:
        raise TopologyError(
            f"{name} has no interface of a known speed",
            hint="interfaces need a type such as 400gbase-x-qsfpdd or infiniband-ndr",
            code="FP2110",
        )
    # The ports of the fabric are the most of them; among equals the fastest.
    speed, ports = max(speeds.items(), key=lambda item: (item[1], item[0]))
    others = ", ".join(f"{count} x {gbps:g}G" for gbps, count in sorted(speeds.items()) if gbps != speed)
    draws = [entry.get("maximum_draw") for entry in device.get("power-ports").each()]
    watts = [draw.number(least=0) for draw in draws if not draw.absent]
    slug = device.get("slug").text()
    return SwitchModel.model_validate(
        {
            "model": slug,
            "product": name,
            "ports": ports,
            "speed": f"{speed:g}G",
            "max_w": sum(watts) * max(len(watts) - 1, 1) / len(watts) if watts else None,
            "source": f"NetBox device type {slug}" + (f"; not counted: {others}" if others else ""),
        }
    )
