"""The sizes of messages that are asked for, as nccl-tests takes them: from, to, and a factor or a step."""

from __future__ import annotations

from collections.abc import Iterator

from topologies.units import format_message, parse_message_bytes

FACTOR = 2.0
MOST_SIZES = 1_000
ELEMENT_BYTES = 4  # of float, the type that nccl-tests uses unless told otherwise
_EXAMPLE = "write 1M:16G (doubles), 1M:16G:4 (times four), 1M:8M:+1M (in steps), or 1M,64M,1G"


def parse_sizes(text: str) -> tuple[float, ...]:
    """Sizes in ascending order, bytes, each once.

    Parameters
    ----------
    text : str
        Entries with commas between them: a size; ``FROM:TO``, which doubles; ``FROM:TO:FACTOR``; ``FROM:TO:+STEP``.

    Raises
    ------
    ValueError
        For what is no size, goes nowhere, or is more than a thousand sizes.

    >>> parse_sizes("1M:4M"), parse_sizes("1K,1KB"), parse_sizes("1K:3K:+1K")
    ((1048576.0, 2097152.0, 4194304.0), (1000.0, 1024.0), (1024.0, 2048.0, 3072.0))
    """
    sizes: set[float] = set()
    for entry in text.split(","):
        for size in _of_entry(entry):
            sizes.add(size)
            if len(sizes) > MOST_SIZES:
                raise ValueError(f"{entry.strip()!r} is more than {MOST_SIZES:,} sizes; give a larger factor or step")
    return tuple(sorted(sizes))


def _of_entry(entry: str) -> Iterator[float]:
    parts = [part.strip() for part in entry.split(":")]
    if len(parts) > 3:
        raise ValueError(f"{entry.strip()!r} is no range of sizes; {_EXAMPLE}")
    first = _size(parts[0])
    if len(parts) == 1:
        yield first
        return
    last = _size(parts[1])
    if last < first:
        raise ValueError(f"{entry.strip()!r} goes from {parts[0]} down to {parts[1]}; the smaller size comes first")
    step, factor = 0.0, FACTOR
    if len(parts) == 3 and parts[2].startswith("+"):
        step = _size(parts[2][1:])
    elif len(parts) == 3:
        factor = _factor(parts[2])
    size = first
    while size <= last:
        yield size
        size = size + step if step else size * factor


def _size(text: str) -> float:
    size = parse_message_bytes(text)
    if size < ELEMENT_BYTES:
        raise ValueError(f"{text!r} is less than one element of {ELEMENT_BYTES} bytes; {_EXAMPLE}")
    return size


def _factor(text: str) -> float:
    try:
        factor = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a factor between sizes; {_EXAMPLE}") from None
    if not 1 < factor < float("inf"):
        raise ValueError(f"{text!r} is not a factor above 1; {_EXAMPLE}")
    return factor


def sizes_text(sizes: tuple[float, ...]) -> str:
    """The sizes in short: first and last.

    >>> sizes_text(parse_sizes("1M:16G"))
    '1M to 16G'
    """
    first, last = format_message(sizes[0]), format_message(sizes[-1])
    return first if len(sizes) == 1 else f"{first} to {last}"
