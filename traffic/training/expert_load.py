"""Loads of experts in a job: what they are read from, which keys go with them, and what they come to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from topologies.columns import column
from topologies.errors import TrafficError
from topologies.units import percent
from traffic.collective import COLLECTIVES
from traffic.expert_hosts import most_hosts, visited_hosts
from traffic.expert_load import ExpertLoad
from traffic.expert_load_file import ExpertLoadFile, read_expert_load
from traffic.number_types import wire_type
from traffic.seats import algorithm_of
from traffic.training.keys import Collectives
from traffic.training.phases import StepPlan
from traffic.transformer.parameters import routed_parameters_per_token
from traffic.transformer.shape import Experts, ModelShape
from traffic.workload import ModelFigures

DEDUPLICATED = "node-deduplicated-all-to-all"


def load_of_experts(shape: ModelShape, spec: ExpertLoadFile | None, directory: Path) -> ExpertLoad | None:
    """The histogram of a job; None where all experts get as many tokens.

    Raises
    ------
    TrafficError
        When the model is dense (FP4047).
    """
    if spec is None:
        return None
    if shape.experts is None:
        raise TrafficError(
            "the model is dense: no experts share its tokens", where="expert_load", hint="leave it out", code="FP4047"
        )
    return read_expert_load(spec, directory, shape, shape.experts)


def check_expert_keys(collectives: Collectives, load: ExpertLoad | None) -> None:
    """Refuse keys of the exchange of tokens that this job has no use for.

    Raises
    ------
    TrafficError
        FP4047.
    """
    called = algorithm_of(collectives.all_to_all, "all-to-all")
    if collectives.dispatch_hosts is not None and called != DEDUPLICATED:
        raise TrafficError(
            f"all_to_all {collectives.all_to_all} sends every copy of a token; there are no hosts to count",
            where="collectives.dispatch_hosts",
            hint="all_to_all: node-deduplicated, or leave dispatch_hosts out",
            code="FP4047",
        )
    if load is None:
        return
    if collectives.dispatch_hosts == "worst":
        raise TrafficError(
            "the worst case has no loads: every token goes to all hosts that it can",
            where="collectives.dispatch_hosts",
            hint="dispatch_hosts: expected, or leave expert_load out",
            code="FP4047",
        )
    if "load" not in COLLECTIVES[called].injected:
        raise TrafficError(
            f"all_to_all {collectives.all_to_all} does not follow loads of experts",
            where="collectives.all_to_all",
            hint="direct, pxn and node-deduplicated do",
            code="FP4047",
        )


def expert_figures(figures: ModelFigures, plan: StepPlan) -> ModelFigures:
    """The figures of a job with those of its experts' loads."""
    ranks = plan.step.grid.experts.sizes["ep"]
    if plan.step.shape.experts is None or plan.step.flops.value <= 0:
        return figures
    work = 6 * routed_parameters_per_token(plan.step.shape) * plan.step.tokens / plan.step.flops.value
    load = plan.expert_load
    return replace(figures, expert_work=work, expert_imbalance=load.imbalance(ranks) if load else 1.0)


def expert_assumptions(plan: StepPlan) -> list[str]:
    """How tokens are taken to choose their experts, and how many hosts they go to."""
    step, load, experts = plan.step, plan.expert_load, plan.step.shape.experts
    ranks = step.grid.experts.sizes["ep"]
    if experts is None or (ranks == 1 and step.grid.folded is None):
        return []
    stated = [choice_of_experts(load, ranks)]
    if ranks == 1 or plan.collectives.dispatch == "all-gather":
        return stated
    for name, kind in (("dispatch", step.precision.dispatch), ("combine", step.precision.combine)):
        wire = wire_type(kind or step.precision.params, step.precision.scale_block)
        if wire.block and step.precision.scale_block is None:
            stated.append(
                f"{name} in {kind or step.precision.params} carries a scale of {wire.scale_bytes} B for every "
                f"{wire.block} elements (precision.scale_block)"
            )
    if algorithm_of(plan.collectives.all_to_all, "all-to-all") == DEDUPLICATED:
        stated += _hosts(plan, experts)
    return stated


def choice_of_experts(load: ExpertLoad | None, ranks: int) -> str:
    """How tokens choose, and how much more the busiest of the ranks that share the experts gets."""
    if load is None:
        return "tokens go to all experts evenly (expert_load)"
    over = percent(load.imbalance(ranks) - 1, 0)
    return (
        f"tokens go to experts as counted: the busiest of {ranks:,} ranks has {over} more than the mean, in each layer "
        "another; a token's experts are otherwise drawn independently, different ones (expert_load)"
    )


def _hosts(plan: StepPlan, experts: Experts) -> list[str]:
    """Different hosts of a token, on average and at worst, in the first group of the experts."""
    group = plan.step.grid.experts.groups("ep")[0]
    host = column(np.unique(plan.seats.hosts[group], return_inverse=True)[1], np.int32)
    if host.max() == 0:
        return []
    groups, limit, node_limit = experts.groups, experts.group_limit, experts.node_limit
    most = min(experts.top_k, most_hosts(host, experts.count, groups, limit, node_limit))
    if plan.collectives.dispatch_hosts == "worst":
        return [f"every token goes to {most} hosts, the worst case (collectives.dispatch_hosts)"]
    if node_limit is not None and node_limit <= host.max():
        groups, limit, host = int(host.max()) + 1, node_limit, column(np.sort(host), np.int32)
    if plan.expert_load is None:
        mean = float(visited_hosts(host, experts.top_k, experts.count, groups, limit).sum())
    else:
        loads = plan.expert_load.of_layers(plan.expert_load.layers, back=False)
        mean = float(loads.visits(host, groups, limit).sum(axis=1).mean())
    return [
        f"a token goes to {mean:.3g} different hosts on average; {most} is the worst case (collectives.dispatch_hosts)"
    ]
