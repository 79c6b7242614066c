"""Ctrl-C, SIGTERM and SIGHUP that are never lost and never late.

Python runs its signal handler between two steps of the main thread. Inside a solver that is after the solve, and an
exception raised while a foreign library calls back is swallowed. So the signal is also seen by a thread: when the work
has not ended a moment later, it tidies up and ends the process.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from fabric.cli.exit_codes import BY_SIGNAL, INTERRUPTED
from topologies.whole_file import is_writing

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # by hand; by kill and schedulers; by a closed terminal
_GRACE_S = 1.0  # for the work to end by itself


class Interrupted(KeyboardInterrupt):
    """Ended by a signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def exit_code_of(error: BaseException) -> int:
    """As shells say that a signal ended a program: 128 and its number."""
    while not isinstance(error, Interrupted):
        if error.__cause__ is None:
            return INTERRUPTED
        error = error.__cause__
    return BY_SIGNAL + error.number


@contextmanager
def interruptible(tidy: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Raise ``Interrupted``, a ``KeyboardInterrupt``, for a signal inside the block, at its end at the latest.

    Signals that are ignored, as SIGHUP under ``nohup``, stay so.

    Parameters
    ----------
    tidy : callable
        Restores the terminal before the process is ended from outside the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    mine, theirs = socket.socketpair()
    theirs.setblocking(False)
    left = threading.Event()
    seen = 0

    def note(number: int, frame: object) -> None:
        nonlocal seen
        seen = number
        raise Interrupted(number)

    def guard() -> None:
        while True:
            number = mine.recv(1)
            if left.is_set() or not number:
                return
            if number[0] not in caught or left.wait(_GRACE_S):
                continue
            while is_writing() and not left.wait(_GRACE_S):
                pass
            if not left.is_set():
                tidy()
                sys.stderr.write("interrupted\n")
                sys.stderr.flush()
                os._exit(BY_SIGNAL + number[0])

    caught = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, note) for number in caught}
    fd_before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=guard, name="interrupts", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        theirs.close()  # ends the thread's read
        watcher.join()
        mine.close()
    if seen:
        raise Interrupted(seen)
