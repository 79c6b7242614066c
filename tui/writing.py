"""Writing the view: SVG of the screen, CSV or Markdown of its table; whole files only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fabric.output.rows import to_csv
from fabric.output.table import Table
from fabric.output.text import to_markdown
from topologies.errors import ScenarioError
from topologies.whole_file import whole_file

KINDS = (".svg", ".csv", ".md")


def write_view(path: Path, title: str, table: Table | None, picture: Callable[[], str]) -> None:
    """Write the view to a file whose suffix says how.

    Raises
    ------
    ScenarioError
        FP9401 for another suffix, a view without a table, or a place that cannot be written.
    """
    if path.suffix not in KINDS:
        raise ScenarioError(f"{path} does not say what it is", code="FP9401", hint=f"end it with {', '.join(KINDS)}")
    if path.suffix != ".svg" and table is None:
        raise ScenarioError("this view has no table", code="FP9401", hint="write it as .svg")
    if not path.parent.is_dir():
        raise ScenarioError(f"the folder {path.parent} does not exist", code="FP9401", hint="name another file")
    if path.suffix == ".svg":
        text = picture()
    elif path.suffix == ".csv":
        text = "".join(to_csv(table)) if table is not None else ""
    else:
        text = to_markdown([table.titled(title)]) if table is not None else ""
    try:
        with whole_file(path) as place:
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"cannot write {path}: {error.strerror}", code="FP9401", hint="name another file") from None
