"""``inference``: serving a model with prefill and decode in separate pools, and the key-value caches between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.registry import Injected, Spec
from topologies.units import Count, CountOrZero, Ratio, percent
from traffic.collective import CollectiveTraffic
from traffic.expert_load import ExpertLoad
from traffic.expert_load_file import ExpertLoadFile
from traffic.formula import Formula, formula
from traffic.inventory import Inventory
from traffic.library.call import AUTO
from traffic.number_types import BYTES_OF, NumberType, PayloadType, vector_terms
from traffic.on_failure import JobLayout, OnFailure, job_on_failure
from traffic.parallelism import Parallelism
from traffic.placement import GpuPool, Placement, gpu_group
from traffic.scale_up import Joined
from traffic.seats import Seats, Share, algorithm_from, algorithm_of, collective_phase, phase_of, seats_of
from traffic.steady import per_second
from traffic.training.expert_load import check_expert_keys, choice_of_experts, load_of_experts
from traffic.training.keys import Collectives
from traffic.transformer.parameters import Weights, active_parameter_count, embedding, head, layer, parameter_count
from traffic.transformer.shape import ModelShape
from traffic.transformer.source import ModelSpec, read_model
from traffic.transformer.work import cache_bytes, kv_bytes_per_token
from traffic.workload import (
    WORKLOADS,
    GroupShape,
    ModelFigures,
    Payload,
    Phase,
    Spread,
    WorkloadContext,
    WorkloadTraffic,
)

_EXAMPLE = {
    "model": {"layers": 8, "hidden": 1024, "ffn_hidden": 4096, "heads": 16, "kv_heads": 4, "vocab": 32000},
    "requests_per_s": 10,
    "prompt": {"mean": 2000},
    "output": {"values": [[128, "75%"], [1024, "25%"]]},
    "prefill": {"gpus": 8, "tp": 8},
    "decode": {"gpus": 8, "tp": 4},
    "prefix_hit": "30%",
}


class Lengths(Spec):
    """How many tokens prompts or answers have: their mean, or lengths with their shares."""

    mean: Annotated[float, Field(gt=0)] | None = Field(default=None, description="Mean tokens")
    values: tuple[tuple[Count, Ratio], ...] | None = Field(
        default=None, description="Lengths and their shares, which add up to 100%"
    )

    def tokens(self, where: str) -> float:
        """Mean tokens.

        Raises
        ------
        TrafficError
            When both or neither way is given, or shares do not add up (FP4070).
        """
        if (self.mean is None) == (self.values is None):
            raise TrafficError(
                "lengths are a mean, or values with shares; one of them",
                where=where,
                hint="mean: 2000, or values: [[512, 50%], [4096, 50%]]",
                code="FP4070",
            )
        if self.values is None:
            return float(self.mean or 0.0)
        total = sum(share for _, share in self.values)
        if abs(total - 1) > 1e-6:
            raise TrafficError(
                f"the shares of lengths add up to {total:.4g}",
                where=f"{where}.values",
                hint="they add up to 1, or 100%",
                code="FP4070",
            )
        return sum(length * share for length, share in self.values)

    def shares(self) -> tuple[tuple[float, float], ...]:
        """Lengths and their shares; the mean with all of it where no lengths are given."""
        if self.values is None:
            return ((float(self.mean or 0.0), 1.0),)
        return tuple((float(length), share) for length, share in self.values)


class ServingPool(Spec):
    """GPUs that do one part of serving, as equal instances of the model."""

    gpus: Count = Field(description="GPUs of all instances")
    tp: Count = Field(default=1, description="Tensor parallel ranks of an instance")
    ep: Count = Field(default=1, description="Ranks that share the experts; over instances")
    placement: Placement = Field(default=Placement(), description="Where they are")


@WORKLOADS.register("inference", example=_EXAMPLE)
def inference(
    model: ModelSpec,
    requests_per_s: Annotated[float, Field(gt=0)],
    prompt: Lengths,
    output: Lengths,
    prefill: ServingPool,
    decode: ServingPool,
    prefix_hit: Ratio = 0.0,
    params: NumberType = "bf16",
    kv: NumberType | None = None,
    dispatch: PayloadType | None = None,
    combine: PayloadType | None = None,
    scale_block: CountOrZero | None = None,
    expert_load: ExpertLoadFile | None = None,
    collectives: Collectives = Collectives(),
    fabric: str | None = None,
    on_failure: OnFailure | None = None,
    *,
    context: Injected[WorkloadContext],
) -> WorkloadTraffic:
    """Steady traffic of serving: prompts are computed on one set of GPUs, answers on another.

    Every request moves the keys and values of its prompt from a prefill instance to a decode instance, evenly over all
    pairs of instances; tensor rank i of one side sends the heads that each rank of the other side needs. Tensor
    parallelism and experts exchange activations for every token they compute.

    Parameters
    ----------
    model : ModelShape, HfConfigFile or MegatronArguments
        Shape of the model.
    requests_per_s : float
        Requests per second in all.
    prompt, output : Lengths
        Tokens of prompts and of answers.
    prefill, decode : ServingPool
        GPUs of each part, their tensor and expert parallelism.
    prefix_hit : float
        Share of prompt tokens whose keys and values the decode side has from earlier requests.
    params, kv, dispatch, combine : NumberType
        Number types of activations, the cache (params if absent), and tokens to and from experts (params if absent).
    scale_block : int, optional
        Elements of fp8 that share a scale of 4 bytes on the way to and from experts; 128 if absent, 0 for none.
    expert_load : ExpertLoadFile, optional
        File of the tokens that each expert got, by layer or for all layers; all get as many if absent.
    collectives : Collectives
        How collectives are carried out.
    fabric : str, optional
        Fabric it crosses; the one on which the groups have a NIC per GPU if absent.
    on_failure : OnFailure, optional
        What serving does when its hosts or its traffic fail; a replica is an instance of the model.

    Returns
    -------
    WorkloadTraffic
        Steady phases ``kv.transfer``, ``prefill.tp``, ``decode.tp``, ``prefill.dispatch`` and ``prefill.combine``,
        ``decode.dispatch`` and ``decode.combine``; those that do not apply are left out.

    References
    ----------
    Zhong et al., "DistServe", OSDI 2024; DeepSeek-V3, arXiv 2412.19437, section 3.4.
    """
    source = read_model(model, context.directory)
    context.say(*source.notes)
    shape = source.shape
    asked, answered = prompt.tokens("prompt"), output.tokens("output")
    group = gpu_group(context.inventory, prefill.placement.group)
    network = context.inventory.fabric(fabric, group=group)
    pools = [_Pool.of(name, spec, shape, network, context) for name, spec in (("prefill", prefill), ("decode", decode))]
    cache = kv_bytes_per_token(shape, BYTES_OF[kv or params])
    computed = asked * (1 - prefix_hit)
    lengths = [(tokens * (1 - prefix_hit), share) for tokens, share in prompt.shares()]
    kept = sum(share * cache_bytes(shape, tokens, BYTES_OF[kv or params]) for tokens, share in lengths)
    phases = [_transfer(pools[0], pools[1], shape, requests_per_s, computed, cache, kept)]
    load = load_of_experts(shape, expert_load, context.directory)
    check_expert_keys(collectives, load)
    types = _ExpertTypes(dispatch or params, combine or params, scale_block, load)
    work = _Work(shape, collectives, BYTES_OF[params], types)
    phases += work.phases(pools[0], requests_per_s * computed)
    phases += work.phases(pools[1], requests_per_s * answered)
    for pool in pools:
        context.say(*pool.joined(context).notes([phase for phase in phases if phase.name.startswith(pool.name)]))
    per_rank = [_on_rank(shape, pool.spec) for pool in pools for _ in range(pool.spec.gpus)]
    qps = collectives.qps_per_connection or 1
    return WorkloadTraffic(
        id=context.id,
        kind="inference",
        phases=tuple(replace(per_second(phase), flows_per_pair=qps) for phase in phases if phase.pairs),
        groups={
            f"{pool.name}-{name}": GroupShape(size, pool.spec.gpus // size)
            for pool in pools
            for name, size in (("tp", pool.spec.tp), ("ep", pool.spec.ep))
        },
        ranks=prefill.gpus + decode.gpus,
        model=ModelFigures(
            parameters=parameter_count(shape),
            parameters_active=active_parameter_count(shape),
            parameters_per_rank=Spread(min(per_rank), sum(per_rank) / len(per_rank), max(per_rank)),
            kv_bytes_per_token=cache,
            origin=source.origin,
            recognised=source.recognised,
            ignored=source.ignored,
        ),
        assumptions=(
            f"a request has {asked:,.0f} prompt and {answered:,.0f} output tokens on average (prompt, output)",
            f"{percent(prefix_hit, 0)} of prompt tokens are in the decode side's cache and do not move (prefix_hit)",
            "requests are spread evenly over all pairs of prefill and decode instances",
            *(choice_of_experts(load, pool.spec.ep) for pool in pools if pool.spec.ep > 1),
            *(
                ("how many tokens are in a batch is not known: collectives are rings (collectives.algorithm)",)
                if collectives.algorithm == AUTO and max(prefill.tp, decode.tp) > 1
                else ()
            ),
            *dict.fromkeys(
                text for pool in pools for text in pool.joined(context).assumptions(phases, prefill.gpus + decode.gpus)
            ),
        ),
        warnings=tuple(
            f"{pool.name}: its GPUs would need {percent(share)} of what their scale-up links carry"
            for pool in pools
            if (share := sum(phase.inside_s for phase in phases if phase.name.startswith(f"{pool.name}."))) > 1
        ),
        on_failure=job_on_failure(on_failure, _layout(pools, network, context), context),
    )


def _layout(pools: Sequence[_Pool], network: str, context: WorkloadContext) -> JobLayout:
    """What its reactions to failures depend on: an instance is the widest of its tensor and expert groups."""
    widths = [max(pool.spec.tp, pool.spec.ep) for pool in pools]
    instances = min(pool.spec.gpus // width for pool, width in zip(pools, widths, strict=True))
    return JobLayout(tuple(f"{context.id} {pool.name}" for pool in pools), network, max(widths), instances)


@dataclass(frozen=True, eq=False)
class _Pool:
    name: str
    group: str
    spec: ServingPool
    seats: Seats

    @staticmethod
    def of(name: str, spec: ServingPool, shape: ModelShape, network: str, context: WorkloadContext) -> _Pool:
        """Place a pool's GPUs; every instance is ``tp`` consecutive ranks."""
        inventory: Inventory = context.inventory
        try:
            _check(spec, shape)
            group = gpu_group(inventory, spec.placement.group)
            pool = GpuPool.of(spec.placement, context, group, network)
            grid = Parallelism(tp=spec.tp).resolve(spec.gpus)
            placed = pool.place(spec.placement, grid, context, f"{context.id} {name}")
            return _Pool(name, group, spec, seats_of(inventory, network, group, placed))
        except TrafficError as error:
            raise error.under(name) from error

    def joined(self, context: WorkloadContext) -> Joined:
        """Its node group's scale-up links."""
        per_host = context.inventory.gpus_per_host(self.group)
        hosts = len(context.inventory.host_names(self.seats.fabric, self.group))
        return Joined(self.seats.links, self.group, per_host, hosts)

    def instances(self) -> Ints:
        """Ranks of every instance, shape (instances, tp)."""
        return column(np.arange(self.spec.gpus).reshape(-1, self.spec.tp), np.int32)


def _check(spec: ServingPool, shape: ModelShape) -> None:
    if spec.gpus % spec.tp or spec.gpus % spec.ep or shape.heads % spec.tp:
        what = "heads" if shape.heads % spec.tp else "GPUs"
        split = spec.tp if what == "heads" or spec.gpus % spec.tp else spec.ep
        count = shape.heads if what == "heads" else spec.gpus
        raise TrafficError(
            f"{count:,} {what} do not split over {split} ranks",
            where="tp" if what == "heads" or spec.gpus % spec.tp else "ep",
            hint=f"choose a divisor of {count:,}",
            code="FP4071",
        )
    if spec.ep > 1 and (shape.experts is None or shape.experts.count % spec.ep):
        reason = "the model is dense" if shape.experts is None else f"{shape.experts.count} experts do not split"
        raise TrafficError(f"ep is {spec.ep}, but {reason}", where="ep", hint="ep: 1", code="FP4012")


def _on_rank(shape: ModelShape, spec: ServingPool) -> float:
    """Parameters of one rank."""
    total = sum((layer(shape, number, spec.tp) for number in range(shape.layers)), Weights())
    total = total + embedding(shape) + head(shape, apart=False)
    return total.dense_on_rank(spec.tp) + total.experts / max(spec.tp, spec.ep)


def _transfer(
    prefill: _Pool, decode: _Pool, shape: ModelShape, requests_per_s: float, tokens: float, cache: float, kept: float
) -> Phase:
    """Keys and values of prompts, from every prefill instance to every decode instance, per second.

    ``tokens`` of a request are not in the decode side's cache, ``cache`` bytes each; ``kept`` is what they leave where
    some layers keep only a window of them, or a state.
    """
    source = "DistServe, OSDI 2024; keys and values of every prompt token that is not in the cache"
    if shape.layers_with("window", "recurrent", "both"):
        volume = formula(
            "R * c",
            source,
            R=(requests_per_s, "requests per second"),
            c=(kept, "bytes of a request's keys and values: full layers, windows, and states"),
        )
    else:
        volume = formula(
            "T * c",
            source,
            T=(requests_per_s * tokens, "prompt tokens per second"),
            c=(cache, "bytes of a token's keys and values, all layers"),
        )
    share = _shared_heads(shape, prefill.spec.tp, decode.spec.tp)
    senders, receivers = prefill.instances(), decode.instances()
    each = volume.value / (len(senders) * len(receivers))
    src, dst, amount = [], [], []
    for near, far in zip(*np.nonzero(share), strict=True):
        one, other = np.meshgrid(senders[:, near], receivers[:, far], indexing="ij")
        src.append(one.ravel())
        dst.append(prefill.spec.gpus + other.ravel())
        amount.append(np.full(one.size, each * share[near, far]))
    apart = prefill.group != decode.group  # then the same number is another host
    behind = int(prefill.seats.domains.max()) + 1 if apart else 0
    both = Seats(
        prefill.seats.fabric,
        column(np.concatenate([prefill.seats.endpoints, decode.seats.endpoints]), np.int32),
        column(np.concatenate([prefill.seats.domains, decode.seats.domains + behind]), np.int32),
        column(np.concatenate([prefill.seats.places, decode.seats.places]), np.int32),
        prefill.seats.links,
    )
    traffic = CollectiveTraffic.of(np.concatenate(src), np.concatenate(dst), np.concatenate(amount), volume)
    ranks = column(np.arange(prefill.spec.gpus + decode.spec.gpus)[None, :], np.int32)
    payloads = (Payload(1, volume),)
    return phase_of("kv.transfer", "send-recv", both, [(traffic, ranks)], volume.value, volume.value, payloads=payloads)


def _shared_heads(shape: ModelShape, senders: int, receivers: int) -> np.ndarray:
    """Part of a token's keys and values that tensor rank i sends to rank j, shape (senders, receivers).

    Heads are distributed in order; a head that several receivers hold goes to each of them, from one of its holders.
    Latent vectors are whole on every rank, so that every receiver gets one.
    """
    share = np.zeros((senders, receivers))
    if shape.latent is not None:
        share[np.arange(receivers) % senders, np.arange(receivers)] = 1.0
        return share
    heads = shape.key_value_heads
    for one in range(heads):
        holders = [rank for rank in range(senders) if _holds(rank, senders, one, heads)]
        wanted = [rank for rank in range(receivers) if _holds(rank, receivers, one, heads)]
        for place, rank in enumerate(wanted):
            share[holders[place % len(holders)], rank] += 1 / heads
    return share


def _holds(rank: int, ranks: int, head: int, heads: int) -> bool:
    return head * ranks // heads <= rank < max((head + 1) * ranks // heads, head * ranks // heads + 1)


@dataclass(frozen=True)
class _ExpertTypes:
    """Number types of tokens to experts and of results, and how often each expert is visited."""

    dispatch: str
    combine: str
    scale_block: int | None
    load: ExpertLoad | None


@dataclass(frozen=True)
class _Work:
    """What computing tokens sends inside a pool."""

    shape: ModelShape
    collectives: Collectives
    width: int  # bytes of an activation's element
    types: _ExpertTypes

    def phases(self, pool: _Pool, tokens_per_s: float) -> list[Phase]:
        """Phases of one second."""
        found = []
        by_rail = self.collectives.library != "plain"
        if pool.spec.tp > 1:
            groups = pool.instances()
            blocks = sum(self.shape.blocks(number) for number in range(self.shape.layers))
            even = blocks == 2 * self.shape.layers
            count = {"L": (self.shape.layers, "layers")} if even else {"n": (blocks, "mixers and MLPs of all layers")}
            volume = formula(
                "2 * L * h * β * T / i" if even else "n * h * β * T / i",
                "Narayanan et al., SC 2021, section 3.2 (an all-reduce of a token per mixer and MLP, forward only)",
                **count,
                h=(self.shape.hidden, "elements of a token"),
                β=(self.width, "bytes of an element"),
                T=(tokens_per_s, "tokens per second in all"),
                i=(len(groups), "instances"),
            )
            algorithm = None if self.collectives.algorithm == AUTO else self.collectives.algorithm
            called = algorithm_from(algorithm, "all-reduce", pool.seats, groups)
            name = f"{pool.name}.tp"
            found.append(collective_phase(name, called, pool.seats, [Share(groups, volume)], by_rail=by_rail))
        experts = self.shape.experts
        if pool.spec.ep > 1 and experts is not None:
            groups = column(np.arange(pool.spec.gpus).reshape(-1, pool.spec.ep), np.int32)
            called = algorithm_of(self.collectives.all_to_all, "all-to-all")
            keys = experts.routing | {"hosts": self.collectives.dispatch_hosts}
            loads = self.types.load
            for what, kind in (("dispatch", self.types.dispatch), ("combine", self.types.combine)):
                load = None if loads is None else loads.of_layers(range(self.shape.layers), back=what == "combine")
                share = Share(groups, self._experts(pool, tokens_per_s, kind), load)
                found.append(collective_phase(f"{pool.name}.{what}", called, pool.seats, [share], keys=keys))
        return found

    def _experts(self, pool: _Pool, tokens_per_s: float, kind: str) -> Formula:
        experts = self.shape.experts
        vector, of_vector = vector_terms(kind, self.types.scale_block, self.shape.hidden)
        return formula(
            f"T / n * k * {vector} * E",
            "DeepSeek-V3, arXiv 2412.19437, section 3.4",
            T=(tokens_per_s, "tokens per second in all"),
            n=(pool.spec.gpus, "GPUs of the pool"),
            k=(experts.top_k if experts else 0, "experts a token visits"),
            **of_vector,
            E=(self.shape.expert_layers, "layers with experts"),
        )
