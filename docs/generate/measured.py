"""``docs/measured.md``: every published run tried, what was measured and what the planner predicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from generate.bandwidths import section
from generate.published import Prediction, PublishedRun, predict, published, runs_of

HEAD = """# Measured beside predicted

<!-- Written by make docs from tests/published/runs.yaml and tests/published/bandwidths.yaml. -->

Published training runs, put through `fabric traffic` as their papers describe them: the step is built up from kernels,
communication at line rate, pipeline bubble and optimizer (`compute.kernel_efficiency`). One efficiency stands for all
runs of a GPU type; nothing is fitted to a run, and the misses are printed. *Step* is how much longer the predicted step
is than the measured one. The shares are of the predicted step; communication is what the step waits for. *Memory* is
the planner's own verdict, and each of these runs did fit.

"""
_FORMATS = {"step_s": "{:.2f} s", "tflops_per_gpu": "{:.0f} TFLOP/s per GPU", "mfu": "{:.1%} MFU",
            "gpu_hours": "{:,.0f} GPU hours per 10¹² tokens"}  # fmt: skip
_SIZES = ("tp", "cp", "pp", "vpp", "ep", "etp")


def page(_: str) -> str:
    """The whole page."""
    runs = published()
    parts = [HEAD, _efficiencies(runs)]
    summary, tables = [], []
    for series in runs["series"]:
        rows = [(run, predict(run, runs)) for run in runs_of(series)]
        summary.append(_summary(series, [prediction for _, prediction in rows]))
        tables.append(_table(series, rows))
    parts += [
        "| runs | GPUs | number | step, median | least | most |\n| --- | --- | ---: | ---: | ---: | ---: |\n",
        *summary,
    ]
    parts += tables
    parts.append(section())
    parts.append("\n## Left out\n\n" + "".join(f"- {text}\n" for text in runs["left_out"]))
    return "".join(parts)


def _efficiencies(runs: Mapping[str, Any]) -> str:
    lines = [
        f"- {kind}: {value:.0%} of {runs['gpus'][kind]['peak']}, {runs['why'][kind]}.\n"
        for kind, value in runs["kernel_efficiency"].items()
    ]
    return "".join(lines) + "\n"


def _summary(series: Mapping[str, Any], predictions: Sequence[Prediction]) -> str:
    slower = [prediction.slower for prediction in predictions]
    figures = " | ".join(f"{value:+.1%}" for value in (median(slower), min(slower), max(slower)))
    return f"| {series['name']} | {series['gpu']} | {len(slower)} | {figures} |\n"


def _table(series: Mapping[str, Any], rows: Sequence[tuple[PublishedRun, Prediction]]) -> str:
    text = f"\n## {series['name']}\n\nSource: {series['source']}. Assumed: {'; '.join(series['assumed'])}.\n\n"
    text += "| run | measured | predicted | step | compute | bubble | communication | optimizer | memory |\n"
    text += "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
    return text + "".join(_row(run, prediction) for run, prediction in rows)


def _row(run: PublishedRun, prediction: Prediction) -> str:
    layout = run.job["parallelism"]
    known = [name for name in _SIZES if layout.get(name, 1) > 1 or (name == "etp" and name in layout)]
    sizes = [f"{name} {layout[name]}" for name in known]
    again = run.job.get("recompute")
    words = [run.name, f"{run.gpus:,} GPUs", *sizes, *([f"{again} recompute"] if again else [])]
    shown = _FORMATS[run.measure]
    shares = " | ".join(f"{share:.1%}" for share in prediction.shares.values())
    fits = {True: "fits", False: "does not fit", None: ""}[prediction.fits]
    figures = f"{shown.format(run.measured)} | {shown.format(prediction.value)} | {prediction.slower:+.1%}"
    return f"| {', '.join(word for word in words if word)} | {figures} | {shares} | {fits} |\n"
