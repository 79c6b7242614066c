"""The flags of commands whose work can be spread over processes and machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fabric.cli.options import Settings, refuse_flags

if TYPE_CHECKING:
    from fabric.spread.run import Spread, SpreadOptions

_NAMES = ("local", "dask")
_FLAGS = (
    click.option(
        "--backend",
        type=click.Choice(_NAMES),
        default="local",
        show_default=True,
        help="Who does the work: processes of this machine, or a dask.distributed cluster.",
    ),
    click.option("--scheduler", metavar="ADDRESS", help="Of --backend dask, such as tcp://10.0.0.1:8786."),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Processes of --backend local; default: as the work is worth, a core each at most.",
    ),
    click.option("--checkpoint", metavar="FILE", help="Keep there what is done, so that --resume can go on."),
    click.option("--resume", is_flag=True, help="Go on with what is in --checkpoint."),
)


def spread_flags(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--backend``, ``--scheduler``, ``--workers``, ``--checkpoint``, ``--resume``."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


def spread_options(
    settings: Settings, backend: str, scheduler: str | None, workers: int | None, checkpoint: str | None, resume: bool
) -> SpreadOptions:
    """The flags, checked together.

    Raises
    ------
    click.UsageError
        Where they do not fit each other.
    """
    from fabric.spread.run import SpreadOptions

    if backend == "dask":
        refuse_flags("the scheduler of --backend dask knows its workers", "workers")
        if not scheduler:
            raise click.UsageError("--backend dask needs --scheduler ADDRESS; dask scheduler starts one and prints it")
    else:
        refuse_flags("--backend local has none", "scheduler")
    if resume and checkpoint is None:
        raise click.UsageError("--resume needs --checkpoint FILE, the file to go on with")
    if checkpoint is not None and not Path(checkpoint).parent.is_dir():
        raise click.UsageError(f"--checkpoint {checkpoint}: the folder {Path(checkpoint).parent} does not exist")
    if checkpoint is not None and Path(checkpoint).exists() and not Path(checkpoint).is_file():
        raise click.UsageError(f"--checkpoint {checkpoint} is not a file")
    kept = None if checkpoint is None else Path(checkpoint)
    name = next(known for known in _NAMES if known == backend)
    return SpreadOptions(name, scheduler, workers, kept, resume, settings.force and not resume)  # type: ignore[arg-type]


@contextmanager
def saying_how_to_go_on(spread: Spread) -> Iterator[None]:
    """Where it is interrupted, say how far it came and how the rest can be done."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"note: {spread.how_to_go_on}", err=True)
        raise
