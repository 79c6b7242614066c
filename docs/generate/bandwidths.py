"""Published bus bandwidths of nccl-tests put through ``fabric expect``: the scenario of each, and what it comes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from fabric.expect.engine import expect
from fabric.expect.request import ExpectRequest
from fabric.expect.result import SizeRow
from fabric.expect.sizes import parse_message_bytes
from fabric.scenario.load import load_scenario

ROWS = Path(__file__).resolve().parents[2] / "tests" / "published" / "bandwidths.yaml"
_SCENARIO = """
version: 1
name: published
fabrics: {{backend: {{topology: {{kind: single-switch}}}}}}
nodes:
  - group: gpu
    model: {node}
    count: {hosts}
    gpus: {gpus}
    nics: {{backend: {{speed: {speed}, count: {nics}, rail: {rail}}}}}
"""


@dataclass(frozen=True)
class PublishedBandwidth:
    """One figure that somebody published; GB/s of the bus."""

    source: str
    node: str
    hosts: int
    gpus: int  # of a host
    nics: int  # of a host
    speed: str
    algorithm: str
    size: str
    busbw: float

    @property
    def ranks(self) -> int:
        """GPUs of the run."""
        return self.hosts * self.gpus


def table_file() -> dict[str, Any]:
    """The file of bandwidths."""
    found: dict[str, Any] = yaml.safe_load(ROWS.read_text(encoding="utf-8"))
    return found


def bandwidths() -> Iterator[PublishedBandwidth]:
    """Its rows."""
    for row in table_file()["rows"]:
        yield PublishedBandwidth(*row)


def expected(run: PublishedBandwidth) -> SizeRow:
    """What the planner expects of an all-reduce of this size on these hosts, behind one switch."""
    rail = "per-gpu" if run.nics == run.gpus else "shared"
    text = _SCENARIO.format(**run.__dict__, rail=rail)
    library = {} if run.algorithm == "auto" else {"algorithm": run.algorithm}
    with TemporaryDirectory() as folder:
        path = Path(folder, "published.fabric.yaml")
        path.write_text(text, encoding="utf-8")
        asked = ExpectRequest(sizes_bytes=(parse_message_bytes(run.size),), library=library)
        return expect(load_scenario(path), asked).tests[0].rows[0]


def section() -> str:
    """The part of the page about them."""
    text = (
        "\n## Bus bandwidth of all-reduces\n\n"
        "Figures of nccl-tests from public threads, beside `fabric expect`. The fabric between the hosts is described "
        "in none of them: one switch without contention stands for it. Assumed: "
        f"{'; '.join(table_file()['assumed'])}.\n\n"
        "| run | source | algorithm | size | measured | expected | off |\n"
        "| --- | --- | --- | --- | ---: | ---: | ---: |\n"
    )
    for run in bandwidths():
        row = expected(run)
        name = f"{run.hosts} x {run.gpus} GPUs, {run.node}" + (f", {run.nics} x {run.speed}" if run.hosts > 1 else "")
        found = row.expected.busbw_gbytes_per_s
        how = f"{row.algorithm}, {row.protocol}" + ("" if run.algorithm == "auto" else ", as set")
        figures = f"{run.busbw:g} GB/s | {found:.0f} GB/s | {found / run.busbw - 1:+.1%}"
        text += f"| {name} | {run.source} | {how} | {run.size} | {figures} |\n"
    return text
