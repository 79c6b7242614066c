"""Plug-ins found by the names of files: what is read without importing, what is refused, and how it is said."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace as Thing

import pytest

from topologies.errors import ScenarioError
from topologies.plugin_folder import PluginFolder, file_names, module_path

GOOD = """
from types import SimpleNamespace

SUMMARY = "a thing"
ORDER = {order}
THING = SimpleNamespace(name="{name}")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package ``fresh_things.kinds`` in a folder of its own, not imported."""
    folder = tmp_path / "fresh_things" / "kinds"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise ImportError('names need no import of the parents')\n")
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.startswith("fresh_things")]:
        del sys.modules[name]


def things() -> PluginFolder[Thing]:
    """The folder under test."""
    return PluginFolder("thing", "fresh_things.kinds", "THING", Thing)


def test_names_go_by_order_then_by_file_and_nothing_is_imported(package: Path) -> None:
    """The file ``two_words.py`` is the entry two-words; files that begin with _ are none."""
    for stem, order in (("zebra", 10), ("two_words", 20), ("apple", 20), ("_shared", 0)):
        (package / f"{stem}.py").write_text(f'raise RuntimeError\nSUMMARY = "of {stem}"\nORDER = {order}\n')
    folder = things()
    assert folder.names() == ["zebra", "apple", "two-words"]
    assert folder.summary("two-words") == "of two_words"
    assert "two-words" in folder
    assert "_shared" not in folder
    assert file_names("fresh_things.kinds") == ("apple", "two-words", "zebra")
    assert module_path("fresh_things.kinds.zebra") == package / "zebra.py"
    assert not [name for name in sys.modules if name.startswith("fresh_things")]


def test_an_entry_is_loaded_when_it_is_asked_for(package: Path) -> None:
    """The other file would fail if it were imported as well."""
    (package.parent / "__init__.py").write_text("")
    (package / "good.py").write_text(GOOD.format(order=1, name="good"))
    (package / "bad.py").write_text('SUMMARY = "x"\nraise RuntimeError\n')
    assert things()["good"] == Thing(name="good")
    with pytest.raises(ScenarioError, match=r"unknown thing 'goood'.*did you mean 'good'"):
        things().find("goood")
    with pytest.raises(KeyError, match="goood"):
        things()["goood"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("THING = 1\n", r'slip\.py declares no SUMMARY = "\.\.\."'),
        ("SUMMARY = ''\n", r"slip\.py declares no SUMMARY"),
        ("SUMMARY = str(1)\n", r"slip\.py: SUMMARY is not a literal on one line"),
        ("SUMMARY = (\n    'long'\n)\n", r"slip\.py: SUMMARY is not a literal on one line"),
        ("SUMMARY = 'x'\nORDER = 'first'\n", r"slip\.py .*an ORDER that is not a whole number"),
    ],
)
def test_a_file_without_its_declarations_is_named(package: Path, text: str, message: str) -> None:
    """At the first look at the folder, not when the entry is used."""
    (package / "slip.py").write_text(text)
    with pytest.raises(ValueError, match=message):
        things().names()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SUMMARY = 'x'\n", r"slip\.py declares no THING: every thing is a SimpleNamespace of that name"),
        ("SUMMARY = 'x'\nTHING = 7\n", r"slip\.py declares no THING: every thing is a SimpleNamespace of that name"),
        (GOOD.format(order=1, name="other"), r"slip\.py calls its thing 'other'; by the name of the file it is 'slip'"),
    ],
)
def test_a_file_with_the_wrong_object_is_named(package: Path, text: str, message: str) -> None:
    """When it is loaded."""
    (package.parent / "__init__.py").write_text("")
    (package / "slip.py").write_text(text)
    with pytest.raises(ValueError, match=message):
        things()["slip"]


def test_two_folders_of_a_package_may_not_have_one_name(package: Path, tmp_path: Path) -> None:
    """The message names both files."""
    import importlib

    (package.parent / "__init__.py").write_text("")
    other = tmp_path / "other"
    other.mkdir()
    for folder in (package, other):
        (folder / "good.py").write_text(GOOD.format(order=1, name="good"))
    importlib.import_module("fresh_things.kinds").__path__.append(str(other))
    with pytest.raises(ValueError, match=r"thing 'good' is declared twice: .*kinds/good\.py and .*other/good\.py"):
        things().names()


def test_a_test_may_add_an_entry_for_a_while(package: Path) -> None:
    """It stands in its place of the order, and is gone afterwards."""
    (package / "first.py").write_text('SUMMARY = "x"\nORDER = 10\n')
    folder = things()
    with folder.with_entry("added", Thing(name="added"), summary="for a test", order=20):
        assert folder.names() == ["first", "added"]
        assert folder["added"] == Thing(name="added")
        assert folder.summary("added") == "for a test"
    assert folder.names() == ["first"]
    taken = pytest.raises(ValueError, match=r"thing 'first' is declared twice: .*first\.py and with_entry")
    with taken, folder.with_entry("first", Thing(name="first"), summary="again"):
        pass


def test_a_package_that_is_not_installed_is_named() -> None:
    """Both ways of asking."""
    with pytest.raises(ModuleNotFoundError, match="no package no_such_package"):
        PluginFolder("thing", "no_such_package.kinds", "THING", Thing).names()
    with pytest.raises(ModuleNotFoundError, match=r"no module topologies\.no_such_file"):
        module_path("topologies.no_such_file")
