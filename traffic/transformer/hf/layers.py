"""What each layer of a ``config.json`` is: full or windowed attention, a state, a plain MLP or experts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from traffic.transformer.hf.config import Config
from traffic.transformer.shape import Feed, Mixer

_MIXERS: dict[str, Mixer] = {
    "full_attention": "attention",
    "attention": "attention",
    "indexed_attention": "attention",
    "sliding_attention": "window",
    "chunked_attention": "window",
    "linear_attention": "recurrent",
    "mamba": "recurrent",
    "conv": "recurrent",
}
_PATTERN: dict[str, tuple[Mixer, Feed]] = {
    "M": ("recurrent", "none"),
    "*": ("attention", "none"),
    "-": ("none", "mlp"),
    "E": ("none", "experts"),
}
_BLOCKS = {
    "mamba": "M", "linear_attention": "M", "attention": "*", "full_attention": "*", "mlp": "-", "moe": "E",
}  # fmt: skip


def mixers(c: Config, layers: int, otherwise: Callable[[int], Mixer]) -> tuple[Mixer, ...]:
    """Mixer of every layer, from ``layer_types`` or else the family's rule."""
    said = c.texts("layer_types")
    if said is None:
        return tuple(otherwise(layer) for layer in range(layers))
    unknown = sorted(set(said) - set(_MIXERS))
    if unknown:
        raise c.refuse(f"has layers of type {', '.join(unknown)} in layer_types, which are not counted")
    return tuple(_MIXERS[one] for one in _one_a_layer(c, "layer_types", said, layers))


def _one_a_layer(c: Config, key: str, said: Sequence[str], layers: int) -> Sequence[str]:
    """Entries of a list; a shorter list that divides the layers is a pattern, and said to be."""
    if len(said) == layers:
        return said
    if not said or layers % len(said):
        raise c.refuse(f"has {len(said)} entries in {key} for {layers} layers", "one entry a layer")
    c.remarks.append(f"{key}: {len(said)} entries for {layers} layers, taken as a pattern that repeats")
    return list(said) * (layers // len(said))


def every(period: int, offset: int, one: Mixer, other: Mixer) -> Callable[[int], Mixer]:
    """``one`` in layers ``offset``, ``offset`` + ``period``, ..., ``other`` elsewhere."""
    return lambda layer: one if layer % period == offset % period else other


def nemotron_layers(c: Config) -> tuple[tuple[Mixer, ...], tuple[Feed, ...]]:
    """Layers of one block each, from a pattern such as ``M-M*-`` or a list of blocks."""
    said = c.get("hybrid_override_pattern")
    if not said.absent:
        pattern = said.text()
    else:
        blocks = c.texts("layers_block_type") or ()
        pattern = "".join(_BLOCKS.get(block, "?") for block in blocks)
    if not pattern or set(pattern) - set(_PATTERN):
        raise c.refuse(
            f"has layers {pattern!r}, which are not all of M, *, - and E",
            "hybrid_override_pattern has a letter a layer: M state space, * attention, - MLP, E experts",
        )
    kinds = [_PATTERN[letter] for letter in pattern]
    return tuple(mixer for mixer, _ in kinds), tuple(feed for _, feed in kinds)


def feeds(c: Config, layers: int, sparse: Callable[[int], bool]) -> tuple[bool, ...]:
    """Whether each layer has experts, from ``mlp_layer_types`` or else the family's rule."""
    said = c.texts("mlp_layer_types")
    if said is None:
        return tuple(sparse(layer) for layer in range(layers))
    if set(said) - {"dense", "sparse"}:
        raise c.refuse(f"has layers of type {', '.join(sorted(set(said) - {'dense', 'sparse'}))} in mlp_layer_types")
    return tuple(one == "sparse" for one in _one_a_layer(c, "mlp_layer_types", said, layers))


def regular(sparse: Sequence[bool]) -> tuple[int, int] | None:
    """Dense layers at the start and distance of layers with experts, where these two say it all.

    >>> regular([False, True, True]), regular([True, False, True]), regular([False, True, True, False])
    ((1, 1), (0, 2), None)
    """
    if True not in sparse:
        return None
    first = list(sparse).index(True)
    rest = sparse[first:]
    distance = next((place for place in range(1, len(rest)) if rest[place]), len(rest))
    return (first, distance) if list(rest) == [place % distance == 0 for place in range(len(rest))] else None
