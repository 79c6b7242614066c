"""A command line for every kind of rows that there is, and the files that they need."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from lake import lake_text
from nccl_tests_logs import Printed, text_log
from rule_cases import exported

from fabric.cli.main import run
from fabric.faces.views import row_kinds as kinds
from fabric.output.row_kind import RowKind

MODEL = Path(__file__).parents[1] / "golden" / "cases" / "training.fabric.yaml"
SHARING = Path(__file__).parents[2] / "examples" / "three-jobs.fabric.yaml"
TRAFFIC = """\
version: 1
name: small
nodes:
  - {group: gpu, count: 8, gpus: 2, per_rack: 2, nics: {main: {count: 2, speed: 100G}, storage: {speed: 25G}}}
fabrics:
  main:
    topology: {kind: leaf-spine, leaves: 4, spines: 2, hosts_per_leaf: 4, host_speed: 100G, uplink_speed: 100G}
    routing: {router: ecmp}
  storage:
    topology: {kind: leaf-spine, leaves: 2, spines: 2, hosts_per_leaf: 4, host_speed: 25G, uplink_speed: 100G}
workloads:
  - {id: shuffle, kind: all-to-all, fabric: main, size: 1 GB}
  - {id: backup, kind: permutation, fabric: storage, size: 2 GB}
"""
GIVES = {"nvidia.com/gpu": "8", "cpu": "96", "memory": "1Ti"}
BAD = """\
version: 1
name: x
fabrics:
  a: {topology: {kind: fat-tree, radix: 7, speed: 1G}}
sead: 1
nmae: 2
"""


def make_files(folder: Path) -> None:
    """Scenarios, tables with faults, what switches have, a certificate."""
    (folder / "s.yaml").write_text(TRAFFIC, encoding="utf-8")
    job = "  - {id: ring, kind: collective, collective: all-reduce, size: 1 GB, gpus: 4, fabric: main}\n"
    (folder / "placed.yaml").write_text(TRAFFIC + job, encoding="utf-8")
    (folder / "t.yaml").write_text(TRAFFIC.replace("size: 1 GB", "size: 3 GB"), encoding="utf-8")
    (folder / "model.yaml").write_text(MODEL.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "sharing.yaml").write_text(SHARING.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "bad.yaml").write_text(BAD, encoding="utf-8")
    (folder / "lake.yaml").write_text(lake_text(), encoding="utf-8")
    (folder / "work.yaml").write_text("version: 1\nwork: [{id: spines, drain: fabric=main role=spine, each: true}]\n")
    nodes = [{"kind": "Node", "metadata": {"name": name}, "status": {"capacity": GIVES}} for name in ("n0", "n1")]
    (folder / "nodes.json").write_text(json.dumps({"kind": "List", "items": nodes}))
    hosts = tuple(f"gpu{number}" for number in range(8))
    (folder / "run.log").write_text(text_log(Printed(hosts=hosts, gpus=2)), encoding="utf-8")
    loads = "".join(f"leaf{leaf} -> spine{spine},{leaf + spine}\n" for leaf in range(2) for spine in range(2))
    rows = loads.replace("\n", ",main\n") + "leaf0 -> gpu0.nic0,1,main\n"
    (folder / "loads.csv").write_text("link,gbps,fabric\n" + rows, encoding="utf-8")
    scenario, tables = exported(folder, "fat-tree", out="tables")
    assert run(["verify", "rules", str(scenario), str(tables), "-q"]) == 0
    _, broken = exported(folder, "fat-tree", out="broken")
    running = folder / "running"
    running.mkdir()
    for path in (tables / "switches").iterdir():
        text = re.sub(r"(nw_dst=10\.64\.0\.\d+,actions=output:)\d", r"\g<1>2", path.read_text())
        (running / path.name).write_text(text)
        (broken / "switches" / path.name).write_text(text)
    cables = ["export", "cables", str(folder / "s.yaml"), "--profile", "netbox", "-q", "-o", str(folder / "room.csv")]
    assert run(cables) == 0
    room = (folder / "room.csv").read_text(encoding="utf-8").splitlines()
    room[1], room[2] = (_with_end_of(room[one], room[other]) for one, other in ((1, 2), (2, 1)))
    (folder / "room.csv").write_text("\n".join([*room[:4], *room[5:]]) + "\n", encoding="utf-8")
    certificate = ["--certificate", str(folder / "s.cert"), "-o", str(folder / "answer.json")]
    assert run(["route", str(folder / "s.yaml"), "--router", "optimal", "-q", *certificate]) == 0


def _with_end_of(row: str, other: str) -> str:
    """A cable of NetBox with the far end of another."""
    mine, theirs = row.split(","), other.split(",")
    return ",".join([*mine[:3], *theirs[3:6], *mine[6:]])


Line = Callable[[Path], list[str]]

ANSWERS: dict[str, tuple[tuple[str, ...], RowKind, Line]] = {
    "route": (("route",), kinds.LINKS, lambda at: ["route", f"{at}/s.yaml", "--suggest", "never"]),
    "route all phases": (
        ("route",), kinds.LINKS, lambda at: ["route", f"{at}/s.yaml", "--suggest", "never", "--phase", "all"],
    ),
    "route several routers": (
        ("route",), kinds.ROUTERS, lambda at: ["route", f"{at}/s.yaml", "--router", "ecmp,ecmp-hash,wcmp"],
    ),
    "build": (("build",), kinds.TIERS, lambda at: ["build", f"{at}/s.yaml"]),
    "build leaves": (("build",), kinds.LEAVES, lambda at: ["build", f"{at}/s.yaml", "--by", "leaf"]),
    "build hosts": (("build",), kinds.HOSTS, lambda at: ["build", f"{at}/s.yaml", "--by", "host"]),
    "show paths": (("show",), kinds.DISTANCES, lambda at: ["show", "paths", f"{at}/s.yaml"]),
    "show bisection": (("show",), kinds.CUTS, lambda at: ["show", "bisection", f"{at}/s.yaml"]),
    "show racks": (
        ("show",), kinds.RACKS,
        lambda at: [
            "show", "racks", f"{at}/s.yaml", "--set", "site={rows: 2, racks_per_row: 4, rack_power: 40 kW}",
        ],
    ),
    "show cables": (("show",), kinds.CABLES, lambda at: ["show", "cables", f"{at}/s.yaml"]),
    "export cables": (("export",), kinds.CABLES, lambda at: ["export", "cables", f"{at}/s.yaml"]),
    "show bom": (("show",), kinds.BILL, lambda at: ["show", "bom", f"{at}/s.yaml"]),
    "show power": (("show",), kinds.BILL, lambda at: ["show", "power", f"{at}/s.yaml"]),
    "traffic": (("traffic",), kinds.PHASES, lambda at: ["traffic", f"{at}/s.yaml"]),
    "traffic matrix": (("traffic",), kinds.CELLS, lambda at: ["traffic", f"{at}/s.yaml", "--matrix", "host"]),
    "traffic formulae": (("traffic",), kinds.FORMULAE, lambda at: ["traffic", f"{at}/model.yaml", "--explain", "all"]),
    "traffic collective": (
        ("traffic",), kinds.COLLECTIVE,
        lambda at: ["traffic", "--collective", "all-reduce", "--ranks", "8", "--size", "1GB"],
    ),
    "design": (
        ("design",), kinds.DESIGNS,
        lambda at: [
            "design", "--gpus", "32", "--nic", "400G", "--kind", "leaf-spine", "--kind", "rail-optimised",
            "-o", f"{at}",
        ],
    ),
    "expect": (
        ("expect",), kinds.EXPECTED,
        lambda at: ["expect", f"{at}/s.yaml", "--fabric", "main", "--sizes", "1M:1G:32", "--collective", "all"],
    ),
    "expect a run": (
        ("expect",), kinds.CHECKED,
        lambda at: ["expect", f"{at}/s.yaml", "--fabric", "main", "--check", f"{at}/run.log"],
    ),
    "failures": (
        ("failures",), kinds.FAILURES, lambda at: ["failures", f"{at}/s.yaml", "--kind", "switch", "--no-expected"],
    ),
    "failures by link": (
        ("failures",), kinds.WORST_LINKS,
        lambda at: ["failures", f"{at}/s.yaml", "--kind", "switch", "--no-expected", "--rows", "links"],
    ),
    "review": (
        ("review",), kinds.REVIEWED,
        lambda at: [
            "review", "--leaves", "64", "--uplinks", "8", "--spines", "4", "--radix", "64", "--gpus", "512",
            "--hops", "4", "--speed", "400G", "--bisection", "204.8 Tb/s",
        ],
    ),
    "review a scenario": (("review",), kinds.REVIEWED, lambda at: ["review", f"{at}/s.yaml", "--no-cheaper"]),
    "compare": (("compare",), kinds.FIGURES, lambda at: ["compare", f"{at}/s.yaml", f"{at}/t.yaml"]),
    "explain": (
        ("explain",), kinds.PAIRS,
        lambda at: ["explain", f"{at}/s.yaml", "leaf0 -> spine0", "--fabric", "main", "--phase", "all-to-all"],
    ),
    "validate": (("validate",), kinds.PROBLEMS, lambda at: ["validate", f"{at}/bad.yaml"]),
    "catalog list": (("catalog", "list"), kinds.MODELS, lambda at: ["catalog", "list"]),
    "catalog show": (("catalog", "show"), kinds.MODELS, lambda at: ["catalog", "show", "eth-128x400"]),
    "export": (
        ("export",), kinds.TABLES,
        lambda at: ["export", "openflow", f"{at}/s.yaml", "-o", f"{at}/again", "--force", "-q"],
    ),
    "export addresses": (("export",), kinds.ADDRESSES, lambda at: ["export", "addresses", f"{at}/s.yaml"]),
    "export list": (("export",), kinds.DIALECTS, lambda at: ["export", "list"]),
    "verify rules": (
        ("verify", "rules"), kinds.FINDINGS,
        lambda at: ["verify", "rules", f"{at}/fat-tree.fabric.yaml", f"{at}/broken"],
    ),
    "verify routes": (
        ("verify", "routes"), kinds.DIFFERENCES,
        lambda at: [
            "verify", "routes", f"{at}/fat-tree.fabric.yaml", f"{at}/tables", "--observed", f"ovs:{at}/running",
        ],
    ),
    "verify cabling": (
        ("verify", "cabling"), kinds.MOVES,
        lambda at: ["verify", "cabling", f"{at}/s.yaml", "--observed", f"netbox:{at}/room.csv", "-q"],
    ),
    "verify cabling step by step": (
        ("verify", "cabling"), kinds.FIX_LIST,
        lambda at: [
            "verify", "cabling", f"{at}/s.yaml", "--observed", f"netbox:{at}/room.csv", "-q", "--fix-list", "csv",
        ],
    ),
    "export prometheus": (
        ("export",), kinds.WATCHED,
        lambda at: ["export", "prometheus", f"{at}/s.yaml", "-o", f"{at}/watched", "--draws", "0", "--force", "-q"],
    ),
    "export for schedulers": (
        ("export",), kinds.SCHEDULED,
        lambda at: ["export", "slurm", f"{at}/s.yaml", "-o", f"{at}/slurm", "--force", "-q"],
    ),
    "verify load": (
        ("verify", "load"), kinds.LOADS,
        lambda at: ["verify", "load", f"{at}/s.yaml", "--measured", f"csv:{at}/loads.csv", "--no-explain"],
    ),
    "rules trace": (
        ("rules", "trace"), kinds.HOPS,
        lambda at: [
            "rules", "trace", f"{at}/fat-tree.fabric.yaml", f"{at}/tables", "pod0/edge0/h0", "pod3/edge1/h1", "--all",
        ],
    ),
    "push": (
        ("push",), kinds.SWITCHES,
        lambda at: ["push", f"{at}/tables", "--dry-run", "--switch", "pod0/edge0", "--switch", "pod0/agg1"],
    ),
    "check-certificate": (
        ("check-certificate",), kinds.CLAIMS, lambda at: ["check-certificate", f"{at}/s.cert"],
    ),
    "sweep": (
        ("sweep",), kinds.points_of(("size", "router")),
        lambda at: [
            "sweep", f"{at}/s.yaml", "--vary", "workloads.shuffle.size=1 GB,x", "--vary",
            "fabrics.main.routing.router=ecmp,wcmp",
        ],
    ),
    "drain": (
        ("drain",), kinds.WINDOWS,
        lambda at: ["drain", f"{at}/s.yaml", "--switch", "fabric=main role=spine", "--no-failures", "-q"],
    ),
    "nodes": (
        ("nodes",), kinds.NODES, lambda at: ["nodes", "kubernetes", "--path", f"{at}/nodes.json", "-q"],
    ),
    "interference": (
        ("interference",), kinds.SHARINGS, lambda at: ["interference", f"{at}/sharing.yaml", "--no-shifts", "-q"],
    ),
    "place": (("place",), kinds.PLACEMENTS, lambda at: ["place", f"{at}/placed.yaml", "--job", "ring", "-q"]),
    "plan change": (
        ("plan", "change"), kinds.WINDOWS,
        lambda at: ["plan", "change", f"{at}/s.yaml", f"{at}/work.yaml", "--no-failures", "-q"],
    ),
    "export hdfs": (
        ("export",), kinds.STORED,
        lambda at: ["export", "hdfs", f"{at}/lake.yaml", "-o", f"{at}/hdfs", "--force", "-q"],
    ),
    "storage": (("storage",), kinds.LAYOUTS, lambda at: ["storage", f"{at}/lake.yaml", "-q"]),
    "grow": (("grow",), kinds.GROWTH, lambda at: ["grow", f"{at}/s.yaml", "--to", "32", "-q"]),
    "grow by steps": (
        ("grow",), kinds.WORK, lambda at: ["grow", f"{at}/s.yaml", "--to", "32", "--rows", "steps", "-q"],
    ),
}  # fmt: skip
