"""Loops compiled by numba, and where what was compiled is kept between runs.

Kept where numba keeps it: in ``NUMBA_CACHE_DIR``, beside the source, or in the user's cache folder. Where none of these
can be written (a read-only or shared installation, a home that is full or not there) a folder of the user's own under
the temporary directory is taken, and where that is not safe or not writable either, loops are compiled in every run.
What is kept only saves time: no failure to read or to write it stops the work.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import Any, ClassVar, TypeVar, cast

from fabric.routing.temporary_folder import temporary_folder

F = TypeVar("F", bound=Callable[..., Any])

_MOST_CALLS = 20_000  # of a loop, after which loading numba costs less than finding the types of arguments here
_LINKED = os.environ.get("FABRIC_LINKED_LOOPS", "1") != "0"  # loops of earlier runs go into memory without numba
_WAY_OUT = "NUMBA_CACHE_DIR names a folder that can be written, which keeps them"


def compiled(function: F) -> F:
    """``numba.njit`` with the options all kernels share, and a cache that never fails."""
    return cast(F, _Kernel(function))


def compiled_inside(function: F) -> F:
    """As ``compiled``, for loops that only compiled ones call and that create no array: quicker to compile."""
    return cast(F, _Kernel(function, _nrt=False, no_cpython_wrapper=True, no_cfunc_wrapper=True))


def compiled_in_place(function: F) -> F:
    """As ``compiled``, for loops that make no arrays or lists of their own: none is counted, at any call.

    Counting who holds which array takes most of the time where many arrays go through small functions, above all on
    threads that share them.
    """
    return cast(F, _Kernel(function, _nrt=False))


def inlined(function: F) -> F:
    """A part of a loop ``compiled_in_place``, written into it: a call would hand over every field of every array."""
    return cast(F, _Kernel(function, kept=False, _nrt=False, inline="always"))


class _Kernel:
    """A compiled loop that loads numba when it is first called, or first named by another loop being compiled.

    To numba it is the dispatcher it stands for; a command that calls no loop never waits for numba.
    """

    def __init__(self, function: Callable[..., Any], *, kept: bool = True, **options: Any) -> None:
        update_wrapper(self, function)
        self._function = function
        self._kept = kept
        self._options = options
        self._call: Callable[..., Any] = self._first_call
        self._linked: dict[object, Callable[..., Any]] = {}
        self._calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Attributes of numba's dispatcher; names of Python's own protocols do not load it."""
        if name.startswith("__") or name in ("_function", "_dispatcher"):
            raise AttributeError(name)
        return getattr(self._dispatcher, name)

    def __repr__(self) -> str:
        return f"<compiled {self._function.__module__}.{self._function.__qualname__}>"

    def __reduce__(self) -> str:
        return self._function.__qualname__  # by name, as a function

    @property
    def _numba_type_(self) -> Any:
        """What the loop is to another loop that calls it."""
        from numba.core import types

        return types.Dispatcher(self._dispatcher)

    @cached_property
    def _dispatcher(self) -> Any:
        import numba
        from numba.core.compiler_lock import global_compiler_lock

        with global_compiler_lock:  # numba's own: one order of locks, whoever comes first
            if "_made" not in self.__dict__:
                njit: Any = numba.njit
                dispatcher = njit(nogil=True, **self._options)(self._function)
                if self._kept:
                    dispatcher._cache = _Kept(self._function)
                self.__dict__["_made"] = dispatcher
        return self.__dict__["_made"]

    def _first_call(self, *args: Any, **kwargs: Any) -> Any:
        from fabric.routing.kept_loops import KeptLoops, types_of

        self._types_of = types_of  # named once: a call may come when nothing can be imported any more
        if _LINKED and self._kept and KeptLoops.can_keep(self._function) and type(self._function) is FunctionType:
            self._loops = KeptLoops(self._function, repr(sorted(self._options.items())))
            self._call = self._by_types
        else:
            self._call = self._dispatcher
        return self._call(*args, **kwargs)

    def _by_types(self, *args: Any, **kwargs: Any) -> Any:
        """Call what was linked for types like these; what is called very often is left to numba, which tells sooner."""
        self._calls += 1
        if self._calls > _MOST_CALLS:
            self._call = self._dispatcher
        whole = not kwargs and len(args) == self._function.__code__.co_argcount
        types = self._types_of(args) if whole else None
        if types is None:
            return self._dispatcher(*args, **kwargs)
        call = self._linked.get(types)
        if call is not None:
            return call(*args)
        call = self._loops.read(types)
        if call is not None:
            self._linked[types] = call
            return call(*args)
        result = self._dispatcher(*args)
        self._linked[types] = self._dispatcher
        self._keep(types, args)
        return result

    def _keep(self, types: tuple[Any, ...], args: tuple[Any, ...]) -> None:
        """Keep what numba has compiled for some arguments, to be linked in later runs."""
        kept = self._dispatcher._cache
        try:
            signature = tuple(self._dispatcher.typeof_pyval(value) for value in args)
            code = kept.object_code(signature, self._dispatcher.targetctx)
            if code is not None:
                self._loops.write(types, code, kept.cache_path)
        except Exception:  # what is kept only saves time
            return


class _Kept:
    """Where the compiled forms of one function are read and written: the first place that works.

    A stand-in for numba's cache of a function, which ends the work where it cannot write.
    """

    said: ClassVar[bool] = False  # that compiled loops are not kept where they usually are

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._why = ""  # the usual places are not used
        try:
            self._place: Any = _function_cache(function)
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

    def object_code(self, signature: Any, target: Any) -> tuple[Any, ...] | None:
        """What is kept for these types, as numba writes it; None where nothing is."""
        file = getattr(self._place, "_cache_file", None)
        code: tuple[Any, ...] | None = None
        if file is not None:
            code = file.load(self._place._index_key(signature, target.codegen()))
        return code

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep what was compiled, where that can be."""
        while True:
            try:
                self._place.save_overload(signature, result)
                break
            except OSError as error:
                usual = not self._why
                self._why = f"{self._place.cache_path}: {error.strerror or error}"
                self._place = _in_temporary_folder(self._function) if usual else _null_cache()
        if self._why and not _Kept.said:
            _Kept.said = True
            _say(self._why, kept=self._place.cache_path is not None)


def _function_cache(function: Callable[..., Any]) -> Any:
    from numba.core import caching

    from fabric.routing.kept_loops import source_of

    cache_class: Any = caching.FunctionCache  # numba's types say nothing of these
    cache = cache_class(function)
    file = getattr(cache, "_cache_file", None)
    if file is not None:  # numba looks at the time of the loop's own file alone
        file._source_stamp = (file._source_stamp, source_of(function))
    return cache


def _null_cache() -> Any:
    from numba.core import caching

    cache_class: Any = caching.NullCache
    return cache_class()


def _in_temporary_folder(function: Callable[..., Any]) -> Any:
    """A cache below ``temporary_folder``, or one that keeps nothing."""
    from numba.core import config

    folder = temporary_folder()
    if folder is None:
        return _null_cache()
    settings: Any = config
    before = settings.CACHE_DIR
    settings.CACHE_DIR = str(folder)
    try:
        return _function_cache(function)
    except (RuntimeError, OSError):
        return _null_cache()
    finally:
        settings.CACHE_DIR = before


def _say(why: str, *, kept: bool) -> None:
    """A warning by Python's logging, which goes to standard error unless a program says otherwise."""
    import logging

    where = f"they are kept in {temporary_folder()} for now" if kept else "every run compiles them again and is slower"
    logging.getLogger("fabric").warning("note: compiled loops cannot be kept (%s); %s; %s", why, where, _WAY_OUT)
