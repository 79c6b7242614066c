"""Compiled loops taken up in later runs without numba: the same answers, and never those of another source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fabric.routing import kept_loops
from fabric.routing.kept_loops import ABILITIES, BASELINE, processor
from fabric.routing.linked import is_possible
from fabric.routing.object_code import UnknownCodeError, read_object

pytestmark = pytest.mark.skipif(not is_possible() or processor() is None, reason="loops are not linked here")

LOOPS = """
from typing import NamedTuple
import numpy as np
from fabric.routing.compiled import compiled
from inner import scaled

class Pair(NamedTuple):
    first: np.ndarray
    count: int

@compiled
def summed(pair, factor):
    answer = 0.0
    for value in pair.first[: pair.count]:
        answer += scaled(value) * factor
    return answer

@compiled
def doubled(values):
    if len(values) > 4:
        raise ValueError("too many")
    return 2 * values

@compiled
def fast(flag, number, wide):
    return (number + wide) if flag else number
"""
INNER = """
from fabric.routing.compiled import compiled_inside
FACTOR = 10

@compiled_inside
def scaled(value):
    return FACTOR * value
"""
PROGRAM = """
import sys
import numpy as np
import loops
values = np.array([1.0, 2.0, 3.0])
found = [loops.summed(loops.Pair(values, 2), 0.5), loops.doubled(values).tolist(),
         loops.doubled(np.array([[1, 2], [3, 4]], np.int32).T[0]).tolist(),
         int(loops.fast(True, np.uint64(2**63), np.uint64(5))), loops.fast(False, 3, 4)]
try:
    loops.doubled(np.arange(5.0))
except ValueError as error:
    found.append(str(error))
print(found, "numba" in sys.modules)
import numba
assert loops.summed._dispatcher(loops.Pair(values, 2), 0.5) == found[0]
assert loops.doubled._dispatcher(loops.doubled(values)).tolist() == [4.0, 8.0, 12.0]
"""
ANSWERS = "[15.0, [2.0, 4.0, 6.0], [2, 6], 9223372036854775813, 3, 'too many']"


SHIPPED = """
import sys
from pathlib import Path
from fabric.routing import kept_loops
kept_loops.SHIPPED = Path(sys.argv[1])
"""


def answers(folder: Path, kept: str = "kept", before: str = "", **chosen: str) -> str:
    """What the program prints, in a process of its own."""
    paths = os.pathsep.join([str(folder), str(Path.cwd())])
    environment = {**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(folder / kept), **chosen}
    done = subprocess.run(
        [sys.executable, "-B", "-c", before + PROGRAM, str(folder / "shipped")],  # as in one_line
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def one_line(folder: Path, program: str, **chosen: str) -> str:
    """What another program prints."""
    paths = os.pathsep.join([str(folder), str(Path.cwd())])
    environment = {**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(folder / "kept"), **chosen}
    command = [sys.executable, "-B", "-c", program]  # without bytecode, which is kept by whole seconds
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with loops that were compiled in one run."""
    folder = tmp_path_factory.mktemp("loops")
    (folder / "loops.py").write_text(LOOPS)
    (folder / "inner.py").write_text(INNER)
    assert answers(folder) == f"{ANSWERS} True"
    return folder


def test_a_second_run_has_the_same_answers_without_numba(compiled_once: Path) -> None:
    """Named tuples, arrays in and out, whole numbers of 64 bits, an error; then numba beside them in one process."""
    assert answers(compiled_once) == f"{ANSWERS} False"


@pytest.mark.parametrize("damage", [b"", b"\x80\x04K\x01.", None], ids=["empty", "other", "cut off"])
def test_damaged_files_are_compiled_anew(compiled_once: Path, damage: bytes | None) -> None:
    """Whatever is in their place, the answers stay."""
    for path in compiled_once.rglob("*.linked"):
        path.write_bytes(path.read_bytes()[:-9] if damage is None else damage)
    assert answers(compiled_once) == f"{ANSWERS} True"
    assert answers(compiled_once) == f"{ANSWERS} False"


def test_a_change_of_a_loop_that_is_called_is_noticed(compiled_once: Path) -> None:
    """The factor of the inner loop is 10, then 30 in its file: the outer one is not taken up as it was, by neither."""
    (compiled_once / "inner.py").write_text(INNER.replace("FACTOR = 10", "FACTOR = 30"))
    assert answers(compiled_once).startswith("[45.0, ")
    assert answers(compiled_once) == f"{ANSWERS.replace('15.0', '45.0')} False"


@pytest.mark.parametrize("switch", ["1", "0"])
def test_two_loops_of_one_name_are_told_apart(tmp_path: Path, switch: str) -> None:
    """Which of them a run has is decided when the module is loaded; linked or not."""
    body = "    @compiled\n    def f(x):\n        return x + {}\n"
    text = "import os\nfrom fabric.routing.compiled import compiled\n"
    text += "if os.environ.get('FAST'):\n" + body.format(1) + "else:\n" + body.format(2)
    (tmp_path / "twice.py").write_text(text)
    program = "import twice; print(twice.f(1))"
    printed = [one_line(tmp_path, program, FAST=fast, FABRIC_LINKED_LOOPS=switch) for fast in ("", "1", "", "1")]
    assert printed == ["3", "2", "3", "2"]


def test_a_file_replaced_before_the_first_call_does_not_lend_its_name_to_the_old_loop(tmp_path: Path) -> None:
    """An upgrade under a running program: that goes on with what it loaded, later runs have the new loop."""
    text = "from fabric.routing.compiled import compiled\n@compiled\ndef f(x):\n    return x + {}\n"
    path = tmp_path / "old.py"
    path.write_text(text.format(1))
    replaced = f"import old; from pathlib import Path; Path({str(path)!r}).write_text({text.format(100)!r})"
    assert one_line(tmp_path, f"{replaced}; print(old.f(1))") == "2"
    assert [one_line(tmp_path, "import old; print(old.f(1))") for _ in range(2)] == ["101", "101"]


def test_linking_can_be_switched_off(compiled_once: Path) -> None:
    """Then numba does it all."""
    assert answers(compiled_once, FABRIC_LINKED_LOOPS="0").endswith(" True")


def test_loops_that_a_wheel_brings_are_taken_where_nothing_is_kept(compiled_once: Path) -> None:
    """Compiled for a newer processor of any kind in one run, taken up in another; not once a source has changed."""
    if not set(ABILITIES) <= set((processor() or "").split()):
        pytest.skip("an older processor")
    (compiled_once / "shipped").mkdir()
    chosen = {"NUMBA_CPU_NAME": BASELINE, "NUMBA_CPU_FEATURES": "", "FABRIC_SHIP_LOOPS": str(compiled_once / "shipped")}
    first = answers(compiled_once, "built", **chosen)
    assert first.endswith(" True")
    assert answers(compiled_once, "fresh", SHIPPED) == first.replace("True", "False")
    inner = compiled_once / "inner.py"
    inner.write_text(inner.read_text() + "\n")
    assert "True" in answers(compiled_once, "fresher", SHIPPED)


@pytest.mark.parametrize("text", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + bytes(100), b"MZ" + bytes(100)])
def test_what_is_no_object_file_is_refused(text: bytes) -> None:
    """None of these is laid out."""
    with pytest.raises((UnknownCodeError, ValueError)):
        read_object(text + bytes(64) if len(text) < 8 else text)


def test_what_cannot_be_read_is_never_taken_for_unchanged(tmp_path: Path) -> None:
    """Two runs, here two calls, have different hashes of a source that is not there; one of a file has one hash."""
    missing, there = str(tmp_path / "missing.py"), tmp_path / "there.py"
    there.write_text("1")
    hash_of = kept_loops._hash_of.__wrapped__
    assert hash_of(missing) != hash_of(missing)
    assert hash_of(str(there)) == hash_of(str(there))
