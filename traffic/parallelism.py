"""Ranks as a grid of tensor, context, expert, data and pipeline parallelism.

A rank's number is its mixed-radix number over the five sizes; ``order`` names the dimensions from the one that varies
fastest. Megatron's default is ``tp-cp-ep-dp-pp``: ranks of one tensor-parallel group are neighbours.

With ``etp`` experts are folded over the same ranks, as in Megatron Core: attention sees tp x cp x dp x pp, experts see
etp x ep x edp x pp, and both lie in the same order over the same stages.

References
----------
Liu et al., MoE parallel folding, arXiv 2504.14960, section 3.2; Megatron-LM, ``megatron/core/parallel_state.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BeforeValidator, Field, WithJsonSchema

from topologies.columns import Ints, column
from topologies.errors import TrafficError
from topologies.registry import Spec
from topologies.units import Count, CountOrZero

DIMENSIONS = ("tp", "cp", "ep", "dp", "pp")
DEFAULT_ORDER = "tp-cp-ep-dp-pp"
ScheduleName = Literal["1f1b", "eager-1f1b", "interleaved", "zb-h1", "zb-h2", "zb-v", "dualpipe", "gpipe"]


def _auto(value: Any) -> Any:
    return None if value == "auto" else value


_COUNT_OR_AUTO = {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "auto"}]}
CountOrAuto = Annotated[Count | None, BeforeValidator(_auto), WithJsonSchema(_COUNT_OR_AUTO)]


class Parallelism(Spec):
    """Sizes of the five dimensions, and how ranks are numbered over them."""

    tp: Count = Field(default=1, description="Tensor parallel ranks")
    pp: Count = Field(default=1, description="Pipeline stages")
    cp: Count = Field(default=1, description="Context parallel ranks")
    ep: Count = Field(
        default=1,
        description="Expert parallel ranks; above 1 only for models with experts. Beside dp; with etp over the same "
        "ranks as tp, cp and dp",
    )
    etp: Count | None = Field(
        default=None,
        description="Tensor parallel ranks of one expert. Given: experts are laid out apart from attention over the "
        "same ranks (folding), etp x ep x copies x pp beside tp x cp x dp x pp, and dp counts all data parallel ranks",
    )
    sp: bool = Field(
        default=False, description="Sequence parallelism: tensor ranks split the tokens between their parts"
    )
    vpp: Count = Field(default=1, description="Chunks of layers per stage: above 1 the interleaved schedule")
    schedule: ScheduleName | None = Field(
        default=None,
        description="How stages take turns; 1f1b if absent, or interleaved with vpp above 1. zb-: gradients of weights "
        "are put off; zb-v has two chunks a stage; dualpipe: micro-batches enter at both ends, layers are held twice",
    )
    scatter_gather: bool = Field(
        default=True, description="Tensor ranks send their share of a stage boundary each, and gather it behind"
    )
    stage_layers: tuple[CountOrZero, ...] | None = Field(
        default=None,
        description="Layers of every pipeline stage, where they do not divide evenly; of every chunk in the order of "
        "the model with vpp above 1. 0 for one with the embedding or the head alone",
    )
    dp: CountOrAuto = Field(default=None, description="Data parallel ranks; auto: what the GPUs leave")
    order: str = Field(default=DEFAULT_ORDER, description="Dimensions from the fastest varying rank digit")

    def resolve(self, ranks: int) -> RankGrid:
        """The grid of ``ranks`` ranks.

        Raises
        ------
        TrafficError
            When the sizes do not multiply to the number of ranks (FP4010), or ``order`` is not a permutation (FP4011).
        """
        order = tuple(self.order.split("-"))
        if sorted(order) != sorted(DIMENSIONS):
            raise TrafficError(
                f"{self.order!r} does not name each of {', '.join(DIMENSIONS)} once",
                where="parallelism.order",
                hint=f"Megatron's default is {DEFAULT_ORDER}",
                code="FP4011",
            )
        fixed = {"tp": self.tp, "cp": self.cp, "pp": self.pp}
        if self.etp is None:
            fixed = {"tp": self.tp, "cp": self.cp, "ep": self.ep, "pp": self.pp}
        model_ranks = prod(fixed.values())
        if self.dp is not None and model_ranks * self.dp != ranks:
            raise self._wrong_product(ranks, model_ranks, self.dp)
        if ranks % model_ranks:
            product = " x ".join(f"{name} {size}" for name, size in fixed.items() if size > 1)
            largest = max(fixed, key=lambda name: (fixed[name], name))
            raise TrafficError(
                f"{product} is {model_ranks:,} ranks, which does not divide {ranks:,} GPUs",
                where=f"parallelism.{largest}",
                hint=_nearest_sizes(fixed, ranks),
                code="FP4010",
            )
        sizes = {"ep": 1} | fixed | {"dp": ranks // model_ranks}
        attention = RankGrid(order, {name: sizes[name] for name in DIMENSIONS})
        return attention if self.etp is None else replace(attention, folded=self._folded(attention, self.etp))

    def _folded(self, attention: RankGrid, etp: int) -> RankGrid:
        """Experts over the ranks of the attention's grid.

        Raises
        ------
        TrafficError
            When they do not divide the ranks, or a stage of theirs is not a stage of attention (FP4010).
        """
        ranks, model_ranks = attention.ranks, etp * self.ep * self.pp
        if ranks % model_ranks:
            beside = f" x pp {self.pp}" if self.pp > 1 else ""
            fixed = {"etp": etp, "ep": self.ep, "pp": self.pp}
            raise TrafficError(
                f"etp {etp} x ep {self.ep}{beside} is {model_ranks:,} ranks of experts, which does not divide "
                f"{ranks:,} GPUs",
                where="parallelism.ep" if self.ep > 1 else "parallelism.etp",
                hint=_nearest_sizes(fixed, ranks),
                code="FP4010",
            )
        sizes = {"tp": etp, "cp": 1, "ep": self.ep, "dp": ranks // model_ranks, "pp": self.pp}
        experts = RankGrid(attention.order, {name: sizes[name] for name in DIMENSIONS})
        if self.pp > 1 and experts.stride("pp") != attention.stride("pp"):
            raise TrafficError(
                f"in the order {self.order} the stages of experts (etp {etp} x ep {self.ep}) are not those of "
                f"attention (tp {self.tp} x cp {self.cp})",
                where="parallelism.order",
                hint=f"end the order with pp, as {DEFAULT_ORDER} does, or make etp x ep equal to tp x cp",
                code="FP4010",
            )
        return experts

    def _wrong_product(self, ranks: int, model_ranks: int, dp: int) -> TrafficError:
        ep = self.ep if self.etp is None else 1
        sizes = {"tp": self.tp, "cp": self.cp, "pp": self.pp, "ep": ep, "dp": dp}
        used = {name: size for name, size in sizes.items() if size > 1 or name == "dp"}
        fits = (
            f"dp {ranks // model_ranks}" if ranks % model_ranks == 0 else f"gpus {ranks // model_ranks * model_ranks}"
        )
        product = f"{' x '.join(used)}: {' x '.join(map(str, used.values()))} = {model_ranks * dp:,} ranks"
        return TrafficError(
            f"{product}, the job has {ranks:,}: {fits} fits",
            where="parallelism.dp",
            hint=f"{fits.replace(' ', ': ')}, or gpus: {model_ranks * dp}, or dp: auto",
            code="FP4010",
        )


def _nearest_sizes(fixed: Mapping[str, int], ranks: int) -> str:
    """For each dimension, the sizes next to the given one that make the product divide the ranks."""
    choices = []
    for name, size in fixed.items():
        others = prod(fixed.values()) // size
        if size == 1 or ranks % others:
            continue
        fitting = [value for value in range(1, ranks // others + 1) if ranks % (others * value) == 0]
        below = [value for value in fitting if value < size][-1:]
        above = [value for value in fitting if value > size][:1]
        choices.append(f"{name}: " + " or ".join(map(str, below + above)))
    product = prod(fixed.values())
    fewer = ranks // product * product
    rounded = f"gpus: {fewer or product}"
    return f"{'; '.join([*choices, rounded])} would fit"


@dataclass(frozen=True)
class RankGrid:
    """Ranks 0..n-1 as digits; sizes are resolved."""

    order: tuple[str, ...]  # fastest first
    sizes: Mapping[str, int]
    folded: RankGrid | None = None  # how experts lie over the same ranks, where that is not this grid

    @property
    def experts(self) -> RankGrid:
        """The grid that experts go by: ``tp`` is the tensor ranks of one expert, ``dp`` x ``cp`` its copies."""
        return self.folded or self

    def stride(self, dimension: str) -> int:
        """Ranks from one to the next along a dimension."""
        return prod(self.sizes[name] for name in self.order[: self.order.index(dimension)])

    @property
    def ranks(self) -> int:
        """All ranks."""
        return prod(self.sizes.values())

    def coordinates(self, ranks: ArrayLike) -> dict[str, Ints]:
        """Position of ranks along every dimension.

        Parameters
        ----------
        ranks : array-like of int, shape (R,)

        Returns
        -------
        dict of str to ndarray, shape (R,)
            Keys ``tp``, ``cp``, ``ep``, ``dp``, ``pp``.

        Examples
        --------
        >>> grid = Parallelism(tp=2, pp=4).resolve(16)
        >>> {name: int(at[0]) for name, at in grid.coordinates([13]).items()}
        {'tp': 1, 'cp': 0, 'ep': 0, 'dp': 0, 'pp': 3}
        """
        rest = np.asarray(ranks, dtype=np.int64)
        found: dict[str, Ints] = {}
        for name in self.order:
            found[name] = column(rest % self.sizes[name], np.int32)
            rest = rest // self.sizes[name]
        return {name: found[name] for name in DIMENSIONS}

    def groups(self, *dimensions: str) -> Ints:
        """Communicators along one dimension, or along several taken as one.

        Parameters
        ----------
        *dimensions : str
            Such as ``"dp"``, or ``"dp", "cp"`` for Megatron's ``dp-cp`` group.

        Returns
        -------
        ndarray of int, shape (count, size)
            Ranks; each row ascends, rows are in order of their first rank.

        Examples
        --------
        Megatron's own example, 16 GPUs with tp 2 and pp 4:

        >>> Parallelism(tp=2, pp=4).resolve(16).groups("pp").tolist()
        [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]]

        References
        ----------
        Megatron-LM, ``megatron/core/parallel_state.py``, ``initialize_model_parallel``.
        """
        outer_first = self.order[::-1]
        grid = np.arange(self.ranks, dtype=np.int32).reshape([self.sizes[name] for name in outer_first])
        axes = [axis for axis, name in enumerate(outer_first) if name in dimensions]
        last = np.moveaxis(grid, axes, range(-len(axes), 0))
        return column(last.reshape(-1, prod(self.sizes[name] for name in dimensions)), np.int32)
