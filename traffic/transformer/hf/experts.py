"""Mixtures of experts as the families' keys describe them."""

from __future__ import annotations

from dataclasses import dataclass

from traffic.transformer.hf.config import Config
from traffic.transformer.hf.layers import feeds, regular
from traffic.transformer.shape import Experts, Feed


@dataclass(frozen=True)
class ExpertKeys:
    """How a family says which layers have experts, and what they are."""

    layers: str = "all"  # all, first, step, range, period, interleave, none
    width: str = "moe_intermediate_size"  # key of an expert's width; that of the MLP where absent
    shared: str = ""  # "count", "width" (a key of its own), "one", or none
    router_bias: bool = False
    router_bias_key: str = ""
    gate: bool = False  # a gate of the shared experts
    limited: bool = False  # n_group and topk_group limit the routing
    methods: tuple[str, ...] = ()  # of topk_method, where the limit is only theirs
    plain_beside: bool = False  # a plain MLP beside the experts


def experts(c: Config, keys: ExpertKeys, layers: int, ffn: int) -> tuple[Experts | None, tuple[Feed, ...] | None]:
    """Experts, and what follows in each layer where their own keys cannot say it; none where there are no experts."""
    count = c.whole("num_experts", least=0)
    width = c.optional(keys.width) or ffn
    sparse = _sparse(c, keys, layers) if count else (False,) * layers
    if True not in sparse:
        return None, None
    places = regular(sparse)
    groups, limit = _limit(c, keys)
    shared = c.amount("num_shared_experts") if keys.shared == "count" else int(keys.shared == "one")
    own = c.optional("shared_expert_intermediate_size", least=0) if keys.shared in ("width", "count") else None
    if own == shared * width:
        own = None
    bias = keys.router_bias or bool(keys.router_bias_key and c.flag(keys.router_bias_key))
    made = Experts(
        count=count,
        top_k=c.whole("num_experts_per_tok"),
        ffn_hidden=width if width != ffn else None,
        shared=0 if own else shared,
        shared_ffn_hidden=own or None,
        first_dense=places[0] if places else 0,
        every=places[1] if places else 1,
        groups=groups,
        group_limit=limit,
        router_bias=bias,
    )
    full: Feed = "both" if keys.plain_beside else "experts"
    listed = tuple(full if one else "mlp" for one in sparse) if not places or keys.plain_beside else None
    return made, listed


def _limit(c: Config, keys: ExpertKeys) -> tuple[int | None, int | None]:
    """Groups and how many of them a token chooses; one group, or all of them, are no limit."""
    if not keys.limited:
        return None, None
    groups, limit = c.optional("n_group"), c.optional("topk_group")
    method = c.get("topk_method")
    if keys.methods and (method.text("") or keys.methods[0]) not in keys.methods[1:]:
        return None, None
    if groups is None or limit is None or groups == 1:
        return None, None
    return groups, limit


def _sparse(c: Config, keys: ExpertKeys, layers: int) -> tuple[bool, ...]:
    if keys.layers == "first":
        first, every = c.amount("first_k_dense_replace"), _frequency(c, layers)
        if isinstance(every, tuple):
            return every
        return feeds(c, layers, lambda layer: layer >= first and layer % every == 0)
    if keys.layers == "step":
        step, plain = c.optional("decoder_sparse_step") or 1, set(c.wholes("mlp_only_layers") or ())
        return feeds(c, layers, lambda layer: layer not in plain and (layer + 1) % step == 0)
    if keys.layers == "range":
        start, interval = c.amount("moe_layer_start_index"), c.optional("moe_layer_interval") or 1
        value = c.get("moe_layer_end_index")
        last = layers - 1 if value.absent or value.value == -1 else value.whole()
        return feeds(c, layers, lambda layer: start <= layer <= last and (layer + 1) % interval == 0)
    if keys.layers == "period":
        period, offset = c.whole("expert_layer_period"), c.amount("expert_layer_offset")
        return feeds(c, layers, lambda layer: layer % period == offset)
    if keys.layers == "interleave":
        listed, step = c.wholes("moe_layers"), c.optional("interleave_moe_layer_step") or 1
        return feeds(c, layers, lambda layer: layer in listed if listed is not None else (layer + 1) % step == 0)
    return feeds(c, layers, lambda _: True)


def _frequency(c: Config, layers: int) -> int | tuple[bool, ...]:
    """``moe_layer_freq``: a distance, or a list of zeros and ones."""
    said = c.get("moe_layer_freq")
    if isinstance(said.value, list):
        listed = tuple(one.whole(most=1) == 1 for one in said.each())
        if len(listed) != layers:
            raise c.refuse(f"has {len(listed)} entries in moe_layer_freq for {layers} layers", "one entry a layer")
        return listed
    return 1 if said.absent else said.whole(least=1)
