"""Compiled loops put into memory without loading numba: what it compiled in an earlier run is taken up as it is.

The entry of a compiled loop takes Python objects and gives one back. All it needs are three of numba's extension
modules (unboxing of arrays, memory, environments), which load in a millisecond, and functions of Python and of the C
library. Only on Linux with x86-64; elsewhere, and whenever anything is not as it is known here, numba does it all.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import pickle
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from fabric.routing.object_code import PAGE, CodeImage, UnknownCodeError, read_object
from topologies.extension_modules import extension_alone

_EXTENSIONS = ("_dynfunc", "_helperlib", "core/runtime/_nrt_python")
_LOCK = threading.Lock()


@dataclass(frozen=True)
class LinkedLoop:
    """What is kept of a loop: its code, its entry, and the constants of all functions in it.

    Attributes
    ----------
    entry : str
        Symbol of the function that takes Python objects.
    environments : tuple of (str, list)
        Symbol of the word that holds an environment, and its constants; that of the loop first.
    """

    name: str
    image: CodeImage
    entry: str
    environments: tuple[tuple[str, list[Any]], ...]


def is_possible() -> bool:
    """Whether loops can be put into memory here."""
    return sys.platform == "linux" and os.uname().machine == "x86_64" and "NUMBA_DISABLE_JIT" not in os.environ


def linkable(name: str, kept: tuple[Any, ...]) -> bytes | None:
    """What to keep of a loop, from what numba keeps of it; None where it cannot be taken up without numba.

    Parameters
    ----------
    kept : tuple
        Library, description, environment, signature, whether of objects, loops lifted, annotation, what is run again
        when it is loaded, environments referred to.
    """
    (_, form, library), description, environment, _, of_objects, lifted, _, run_again, others = kept
    if form != "object" or of_objects or lifted or run_again:
        return None
    found = {each.env_name: list(each.consts) for each in (environment, *others)}
    try:
        image = read_object(library[0])
        entry = description.llvm_cpython_wrapper_name
        environments = tuple((symbol, consts) for symbol, consts in found.items() if symbol in image.symbols)
        if entry not in image.symbols or not environments or environments[0][0] != environment.env_name:
            return None
        text = pickle.dumps(LinkedLoop(name, image, entry, environments))
    except (UnknownCodeError, ValueError, struct.error, pickle.PicklingError, TypeError, AttributeError):
        return None
    return None if _names_numba(pickle.dumps(environments)) else text


def _names_numba(text: bytes) -> bool:
    """Whether a constant can only be read with numba."""
    return b"numba\n" in text or b"cnumba" in text or b"numba." in text


def link(loop: LinkedLoop, module: ModuleType) -> Callable[..., Any] | None:
    """Put a loop into memory; None where something that it needs is not there.

    Parameters
    ----------
    module : ModuleType
        The module that the loop is written in.
    """
    with _LOCK:
        extensions = _extensions()
        if extensions is None:
            return None
        found = {name: _address(name) for name in loop.image.outer}
        if not all(found.values()):
            return None
        base = _in_memory(loop.image, {name: address or 0 for name, address in found.items()})
        if base is None:
            return None
        own = None
        for symbol, consts in loop.environments:
            environment = extensions[0].Environment(vars(module))
            environment.consts.extend(consts)
            ctypes.c_void_p.from_address(base + loop.image.symbols[symbol]).value = id(environment)
            _keep_for_ever(environment)
            own = own or environment
        entry = base + loop.image.symbols[loop.entry]
        function: Callable[..., Any] = extensions[0].make_function(module, loop.name, "", entry, own, ())
        return function


def _keep_for_ever(what: object) -> None:
    """Arrays and threads may need code, and code its constants, until the very end of the program."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(what))


def _in_memory(image: CodeImage, addresses: dict[str, int]) -> int | None:
    """Address of an image whose words hold the addresses that they should; its code can run and not be written."""
    how = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, "prot": mmap.PROT_READ | mmap.PROT_WRITE}
    memory = mmap.mmap(-1, max(len(image.data), 1), **how)
    base = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    data = bytearray(image.data)
    put = struct.Struct("<Q").pack_into
    for offset, target in image.inner:
        put(data, offset, base + target)
    for name, words in image.outer.items():
        for offset, addend in words:
            put(data, offset, (addresses[name] + addend) & 0xFFFFFFFFFFFFFFFF)
    memory[:] = bytes(data)
    _keep_for_ever(memory)
    protect = ctypes.CDLL(None).mprotect
    protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    size = -(-image.writable // PAGE) * PAGE
    return base if protect(base, size, mmap.PROT_READ | mmap.PROT_EXEC) == 0 else None


@cache
def _extensions() -> tuple[ModuleType, ...] | None:
    """Numba's extension modules, loaded without numba; None where they are not what they are taken for."""
    modules = [extension_alone("numba", path) for path in _EXTENSIONS]
    found = tuple(module for module in modules if module is not None)
    has_all = len(found) == len(_EXTENSIONS) and all(
        hasattr(found[0], name) for name in ("make_function", "Environment")
    )
    return found if has_all and all(hasattr(module, "c_helpers") for module in found) else None


@cache
def _unpickled(address: int, count: int, _number: int | None) -> Any:
    """An object that code holds in writing: the class of arrays that it gives back, an error that it raises."""
    text = ctypes.string_at(address, count)
    try:
        return pickle.loads(text)
    except Exception:  # what only numba can read
        from numba.core import serialize

        reader: Any = serialize  # without types
        return reader._numba_unpickle(address, text, b"")


_UNPICKLE = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(_unpickled)
_keep_for_ever(_UNPICKLE)  # its address is written into code


@cache
def _address(name: str) -> int | None:
    """Address of a function or an object that code refers to; as numba tells LLVM of them."""
    import builtins

    extensions = _extensions()
    assert extensions is not None
    dynamic, helpers, runtime = (module.c_helpers for module in extensions)
    if name == "_Py_NoneStruct":
        return id(None)
    if name == "numba_unpickle":
        return ctypes.cast(_UNPICKLE, ctypes.c_void_p).value
    if name.startswith("PyExc_"):
        error = getattr(builtins, name.removeprefix("PyExc_"), None)
        return None if error is None else id(error)
    if name.startswith("numba_"):
        short = name.removeprefix("numba_")
        found = helpers.get(short) or dynamic.get(short)
    elif name.startswith("NRT_"):
        found = runtime.get(name.removeprefix("NRT_"))
    else:
        found = helpers.get(name) or _exported(name)
    return int(found) if found else None


def _exported(name: str) -> int | None:
    """Address of a function of Python or of the C library."""
    for library in (ctypes.pythonapi, ctypes.CDLL(None), ctypes.CDLL("libm.so.6")):
        try:
            return ctypes.cast(getattr(library, name), ctypes.c_void_p).value
        except AttributeError:
            continue
    return None
