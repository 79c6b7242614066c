"""Ctrl-C that is never lost and never late.

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

from fabric.cli.exit_codes import INTERRUPTED

_GRACE_S = 1.0  # for the work to end by itself


@contextmanager
def interruptible(tidy: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` for a Ctrl-C inside the block, at its end at the latest.

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
    seen = False

    def note(number: int, frame: object) -> None:
        nonlocal seen
        seen = True
        raise KeyboardInterrupt

    def guard() -> None:
        while True:
            number = mine.recv(1)
            if left.is_set() or not number:
                return
            if number[0] == signal.SIGINT and not left.wait(_GRACE_S):
                tidy()
                sys.stderr.write("interrupted\n")
                sys.stderr.flush()
                os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, note)
    fd_before = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=guard, name="interrupts", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(fd_before)
        signal.signal(signal.SIGINT, before)
        theirs.close()  # ends the thread's read
        watcher.join()
        mine.close()
    if seen:
        raise KeyboardInterrupt
