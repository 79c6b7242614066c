"""Floating-point work and activation volumes of a transformer."""

from __future__ import annotations

from traffic.formula import Formula, formula
from traffic.transformer.parameters import active_parameter_count
from traffic.transformer.shape import ModelShape


def flops_formula(shape: ModelShape, sequence: int, tokens: int = 1) -> Formula:
    """Floating-point operations of training on ``tokens`` tokens, forward and backward, without recompute.

    Parameters
    ----------
    sequence : int
        Tokens in a sequence, s.

    Returns
    -------
    Formula
        (6·P + 6·L·h·s)·T. P counts the parameters a token meets. The second term is the attention scores and their use,
        12·L·h·s, halved because a causal model looks only back. P counts the embedding, whose look-up costs nothing:
        1.5 % too much for Llama 3 70B.

    References
    ----------
    Kaplan et al., arXiv 2001.08361, table 1; Chowdhery et al., arXiv 2204.02311, appendix B (12·L·h·s).
    """
    return formula(
        "(6 * P + 6 * L * h * s) * T",
        "Kaplan et al., arXiv 2001.08361, table 1; PaLM, arXiv 2204.02311, appendix B",
        "FLOP",
        P=(active_parameter_count(shape), "parameters a token meets"),
        L=(shape.layers, "layers"),
        h=(_score_width(shape), "elements of all heads, the mean of keys and values"),
        s=(sequence, "tokens of a sequence"),
        T=(tokens, "tokens"),
    )


def flops_per_token(shape: ModelShape, sequence: int) -> float:
    """Floating-point operations of training on one token; see :func:`flops_formula`."""
    return flops_formula(shape, sequence).value


def attention_share(shape: ModelShape, sequence: int) -> float:
    """Part of the work that is attention scores and their use, 0 to 1."""
    return 6.0 * shape.layers * _score_width(shape) * sequence / flops_per_token(shape, sequence)


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
    """Bytes that one token leaves in the key-value cache of all layers: 2·L·h_kv·β, or L·(d_c + d_r)·β when latent."""
    return shape.layers * shape.kv_width * bytes_per_element
