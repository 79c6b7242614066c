"""``lldp``: ``lldpctl -f json`` or ``-f json0``, one file per device; in one file, a mapping of devices to them."""

from __future__ import annotations

from fabric.operate.observed.format import NeighbourFormat
from fabric.operate.observed.json_shapes import JsonText, each_device
from fabric.operate.observed.lldpctl import is_lldpctl, read_lldpctl
from fabric.operate.observed.neighbours import Neighbours

SUMMARY = "lldpctl -f json or -f json0, a file per device or one with all of them"
ORDER = 10

_HINT = "write it with lldpctl -f json0 > NAME.json on every device"


def read_lldp(text: str, device: str, file: str, into: Neighbours) -> None:
    """Add what devices hear."""
    json = JsonText(text, file, _HINT)
    for name, answer in each_device(json, device, is_lldpctl):
        into.listen(name)
        read_lldpctl(json, name, answer, into)


FORMAT = NeighbourFormat((".json", ".json0"), read_lldp, "lldpctl -f json0")
