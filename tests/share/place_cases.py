"""Small clusters that jobs are placed on."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from fabric.request import RouteRequest
from fabric.scenario.load import LoadedScenario, load_scenario_text
from fabric.share.place.setting import PlaceSetting, place_setting
from topologies.columns import Ints

MODEL = "{layers: 4, hidden: 1024, ffn_hidden: 4096, heads: 16, kv_heads: 4, vocab: 32000}"


def cluster(
    jobs: str, *, leaves: int = 2, down: int = 3, up: int = 1, gpus: int = 1, router: str = "ecmp", domain: int = 0
) -> str:
    """Leaves of ``down`` hosts and ``up`` spines, every link 100G; hosts have a NIC for every GPU on the same leaf.

    Scale-up links of 900 GB/s join ``domain`` GPUs, where given: of hosts in order, whatever their leaf.
    """
    joined = f"scale_up: {{speed: 900 GB/s, domain: {domain}}}, " if domain else ""
    nics = f"{{backend: {{speed: 100G, count: {gpus}, rail: per-gpu}}}}"
    return f"""version: 1
name: cluster
nodes:
  - {{group: gpu, count: {leaves * down}, gpus: {gpus}, name: "n{{index}}", {joined}nics: {nics}}}
fabrics:
  backend:
    topology:
      kind: leaf-spine
      leaf: {{count: {leaves}, model: eth-32x100, down: {down * gpus}, up: {up}}}
      spine: {{count: {up}, model: eth-32x100}}
    routing: {{router: {router}}}
workloads:
{jobs}
"""


def training(
    ident: str,
    gpus: int,
    parallelism: str,
    *,
    more: str = "",
    compute: str = "{peak: 989 TFLOP/s, kernel_efficiency: 0.7}",
) -> str:
    """A training job in one line of a scenario."""
    return (
        f"  - {{id: {ident}, kind: training, model: {MODEL}, batch: {{global: 16, micro: 1, sequence: 2048}}, "
        f"parallelism: {parallelism}, gpus: {gpus}, optimizer_sharding: zero1, compute: {compute}{more}}}"
    )


def collective(ident: str, operation: str, gpus: int, *, more: str = "") -> str:
    """One collective in one line of a scenario."""
    return f"  - {{id: {ident}, kind: collective, collective: {operation}, size: [1 GB], gpus: {gpus}{more}}}"


def loaded(text: str) -> LoadedScenario:
    """The scenario, read."""
    return load_scenario_text(text, "cluster.fabric.yaml")


def setting_of(text: str, job: str, **flags: str) -> PlaceSetting:
    """Where the job may go."""
    return place_setting(loaded(text), RouteRequest(), job, **flags)


def every_placement(setting: PlaceSetting) -> Iterator[Ints]:
    """All placements of a job on whole free hosts: hosts, and ranks on their GPUs in every order."""
    free = np.flatnonzero(setting.free)
    for hosts in itertools.combinations(free.tolist(), setting.wanted):
        seats = [(host, gpu) for host in hosts for gpu in range(setting.per_host)][: setting.ranks]
        for order in itertools.permutations(range(setting.ranks)):
            yield np.array([seats[at] for at in order], dtype=np.int32)
