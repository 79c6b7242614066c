"""``--failures`` and ``--failures-from``: the failure sweep that a picture, a report or a comparison shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fabric.failures.result import FailureResult
    from fabric.pipeline.run import Run
    from fabric.routing.progress import Reporter


def failures_options(what: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Both options; ``what`` says what a command does with the sweep."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        flag = click.option("--failures", is_flag=True, help=f"{what}: every single link and switch.")
        file = click.option(
            "--failures-from", "failures_from", metavar="FILE", help="A sweep that fabric failures wrote as JSON."
        )
        return flag(file(command))

    return add


def check_failures(failures: bool, path: str | None) -> None:
    """Refuse, before the work, both at once, and a file that is not a sweep."""
    if failures and path is not None:
        raise click.UsageError("--failures sweeps now, --failures-from reads a sweep: give one of them")


def flags_of(failures: bool, path: str | None) -> tuple[str, ...]:
    """What was given, as it is typed again."""
    if path is not None:
        return ("--failures-from", path)
    return ("--failures",) if failures else ()


def asked_failures(run: Run, failures: bool, path: str | None, progress: Reporter) -> FailureResult | None:
    """The sweep that was asked for: made now, or read; None where none was."""
    if path is not None:
        from fabric.saved.failure_file import open_failures

        saved = open_failures(path)
        saved.check_of(run)
        return saved.result
    if not failures:
        return None
    from fabric.failures.request import FailureRequest
    from fabric.failures.sweep import run_failures

    return run_failures(run, FailureRequest(route=run.request), progress=progress)
