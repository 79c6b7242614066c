"""Number types on the wire: bytes of an element, and the scales that go with blocks of elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NumberType = Literal["fp8", "bf16", "fp16", "fp32"]
BYTES_OF: dict[str, int] = {"fp8": 1, "bf16": 2, "fp16": 2, "fp32": 4}
PayloadType = Literal["fp8", "mxfp8", "nvfp4", "mxfp4", "bf16", "fp16", "fp32"]
SCALE_BLOCK = 128  # elements of fp8 that share a scale: DeepSeek-V3, arXiv 2412.19437, section 3.3.2
SCALE_BYTES = 4  # fp32


@dataclass(frozen=True)
class WireType:
    """Bytes of an element, and of the scale of a block of them; a block of 0 elements has none."""

    element_bytes: float
    scale_bytes: int = 0
    block: int = 0


_SCALED = {  # OCP Microscaling Formats 1.0, section 5.2; NVFP4: NVIDIA Transformer Engine, one e4m3 for 16 elements
    "mxfp8": WireType(1, 1, 32),
    "mxfp4": WireType(0.5, 1, 32),
    "nvfp4": WireType(0.5, 1, 16),
}


def wire_type(name: str, scale_block: int | None = None) -> WireType:
    """How a number type goes over the wire.

    >>> wire_type("fp8"), wire_type("bf16").block
    (WireType(element_bytes=1, scale_bytes=4, block=128), 0)
    """
    if name == "fp8":
        block = SCALE_BLOCK if scale_block is None else scale_block
        return WireType(1, SCALE_BYTES if block else 0, block)
    return _SCALED.get(name) or WireType(BYTES_OF[name])


def vector_terms(name: str, scale_block: int | None, elements: int) -> tuple[str, dict[str, tuple[float, str]]]:
    """Bytes of one token's vector: a factor of a formula, and its terms.

    >>> vector_terms("bf16", None, 7168)[0], vector_terms("fp8", None, 7168)[1]["q"][0]
    ('h * β', 56)
    """
    kind = wire_type(name, scale_block)
    terms: dict[str, tuple[float, str]] = {
        "h": (elements, "elements of a token"),
        "β": (kind.element_bytes, f"bytes of an element ({name})"),
    }
    if not kind.block:
        return "h * β", terms
    terms["q"] = (-(-elements // kind.block), f"scales of a token, one for {kind.block:,} elements")
    terms["z"] = (kind.scale_bytes, "bytes of a scale")
    return "(h * β + q * z)", terms
