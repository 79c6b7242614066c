"""How long one kernel of a GPU takes: products by their size, everything else by the bytes it moves.

A product is cut into tiles, which the processors of the GPU work through in waves: the last wave is part empty, tiles
at the border are part empty, and each tile has to fill its pipeline along the inner dimension. So narrow products are
slower, which is what splitting a layer over more tensor ranks costs. No kernel is faster than its bytes through memory.
What starting a kernel takes, and what the host adds, is left out.

References
----------
NVIDIA, Matrix Multiplication Background User's Guide, sections 4 and 5 (tile and wave quantisation). NVIDIA, CUTLASS,
Efficient GEMM: a pipeline of three stages of 64 elements.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

TILE = 128  # rows and columns of one tile
FILL = 192  # elements of the inner dimension that pass before a tile's pipeline is full


@dataclass(frozen=True)
class Gpu:
    """What a GPU's kernels run at."""

    flops: float  # of large products: peak times kernel efficiency, FLOP/s
    memory_bytes_per_s: float | None = None  # None: memory takes no time
    processors: int | None = None  # None: no waves
    by_size: bool = True  # narrow products are slower

    def product_s(self, rows: float, inner: float, columns: float, *, count: float = 1, width: int = 2) -> float:
        """Time of ``count`` products of rows x inner by inner x columns in one kernel, s.

        Parameters
        ----------
        width : int
            Bytes of an element.

        Examples
        --------
        9 tiles on 4 processors are 3 waves, as long as 12; half as long again for the fill of 192 over 384:

        >>> gpu = Gpu(flops=1e12, processors=4)
        >>> round(gpu.product_s(384, 384, 384) * 1e12 / (2 * 384**3), 3)
        2.0
        """
        if not rows or not inner or not columns or not count:
            return 0.0
        moved = self.memory_s(count * (rows * inner + inner * columns + rows * columns) * width)
        slower = self._slower(rows, inner, columns, count) if self.by_size else 1.0
        return max(2 * rows * inner * columns * count / self.flops * slower, moved)

    def memory_s(self, moved_bytes: float) -> float:
        """Time to read and write so many bytes, s."""
        return moved_bytes / self.memory_bytes_per_s if self.memory_bytes_per_s else 0.0

    def _slower(self, rows: float, inner: float, columns: float, count: float) -> float:
        """Time over that of a product without borders, empty waves and fills."""
        tiles = count * ceil(rows / TILE) * ceil(columns / TILE)
        taken = ceil(tiles / self.processors) * self.processors if self.processors else tiles
        return taken / (count * rows * columns / TILE**2) * (1 + FILL / inner)
