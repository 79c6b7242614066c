"""Comparing routers, stopping solves, progress and Ctrl-C on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fabric.cli.interrupts import interruptible
from fabric.cli.main import run
from fabric.cli.options import Settings
from fabric.cli.watch import is_watched
from fabric.faces.views.row_kinds import ROUTERS
from fabric.routing.names import router_names

ROOT = Path(__file__).resolve().parents[2]
ABILENE = str(ROOT / "examples" / "abilene.fabric.yaml")
OVERSUBSCRIBED = str(ROOT / "tests" / "golden" / "cases" / "oversubscribed.fabric.yaml")


def answer(capsys, *words):
    """The JSON answer of a command line."""
    run([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def test_all_compares_the_usual_routers_that_exist(capsys):
    """Best first; hashing is drawn 100 times."""
    found = answer(capsys, "route", OVERSUBSCRIBED, "--router", "all", "-q")
    assert found["kind"] == "RouterComparison"
    usual = ["optimal", "wcmp", "ecmp", "spray", "ecmp-hash"]
    assert found["routers"] == [name for name in usual if name in router_names()]
    hashed = found["items"][-1]
    assert (hashed["router"], hashed["spread"]["replicas"]) == ("ecmp-hash", 100)
    assert found["verdict"].startswith("main all-to-all: hashing costs you ")


def test_named_routers_are_compared_in_their_order(capsys):
    """As CSV, one row each, with the documented columns."""
    assert run(["route", OVERSUBSCRIBED, "--router", "ecmp, optimal,ecmp", "-q", "-f", "csv"]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["router"] for row in rows] == ["ecmp", "optimal"]
    assert tuple(rows[0]) == ROUTERS.columns


def test_one_router_is_a_route(capsys):
    """A single name is not a comparison."""
    assert answer(capsys, "route", OVERSUBSCRIBED, "--router", "ecmp", "-q")["kind"] == "RouteResult"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--router", "ecnp"], "did you mean 'ecmp'?"),
        (["--router", "ecmp,al"], "'al' is not a router"),
        (["--router", "ecmp,optimal", "--objective", "max-throughput"], "routers are compared on min-max-utilisation"),
        (
            ["--router", "all", "--certificate", "proof"],
            "--certificate does nothing for fabric route: it is of one router",
        ),
        (["--router", ""], "'' is not a router"),
    ],
)
def test_bad_routers_are_refused_before_anything_is_read(words, said, capsys):
    """Exit code 2, with the nearest name."""
    assert run(["route", "missing.yaml", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_comparison_fails_where_the_scenarios_own_router_does(capsys):
    """The uplinks are at 227 % by ecmp, the scenario's router, and above 228 % where flows are hashed."""
    words = ["route", OVERSUBSCRIBED, "-q", "--router"]
    own = "ecmp (if split perfectly), as the scenario has it"
    assert run([*words, "all"]) == 1
    assert f"1 of 2 limits FAIL under {own}" in capsys.readouterr().out
    limits = ["--set", "limits=[{fabric: main, metric: offered, max: 228%}]"]
    for routers in ("all", "ecmp-hash,ecmp"):
        assert run([*words, routers, *limits]) == 0
        out = capsys.readouterr().out
        assert " FAIL" in out
        assert f"no limit fails under {own}" in out
    for own_router in ("ecmp-hash", "single-path"):
        given = [*limits, "--set", f"fabrics.main.routing.router={own_router}"]
        assert run([*words, own_router, *given]) == 1
        capsys.readouterr()
        assert run([*words, "all", *given]) == 1
        assert f"FAIL under {own_router}" in capsys.readouterr().out


def test_where_the_scenarios_own_router_is_not_compared_each_counts(capsys):
    """228 % holds by ecmp and fails by ecmp-hash: exit code 1, as ``--router ecmp-hash`` has."""
    words = ["route", OVERSUBSCRIBED, "-q", "--router", "optimal,ecmp-hash"]
    limits = ["--set", "limits=[{fabric: main, metric: offered, max: %s}]"]
    own = ["--set", "fabrics.main.routing.router=wcmp"]
    assert run([*words, *own, limits[0], limits[1] % "228%"]) == 1
    out = capsys.readouterr().out
    assert "1 of 1 limits FAIL under ecmp-hash: the scenario's own router is not compared" in out
    assert run([*words, *own, limits[0], limits[1] % "1000%"]) == 0
    assert "no limit fails under any of these routers" in capsys.readouterr().out


def test_a_comparison_without_paths_ends_like_a_route(capsys):
    """Demand without a path: 4, unless it is allowed."""
    words = ["route", OVERSUBSCRIBED, "--router", "ecmp,optimal", "-q", "--set", "limits=[]"]
    words += ["--down", "spine0", "--down", "spine1"]
    assert run(words) == 4
    assert "UNREACHABLE" in capsys.readouterr().out
    assert run([*words, "--allow-unreachable"]) == 0


@pytest.mark.parametrize("router", ["optimal", "optimal,ecmp"])
def test_no_time_gives_ecmp_with_a_bound_and_says_that_it_was_stopped(router, capsys):
    """Abilene: ECMP has 114.5 %, the optimum is 73.9 %: whatever bound is known without time lies below that."""
    assert run(["route", ABILENE, "--router", router, "--time-limit", "0", "-q"]) == 6
    text = capsys.readouterr().out
    assert "<= 114.5 %" in text
    assert "(bound)" in text
    found = answer(capsys, "route", ABILENE, "--router", "optimal", "--time-limit", "0", "-q")
    (entry,) = found["routes"]
    assert found["partial"] is True
    assert 0 < entry["lower_bound"] <= 0.739 + 1e-3 < entry["max_utilisation"]
    assert entry["gap"] == pytest.approx(entry["max_utilisation"] / entry["lower_bound"] - 1)


def test_no_time_is_enough_where_a_cut_proves_the_answer():
    """Equal splits meet the leaf's cut: nothing is left to solve, and nothing was stopped."""
    assert run(["route", OVERSUBSCRIBED, "--router", "optimal", "--time-limit", "0", "-q", "--set", "limits=[]"]) == 0


def test_a_wide_gap_stops_early_and_is_no_failure(capsys):
    """Within the gap that was asked for, the answer is whole."""
    assert run(["route", ABILENE, "--router", "optimal", "--gap", "10", "-q"]) == 0
    assert "<=" not in capsys.readouterr().out.split("offered load by tier")[0].replace(">=", "")


def run_on_terminal(*words):
    """Run the command with a terminal as stderr; its stdout, and what the terminal got."""
    leader, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "CI": ""}
    command = [sys.executable, "-c", "from fabric.cli.main import main; main()", *words]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        shown = bytearray()
        # A terminal holds a few kilobytes: it is read while the command runs, or a slow one waits for ever.
        reader = threading.Thread(target=drain, args=(leader, shown))
        reader.start()
        out = process.stdout.read()
        reader.join()
    os.close(leader)
    return out.decode(), shown.decode()


def drain(leader, shown):
    """Everything that is written to a terminal until the other side closes it."""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # how Linux says that the other side is closed
            return
        if not part:
            return
        shown += part


def test_progress_is_on_the_terminal_only_and_gone_at_the_end():
    """stdout has the same bytes with and without; the cursor is shown again."""
    words = ["route", OVERSUBSCRIBED, "--top", "1"]
    out, shown = run_on_terminal(*words)
    quiet, nothing = run_on_terminal(*words, "--no-progress")
    assert out == quiet
    assert "\x1b[?25l" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
    assert nothing == ""


@pytest.mark.parametrize(
    ("settings", "environment", "watched"),
    [
        (Settings(), {"CI": "", "TERM": "xterm"}, True),
        (Settings(), {"CI": "true", "TERM": "xterm"}, False),
        (Settings(), {"CI": "", "TERM": "dumb"}, False),
        (Settings(quiet=True), {"CI": "", "TERM": "xterm"}, False),
        (Settings(no_progress=True), {"CI": "", "TERM": "xterm"}, False),
    ],
)
def test_progress_is_for_terminals_that_somebody_watches(settings, environment, watched, monkeypatch):
    """No CI, no dumb terminal, nothing told to be silent."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert is_watched(settings) is watched


def test_an_interrupt_that_foreign_code_swallows_is_raised_at_the_end():
    """As when it strikes inside a solver's callback."""
    with pytest.raises(KeyboardInterrupt), interruptible():  # noqa: PT012 - the point is what comes after
        try:
            signal.raise_signal(signal.SIGINT)
            time.sleep(1)
        except KeyboardInterrupt:
            pass


def test_the_handler_before_is_the_handler_after():
    """Blocks leave no trace, nested ones too."""
    before = signal.getsignal(signal.SIGINT)
    with interruptible(), interruptible():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_work_that_does_not_end_after_an_interrupt_is_ended():
    """Code that swallows the interrupt and goes on for a minute: tidied up and ended with 130 after a second."""
    program = """
import signal, time
from fabric.cli.interrupts import interruptible
with interruptible(lambda: print("tidy", flush=True)):
    try:
        signal.raise_signal(signal.SIGINT)
        time.sleep(1)
    except KeyboardInterrupt:
        time.sleep(60)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "tidy\n", "interrupted\n")
