"""What is written as a folder or a file: nobody else's work is removed, the old stays until the new stands."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from plain_signals import plain_signals

from fabric.output import whole_folder as module
from fabric.output.whole_folder import LIST, FolderKind, whole_folder
from topologies.errors import FormatError
from topologies.whole_file import whole_file

ROOT = Path(__file__).parents[2]
KIND = FolderKind("a test", FormatError, "FP9101")
OTHER = FolderKind("another test", FormatError, "FP9101")


def write(folder: Path, *, force: bool = True, kind: FolderKind = KIND, text: str = "new") -> None:
    with whole_folder(folder, kind, force=force) as place:
        (place / "a" / "b").mkdir(parents=True)
        (place / "manifest.json").write_text(text)
        (place / "a" / "b" / "leaf0").write_text(text)


def texts(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("exchange", [True, False])
def test_a_folder_replaces_an_earlier_one_of_its_kind_and_leaves_nothing_beside(tmp_path, monkeypatch, exchange):
    """With the call that exchanges, and on file systems that lack it."""
    if not exchange:
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    out = tmp_path / "out"
    write(out, text="old!")
    out.chmod(0o700)
    write(out)
    assert texts(out)["a/b/leaf0"] == "new"
    assert out.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda out: (out / "a" / "thesis.txt").write_text("x"), "a/thesis.txt in it was not written by fabric"),
        (lambda out: (out / "empty").mkdir(), "empty in it was not written by fabric"),
        (lambda out: (out / "a" / "link").symlink_to("/etc"), "a/link in it was not written by fabric"),
        (
            lambda out: (out / "manifest.json").write_text("changed by hand"),
            "manifest.json in it is not as fabric",
        ),
        (lambda out: (out / LIST).unlink(), "a is not ours to remove"),
        (lambda out: (out / LIST).write_text("{}"), "a is not ours to remove"),
        (lambda out: (out / LIST).write_text("[" * 100_000), "a is not ours to remove"),
    ],
)
def test_a_folder_with_anything_else_in_it_stays_as_it_is(tmp_path, change, words):
    """Forced or not; the first foreign file is named."""
    out = tmp_path / "out"
    write(out)
    change(out)
    before = texts(out)
    for force in (True, False):
        with pytest.raises(FormatError, match=words):
            write(out, force=force, text="newer")
    assert texts(out) == before


def test_a_folder_of_another_command_is_not_replaced(tmp_path):
    """An export is no saved result."""
    write(tmp_path / "out")
    with pytest.raises(FormatError, match="it is of kind 'a test'"):
        write(tmp_path / "out", kind=OTHER)


def test_an_empty_folder_that_cannot_be_renamed_is_filled(tmp_path, monkeypatch):
    """The working folder, as a mounted one: the folder itself stays."""
    monkeypatch.chdir(tmp_path)
    inode = tmp_path.stat().st_ino
    write(Path(), force=False)
    assert tmp_path.stat().st_ino == inode
    assert set(texts(tmp_path)) == {"manifest.json", "a/b/leaf0", LIST}


def test_what_fails_leaves_the_old_one(tmp_path):
    """A full disk halfway."""
    out = tmp_path / "out"
    write(out, text="old")
    before = texts(out)

    def halfway() -> None:
        with whole_folder(out, KIND, force=True) as place:
            (place / "manifest.json").write_text("new")
            raise OSError(28, "No space left on device")

    with pytest.raises(FormatError, match="cannot be written: No space left on device; nothing was left behind"):
        halfway()
    assert texts(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_parts_of_dead_processes_are_removed_and_no_others(tmp_path):
    """Of a live process, of another name and of what only looks like one: they stay."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stay = {f".out.{os.getppid()}.part", f".other.{dead.pid}.part", ".out.x.part", f".out.{dead.pid}.parts"}
    for name in (*stay, f".out.{dead.pid}.part"):
        (tmp_path / name).write_text("half")
    with whole_file(tmp_path / "out") as place:
        place.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"out", *stay}


def test_a_folder_moved_away_by_a_process_that_was_killed_comes_back(tmp_path):
    """Where folders cannot be exchanged, the old one has another name for a moment."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    write(tmp_path / "out", text="old")
    (tmp_path / "out").rename(tmp_path / f".out.{dead.pid}.old")
    with pytest.raises(FormatError, match="full"), whole_folder(tmp_path / "out", KIND, force=True):
        raise OSError(28, "full")
    assert texts(tmp_path / "out")["manifest.json"] == "old"


PROGRAM = """
import time
from pathlib import Path
from fabric.cli.interrupts import exit_code_of, interruptible
from fabric.output.whole_folder import FolderKind, whole_folder
from topologies.errors import FormatError
try:
    with interruptible(), whole_folder(Path("out"), FolderKind("a test", FormatError, "FP9101"), force=True) as place:
        (place / "manifest.json").write_text("new")
        print("writing", flush=True)
        time.sleep(60)
except KeyboardInterrupt as error:
    raise SystemExit(exit_code_of(error))
"""


@pytest.mark.parametrize(
    ("number", "code", "parts"),
    [(signal.SIGINT, 130, 0), (signal.SIGTERM, 143, 0), (signal.SIGHUP, 129, 0), (signal.SIGKILL, -9, 1)],
)
def test_a_signal_while_a_folder_is_written_leaves_the_old_one_whole(tmp_path, number, code, parts):
    """Tidied up by all but SIGKILL; what that leaves goes with the next run."""
    out = tmp_path / "out"
    write(out, text="old")
    before = texts(out)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, text=True, preexec_fn=plain_signals,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        time.sleep(0.05)
        process.send_signal(number)
    assert process.returncode == code
    assert texts(out) == before
    assert len([path for path in tmp_path.iterdir() if path.name != "out"]) == parts
    write(out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
