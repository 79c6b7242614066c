"""Cases that end as no case may, to see that they are found."""

from __future__ import annotations

from pathlib import Path

from cases import Case


class Planted:
    """Case 1 raises, case 2 does not end, case 3 takes all memory."""

    def __init__(self, seeds: Path) -> None:
        self.seeds = seeds

    def warm(self) -> None:
        """Nothing is loaded."""

    def of(self, number: int) -> Case:
        def attempt(folder: Path) -> None:
            if number == 1:
                raise KeyError("x")
            while number == 2:
                pass
            if number == 3:
                bytearray(4 * 2**30)

        return Case(f"planted {number}", attempt)
