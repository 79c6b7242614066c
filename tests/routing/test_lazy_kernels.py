"""Compiled loops stand for numba's dispatchers and load numba when they are first compiled."""

from __future__ import annotations

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fabric.routing import kernels
from fabric.routing.compiled import compiled


@compiled
def _twice(value: float) -> float:
    return 2 * value


@compiled
def _four_times(value: float) -> float:
    return _twice(_twice(value))


def test_importing_every_router_loads_no_numba() -> None:
    """What calls no loop does not wait for numba; calling one, linked or by numba, gives the distances 0, 1, 2."""
    program = """
import sys
import numpy as np
from fabric.routing.names import router_names
from fabric.routing import kernels, shortest_splits, fair_share
from fabric.optimise import descent, dags
from fabric.failures.fluid import fluid_engine
assert "numba" not in sys.modules, "numba was loaded"
distance, order = np.zeros(3), np.zeros(3, np.int64)
kernels.hop_order(0, np.array([0, 1, 3, 4]), np.array([1, 0, 2, 1]), distance, order)
print(distance.tolist())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "[0.0, 1.0, 2.0]\n", done.stderr


def test_a_loop_calls_another() -> None:
    """2 * 2 * 3 = 12; the inner one is compiled for the call from the outer one, or kept with it."""
    assert _four_times(3.0) == 12.0
    assert _four_times._dispatcher(3.0) == 12.0  # type: ignore[attr-defined]  # the first may be of an earlier run
    assert len(_four_times.overloads) == 1  # type: ignore[attr-defined]


def test_first_calls_on_many_threads_give_one_answer() -> None:
    """Eight threads call a loop that nobody called before: one dispatcher, the same sums."""

    @compiled
    def total(values: np.ndarray) -> float:
        answer = 0.0
        for value in values:
            answer += value
        return answer

    with ThreadPoolExecutor(8) as threads:
        sums = list(threads.map(total, [np.arange(5.0)] * 8))
    assert sums == [10.0] * 8
    assert len(total.overloads) == 1  # type: ignore[attr-defined]


def test_a_loop_travels_by_name() -> None:
    """Work over many machines sends functions by name: the same object comes back."""
    assert pickle.loads(pickle.dumps(kernels.hop_order)) is kernels.hop_order
