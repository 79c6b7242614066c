"""Signals as a shell in the foreground gives them to a program, whatever the tests were started by."""

from __future__ import annotations

import signal


def plain_signals() -> None:
    """For ``preexec_fn``: background jobs and nohup leave some ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
