"""Extension modules of other packages, loaded alone: the package around them may take a hundred times as long."""

from __future__ import annotations

import sys
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType


def extension_alone(package: str, path: str) -> ModuleType | None:
    """An extension module without its package; None where the package is not there or keeps it elsewhere.

    Parameters
    ----------
    package : str
        Name of the package at the top, which is not imported.
    path : str
        File of the module below the package's folder, without its suffix: ``"optimize/_lsap"``.
    """
    name = f"{package}.{path.replace('/', '.')}"
    known = sys.modules.get(name)
    if known is not None:
        return known
    found = find_spec(package)
    if found is None or found.origin is None:
        return None
    stem = Path(found.origin).parent / path
    for suffix in EXTENSION_SUFFIXES:
        file = f"{stem}{suffix}"
        if Path(file).exists():
            return _loaded(name, file)
    return None


def _loaded(name: str, file: str) -> ModuleType | None:
    spec = spec_from_file_location(name, file, loader=ExtensionFileLoader(name, file))
    if spec is None or spec.loader is None:
        return None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
