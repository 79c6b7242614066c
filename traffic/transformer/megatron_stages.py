"""How Megatron-LM cuts layers into pipeline stages and chunks."""

from __future__ import annotations

import re

_SIGNS = re.compile(r"[Etmnl|L]*")
MOST_SIGNS = 100_000


class StageCutError(ValueError):
    """Layers do not split as the arguments say; the message says why."""


def cut_evenly(layers: int, stages: int, chunks: int, *, embedding: bool, loss: bool) -> tuple[int, ...]:
    """Layers of every chunk in the order of the model, where embedding or head count as a layer.

    Examples
    --------
    Two layers and the embedding, two layers and the head:

    >>> cut_evenly(4, 2, 1, embedding=True, loss=True)
    (2, 2)

    References
    ----------
    Megatron Core, ``get_num_layers_to_build``.
    """
    places, pieces = layers + embedding + loss, stages * chunks
    if places % pieces:
        raise StageCutError(f"{places} layers, embedding and head counted, do not split over {pieces} chunks of stages")
    counts = [places // pieces] * pieces
    counts[0] -= embedding
    counts[-1] -= loss
    if min(counts) < 0:
        raise StageCutError("a stage has less than no layer")
    return tuple(counts)


def cut_by_ends(layers: int, stages: int, chunks: int, first: int | None, last: int | None) -> tuple[int, ...]:
    """Layers of every chunk in the order of the model, where the first or the last stage is said.

    Examples
    --------
    >>> cut_by_ends(27, 2, 1, 13, 14)
    (13, 14)
    >>> cut_by_ends(10, 4, 1, None, 1)
    (3, 3, 3, 1)

    References
    ----------
    Megatron Core, ``get_num_layers_to_build``.
    """
    said = [count for count in (first, last) if count is not None]
    middle = stages - len(said)
    left = layers - sum(said)
    if middle < 0 or left < 0 or bool(left) != bool(middle) or (middle and left % middle):
        raise StageCutError(f"{left} layers are left for {middle} stages in the middle")
    each = left // middle if middle else 0
    counts = [each] * stages
    if first is not None:
        counts[0] = first
    if last is not None:
        counts[-1] = last
    if any(count % chunks for count in counts):
        raise StageCutError(f"{counts} layers of the stages do not split into {chunks} chunks each")
    return tuple(count // chunks for _ in range(chunks) for count in counts)


def cut_by_layout(layout: str, layers: int, stages: int) -> tuple[tuple[int, ...], int, bool]:
    """Layers of every chunk in the order of the model, chunks of a stage, and whether the ends stand where they do.

    Parameters
    ----------
    layout : str
        Such as ``E|(t|)*3,m|m||L``: embedding, layers, layers that predict further tokens, head; ``|`` ends a chunk.

    Returns
    -------
    tuple
        Layers of chunks; chunks of a stage; False when further tokens are predicted before the last stage.

    Examples
    --------
    >>> cut_by_layout("Et*3|(tt|)*2,L", 7, 4)
    ((3, 2, 2, 0), 1, True)

    References
    ----------
    Megatron Core, ``pipeline_parallel_layer_layout.py``.
    """
    signs = _unrolled(re.sub(r"[,\s]", "", layout))
    if not _SIGNS.fullmatch(signs):
        raise StageCutError(f"{layout!r} has other signs than E, t, m, L, | and ( ) * with numbers")
    pieces = signs.split("|")
    counts = tuple(piece.count("t") for piece in pieces)
    if len(pieces) % stages:
        raise StageCutError(f"{len(pieces)} chunks do not split over {stages} stages")
    if sum(counts) != layers:
        raise StageCutError(f"{sum(counts)} layers are laid out, and the model has {layers}")
    if not signs.startswith("E") or not signs.endswith("L") or signs.count("E") != 1 or signs.count("L") != 1:
        raise StageCutError("the embedding E comes first and the head L last, once each")
    return counts, len(pieces) // stages, all("m" not in piece for piece in pieces[:-1])


def _unrolled(text: str) -> str:
    """Multiplications written out, within a bound."""
    for pattern in (r"\(([^()]+)\)\*(\d{1,9})", r"([^()*\d])\*(\d{1,9})"):
        parts, at, size = [], 0, 0
        for found in re.finditer(pattern, text):
            size += len(found[1]) * int(found[2])
            if size > MOST_SIGNS:
                raise StageCutError(f"it comes to more than {MOST_SIGNS:,} layers and stages")
            parts += [text[at : found.start()], found[1] * int(found[2])]
            at = found.end()
        text = "".join([*parts, text[at:]])
    return text
