"""Published training runs put through the planner: the scenario of each, and what it comes to."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from fabric.pipeline.prepared import prepare
from fabric.pipeline.stages import schedules
from fabric.scenario.load import load_scenario
from topologies.units import parse_flops
from traffic.formula import Formula, Term

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "tests" / "published" / "runs.yaml"
MEASURED = ("step_s", "tflops_per_gpu", "mfu", "gpu_hours")
_PLACES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("layers", "hidden", "heads"), ("model",)),
    **dict.fromkeys(("tp", "pp", "vpp", "cp", "ep", "etp", "sp"), ("parallelism",)),
    **dict.fromkeys(("global", "micro", "sequence"), ("batch",)),
    "recompute": (),
    "peak": ("compute",),
    "gpus": (),
}
_PER_LEAF = 512


@dataclass(frozen=True)
class PublishedRun:
    """One row of a paper's table, as a job."""

    series: Mapping[str, Any]
    name: str
    gpus: int
    job: Mapping[str, Any]
    measure: str  # one of MEASURED
    measured: float


@dataclass(frozen=True)
class Prediction:
    """What the planner says of a run; shares add up to 1."""

    value: float  # in the measure of the run
    step_s: float
    slower: float  # predicted over measured step, less 1
    shares: Mapping[str, float]
    fits: bool | None


def published() -> dict[str, Any]:
    """The file of runs."""
    found: dict[str, Any] = yaml.safe_load(RUNS.read_text(encoding="utf-8"))
    return found


def runs_of(series: Mapping[str, Any]) -> Iterator[PublishedRun]:
    """The rows of a series."""
    for row in series["rows"]:
        cells = dict(zip(series["columns"], row, strict=True))
        job = copy.deepcopy(series["job"])
        name = str(cells.pop("name", ""))
        if name in series.get("models", {}):
            job["model"] = series["models"][name]
        measure = next(key for key in MEASURED if key in cells)
        measured = float(cells.pop(measure))
        for key, value in cells.items():
            place = job
            for part in _PLACES[key]:
                place = place.setdefault(part, {})
            place[key] = value
        _completed(job)
        layout = job["parallelism"]
        gpus = job.setdefault("gpus", layout.get("tp", 1) * layout.get("pp", 1))
        yield PublishedRun(series, name, gpus, job, measure, measured)


def _completed(job: dict[str, Any]) -> None:
    """What follows from other keys: the width of a plain MLP, a layer a chunk, no chunks of one stage."""
    model, layout = job["model"], job["parallelism"]
    if "hidden" in model:
        model.setdefault("ffn_hidden", 4 * model["hidden"])
    if layout.get("stage_layers") == "one":
        layout["stage_layers"] = [0, *[1] * model["layers"], 0]
    if "path" in model:
        job["model"] = {**model, "path": str(ROOT / model["path"])}


def scenario_text(run: PublishedRun, efficiency: float, gpu: Mapping[str, Any]) -> str:
    """A scenario as JSON, which is YAML: hosts of eight GPUs with a NIC each, all under one spine."""
    hosts = -(-run.gpus // 8)
    leaves = -(-hosts * 8 // _PER_LEAF)
    node = yaml.safe_load(f"{{{gpu['node']}}}")
    nics = {"net": {"model": gpu["nic"], "count": 8, "rail": "per-gpu"}}
    job = {**run.job, "gpus": run.gpus, "compute": {"peak": gpu["peak"], "kernel_efficiency": efficiency}}
    job["compute"] |= run.job.get("compute", {})
    data = {
        "version": 1,
        "name": "published",
        "nodes": [{"group": "gpu", "count": hosts, "nics": nics, **node}],
        "fabrics": {
            "net": {
                "topology": {
                    "kind": "leaf-spine",
                    "leaf": {"count": leaves, "radix": 1024, "speed": gpu["speed"], "down": _PER_LEAF, "up": 8},
                    "spine": {"count": 1, "radix": 1024, "speed": gpu["speed"]},
                }
            }
        },
        "workloads": [{"id": "job", "kind": "training", **job}],
    }
    return json.dumps(data)


def predict(run: PublishedRun, runs: Mapping[str, Any]) -> Prediction:
    """Build a run up from kernels with the efficiency of its GPU type."""
    kind = run.series["gpu"]
    gpu = runs["gpus"][kind]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "published.fabric.yaml"
        path.write_text(scenario_text(run, runs["kernel_efficiency"][kind], gpu), encoding="utf-8")
        prepared = prepare(load_scenario(path))
        (job,), (schedule,) = prepared.traffic, schedules(prepared)
    step, parts = schedule.step_s, schedule.parts
    if step is None or parts is None or job.model is None or job.model.flops is None:
        raise ValueError(f"{run.series['name']} {run.name} has no step")
    flops = counted_flops(run) or job.model.flops.value
    speed = parse_flops(run.job.get("compute", {}).get("peak", gpu["peak"])) * run.gpus
    tokens = run.job["batch"]["global"] * run.job["batch"]["sequence"]
    value = {
        "step_s": step,
        "tflops_per_gpu": flops / step / run.gpus / 1e12,
        "mfu": flops / step / speed,
        "gpu_hours": step * run.gpus / 3600 / tokens * 1e12,
    }[run.measure]
    ratio = value / run.measured if run.measure in ("step_s", "gpu_hours") else run.measured / value
    shares = {
        "compute": parts.compute_s / step,
        "bubble": parts.bubble_s / step,
        "communication": parts.exposed_s / step,
        "optimizer": parts.optimizer_s / step,
    }
    stages = [stage.fits for stage in job.memory]
    fits = None if not stages or None in stages else all(stages)
    return Prediction(value, step, ratio - 1, shares, fits)


def counted_flops(run: PublishedRun) -> float | None:
    """FLOPs of a step as the paper counts them; None where ours are taken."""
    said = run.series.get("counts", "ours")
    if said == "ours":
        return None
    model, batch = run.job["model"], run.job["batch"]
    values = (batch["global"], batch["sequence"], model["layers"], model["hidden"], model["vocab"])
    terms = tuple(Term(symbol, value, "") for symbol, value in zip("BsLhV", values, strict=True))
    return Formula(said, terms, run.series["source"]).value
