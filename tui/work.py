"""Work in threads: one job at a time, newer work makes older moot, answers arrive as messages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App
from textual.message import Message
from textual.worker import Worker, get_current_worker

from fabric.routing.progress import Progress, Reporter
from topologies.errors import FabricError

Value = TypeVar("Value")
_REPORTS_PER_SECOND = 10


class Cancelled(Exception):  # noqa: N818 - it is not an error
    """The person does not want to wait."""


class WorkingApp(App[int]):
    """An app whose keys answer while a thread works."""

    class WorkDone(Message):
        """A thread has its answer."""

        def __init__(self, job: int, then: Callable[[Any], None], value: Any) -> None:
            super().__init__()
            self.job, self.then, self.value = job, then, value

    class WorkFailed(Message):
        """A thread met a mistake of the person's, or a bug of ours."""

        def __init__(self, job: int, error: BaseException) -> None:
            super().__init__()
            self.job, self.error = job, error

    class WorkReported(Message):
        """A thread says how far it is."""

        def __init__(self, job: int, text: str) -> None:
            super().__init__()
            self.job, self.text = job, text

    def __init__(self) -> None:
        super().__init__()
        self.busy = ""  # what is being done, empty when nothing is
        self._job = 0
        self._worker: Worker[None] | None = None

    def work(self, task: str, function: Callable[[Reporter], Value], then: Callable[[Value], None]) -> None:
        """Run ``function(report)`` in a thread and hand its value to ``then``; newer work makes older moot."""
        self.drop_work()
        job, last = self._job, 0.0
        self.busy = task

        def run() -> None:
            worker = get_current_worker()

            def report(state: Progress) -> None:
                nonlocal last
                if worker.is_cancelled:
                    raise Cancelled
                now = time.monotonic()
                if now - last > 1 / _REPORTS_PER_SECOND:
                    last = now
                    self.post_message(self.WorkReported(job, state.text))

            try:
                self.post_message(self.WorkDone(job, then, function(report)))
            except Cancelled:
                pass
            except Exception as error:  # the edge of the thread: nothing may be lost silently
                self.post_message(self.WorkFailed(job, error))

        self._worker = self.run_worker(run, thread=True, exit_on_error=False)
        self.work_changed()

    def drop_work(self) -> None:
        """Whatever is under way is moot; its answer will not be taken."""
        self._job += 1
        if self._worker is not None:
            self._worker.cancel()
        self.busy = ""

    def on_working_app_work_reported(self, message: WorkReported) -> None:
        """The line of state says what is being done."""
        if message.job == self._job and self.busy:
            self.busy = message.text
            self.work_reported()

    def on_working_app_work_done(self, message: WorkDone) -> None:
        """Take the answer, unless something newer was asked since."""
        if message.job == self._job:
            self.busy = ""
            message.then(message.value)
            self.work_changed()

    def on_working_app_work_failed(self, message: WorkFailed) -> None:
        """Show a mistake where it was made; a bug of ours ends the app with its traceback."""
        if message.job == self._job:
            self.busy = ""
            if not isinstance(message.error, FabricError | OSError | UnicodeError):
                raise message.error
            self.failed(message.error)

    # ---- what the app shows of it -------------------------------------------------------------------------------

    def work_reported(self) -> None:
        """The words about work under way are others."""

    def work_changed(self) -> None:
        """Work began or its answer was taken."""

    def failed(self, error: BaseException) -> None:
        """Work ended with a mistake of the person's."""
