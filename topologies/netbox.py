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


def switch_row(data: Mapping[str, Any]) -> SwitchModel:
    """A switch of the catalogue from a device type: as many ports as it has of its fastest common speed.

    Management interfaces and ports of other speeds are left out; the source says which. Power is what the power ports
    draw together, one supply being spare where there are several.

    Raises
    ------
    TopologyError
        When no interface has a speed (FP2110).
    """
    interfaces = [entry for entry in data.get("interfaces") or () if isinstance(entry, Mapping)]
    speeds = Counter(
        gbps
        for entry in interfaces
        if not entry.get("mgmt_only") and (gbps := interface_gbps(str(entry.get("type", "")))) is not None
    )
    name = f"{data['manufacturer']} {data['model']}"
    if not speeds:
        raise TopologyError(
            f"{name} has no interface of a known speed",
            hint="interfaces need a type such as 400gbase-x-qsfpdd or infiniband-ndr",
            code="FP2110",
        )
    # The ports of the fabric are the most of them; among equals the fastest.
    speed, ports = max(speeds.items(), key=lambda item: (item[1], item[0]))
    others = ", ".join(f"{count} x {gbps:g}G" for gbps, count in sorted(speeds.items()) if gbps != speed)
    draws = [entry.get("maximum_draw") for entry in data.get("power-ports") or () if isinstance(entry, Mapping)]
    watts = [float(draw) for draw in draws if isinstance(draw, (int, float))]
    return SwitchModel.model_validate(
        {
            "model": str(data["slug"]),
            "product": name,
            "ports": ports,
            "speed": f"{speed:g}G",
            "max_w": sum(watts) * max(len(watts) - 1, 1) / len(watts) if watts else None,
            "source": f"NetBox device type {data['slug']}" + (f"; not counted: {others}" if others else ""),
        }
    )
