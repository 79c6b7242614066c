"""Who does a piece of work, by which command, and how the answer is held against ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measure import Run, case

EXACT, FIRST_ORDER = 1e-6, 1e-3
MISSED_LIMIT, PARTIAL = 1, 6  # exit codes of fabric route that are answers


@dataclass(frozen=True)
class Answer:
    """What a run found, as far as it says."""

    theta: float | None = None
    bound: float | None = None
    note: str = ""

    @property
    def gap(self) -> float | None:
        """Relative distance of utilisation and bound."""
        return max(self.theta / self.bound - 1, 0.0) if self.theta and self.bound else None


def of_case(run: Run) -> Answer:
    printed = run.printed
    notes = [str(printed[key]) for key in ("solver", "note") if printed.get(key)]
    notes += ["stopped by its time limit"] if printed.get("partial") else []
    return Answer(printed.get("theta"), printed.get("bound"), ", ".join(notes))


@dataclass(frozen=True)
class Method:
    """Someone who does the work: us or a peer.

    Attributes
    ----------
    command : callable
        From the time limit in seconds to the command; None when it cannot do the work, as ``unsupported`` says.
    agrees : {"equal", "optimum", "above", ""}
        How its utilisation relates to ours: the same, our optimum (not below our bound), above our bound (a
        heuristic), or the answer to another question.
    tolerance : float
        Relative, of that comparison.
    program : str
        A peer that fails on a smaller piece of the same work is not run on a larger one.
    """

    name: str
    command: Callable[[float], Sequence[str]] | None
    agrees: str = "equal"
    tolerance: float = EXACT
    unsupported: str = ""
    program: str = ""
    accepted: tuple[int, ...] = (0,)
    fresh_kernels: bool = False
    answer: Callable[[Run], Answer] = of_case


@dataclass(frozen=True)
class Work:
    """One piece of work; the first method is ours, and all others are compared with it."""

    name: str
    title: str
    methods: tuple[Method, ...]
    asked_s: float | None = None
    asked_gap: float | None = None
    asked_mib: float | None = None
    full_only: bool = False
    peers_full_only: bool = False
    limit_s: float = 60.0  # of ours

    @property
    def size(self) -> int:
        """The number its name ends with; 0 without."""
        last = self.name.rsplit("-", 1)[-1]
        return int(last) if last.isdigit() else 0


def ours(router: str, instance: str, gap: float = 1e-4) -> Method:
    """Our router on an instance."""
    return Method(
        f"fabric {router}",
        lambda limit_s: case("ours", router, instance, repr(gap), f"{limit_s:g}"),
        accepted=(0, PARTIAL),
    )


def edge_lp(solver: str, instance: str) -> Method:
    """The plain edge programme by a solver of others."""
    return Method(
        f"plain edge LP, {solver}",
        lambda limit_s: case("edge_lp", solver, instance, f"{limit_s:g}"),
        agrees="optimum",
        tolerance=FIRST_ORDER if solver == "pdlp" else EXACT,
        program=f"edge-lp-{solver}-{instance.rsplit('-', 1)[0]}",
    )


def peer(name: str, module: str, *arguments: str, agrees: str = "equal", program: str = "") -> Method:
    """A peer with a case of its own."""
    return Method(name, lambda _: case(module, *arguments), agrees, program=program or module)
