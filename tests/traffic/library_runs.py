"""What NCCL logged of its own model, and small messages that people measured: sources and figures.

All are issues of github.com/NVIDIA; numbers as printed there. Times in µs.
"""

from __future__ import annotations

from dataclasses import dataclass

from traffic.library.machine import Machine

# nccl #1453: NCCL_DEBUG_SUBSYS=TUNING on 3 hosts of 8 H100 and 4 NDR NICs: size, algorithm, protocol, time.
LOGGED_ON = Machine("hopper", 3, 8, 4, 50.0, 450.0)
LOGGED = [
    (4, "tree", "ll", 25.200462),
    (128, "tree", "ll", 25.214764),
    (1024, "tree", "ll", 25.331232),
    (65536, "tree", "ll", 37.798233),
    (131072, "tree", "ll128", 51.603912),
    (536870912, "ring", "simple", 5679.147949),
    (1073741824, "ring", "simple", 11038.536133),
]
# That version took 2 m of a ring's steps as steps between m hosts; since 2.26 it is 2 (m - 1).
FORMER_STEPS_US = 2 * (14.0 - 3.4) * 1.4


@dataclass(frozen=True)
class Measured:
    """One line of nccl-tests, and how far our figure is off it."""

    source: str
    machine: Machine
    algorithm: str
    size_bytes: float
    time_us: float
    off: float  # predicted over measured, less 1, as it came out


MEASURED = [
    Measured("nccl #652: 32 hosts, 8 A100, 4 HDR", Machine("ampere", 32, 8, 4, 25.0, 300.0), "auto", 64, 63.54, 0.03),
    Measured("nccl-tests #150: 2 hosts, 1 A100", Machine("ampere", 2, 1, 1, 25.0, 300.0), "auto", 64, 19.36, -0.14),
    Measured(
        "nccl #812: 2 DGX A100, ring", Machine("ampere", 2, 8, 8, 25.0, 300.0, cpu="amd"), "ring", 64, 93.05, -0.27
    ),
    Measured(
        "nccl #1244: 2 hosts, 8 H20, NVLS tree",
        Machine("hopper", 2, 8, 8, 50.0, 450.0, True),
        "nvls-tree",
        64,
        46.30,
        0.44,
    ),
    Measured(
        "nccl #1368: 5 hosts, 8 H100, 4 RoCE, ring, 1 MiB",
        Machine("hopper", 5, 8, 4, 50.0, 450.0),
        "ring",
        2**20,
        354.9,
        -0.46,
    ),
    Measured("nccl-tests #123: DGX A100, ring", Machine("ampere", 1, 8, 8, 25.0, 300.0), "ring", 64, 33.7, -0.55),
]
