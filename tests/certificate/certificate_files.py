"""Writing certificate files of small cases, and forging them."""

from __future__ import annotations

import io
import json
import zipfile
from types import SimpleNamespace

import numpy as np
from oracle_fabrics import ours

from fabric.certificate_check import check_certificate, read_certificate
from fabric.pipeline.run import Run
from fabric.request import RouteRequest
from fabric.result import RouteResult
from fabric.saved.certificate_file import write_certificate

LOADED = SimpleNamespace(scenario=SimpleNamespace(name="case", seed=3), sha256="0" * 64, overrides=())


def write(path, *routes):
    """A certificate of routed phases."""
    write_certificate(path, Run(LOADED, RouteRequest(), RouteResult(tuple(routes), (), (), (), ())), force=True)
    return path


def certified(path, case, router, **options):
    """Route a case, write its certificate and check it; the route and the verdict."""
    return certified_route(path, ours(case, router, **options))


def certified_route(path, route):
    """Write and check a route."""
    (verdict,) = check_certificate(read_certificate(write(path, route)))
    return route, verdict


def members(path):
    """All members of a certificate: columns by name, and the manifest."""
    with zipfile.ZipFile(path) as archive:
        found = {}
        for name in archive.namelist():
            data = archive.read(name)
            found[name] = json.loads(data) if name == "manifest.json" else np.load(io.BytesIO(data))
        return found


def save(path, found):
    """Write members as a certificate."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in found.items():
            if name == "manifest.json":
                archive.writestr(name, json.dumps(value))
                continue
            buffer = io.BytesIO()
            np.save(buffer, value)
            archive.writestr(name, buffer.getvalue())
    return path


def forged(path, forge):
    """The verdict on a file after ``forge`` changed its first phase, given as columns and manifest entry."""
    found = members(path)
    phase = {name.split("/")[1][:-4]: value.copy() for name, value in found.items() if name.startswith("phase0/")}
    fabric = {name.split("/")[1][:-4]: value.copy() for name, value in found.items() if name.startswith("fabric0/")}
    forge(SimpleNamespace(**phase), SimpleNamespace(**fabric), found["manifest.json"]["phases"][0], phase)
    for folder, columns in (("phase0", phase), ("fabric0", fabric)):
        found |= {f"{folder}/{name}.npy": value for name, value in columns.items()}
    (verdict,) = check_certificate(read_certificate(save(path, found)))
    return verdict
