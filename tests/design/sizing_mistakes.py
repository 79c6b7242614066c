"""Mistakes of sizing pages, slides and blogs: what they claim, and what has to be said of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Mistake:
    """One page: where such things stand, what it claims, and what is wrong with it."""

    name: str
    source: str
    claims: dict[str, Any]
    kind: str
    text: str
    severity: str = "contradiction"
    changed: str | None = None  # part of what the nearest fabric changes; None: not looked at


MISTAKES = (
    Mistake(
        "512 uplinks on 256 spine ports", "a vendor's sizing page of 2025: leaves and uplinks sized, spines copied",
        {"gpus": 512, "leaves": 64, "uplinks": 8, "spines": 4, "radix": 64},
        "ports", "512 uplinks need 512 spine ports, and there are 256", changed="spines 8 instead of 4",
    ),
    Mistake(
        "200 cables on 144 ports", "a bill of materials for a small pod",
        {"cables": 200, "ports": 144}, "ports", "200 cables need 200 switch ports",
    ),
    Mistake(
        "1:2 for 2:1, and half of the spine ports", "a course on AI fabrics, page on cluster sizing: 1,024 GPUs on 32 "
        "leaves of 32 down and 16 up, 8 spines of 32 ports",
        {"gpus": 1024, "hosts": 128, "leaves": 32, "spines": 8, "host_ports": 32, "uplinks": 16, "spine_down": 32,
         "oversubscription": "1:2", "speed": "400G"},
        "oversubscription", "oversubscription is 2:1, not 1:2",
    ),
    Mistake(
        "the spine ports of that page", "the same page: 4 uplinks from each of 8 leaves are 32 ports of a spine",
        {"leaves": 32, "spines": 8, "uplinks": 16, "spine_down": 32},
        "cables", "32 leaves x 16 uplinks a leaf = 512 leaf-spine cables; 8 spines x 32", changed=None,
    ),
    Mistake(
        "no ports left for super-spines", "the same course, 4,096 GPUs: 128 leaves, 32 spines, 16 super-spines",
        {"gpus": 4096, "hosts": 512, "leaves": 128, "spines": 32, "cores": 16, "radix": 64, "host_ports": 32,
         "uplinks": 16},
        "ports", "2,048 uplinks need 2,048 spine ports, and there are 2,016",
    ),
    Mistake(
        "two-tier arithmetic beyond two tiers", "a public spreadsheet of H100 clusters, 2024: N/32 + N/64 switches "
        "continued to 4,096 GPUs",
        {"gpus": 4096, "hosts": 512, "switches": 192, "radix": 64, "oversubscription": "1:1"},
        "ports", "4,096 uplinks need 4,096 spine ports", changed="switches 320 instead of 192",
    ),
    Mistake(
        "bisection of both directions", "press releases of clusters: bisection as the bandwidth of all NICs",
        {"gpus": 512, "leaves": 16, "uplinks": 32, "spines": 8, "radix": 64, "speed": "400G",
         "bisection": "204.8 Tb/s"},
        "bisection", "bisection is 102.4 Tb/s, not 204.8 Tb/s", changed="bisection 102.4 Tb/s instead of 204.8 Tb/s",
    ),
    Mistake(
        "four times the bisection", "slides that count both directions of every cable",
        {"gpus": 512, "leaves": 16, "uplinks": 32, "spines": 8, "radix": 64, "speed": "400G",
         "bisection": "409.6 Tb/s"},
        "bisection", "bisection is 102.4 Tb/s, not 409.6 Tb/s",
    ),
    Mistake(
        "switch capacity of both directions", "data sheets that give 102.4 Tb/s for 64 ports of 800G",
        {"model": "eth-64x800", "switch_capacity": "102.4 Tb/s"},
        "bandwidth", "switch capacity is 51.2 Tb/s, not 102.4 Tb/s",
    ),
    Mistake(
        "two tiers beyond their reach", "blogs that promise 8,192 GPUs on two tiers of 64 ports",
        {"gpus": 8192, "tiers": 2, "radix": 64, "oversubscription": "non-blocking"},
        "reach", "8,192 NIC ports on two tiers", changed="radix 128 instead of 64",
    ),
    Mistake(
        "an odd radix", "homework solutions with k = 47",
        {"kind": "fat-tree", "radix": 47, "hosts": 20000, "nics_per_host": 1},
        "fat-tree", "47 is odd", changed="radix",
    ),
    Mistake(
        "more hosts than k^3/4", "a page that gives a fat-tree of 48-port switches 28,000 hosts",
        {"kind": "fat-tree", "radix": 48, "hosts": 28000, "nics_per_host": 1, "tiers": 3},
        "ports", "28,000",
    ),
    Mistake(
        "switches of a fat-tree", "pages that give 2,304 switches for k = 48, cores forgotten",
        {"kind": "fat-tree", "radix": 48, "switches": 2304},
        "switches", "2,304 switches", changed=None,
    ),
    Mistake(
        "leaves that are no multiple of rails", "a rail-optimised pod of 30 leaves",
        {"kind": "rail-optimised", "rails": 8, "leaves": 30, "gpus": 1024, "hosts": 128},
        "rails", "30 leaves / 8 rails = 3.75", changed="leaves 32 instead of 30",
    ),
    Mistake(
        "eight rails and four NICs", "a rail-optimised slide of servers with four NICs",
        {"kind": "rail-optimised", "rails": 8, "nics_per_host": 4, "hosts": 32},
        "rails", "4 NICs a host",
    ),
    Mistake(
        "uneven uplinks", "a rack design of 30 uplinks to 4 spines",
        {"uplinks": 30, "spines": 4, "leaves": 8, "radix": 64},
        "spread", "30 uplinks over 4 spines are uneven", "warning",
    ),
    Mistake(
        "fewer uplinks than spines", "8 uplinks a leaf and 16 spines, every leaf to every spine",
        {"leaves": 16, "uplinks": 8, "spines": 16, "radix": 64},
        "spread", "reaches 8 of 16 spines", "warning",
    ),
    Mistake(
        "leaf ports beyond the radix", "48 hosts and 32 uplinks on a switch of 64 ports",
        {"leaves": 8, "host_ports": 48, "uplinks": 32, "radix": 64},
        "ports", "ports a leaf",
    ),
    Mistake(
        "3:1 that is 2:1", "a data sheet's example: 48 x 25G down, 6 x 100G up",
        {"host_ports": 48, "uplinks": 6, "nic_speed": "25G", "uplink_speed": "100G", "oversubscription": "3:1"},
        "oversubscription", "oversubscription is 2:1, not 3:1", "warning",
    ),
    Mistake(
        "non-blocking that is 3:1", "a brochure's non-blocking top of rack: 48 x 25G down, 4 x 100G up",
        {"host_ports": 48, "uplinks": 4, "nic_speed": "25G", "uplink_speed": "100G",
         "oversubscription": "non-blocking"},
        "oversubscription", "oversubscription is 3:1, not 1:1",
    ),
    Mistake(
        "GPUs that are no whole number a host", "512 GPUs in 60 servers",
        {"gpus": 512, "hosts": 60}, "hosts", "512 GPUs / 60 hosts = 8.533",
    ),
    Mistake(
        "cables counted at both ends", "a cable list of 2,048 for 512 NICs and 512 uplinks",
        {"gpus": 512, "leaves": 16, "uplinks": 32, "spines": 8, "radix": 64, "cables": 2048},
        "cables", "2,048 cables is none of",
    ),
    Mistake(
        "more optics than ends", "a bill with three optics a cable",
        {"cables": 512, "optics": 1536}, "optics", "1,536 optics on 1,024 ends of cables",
    ),
    Mistake(
        "a total below its parts", "a budget of US$ 500,000 for 24 switches of US$ 45,000",
        {"switches": 24, "switch_price": 45000, "cost": 500000},
        "cost", "cost 500,000 US$ is below its parts, 1,080,000",
    ),
    Mistake(
        "800G on 400G ports", "leaves of 400G ports with 800G uplinks",
        {"leaf_model": "eth-64x400", "uplink_speed": "800G", "leaves": 8},
        "speed", "links of 800 Gb/s on 400 Gb/s ports of a leaf",
    ),
    Mistake(
        "nodes of four SUs in three", "a SuperPOD of 127 nodes in pods of 32, three of them",
        {"hosts": 127, "hosts_per_pod": 32, "pods": 3}, "pods", "127 hosts need 127 places, and there are 96",
    ),
)  # fmt: skip
