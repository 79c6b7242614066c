"""``fabric failures -o worst.svg``: a sweep as a picture, of a fabric by its worst cases or of the causes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fabric.cli.answer import output_path, write
from fabric.cli.options import Settings, refuse_flags
from fabric.faces.drawing.view import VIEWS, Picture

if TYPE_CHECKING:
    from fabric.failures.result import FailureResult
    from fabric.pipeline.run import Run

TORNADO = "tornado"
_KINDS = {".svg": "svg", ".png": "png", ".dot": "dot"}


def picture_names() -> tuple[str, ...]:
    """Pictures that there are of a sweep: views of a fabric, and the causes."""
    return (*(name for name in VIEWS if VIEWS[name].of_links), TORNADO)


def wanted_picture(settings: Settings, name: str | None) -> str | None:
    """The picture that is asked for, by its name or the file's; None where none is.

    Raises
    ------
    click.UsageError
        Where a picture is asked for without a file for it, or cannot be of that kind.
    """
    kind = _KINDS.get(Path(settings.output).suffix.lower())
    if kind is None:
        if name is not None:
            raise click.UsageError(f"--picture {name} needs a file to draw into: -o {name}.svg")
        return None
    output_path(settings)  # refused before the work, not after it
    chosen = name or next(iter(picture_names()))
    if kind != "svg" and (chosen == TORNADO or VIEWS[chosen].language != "dot"):
        raise click.UsageError(f"--picture {chosen} is drawn as SVG, not as {kind}: end the file with .svg")
    refuse_flags("a picture has no rows", "rows", "top", groups=("rows", "format"))
    return chosen


def draw_failures(run: Run, result: FailureResult, name: str, settings: Settings, fabric: str | None) -> None:
    """Write the picture."""
    path = output_path(settings)
    if name == TORNADO:
        from fabric.faces.drawing.svg.tornado import tornado_svg
        from fabric.faces.views.failures import harm_text, loss_text, losses, sweep_text
        from fabric.faces.views.tornado import tornado

        expected = losses(result)
        cost = harm_text(result) if expected is None else loss_text(expected)
        write(tornado_svg(tornado(result), [run.loaded.scenario.name, sweep_text(result), cost]), settings)
    else:
        from fabric.faces.drawing.pictures import draw, drawn_worst_case

        drawn = drawn_worst_case(run.loaded, run.result, result, fabric)
        draw(Picture(name), drawn, path, _KINDS[path.suffix.lower()])
    if not settings.quiet:
        click.echo(f"wrote {path}", err=True)
