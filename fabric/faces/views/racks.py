"""What stands in every rack of the floor plan, and what is left of its units and power."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fabric.output.columns import counts, named
from fabric.output.table import Table
from fabric.site.site_plan import Placed, SitePlan, device_key


def rack_table(plan: SitePlan) -> Table:
    """Racks with something in them, in the order of the floor."""
    racks = [(plan.floor.racks[number], devices) for number, devices in plan.by_rack.items()]
    used = [sum(device.units for device in devices) for _, devices in racks]
    power = [sum(device.power_w or 0.0 for device in devices) for _, devices in racks]
    left = [
        rack.power_w - taken if np.isfinite(rack.power_w) else None
        for (rack, _), taken in zip(racks, power, strict=True)
    ]
    units = [rack.units - taken for (rack, _), taken in zip(racks, used, strict=True)]
    columns = (
        named("rack", "rack", [rack.name for rack, _ in racks], width=8),
        counts("row", "row", [rack.row for rack, _ in racks], width=4, priority=2),
        counts("place", "place", [rack.place for rack, _ in racks], width=5, priority=2),
        counts("hosts", "hosts", [sum(not device.is_switch for device in devices) for _, devices in racks]),
        counts("switches", "switches", [sum(device.is_switch for device in devices) for _, devices in racks], width=8),
        counts("units_used", "units used", used, width=10),
        counts("units_left", "units left", units, width=10),
        counts("power_w", "W, largest", power, width=10, unit="W"),
        counts("power_left_w", "W left", left, width=9, unit="W"),
        named("devices", "devices, from the lowest unit", [_listed(devices) for _, devices in racks], flexible=True),
    )
    return Table.of(columns, len(racks), title="racks")


def _listed(devices: Sequence[Placed]) -> str:
    """Devices with their units: ``n000 1-8, su0-r0-leaf 47-48``."""
    return ", ".join(f"{device.device} {unit_text(device)}" for device in devices)


def unit_text(device: Placed) -> str:
    """The rack units that a device takes."""
    return f"{device.unit}" if device.units == 1 else f"{device.unit}-{device.unit + device.units - 1}"


def device_records(plan: SitePlan) -> list[dict[str, Any]]:
    """Every device with its place, as JSON has it."""
    return [
        {
            "device": device.device,
            "key": device_key(device.device, device.fabric),
            "kind": "switch" if device.is_switch else "host",
            "fabric": device.fabric,
            "model": device.model,
            "rack": plan.floor.racks[device.rack].name,
            "unit": device.unit,
            "units": device.units,
            "max_power_w": device.power_w,
        }
        for device in plan.placed
    ]
