"""Small scenarios that between them set every model of the schema: what the walk over its keys changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from topologies.builder import TOPOLOGIES
from traffic.workload import PATTERNS

Data = dict[str, Any]
LEAF_SPINE = {
    "kind": "leaf-spine",
    "leaves": 4,
    "spines": 2,
    "hosts_per_leaf": 8,
    "host_speed": "100G",
    "uplink_speed": "100G",
}
SHAPE = {"layers": 8, "hidden": 1024, "ffn_hidden": 4096, "heads": 16, "kv_heads": 4, "vocab": 32000}
PER_GPU = {"speed": "100G", "count": 4, "rail": "per-gpu"}
GPUS = {"group": "gpu", "count": 4, "gpus": 4, "per_rack": 2, "nics": {"main": PER_GPU, "extra": {"speed": "50G"}}}
STORE = {"group": "store", "count": 6, "per_rack": 2, "nics": {"main": {"speed": "100G"}, "extra": {"speed": "50G"}}}


def scenario(*workloads: Data, topology: Data | None = None, nodes: list[Data] | None = None, **keys: Any) -> Data:
    """One fabric, or with node groups two, and what runs on it."""
    numbered = [{"id": f"w{number}", **workload} for number, workload in enumerate(workloads)]
    fabrics: Data = {"main": {"topology": topology or LEAF_SPINE}}
    if nodes:
        fabrics["extra"] = {"topology": LEAF_SPINE}
    return {"version": 1, "name": "walk", "fabrics": fabrics, "nodes": nodes or [], "workloads": numbered, **keys}


JOINED: Data = {
    "model": "hgx-h100-8",
    "scale_up": {"speed": "450 GB/s", "domain": 8, "efficiency": 0.8, "reduces": True, "reduction_efficiency": "70%"},
}
LARGE = {"global": 64, "micro": 32, "sequence": 8192}
MESH = {"speed": "448 GB/s", "mesh": True}

ODD = {**STORE, "group": "odd", "count": 5, "model": "storage-2u-24nvme", "nics": {"extra": {"speed": "50G"}}}


def encrypted(**keys: Any) -> Data:
    """A pattern over links that are encrypted."""
    data = scenario({"kind": "permutation", "size": "1 GB"})
    data["fabrics"]["main"]["encryption"] = keys
    return data


def clusters(*workloads: Data, **keys: Any) -> Data:
    """GPU and storage hosts on two fabrics; the odd ones fill their last rack in part."""
    return scenario(*workloads, nodes=[GPUS, STORE, ODD], **keys)


def training(**keys: Any) -> Data:
    """A small training job."""
    given = {"model": SHAPE, "batch": {"global": 64, "micro": 1, "sequence": 2048}, "fabric": "main"}
    given["compute"] = {"peak": "989 TFLOP/s", "kernel_efficiency": 0.7}
    return {"kind": "training", **given, "placement": {"group": "gpu"}, **keys}


def routed(router: str, topology: Data | None = None, **routing: Any) -> Data:
    """A pattern that routers differ on."""
    data = scenario({"kind": "permutation", "size": "1 GB"}, topology=topology)
    data["fabrics"]["main"]["routing"] = {"router": router, **routing}
    return data


EXPERTS = {"count": 8, "top_k": 2, "ffn_hidden": 512, "shared": 1, "groups": 4, "group_limit": 2}
LATENT = {"kv_rank": 64, "query_rank": 128, "nope_dim": 32, "rope_dim": 16, "value_dim": 32}
CHECKPOINT = {"target": "store", "every": "30 min", "fabric": "extra", "replication": 2}
ON_FAILURE = {"reaction": "restart", "spares": 1, "restart_time": "5 min", "checkpoint_every": "30 min"}
DEADLINE = {"target": "store", "deadline": "10 s", "fabric": "extra", "writers": "all", "mode": "asynchronous"}
DATASET = {"read": "100 MB/s", "source": "store", "shuffle": "10 MB/s", "fabric": "extra"}


def _topologies() -> list[Data]:
    """Every builder as its example has it, and those with keys that exclude each other once more."""
    every = {"kind": "uniform", "size": "1 GB"}
    kinds: list[Data] = [{"kind": entry.name, **entry.example} for entry in TOPOLOGIES]
    switch = {"model": "eth-32x100"}
    kinds += [
        {"kind": "clos", "radix": 8, "speed": "100G", "endpoints": 16, "oversubscription": {"leaf": 1, "spine": 1}},
        {"kind": "clos", "switch": switch, "hosts": 16},
        {"kind": "single-switch", "switch": switch},
        {
            "kind": "clos",
            "speed": "100G",
            "tiers": 4,
            **{role: {"radix": 4, "speed": "100G"} for role in ("leaf", "spine", "superspine", "core")},
        },
        {
            "kind": "clos",
            "radix": 64,
            "speed": "100G",
            "tiers": 3,
            "leaves_per_pod": 48,
            "pods": 2,
            "oversubscription": {"spine": "7:1", "at_most": True},
        },
        {
            "kind": "rail-optimised",
            "tiers": 3,
            "units": 4,
            "units_per_pod": 2,
            "rails": 2,
            "nodes_per_unit": 4,
            "speed": "400G",
            "leaf": {"radix": 8, "up": 4},
            "spine": {"radix": 16},
            "core": {"radix": 16},
            "oversubscription": {"spine": "3:1", "at_most": True},
        },
        {
            "kind": "leaf-spine",
            "leaf": {"radix": 32, "speed": "400G", "count": 4, "down_ports": 4, "down_breakout": "2x200", "up": 8},
            "spine": {"radix": 64, "speed": "400G", "count": 4, "breakout": "2x200", "name": "spine{index}"},
            "cabling": {"leaf-spine": {"speed": "100G", "parallel": 2, "length": "30 m"}},
        },
        {
            "kind": "leaf-spine",
            "leaf": {"model": "eth-32x100", "down": 8, "up": 4, "count": 4, "name": "l{index}"},
            "spine": {"model": "eth-32x100", "count": 4},
        },
        {
            "kind": "rail-optimised",
            "tiers": 3,
            "units": 4,
            "units_per_pod": 2,
            "rails": 2,
            "nodes_per_unit": 4,
            "speed": "400G",
            "leaf": {"radix": 8, "up": 4},
            "spine": {"radix": 8},
            "core": {"radix": 8},
        },
        {
            "kind": "explicit",
            "switches": [
                {"name": "leaf{index}", "count": 2, "role": "leaf", "radix": 8, "speed": "200G", "breakout": "1x200"},
                {"name": "spine0", "role": "spine", "level": 2, "model": "eth-32x100"},
            ],
            "endpoints": ["h0", "h1"],
            "cables": [
                {"ends": ["h0", "leaf0"], "speed": "100G", "length": "3 m"},
                {"ends": ["h1", "leaf1"], "speed": "100G"},
                {"ends": ["leaf0", "spine0"], "speed": "100G", "count": 2},
                {"ends": ["leaf1", "spine0"], "speed": "100G", "count": 2},
            ],
        },
    ]
    models = {"group": "gpu", "model": "hgx-h100-8", "count": 4, "nics": {"main": {"model": "cx7-400", "count": 2}}}
    wide = {
        "kind": "leaf-spine",
        "leaves": 2,
        "spines": 2,
        "hosts_per_leaf": 16,
        "host_speed": "400G",
        "uplink_speed": "400G",
    }
    planes = {"kind": "multi-plane", "planes": 2, "plane": {**wide, "dual_home": []}}
    ports = {"group": "gpu", "count": 4, "nics": {"main": {"speed": "100G", "ports": 2}}}
    two = [scenario(every, topology=wide), scenario(every, topology={**wide, "dual_home": ["gpu"]})]
    two.append(scenario(every, topology=planes))
    for data, nodes in zip(two, (models, models, ports), strict=True):
        data["nodes"] = [nodes]
    return [*(scenario(every, topology=kind) for kind in kinds), *_attached(every), *two]


def _attached(workload: Data) -> list[Data]:
    """Builders that attach hosts in an order, with fewer hosts than ports."""
    found = []
    for entry in TOPOLOGIES:
        if "attach_order" not in entry.model.model_fields:
            continue
        keys = {key: value for key, value in entry.example.items() if key != "endpoints"}
        count = {"rail-only": 13, "zcube": 6}.get(entry.name, 5)
        split = {"rail-only": {"count": 4}, "zcube": {"count": 2, "ports": 2}}.get(entry.name, {})
        nics = {**split, "rail": "per-gpu"} if split else {}
        speed = keys.get("speed") or keys["host_speed"]
        nodes = {"group": "gpu", "count": count, "gpus": 4, "nics": {"main": {**nics, "speed": speed}}}
        topology = {"kind": entry.name, **keys, "attach_order": "spread"}
        if entry.name == "rail-only":
            topology["gpus"] = 52
        data = scenario(workload, topology=topology)
        data["nodes"] = [nodes]
        found.append(data)
    return found


def _patterns() -> list[Data]:
    found = []
    for entry in PATTERNS:
        found.append(scenario({"kind": entry.name, "size": "1 GB", **entry.example}))
        keys = {"kind": entry.name, "rate": "1 Gb/s", "fabric": "main", "members": "gpu", "phase": "p", **entry.example}
        found.append(clusters({**keys, "level": "leaf"}))
        found[-1]["fabrics"]["main"]["topology"] = {**LEAF_SPINE, "attach_order": "spread"}
    return found


def _trainings() -> list[Data]:
    experts = {**SHAPE, "experts": EXPERTS, "latent": LATENT, "norm": "layer", "bias": "all", "qk_norm": True}
    layers = {
        **SHAPE,
        "mixers": [*["attention", "window", "recurrent", "both"] * 2],
        "feeds": ["mlp", "none"] * 4,
        "window": 512,
        "recurrent": {"parameters": 1000, "state": 500},
        "sparse": {"tokens": 256, "heads": 4, "dim": 32},
        "extra": {"attention": 10, "mlp": 10, "first": 10, "last": 10},
    }
    jobs = [
        training(checkpoint=CHECKPOINT, dataset=DATASET, parallelism={"tp": 2, "pp": 2, "dp": 4}, recompute="none"),
        training(checkpoint=DEADLINE, gpus=8),
        training(gpus=8, on_failure=ON_FAILURE),
        training(
            parallelism={"tp": 8, "cp": 2, "order": "tp-cp-ep-dp-pp"},
            overlap={"tensor": True, "context": False},
            collectives={"library": "plain", "context": "ring", "channels": 8, "qps_per_connection": 2},
        ),
        training(
            model=experts,
            parallelism={"ep": 4, "pp": 2, "vpp": 2},
            overlap={"experts": True, "pipeline": False},
            precision={"dispatch": "fp8", "combine": "bf16", "scale_block": 64},
            collectives={"all_to_all": "node-deduplicated", "dispatch": "all-to-all", "dispatch_hosts": "expected"},
        ),
        training(model=experts, parallelism={"tp": 2, "ep": 8, "etp": 1}, collectives={"all_to_all": "direct"}),
        training(model=layers, parallelism={"tp": 2, "pp": 2, "stage_layers": [3, 5]}, gpus=8),
        training(
            parallelism={"tp": 2, "pp": 2, "schedule": "zb-h1"},
            memory={"gpu": "8 GB", "reserved": "1 GB", "dropout": True, "recompute": ["norms"], "kept": "fp8"},
        ),
        training(
            optimizer_sharding="zero3",
            sharding={"ranks": 4, "reshard": True, "gather": "micro-batch", "reduce": "step"},
            precision={"params": "bf16", "grads": "fp32", "gather": "fp8", "optimizer": "adam-fp32"},
            overlap={"grad_reduce": True, "param_gather": True},
            batch={"global": 64, "micro": 2, "sequence": 2048},
        ),
        training(optimizer_sharding="zero3", sharding={"copies": 2}),
        training(placement={"group": "gpu", "order": "scattered", "seed": 1, "exclusive": True}, gpus=8),
    ]
    shared = {**training(gpus=16), "placement": {"group": "gpu", "exclusive": True}}
    serving = {
        "kind": "inference",
        "model": {**experts, "extra": {"expert": 5, "router": 5}},
        "requests_per_s": 10,
        "prompt": {"mean": 2000},
        "output": {"values": [[128, "75%"], [1024, "25%"]]},
        "prefill": {"gpus": 8, "tp": 4, "ep": 2, "placement": {"group": "gpu"}},
        "decode": {"gpus": 8, "tp": 1, "ep": 8, "placement": {"group": "gpu"}},
        "prefix_hit": "30%",
        "dispatch": "fp8",
        "scale_block": 64,
        "on_failure": {"reaction": "restart", "spares": 1, "restart_time": "5 min"},
    }
    windowed = {**serving, "model": {key: value for key, value in layers.items() if key != "recurrent"}}
    windowed["model"] |= {"mixers": ["attention", "window"] * 4, "window": 512}
    windowed["prefill"] = {**serving["prefill"], "ep": 1}
    windowed["decode"] = {**serving["decode"], "ep": 1}
    site = {"racks_per_row": 2, "name_format": "r{row}c{rack}", "row_pitch": "2 m", "overhead_tray": "3 m"}
    joined = [
        scenario(training(parallelism={"tp": 8}, batch=LARGE), nodes=[{**GPUS, **JOINED}, STORE]),
        scenario(training(parallelism={"tp": 2}), nodes=[{**GPUS, **JOINED, "scale_up": MESH}, STORE]),
    ]
    return [clusters(job, site=site) for job in jobs] + [clusters(one) for one in (windowed, shared, serving)] + joined


def _libraries() -> list[Data]:
    """Collectives by themselves, whose time is steps and ways through the fabric."""
    small = {"kind": "collective", "collective": "all-reduce", "size": "64 KiB", "placement": {"group": "gpu"}}
    small |= {"fabric": "main"}
    times = {"base": "5 us", "inside": "1 us", "between": "10 us", "measured_way": "1 us"}
    ways = {"switch": "300 ns", "nic": "400 ns", "per_metre": "5 ns", "cable": "10 m", "packet": "1 KiB"}
    found = [
        clusters(
            {
                **small,
                "gpus": 8,
                "repeat": 2,
                "on_failure": ON_FAILURE,
                "collectives": {"algorithm": "ring", "latency": times},
            }
        ),
        clusters({**small, "size": ["1 KiB", "1 GB"], "collectives": {"generation": "ampere", "cpu": "amd"}}),
        clusters({**small, "size": "1 GB", "collectives": {"channels": 8, "qps_per_connection": 2}}),
        clusters({**small, "collectives": {"library": "nccl", "protocol": "ll"}}),
    ]
    found[0]["fabrics"]["main"]["latency"] = ways
    found[2]["fabrics"]["main"]["routing"] = {"router": "ecmp-hash"}
    return found


def _storages() -> list[Data]:
    ends = {"servers": "store", "clients": "gpu", "fabric": "extra", "write": "8 Gb/s", "read": "4 Gb/s"}
    recovery = {"rate": "1 GB/s", "when": "host-loss", "lost": "store1"}
    return [
        clusters(workload)
        for workload in (
            {"kind": "storage", **ends, "replication": 3, "failure_domain": "rack", "recovery": recovery},
            {"kind": "storage", **ends, "erasure": {"k": 2, "m": 1}, "recovery": {**recovery, "when": "rebalance"}},
            {"kind": "storage", **{**ends, "servers": "odd"}, "failure_domain": "rack", "placement_groups": 64},
            {
                "kind": "storage",
                **ends,
                "replication": 2,
                "read_from": "nearest",
                "stored": "40 TB",
                "devices": [{"class": "hdd", "count": 8, "size": "4 TB"}],
                "recovery": {"within": "2 h", "when": "host-loss"},
            },
            {"kind": "lustre", **ends, "stripe_count": 2, "targets_per_server": 2, "files_per_client": 2, "seed": 1},
            {"kind": "hdfs", **ends, "replication": 3},
            {
                "kind": "object-store",
                "servers": "store",
                "clients": "gpu",
                "gateways": "gpu",
                "fabric": "extra",
                "put": "8 Gb/s",
                "get": "8 Gb/s",
                "data_chunks": 4,
                "parity_chunks": 2,
            },
        )
    ]


def _movements() -> list[Data]:
    """Data between tiers, sites and jobs."""
    border = {"source": "store", "border": "gpu", "fabric": "extra"}
    return [
        clusters(workload)
        for workload in (
            {
                "kind": "tiering",
                "fast": "gpu",
                "slow": "store",
                "fabric": "extra",
                "promote": "1 Gb/s",
                "flush": "2 Gb/s",
            },
            {"kind": "replication", **border, "size": "10 TB", "within": "8 h", "changed": "5%", "restore": False},
            {"kind": "replication", **border, "rate": "1 Gb/s"},
            {
                "kind": "north-south",
                "members": "gpu",
                "border": "store",
                "fabric": "extra",
                "inward": "1 Gb/s",
                "outward": "2 Gb/s",
            },
            {"kind": "checkpoint", "clients": "gpu", "size": "10 GB", **CHECKPOINT},
            {
                "kind": "checkpoint",
                "clients": "gpu",
                "size": "10 GB",
                "target": "store",
                "deadline": "10 s",
                "fabric": "extra",
            },
            {"kind": "dataset", "clients": "gpu", "source": "store", "read": "1 GB/s", "per": "gpu", "fabric": "extra"},
        )
    ]


def _routings() -> list[Data]:
    thin = {**LEAF_SPINE, "uplink_speed": "10G"}
    hashing = {"fields": ["src_ip", "dst_ip", "src_port"], "function": "crc32", "per_switch_seed": True, "replicas": 3}
    hashing |= {"packet_slowdown": 1.2, "resilient": False}
    pieces = {"granularity": "flowlet", "flowlet": "100 MB"}
    found = [
        routed("ecmp-hash", {"kind": "fat-tree", "radix": 8, "speed": "100G"}, hash=hashing),
        routed("spray", thin, spray_efficiency=0.8),
        routed("adaptive", thin, adaptive=pieces, spray_efficiency=0.9),
        routed("k-shortest", {"kind": "jellyfish", **TOPOLOGIES["jellyfish"].example}, k_paths=4),
        routed("optimal", {"kind": "jellyfish", **TOPOLOGIES["jellyfish"].example}, paths="shortest"),
        routed("optimal", thin, objective="min-cost", target_utilisation=20),
    ]
    found[-1]["fabrics"]["main"]["routing"]["target_utilisation"] = "2000%"
    found[0]["limits"] = [{"fabric": "main", "metric": "utilisation", "max": "100%", "at": "p95"}]
    found[0]["down"] = ["pod1/agg0"]  # without which resilient hashing shows nothing
    limits: list[Data] = [
        {"fabric": "main", "metric": "utilisation", "max": "100%", "tier": "leaf-spine", "stat": "p99"},
        {"fabric": "main", "metric": "links_over_capacity", "max": 2, "when": "any-spine"},
        {"workload": "w0", "metric": "step_time", "max": "1 s"},
    ]
    limited = scenario(
        {"kind": "incast", "size": "1 GB"},
        limits=limits,
        down=["spine1"],
        slow={"leaf0 -> spine0": "50%"},
        risk_groups=[{"name": "feed", "kind": "power-feed", "members": ["leaf0", "leaf1/h0"]}],
        site={"rows": 2, "racks_per_row": 4, "rack_units": 42, "rack_pitch": "0.6 m", "name_format": "r{row}c{rack}"},
        defaults={"units": {"rate": "Gb/s"}},
        failures=[
            {"name": "any-spine"},
            {"name": "leaves", "select": "role=leaf", "choose": 2, "sample": 3},
            {"name": "feeds", "kinds": ["power-feed"], "fabric": "main"},
            {"name": "either", "any_of": ["leaf0", ["leaf1", "leaf2"]]},
            {"name": "both", "down": ["group=feed"], "drain": ["leaf2"]},
            {"name": "lane", "select": "tier=leaf-spine", "slow": "75%"},
            {"name": "loose", "flap": {"leaf0 -> spine0": "90%"}},
        ],
        reliability={
            "rates": {"switch leaf": {"rate": "0.1 %/month", "repair": "6 h"}, "gpu": {"rate": "MTBF 50000 h"}},
            "detection": "200 ms",
        },
        costs={
            "prices": {"dac-100": 80},
            "spares": {"cables": "2%"},
            "run_lengths": {"leaf-spine": "30 m"},
            "grid_kg_per_kwh": 0.2,
            "pue": 1.2,
            "years": 4,
        },
        measured=[{"kind": "prometheus", "url": "http://localhost:9090"}, {"kind": "csv", "path": "loads.csv"}],
        seed=3,
        scale=1.5,
        description="what it is for",
        include=[{"catalog": "builtin"}],
    )
    fabric = limited["fabrics"]["main"]
    fabric |= {"efficiency": 0.9, "cables": {"leaf-spine": "auto"}}
    fabric["addressing"] = {"link_prefix": 31, "asn": {"leaf": 65000}}
    return [*found, limited]


CLUSTER = Path(__file__).parent / "data" / "cluster-nodes.json"


def _clusters() -> list[Data]:
    """Nodes of a cluster's file, and of resources; pods that request them."""
    job: Data = {"kind": "collective", "collective": "all-reduce", "size": "1 GB", "gpus": 8, "fabric": "main"}
    asked = {"ranks": 2, "cpu": 8, "memory": "64 GB", "storage": "100 GB"}
    job["placement"] = {"group": "gpu", "requests": asked}
    has = {"cpu": [16, 16, 32, 32], "memory": "128 GB", "storage": "200 GB", "gpus": 8}
    read = {"group": "gpu", "from": "kubernetes", "path": str(CLUSTER), "nics": GPUS["nics"]}
    named = {key: value for key, value in GPUS.items() if key != "count"} | {"names": ["a[1-4]"]}
    plain = {**job, "placement": {"group": "gpu"}}
    return [
        scenario(job, nodes=[{**GPUS, "resources": has}, STORE]),
        scenario(plain, nodes=[read, STORE]),
        scenario(plain, nodes=[named, STORE]),
    ]


def _sites() -> list[Data]:
    """A floor plan with all of its keys."""
    switch = {"model": "eth-32x100"}
    floor: Data = {"rows": 2, "racks_per_row": 8, "rack_units": 30, "unit_height": "44 mm", "rack_power": "40 kW"}
    floor |= {"rack_depth": "1 m", "rack_pitch": "0.6 m", "row_pitch": "2.4 m", "overhead_tray": "3 m", "slack": "5%"}
    floor |= {"service_loop": "0.3 m", "name_format": "r{row}c{rack}", "no_rack": ["r1c7"], "network_racks": ["r0c3"]}
    floor |= {"trays": {"rows": [0, 1], "cross": [0], "width": "300 mm", "height": "100 mm", "max_fill": "40%"}}
    floor |= {"switches": "any", "fixed": {"main/spine0": {"rack": "r0c3", "unit": 20}}}
    topology = {
        "kind": "leaf-spine",
        "leaf": {**switch, "count": 4, "down": 8, "up": 2},
        "spine": {**switch, "count": 2},
    }
    uniform = {"kind": "uniform", "size": "1 GB", "fabric": "main"}
    return [scenario(uniform, nodes=[GPUS, STORE], topology=topology, site=floor)]


CIPHERS = [
    encrypted(kind="macsec", mtu=1500, sci=True, icv=16, tiers=["leaf-spine"]),
    encrypted(kind="ipsec", mtu=1500, cipher="aes-gcm", outer="ipv4", nat_traversal=False),
    encrypted(kind="macsec", efficiency=0.9),
]


def _sharings() -> list[Data]:
    """Jobs that end in the middle of a leaf, and meet on its uplink."""
    path = Path(__file__).parents[2] / "examples" / "three-jobs.fabric.yaml"
    found: Data = yaml.safe_load(path.read_text(encoding="utf-8"))
    found["workloads"][0]["weight"] = 2
    return [found]


def _tenants() -> list[Data]:
    """Hosts of two tenants, and a service of one of them."""
    mine = [
        {"name": "hospital", "members": ["gpu[0-1]", "gpu2"], "key": 257},
        {"name": "bank", "members": "gpu3"},
        {"name": "storage", "members": "store", "shared_with": ["hospital"]},
    ]
    return [clusters({"kind": "uniform", "members": "store", "size": "1 GB", "fabric": "main"}, tenants=mine)]


BASES: list[Data] = [
    *_clusters(), *_topologies(), *_patterns(), *_trainings(), *_libraries(), *_storages(),
        *_movements(), *_routings(), *_sites(),
    *_sharings(), *CIPHERS,
]  # fmt: skip
BASES += _tenants()
