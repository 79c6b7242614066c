"""What a training job is made of: its step, where its ranks sit, and how it goes about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from topologies.columns import Ints, column
from traffic.expert_load import ExpertLoad
from traffic.formula import Formula
from traffic.inventory import Inventory
from traffic.library.call import LibraryCall
from traffic.parallelism import Parallelism
from traffic.seats import Seats, Share
from traffic.training.keys import Collectives, Overlap, Recompute, Sharding, ShardingGroups
from traffic.training.step import TrainingStep
from traffic.workload import Phase


@dataclass(frozen=True)
class PhaseCalls:
    """The calls of one phase."""

    count: float  # in a step, of a rank
    turns: int  # of a call that the library is asked for one after another
    flows_per_pair: int
    call: LibraryCall

    @property
    def wired(self) -> str:
        """Algorithm that carries the bytes."""
        return self.call.wired

    def of(self, phase: Phase) -> Phase:
        """The phase with its calls."""
        return replace(
            phase,
            calls=self.count,
            rounds=self.turns * self.call.rounds,
            latency_s=self.turns * self.call.latency_s,
            flows_per_pair=self.flows_per_pair,
        )


@dataclass(frozen=True, eq=False)
class JobSite:
    """Where a job runs, as far as the collective library asks."""

    inventory: Inventory
    group: str  # node group
    gpus_per_host: int
    calls: dict[str, PhaseCalls] = field(default_factory=dict)  # by phase, as they are worked out


@dataclass(frozen=True, eq=False)
class JobPlan:
    """All that decides the phases of a step."""

    step: TrainingStep
    seats: Seats
    parallelism: Parallelism
    collectives: Collectives
    sharding: Sharding
    sharding_groups: ShardingGroups
    overlap: Overlap
    recompute: Recompute
    site: JobSite
    expert_load: ExpertLoad | None = None  # where tokens do not go to all experts alike

    @property
    def by_rail(self) -> bool:
        """Whether rings and trees keep to rails."""
        return self.collectives.library != "plain"

    def by_stage(self, groups: Ints, payload: Callable[[int], Formula]) -> list[Share]:
        """Groups that lie inside one stage each, with the payload of their stage; stages that agree together."""
        stage = self.step.grid.coordinates(groups[:, 0])["pp"]
        shares: dict[float, tuple[Formula, list[int]]] = {}
        for number in range(self.step.grid.sizes["pp"]):
            found = payload(number)
            shares.setdefault(found.value, (found, []))[1].append(number)
        return [
            Share(column(groups[np.isin(stage, numbers)], np.int32), found)
            for value, (found, numbers) in shares.items()
            if value > 0
        ]
