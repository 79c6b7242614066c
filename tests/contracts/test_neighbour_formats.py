"""Every format of observed neighbours says what it is, and refuses what it cannot read with the place of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric.operate.observed.format import NEIGHBOUR_FORMATS
from fabric.operate.observed.read import read_neighbours
from topologies.errors import FormatError

EVERY = pytest.mark.parametrize("name", list(NEIGHBOUR_FORMATS))


@EVERY
def test_a_format_says_what_it_is(name: str) -> None:
    """A summary, the endings of its files, and the command that writes them."""
    entry = NEIGHBOUR_FORMATS[name]
    assert NEIGHBOUR_FORMATS.summary(name)
    assert entry.source
    assert entry.suffixes
    assert all(suffix.startswith(".") for suffix in entry.suffixes)


@EVERY
@pytest.mark.parametrize("text", ["", "   \n", "{}", "[1, 2", "nothing that anybody prints\n"])
def test_a_text_of_another_kind_is_refused_with_its_place(name: str, text: str, tmp_path: Path) -> None:
    """File, line and column, and what writes the right thing."""
    file = tmp_path / f"leaf0{NEIGHBOUR_FORMATS[name].suffixes[0]}"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=r"\S") as caught:
        read_neighbours(name, file)
    for problem in caught.value.problems:
        assert (problem.code, problem.file) == ("FP6601", str(file))
        assert problem.line is not None
        assert problem.column is not None
        assert problem.hint


@EVERY
def test_a_folder_without_its_files_is_refused(name: str, tmp_path: Path) -> None:
    """And the endings are named."""
    (tmp_path / "notes.md").write_text("nothing", encoding="utf-8")
    with pytest.raises(FormatError, match="no file that ends in") as caught:
        read_neighbours(name, tmp_path)
    assert caught.value.problems[0].code == "FP6603"


@EVERY
def test_a_path_that_does_not_exist_is_refused(name: str, tmp_path: Path) -> None:
    """With the command that makes it."""
    with pytest.raises(FormatError, match="no such file or folder"):
        read_neighbours(name, tmp_path / "nowhere")
