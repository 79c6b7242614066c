"""Published constants of NCCL's tuning model: latencies in µs, bandwidths in GB/s.

References
----------
NCCL 2.30 (NVIDIA/nccl, commit 5067397): ``src/graph/tuning.cc`` for latencies, limits and corrections,
``src/graph/search.cc`` for the speeds of channels, ``src/graph/topo.h`` for those of NVLink, ``src/include/comm.h`` and
``device.h`` for thresholds and threads. RCCL is a fork of it and is taken to be alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Generation = Literal["volta", "ampere", "hopper", "blackwell"]
Algorithm = Literal["ring", "tree", "nvls", "nvls-tree", "collnet-direct", "collnet-chain", "pat"]
Protocol = Literal["simple", "ll", "ll128"]

ALGORITHMS: tuple[Algorithm, ...] = ("tree", "ring", "collnet-direct", "collnet-chain", "nvls", "nvls-tree", "pat")
PROTOCOLS: tuple[Protocol, ...] = ("ll", "ll128", "simple")

# Bytes on the wire for each of payload: half of every 8 bytes, or 8 of every 128, are flags.
WIRE: Mapping[Protocol, float] = {"simple": 1.0, "ll": 2.0, "ll128": 128 / 120}

# By algorithm: what a call takes before anything moves.
BASE_US: Mapping[Algorithm, Mapping[Protocol, float]] = {
    "tree": {"ll": 6.8, "ll128": 14.0, "simple": 8.4},
    "ring": {"ll": 6.6, "ll128": 14.0, "simple": 8.4},
    "collnet-direct": {"simple": 0.0},
    "collnet-chain": {"simple": 0.0},
    "nvls": {"simple": 0.0},
    "nvls-tree": {"simple": 0.0},
    "pat": {"simple": 8.0},
}

Hardware = Literal["nvlink", "pci", "net"]
# By what a step crosses, and algorithm: one step.
STEP_US: Mapping[Hardware, Mapping[Algorithm, Mapping[Protocol, float]]] = {
    "nvlink": {
        "tree": {"ll": 0.6, "ll128": 1.25, "simple": 4.0},
        "ring": {"ll": 0.6, "ll128": 1.9, "simple": 3.4},
        "collnet-direct": {"simple": 3.7},
        "collnet-chain": {"simple": 2.8},
        "nvls": {"simple": 25.0},
        "nvls-tree": {"simple": 25.0},
        "pat": {"simple": 4.0},
    },
    "pci": {
        "tree": {"ll": 1.0, "ll128": 1.9, "simple": 4.0},
        "ring": {"ll": 1.0, "ll128": 2.5, "simple": 5.7},
        "collnet-direct": {"simple": 3.7},
        "collnet-chain": {"simple": 2.8},
        "nvls": {"simple": 0.0},
        "nvls-tree": {"simple": 0.0},
        "pat": {"simple": 4.0},
    },
    "net": {
        "tree": {"ll": 5.0, "ll128": 8.5, "simple": 14.0},
        "ring": {"ll": 2.7, "ll128": 4.0, "simple": 14.0},
        "collnet-direct": {"simple": 31.0},
        "collnet-chain": {"simple": 30.0},
        "nvls": {"simple": 18.0},
        "nvls-tree": {"simple": 20.9},
        "pat": {"simple": 14.0},
    },
}
ARITY_US = 0.4  # collnet-direct, each further GPU of a host
PAT_RANK_US, PAT_SHARE = 2.8, 3.5  # pat: what each rank adds; its network steps count a 3.5th
POST_US = {"intel": 1.0, "amd": 2.0}  # posting a message to a NIC, by the host's processor
POSTS_OF_SIMPLE = 3  # posts of a step of protocol Simple
PLATEAU = {"volta": 1.9, "ampere": 1.4, "hopper": 1.4, "blackwell": 1.4}  # ring all-reduce, Simple, large pieces
PLATEAU_BYTES = 64  # of one channel and rank, from which the plateau holds

# One way through the network that the steps over "net" were measured on: two ConnectX HCAs with PCIe, about 0.5 µs
# each, and three Quantum switches at 0.13 µs. It is taken out of a step, and the fabric's own way put in its place.
MEASURED_WAY_S = 1.4e-6

# GB/s by generation of GPU, for 1, 2 and more hosts.
Hosts = tuple[float, float, float]
LL_ONE_HOST: Mapping[Generation, float] = {"volta": 39.0, "ampere": 87.7, "hopper": 141.0, "blackwell": 282.0}
LL_MORE_HOSTS: Mapping[str, tuple[float, float]] = {"intel": (39.0, 20.4), "amd": (22.5, 19.0)}  # for 2, for more
RING_LL128: Mapping[Generation, float] = {"volta": 20.0, "ampere": 20.0, "hopper": 36.7, "blackwell": 40.0}
TREE_LL128: Mapping[Generation, Hosts] = {
    "volta": (20.0, 20.0, 20.0),
    "ampere": (20.0, 20.0, 20.0),
    "hopper": (36.7, 36.7, 29.0),
    "blackwell": (55.6, 31.67, 20.0),
}
TREE: Mapping[Generation, Hosts] = {
    "volta": (26.5, 18.5, 10.0),
    "ampere": (24.0, 23.6, 17.8),
    "hopper": (38.7, 41.4, 36.0),
    "blackwell": (70.0, 42.8, 24.0),
}
NVLS_TREE: Mapping[Generation, Hosts] = {
    "volta": (26.5, 18.5, 10.0),
    "ampere": (24.0, 23.6, 17.8),
    "hopper": (0.0, 57.7, 45.5),
    "blackwell": (0.0, 96.0, 80.0),
}
NVLS_EFFICIENCY: Mapping[Generation, float] = {"volta": 0.0, "ampere": 0.0, "hopper": 0.85, "blackwell": 0.74}

# What trees fall short of, for buffers of 64 B, 128 B, ... 512 MiB.
TREE_CORRECTION: Mapping[Protocol, tuple[float, ...]] = {
    "ll": (1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1, 1),
    "ll128": (1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1, 1),
    "simple": (.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5, .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9, .9),
}  # fmt: skip

# Speeds that channels are tried with, GB/s, and what the model takes NVLink for, as a share of its rate.
SPEEDS_ONE_HOST: Mapping[Generation, tuple[float, ...]] = {
    "volta": (40, 30, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, 3),
    "ampere": (40, 30, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, 3),
    "hopper": (60, 50, 40, 30, 24, 20, 15, 12, 11, 6, 3),
    "blackwell": (90, 80, 70, 60, 50, 45, 40, 30, 24, 20, 19, 18),
}
_SMALL = (3.0, 2.4, 1.2, 0.24, 0.12)
SPEEDS_MORE_HOSTS: Mapping[Generation, tuple[float, ...]] = {
    "volta": (48, 30, 28, 24, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, *_SMALL),
    "ampere": (48, 30, 28, 24, 20, 18, 15, 12, 10, 9, 7, 6, 5, 4, *_SMALL),
    "hopper": (48, 45, 42, 40, 30, 24, 22, 20, 17.5, 15, 12, 6, *_SMALL),
    "blackwell": (96, 86, 80, 48, 45.1, 42, 40, 30, 24, 22, 20, 17.5, 15, 12, 6, *_SMALL),
}
NVLINK_SHARE: Mapping[Generation, float] = {
    "volta": 20.0 / 25,
    "ampere": 20.0 / 25,
    "hopper": 20.6 / 25,
    "blackwell": 40.1 / 50,
}
NVLINK_LINK: Mapping[Generation, float] = {"volta": 20.0, "ampere": 20.0, "hopper": 20.6, "blackwell": 40.1}
PCI_GBYTES = 12.0  # GPUs without NVLink
MOST_CHANNELS = 64
MOST_DIRECT = 8  # GPUs of a host that collnet reaches
MOST_NVLS = 32  # GPUs of a domain that NVLS does all-gather and reduce-scatter for
NVLS_TREE_CHANNELS: Mapping[Generation, int] = {"volta": 1, "ampere": 1, "hopper": 16, "blackwell": 24}
P2P_CHANNEL_GBYTES = 14.0  # of a NIC, for each channel of a send
P2P_BATCH = 8  # peers that one batch of sends holds

THREADS: Mapping[Protocol, int] = {"simple": 512, "ll": 512, "ll128": 640}
BYTES_PER_THREAD: Mapping[Protocol, int] = {"simple": 64, "ll": 8, "ll128": 8}
