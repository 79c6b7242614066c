"""Where compiled loops are kept to be linked without numba, by the types of their arguments, and while they are valid.

A file is valid for the very source that it was compiled from: the loop's own file, the files of all loops that it
calls, constants and named tuples it uses; and for the same Python, numba, LLVM, NumPy and processor.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from fabric.routing.linked import LinkedLoop, is_possible, link, linkable
from fabric.routing.temporary_folder import temporary_folder

_LARGEST = 2**63
_C_ORDER, _FORTRAN = 0x1, 0x2
_FLAGS = _C_ORDER | _FORTRAN | 0x500  # aligned, can be written
_SCALARS = {float, bool, np.bool_, *(np.dtype(letter).type for letter in "bBhHiIlLqQfd")}
_SIMPLE = 13  # numbers of NumPy's types up to which they are truth values, whole numbers and floats
_SETTINGS = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES", "NUMBA_OPT", "NUMBA_BOUNDSCHECK", "NUMBA_ENABLE_AVX")


def types_of(values: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """What a loop is compiled for, which numba derives from the same; None where that is not known here."""
    found: list[Any] = []
    for value in values:
        kind = type(value)
        if kind is np.ndarray:
            number = value.dtype.num
            if number > _SIMPLE or not value.dtype.isnative:
                return None
            flags = value.flags.num & _FLAGS
            found.append((number, value.ndim, flags & ~_FORTRAN if flags & _C_ORDER else flags))
        elif kind is int:
            if not -_LARGEST <= value < _LARGEST:
                return None
            found.append(int)
        elif kind is float or kind is bool or isinstance(value, np.number | np.bool_):
            if kind not in _SCALARS:
                return None
            found.append(kind)
        elif isinstance(value, tuple):
            inner = types_of(value)
            if inner is None:
                return None
            found.append((kind, inner))
        else:
            return None
    return tuple(found)


def _named(types: Any) -> str:
    """Types as text that another run writes alike."""
    if isinstance(types, tuple):
        return f"({','.join(_named(each) for each in types)})"
    if isinstance(types, type):
        return f"{types.__module__}.{types.__qualname__}{getattr(types, '_fields', '')}"
    return str(types)


class KeptLoops:
    """The linked forms of one function."""

    def __init__(self, function: Callable[..., Any], options: str) -> None:
        self._function = function
        self._options = options

    @staticmethod
    def can_keep(function: Callable[..., Any]) -> bool:
        """Whether loops are kept here, and this one can be: what a closure holds is not known to another run."""
        own = isinstance(function, FunctionType) and function.__closure__ is None and "<" not in function.__qualname__
        return own and is_possible() and processor() is not None

    def read(self, types: tuple[Any, ...]) -> Callable[..., Any] | None:
        """The loop for these types, put into memory; None where it is not kept, or is no longer valid."""
        tag = self._tag(types)
        for folder in self._folders():
            try:
                text = (folder / self._name(types)).read_bytes()
                if text[:32] != tag or text[32:48] != _sum(text[48:]):
                    continue
                loop = pickle.loads(text[48:])
                if isinstance(loop, LinkedLoop):
                    return link(loop, sys.modules[self._function.__module__])
            except Exception:  # not there, cut off, or written by something else: compiled as if there were none
                continue
        return None

    def write(self, types: tuple[Any, ...], kept: tuple[Any, ...], folder: str | None) -> None:
        """Keep what numba keeps of a loop, beside that; a folder that cannot be written keeps nothing."""
        text = linkable(self._function.__name__, kept)
        if text is None or folder is None:
            return
        path = Path(folder) / self._name(types)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            draft.write_bytes(self._tag(types) + _sum(text) + text)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)

    def _name(self, types: tuple[Any, ...]) -> str:
        number = hashlib.sha256(_named(types).encode()).hexdigest()[:16]
        module = self._function.__module__.rpartition(".")[2]
        return f"{module}.{self._function.__qualname__}-{number}.linked"

    def _tag(self, types: tuple[Any, ...]) -> bytes:
        """What a kept file has to begin with to be valid, 32 bytes."""
        parts = [_around(), self._options, _named(types), *sorted(set(_used(self._function, set())))]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    def _folders(self) -> Iterator[Path]:
        """Where numba may have kept the loop: in the order in which it tries."""
        source = Path(self._function.__code__.co_filename)
        chosen = os.environ.get("NUMBA_CACHE_DIR")
        yield from _numba_folders(source, chosen)


def _numba_folders(source: Path, chosen: str | None) -> Iterator[Path]:
    index = f"{source.parent.name}_{hashlib.sha1(str(source.parent).encode()).hexdigest()}"
    if chosen:
        yield Path(chosen) / index
        return
    yield source.parent / "__pycache__"
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    yield home / "numba" / index
    temporary = temporary_folder()
    if temporary is not None:
        yield temporary / index


def _sum(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


@cache
def processor() -> str | None:
    """Model and abilities of the processor; None where the system does not tell."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            text = file.read(16_384).split("\n\n", 1)[0]
    except OSError:
        return None
    found = [line for line in text.splitlines() if line.startswith(("model name", "flags", "cpu family", "model\t"))]
    return "\n".join(found) if any(line.startswith("flags") for line in found) else None


@cache
def _around() -> str:
    """Python, numba, LLVM, NumPy, processor and settings, as text."""
    parts = [sys.version, processor() or "", *(f"{name}={os.environ.get(name, '')}" for name in _SETTINGS)]
    for package, file in (("numba", "_version.py"), ("llvmlite", "_version.py"), ("numpy", "version.py")):
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            parts.append(_hash_of(str(Path(spec.origin).parent / file)))
    return "\n".join(parts)


@cache
def _hash_of(path: str) -> str:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return "none"


def _used(function: Callable[..., Any], seen: set[int]) -> Iterator[str]:
    """Source of a function, and of all that it names which another run could have otherwise."""
    if id(function) in seen or not isinstance(function, FunctionType):
        return
    seen.add(id(function))
    yield _hash_of(function.__code__.co_filename)
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield from _value(name, function.__globals__[name], seen)


def _value(name: str, value: Any, seen: set[int]) -> Iterator[str]:
    inner = vars(value).get("_function") if hasattr(value, "__dict__") else None
    if inner is not None:
        yield from _used(inner, seen)
    elif isinstance(value, FunctionType):
        yield from _used(value, seen)
    elif isinstance(value, ModuleType):
        if not value.__name__.startswith(("numpy", "math", "numba")) and value.__file__:
            yield _hash_of(value.__file__)
    elif isinstance(value, type):
        yield f"{name}={_named(value)}"
    elif isinstance(value, np.ndarray):
        yield f"{name}={value.dtype}{value.shape}{hashlib.sha256(value.tobytes()).hexdigest()}"
    else:
        yield f"{name}={value!r}"


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
