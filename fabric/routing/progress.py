"""How far a long computation is, and where that is reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a stage or a long solve is, for those who wait for it.

    Attributes
    ----------
    text : str
        What is being done, such as ``optimal: round 3``.
    theta : float or None
        Highest utilisation of the best routing so far.
    bound : float or None
        Best proof so far: no routing has less.
    seconds : float
        Since the solve began.
    limit_s : float or None
        When it will be stopped.
    """

    text: str
    theta: float | None = None
    bound: float | None = None
    seconds: float = 0.0
    limit_s: float | None = None

    @property
    def gap(self) -> float | None:
        """Relative distance of the best routing to the best proof; None while either is missing.

        >>> Progress("optimal", theta=1.05, bound=1.0).gap
        0.050000000000000044
        """
        if self.theta is None or not self.bound:
            return None
        return max(self.theta / self.bound - 1, 0.0)


Reporter = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report nothing."""
