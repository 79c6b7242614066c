"""Counts of a fabric in words, one text per count."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from topologies.units import format_gbps, to_one

RATES = {"oversubscription", "spine_oversubscription", "bisection", "host_bandwidth", "switch_capacity"}
_RATIOS = {"oversubscription", "spine_oversubscription"}

NAMES: dict[str, tuple[str, str]] = {
    "gpus": ("GPU", "GPUs"),
    "hosts": ("host", "hosts"),
    "gpus_per_host": ("GPU a host", "GPUs a host"),
    "nics": ("NIC", "NICs"),
    "nics_per_host": ("NIC a host", "NICs a host"),
    "nic_ports": ("port a NIC", "ports a NIC"),
    "tiers": ("tier", "tiers"),
    "planes": ("plane", "planes"),
    "pods": ("pod", "pods"),
    "rails": ("rail", "rails"),
    "leaves": ("leaf", "leaves"),
    "spines": ("spine", "spines"),
    "cores": ("core", "cores"),
    "switches": ("switch", "switches"),
    "leaves_per_pod": ("leaf a pod", "leaves a pod"),
    "spines_per_pod": ("spine a pod", "spines a pod"),
    "hosts_per_pod": ("host a pod", "hosts a pod"),
    "gpus_per_pod": ("GPU a pod", "GPUs a pod"),
    "racks": ("rack", "racks"),
    "hosts_per_rack": ("host a rack", "hosts a rack"),
    "host_ports": ("host link a leaf", "host links a leaf"),
    "uplinks": ("uplink a leaf", "uplinks a leaf"),
    "spine_down": ("link down a spine", "links down a spine"),
    "spine_uplinks": ("uplink a spine", "uplinks a spine"),
    "core_down": ("link down a core", "links down a core"),
    "leaf_radix": ("port a leaf", "ports a leaf"),
    "spine_radix": ("port a spine", "ports a spine"),
    "core_radix": ("port a core", "ports a core"),
    "leaf_ports": ("leaf port", "leaf ports"),
    "spine_ports": ("spine port", "spine ports"),
    "core_ports": ("core port", "core ports"),
    "ports": ("switch port", "switch ports"),
    "host_cables": ("host cable", "host cables"),
    "leaf_spine_cables": ("leaf-spine cable", "leaf-spine cables"),
    "spine_core_cables": ("spine-core cable", "spine-core cables"),
    "fabric_cables": ("cable between switches", "cables between switches"),
    "cables": ("cable", "cables"),
}
_RATE_NAMES = {
    "oversubscription": "of leaves",
    "spine_oversubscription": "of spines",
    "bisection": "of bisection",
    "host_bandwidth": "of all NICs",
    "switch_capacity": "a switch",
}


def shown(name: str, value: Fraction) -> str:
    """A count with its name.

    >>> shown("leaves", Fraction(64)), shown("oversubscription", Fraction(3)), shown("bisection", Fraction(25600))
    ('64 leaves', '3:1 of leaves', '25.6 Tb/s of bisection')
    """
    if name in _RATIOS:
        return f"{to_one(float(value))} {_RATE_NAMES[name]}"
    if name in RATES:
        return f"{format_gbps(float(value))} {_RATE_NAMES[name]}"
    number = f"{value.numerator:,}" if value.denominator == 1 else f"{float(value):,.6g}"
    return f"{number} {NAMES[name][value != 1]}"


def times_text(factors: Sequence[tuple[str, Fraction]], scale: str) -> str:
    """Factors as they are multiplied; empty where there is nothing to multiply."""
    texts = [shown(name, value) for name, value in factors]
    if len(texts) < 2 and not scale:
        return "".join(texts)
    return " x ".join([*texts, *([scale] if scale else [])])
