"""Measure every case and print a table: ``python -m benchmarks [CASE…] [--repeat N] [--k64]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measure import Run, Spread, case, fabric, machine, run

EXAMPLE = "examples/train-2k.fabric.yaml"


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    title: str
    command: Sequence[str]
    asked_s: float | None  # what the project promises on two cores; None: no promise
    note: Callable[[Run], str] = lambda _: ""
    fresh_kernels: bool = False  # with an empty cache of compiled kernels
    repeat: int | None = None  # fewer repetitions than asked for
    accepted: tuple[int, ...] = (0,)  # exit codes


def _wan_note(found: Run) -> str:
    stopped = "STOPPED by its time limit, " if found.printed["partial"] else ""
    return stopped + (
        f"{found.printed['demands']:,} demands, {found.printed['arcs']} arcs, {found.printed['solver']}; "
        f"max utilisation {found.printed['theta']:.6f}, gap {found.printed['gap']:.0e}"
    )


def _plain_note(found: Run) -> str:
    theta = found.printed["theta"]
    return "no answer within its time limit" if theta is None else f"max utilisation {theta:.6f}"


def _networkx_note(found: Run) -> str:
    ratio = found.printed["networkx_s"] / found.printed["warm_s"]
    return f"NetworkX {found.printed['networkx_s']:.2f} s, this {found.printed['warm_s'] * 1e3:.1f} ms: {ratio:.0f}x"


def cases(*, k64: bool) -> dict[str, Case]:
    """All cases by name."""
    route = fabric("route", EXAMPLE)
    missed = (0, 1)  # a limit of the example does not hold, which is an answer
    found = {
        "help": Case("fabric --help, cold process", fabric("--help"), 0.3),
        "train-2k": Case("route 2,048 GPUs, cold process", route, 3.0, accepted=missed),
        "train-2k-first": Case(
            "the same, kernels not yet compiled", route, 15.0, fresh_kernels=True, repeat=3, accepted=missed
        ),
        "build": Case("build fat tree k=48, 27,648 hosts", case("fat_tree", "48"), 0.5),
        "ecmp": Case("ECMP all-to-all, fat tree k=48", case("ecmp", "48"), 3.0),
        "ecmp-networkx": Case("ECMP all-to-all, fat tree k=16", case("ecmp", "16", "networkx"), None, _networkx_note),
        "wan": Case("optimum of a 200-node WAN", case("wan", "ours"), 60.0, _wan_note),
        "wan-ipm": Case("  the same, SciPy HiGHS interior point", case("wan", "highs-ipm"), None, _plain_note),
        "wan-simplex": Case("  the same, SciPy HiGHS simplex", case("wan", "highs-ds"), None, _plain_note, repeat=1),
    }
    if k64:
        found["build-k64"] = Case("build fat tree k=64, 65,536 hosts", case("fat_tree", "64"), None)
        found["ecmp-k64"] = Case("ECMP all-to-all, fat tree k=64", case("ecmp", "64"), None)
    return found


def measure(chosen: Case, repeat: int) -> list[Run]:
    """Run a case; a first run that is not counted fills the caches, unless the case is about that."""
    count = min(repeat, chosen.repeat or repeat)
    if chosen.fresh_kernels:
        runs = []
        for _ in range(count):
            with tempfile.TemporaryDirectory() as empty:
                environment = {"NUMBA_CACHE_DIR": empty}
                runs.append(run(chosen.command, environment=environment, accepted=chosen.accepted))
        return runs
    if chosen.repeat is None:
        run(chosen.command, accepted=chosen.accepted)
    return [run(chosen.command, accepted=chosen.accepted) for _ in range(count)]


def row(chosen: Case, runs: Sequence[Run]) -> list[str]:
    """Cells of the table."""
    seconds = Spread.of([entry.seconds for entry in runs])
    memory = Spread.of([entry.peak_mib for entry in runs])
    asked = "-"
    if chosen.asked_s is not None:
        asked = f"< {chosen.asked_s:g} s: {'met' if seconds.median < chosen.asked_s else 'MISSED'}"
    return [
        chosen.title,
        f"{seconds.median:.3g} s",
        f"{seconds.low:.3g} to {seconds.high:.3g} s",
        f"{memory.median:,.0f} MiB",
        asked,
        str(len(runs)),
        chosen.note(runs[-1]),
    ]


def main() -> None:
    """Parse the arguments, measure, print."""
    every = cases(k64=True)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("case", nargs="*", choices=[*every, []], help="default: all")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each case; default 5")
    parser.add_argument("--k64", action="store_true", help="also the fat tree of radix 64")
    options = parser.parse_args()
    chosen = {name: every[name] for name in options.case} or cases(k64=options.k64)
    print(machine())
    imports = run(case("imports")).printed
    print(f"fabric --help imports {imports['modules']} modules; heavy ones: {', '.join(imports['heavy']) or 'none'}\n")
    print("| case | median | range | peak memory | asked | runs | |")
    print("| --- | ---: | ---: | ---: | --- | ---: | --- |")
    for entry in chosen.values():
        if sys.stderr.isatty():
            print(f"\r\x1b[K{entry.title} …", end="", file=sys.stderr, flush=True)
        cells = row(entry, measure(entry, max(options.repeat, 1)))
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
