"""Small pods for tests of monitoring: every flow of a training job hashed over two spines, or split evenly."""

from __future__ import annotations

from pathlib import Path

from fabric.pipeline.run import Run, run_scenario
from fabric.request import RouteRequest
from fabric.scenario.load import load_scenario

POD = """\
version: 1
name: pod
fabrics:
  main:
    topology: {{kind: leaf-spine, leaves: {leaves}, spines: 2, hosts_per_leaf: {hosts}, host_speed: {speed}G, \
uplink_speed: {up}G}}
    routing: {{router: {router}}}
nodes:
  - {{group: gpu, count: {count}, gpus: 1, nics: {{main: {{speed: {speed}G}}}}}}
workloads:
  - {job}
"""
TRAINING = """id: job
    kind: training
    model: {{layers: 16, hidden: 2048, ffn_hidden: 8192, heads: 16, kv_heads: 8, vocab: 32000}}
    parallelism: {{tp: 1, pp: 1}}
    batch: {{global: {batch}, micro: 1, sequence: 4096}}
    compute: {{peak: 989 TFLOP/s, mfu: 0.4}}
    collectives: {{library: nccl, algorithm: ring, channels: 8, qps_per_connection: 8}}
    placement: {placement}"""
SCATTERED = "{group: gpu, order: scattered, seed: 1}"


def pod_text(
    *,
    router: str = "ecmp-hash",
    leaves: int = 4,
    hosts: int = 4,
    speed: float = 100,
    up: float = 400,
    batch: int = 256,
    placement: str = SCATTERED,
    job: str = TRAINING,
) -> str:
    """The scenario: one job on all hosts of ``leaves`` leaves under two spines."""
    return POD.format(
        router=router, leaves=leaves, hosts=hosts, speed=speed, up=up, count=leaves * hosts,
        job=job.format(batch=batch, placement=placement),
    )  # fmt: skip


def pod(folder: Path, *, replicas: int | None = None, down: tuple[str, ...] = (), **keys: object) -> Run:
    """The scenario, routed."""
    path = folder / "pod.fabric.yaml"
    path.write_text(pod_text(**keys), encoding="utf-8")  # type: ignore[arg-type]
    return run_scenario(load_scenario(path), RouteRequest(replicas=replicas, down=down))
