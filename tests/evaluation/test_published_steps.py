"""Steps of Megatron as published (Korthikanti et al., arXiv 2205.05198, table 5), put through the whole planner."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from fabric.pipeline.prepared import prepare
from fabric.pipeline.stages import schedules
from fabric.scenario.load import load_scenario

KERNEL_EFFICIENCY = 0.74  # one for all four: what large products reach on an A100
SEQUENCE, VOCABULARY, PEAK = 2048, 51200, 312e12


@dataclass(frozen=True)
class Published:
    """One row of the table."""

    hidden: int
    layers: int
    heads: int
    pp: int
    vpp: int
    batch: int
    micro: int
    step_s: float
    mfu: float

    @property
    def gpus(self) -> int:
        """Eight tensor ranks in every stage."""
        return 8 * self.pp

    @property
    def flops(self) -> float:
        """Of a step, by the paper's own equation 8: 72·B·s·L·h²·(1 + s/(6h) + V/(12·h·L))."""
        h, beside = self.hidden, SEQUENCE / (6 * self.hidden) + VOCABULARY / (12 * self.hidden * self.layers)
        return 72 * self.batch * SEQUENCE * self.layers * h**2 * (1 + beside)


TABLE_5 = {
    "22B": Published(6144, 48, 64, 1, 1, 4, 4, 1.10, 0.415),
    "175B": Published(12288, 96, 96, 8, 3, 64, 1, 13.75, 0.514),
    "530B": Published(20480, 105, 128, 35, 3, 280, 1, 37.83, 0.560),
    "1T": Published(25600, 128, 160, 64, 1, 512, 1, 71.49, 0.563),
}
SCENARIO = """\
version: 1
name: published
nodes:
  - {{group: gpu, model: hgx-a100-8, count: {hosts}, nics: {{net: {{model: cx6-200, count: 8, rail: per-gpu}}}}}}
fabrics:
  net:
    topology:
      kind: leaf-spine
      leaf: {{count: 1, radix: 1024, speed: 200G, down: 512, up: 8}}
      spine: {{count: 1, radix: 64, speed: 200G}}
workloads:
  - id: job
    kind: training
    model: {{layers: {layers}, hidden: {hidden}, ffn_hidden: {ffn}, heads: {heads}, vocab: 51200, gated_mlp: false,
            tied_embeddings: true, positions: 2048, norm: layer, bias: all}}
    parallelism: {{tp: 8, pp: {pp}, vpp: {vpp}, sp: true}}
    batch: {{global: {batch}, micro: {micro}, sequence: 2048}}
    recompute: selective
    compute: {{peak: 312 TFLOP/s, attention_kernel: unfused, {basis}}}
"""


def planned(tmp_path, row: Published, basis: str):
    """The job's traffic and its schedule."""
    path = tmp_path / "published.fabric.yaml"
    text = SCENARIO.format(hosts=row.pp, ffn=4 * row.hidden, basis=basis, **row.__dict__)
    path.write_text(text.replace("vpp: 1, ", ""))
    prepared = prepare(load_scenario(path))
    return prepared.traffic[0], schedules(prepared)[0]


@pytest.mark.parametrize("name", TABLE_5)
def test_a_published_mfu_gives_the_published_step(tmp_path, name):
    """Within 5 %: what the paper's own FLOPs and MFU come to, for it counts the same work."""
    row = TABLE_5[name]
    _, schedule = planned(tmp_path, row, f"mfu: {row.mfu}")
    assert schedule.step_s == pytest.approx(row.step_s, rel=0.05)
    assert 0 < schedule.parts.compute_s < schedule.step_s


@pytest.mark.parametrize("name", TABLE_5)
def test_one_kernel_efficiency_gives_all_published_steps(tmp_path, name):
    """Within 10 %, built up from kernels, scale-up and pipeline communication, bubble and optimizer."""
    row = TABLE_5[name]
    _, schedule = planned(tmp_path, row, f"kernel_efficiency: {KERNEL_EFFICIENCY}")
    assert schedule.step_s == pytest.approx(row.step_s, rel=0.10)


@pytest.mark.parametrize("name", TABLE_5)
def test_flops_are_those_of_the_paper(tmp_path, name):
    """Equation 8 counts no biases, norms and positions: 0.1 % of the parameters."""
    row = TABLE_5[name]
    traffic, _ = planned(tmp_path, row, "kernel_efficiency: 0.5")
    assert traffic.model.flops.value == pytest.approx(row.flops, rel=0.002)
    assert traffic.compute.flops_s == pytest.approx(row.flops / row.gpus / PEAK, rel=0.002)
