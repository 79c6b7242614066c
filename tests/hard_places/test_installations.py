"""Where nothing can be written: read-only installations of others, no home, no temporary folder, full disks."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from real_programs import require
from small_scenario import SCENARIO

from fabric.routing import temporary_folder

ROOT = Path(__file__).parents[2]
USER = 54321  # nobody's id
PROGRAM = """
import contextlib, io, sys
from fabric.cli.main import run
for argv in (["validate", "s.yaml"], ["build", "s.yaml"], ["route", "s.yaml", "--json"]):
    print(argv[0], run(argv))
"""
# It may read everything, for a Python below another user's home, and write nothing.
AS_USER = (
    f"setpriv --reuid={USER} --regid={USER} --clear-groups --inh-caps=-all,+dac_read_search "
    "--ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search "
)


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """The packages as another user installed them, without compiled kernels."""
    place = tmp_path / "installation"
    for package in ("topologies", "traffic", "fabric", "tui"):
        ignored = shutil.ignore_patterns("*.nbi", "*.nbc", "*.linked")
        shutil.copytree(ROOT / package, place / package, ignore=ignored)
    for path in [place, *place.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o222)
    (tmp_path / "s.yaml").write_text(SCENARIO)
    return place


def answers(installation: Path, *, before: str = "", home: str = "/nowhere", user: str = AS_USER) -> tuple[str, str]:
    """What the three commands print, and what they say, in a mount namespace of its own."""
    shell = f"""
set -e
mount --make-rprivate /
mount --rbind {installation} {installation}
mount -o remount,bind,ro {installation}
{before}
cd {installation.parent}
exec {user} env -i PATH=/usr/bin:/bin HOME={home} PYTHONPATH={installation} {sys.executable} -c '{PROGRAM}'
"""
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", shell], capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


NO_TEMPORARY = "\n".join(
    f"if [ -d {place} ]; then mount --rbind {place} {place}; mount -o remount,bind,ro {place}; fi"
    for place in ("/tmp", "/var/tmp", "/usr/tmp")
)
FULL = "mount -t tmpfs -o size=64k,mode=1777 none /mnt; head -c 60k /dev/zero > /mnt/taken || true; export HOME=/mnt"


def test_a_read_only_installation_of_another_user_gives_the_same_answers(installation: Path) -> None:
    """With and without a temporary directory: one line says what is not kept, and how to keep it."""
    require("unshare", "setpriv", "mount")
    with_folder, said = answers(installation)
    kept = Path(f"/tmp/fabric-kernels-{USER}")
    try:
        assert said.count("compiled loops cannot be kept") == 1
        assert f"they are kept in {kept} for now; NUMBA_CACHE_DIR names" in said
        assert stat.S_IMODE(kept.stat().st_mode) == 0o700
        assert kept.stat().st_uid == USER
        again, said_again = answers(installation)
    finally:
        shutil.rmtree(kept, ignore_errors=True)
    assert "cannot be kept" not in said_again
    without, said_without = answers(installation, before=NO_TEMPORARY)
    assert said_without.count("every run compiles them again") == 1
    assert with_folder == again == without
    assert [f"{name} 0" in with_folder for name in ("validate", "build", "route")] == [True] * 3


def test_a_home_on_a_full_disk_stops_nothing(installation: Path) -> None:
    """The folder can be made and what is compiled does not fit."""
    require("unshare", "setpriv", "mount")
    out, said = answers(installation, before=f"{NO_TEMPORARY}\n{FULL}", home="/mnt")
    assert "route 0" in out
    assert said.count("every run compiles them again") == 1


@pytest.mark.parametrize("how", ["open to others", "a link", "a file"])
def test_a_folder_of_kernels_that_is_not_safe_is_not_used(tmp_path, monkeypatch, how):
    """What lies in it is run: a folder that others may write to, or somebody's link, is not taken."""
    monkeypatch.setattr(temporary_folder.tempfile, "gettempdir", lambda: str(tmp_path))
    place = tmp_path / f"fabric-kernels-{os.geteuid()}"
    temporary_folder.temporary_folder.cache_clear()
    try:
        assert temporary_folder.temporary_folder() == place
        place.rmdir()
        if how == "open to others":
            place.mkdir()
            place.chmod(0o770)
        elif how == "a link":
            (tmp_path / "elsewhere").mkdir(mode=0o700)
            place.symlink_to("elsewhere")
        else:
            place.write_text("")
        temporary_folder.temporary_folder.cache_clear()
        assert temporary_folder.temporary_folder() is None
    finally:
        temporary_folder.temporary_folder.cache_clear()
