"""What is not a certificate is refused with a message, never with a traceback or a verdict."""

from __future__ import annotations

import json
import tracemalloc
import zipfile

import numpy as np
import pytest
from certificate_files import members, save, write
from oracle_fabrics import Case, ours

from fabric.certificate_check import read_certificate
from topologies.assemble import assemble
from topologies.errors import FormatError


@pytest.fixture
def path(tmp_path):
    """Two routers joined by 100G and 40G cables; 70 Gbps from one to the other, split by capacity."""
    net = assemble("two", "two")
    ends = net.switches("leaf", ["a", "b"], level=1, nics=np.array([1, 1]))
    middle = net.switches("spine", ["c"], level=2)
    net.cables([ends[0], ends[0], middle[0]], [ends[1], middle[0], ends[1]], [100.0, 40.0, 40.0], tier="core")
    return write(tmp_path / "c.zip", ours(Case(net.freeze(), ((int(ends[0]), int(ends[1]), 70.0),)), "optimal"))


def refusal(path):
    """Code and message of the error."""
    with pytest.raises(FormatError, match="write it again") as caught:
        read_certificate(path)
    (problem,) = caught.value.problems
    return problem.code, problem.message


def changed(path, name, change):
    """Rewrite one member."""
    found = members(path)
    found[name] = change(found[name])
    return refusal(save(path, found))


def test_the_file_as_written_is_read(path):
    """One fabric, one phase, explicit splits."""
    (phase,) = read_certificate(path).phases
    assert (phase.router, phase.routing, phase.proof) == ("optimal", "splits", "prices")


def test_a_file_that_does_not_exist(tmp_path):
    """FP6040."""
    assert refusal(tmp_path / "none.zip")[0] == "FP6040"


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_file(path, part):
    """The table of contents of a zip is at its end, so every cut shows."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    assert refusal(path)[0] == "FP6040"


def test_a_flipped_byte_fails_the_checksum(path):
    """In the middle of the compressed prices."""
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("phase0/price.npy")
    data = bytearray(path.read_bytes())
    data[info.header_offset + 30 + len(info.filename) + info.compress_size // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    assert refusal(path)[0] in ("FP6040", "FP6042")


def test_a_zip_of_something_else(tmp_path):
    """No manifest."""
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert refusal(path) == ("FP6041", "other.zip has no manifest.json: it is not a certificate")


@pytest.mark.parametrize(
    ("keys", "value", "words"),
    [
        (("version",), 2, "version 2; this program reads"),
        (("version",), "1", "not a count"),
        (("schema",), "other", "schema 'other'"),
        (("phases",), {}, "phases is not a list"),
        (("phases", 0, "fabric"), "nowhere", "is not the name of a fabric"),
        (("phases", 0, "routing"), "magic", "not one of ecmp, splits, paths, none"),
        (("phases", 0, "claims"), [], "claims is not an object"),
        (("phases", 0, "claims", "max_utilisation"), -1, "not a number from 0"),
        (("phases", 0, "claims", "gap"), float("nan"), "NaN is not JSON"),
        (("phases", 0, "claims", "lower_bound"), "high", "not a number from 0"),
        (("phases", 0, "claims", "offered_gbps"), None, "offered_gbps is null"),
        (("phases", 0, "pairs_left_out"), True, "not a count"),
    ],
)
def test_a_manifest_with_a_wrong_value(path, keys, value, words):
    """The message names the key."""

    def change(manifest):
        place = manifest
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value
        return manifest

    code, message = changed(path, "manifest.json", change)
    assert code == "FP6041"
    assert words in message


@pytest.mark.parametrize("text", ["", "[]", "{", "NaN", '{"schema": NaN}', "\ufeff", "[" * 100_000], ids=range(7))
def test_a_manifest_that_is_no_object(path, text):
    """Not JSON, not an object, or nested without end."""
    found = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", text)
        assert found
    assert refusal(path)[0] == "FP6041"


@pytest.mark.parametrize(
    "name",
    [
        "fabric0/link_src",
        "fabric0/node_name",
        "phase0/link_edge",
        "phase0/demand_gbps",
        "phase0/price",
        "phase0/splits_part",
    ],
)
def test_a_missing_column(path, name):
    """The message names it."""
    found = members(path)
    del found[f"{name}.npy"]
    assert refusal(save(path, found)) == ("FP6042", f"the column {name}.npy is missing")


@pytest.mark.parametrize(
    ("name", "change", "code", "words"),
    [
        ("phase0/price", lambda old: np.append(old[1:], np.nan), "FP6043", "is nan, not a number from 0"),
        ("phase0/price", lambda old: -1 - old, "FP6043", "row 0 is -"),
        ("phase0/price", lambda old: old[:-1], "FP6042", "rows;"),
        ("phase0/price", lambda old: old.astype(np.complex128), "FP6042", "it holds complex128, not numbers"),
        ("phase0/price", lambda old: old[:, None], "FP6042", "has shape"),
        ("phase0/demand_gbps", lambda old: old * np.inf, "FP6043", "is inf"),
        ("phase0/demand_gbps", lambda old: -old, "FP6043", "is -70.0"),
        ("phase0/demand_src", lambda old: old + 100, "FP6043", "not an index from 0 below 3"),
        ("phase0/demand_dst", lambda _: np.array([0]), "FP6043", "sends to itself"),
        ("phase0/splits_edge", lambda old: old + 100, "FP6043", "not an index"),
        ("phase0/splits_edge", lambda old: old.astype(np.float64), "FP6042", "it holds float64, not whole numbers"),
        ("phase0/splits_start", lambda old: old[::-1], "FP6043", "does not rise from 0"),
        ("phase0/splits_start", lambda old: old + 1, "FP6043", "does not rise from 0"),
        ("phase0/splits_part", lambda old: old * np.nan, "FP6043", "is nan"),
        ("phase0/splits_part", lambda old: -old, "FP6043", "is -"),
        ("phase0/link_edge", lambda old: old - 5, "FP6043", "not an index from -1"),
        ("phase0/send_point", lambda old: old + 1000, "FP6043", "not an index from -1"),
        ("phase0/send_point", lambda old: old[:-1], "FP6042", "rows; 3 are needed"),
        ("fabric0/link_src", lambda old: old + 100, "FP6043", "not an index from 0 below 3"),
        ("fabric0/link_dst", lambda old: -1 - old, "FP6043", "not an index"),
        ("fabric0/link_capacity_gbps", lambda old: -old, "FP6043", "is -100.0"),
        ("fabric0/link_weight", lambda old: old * 0, "FP6043", "not a number above 0"),
        ("fabric0/link_up", lambda old: old.astype(np.int8), "FP6042", "it holds int8, not truth values"),
    ],
)
def test_a_bad_column(path, name, change, code, words):
    """Wrong type, shape or value; the message names column and row."""
    found, message = changed(path, f"{name}.npy", change)
    assert found == code
    assert words in message


def test_a_bomb_is_refused_by_the_size_that_it_states(tmp_path):
    """300 MiB of blanks as its manifest, in 0.3 MB: nothing is unpacked."""
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("manifest.json", "w") as member:
        for _ in range(300):
            member.write(b" " * (1 << 20))
    tracemalloc.start()
    code, message = refusal(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == "FP6040"
    assert "would unpack to 314,572,800" in message
    assert peak < 2**22


@pytest.mark.parametrize(
    ("header", "words"),
    [("[", "not a column"), ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", "bytes follow")],
    ids=["bracket", "of 1e12"],
)
def test_a_header_that_is_none_or_promises_more_than_follows(path, header, words):
    """Refused as the column that it is in."""
    text = header.encode() + b" " * (-(len(header) + 11) % 64) + b"\n"
    data = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    with zipfile.ZipFile(path) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(found["manifest.json"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in found.items():
            archive.writestr(name, data if name == "phase0/price.npy" else content)
    assert manifest["version"] == 1
    code, message = refusal(path)
    assert code == "FP6042"
    assert words in message


def test_a_column_of_python_objects_is_not_unpickled(path):
    """Pickles run code."""
    found = members(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(found["manifest.json"]))
        for name, value in found.items():
            if name.endswith(".npy"):
                with archive.open(name, "w") as stream:
                    array = value.astype(object) if name == "phase0/price.npy" else value
                    np.lib.format.write_array(stream, array)
    code, message = refusal(path)
    assert code == "FP6042"
    assert "it holds object, not numbers" in message
