"""Measure every piece of work, ours beside its peers, and print a table: ``python -m benchmarks [WORK…] [--full]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from benchmarks.compare import Outcome, Plan, Session
from benchmarks.measure import attempt, case, fabric, machine
from benchmarks.methods import Work
from benchmarks.tables import ALIGN, HEADER, line, row
from benchmarks.works import COLD, EXAMPLE, works

QUICK = Plan(peer_limit_s=20.0, repeat=3, repeat_budget_s=8.0, total_s=600.0)
FULL = Plan(peer_limit_s=600.0, repeat=5, repeat_budget_s=60.0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("work", nargs="*", choices=[*works(), []], help="default: all that ten minutes allow")
    parser.add_argument("--cold", action="store_true", help="what starts cold: everyday commands, tabs, first screen")
    parser.add_argument("--full", action="store_true", help="everything, peers up to ten minutes each")
    parser.add_argument("--repeat", type=int, help="runs that count, of work that is quick enough")
    parser.add_argument("--limit", type=float, help="seconds each peer has")
    parser.add_argument("--time-limit", type=float, help="seconds ours has per solve; default: what was asked")
    parser.add_argument("--ours", action="store_true", help="without the peers")
    parser.add_argument("--list", action="store_true", help="names of the work, and stop")
    return parser.parse_args()


def _plan(options: argparse.Namespace) -> Plan:
    base = FULL if options.full else QUICK
    return Plan(
        peer_limit_s=options.limit or base.peer_limit_s,
        repeat=options.repeat or base.repeat,
        repeat_budget_s=base.repeat_budget_s,
        total_s=None if options.work or options.cold else base.total_s,
        ours_limit_s=options.time_limit,
    )


def _chosen(options: argparse.Namespace) -> list[Work]:
    every = works()
    if options.work or options.cold:
        return [every[name] for name in (*(COLD if options.cold else ()), *options.work)]
    return [entry for entry in every.values() if options.full or not entry.full_only]


def _fill_caches() -> None:
    """Compile the kernels, so that no figure but the one about it has that in it."""
    for command in (
        case("ours", "ecmp", "uniform-8"),
        *(case("ours", "optimal", name) for name in ("gravity-8", "wan-149")),
    ):
        attempt(command, limit_s=120.0)
    attempt(fabric("route", EXAMPLE, "--router", "optimal"), limit_s=120.0, accepted=(0, 1))


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _measure(session: Session, chosen: Sequence[Work], *, peers: str) -> bool:
    """Print the rows, with ``all``, ``some`` or ``no`` peers; returns whether an answer was wrong or a run broke."""
    faults = False
    for work in chosen:
        ours: Outcome | None = None
        methods = work.methods if peers == "all" or (peers == "some" and not work.peers_full_only) else work.methods[:1]
        todo = Work(**{**work.__dict__, "methods": methods})
        _say(f"{work.title} …")
        for found in session.outcomes(todo):
            _say("")
            print(row(work, found, ours), flush=True)
            ours = ours or found
            faults |= found.failure is not None and found.failure.is_fault
            _say(f"{work.title} …")
    _say("")
    return faults


def main() -> None:
    """Parse the arguments, measure, print; exit code 1 when an answer is wrong."""
    options = _options()
    chosen = _chosen(options)
    if options.list:
        print("\n".join(f"{entry.name:20} {entry.title}" for entry in chosen))
        return
    plan = _plan(options)
    began = time.monotonic()
    print(f"{machine()}\npeers have {plan.peer_limit_s:g} s each; every run is a process of its own\n", flush=True)
    _fill_caches()
    print(line(HEADER))
    print(line(ALIGN))
    peers = "no" if options.ours else "all" if options.full or options.work or options.cold else "some"
    faults = _measure(Session(plan), chosen, peers=peers)
    print(f"\n{time.monotonic() - began:.0f} s in all")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
