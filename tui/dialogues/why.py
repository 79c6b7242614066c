"""The dialogue of ``e``: it opens at once, fills in while a thread works, and stops the thread when it is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual.binding import Binding
from textual.containers import Vertical
from textual.message import Message
from textual.worker import Worker, get_current_worker

from fabric.routing.progress import Progress, Reporter
from topologies.errors import FabricError
from tui.dialogues.reading import Reading
from tui.work import Cancelled

_REPORTS_PER_SECOND = 10
Explain = Callable[[Callable[[str], None], Reporter], None]


class Why(Reading):
    """An answer that takes its time.

    Parameters
    ----------
    explain : callable
        Called in a thread with a function that takes all of the text so far, and a reporter that raises ``Cancelled``
        once nobody reads any more.
    """

    BINDINGS: ClassVar = [Binding("ctrl+c", "leave", show=False)]

    class Filled(Message):
        """More of the text is there; ``done`` when it is all."""

        def __init__(self, text: str | None, *, done: bool = False) -> None:
            super().__init__()
            self.text, self.done = text, done

    class Reported(Message):
        """The thread says how far it is."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Failed(Message):
        """The thread met a bug of ours."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(self, title: str, explain: Explain) -> None:
        super().__init__(title, "…")
        self._explain = explain
        self._worker: Worker[None] | None = None

    def on_mount(self) -> None:
        """Begin."""
        self._say("… looking at the loads; esc stops")
        self._worker = self.run_worker(self._work, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        """Nobody reads it any more."""
        if self._worker is not None:
            self._worker.cancel()

    def _work(self) -> None:
        worker, last = get_current_worker(), 0.0

        def check() -> None:
            if worker.is_cancelled:
                raise Cancelled

        def report(state: Progress) -> None:
            nonlocal last
            check()
            now = time.monotonic()
            if now - last > 1 / _REPORTS_PER_SECOND:
                last = now
                self.post_message(self.Reported(state.text))

        def fill(text: str) -> None:
            check()
            self.post_message(self.Filled(text))

        try:
            self._explain(fill, report)
            self.post_message(self.Filled(None, done=True))
        except Cancelled:
            pass
        except FabricError as error:
            lines = [f"{problem.message}{f'; {problem.hint}' if problem.hint else ''}" for problem in error.problems]
            self.post_message(self.Filled("\n".join(lines), done=True))
        except Exception as error:  # the edge of the thread: nothing may be lost silently
            self.post_message(self.Failed(error))

    def on_why_filled(self, message: Filled) -> None:
        """Show what there is."""
        if message.text is not None:
            self.fill(message.text)
        if message.done:
            self._say("esc closes")

    def on_why_reported(self, message: Reported) -> None:
        """The frame says what is being done."""
        self._say(f"… {message.text}; esc stops")

    def on_why_failed(self, message: Failed) -> None:
        """A bug of ours ends the app with its traceback."""
        raise message.error

    def _say(self, words: str) -> None:
        self.query_one(Vertical).border_subtitle = self.note(words)
