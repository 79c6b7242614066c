"""What people see when something goes wrong, and the exit code that goes with it."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import traceback
from collections.abc import Sequence

import click

from topologies.errors import FabricError, MissingProgramError, NoAnswerError, OutputError


def explain_failure(error: Exception, argv: Sequence[str], verbose: int) -> int:
    """Print an error on stderr; returns the exit code."""
    from fabric.cli.exit_codes import BAD_INPUT, INTERNAL, MISSING_PROGRAM, NO_ANSWER

    if isinstance(error, OSError) and error.errno is not None:  # a place that cannot be read or written
        place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
        if verbose > 1:
            traceback.print_exception(error)
        error = FabricError(f"{place}{error.strerror or error}")
    if isinstance(error, FabricError):
        from fabric.scenario.diagnostics import render

        code = MISSING_PROGRAM if isinstance(error, MissingProgramError) else BAD_INPUT
        code = NO_ANSWER if isinstance(error, NoAnswerError) else code
        sources = getattr(error, "sources", {})
        limit = getattr(error, "max_errors", 20)
        name = "the output" if isinstance(error, OutputError) else None
        name = "the fabric as it stands" if isinstance(error, NoAnswerError) else name
        click.echo(render(error.problems, sources, exit_code=code, max_errors=limit, name=name), err=True, nl=False)
        if verbose > 1:
            traceback.print_exception(error)
        return code
    if verbose > 1:
        traceback.print_exception(error)
    if isinstance(error, MemoryError):
        from topologies.budget import FLAG, memory_limit

        click.echo(
            f"error[FP3050]: out of memory: this needs more than {memory_limit()}; take a smaller scenario, a router "
            f"that keeps less (ecmp), or a machine with more; a lower {FLAG} refuses such things before they start",
            err=True,
        )
        return BAD_INPUT
    last = traceback.extract_tb(error.__traceback__)[-1]
    click.echo(
        "internal error: this is a bug of fabric, not of your input\n"
        f"  command   fabric {shlex.join(argv)}\n"
        f"  error     {type(error).__name__}: {error}\n"
        f"  place     {last.filename.rsplit('/', 1)[-1]}:{last.lineno} in {last.name}\n"
        f"  versions  Python {platform.python_version()} on {sys.platform}\n"
        "please report it with the scenario file; -vv shows the traceback",
        err=True,
    )
    return INTERNAL
