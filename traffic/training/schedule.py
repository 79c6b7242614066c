"""Pipeline schedules: what stages idle, what they keep meanwhile, and which sends they wait for.

The forward pass of a micro-batch on a stage takes one unit, the gradients of its input another, those of its weights a
third; under full recompute the backward pass has the forward in it once more. Stages are taken as alike.

References
----------
GPipe, arXiv 1811.06965; 1F1B and interleaved: Narayanan et al., SC 2021, section 2.2; eager 1F1B: Zhuang et al., arXiv
2211.05322, section 4; ZB-H1, ZB-H2, ZB-V: Qi et al., arXiv 2401.10241 (tables 2 and 3, section 6); DualPipe:
DeepSeek-V3, arXiv 2412.19437, table 2.
"""

from __future__ import annotations

from dataclasses import dataclass

from topologies.errors import TrafficError
from traffic.formula import Formula, formula
from traffic.parallelism import ScheduleName

_SPLIT = "Qi et al., Zero Bubble Pipeline Parallelism, arXiv 2401.10241"
_STRICT = "the order of the schedule, in which a micro-batch's gradient is needed as soon as it is sent"
_BUBBLES: dict[str, tuple[str, str]] = {
    "1f1b": ("(p - 1) / m", "Narayanan et al., SC 2021, section 2.2.1"),
    "eager-1f1b": ("(p - 1) / m", "Zhuang et al., arXiv 2211.05322, section 4"),
    "gpipe": ("(p - 1) / m", "Huang et al., GPipe, arXiv 1811.06965, section 2.3"),
    "interleaved": ("(p - 1) / (v * m)", "Narayanan et al., SC 2021, section 2.2.2"),
    "zb-h1": ("(p - 1) * (F + B - W) / (m * (F + B + W))", f"{_SPLIT}, table 2"),
    "zb-h2": ("(p - 1) * (F + B - 2 * W) / (m * (F + B + W))", f"{_SPLIT}, table 2"),
    "zb-v": ("(p - 1) * (F + B - 2 * W) / (m * (F + B + W))", f"{_SPLIT}, section 6"),
    "dualpipe": ("(p / 2 - 1) * (F + 2 * B - W) / (m * (F + B + W))", "DeepSeek-V3, arXiv 2412.19437, table 2"),
}
# Sends on the way of a step from its first forward to its last backward that nothing hides, of one micro-batch each.
_WAITS: dict[str, tuple[str, str]] = {
    "gpipe": ("2 * (p - 1)", "the first micro-batch goes down all stages, the last gradient up"),
    "eager-1f1b": ("2 * (p - 1)", "the first micro-batch goes down all stages, the last gradient up"),
    "1f1b": ("2 * (p - 1) * m / p + 2 * (p - 2)", _STRICT),
    "interleaved": ("2 * (p * v - 1)", "the first micro-batch goes through all chunks, and the last gradient back"),
    "zb-h1": ("4 * (p - 1)", "the first micro-batches fill the stages, once more when weights' gradients begin"),
    "zb-h2": ("2 * (p - 1)", "the first micro-batch goes down all stages, the last gradient up"),
    "zb-v": ("n", _STRICT),
    "dualpipe": ("2 * p - 1", "those outside the overlapped pairs of forward and backward"),
}
_KEPT = {
    "gpipe": "all micro-batches",
    "1f1b": "as many micro-batches as stages follow, and its own",
    "eager-1f1b": "twice as many micro-batches as stages follow, and its own",
    "interleaved": "chunks of micro-batches until the first comes back",
    "zb-h1": "as many micro-batches as there are stages, on every stage",
    "zb-h2": "twice as many micro-batches as there are stages, less one, on every stage",
    "zb-v": "as many micro-batches as there are stages, on every stage",
    "dualpipe": "as many micro-batches as there are stages and one more, of half its layers each",
}


@dataclass(frozen=True)
class Schedule:
    """How the stages of a pipeline take turns.

    Examples
    --------
    >>> schedule = Schedule("interleaved", stages=4, chunks=2, micro_batches=8)
    >>> schedule.bubble.value, schedule.in_flight(0), schedule.waits.value
    (0.1875, 5.5, 14.0)
    """

    name: ScheduleName
    stages: int  # p
    chunks: int  # of a stage, as parallelism.vpp counts them
    micro_batches: int  # of the whole pipeline, m
    recomputed: bool = False  # the backward pass has the whole forward pass in it

    @property
    def bubble(self) -> Formula:
        """Idle over useful time of a stage."""
        expression, source = _BUBBLES[self.name]
        terms: dict[str, tuple[float, str]] = {
            "p": (self.stages, "pipeline stages"),
            "v": (self.chunks, "chunks of layers per stage"),
            "m": (self.micro_batches, "micro-batches of a pipeline"),
            "F": (1, "time of a forward pass"),
            "B": (2 if self.recomputed else 1, "time of the gradients of its inputs"),
            "W": (1, "time of the gradients of its weights"),
        }
        used = {name: term for name, term in terms.items() if name in expression}
        return formula(expression, source, "of the useful time", **used)

    def in_flight(self, stage: int) -> float:
        """Micro-batches whose activations a stage keeps at most, each of all its layers.

        Where gradients of weights are put off, a micro-batch counts in full until they are done.
        """
        p, m, v = self.stages, self.micro_batches, self.chunks
        after = p - stage - 1
        most: dict[str, float] = {
            "gpipe": m,
            "1f1b": after + 1,
            "eager-1f1b": 2 * after + 1,
            "interleaved": (2 * after + (v - 1) * p + 1) / v,
            "zb-h1": p,
            "zb-h2": 2 * p - 1,
            "zb-v": p,
            "dualpipe": (p + 1) / 2,
        }
        return min(most[self.name], m)

    @property
    def kept(self) -> str:
        """What a stage keeps, in words."""
        return _KEPT[self.name]

    @property
    def sends(self) -> int:
        """Micro-batches that the busiest stage sends to its neighbours in a step, both ways."""
        p, m, v = self.stages, self.micro_batches, self.chunks
        if self.name == "zb-v":  # down and up again, forward and backward
            return 4 * m if p > 2 else 2 * m
        if p == 2:  # the first stage sends v forward and v-1 back
            return m * (2 * v - 1)
        return 2 * m * v

    @property
    def sends_down(self) -> tuple[int, int]:
        """Micro-batches that a stage sends to the next in a step, and the last one to the first; as many come back."""
        p, m, v = self.stages, self.micro_batches, self.chunks
        if self.name == "zb-v":
            return 2 * m, 0
        return (m * v, m * (v - 1)) if p > 1 else (0, 0)

    @property
    def waits(self) -> Formula:
        """Sends that the schedule waits for, though they go on beside compute."""
        expression, source = _WAITS[self.name]
        terms: dict[str, tuple[float, str]] = {
            "p": (self.stages, "pipeline stages"),
            "v": (self.chunks, "chunks of layers per stage"),
            "m": (self.micro_batches, "micro-batches of a pipeline"),
            "n": (self.sends, "sends of the busiest stage"),
        }
        return formula(
            expression, source, "sends", **{name: term for name, term in terms.items() if name in expression}
        )

    @property
    def waited_share(self) -> float:
        """Sends that the schedule waits for over those of the busiest stage, at most 1."""
        return min(self.waits.value / self.sends, 1.0) if self.stages > 1 else 0.0

    # ---- where chunks of layers are ----------------------------------------------------------------------------------

    @property
    def pieces(self) -> int:
        """Chunks that the model is cut into."""
        return self.stages * (1 if self.name == "dualpipe" else self.chunks)

    def pieces_of(self, stage: int) -> tuple[int, ...]:
        """Chunks of a stage, by their place in the model.

        >>> Schedule("zb-v", 4, 2, 8).pieces_of(0), Schedule("dualpipe", 4, 1, 8).pieces_of(3)
        ((0, 7), (3, 0))
        """
        p = self.stages
        if self.name == "zb-v":
            return stage, 2 * p - 1 - stage
        if self.name == "dualpipe":
            return stage, p - 1 - stage
        return tuple(chunk * p + stage for chunk in range(self.chunks))

    @property
    def copies(self) -> int:
        """Stages that hold the same layers."""
        return 2 if self.name == "dualpipe" else 1


def pipeline_schedule(
    name: ScheduleName | None, stages: int, chunks: int | None, micro_batches: int, *, recomputed: bool = False
) -> Schedule:
    """The schedule that keys come to; by default 1F1B, or interleaved where stages have several chunks.

    Parameters
    ----------
    chunks : int, optional
        Chunks of a stage where the scenario says.

    Raises
    ------
    TrafficError
        When the schedule does not run with so many stages, chunks or micro-batches (FP4027).
    """
    chosen: ScheduleName = name or ("interleaved" if (chunks or 1) > 1 else "1f1b")
    if stages == 1:
        if name is not None:
            raise _refused("schedule", f"schedule is {name}, but there is one pipeline stage", "pp above 1")
        return Schedule(chosen, 1, 1, micro_batches, recomputed)
    default = 2 if chosen == "zb-v" else 1
    schedule = Schedule(chosen, stages, default if chunks is None else chunks, micro_batches, recomputed)
    _check_chunks(schedule)
    _check_micro_batches(schedule, "schedule" if name else "vpp")
    return schedule


def _check_chunks(schedule: Schedule) -> None:
    name, chunks = schedule.name, schedule.chunks
    if name == "interleaved":
        if chunks < 2:
            raise _refused("vpp", "the interleaved schedule has several chunks of layers on a stage", "vpp: 2, or 1f1b")
    elif name == "zb-v":
        if chunks != 2:
            raise _refused("vpp", f"vpp is {chunks}; zb-v has two chunks of layers on a stage, down and up", "vpp: 2")
    elif chunks != 1:
        other = "leave vpp out" if name == "dualpipe" else "vpp: 1, or schedule: interleaved"
        raise _refused("vpp", f"vpp is {chunks}; {name} does not cut a stage's layers into chunks", other)
    if name == "dualpipe" and schedule.stages % 2:
        raise _refused(
            "pp", f"dualpipe pairs the stages, and pp is {schedule.stages}", f"pp: {schedule.stages + 1}, or zb-h1"
        )


def _check_micro_batches(schedule: Schedule, key: str) -> None:
    """Enough micro-batches to fill the pipeline, in groups that the schedule takes."""
    name, p, m = schedule.name, schedule.stages, schedule.micro_batches
    least, step = {
        "interleaved": (p, p),  # Megatron Core: groups of p micro-batches take turns on the chunks
        "zb-h1": (p, 1),
        "zb-h2": (2 * p - 1, 1),
        "zb-v": (2 * p - 1, 1),
        "dualpipe": (2 * p, 2),
    }.get(name, (1, 1))
    if m >= least and m % step == 0:
        return
    rule = f"at least {least}" if m < least else f"a multiple of {step}"
    fitting = max(-(-m // step) * step, least)
    raise _refused(
        key,
        f"{name} over {p} stages takes {rule} micro-batches, and a pipeline has {m} (batch.global over micro x dp)",
        f"a batch.global of {fitting} micro-batches, fewer data-parallel ranks, or schedule: 1f1b with vpp: 1",
    )


def _refused(key: str, reason: str, hint: str) -> TrafficError:
    return TrafficError(reason, where=f"parallelism.{key}", hint=hint, code="FP4027")
