"""Where the ranks of a test sit: all GPUs of a node group, some of them by a placement, or those of a job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from fabric.expect.request import ExpectRequest
from fabric.pipeline.network import Network
from fabric.scenario.load import LoadedScenario
from topologies.columns import Ints, column
from topologies.errors import Problem, ScenarioError, TrafficError, nearest_hint
from traffic.inventory import IMPLICIT, Inventory
from traffic.library.keys import LibrarySpec
from traffic.occupancy import Occupancy
from traffic.parallelism import DIMENSIONS, RankGrid
from traffic.placement import GpuPool, Placement
from traffic.seats import Seats, seats_of
from traffic.workload import WorkloadContext

TEST = "expect"  # the name that the test goes by among jobs


@dataclass(frozen=True, eq=False)
class TestRanks:
    """The ranks of a test in order, where they sit, and how that is said."""

    group: str
    seats: Seats
    where: str
    library: LibrarySpec | None = None  # how the job's collectives run

    @property
    def count(self) -> int:
        """Ranks."""
        return len(self.seats.hosts)

    @property
    def hosts(self) -> int:
        """Hosts that have any."""
        return len(np.unique(self.seats.hosts))


def ranks_of(loaded: LoadedScenario, network: Network, asked: ExpectRequest, occupancy: Occupancy | None) -> TestRanks:
    """Where the ranks of a test sit.

    Parameters
    ----------
    occupancy : Occupancy, optional
        Places of the scenario's jobs; needed where a job is asked for.

    Raises
    ------
    FabricError
        Where there is no such group, job, placement or fabric, fewer than two ranks, or more than GPUs.
    """
    if asked.job is not None:
        return _of_job(loaded, network.inventory, asked, occupancy)
    group = _group(network.inventory, asked.group)
    placement = _placement(asked.placement, group)
    fabric = _fabric(network.inventory, asked.fabric, group)
    context = WorkloadContext(TEST, network.inventory, np.random.default_rng(loaded.scenario.seed), _folder(loaded))
    try:
        pool = GpuPool.of(placement, context, group, fabric)
        wanted = pool.free.size if asked.ranks is None else asked.ranks
        _check_count(wanted, pool.free.size, group, len(pool.hosts), pool.per_host)
        if asked.places is None:
            placed = pool.place(placement, _grid(wanted, pool.per_host), context, TEST)
        else:
            placed = column(np.array(asked.places), np.int32)
    except TrafficError as error:
        raise _without_keys(error) from None
    loaded.say(*context.said)
    order = placement.order if asked.places is None else "placed as measured"
    whole = f"all {wanted:,}" if wanted == pool.free.size else f"{wanted:,} of {pool.free.size:,}"
    return TestRanks(group, seats_of(network.inventory, fabric, group, placed), f"{whole} GPUs of {group}, {order}")


def _folder(loaded: LoadedScenario) -> Path:
    return Path(loaded.directory)


def _of_job(
    loaded: LoadedScenario, inventory: Inventory, asked: ExpectRequest, occupancy: Occupancy | None
) -> TestRanks:
    places: dict[str, tuple[str, Ints]] = {} if occupancy is None else occupancy.seats
    if asked.job not in places:
        there = any(workload.id == asked.job for workload in loaded.scenario.workloads)
        raise ScenarioError(
            f"--job {asked.job!r} has no ranks" if there else f"--job {asked.job!r} is not a workload",
            hint=nearest_hint(str(asked.job), places, otherwise=f"jobs with ranks: {', '.join(places) or 'none'}"),
            code="FP2105",
        )
    group, placed = places[str(asked.job)]
    spec = next((entry.spec for entry in loaded.scenario.workloads if entry.id == asked.job), None)
    fabric = _fabric(inventory, asked.fabric or getattr(spec, "fabric", None), group)
    wanted = len(placed) if asked.ranks is None else asked.ranks
    if not 2 <= wanted <= len(placed):
        raise ScenarioError(
            f"--ranks {wanted:,}: the job {asked.job} has {len(placed):,} ranks, and a test needs two",
            hint=f"--ranks 2 to {len(placed)}",
            code="FP4022",
        )
    which = "the ranks" if wanted == len(placed) else f"the first {wanted:,} ranks"
    keys = getattr(spec, "collectives", None)
    seats = seats_of(inventory, fabric, group, placed[:wanted])
    return TestRanks(group, seats, f"{which} of {asked.job}", keys if isinstance(keys, LibrarySpec) else None)


def _group(inventory: Inventory, name: str | None) -> str:
    """The group named, or the only one with GPUs."""
    with_gpus = [group for group, entry in inventory.groups.items() if entry.gpus_per_host]
    if name is not None and (name in with_gpus or (name == IMPLICIT and not inventory.groups)):
        return name
    if name is not None:
        known = f"groups with GPUs: {', '.join(with_gpus) or 'none'}"
        what = "hosts of it have no GPUs" if name in inventory.groups else "there is no such node group"
        raise ScenarioError(
            f"--group {name!r}: {what}", hint=nearest_hint(name, with_gpus, otherwise=known), code="FP2105"
        )
    if not inventory.groups:
        return IMPLICIT
    if len(with_gpus) != 1:
        first = next(iter(inventory.groups))
        raise ScenarioError(
            f"which nodes does the test run on? {len(with_gpus)} groups have GPUs",
            hint=f"--group {with_gpus[0]}" if with_gpus else f"a node model with GPUs, or --set nodes.{first}.gpus=8",
            code="FP4023",
        )
    return with_gpus[0]


def _fabric(inventory: Inventory, name: str | None, group: str) -> str:
    try:
        fabric = inventory.fabric(name, group=group)
        inventory.host_endpoints(fabric, group)
    except TrafficError as error:
        problem = error.problems[0]
        hint = problem.hint.replace("add fabric: ", "--fabric ")
        raise ScenarioError(problem.message, hint=hint, code=problem.code) from None
    return fabric


def _placement(keys: Any, group: str) -> Placement:
    try:
        return Placement.model_validate({**keys, "group": group})
    except ValidationError as error:
        first = error.errors()[0]
        raise ScenarioError(
            f"--placement: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}",
            hint="for example --placement scattered,seed=1",
            code="FP2102",
        ) from None


def _check_count(wanted: int, gpus: int, group: str, hosts: int, per_host: int) -> None:
    if wanted > gpus:
        raise ScenarioError(
            f"--ranks {wanted:,}: {group} has {hosts:,} hosts of {per_host:,} GPUs, {gpus:,} in all",
            hint=f"--ranks {gpus}, or more nodes",
            code="FP4022",
        )
    if wanted < 2:
        raise ScenarioError(
            f"{wanted:,} rank has nobody to exchange data with", hint="--ranks 2 or more, or more GPUs", code="FP4022"
        )


def _grid(ranks: int, per_host: int) -> RankGrid:
    """Ranks of a host are neighbours, as a launcher numbers them."""
    width = per_host if ranks % per_host == 0 else 1
    return RankGrid(DIMENSIONS, {**dict.fromkeys(DIMENSIONS, 1), "tp": width, "dp": ranks // width})


def _without_keys(error: TrafficError) -> ScenarioError:
    """Problems of a placement that stands on the command line, where no key of the scenario is to be shown."""
    return ScenarioError(
        [Problem(f"--placement: {one.message}", code=one.code, hint=one.hint) for one in error.problems]
    )
