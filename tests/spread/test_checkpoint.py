"""A checkpoint after a kill at any byte: what is whole is taken, the rest is done again, nothing is done twice."""

from __future__ import annotations

import random
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from toy_work import done, job

from fabric.spread.checkpoint import MAGIC
from fabric.spread.job import Job
from fabric.spread.run import SpreadOptions
from topologies.errors import FabricError

ROOT = Path(__file__).resolve().parents[2]
UNITS = 30
SQUARES = [unit**2 for unit in range(UNITS)]


def in_small_tasks(folder: Path, units: int = UNITS, **arguments: object) -> Job:
    """Of one or two units each."""
    return replace(job(folder, units, **arguments), unit_s=0.6)


def kept(path: Path, **keys: object) -> SpreadOptions:
    """In this process, kept in a file."""
    return SpreadOptions(workers=1, checkpoint=path, **keys)  # type: ignore[arg-type]


def test_a_finished_one_is_taken_whole_and_nothing_is_done_again(tmp_path: Path) -> None:
    path, log = tmp_path / "c", tmp_path / "log"
    assert done(in_small_tasks(tmp_path, log=str(log)), kept(path))[0] == SQUARES
    before = log.read_text()
    found, spread = done(in_small_tasks(tmp_path, log=str(log)), kept(path, resume=True))
    assert found == SQUARES
    assert log.read_text() == before
    assert spread.said == ["30 of 30 numbers were done before"]


@pytest.mark.parametrize("part", range(4))
def test_a_kill_at_any_byte_loses_only_what_was_being_written(tmp_path: Path, part: int) -> None:
    """Cut off anywhere behind its head, the file gives all units, and only those that it lacks are done."""
    path = tmp_path / "c"
    done(in_small_tasks(tmp_path), kept(path))
    whole = path.read_bytes()
    head = whole.index(b"\n", len(MAGIC)) + 1
    head += int(whole[len(MAGIC) :].split()[0])
    rng = random.Random(part)
    places = {head, head + 1, len(whole) - 1, *rng.sample(range(head, len(whole)), 25)}
    for place in sorted(places):
        log = tmp_path / f"log{place}"
        path.write_bytes(whole[:place])
        asked = in_small_tasks(tmp_path, log=str(log))
        # What is logged differs between these jobs, and must not: it is no part of the request.
        found, spread = done(asked, kept(path, resume=True))
        assert found == SQUARES
        again = [int(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []
        assert len(again) == len(set(again))
        assert again == list(range(UNITS - len(again), UNITS))
        said = " ".join(spread.said)
        if again and len(again) < UNITS:
            assert f"{UNITS - len(again)} of 30 numbers were done before" in said
        assert path.stat().st_size >= place
        assert done(asked, kept(path, resume=True))[1].said == ["30 of 30 numbers were done before"]


@pytest.mark.parametrize("place", [1, 10, len(MAGIC) - 1, len(MAGIC), len(MAGIC) + 5, len(MAGIC) + 60])
def test_one_cut_off_in_its_head_is_refused(tmp_path: Path, place: int) -> None:
    path = tmp_path / "c"
    done(in_small_tasks(tmp_path), kept(path))
    path.write_bytes(path.read_bytes()[:place])
    with pytest.raises(FabricError, match=r"damaged|not a checkpoint") as caught:
        done(in_small_tasks(tmp_path), kept(path, resume=True))
    assert caught.value.problems[0].code == "FP9502"


def test_a_damaged_byte_ends_what_is_taken(tmp_path: Path) -> None:
    """Its checksum does not hold: from there on all is done again, and that is said."""
    path = tmp_path / "c"
    done(in_small_tasks(tmp_path), kept(path))
    whole = bytearray(path.read_bytes())
    whole[len(whole) * 3 // 4] ^= 1
    path.write_bytes(whole)
    found, spread = done(in_small_tasks(tmp_path), kept(path, resume=True))
    assert found == SQUARES
    assert "are not whole, and are done again" in spread.said[0]


@pytest.mark.parametrize(
    "content", [b"version: 1\nname: x\n", b"PK\x03\x04" + bytes(100), b"fabric-planner/checkpoint/v9\n"]
)
@pytest.mark.parametrize("keys", [{"resume": True}, {"force": True}])
def test_a_foreign_file_is_neither_read_nor_replaced(tmp_path: Path, content: bytes, keys: dict[str, bool]) -> None:
    path = tmp_path / "c"
    path.write_bytes(content)
    with pytest.raises(FabricError, match="checkpoint of") as caught:
        done(job(tmp_path, 3), kept(path, **keys))
    assert caught.value.problems[0].code == "FP9502"
    assert path.read_bytes() == content


def test_one_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "c"
    done(job(tmp_path, 3), kept(path))
    with pytest.raises(FabricError, match="the file exists") as caught:
        done(job(tmp_path, 3), kept(path))
    assert caught.value.problems[0].code == "FP9501"
    assert done(job(tmp_path, 4), kept(path, force=True))[0] == [0, 1, 4, 9]


def test_resuming_what_is_not_there_starts_and_says_so(tmp_path: Path) -> None:
    found, spread = done(job(tmp_path, 3), kept(tmp_path / "c", resume=True))
    assert found == [0, 1, 4]
    assert "there is no checkpoint" in spread.said[0]


def test_another_scenario_request_or_version_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c"
    done(job(tmp_path, 3), kept(path))
    before = path.read_bytes()

    def refused(toy: Job) -> str:
        with pytest.raises(FabricError) as caught:
            done(toy, kept(path, resume=True))
        assert caught.value.problems[0].code == "FP9503"
        assert path.read_bytes() == before
        return str(caught.value)

    assert "another request: units is 4 now, and was 3" in refused(job(tmp_path, 4))
    text = (tmp_path / "toy.yaml").read_text()
    (tmp_path / "toy.yaml").write_text(text + "# a remark\n")
    assert "another scenario: toy.yaml has changed since" in refused(job(tmp_path, 3))
    (tmp_path / "toy.yaml").write_text(text)
    from fabric.spread import version

    monkeypatch.setattr(version, "installed", lambda: "9.9.9")
    assert "another version: version is fabric-planner 9.9.9" in refused(job(tmp_path, 3))


def test_two_processes_do_not_write_the_same_one(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "c"
    done(job(tmp_path, 3), kept(path))
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FabricError, match="another process writes it now"):
            done(job(tmp_path, 3), kept(path, resume=True))


FULL = """\
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from test_checkpoint import in_small_tasks, kept
from toy_work import done
found, spread = done(in_small_tasks(Path({folder!r}), 30), kept(Path({folder!r}) / "c"))
print(len(found), spread.stopped.problems[0].code, *spread.said, sep="|")
assert found == [unit**2 for unit in range(len(found))]
"""


def test_a_full_disk_in_mid_sweep_keeps_what_is_there(tmp_path: Path) -> None:
    """A process that may write files of 1 kB: the sweep stops, says so, and goes on when there is room."""
    code = FULL.format(root=str(ROOT), tests=str(ROOT / "tests" / "spread"), folder=str(tmp_path))
    line = f"ulimit -f 1; exec {shlex.quote(sys.executable)} -B -c {shlex.quote(code)}"
    ended = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=240)
    assert ended.returncode == 0, ended.stderr
    count, code, said = ended.stdout.strip().split("|")
    assert 0 < int(count) < 30
    assert code == "FP9505"
    assert "of 30 numbers are done and kept in" in said
    assert (tmp_path / "c").stat().st_size <= 1024
    found, spread = done(in_small_tasks(tmp_path), kept(tmp_path / "c", resume=True))
    assert found == SQUARES
    assert "of 30 numbers were done before" in spread.said[0]
