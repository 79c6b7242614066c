"""HiGHS as growing programmes use it: one thread, no presolve, warm from one solve to the next, with a deadline."""

from __future__ import annotations

import time
from typing import Any

DUAL, PRIMAL = 1, 4  # simplex: dual where rows come, primal where columns do
TOLERANCE = 1e-9  # absolute; rows are in units near 1


def warm_highs(*, dual_tolerance: float = TOLERANCE, strategy: int = DUAL) -> Any:
    """An empty programme to be minimised."""
    import highspy

    solver: Any = highspy.Highs
    highs: Any = solver()
    for name, value in (
        ("output_flag", False),
        ("log_to_console", False),
        ("threads", 1),
        ("presolve", "off"),
        ("simplex_strategy", strategy),
        ("random_seed", 0),
        ("primal_feasibility_tolerance", TOLERANCE),
        ("dual_feasibility_tolerance", dual_tolerance),
    ):
        highs.setOptionValue(name, value)
    return highs


def solve_until(highs: Any, deadline: float) -> bool:
    """Solve from where the last solve ended; False when the time is used up or HiGHS gives up.

    ``deadline`` is of ``time.monotonic()``.
    """
    import highspy

    left = deadline - time.monotonic()
    if left <= 0:
        return False
    highs.setOptionValue("time_limit", highs.getRunTime() + left)
    highs.run()
    optimal: Any = highspy.HighsModelStatus.kOptimal
    return bool(highs.getModelStatus() == optimal)
