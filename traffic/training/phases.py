"""The phases of a training step: what tensor, context, pipeline, expert and data parallelism send.

Backward takes two thirds of the compute time and forward one third (twice as many products), which decides what can
hide behind them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from traffic.collective import CollectiveTraffic, together
from traffic.formula import Formula, formula
from traffic.parallelism import Parallelism, RankGrid
from traffic.seats import Seats, Share, algorithm_of, collective_phase, phase_of
from traffic.training.calls import JobSite, library_calls
from traffic.training.keys import BYTES_OF, GATHERED, Collectives, Overlap, Recompute, Sharding, ShardingGroups
from traffic.training.step import TrainingStep
from traffic.transformer.work import attention_share
from traffic.workload import Payload, Phase

FORWARD, BACKWARD = 1 / 3, 2 / 3


@dataclass(frozen=True, eq=False)
class StepPlan:
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

    def phase(
        self, name: str, operation: str, groups: Ints, payload: Callable[[int], Formula], **more: Any
    ) -> Iterator[Phase]:
        """Phase of a collective by the job's algorithm; none where there is nobody to talk to, or nothing to say."""
        shares = self.by_stage(groups, payload) if groups.shape[1] > 1 else []
        if shares:
            largest = max(share.payload.value for share in shares)
            timed = library_calls(self, name, operation, groups[0], largest)
            called = algorithm_of(timed.wired, operation)
            yield timed.of(collective_phase(name, called, self.seats, shares, by_rail=self.by_rail, **more))

    def sent(self, phase: Phase, operation: str, groups: Ints) -> Phase:
        """A phase whose algorithm is not the library's choice, with its calls."""
        return library_calls(self, phase.name, operation, groups[0], phase.payload_bytes_per_rank).of(phase)


def step_phases(plan: StepPlan) -> list[Phase]:
    """Phases of one step: first those inside the layers, then those over the step."""
    makers = (_tensor, _context, _experts, _expert_tensor, _pipeline, _embedding, _dense_data, _expert_data)
    return [phase for make in makers for phase in make(plan)]


# ---- inside the layers -----------------------------------------------------------------------------------------------


def _passes(recompute: Recompute) -> float:
    """Forward and backward, and forward once more when everything is recomputed."""
    return 3.0 if recompute == "full" else 2.0


def _tensor(plan: StepPlan) -> Iterator[Phase]:
    """Two all-reduces of a boundary per layer and pass; with sequence parallelism as all-gathers and reduce-scatters.

    A ring sends 2(t−1)/t of each: β·8·b·s·h·(t−1)/t per layer and micro-batch without recompute. Where experts are
    folded, tokens go to routed experts as they lie: such a layer has one for attention, and one for shared experts.
    """
    step = plan.step
    groups = step.grid.groups("tp")
    experts = step.shape.experts

    def payload(stage: int) -> Formula:
        if step.grid.folded is not None and experts is not None and step.expert_layers(stage):
            plain = len(step.stages[stage]) - (0 if experts.shared else step.expert_layers(stage))
            return formula(
                "w * B * (L + D) * m",
                "Narayanan et al., SC 2021, section 3.2; Megatron Core, MoE layer: routed experts take their tokens "
                "from the sequence-parallel region",
                w=(_passes(plan.recompute), "passes: forward, backward, and forward again under full recompute"),
                B=(step.boundary_bytes, "residual stream of a micro-batch, bytes"),
                L=(len(step.stages[stage]), "layers of the stage, for attention"),
                D=(plain, "layers of the stage with a plain MLP or shared experts"),
                m=(step.micro_batches, "micro-batches"),
            )
        blocks = sum(step.shape.blocks(which) for which in step.stages[stage])
        if blocks != 2 * len(step.stages[stage]):
            return formula(
                "w * B * n * m",
                "Narayanan et al., SC 2021, section 3.2; Korthikanti et al., arXiv 2205.05198",
                w=(_passes(plan.recompute), "passes: forward, backward, and forward again under full recompute"),
                B=(step.boundary_bytes, "residual stream of a micro-batch, bytes"),
                n=(blocks, "mixers and MLPs of the stage's layers"),
                m=(step.micro_batches, "micro-batches"),
            )
        return formula(
            "2 * w * B * L * m",
            "Narayanan et al., SC 2021, section 3.2; Korthikanti et al., arXiv 2205.05198",
            w=(_passes(plan.recompute), "passes: forward, backward, and forward again under full recompute"),
            B=(step.boundary_bytes, "residual stream of a micro-batch, bytes"),
            L=(len(step.stages[stage]), "layers of the stage"),
            m=(step.micro_batches, "micro-batches"),
        )

    after = ("forward", "backward")
    if plan.parallelism.sp:
        for name, operation in (("tp.all_gather", "all-gather"), ("tp.reduce_scatter", "reduce-scatter")):
            yield from plan.phase(name, operation, groups, payload, overlaps_compute=plan.overlap.tensor, after=after)
    else:
        yield from plan.phase(
            "tp.all_reduce", "all-reduce", groups, payload, overlaps_compute=plan.overlap.tensor, after=after
        )


def _context(plan: StepPlan) -> Iterator[Phase]:
    """Keys and values of all context ranks: passed round block by block, or gathered."""
    step, sizes = plan.step, plan.step.grid.sizes
    if sizes["cp"] == 1:
        return
    groups = step.grid.groups("cp")
    shape = step.shape
    room = attention_share(shape, step.batch.sequence, attention=step.attention)
    heads = max((shape.heads if shape.latent else shape.key_value_heads) / sizes["tp"], 1)
    width = shape.head_width + (shape.latent.value_dim if shape.latent else shape.head_width)
    terms = {
        "b": (step.batch.micro, "sequences of a micro-batch"),
        "s": (step.batch.sequence, "tokens of a sequence"),
        "c": (sizes["cp"], "context-parallel ranks"),
        "a": (heads, "key-value heads of a tensor rank"),
        "w": (width, "elements of a head's key and value"),
        "β": (step.activation_width, "bytes of an element"),
        "m": (step.micro_batches, "micro-batches"),
    }
    again = 1 if plan.recompute == "full" else 0
    more: dict[str, Any] = {"overlaps_compute": plan.overlap.context, "room": room, "after": ("forward", "backward")}

    def layers(stage: int) -> dict[str, tuple[float, str]]:
        count = sum(shape.has_attention(which) for which in step.stages[stage])
        every = count == len(step.stages[stage])
        return {**terms, "L": (count, "layers of the stage" if every else "layers of the stage with attention")}

    if plan.collectives.context == "ring":

        def around(stage: int) -> Formula:
            return formula(
                "(3 + r) * b * s / c * a * w * β * (c - 1) * L * m",
                "Liu et al., Ring Attention, arXiv 2310.01889, section 3 (one part forward, two backward)",
                r=(again, "1 more under full recompute"),
                **layers(stage),
            )

        phase = collective_phase("cp.send_recv", "ring-send-recv", plan.seats, plan.by_stage(groups, around), **more)
        yield plan.sent(phase, "send-recv", groups)
        return

    if plan.collectives.context == "all-to-all":
        wide = max(shape.heads / sizes["tp"], 1) * (width if shape.latent else shape.head_width * 2)

        def exchanged(stage: int) -> Formula:
            return formula(
                "(2 + r) * b * s / c * (a * w + q) * β * L * m",
                "Jacobs et al., DeepSpeed Ulysses, arXiv 2309.14509, section 3.2",
                r=(again, "1 more under full recompute"),
                q=(wide, "elements of a tensor rank's queries and results"),
                **layers(stage),
            )

        called = algorithm_of(plan.collectives.all_to_all, "all-to-all")
        if called.startswith("node-deduplicated"):  # copies of tokens are for experts alone
            called = algorithm_of("pxn", "all-to-all")
        phase = collective_phase("cp.all_to_all", called, plan.seats, plan.by_stage(groups, exchanged), **more)
        yield plan.sent(phase, "all-to-all", groups)
        return

    def gathered(stage: int) -> Formula:
        return formula(
            "(2 + r) * b * s * a * w * β * L * m",
            "Llama 3, arXiv 2407.21783, section 3.3.2 (keys and values are gathered)",
            r=(again, "1 more under full recompute"),
            **layers(stage),
        )

    def scattered(stage: int) -> Formula:
        return formula(
            "b * s * a * w * β * L * m",
            "Llama 3, arXiv 2407.21783, section 3.3.2 (gradients of keys and values, the gather's reverse)",
            **{key: value for key, value in layers(stage).items() if key != "c"},
        )

    yield from plan.phase("cp.all_gather", "all-gather", groups, gathered, **more)
    yield from plan.phase("cp.reduce_scatter", "reduce-scatter", groups, scattered, **more)


def _experts(plan: StepPlan) -> Iterator[Phase]:
    """Tokens to their experts and results back, per layer with experts, forward and backward."""
    step, sizes, experts = plan.step, plan.step.grid.sizes, plan.step.shape.experts
    if experts is None:
        return
    if plan.collectives.dispatch == "all-gather":
        yield from _gathered_experts(plan)
        return
    groups = step.grid.experts.groups("ep")
    if groups.shape[1] == 1:
        return
    called = algorithm_of(plan.collectives.all_to_all, "all-to-all")
    precision = step.precision
    for name, width in (("ep.dispatch", precision.dispatch), ("ep.combine", precision.combine)):

        def payload(stage: int, width: str | None = width) -> Formula:
            return formula(
                "w * T * k * h * β * E * m",
                "DeepSeek-V3, arXiv 2412.19437, sections 3.2.2 and 3.3.3",
                w=(_expert_passes(plan.recompute), "passes: forward, backward, and forward again when recomputed"),
                T=(
                    step.batch.micro * step.batch.sequence / (sizes["cp"] * sizes["tp"]),
                    "tokens of a rank in a micro-batch",
                ),
                k=(experts.top_k, "experts a token visits"),
                h=(step.shape.hidden, "elements of a token"),
                β=(BYTES_OF[width or precision.params], "bytes of an element"),
                E=(step.expert_layers(stage), "layers with experts of the stage"),
                m=(step.micro_batches, "micro-batches"),
            )

        shares = plan.by_stage(groups, payload)
        if shares:
            phase = collective_phase(
                name,
                called,
                plan.seats,
                shares,
                keys=experts.routing,
                overlaps_compute=plan.overlap.experts,
                after=("forward", "backward") if name == "ep.dispatch" else ("ep.dispatch",),
            )
            yield plan.sent(phase, "all-to-all", groups)


def _gathered_experts(plan: StepPlan) -> Iterator[Phase]:
    """Every rank of the experts gets all tokens, and adds up what its own come to, scattering the sums."""
    step, sizes = plan.step, plan.step.grid.sizes
    groups = step.grid.experts.groups("tp", "ep")
    precision = step.precision
    turns = (("ep.dispatch", "all-gather", precision.dispatch), ("ep.combine", "reduce-scatter", precision.combine))
    for name, operation, width in turns:

        def payload(stage: int, width: str | None = width) -> Formula:
            return formula(
                "w * T * n * h * β * E * m",
                "Megatron Core, MoEAllGatherTokenDispatcher",
                w=(_expert_passes(plan.recompute), "passes: forward, backward, and forward again when recomputed"),
                T=(
                    step.batch.micro * step.batch.sequence / (sizes["cp"] * sizes["tp"]),
                    "tokens of a rank in a micro-batch",
                ),
                n=(groups.shape[1], "ranks that gather"),
                h=(step.shape.hidden, "elements of a token"),
                β=(BYTES_OF[width or precision.params], "bytes of an element"),
                E=(step.expert_layers(stage), "layers with experts of the stage"),
                m=(step.micro_batches, "micro-batches"),
            )

        after = ("forward", "backward") if name == "ep.dispatch" else ("ep.dispatch",)
        yield from plan.phase(name, operation, groups, payload, overlaps_compute=plan.overlap.experts, after=after)


def _expert_passes(recompute: Recompute) -> float:
    """Forward and backward, and forward once more when experts are recomputed."""
    return 3.0 if recompute in ("full", "experts") else 2.0


def _expert_tensor(plan: StepPlan) -> Iterator[Phase]:
    """Tokens of folded experts, gathered over the tensor ranks of each and scattered as sums of their parts."""
    step, sizes, experts = plan.step, plan.step.grid.sizes, plan.step.shape.experts
    if experts is None or step.grid.folded is None or plan.collectives.dispatch == "all-gather":
        return
    groups = step.grid.folded.groups("tp")

    def payload(stage: int) -> Formula:
        return formula(
            "w * T * k * n * h * β * E * m",
            "Megatron Core, MoEAlltoAllTokenDispatcher (expert tensor parallel ranks)",
            w=(_expert_passes(plan.recompute), "passes: forward, backward, and forward again when recomputed"),
            T=(
                step.batch.micro * step.batch.sequence / (sizes["cp"] * sizes["tp"]),
                "tokens of a rank in a micro-batch",
            ),
            k=(experts.top_k, "experts a token visits"),
            n=(groups.shape[1], "tensor ranks of an expert"),
            h=(step.shape.hidden, "elements of a token"),
            β=(step.activation_width, "bytes of an element"),
            E=(step.expert_layers(stage), "layers with experts of the stage"),
            m=(step.micro_batches, "micro-batches"),
        )

    for name, operation in (("etp.all_gather", "all-gather"), ("etp.reduce_scatter", "reduce-scatter")):
        yield from plan.phase(
            name,
            operation,
            groups,
            payload,
            overlaps_compute=plan.overlap.experts,
            after=("ep.dispatch",) if step.grid.folded.sizes["ep"] > 1 else ("forward", "backward"),
        )


# ---- between stages --------------------------------------------------------------------------------------------------


def _pipeline(plan: StepPlan) -> Iterator[Phase]:
    """Activations to the next chunk of layers and gradients back, on the ways that the schedule takes."""
    step, sizes = plan.step, plan.step.grid.sizes
    schedule, stages = step.schedule, sizes["pp"]
    if stages == 1:
        return
    split = sizes["tp"] if plan.parallelism.scatter_gather or plan.parallelism.sp else 1
    terms = {
        "B": (step.boundary_bytes, "residual stream of a micro-batch, bytes"),
        "t": (split, "tensor ranks that send a share each"),
        "n": (schedule.sends, f"micro-batches that the busiest stage sends, both ways ({schedule.name})"),
    }
    busiest = formula("B / t * n", "Narayanan et al., SC 2021, sections 2.2.2 and 4.1", **terms)
    one = step.boundary_bytes / split
    groups = step.grid.groups("pp")
    rank, last = np.arange(stages), stages - 1
    neighbours, around = schedule.sends_down
    rows = [
        CollectiveTraffic.of(rank[:-1], rank[1:], one * neighbours, busiest),
        CollectiveTraffic.of(rank[1:], rank[:-1], one * neighbours, busiest),
        CollectiveTraffic.of([last, 0], [0, last], one * around, busiest),
    ]
    sent = busiest.value
    more: dict[str, Any] = {
        "overlaps_compute": plan.overlap.pipeline,
        "least_exposed": schedule.waited_share if plan.overlap.pipeline else 1.0,
        "after": ("forward", "backward"),
        "sent": busiest,
    }
    more["payloads"] = (Payload(step.grid.ranks, busiest),)
    phase = phase_of("pp.send_recv", "send-recv", plan.seats, [(together(rows, busiest), groups)], sent, sent, **more)
    yield plan.sent(phase, "send-recv", groups)


def _embedding(plan: StepPlan) -> Iterator[Phase]:
    """Gradients of a tied embedding, between its two copies on the first and the last stage."""
    step, sizes = plan.step, plan.step.grid.sizes
    if not step.shape.tied_embeddings or not step.ends_apart:
        return
    ends = column(step.grid.groups("pp")[:, [0, -1]], np.int32)
    payload = formula(
        "V * h / t * g",
        "Narayanan et al., SC 2021; Megatron-LM, embedding group",
        V=(step.shape.vocab, "vocabulary"),
        h=(step.shape.hidden, "elements of a token"),
        t=(sizes["tp"], "tensor-parallel ranks"),
        g=(BYTES_OF[step.precision.grads], "bytes of a gradient"),
    )
    timed = library_calls(plan, "embedding.all_reduce", "all-reduce", ends[0], payload.value)
    called, shares = algorithm_of(timed.wired, "all-reduce"), [Share(ends, payload)]
    yield timed.of(
        collective_phase("embedding.all_reduce", called, plan.seats, shares, by_rail=plan.by_rail, after=("backward",))
    )


# ---- over the step ---------------------------------------------------------------------------------------------------


def data_groups(step: TrainingStep, grid: RankGrid, *dimensions: str) -> Ints:
    """Ranks that hold the same parameters, shape (groups, ranks): along dimensions, and over stages with copies."""
    schedule = step.schedule
    if schedule.copies == 1:
        return grid.groups(*dimensions)
    all_stages = grid.groups(*dimensions, "pp")
    stage = grid.coordinates(all_stages.ravel())["pp"].reshape(all_stages.shape)
    pairs = [
        all_stages[np.isin(stage, schedule.pieces_of(number))].reshape(len(all_stages), -1)
        for number in range(schedule.stages // schedule.copies)
    ]
    return column(np.concatenate(pairs), np.int32)


def _dense_data(plan: StepPlan) -> Iterator[Phase]:
    groups = data_groups(plan.step, plan.step.grid, "dp", "cp", "ep")
    return _data(plan, "dp", groups, plan.step.dense_on_rank, plan.step.kept_on_rank)


def _expert_data(plan: StepPlan) -> Iterator[Phase]:
    """Experts have fewer copies: only ranks with the same experts reduce them."""
    if plan.step.shape.experts is None:
        return iter(())
    groups = data_groups(plan.step, plan.step.grid.experts, "dp", "cp")
    return _data(plan, "edp", groups, plan.step.experts_on_rank, lambda stage: 0.0)


def _data(
    plan: StepPlan, prefix: str, groups: Ints, on_rank: Callable[[int], float], kept: Callable[[int], float]
) -> Iterator[Phase]:
    """Gradients and parameters between the ranks that hold the same part of the model.

    ``kept`` is how many of its parameters are gathered in the parameters' own type, whatever ``precision.gather`` is.
    """
    step, sharding, detail = plan.step, plan.sharding, plan.sharding_groups
    if groups.shape[1] == 1:
        return
    micro, gathered = step.micro_batches, sharding in GATHERED
    reduces = micro if detail.reduce == "micro-batch" else 1
    grads = _parameters(on_rank, BYTES_OF[step.precision.grads], "gradient", reduces, "reductions in a step")
    hidden = plan.overlap.grad_reduce if plan.overlap.grad_reduce is not None else gathered
    left = 1.0 if reduces > 1 else step.last_backward
    reducing = {"overlaps_compute": hidden, "room": BACKWARD * left, "after": ("backward",)}
    if sharding == "none":
        yield from plan.phase(f"{prefix}.all_reduce", "all-reduce", groups, grads, **reducing)
        return
    inner, outer = _hybrid(groups, _shared_by(plan, groups))
    yield from plan.phase(f"{prefix}.reduce_scatter", "reduce-scatter", inner, grads, **reducing)
    if outer.shape[1] > 1:
        share = inner.shape[1]

        def shards(stage: int) -> Formula:
            whole = grads(stage)
            return formula(
                "G / n",
                "Zhao et al., PyTorch FSDP, VLDB 2023, section 3.2.2 (hybrid sharding)",
                G=(whole.value, "gradients of a rank, bytes"),
                n=(share, "ranks that share a copy"),
            )

        waits = {**reducing, "after": (f"{prefix}.reduce_scatter",)}
        yield from plan.phase(f"{prefix}.all_reduce", "all-reduce", outer, shards, **waits)
    gathers = (2 * micro if detail.gather == "micro-batch" else 2) if gathered and detail.reshard else 1
    params = _parameters(on_rank, BYTES_OF[step.precision.params], "parameter", gathers, "gathers in a step")
    if step.precision.gather not in (None, step.precision.params):
        params = _gathered(step, on_rank, kept, gathers)
    hidden = plan.overlap.param_gather if plan.overlap.param_gather is not None else gathered
    room = 1.0 if gathers > 1 else FORWARD * step.last_backward
    after = ("forward", "backward") if gathers > 1 else (f"{prefix}.reduce_scatter",)
    yield from plan.phase(
        f"{prefix}.all_gather", "all-gather", inner, params, overlaps_compute=hidden, room=room, after=after
    )


def state_ranks(plan: StepPlan) -> tuple[int, int]:
    """Ranks that the optimizer's state of a parameter is split over: outside routed experts, and of those."""
    if plan.sharding == "none":
        return 1, 1
    grid = plan.step.grid
    groups = (data_groups(plan.step, grid, "dp", "cp", "ep"), data_groups(plan.step, grid.experts, "dp", "cp"))
    dense, experts = (_shared_by(plan, one) or int(one.shape[1]) for one in groups)
    return dense, experts


def _shared_by(plan: StepPlan, groups: Ints) -> int | None:
    """Ranks that share one copy: as said, or as many as make the number of copies that is said."""
    detail, size = plan.sharding_groups, int(groups.shape[1])
    if detail.copies is None:
        return detail.ranks
    if detail.ranks is not None or size % detail.copies:
        both = detail.ranks is not None
        raise TrafficError(
            "ranks and copies are both given"
            if both
            else f"{detail.copies} copies do not divide the {size} data-parallel ranks",
            where="sharding.copies",
            hint="one of ranks and copies"
            if both
            else f"copies is one of {', '.join(str(value) for value in range(1, size + 1) if size % value == 0)}",
            code="FP4014",
        )
    return size // detail.copies


def _parameters(
    on_rank: Callable[[int], float], width: int, what: str, times: int, of_what: str
) -> Callable[[int], Formula]:
    def payload(stage: int) -> Formula:
        return formula(
            "P * β * x",
            "Rajbhandari et al., ZeRO, SC 2020, section 7",
            P=(on_rank(stage), "parameters of a rank"),
            β=(width, f"bytes of a {what}"),
            x=(times, of_what),
        )

    return payload


def _gathered(
    step: TrainingStep, on_rank: Callable[[int], float], kept: Callable[[int], float], times: int
) -> Callable[[int], Formula]:
    """Parameters gathered in another type than they are kept in, such as FP8."""
    precision = step.precision

    def payload(stage: int) -> Formula:
        return formula(
            "((P - K) * γ + K * β) * x",
            "Rajbhandari et al., ZeRO, SC 2020, section 7; Transformer Engine, FP8 parameters",
            P=(on_rank(stage), "parameters of a rank"),
            K=(kept(stage), "of embedding, head, norms and router"),
            γ=(BYTES_OF[precision.gather or precision.params], "bytes of a gathered parameter of a matrix"),
            β=(BYTES_OF[precision.params], "bytes of the others"),
            x=(times, "gathers in a step"),
        )

    return payload


def _hybrid(groups: Ints, ranks: int | None) -> tuple[Ints, Ints]:
    """Groups that share one copy, and groups of equal places in all copies.

    Raises
    ------
    TrafficError
        When a copy's ranks do not divide the group (FP4014).
    """
    size = groups.shape[1]
    share = size if ranks is None else ranks
    if size % share:
        raise TrafficError(
            f"{share} ranks do not divide the {size} data-parallel ranks into whole copies",
            where="sharding.ranks",
            hint=f"ranks is one of {', '.join(str(value) for value in range(1, size + 1) if size % value == 0)}",
            code="FP4014",
        )
    copies = groups.reshape(len(groups), size // share, share)
    inner = copies.reshape(-1, share)
    outer = np.moveaxis(copies, 1, 2).reshape(-1, size // share)
    return column(inner, np.int32), column(outer, np.int32)
