"""Loops compiled by numba, and where what was compiled is kept between runs.

Kept where numba keeps it: in ``NUMBA_CACHE_DIR``, beside the source, or in the user's cache folder. Where none of these
can be written (a read-only or shared installation, a home that is full or not there) a folder of the user's own under
the temporary directory is taken, and where that is not safe or not writable either, loops are compiled in every run.
What is kept only saves time: no failure to read or to write it stops the work.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import numba
from numba.core import caching, config

F = TypeVar("F", bound=Callable[..., Any])

_FunctionCache: Any = caching.FunctionCache  # numba's types say nothing of these
_NullCache: Any = caching.NullCache
_config: Any = config
_njit: Any = numba.njit

_WAY_OUT = "NUMBA_CACHE_DIR names a folder that can be written, which keeps them"


def compiled(function: F) -> F:
    """``numba.njit`` with the options all kernels share, and a cache that never fails."""
    dispatcher: Any = _njit(nogil=True)(function)
    dispatcher._cache = _Kept(function)
    return cast(F, dispatcher)


def compiled_inside(function: F) -> F:
    """As ``compiled``, for loops that only compiled ones call and that create no array: quicker to compile."""
    dispatcher: Any = _njit(nogil=True, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)
    dispatcher._cache = _Kept(function)
    return cast(F, dispatcher)


def compiled_in_place(function: F) -> F:
    """As ``compiled``, for loops that make no arrays or lists of their own: none is counted, at any call.

    Counting who holds which array takes most of the time where many arrays go through small functions, above all on
    threads that share them.
    """
    dispatcher: Any = _njit(nogil=True, _nrt=False)(function)
    dispatcher._cache = _Kept(function)
    return cast(F, dispatcher)


def inlined(function: F) -> F:
    """A part of a loop ``compiled_in_place``, written into it: a call would hand over every field of every array."""
    return cast(F, _njit(nogil=True, _nrt=False, inline="always")(function))


class _Kept:
    """Where the compiled forms of one function are read and written: the first place that works.

    A stand-in for numba's cache of a function, which ends the work where it cannot write.
    """

    said: ClassVar[bool] = False  # that compiled loops are not kept where they usually are

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._why = ""  # the usual places are not used
        try:
            self._place = _FunctionCache(function)
        except (RuntimeError, OSError):  # RuntimeError: none of the usual places can be written
            self._why = "the usual places cannot be written"
            self._place = _in_temporary_folder(function)

    @property
    def cache_path(self) -> str | None:
        """The folder; None where nothing is kept."""
        path: str | None = self._place.cache_path
        return path

    def flush(self) -> None:
        """Forget what was kept."""
        self._place.flush()

    def load_overload(self, signature: Any, target: Any) -> Any:
        """What was kept for these types; None where nothing was, or where it cannot be read."""
        try:
            return self._place.load_overload(signature, target)
        except Exception:  # a file cut off or written by something else: compiled again, and written anew
            return None

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled, where that can be."""
        while True:
            try:
                self._place.save_overload(signature, result)
                break
            except OSError as error:
                usual = not self._why
                self._why = f"{self._place.cache_path}: {error.strerror or error}"
                self._place = _in_temporary_folder(self._function) if usual else _NullCache()
        if self._why and not _Kept.said:
            _Kept.said = True
            _say(self._why, kept=self._place.cache_path is not None)


def _in_temporary_folder(function: Callable[..., Any]) -> Any:
    """A cache below ``temporary_folder``, or one that keeps nothing."""
    folder = temporary_folder()
    if folder is None:
        return _NullCache()
    before = _config.CACHE_DIR
    _config.CACHE_DIR = str(folder)
    try:
        return _FunctionCache(function)
    except (RuntimeError, OSError):
        return _NullCache()
    finally:
        _config.CACHE_DIR = before


@cache
def temporary_folder() -> Path | None:
    """The user's own folder under the temporary directory; None where there can be none.

    What lies in it is run as code. So it is used only when it is a folder, no link, that belongs to this user and that
    nobody else may enter.
    """
    try:
        above = Path(tempfile.gettempdir())
        if above == Path.cwd():  # what Python takes when there is no temporary directory
            return None
        folder = above / f"fabric-kernels-{os.geteuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    private = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return folder if private else None


def _say(why: str, *, kept: bool) -> None:
    """A warning by Python's logging, which goes to standard error unless a program says otherwise."""
    import logging

    where = f"they are kept in {temporary_folder()} for now" if kept else "every run compiles them again and is slower"
    logging.getLogger("fabric").warning("note: compiled loops cannot be kept (%s); %s; %s", why, where, _WAY_OUT)
