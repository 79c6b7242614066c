"""Floating-point work and activation volumes of a transformer."""

from __future__ import annotations

from typing import Literal

from traffic.formula import Formula, formula
from traffic.transformer.parameters import active_parameter_count
from traffic.transformer.shape import ModelShape

Attention = Literal["full", "causal"]
_SOURCE = "Kaplan et al., arXiv 2001.08361, table 1; PaLM, arXiv 2204.02311, appendix B"


def flops_formula(shape: ModelShape, sequence: int, tokens: int = 1, *, attention: Attention = "full") -> Formula:
    """Floating-point operations of training on ``tokens`` tokens, forward and backward, without recompute.

    Parameters
    ----------
    sequence : int
        Tokens in a sequence, s.
    attention : {'full', 'causal'}
        ``full`` counts the scores of all tokens with all, as published figures do; ``causal`` those that are used.

    Returns
    -------
    Formula
        (6·P + 12·L·h·s)·T. P counts the parameters a token meets; the second term is the attention scores and their
        use, and half of it when a causal model is counted looking only back. P counts the embedding, whose look-up
        costs nothing: 1.5 % too much for Llama 3 70B. A layer with a window of w tokens has w in place of s, or causal
        w·(1 − w/(2·s)), w/2 where windows are blocks; an indexer scores all tokens before (6·L·x·s, causal half) and
        attention is then to the tokens it picks; a state of n elements costs 6·n for every multiply-add of an element.

    References
    ----------
    Kaplan et al., arXiv 2001.08361, table 1; Chowdhery et al., arXiv 2204.02311, appendix B (12·L·h·s).
    """
    parts, terms = _beside_parameters(shape, sequence, attention)
    expression = " + ".join(["6 * P", *parts])
    return formula(
        f"({expression}) * T",
        _SOURCE,
        "FLOP",
        P=(active_parameter_count(shape), "parameters a token meets"),
        **terms,
        T=(tokens, "tokens"),
    )


def flops_per_token(shape: ModelShape, sequence: int, *, attention: Attention = "full") -> float:
    """Floating-point operations of training on one token; see :func:`flops_formula`."""
    return flops_formula(shape, sequence, attention=attention).value


def attention_share(shape: ModelShape, sequence: int, *, attention: Attention = "full") -> float:
    """Part of the work that is attention scores and their use, 0 to 1."""
    parts, terms = _beside_parameters(shape, sequence, attention)
    scores = [part for part in parts if " * n" not in part]
    if not scores:
        return 0.0
    return formula(" + ".join(scores), _SOURCE, **terms).value / flops_per_token(shape, sequence, attention=attention)


def seen_tokens(shape: ModelShape, layer: int, sequence: int, *, attention: Attention = "full") -> float:
    """Tokens whose keys one token is scored with in layer ``layer`` (from 0), the mean over a sequence."""
    if not shape.has_attention(layer):
        return 0.0
    window = shape.window if shape.mixer(layer) == "window" else None
    blocks = shape.window_blocks and window is not None
    if shape.sparse is not None and shape.sparse.tokens < sequence:
        window, blocks = shape.sparse.tokens, False
    seen = min(window or sequence, sequence)
    if attention == "full":
        return float(seen)
    return seen / 2 if blocks else seen * (1 - seen / (2 * sequence))


def _beside_parameters(
    shape: ModelShape, sequence: int, attention: Attention
) -> tuple[list[str], dict[str, tuple[float, str]]]:
    """What a token costs beside its parameters: parts of the expression, and their terms."""
    scored, causal = (6, True) if attention == "causal" else (12, False)
    full, windowed = shape.layers_with("attention", "both"), shape.layers_with("window")
    looked_back = shape.sparse.tokens if shape.sparse else None
    if looked_back is not None and looked_back < sequence:
        full, windowed, window, blocks = 0, full + windowed, looked_back, False
    else:
        window, blocks = shape.window or 0, shape.window_blocks
    if not windowed or window >= sequence:
        full, windowed = full + windowed, 0
    parts: list[str] = []
    terms: dict[str, tuple[float, str]] = {}
    if full:
        parts.append(f"{scored} * L * h * s")
        terms["L"] = (full, "layers" if full == shape.layers else "layers with full attention")
    if windowed:
        parts.append("6 * W * h * w * (2 - w / s)" if causal and not blocks else f"{scored} * W * h * w")
        terms["W"] = (windowed, "layers that look back a window")
        terms["w"] = (window, "tokens they look back")
    if full or windowed:
        terms["h"] = (_score_width(shape), "elements of all heads, the mean of keys and values")
    if shape.sparse is not None:
        parts.append("3 * I * x * s" if causal else "6 * I * x * s")
        terms["I"] = (shape.attention_layers, "layers with an indexer")
        terms["x"] = (shape.sparse.heads * shape.sparse.dim, "elements of the indexer's heads")
    if full or (windowed and not blocks and causal) or shape.sparse is not None:
        terms["s"] = (sequence, "tokens of a sequence")
    states = shape.layers_with("recurrent", "both")
    if shape.recurrent is not None and states and shape.recurrent.products:
        parts.append("6 * r * R * n")
        terms["r"] = (shape.recurrent.products, "multiply-adds per element of a state, forward")
        terms["R"] = (states, "layers with a state")
        terms["n"] = (shape.recurrent.state, "elements of a state")
    return parts, terms


def _score_width(shape: ModelShape) -> float:
    if shape.latent is None:
        return shape.attention_width
    return shape.heads * (shape.head_width + shape.latent.value_dim) / 2


def activation_bytes(shape: ModelShape, micro_batch: int, tokens: float, bytes_per_element: float) -> float:
    """Bytes of the residual stream between two layers for one micro-batch: β·b·s·h.

    Parameters
    ----------
    micro_batch : int
        Sequences in the micro-batch, b.
    tokens : float
        Tokens of each sequence on this rank, s (s/c under context parallelism).
    bytes_per_element : float
        β.

    Returns
    -------
    float
        Bytes. Not what is kept for the backward pass, which is many times that.

    References
    ----------
    Narayanan et al., SC 2021, section 3.2.
    """
    return bytes_per_element * micro_batch * tokens * shape.hidden


def kv_bytes_per_token(shape: ModelShape, bytes_per_element: float) -> float:
    """Bytes that one token leaves in the key-value cache of all layers: 2·L·h_kv·β, or L·(d_c + d_r)·β when latent.

    Layers with a window keep only so many tokens (:func:`cache_bytes`); layers with a state keep none.
    """
    return shape.attention_layers * shape.cached_width * bytes_per_element


def cache_bytes(shape: ModelShape, tokens: float, bytes_per_element: float) -> float:
    """Bytes of the cache of one sequence: keys and values of its tokens, at most a window of them, and states."""
    windowed = min(tokens, shape.window or tokens) if not shape.window_blocks else tokens
    kept = shape.layers_with("attention", "both") * tokens + shape.layers_with("window") * windowed
    states = shape.layers_with("recurrent", "both") * (shape.recurrent.state if shape.recurrent else 0)
    return (kept * shape.cached_width + (states if tokens else 0)) * bytes_per_element
